//! Convolution, pooling and batch normalisation on dfdx's tape: operations with two ways each, a composition
//! of stock dfdx operations ([`stock`]), which every device has, and host loops for the CPU; tests compare them.
//!
//! Images are (batch, height, width, channels); filters are (out, in per group, height, width), as torch keeps them. An
//! operation takes its tape from the images and leaves it with the result, as dfdx's own do; gradients are asked for by
//! the tensor of the filters, scale or shift that was passed.

mod block;
mod convolve;
mod frame;
mod host;
mod layer;
mod norm;
mod ops;
mod pool;
mod pooled;
mod product;
pub mod stock;
mod window;

pub use super::Tensor4;
pub use layer::{Block, Norm};
pub use norm::{Moments, Running};
pub use ops::ConvOps;
pub use window::{Convolution, Window};

#[cfg(feature = "cuda")]
impl ConvOps for super::Cuda {}
