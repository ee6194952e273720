//! Why a learner could not be built or could not answer.

use crate::backbone::BackboneError;
use crate::optimise::OptimiseError;
use crate::tensor::TensorError;
use crate::vocab::spec::SpecError;

/// An error of the learner room.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// No learner of this name is registered.
    #[error("unknown learner `{name}`, expected one of {known}{hint}")]
    UnknownLearner {
        /// The name as given.
        name: String,
        /// The known names, in backticks, joined by commas.
        known: String,
        /// Empty, or a line that names what was meant.
        hint: String,
    },
    /// A specification that cannot be taken apart.
    #[error("learner `{spec}`: {source}\nhint: write `name` or `name:key=value,key=value`")]
    BadSpec {
        /// The specification as given.
        spec: String,
        /// What is wrong with it.
        source: SpecError,
    },
    /// The learner has no such parameter.
    #[error("learner `{learner}` has no parameter `{name}`, expected one of {known}{hint}")]
    UnknownParameter {
        /// The learner.
        learner: String,
        /// The name as given.
        name: String,
        /// The known names, in backticks, joined by commas.
        known: String,
        /// Empty, or a line that names what was meant.
        hint: String,
    },
    /// A value out of its range.
    #[error("parameter `{name}` of `{learner}` must be {rule}, got `{found}`{hint}")]
    BadValue {
        /// The learner.
        learner: String,
        /// The parameter.
        name: String,
        /// Its range.
        rule: String,
        /// The value as given.
        found: String,
        /// Empty, or a line that names what was meant.
        hint: String,
    },
    /// Two parameters that do not go together.
    #[error("learner `{learner}`: {problem}")]
    Conflict {
        /// The learner.
        learner: String,
        /// What does not go together.
        problem: String,
    },
    /// The network that a learner owns cannot be used.
    #[error(transparent)]
    Network(#[from] BackboneError),
    /// A training inside an episode failed.
    #[error(transparent)]
    Training(#[from] OptimiseError),
    /// One episode of a batch failed.
    #[error("{source}")]
    InEpisode {
        /// Its place in the batch.
        place: usize,
        /// Why.
        source: Box<LearnError>,
    },
    /// The episode or the run does not give what the learner needs.
    #[error("the learner needs {what}, and is given none")]
    Missing {
        /// What it needs.
        what: &'static str,
    },
    /// Features and class embeddings that do not fit the learner.
    #[error(
        "{what} needs class embeddings as long as the features, got {class_dim} numbers per class and {dim} per item{hint}"
    )]
    SizesDiffer {
        /// The learner or its parameter.
        what: &'static str,
        /// Numbers per class.
        class_dim: usize,
        /// Numbers per item.
        dim: usize,
        /// Empty, or a line with a remedy.
        hint: String,
    },
    /// Scores that are not numbers.
    #[error("learner `{learner}` gave a score that is not a finite number in episode {episode}")]
    NotFinite {
        /// The learner.
        learner: String,
        /// The episode.
        episode: u32,
    },
    /// A tensor operation failed.
    #[error(transparent)]
    Tensor(#[from] TensorError),
}

impl LearnError {
    /// The same, said of one episode of a batch.
    pub fn in_episode(self, place: usize) -> LearnError {
        LearnError::InEpisode { place, source: Box::new(self) }
    }
}
