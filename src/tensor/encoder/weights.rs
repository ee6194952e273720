//! The weights of an encoder on the host, laid out for the host loops; other devices copy them from here.

use super::panels::{Panels, WIDTH};
use crate::tensor::error::{TensorError, same};

/// The function between the two feed-forward layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x · Φ(x)` (Hendrycks and Gimpel 2016).
    Gelu,
    /// Its approximation by a hyperbolic tangent.
    GeluTanh,
    /// `max(0, x)`.
    Relu,
}

/// A linear layer, `x·Wᵀ + b`.
#[derive(Clone, Debug)]
pub struct Linear {
    pub(super) weight: Panels,
    /// Padded with zeros to whole panels.
    pub(super) bias: Vec<f32>,
}

impl Linear {
    /// A layer from `weight` (out, inner) and `bias` (out).
    ///
    /// # Errors
    /// When there are not `out × inner` weights.
    pub fn new(weight: &[f32], inner: usize, bias: &[f32]) -> Result<Linear, TensorError> {
        same("a linear layer", "weights", bias.len() * inner, weight.len())?;
        let mut padded = bias.to_vec();
        padded.resize(bias.len().next_multiple_of(WIDTH), 0.0);
        Ok(Linear { weight: Panels::of_rows(weight, bias.len(), inner), bias: padded })
    }

    /// Numbers in and numbers out.
    pub fn shape(&self) -> (usize, usize) {
        (self.weight.inner(), self.weight.columns())
    }
}

/// A layer normalisation: to mean zero and variance one, then scaled and shifted per column.
#[derive(Clone, Debug)]
pub struct Norm {
    pub(super) scale: Vec<f32>,
    pub(super) shift: Vec<f32>,
    pub(super) epsilon: f32,
}

impl Norm {
    /// A normalisation of rows of `scale.len()` numbers.
    ///
    /// # Errors
    /// When there are not as many shifts as scales.
    pub fn new(scale: Vec<f32>, shift: Vec<f32>, epsilon: f32) -> Result<Norm, TensorError> {
        same("a layer normalisation", "columns", scale.len(), shift.len())?;
        Ok(Norm { scale, shift, epsilon })
    }
}

/// What a token is before the first block.
#[derive(Clone, Debug)]
pub struct Tables {
    words: Vec<f32>,
    positions: Vec<f32>,
    pub(super) norm: Norm,
}

impl Tables {
    /// Tables from `words` (vocabulary, hidden) and `positions` (longest, hidden), whose sum is normalised.
    ///
    /// # Errors
    /// When a table does not consist of whole rows.
    pub fn new(words: Vec<f32>, positions: Vec<f32>, norm: Norm) -> Result<Tables, TensorError> {
        let hidden = norm.scale.len().max(1);
        same("a table of words", "numbers", words.len() / hidden * hidden, words.len())?;
        same("a table of positions", "numbers", positions.len() / hidden * hidden, positions.len())?;
        Ok(Tables { words, positions, norm })
    }

    fn hidden(&self) -> usize {
        self.norm.scale.len()
    }

    /// Words and positions.
    pub fn sizes(&self) -> (usize, usize) {
        let hidden = self.hidden().max(1);
        (self.words.len() / hidden, self.positions.len() / hidden)
    }

    pub(super) fn word(&self, id: usize) -> &[f32] {
        &self.words[id * self.hidden()..(id + 1) * self.hidden()]
    }

    pub(super) fn position(&self, place: usize) -> &[f32] {
        &self.positions[place * self.hidden()..(place + 1) * self.hidden()]
    }

    pub(super) fn all(&self) -> (&[f32], &[f32]) {
        (&self.words, &self.positions)
    }
}

/// One block with normalisation after each half, as in BERT (Devlin et al. 2019).
#[derive(Clone, Debug)]
pub struct Block {
    /// Queries, keys and values side by side: hidden → 3 · hidden.
    pub attend: Linear,
    /// What attention gathered, mixed: hidden → hidden.
    pub mix: Linear,
    /// After attention.
    pub attend_norm: Norm,
    /// hidden → intermediate.
    pub up: Linear,
    /// intermediate → hidden.
    pub down: Linear,
    /// After the feed-forward half.
    pub feed_norm: Norm,
}

/// The weights of an encoder, checked to fit together.
#[derive(Clone, Debug)]
pub struct EncoderWeights {
    pub(super) tables: Tables,
    pub(super) blocks: Vec<Block>,
    pub(super) heads: usize,
    pub(super) activation: Activation,
}

impl EncoderWeights {
    /// An encoder of these parts.
    ///
    /// # Errors
    /// When the sizes do not fit together, or the heads do not divide the width.
    pub fn new(
        tables: Tables,
        blocks: Vec<Block>,
        heads: usize,
        activation: Activation,
    ) -> Result<EncoderWeights, TensorError> {
        let hidden = tables.hidden();
        let per_head = hidden.checked_div(heads).unwrap_or(0);
        same("attention", "columns of all heads", hidden.max(1), per_head * heads)?;
        for block in &blocks {
            let middle = block.up.shape().1;
            let layers = [
                (&block.attend, (hidden, 3 * hidden)),
                (&block.mix, (hidden, hidden)),
                (&block.up, (hidden, middle)),
                (&block.down, (middle, hidden)),
            ];
            for (layer, (inner, out)) in layers {
                same("a layer of an encoder", "numbers in", inner, layer.shape().0)?;
                same("a layer of an encoder", "numbers out", out, layer.shape().1)?;
            }
            for norm in [&block.attend_norm, &block.feed_norm] {
                same("a layer normalisation", "columns", hidden, norm.scale.len())?;
            }
        }
        Ok(EncoderWeights { tables, blocks, heads, activation })
    }

    /// Numbers per token.
    pub fn hidden(&self) -> usize {
        self.tables.hidden()
    }

    /// How many blocks there are.
    pub fn depth(&self) -> usize {
        self.blocks.len()
    }

    /// Words and positions.
    pub fn table_sizes(&self) -> (usize, usize) {
        self.tables.sizes()
    }

    pub(super) fn block(&self, number: usize) -> Result<&Block, TensorError> {
        self.blocks.get(number).ok_or(TensorError::NoSuchItem { item: number, rows: self.blocks.len() })
    }
}
