//! The parts of a network that an operation is given: a normalisation, and the block of most small networks.

use super::window::{Convolution, Window};
use crate::tensor::{Backend, Tensor1, Tensor4};

/// A normalisation of channels, as tensors of (channels).
pub struct Norm<'a, D: Backend> {
    /// What the normalised numbers are multiplied by.
    pub scale: &'a Tensor1<D>,
    /// What is then added.
    pub shift: &'a Tensor1<D>,
    /// What is added to the variance, so that a constant channel stays finite.
    pub epsilon: f32,
}

/// Convolution without bias, batch normalisation, ReLU and max pooling, the block of most small networks.
pub struct Block<'a, D: Backend> {
    /// The filters: (out, in per group, height, width).
    pub filters: &'a Tensor4<D>,
    /// How they move.
    pub convolution: Convolution,
    /// The normalisation of what they give.
    pub norm: Norm<'a, D>,
    /// The window of the pooling.
    pub pool: Window,
    /// Whether the gradient goes on to the images; it need not where these are data.
    pub through: bool,
}
