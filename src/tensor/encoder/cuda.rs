//! The encoder on an NVIDIA GPU, composed from stock dfdx operations.

use std::sync::Arc;

use super::{EncoderOps, EncoderWeights, TokenBatch, stock};
use crate::tensor::{Backend, Cuda, Tensor2, TensorError};

impl EncoderOps for Cuda {
    type Encoder = stock::DeviceEncoder<Cuda>;

    fn batch_tokens(&self, bytes_each: usize) -> usize {
        32 * self.batch_size(32 * bytes_each)
    }

    fn upload_encoder(&self, weights: &Arc<EncoderWeights>) -> Result<Self::Encoder, TensorError> {
        stock::DeviceEncoder::new(self, weights)
    }

    fn look_up(&self, encoder: &Self::Encoder, tokens: &TokenBatch) -> Result<Tensor2<Self>, TensorError> {
        encoder.look_up(tokens)
    }

    fn block(
        &self,
        encoder: &Self::Encoder,
        number: usize,
        x: Tensor2<Self>,
        length: usize,
    ) -> Result<Tensor2<Self>, TensorError> {
        encoder.block(number, x, length)
    }
}
