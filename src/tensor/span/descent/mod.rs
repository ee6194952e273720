//! Gradient descent on the mean cross-entropy of a last layer, in the span of the support.
//!
//! From zero, or from a sum of support items, every step adds support items to the weights: `W = SᵀA` throughout, with
//! L2 and momentum too, so that descending on `A` through `K = S·Sᵀ` is the same as descending on `W`.

mod batch;
mod host;
mod settings;

pub use batch::stock;
pub(super) use host::host;
pub use settings::{Batches, Descent, Head, Init};
