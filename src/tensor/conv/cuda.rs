//! The operations on an NVIDIA GPU, composed from stock dfdx operations.

use dfdx::tensor::Tape;

use super::{Block, ConvOps, Convolution, Moments, Norm, Running, Tensor4, Window, stock};
use crate::tensor::{Cuda, Tensor1, TensorError};

impl ConvOps for Cuda {
    fn conv2d<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        filters: &Tensor4<Self>,
        bias: Option<&Tensor1<Self>>,
        convolution: &Convolution,
    ) -> Result<Tensor4<Self, T>, TensorError> {
        stock::conv2d(images, filters, bias, convolution)
    }

    fn max_pool<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        window: Window,
    ) -> Result<Tensor4<Self, T>, TensorError> {
        stock::max_pool(images, window)
    }

    fn average_pool<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        window: Window,
    ) -> Result<Tensor4<Self, T>, TensorError> {
        stock::average_pool(images, window)
    }

    fn relu<T: Tape<f32, Self>>(images: Tensor4<Self, T>) -> Result<Tensor4<Self, T>, TensorError> {
        stock::relu(images)
    }

    fn batch_norm<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        norm: &Norm<'_, Self>,
    ) -> Result<(Tensor4<Self, T>, Moments), TensorError> {
        stock::batch_norm(images, norm)
    }

    fn fixed_norm<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        norm: &Norm<'_, Self>,
        running: &Running,
    ) -> Result<Tensor4<Self, T>, TensorError> {
        stock::fixed_norm(images, norm, running)
    }

    fn block<T: Tape<f32, Self>>(
        images: Tensor4<Self, T>,
        block: &Block<'_, Self>,
    ) -> Result<(Tensor4<Self, T>, Moments), TensorError> {
        stock::block(images, block)
    }

    fn fixed_block(
        images: Tensor4<Self>,
        block: &Block<'_, Self>,
        running: &Running,
    ) -> Result<Tensor4<Self>, TensorError> {
        stock::fixed_block(images, block, running)
    }
}
