//! A transformer encoder over batches of token sequences, as three operations with two ways each: host loops for the
//! CPU, a composition of stock dfdx operations for other devices.
//!
//! All sequences of a batch have the same length, so there is no padding and no mask, and all tokens form one matrix
//! (tokens, hidden). On the CPU each operation runs on the calling thread; callers give whole batches to several threads.

mod attention;
mod block;
mod elementwise;
mod panels;
pub mod stock;
mod weights;

use std::sync::Arc;

use super::error::{TensorError, same};
use super::{Backend, Cpu, Tensor2, to_host};

pub use weights::{Activation, Block, EncoderWeights, Linear, Norm, Tables};

/// Token sequences of one length, one after the other.
#[derive(Clone, Debug)]
pub struct TokenBatch {
    ids: Vec<u32>,
    length: usize,
}

impl TokenBatch {
    /// Sequences of `length` tokens each; `ids` holds (sequences × length) places in the word table.
    ///
    /// # Errors
    /// When there is no token, or the tokens do not form whole sequences.
    pub fn new(ids: Vec<u32>, length: usize) -> Result<TokenBatch, TensorError> {
        let sequences = ids.len().checked_div(length).unwrap_or(0);
        same("a batch of tokens", "tokens", sequences.max(1) * length.max(1), ids.len())?;
        Ok(TokenBatch { ids, length })
    }

    /// All tokens.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Tokens per sequence.
    pub fn length(&self) -> usize {
        self.length
    }

    fn within(&self, tables: &Tables) -> Result<(), TensorError> {
        let (words, positions) = tables.extent();
        match self.ids.iter().find(|id| **id as usize >= words) {
            Some(id) => Err(TensorError::NoSuchItem { item: *id as usize, rows: words }),
            None if self.length > positions => {
                Err(TensorError::NoSuchItem { item: self.length - 1, rows: positions })
            }
            None => Ok(()),
        }
    }
}

/// How the rows of a sequence become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// Their mean.
    Mean,
    /// The first.
    First,
}

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
    fn place_encoder(&self, weights: &Arc<EncoderWeights>) -> Result<Self::Encoder, TensorError>;

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
    ) -> Result<Tensor2<Self>, TensorError>;
}

/// Rows of `x`, as whole sequences of the encoder's width.
fn sequences<D: Backend>(x: &Tensor2<D>, hidden: usize, length: usize) -> Result<usize, TensorError> {
    use dfdx::shapes::HasShape;
    let (tokens, columns) = *x.shape();
    same("an encoder", "columns", hidden, columns)?;
    let count = tokens.checked_div(length).unwrap_or(0);
    same("an encoder", "tokens", count.max(1) * length.max(1), tokens)?;
    Ok(count)
}

/// A vector shorter than this is not stretched to norm one.
const LEAST_NORM: f32 = 1e-12;

impl EncoderOps for Cpu {
    type Encoder = Arc<EncoderWeights>;

    fn batch_tokens(&self, _: usize) -> usize {
        512
    }

    fn place_encoder(&self, weights: &Arc<EncoderWeights>) -> Result<Self::Encoder, TensorError> {
        Ok(Arc::clone(weights))
    }

    fn look_up(&self, encoder: &Self::Encoder, tokens: &TokenBatch) -> Result<Tensor2<Self>, TensorError> {
        tokens.within(&encoder.tables)?;
        let hidden = encoder.hidden();
        let mut x = vec![0.0; tokens.ids.len() * hidden];
        for (place, (id, row)) in tokens.ids.iter().zip(x.chunks_exact_mut(hidden)).enumerate() {
            let word = encoder.tables.word(*id as usize);
            let position = encoder.tables.position(place % tokens.length);
            row.iter_mut().zip(word).zip(position).for_each(|((x, w), p)| *x = w + p);
        }
        elementwise::normalise(&mut x, &encoder.tables.norm);
        self.tensor2((tokens.ids.len(), hidden), x)
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
        use dfdx::shapes::HasShape;
        let hidden = x.shape().1;
        let count = sequences(x, hidden, length)?;
        let rows = to_host(x)?;
        let mut out = vec![0.0; count * hidden];
        for (sequence, out) in rows.chunks_exact(length * hidden).zip(out.chunks_exact_mut(hidden)) {
            match pooling {
                Pooling::First => out.copy_from_slice(&sequence[..hidden]),
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

#[cfg(feature = "cuda")]
mod cuda {
    //! The same operations on an NVIDIA GPU, composed from stock dfdx operations.

    use super::{Arc, Backend, EncoderOps, EncoderWeights, Pooling, Tensor2, TensorError, TokenBatch, stock};
    use crate::tensor::Cuda;

    impl EncoderOps for Cuda {
        type Encoder = stock::Placed<Cuda>;

        fn batch_tokens(&self, bytes_each: usize) -> usize {
            32 * self.together(32 * bytes_each)
        }

        fn place_encoder(&self, weights: &Arc<EncoderWeights>) -> Result<Self::Encoder, TensorError> {
            stock::Placed::new(self, weights)
        }

        fn look_up(
            &self,
            encoder: &Self::Encoder,
            tokens: &TokenBatch,
        ) -> Result<Tensor2<Self>, TensorError> {
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
}
