//! The operations of convolutional networks: their compositions from stock operations, which every device has, and the
//! host loops that the CPU has instead.

use dfdx::shapes::HasShape;
use dfdx::tensor::Tape;

use super::layer::{Block, Norm};
use super::norm::{Moments, Running};
use super::window::{Convolution, Window};
use super::{host, stock};
use crate::tensor::net::{Graph, OnDevice, OnHost, Passes, Value};
use crate::tensor::{Cpu, StepOps, Tensor1, Tensor4, TensorError};

/// A device with the operations of convolutional networks.
///
/// All fail when sizes do not fit or the device does.
pub trait ConvOps: StepOps {
    /// `images` convolved with `filters` (out, in per group, height, width), plus a `bias` (out) where there is one.
    fn conv2d<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        filters: &Tensor4<Self>,
        bias: Option<&Tensor1<Self>>,
        convolution: &Convolution,
    ) -> Result<Tensor4<Self, T>, TensorError> {
        stock::conv2d(images, filters, bias, convolution)
    }

    /// The largest number of each window; padding is never the largest. Among equal numbers the gradient goes to the
    /// first on the CPU, and to all of them on other devices.
    fn max_pool<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        window: Window,
    ) -> Result<Tensor4<Self, T>, TensorError> {
        stock::max_pool(images, window)
    }

    /// The mean of each window; padding counts as zeros, as is usual.
    fn average_pool<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        window: Window,
    ) -> Result<Tensor4<Self, T>, TensorError> {
        stock::average_pool(images, window)
    }

    /// The mean of each channel over the whole image: (batch, 1, 1, channels).
    fn global_average_pool<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
    ) -> Result<Tensor4<Self, T>, TensorError> {
        let (_, height, width, _) = *images.shape();
        Self::average_pool(images, Window::whole((height, width)))
    }

    /// `max(0, x)`.
    fn relu<T: Tape<f32, Self>>(images: Tensor4<Self, T>) -> Result<Tensor4<Self, T>, TensorError> {
        stock::relu(images)
    }

    /// Each channel normalised by the batch's own moments, which are returned for the running ones.
    fn batch_norm<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        norm: &Norm<'_, Self>,
    ) -> Result<(Tensor4<Self, T>, Moments), TensorError> {
        stock::batch_norm(images, norm)
    }

    /// Each channel normalised by given moments, which get no gradient.
    fn fixed_norm<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        norm: &Norm<'_, Self>,
        running: &Running,
    ) -> Result<Tensor4<Self, T>, TensorError> {
        stock::fixed_norm(images, norm, running)
    }

    /// A block with the batch's own moments.
    fn block<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        block: &Block<'_, Self>,
    ) -> Result<(Tensor4<Self, T>, Moments), TensorError> {
        stock::block(images, block)
    }

    /// A block with given moments, for evaluation: no gradient passes.
    fn fixed_block(
        images: Tensor4<Self>,
        block: &Block<'_, Self>,
        running: &Running,
    ) -> Result<Tensor4<Self>, TensorError> {
        stock::fixed_block(images, block, running)
    }

    /// A network up to one result, with the numbers of its parameters, for evaluation.
    fn passes(
        &self,
        graph: &Graph,
        values: &[Vec<f32>],
        result: Value,
    ) -> Result<Box<dyn Passes<Self>>, TensorError> {
        Ok(Box::new(OnDevice::new(self, graph, values, result)?))
    }
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

    fn passes(
        &self,
        graph: &Graph,
        values: &[Vec<f32>],
        result: Value,
    ) -> Result<Box<dyn Passes<Self>>, TensorError> {
        Ok(Box::new(OnHost::new(self, graph, values, result)?))
    }
}
