"""The inductive heads of kshot as classifiers of scikit-learn. Made by generate.py from the registry of learners."""

from typing import ClassVar

from ._estimator import Head

__all__ = [
    "FineTune",
    "KNN",
    "LDA",
    "LinearProbe",
    "MLP",
    "Mahalanobis",
    "Matching",
    "MetaOptNetSVM",
    "NearestCentroid",
    "Prototypical",
    "Ridge",
    "SVM",
    "Stacked",
    "WhitenedRidge",
]


class FineTune(Head):
    """Last layer by gradient descent (Chen et al. 2019).

    Parameters
    ----------
    lr : float, a number from 0.000000001 to 1000000; default 0.1
        Learning rate.
    epochs : int, a whole number from 1 to 1000000; default 100
        Passes over the support.
    momentum : float, a number from 0 to 0.999999; default 0
        Share of the last update that is kept.
    dampening : float, a number from 0 to 1; default 0
        Share of the gradient that momentum leaves out.
    weight_decay : float, a number from 0 to 1000; default 0
        L2 penalty on weights and bias.
    batch : int, a whole number from 0 to 100000; default 0
        Items per step; 0 takes the whole support.
    init : str, one of `zero`, `prototype`, `random`; default zero
        Where the weights start.
    seed : int, a whole number from 0 to 4294967295; default 0
        Seed of a random start.
    starts : int, a whole number from 1 to 100; default 1
        Random starts that answer together.
    head : str, one of `linear`, `cosine`, `weight-norm`; default linear
        How logits are made.
    scale : float, a number from 0.001 to 10000; default 10
        Factor on the cosine of a cosine head.
    feature_transform : str, one of `none`, `l2n`, `cl2n`; default l2n
        What is done to features first.
    preset : str, one of `none`, `closer-look`, `baseline-plus-plus`; default none
        Takes head, start, transform and steps from a paper.
    """

    _learner: ClassVar[str] = "fine-tune"
    _names: ClassVar[dict[str, str]] = {"lr": "lr", "epochs": "epochs", "momentum": "momentum", "dampening": "dampening", "weight_decay": "weight-decay", "batch": "batch", "init": "init", "seed": "seed", "starts": "starts", "head": "head", "scale": "scale", "feature_transform": "transform", "preset": "preset"}
    _probabilities: ClassVar[bool] = True

    def __init__(
        self,
        *,
        lr: float = 0.1,
        epochs: int = 100,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        batch: int = 0,
        init: str = "zero",
        seed: int = 0,
        starts: int = 1,
        head: str = "linear",
        scale: float = 10.0,
        feature_transform: str = "l2n",
        preset: str = "none",
    ) -> None:
        self.lr = lr
        self.epochs = epochs
        self.momentum = momentum
        self.dampening = dampening
        self.weight_decay = weight_decay
        self.batch = batch
        self.init = init
        self.seed = seed
        self.starts = starts
        self.head = head
        self.scale = scale
        self.feature_transform = feature_transform
        self.preset = preset


class KNN(Head):
    """K nearest support items (Cover and Hart 1967).

    Parameters
    ----------
    distance : str, one of `euclidean`, `cosine`; default euclidean
        Distance between items.
    k : int, a whole number from 1 to 100000; default 1
        Neighbours that vote.
    """

    _learner: ClassVar[str] = "k-nn"
    _names: ClassVar[dict[str, str]] = {"distance": "distance", "k": "k"}
    _probabilities: ClassVar[bool] = False

    def __init__(
        self,
        *,
        distance: str = "euclidean",
        k: int = 1,
    ) -> None:
        self.distance = distance
        self.k = k


class LDA(Head):
    """Linear discriminant analysis with a shrunk covariance (Friedman 1989).

    Parameters
    ----------
    shrinkage : float, a number from 0.000001 to 1; default 0.5
        Share of the identity in the covariance.
    feature_transform : str, one of `none`, `l2n`, `cl2n`; default none
        What is done to features first.
    """

    _learner: ClassVar[str] = "lda"
    _names: ClassVar[dict[str, str]] = {"shrinkage": "shrinkage", "feature_transform": "transform"}
    _probabilities: ClassVar[bool] = True

    def __init__(
        self,
        *,
        shrinkage: float = 0.5,
        feature_transform: str = "none",
    ) -> None:
        self.shrinkage = shrinkage
        self.feature_transform = feature_transform


