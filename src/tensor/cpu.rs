//! The CPU: host loops where dfdx has no operation, or a slow one.

use dfdx::shapes::{Axis, HasShape};
use dfdx::tensor::Cpu;
use dfdx::tensor_ops::{BroadcastTo, TryMatMul};

use super::backend::{Backend, BatchLimits, LinearHead, Terms, device_error};
use super::error::TensorError;
use super::rows::{HostRows, Rows};
use super::{HostBatch, Labels, Tensor2, Tensor3, kernel, pass, span, to_host};

/// Opens the CPU.
pub fn open_cpu() -> Cpu {
    Cpu::default()
}

impl Backend for Cpu {
    const NAME: &'static str = "cpu";
    type Store = HostRows;

    fn upload(&self, rows: &HostRows) -> Result<HostRows, TensorError> {
        Ok(rows.clone())
    }

    /// A batch stays in a core's own cache while all learners read it.
    fn batch_limits(&self) -> BatchLimits {
        BatchLimits { bytes: 2 << 20, episodes: 256 }
    }

    /// Enough to keep threads busy, few enough to stay near the processor.
    fn batch_size(&self, _: usize) -> usize {
        128
    }

    fn failure(error: Self::Err) -> TensorError {
        TensorError::Device { device: Self::NAME, message: format!("{error:?}") }
    }

    fn shape(store: &HostRows) -> (usize, usize) {
        (store.count(), store.dim())
    }

    fn unit(store: &HostRows) -> f64 {
        store.unit()
    }

    fn gather(&self, store: &HostRows, rows: &Rows) -> Result<Tensor3<Self>, TensorError> {
        let out = pass::gather(store, rows)?;
        self.tensor3((rows.episodes(), rows.slots(), store.dim()), out)
    }

    fn host_batch(&self, store: &HostRows, rows: &Rows) -> Result<HostBatch, TensorError> {
        HostBatch::of_store(store, rows)
    }

    fn shared_product(rows: &Tensor3<Self>, map: &Tensor2<Self>) -> Result<Tensor3<Self>, TensorError> {
        let (episodes, _, inner) = *rows.shape();
        // Repeated by a stride of zero, not copied; an episode is multiplied by itself, so that company changes no bit.
        let map = map.clone().try_broadcast_like::<_, Axis<0>>(&(episodes, inner, map.shape().1));
        let map = map.map_err(device_error::<Self>)?;
        rows.clone().try_matmul(map).map_err(device_error::<Self>)
    }

    fn squared_norms(&self, store: &HostRows, rows: &Rows) -> Result<Tensor2<Self>, TensorError> {
        rows.within(store.count())?;
        let norm = |row: &u32| if *row == Rows::EMPTY { 0.0 } else { store.squared_norm(*row as usize) };
        self.tensor2((rows.episodes(), rows.slots()), rows.all().iter().map(norm).collect())
    }

    fn linear(
        &self,
        store: &HostRows,
        rows: &Rows,
        weights: &Tensor3<Self>,
        terms: &Terms<'_, Self>,
    ) -> Result<Tensor3<Self>, TensorError> {
        let (episodes, count, _) = *weights.shape();
        let bias = match terms.bias {
            None => vec![0.0; episodes * count],
            Some(bias) => to_host(bias)?,
        };
        let shape =
            pass::Shape { factor: terms.factor, norm: terms.norm, unit: false, origins: terms.origins };
        pass::affine(self, store, rows, weights, &bias, shape)
    }

    fn means(&self, store: &HostRows, rows: &Rows, labels: &Labels) -> Result<Tensor3<Self>, TensorError> {
        let out = pass::means(store, rows, labels)?;
        self.tensor3((rows.episodes(), labels.way(), store.dim()), out)
    }

    fn negative_squared_distances(
        &self,
        store: &HostRows,
        rows: &Rows,
        centres: &Tensor3<Self>,
    ) -> Result<Tensor3<Self>, TensorError> {
        pass::negative_squared_distances(self, store, rows, centres)
    }

    fn cosines_less_one(
        &self,
        store: &HostRows,
        rows: &Rows,
        directions: &Tensor3<Self>,
    ) -> Result<Tensor3<Self>, TensorError> {
        pass::cosines_less_one(self, store, rows, directions)
    }

    fn class_means(features: &Tensor3<Self>, labels: &Labels) -> Result<Tensor3<Self>, TensorError> {
        let (episodes, slots, dim) = *features.shape();
        let (way, rows) = (labels.way(), to_host(features)?);
        let mut out = vec![0.0; episodes * way * dim];
        let parts = out.chunks_exact_mut((way * dim).max(1)).zip(rows.chunks_exact((slots * dim).max(1)));
        for (episode, (out, rows)) in parts.enumerate() {
            for (label, row) in labels.of(episode).iter().zip(rows.chunks_exact(dim.max(1))) {
                let out = &mut out[usize::from(*label) * dim..][..dim];
                out.iter_mut().zip(row).for_each(|(mean, x)| *mean += x);
            }
        }
        pass::divide_by_counts(&mut out, labels, dim);
        let row = |episode: usize, slot: usize| &rows[(episode * slots + slot) * dim..][..dim];
        let norm = |episode: usize, slot: usize| kernel::squared_norm(row(episode, slot));
        let read = |episode: usize, slot: usize, x: &mut [f32]| {
            x.copy_from_slice(row(episode, slot));
            Ok(())
        };
        pass::mend_means(&mut out, labels, dim, norm, read)?;
        features.device().tensor3((episodes, way, dim), out)
    }

    fn row_norms(rows: &Tensor3<Self>) -> Result<Tensor2<Self>, TensorError> {
        let (episodes, count, dim) = *rows.shape();
        let values = to_host(rows)?;
        let norms = values.chunks_exact(dim.max(1)).map(kernel::squared_norm).collect();
        rows.device().tensor2((episodes, count), norms)
    }

    fn spd_inverse(&self, matrices: &Tensor3<Self>) -> Result<Tensor3<Self>, TensorError> {
        span::host::spd_inverse(self, matrices)
    }

    fn linears(
        &self,
        store: &HostRows,
        rows: &Rows,
        heads: &[LinearHead<'_, Self>],
    ) -> Result<Vec<Tensor3<Self>>, TensorError> {
        pass::linears(self, store, rows, heads)
    }
}
