"""What all heads of kshot have in common as classifiers of scikit-learn."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from . import _kshot
from .errors import ComputationError, RequestError

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError("the classifiers of kshot need scikit-learn 1.6 or later\nhint: pip install scikit-learn") from error


def _has_probabilities(head: Any) -> bool:
    return bool(head._probabilities)


class Head(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A head on fixed features: fitted on labelled items, asked about others.

    The numbers are 32-bit floats. `cl2n` subtracts the mean of the items that the head is fitted on. The fit itself is made
    with each answer, so that a head can be pickled and used on several threads.
    """

    _learner: ClassVar[str]
    #: Names of parameters of the learner, by those of the class.
    _names: ClassVar[dict[str, str]]
    _probabilities: ClassVar[bool]

    classes_: NDArray[Any]
    n_features_in_: int

    def _kshot_spec(self) -> str:
        """The specification of the learner with these parameters."""
        given, default = self.get_params(deep=False), type(self)().get_params(deep=False)
        # Of what a preset stands for, only what was given beside it is said.
        named = {learner: given[name] for name, learner in self._names.items() if given[name] != default[name]}
        values = [f"{learner}={_text(value)}" for learner, value in named.items()]
        return f"{self._learner}:{','.join(values)}" if values else self._learner

    def fit(self, X: Any, y: Any) -> Any:
        """Takes the support: (items, dim) features, and a class of each."""
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise RequestError(f"{type(self).__name__} needs items of two classes or more, got one class")
        if len(self.classes_) > 2**16 - 1:
            raise RequestError(f"{type(self).__name__} takes 65535 classes at most, got {len(self.classes_)}")
        self._support = self._floats(X)
        self._labels = labels.astype(np.uint16)
        self._made()
        return self

    def _made(self) -> _kshot.Head:
        rows, dim = self._support.reshape(-1).view(np.uint8), int(self._support.shape[1])
        return _kshot.Head(self._kshot_spec(), rows, dim, self._labels.tolist(), int(getattr(self, "seed", 7)))

    def _floats(self, X: NDArray[Any]) -> NDArray[np.float32]:
        with np.errstate(over="ignore"):
            floats = np.ascontiguousarray(X, dtype=np.float32)
        if not np.isfinite(floats).all():
            raise ValueError("X holds numbers that are too large for 32-bit floats: infinity")
        return floats

    def _scores(self, X: Any) -> tuple[NDArray[np.float64], str]:
        check_is_fitted(self)
        X = self._floats(validate_data(self, X, reset=False))
        scores, meaning, converged = self._made().scores(X.reshape(-1).view(np.uint8))
        if not converged:
            import warnings

            warnings.warn(f"{type(self).__name__} did not converge", ConvergenceWarning, stacklevel=3)
        if not np.isfinite(scores).all():
            raise ComputationError(f"{type(self).__name__} gave scores that are not finite numbers")
        return scores.astype(np.float64), meaning

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest class of every item; of equals the first."""
        scores, _ = self._scores(X)
        return np.asarray(self.classes_[np.argmax(scores, axis=1)])

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """The score of every class, or for two classes that of the second less that of the first."""
        scores, _ = self._scores(X)
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """The predicted probability of every class."""
        scores, meaning = self._scores(X)
        if meaning == "probabilities":
            return np.asarray(scores / scores.sum(axis=1, keepdims=True))
        scores -= scores.max(axis=1, keepdims=True)
        shares = np.exp(scores)
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _text(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return str(value)
    if isinstance(value, (float, np.floating)):
        return repr(float(value)).removesuffix(".0")
    return str(value)
