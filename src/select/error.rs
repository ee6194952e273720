//! Why a selection could not be made or used.

use std::path::PathBuf;

use crate::eval::EvalError;
use crate::learner::LearnError;

/// An error of the selection room.
#[derive(Debug, thiserror::Error)]
pub enum SelectError {
    /// A piece of a search space that cannot be read.
    #[error("search space of `{learner}`: {problem}\nhint: write a value, `low..high` or `one|another`")]
    Space {
        /// The learner.
        learner: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A file of search spaces that is no such file.
    #[error("{}: {message}", path.display())]
    SpaceFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        message: String,
    },
    /// A selection file that is no such file.
    #[error("{}: {message}", path.display())]
    Selected {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        message: String,
    },
    /// A file that cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No shot of the protocol lets the learner answer.
    #[error("learner `{learner}` answered no episode, a selection needs at least one")]
    NoAnswer {
        /// The learner.
        learner: String,
    },
    /// A learner that is not known, or refuses its parameters.
    #[error(transparent)]
    Learner(#[from] LearnError),
    /// The trials could not be evaluated.
    #[error(transparent)]
    Eval(#[from] EvalError),
}

impl SelectError {
    /// Whether the request is at fault rather than the computation.
    pub fn is_request(&self) -> bool {
        !matches!(self, SelectError::Eval(_) | SelectError::NoAnswer { .. })
    }
}
