//! Methods, one file each. A learner sees support, items and its own chance; never data, answers or classes.
//!
//! The setting of a learner is the trait that it implements. Every learner works on a batch of episodes of equal shape,
//! and on each of them as if it were alone.

mod ale;
mod bilinear;
mod class_sums;
mod class_vector_cosine;
mod compatibility;
mod devise;
mod error;
mod eszsl;
mod family;
mod fine_tune;
mod fit;
mod k_nn;
mod learners;
mod linear;
mod linear_probe;
mod matching;
mod nearest_centroid;
mod parameters;
mod per_episode;
mod prototypical;
mod prototypical_zero_shot;
mod registry;
mod ridge;
mod ridge_map;
mod sae;
mod search;
mod semantic_prototypical;
mod simplest;
mod sje;
mod svm;
mod tip_adapter;

use crate::rng::Chance;
use crate::tensor::{Backend, SpanOps};
use crate::view::{ClassEmbeddings, Items, Scores, Support};
use crate::vocab::{Confidence, Setting, Transform};

pub use error::LearnError;
pub use family::{Answer, Family};
pub use fit::{ClassTransductive, Fit, Fitted};
pub use learners::{Learners, Plugin, Registered};
pub use linear::LinearClassifier;
pub use parameters::{Parameter, Parameters, Range};
pub use per_episode::{PerEpisode, batched};
pub use registry::{Entry, Registry};
pub use search::{Scale, Search};

/// A learner that adapts to a support set and then scores each query by itself.
pub trait Inductive<D: Backend> {
    /// The transform that it takes of the features.
    fn takes(&self) -> Transform {
        Transform::None
    }

    /// What makes it certain of an answer.
    fn confidence(&self) -> Confidence {
        Confidence::Probability
    }

    /// Adapts to the support sets of a batch.
    ///
    /// # Errors
    /// When the device fails or the support cannot be used.
    fn adapt(&self, support: &Support<D>, chance: &Chance<'_>) -> Result<Box<dyn Classifier<D>>, LearnError>;
}

/// A learner that has seen the support sets of a batch.
pub trait Classifier<D: Backend> {
    /// Scores of the items of the same episodes.
    ///
    /// # Errors
    /// When the device fails or the items do not fit the support.
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError>;

    /// Episodes of the batch whose fit stopped before it had converged.
    fn unconverged(&self) -> usize {
        0
    }
}

/// A learner that sees all queries of an episode at once.
pub trait Transductive<D: Backend> {
    /// The transform that it takes of the features.
    fn takes(&self) -> Transform {
        Transform::None
    }

    /// What makes it certain of an answer.
    fn confidence(&self) -> Confidence {
        Confidence::Probability
    }

    /// Scores of the queries of a batch.
    ///
    /// # Errors
    /// When the device fails or the items do not fit the support.
    fn infer(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        chance: &Chance<'_>,
    ) -> Result<Scores<D>, LearnError>;
}

/// A learner that scores classes by their vectors, without any labelled item of theirs.
pub trait ZeroShot<D: Backend> {
    /// The transform that it takes of the features.
    fn takes(&self) -> Transform {
        Transform::None
    }

    /// What makes it certain of an answer.
    fn confidence(&self) -> Confidence {
        Confidence::Probability
    }

    /// Fails where it cannot work with class vectors of `side` numbers and items of `dim`; asked before any episode.
    ///
    /// # Errors
    /// The rule that the sizes break.
    fn suits(&self, side: usize, dim: usize) -> Result<(), LearnError> {
        let _ = (side, dim);
        Ok(())
    }

    /// Scores of items among candidate classes.
    ///
    /// # Errors
    /// When the device fails, or items and vectors do not fit the learner or each other.
    fn scores(&self, items: &Items<D>, candidates: &ClassEmbeddings<D>) -> Result<Scores<D>, LearnError>;
}

/// A learner that adapts to class vectors and, where there is one, a support set.
pub trait Informed<D: Backend> {
    /// The transform that it takes of the features.
    fn takes(&self) -> Transform {
        Transform::None
    }