class LinearProbe(Head):
    """Multinomial logistic regression to convergence (Tian et al. 2020).

    Parameters
    ----------
    C : float, a number from 0.000001 to 1000000; default 1
        Inverse of the L2 penalty.
    feature_transform : str, one of `none`, `l2n`, `cl2n`; default l2n
        What is done to features first.
    """

    _learner: ClassVar[str] = "linear-probe"
    _names: ClassVar[dict[str, str]] = {"C": "c", "feature_transform": "transform"}
    _probabilities: ClassVar[bool] = True

    def __init__(
        self,
        *,
        C: float = 1.0,
        feature_transform: str = "l2n",
    ) -> None:
        self.C = C
        self.feature_transform = feature_transform


class MLP(Head):
    """Perceptron with one hidden layer and early stopping on a held-out share of the support.

    Parameters
    ----------
    hidden : int, a whole number from 1 to 1024; default 128
        Hidden units.
    lr : float, a number from 0.000001 to 1; default 0.001
        Learning rate.
    epochs : int, a whole number from 1 to 1000; default 200
        Epochs at most.
    batch : int, a whole number from 1 to 100000; default 32
        Items per step.
    weight_decay : float, a number from 0 to 1000; default 0.0001
        L2 penalty.
    held_out : float, a number from 0 to 0.9; default 0.1
        Share of each label that decides when to stop.
    patience : int, a whole number from 1 to 100; default 10
        Epochs without a better one.
    feature_transform : str, one of `none`, `l2n`, `cl2n`; default l2n
        What is done to features first.
    """

    _learner: ClassVar[str] = "mlp"
    _names: ClassVar[dict[str, str]] = {"hidden": "hidden", "lr": "lr", "epochs": "epochs", "batch": "batch", "weight_decay": "weight-decay", "held_out": "held-out", "patience": "patience", "feature_transform": "transform"}
    _probabilities: ClassVar[bool] = True

    def __init__(
        self,
        *,
        hidden: int = 128,
        lr: float = 0.001,
        epochs: int = 200,
        batch: int = 32,
        weight_decay: float = 0.0001,
        held_out: float = 0.1,
        patience: int = 10,
        feature_transform: str = "l2n",
    ) -> None:
        self.hidden = hidden
        self.lr = lr
        self.epochs = epochs
        self.batch = batch
        self.weight_decay = weight_decay
        self.held_out = held_out
        self.patience = patience
        self.feature_transform = feature_transform


class Mahalanobis(Head):
    """Mahalanobis distance with a covariance per label (Simple CNAPS, Bateni et al. 2020).

    Parameters
    ----------
    beta : float, a number from 0.000000001 to 1000000000; default 1
        Multiple of the identity in every covariance.
    feature_transform : str, one of `none`, `l2n`, `cl2n`; default none
        What is done to features first.
    """

    _learner: ClassVar[str] = "mahalanobis"
    _names: ClassVar[dict[str, str]] = {"beta": "beta", "feature_transform": "transform"}
    _probabilities: ClassVar[bool] = True

    def __init__(
        self,
        *,
        beta: float = 1.0,
        feature_transform: str = "none",
    ) -> None:
        self.beta = beta
        self.feature_transform = feature_transform


class Matching(Head):
    """Attention over cosine similarities to the support (Vinyals et al. 2016).

    Parameters
    ----------
    temperature : float, a number from 0.001 to 1000; default 10
        Factor on the cosines.
    """

    _learner: ClassVar[str] = "matching"
    _names: ClassVar[dict[str, str]] = {"temperature": "temperature"}
    _probabilities: ClassVar[bool] = True

    def __init__(
        self,
        *,
        temperature: float = 10.0,
    ) -> None:
        self.temperature = temperature


class MetaOptNetSVM(Head):
    """Multi-class support vector machine of Crammer and Singer (MetaOptNet, Lee et al. 2019).

    Parameters
    ----------
    C : float, a number from 0.000001 to 10000; default 0.1
        Weight of the loss.
    feature_transform : str, one of `none`, `l2n`, `cl2n`; default l2n
        What is done to features first.
    """

    _learner: ClassVar[str] = "metaoptnet-svm"
    _names: ClassVar[dict[str, str]] = {"C": "c", "feature_transform": "transform"}
    _probabilities: ClassVar[bool] = False

    def __init__(
        self,
        *,
        C: float = 0.1,
        feature_transform: str = "l2n",
    ) -> None:
        self.C = C
        self.feature_transform = feature_transform


