//! Why a learner could not be built or could not answer.

use crate::tensor::TensorError;

/// An error of the learner room.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// No learner of this name is registered.
    #[error("unknown learner `{name}`, expected one of {known}")]
    UnknownLearner {
        /// The name as given.
        name: String,
        /// The known names, in backticks, joined by commas.
        known: String,
    },
    /// A specification that cannot be taken apart.
    #[error("learner `{spec}`: {problem}\nhint: write `name` or `name:key=value,key=value`")]
    BadSpec {
        /// The specification as given.
        spec: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The learner has no such parameter.
    #[error("learner `{learner}` has no parameter `{name}`, expected one of {known}")]
    UnknownParameter {
        /// The learner.
        learner: String,
        /// The name as given.
        name: String,
        /// The known names, in backticks, joined by commas.
        known: String,
    },
    /// A value out of its range.
    #[error("parameter `{name}` of `{learner}` must be {rule}, got `{found}`")]
    BadValue {
        /// The learner.
        learner: String,
        /// The parameter.
        name: String,
        /// Its range.
        rule: String,
        /// The value as given.
        found: String,
    },
    /// Two parameters that do not go together.
    #[error("learner `{learner}`: {problem}")]
    Conflict {
        /// The learner.
        learner: String,
        /// What does not go together.
        problem: String,
    },
    /// The episode or the run does not give what the learner needs.
    #[error("the learner needs {what}, and is given none")]
    Missing {
        /// What it needs.
        what: &'static str,
    },
    /// Features and class vectors that do not fit the learner.
    #[error(
        "{what} needs class vectors as long as the features, got {side} numbers per class and {dim} per item{hint}"
    )]
    SidesDiffer {
        /// The learner or its parameter.
        what: &'static str,
        /// Numbers per class.
        side: usize,
        /// Numbers per item.
        dim: usize,
        /// Empty, or a line with a remedy.
        hint: &'static str,
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
    /// Fails unless class vectors are as long as the features, which `what` needs; `hint` is empty or a line.
    pub(super) fn unless_equal(
        what: &'static str,
        side: usize,
        dim: usize,
        hint: &'static str,
    ) -> Result<(), LearnError> {
        if side == dim { Ok(()) } else { Err(LearnError::SidesDiffer { what, side, dim, hint }) }
    }
}