    /// What makes it certain of an answer.
    fn confidence(&self) -> Confidence {
        Confidence::Probability
    }

    /// Fails where it cannot work with class vectors of `side` numbers and items of `dim`; asked before any episode.
    ///
    /// # Errors
    /// The rule that the sizes break.
    fn suits(&self, side: usize, dim: usize) -> Result<(), LearnError> {
        let _ = (side, dim);
        Ok(())
    }

    /// Adapts to the labels of a batch; at shot 0 there is no support.
    ///
    /// # Errors
    /// When the device fails, or support and vectors do not fit the learner or each other.
    fn adapt(
        &self,
        support: Option<&Support<D>>,
        vectors: &ClassEmbeddings<D>,
        chance: &Chance<'_>,
    ) -> Result<Box<dyn Classifier<D>>, LearnError>;
}

/// A learner of any setting.
pub enum Learner<D: Backend> {
    /// See [`Inductive`].
    Inductive(Box<dyn Inductive<D>>),
    /// See [`Transductive`].
    Transductive(Box<dyn Transductive<D>>),
    /// See [`ZeroShot`].
    ZeroShot(Box<dyn ZeroShot<D>>),
    /// See [`Informed`].
    Informed(Box<dyn Informed<D>>),
    /// Zero-shot or informed once it is fitted; see [`Fit`].
    Unfitted(Box<dyn Fit<D>>),
    /// Zero-shot once it is fitted, also on the vectors of unseen classes; see [`ClassTransductive`].
    ClassTransductive(Box<dyn ClassTransductive<D>>),
}

/// What an episode gives: a learner takes of it what its setting allows.
pub struct Given<'a, D: Backend> {
    /// The labelled items; nothing at shot 0.
    pub support: Option<&'a Support<D>>,
    /// The vectors of the labels, where the dataset has class vectors.
    pub vectors: Option<&'a ClassEmbeddings<D>>,
    /// The items to be labelled.
    pub query: &'a Items<D>,
    /// The learner's chance.
    pub chance: &'a Chance<'a>,
}

impl<D: Backend> Learner<D> {
    /// An inductive learner.
    pub fn inductive(learner: impl Inductive<D> + 'static) -> Learner<D> {
        Learner::Inductive(Box::new(learner))
    }

    /// A transductive learner.
    pub fn transductive(learner: impl Transductive<D> + 'static) -> Learner<D> {
        Learner::Transductive(Box::new(learner))
    }

    /// A zero-shot learner that needs no fit.
    pub fn zero_shot(learner: impl ZeroShot<D> + 'static) -> Learner<D> {
        Learner::ZeroShot(Box::new(learner))
    }

    /// An informed learner that needs no fit.
    pub fn informed(learner: impl Informed<D> + 'static) -> Learner<D> {
        Learner::Informed(Box::new(learner))
    }

    /// A learner that is fitted on seen classes first.
    pub fn unfitted(learner: impl Fit<D> + 'static) -> Learner<D> {
        Learner::Unfitted(Box::new(learner))
    }

    /// A learner that is fitted on seen classes and on the vectors of unseen ones first.
    pub fn class_transductive(learner: impl ClassTransductive<D> + 'static) -> Learner<D> {
        Learner::ClassTransductive(Box::new(learner))
    }

    /// What it is given, and when.
    pub fn setting(&self) -> Setting {
        match self {
            Learner::Inductive(_) => Setting::Inductive,
            Learner::Transductive(_) => Setting::Transductive,
            Learner::ZeroShot(_) => Setting::ZeroShot,
            Learner::Informed(_) => Setting::Informed,
            Learner::Unfitted(learner) => learner.setting(),
            Learner::ClassTransductive(_) => Setting::ClassTransductive,
        }
    }

