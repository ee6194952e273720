//! Methods, one file each. A learner sees support, items and its own chance; never data, answers or classes.
//!
//! The setting of a learner is the trait that it implements. Every learner works on a batch of episodes of equal shape,
//! and on each of them as if it were alone.

mod error;
mod family;
mod fine_tune;
mod k_nn;
mod linear;
mod linear_probe;
mod matching;
mod nearest_centroid;
mod parameters;
mod per_episode;
mod prototypical;
mod registry;
mod ridge;
mod search;
mod svm;

use crate::rng::Chance;
use crate::tensor::Backend;
use crate::view::{Items, Scores, Support};
use crate::vocab::{Setting, Transform};

pub use error::LearnError;
pub use family::{Answer, Family};
pub use linear::LinearClassifier;
pub use parameters::{Parameter, Parameters, Range};
pub use per_episode::{PerEpisode, batched};
pub use registry::{Entry, Registry, Roster};
pub use search::{Scale, Search};

/// A learner that adapts to a support set and then scores each query by itself.
pub trait Inductive<D: Backend> {
    /// The transform that it takes of the features.
    fn takes(&self) -> Transform {
        Transform::None
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

/// A learner of any setting.
pub enum Learner<D: Backend> {
    /// See [`Inductive`].
    Inductive(Box<dyn Inductive<D>>),
    /// See [`Transductive`].
    Transductive(Box<dyn Transductive<D>>),
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

    /// What it is given, and when.
    pub fn setting(&self) -> Setting {
        match self {
            Learner::Inductive(_) => Setting::Inductive,
            Learner::Transductive(_) => Setting::Transductive,
        }
    }

    /// The transform that it takes of the features.
    pub fn takes(&self) -> Transform {
        match self {
            Learner::Inductive(learner) => learner.takes(),
            Learner::Transductive(learner) => learner.takes(),
        }
    }

    /// Scores of the queries of a batch, and how many episodes did not converge.
    ///
    /// # Errors
    /// As the learner's own.
    pub fn answer(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        chance: &Chance<'_>,
    ) -> Result<(Scores<D>, usize), LearnError> {
        match self {
            Learner::Inductive(learner) => {
                let classifier = learner.adapt(support, chance)?;
                Ok((classifier.scores(query)?, classifier.unconverged()))
            }
            Learner::Transductive(learner) => Ok((learner.infer(support, query, chance)?, 0)),
        }
    }
}

/// The learners that ship with kshot.
pub struct Shipped;

impl Roster for Shipped {
    fn enrol<D: Backend>(list: &mut Registry<D>) {
        prototypical::enrol(list);
        nearest_centroid::enrol(list);
        k_nn::enrol(list);
        matching::enrol(list);
        linear_probe::enrol(list);
        ridge::enrol(list);
        svm::enrol(list);
        fine_tune::enrol(list);
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
