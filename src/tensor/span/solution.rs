//! What a fit in the span of a support gives.

use crate::tensor::{Backend, Tensor2, Tensor3};

/// Coefficients of heads in the span of their support sets.
pub struct Solution<D: Backend> {
    /// `A` (episodes, support, way); zero for padding.
    pub coefficients: Tensor3<D>,
    /// The bias (episodes, way), for heads that have one.
    pub bias: Option<Tensor2<D>>,
    /// Episodes whose fit stopped at its step limit.
    pub unconverged: usize,
}
