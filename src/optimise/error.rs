//! Why a network could not be trained.

use crate::tensor::TensorError;

/// An error of the room of training.
#[derive(Debug, thiserror::Error)]
pub enum OptimiseError {
    /// A number of the training is not finite any more.
    #[error("{what} is {value} in step {step}, the training diverges\nhint: take a lower rate of learning")]
    Diverged {
        /// Which number.
        what: &'static str,
        /// The step, from 1.
        step: u32,
        /// What it is.
        value: f64,
    },
    /// A tensor operation failed.
    #[error(transparent)]
    Tensor(#[from] TensorError),
}
