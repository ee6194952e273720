//! The operations of an encoder, and its host loops on the CPU.

use std::sync::Arc;

use dfdx::shapes::HasShape;

use super::Pooling;
use super::batch::{LEAST_NORM, TokenBatch, sequences};
use super::weights::EncoderWeights;
use super::{block, elementwise, stock};
use crate::tensor::error::TensorError;
use crate::tensor::{Backend, Cpu, Tensor2, to_host};

/// A device that runs a transformer encoder.
pub trait EncoderOps: Backend {
    /// Tokens of a batch that keep the device busy, where each makes this many bytes on its way.
    fn batch_tokens(&self, bytes_each: usize) -> usize;

    /// An encoder's weights where the device reaches them.
    type Encoder;

    /// Puts an encoder where the device reaches it.
    ///
    /// # Errors
    /// When the device has no room.
    fn upload_encoder(&self, weights: &Arc<EncoderWeights>) -> Result<Self::Encoder, TensorError>;

    /// The normalised sum of each token's word and position: (tokens, hidden).
    ///
    /// # Errors
    /// When a token or a position is not in the tables, or the device fails.
    fn look_up(&self, encoder: &Self::Encoder, tokens: &TokenBatch) -> Result<Tensor2<Self>, TensorError>;

    /// One block, self-attention and feed-forward, over sequences of `length` rows of `x` (tokens, hidden).
    ///
    /// # Errors
    /// When the sizes do not fit, or the device fails.
    fn block(
        &self,
        encoder: &Self::Encoder,
        number: usize,
        x: Tensor2<Self>,
        length: usize,
    ) -> Result<Tensor2<Self>, TensorError>;

    /// One row per sequence of `length` rows of `x` (tokens, hidden), with norm one if `unit`: (sequences, hidden).
    ///
    /// # Errors
    /// When the sizes do not fit, or the device fails.
    fn pool(
        &self,
        x: &Tensor2<Self>,
        length: usize,
        pooling: Pooling,
        unit: bool,
    ) -> Result<Tensor2<Self>, TensorError> {
        stock::pool(x, length, pooling, unit)
    }
}

impl EncoderOps for Cpu {
    type Encoder = Arc<EncoderWeights>;

    fn batch_tokens(&self, _: usize) -> usize {
        512
    }

    fn upload_encoder(&self, weights: &Arc<EncoderWeights>) -> Result<Self::Encoder, TensorError> {
        Ok(Arc::clone(weights))
    }

    fn look_up(&self, encoder: &Self::Encoder, tokens: &TokenBatch) -> Result<Tensor2<Self>, TensorError> {
        tokens.within(&encoder.tables)?;
        let hidden = encoder.hidden();
        let mut x = vec![0.0; tokens.ids().len() * hidden];
        for (place, (id, row)) in tokens.ids().iter().zip(x.chunks_exact_mut(hidden)).enumerate() {
            let word = encoder.tables.word(*id as usize);
            let position = encoder.tables.position(place % tokens.length());
            row.iter_mut().zip(word).zip(position).for_each(|((x, w), p)| *x = w + p);
        }
        elementwise::normalise(&mut x, &encoder.tables.norm);
        self.tensor2((tokens.ids().len(), hidden), x)
    }

    fn block(
        &self,
        encoder: &Self::Encoder,
        number: usize,
        x: Tensor2<Self>,
        length: usize,
    ) -> Result<Tensor2<Self>, TensorError> {
        let hidden = encoder.hidden();
        let count = sequences(&x, hidden, length)?;
        let block = encoder.block(number)?;
        let mut rows = to_host(&x)?;
        block::run(encoder, block, &mut rows, length);
        self.tensor2((count * length, hidden), rows)
    }

    fn pool(
        &self,
        x: &Tensor2<Self>,
        length: usize,
        pooling: Pooling,
        unit: bool,
    ) -> Result<Tensor2<Self>, TensorError> {
        let hidden = x.shape().1;
        let count = sequences(x, hidden, length)?;
        let rows = to_host(x)?;
        let mut out = vec![0.0; count * hidden];
        for (sequence, out) in rows.chunks_exact(length * hidden).zip(out.chunks_exact_mut(hidden)) {
            match pooling {
                Pooling::First => out.copy_from_slice(&sequence[..hidden]),
                Pooling::Last => out.copy_from_slice(&sequence[sequence.len() - hidden..]),
                Pooling::Mean => {
                    for row in sequence.chunks_exact(hidden) {
                        out.iter_mut().zip(row).for_each(|(o, x)| *o += x);
                    }
                    out.iter_mut().for_each(|o| *o /= length as f32);
                }
            }
            if unit {
                let norm = out.iter().map(|o| o * o).sum::<f32>().sqrt().max(LEAST_NORM);
                out.iter_mut().for_each(|o| *o /= norm);
            }
        }
        self.tensor2((count, hidden), out)
    }
}
