//! Why an evaluation could not be carried out.

use crate::data::DataError;
use crate::learner::LearnError;
use crate::tensor::TensorError;
use crate::vocab::Setting;

/// An error of the evaluation room.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// The protocol does not admit the learner's setting.
    #[error("learner `{learner}` is {setting}, protocol `{protocol}` admits {admits}")]
    NotAdmitted {
        /// The learner.
        learner: String,
        /// What it is given, and when.
        setting: Setting,
        /// The protocol.
        protocol: String,
        /// The settings that it admits.
        admits: String,
    },
    /// No shot of the protocol has support for a learner that needs it.
    #[error("learner `{learner}` needs a support set, protocol `{protocol}` has shot 0 only")]
    NoSupport {
        /// The learner.
        learner: String,
        /// The protocol.
        protocol: String,
    },
    /// A learner failed.
    #[error("learner `{learner}` failed in episodes {first} to {last}: {source}")]
    Learner {
        /// The learner.
        learner: String,
        /// The first episode of the batch.
        first: u32,
        /// The last episode of the batch.
        last: u32,
        /// Why.
        source: LearnError,
    },
    /// A learner panicked.
    #[error("learner `{learner}` panicked in episodes {first} to {last}: {message}")]
    Panicked {
        /// The learner.
        learner: String,
        /// The first episode of the batch.
        first: u32,
        /// The last episode of the batch.
        last: u32,
        /// What it said.
        message: String,
    },
    /// A learner answered with scores of the wrong shape, or with numbers that are not finite.
    #[error("learner `{learner}` gave scores in episodes {first} to {last} that {problem}")]
    BadScores {
        /// The learner.
        learner: String,
        /// The first episode of the batch.
        first: u32,
        /// The last episode of the batch.
        last: u32,
        /// What is wrong with them.
        problem: String,
    },
    /// A learner could not be built.
    #[error(transparent)]
    Build(#[from] LearnError),
    /// The features could not be transformed.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A device failed.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// A worker could not be started.
    #[error("a worker could not be started: {0}")]
    Worker(String),
}
