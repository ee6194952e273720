//! What goes into an encoder and how it comes out: token sequences of one length, and a row for each.

use dfdx::shapes::HasShape;

use super::weights::Tables;
use crate::tensor::error::{TensorError, same};
use crate::tensor::{Backend, Tensor2};

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

    pub(super) fn within(&self, tables: &Tables) -> Result<(), TensorError> {
        let (words, positions) = tables.sizes();
        match self.ids.iter().find(|id| **id as usize >= words) {
            Some(id) => Err(TensorError::NoSuchItem { item: *id as usize, rows: words }),
            None if self.length > positions => {
                Err(TensorError::NoSuchItem { item: self.length - 1, rows: positions })
            }
            None => Ok(()),
        }
    }
}

/// Rows of `x`, as whole sequences of the encoder's width.
pub(super) fn sequences<D: Backend>(
    x: &Tensor2<D>,
    hidden: usize,
    length: usize,
) -> Result<usize, TensorError> {
    let (tokens, columns) = *x.shape();
    same("an encoder", "columns", hidden, columns)?;
    let count = tokens.checked_div(length).unwrap_or(0);
    same("an encoder", "tokens", count.max(1) * length.max(1), tokens)?;
    Ok(count)
}

/// A vector shorter than this is not stretched to norm one.
pub(super) const LEAST_NORM: f32 = 1e-12;