    /// The transform that it takes of the features.
    pub fn takes(&self) -> Transform {
        match self {
            Learner::Inductive(learner) => learner.takes(),
            Learner::Transductive(learner) => learner.takes(),
            Learner::ZeroShot(learner) => learner.takes(),
            Learner::Informed(learner) => learner.takes(),
            Learner::Unfitted(learner) => learner.takes(),
            Learner::ClassTransductive(learner) => learner.takes(),
        }
    }

    /// What makes it certain of an answer.
    pub fn confidence(&self) -> Confidence {
        match self {
            Learner::Inductive(learner) => learner.confidence(),
            Learner::Transductive(learner) => learner.confidence(),
            Learner::ZeroShot(learner) => learner.confidence(),
            Learner::Informed(learner) => learner.confidence(),
            // Not before it is fitted does it answer anything.
            Learner::Unfitted(_) | Learner::ClassTransductive(_) => Confidence::Probability,
        }
    }

    /// Fails where it is given class vectors and cannot work with those of `side` numbers beside items of `dim`.
    ///
    /// # Errors
    /// The rule that the sizes break.
    pub fn suits(&self, side: usize, dim: usize) -> Result<(), LearnError> {
        match self {
            Learner::Inductive(_) | Learner::Transductive(_) => Ok(()),
            Learner::ZeroShot(learner) => learner.suits(side, dim),
            Learner::Informed(learner) => learner.suits(side, dim),
            Learner::Unfitted(learner) => learner.suits(side, dim),
            Learner::ClassTransductive(learner) => learner.suits(side, dim),
        }
    }

    /// Whether it must be fitted on seen classes before it can answer.
    pub fn is_unfitted(&self) -> bool {
        matches!(self, Learner::Unfitted(_) | Learner::ClassTransductive(_))
    }

    /// Scores of the queries of a batch, and how many episodes did not converge.
    ///
    /// # Errors
    /// As the learner's own; also where it needs what is not given, or has not been fitted.
    pub fn answer(&self, given: &Given<'_, D>) -> Result<(Scores<D>, usize), LearnError> {
        let Given { query, chance, .. } = *given;
        let support = || given.support.ok_or(LearnError::Missing { what: "a support set" });
        let vectors = || given.vectors.ok_or(LearnError::Missing { what: "class vectors" });
        let classified =
            |classifier: Box<dyn Classifier<D>>| Ok((classifier.scores(query)?, classifier.unconverged()));
        match self {
            Learner::Inductive(learner) => classified(learner.adapt(support()?, chance)?),
            Learner::Transductive(learner) => Ok((learner.infer(support()?, query, chance)?, 0)),
            Learner::ZeroShot(learner) => Ok((learner.scores(query, vectors()?)?, 0)),
            Learner::Informed(learner) => classified(learner.adapt(given.support, vectors()?, chance)?),
            Learner::Unfitted(_) | Learner::ClassTransductive(_) => {
                Err(LearnError::Missing { what: "a fit on seen classes" })
            }
        }
    }
}

/// The learners that ship with kshot.
pub struct Shipped;

impl Plugin for Shipped {
    fn register<D: SpanOps>(&self, list: &mut Registry<D>) {
        prototypical::register(list);
        nearest_centroid::register(list);
        k_nn::register(list);
        matching::register(list);
        linear_probe::register(list);
        ridge::register(list);
        svm::register(list);
        fine_tune::register(list);
        class_vector_cosine::register(list);
        eszsl::register(list);
        sae::register(list);
        devise::register(list);
        ale::register(list);
        sje::register(list);
        ridge_map::register(list);
        prototypical_zero_shot::register(list);
        semantic_prototypical::register(list);
        tip_adapter::register(list);
    }
}

/// The parameter `transform` with this default.
fn transform_parameter(default: Transform) -> Parameter {
    const WORDS: &[&str] = &["none", "l2n", "cl2n"];
    Parameter::choice("transform", WORDS, "what is done to features first")
        .default(default.word())
        .grid(WORDS)
}

/// The value of the parameter `transform`.
fn transform_of(parameters: &Parameters) -> Transform {
    parameters.word("transform").parse().unwrap_or(Transform::None)
}
