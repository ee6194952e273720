//! Convolution, pooling and batch normalisation on dfdx's tape: operations with two ways each, host loops for the CPU, a
//! composition of stock dfdx operations ([`stock`]) for other devices, which tests compare.
//!
//! Images are (batch, height, width, channels); filters are (out, in per group, height, width), as torch keeps them. An
//! operation takes its tape from the images and leaves it with the result, as dfdx's own do; gradients are asked for by
//! the tensor of the filters, scale or shift that was passed.

mod block;
mod convolve;
mod frame;
mod host;
mod norm;
mod pool;
mod pooled;
mod product;
pub mod stock;
mod window;

use dfdx::tensor::{NoneTape, Tape, Tensor};

use super::error::TensorError;
use super::{Backend, Cpu, Tensor1};

pub use norm::{Moments, Running};
pub use window::{Convolution, Window};

/// Images or filters: four sizes, with or without a tape.
pub type Tensor4<D, T = NoneTape> = Tensor<(usize, usize, usize, usize), f32, D, T>;

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

/// A device with the operations of convolutional networks.
///
/// All fail when sizes do not fit or the device does.
pub trait ConvOps: Backend {
    /// `images` convolved with `filters` (out, in per group, height, width), plus a `bias` (out) where there is one.
    fn conv2d<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        filters: &Tensor4<Self>,
        bias: Option<&Tensor1<Self>>,
        convolution: &Convolution,
    ) -> Result<Tensor4<Self, T>, TensorError>;

    /// The largest number of each window; padding is never the largest. Among equal numbers the gradient goes to the
    /// first on the CPU, and to all of them on other devices.
    fn max_pool<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        window: Window,
    ) -> Result<Tensor4<Self, T>, TensorError>;

    /// The mean of each window; padding counts as zeros, as is usual.
    fn average_pool<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        window: Window,
    ) -> Result<Tensor4<Self, T>, TensorError>;

    /// The mean of each channel over the whole image: (batch, 1, 1, channels).
    fn global_average_pool<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
    ) -> Result<Tensor4<Self, T>, TensorError> {
        use dfdx::shapes::HasShape;
        let (_, height, width, _) = *images.shape();
        Self::average_pool(images, Window::whole((height, width)))
    }

    /// `max(0, x)`.
    fn relu<T: Tape<f32, Self>>(images: Tensor4<Self, T>) -> Result<Tensor4<Self, T>, TensorError>;

    /// Each channel normalised by the batch's own moments, which are returned for the running ones.
    fn batch_norm<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        norm: &Norm<'_, Self>,
    ) -> Result<(Tensor4<Self, T>, Moments), TensorError>;

    /// Each channel normalised by given moments, which get no gradient.
    fn fixed_norm<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        norm: &Norm<'_, Self>,
        running: &Running,
    ) -> Result<Tensor4<Self, T>, TensorError>;

    /// A block with the batch's own moments.
    fn block<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        block: &Block<'_, Self>,
    ) -> Result<(Tensor4<Self, T>, Moments), TensorError>;

    /// A block with given moments, for evaluation: no gradient passes.
    fn fixed_block(
        images: Tensor4<Self>,
        block: &Block<'_, Self>,
        running: &Running,
    ) -> Result<Tensor4<Self>, TensorError>;
}

impl ConvOps for Cpu {
    fn conv2d<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        filters: &Tensor4<Self>,
        bias: Option<&Tensor1<Self>>,
        convolution: &Convolution,
    ) -> Result<Tensor4<Self, T>, TensorError> {
        host::conv2d(images, filters, bias, convolution)
    }

    fn max_pool<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        window: Window,
    ) -> Result<Tensor4<Self, T>, TensorError> {
        host::max_pool(images, window)
    }

    fn average_pool<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        window: Window,
    ) -> Result<Tensor4<Self, T>, TensorError> {
        host::average_pool(images, window)
    }

    fn relu<T: Tape<f32, Self>>(images: Tensor4<Self, T>) -> Result<Tensor4<Self, T>, TensorError> {
        host::relu(images)
    }

    fn batch_norm<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        norm: &Norm<'_, Self>,
    ) -> Result<(Tensor4<Self, T>, Moments), TensorError> {
        host::batch_norm(images, norm)
    }

    fn fixed_norm<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        norm: &Norm<'_, Self>,
        running: &Running,
    ) -> Result<Tensor4<Self, T>, TensorError> {
        host::fixed_norm(images, norm, running)
    }

    fn block<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        block: &Block<'_, Self>,
    ) -> Result<(Tensor4<Self, T>, Moments), TensorError> {
        host::block(images, block)
    }

    fn fixed_block(
        images: Tensor4<Self>,
        block: &Block<'_, Self>,
        running: &Running,
    ) -> Result<Tensor4<Self>, TensorError> {
        host::fixed_block(images, block, running)
    }
}

#[cfg(feature = "cuda")]
mod cuda;
