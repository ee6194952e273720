//! The rows of a batch as the host reads them, one episode after another.

use super::rows::{HostRows, Rows};
use super::{Tensor3, TensorError, to_host};
use crate::tensor::Backend;

/// Rows of a batch (episodes × slots × dim), read an episode at a time into a buffer that stays in a core's cache.
pub struct HostBatch {
    slots: usize,
    dim: usize,
    unit: f64,
    from: From,
}

enum From {
    Store(HostRows, Rows),
    Copied(Vec<f32>),
}

impl HostBatch {
    /// Rows that lie in the host's memory or in a file.
    pub(super) fn of_store(store: &HostRows, rows: &Rows) -> Result<HostBatch, TensorError> {
        rows.within(store.count())?;
        let from = From::Store(store.clone(), rows.clone());
        Ok(HostBatch { slots: rows.slots(), dim: store.dim(), unit: store.unit(), from })
    }

    /// Rows that were gathered on a device.
    pub(super) fn copied<D: Backend>(gathered: &Tensor3<D>, unit: f64) -> Result<HostBatch, TensorError> {
        use dfdx::shapes::HasShape;
        let (_, slots, dim) = *gathered.shape();
        Ok(HostBatch { slots, dim, unit, from: From::Copied(to_host(gathered)?) })
    }

    /// Numbers per row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// What a number is a multiple of; see [`HostRows::unit`].
    pub fn unit(&self) -> f64 {
        self.unit
    }

    /// Appends the first `count` rows of an episode, which are filled slots.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(&self, episode: usize, count: usize, out: &mut Vec<f32>) -> Result<(), TensorError> {
        let (dim, start) = (self.dim, out.len());
        match &self.from {
            From::Copied(all) => {
                let first = episode * self.slots * dim;
                out.extend_from_slice(&all[first..first + count * dim]);
            }
            From::Store(store, rows) => {
                out.resize(start + count * dim, 0.0);
                let places = out[start..].chunks_exact_mut(dim.max(1)).zip(rows.of(episode));
                for (out, row) in places {
                    store.read(*row as usize, out)?;
                }
            }
        }
        Ok(())
    }
}
