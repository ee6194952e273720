//! Heads fitted in the span of their support set.
//!
//! The optimum of every L2-regularised linear head, and each step of gradient descent from zero, is `W = SᵀA` for
//! coefficients `A` (support, way): so a fit needs only the inner products `K = S·Sᵀ` (support, support), and the
//! full weights are formed once. Each head has a host loop per episode in double precision and the same iteration
//! composed from stock operations over the whole batch. An episode that has converged is frozen, so that its result
//! never depends on its company.

mod cpu;
pub mod descent;
mod gram;
pub mod hinge;
pub(super) mod host;
mod inverse;
pub mod logistic;
mod momentum;
pub mod neighbours;
mod ops;
mod precise;
pub mod ridge;
mod softmax;
mod solution;

pub use descent::{Batches, Descent, Head, Init};
pub use ops::{Objective, SpanOps};
pub use solution::Solution;

#[cfg(feature = "cuda")]
impl SpanOps for super::Cuda {}