class NearestCentroid(Head):
    """Nearest class mean after a transform (SimpleShot, Wang et al. 2019).

    Parameters
    ----------
    feature_transform : str, one of `none`, `l2n`, `cl2n`; default none
        What is done to features first.
    """

    _learner: ClassVar[str] = "nearest-centroid"
    _names: ClassVar[dict[str, str]] = {"feature_transform": "transform"}
    _probabilities: ClassVar[bool] = True

    def __init__(
        self,
        *,
        feature_transform: str = "none",
    ) -> None:
        self.feature_transform = feature_transform


class Prototypical(Head):
    """Softmax of minus the squared distance to the class means (Snell et al. 2017).

    Parameters
    ----------
    distance : str, one of `euclidean`, `cosine`; default euclidean
        Distance to the class means.
    scale : float, a number from 0.001 to 10000; default 10
        Factor on the cosines of distance=cosine.
    """

    _learner: ClassVar[str] = "prototypical"
    _names: ClassVar[dict[str, str]] = {"distance": "distance", "scale": "scale"}
    _probabilities: ClassVar[bool] = True

    def __init__(
        self,
        *,
        distance: str = "euclidean",
        scale: float = 10.0,
    ) -> None:
        self.distance = distance
        self.scale = scale


class Ridge(Head):
    """Ridge regression on targets of plus and minus one (Bertinetto et al. 2019).

    Parameters
    ----------
    alpha : float, a number from 0.000001 to 1000000; default 1
        L2 penalty.
    feature_transform : str, one of `none`, `l2n`, `cl2n`; default l2n
        What is done to features first.
    """

    _learner: ClassVar[str] = "ridge"
    _names: ClassVar[dict[str, str]] = {"alpha": "alpha", "feature_transform": "transform"}
    _probabilities: ClassVar[bool] = False

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        feature_transform: str = "l2n",
    ) -> None:
        self.alpha = alpha
        self.feature_transform = feature_transform


class SVM(Head):
    """Linear support vector machine, squared hinge, one-vs-rest (Cortes and Vapnik 1995).

    Parameters
    ----------
    C : float, a number from 0.000001 to 1000000; default 1
        Weight of the loss.
    feature_transform : str, one of `none`, `l2n`, `cl2n`; default l2n
        What is done to features first.
    """

    _learner: ClassVar[str] = "svm"
    _names: ClassVar[dict[str, str]] = {"C": "c", "feature_transform": "transform"}
    _probabilities: ClassVar[bool] = False

    def __init__(
        self,
        *,
        C: float = 1.0,
        feature_transform: str = "l2n",
    ) -> None:
        self.C = C
        self.feature_transform = feature_transform


class Stacked(Head):
    """A learner on features and the class probabilities of another (Wolpert 1992).

    Parameters
    ----------
    inner : str, a learner, `name` or `(name:key=value,…)`; default k-nn:k=5
        Learner whose probabilities are fed.
    outer : str, a learner, `name` or `(name:key=value,…)`; default mlp
        Learner that is fed.
    feed : str, one of `out-of-fold`, `leave-one-out`, `in-sample`, `disjoint`; default out-of-fold
        What the inner learner has seen of fed items.
    folds : int, a whole number from 2 to 1000; default 5
        Folds of out-of-fold.
    features : str, one of `keep`, `drop`; default keep
        Features beside probabilities.
    """

    _learner: ClassVar[str] = "stacked"
    _names: ClassVar[dict[str, str]] = {"inner": "inner", "outer": "outer", "feed": "feed", "folds": "folds", "features": "features"}
    _probabilities: ClassVar[bool] = True

    def __init__(
        self,
        *,
        inner: str = "k-nn:k=5",
        outer: str = "mlp",
        feed: str = "out-of-fold",
        folds: int = 5,
        features: str = "keep",
    ) -> None:
        self.inner = inner
        self.outer = outer
        self.feed = feed
        self.folds = folds
        self.features = features


class WhitenedRidge(Head):
    """Ridge regression on whitened columns (big_vision's fewshot_lsr).

    Parameters
    ----------
    alpha : float, a number from 0.000001 to 1000000000; default 1024
        L2 penalty.
    feature_transform : str, one of `none`, `l2n`, `cl2n`; default none
        What is done to features first.
    """

    _learner: ClassVar[str] = "whitened-ridge"
    _names: ClassVar[dict[str, str]] = {"alpha": "alpha", "feature_transform": "transform"}
    _probabilities: ClassVar[bool] = False

    def __init__(
        self,
        *,
        alpha: float = 1024.0,
        feature_transform: str = "none",
    ) -> None:
        self.alpha = alpha
        self.feature_transform = feature_transform
