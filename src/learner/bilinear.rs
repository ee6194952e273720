//! Scores `xᵀ·W·s` of an item `x` and a class embedding `s`, with a map `W` (dim, class_dim) that was fitted before.

use super::{LearnError, ZeroShot};
use crate::tensor::{Backend, Tensor2, ops};
use crate::view::{ClassEmbeddings, Items, Scores};

/// A fitted map on a device.
pub(super) struct Bilinear<D: Backend> {
    /// `Wᵀ`: (class_dim, dim).
    map: Tensor2<D>,
    /// Whether items and class embeddings are divided by their norms first.
    unit: bool,
}

impl<D: Backend> Bilinear<D> {
    /// Puts `Wᵀ` (class_dim, dim) on a device.
    pub(super) fn place(
        device: &D,
        shape: (usize, usize),
        map: &[f32],
        unit: bool,
    ) -> Result<Bilinear<D>, LearnError> {
        Ok(Bilinear { map: device.tensor2(shape, map.to_vec())?, unit })
    }
}

impl<D: Backend> ZeroShot<D> for Bilinear<D> {
    fn scores(&self, items: &Items<D>, candidates: &ClassEmbeddings<D>) -> Result<Scores<D>, LearnError> {
        if !self.unit {
            return Ok(Scores::ranking(items.products(&ops::map_rows(candidates.rows(), &self.map)?)?));
        }
        let directions = ops::map_rows(&ops::normalise(candidates.rows())?, &self.map)?;
        let products = items.products(&directions)?;
        Ok(Scores::ranking(ops::divide_rows(&products, &items.squared_norms()?)?))
    }
}
