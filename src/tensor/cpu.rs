//! The CPU: host loops where dfdx has no operation, or a slow one.

use dfdx::shapes::{Axis, HasShape};
use dfdx::tensor::Cpu;
use dfdx::tensor_ops::{BroadcastTo, TryMatMul};

use super::backend::{Appetite, Backend, LinearHead, Terms, device_error};
use super::error::TensorError;
use super::rows::{HostRows, Rows};
use super::span::{self, Descent, Objective, Solution};
use super::{Labels, Tensor2, Tensor3, kernel, neighbours, pass, to_host};

/// Opens the CPU.
pub fn open_cpu() -> Cpu {
    Cpu::default()
}

impl Backend for Cpu {
    const NAME: &'static str = "cpu";
    type Store = HostRows;

    fn place(&self, rows: &HostRows) -> Result<HostRows, TensorError> {
        Ok(rows.clone())
    }

    /// A batch stays in a core's own cache while all learners read it.
    fn appetite(&self) -> Appetite {
        Appetite { bytes: 2 << 20, episodes: 256 }
    }

    /// Enough to keep threads busy, few enough to stay near the processor.
    fn together(&self, _: usize) -> usize {
        128
    }

    fn failure(error: Self::Err) -> TensorError {
        TensorError::Device { device: Self::NAME, message: format!("{error:?}") }
    }

    fn extent(store: &HostRows) -> (usize, usize) {
        (store.count(), store.dim())
    }

    fn gather(&self, store: &HostRows, rows: &Rows) -> Result<Tensor3<Self>, TensorError> {
        let out = pass::gather(store, rows)?;
        self.tensor3((rows.episodes(), rows.slots(), store.dim()), out)
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
        pass::affine(self, store, rows, weights, |_| bias, (terms.factor, terms.norm))
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
        let dim = centres.shape().2.max(1);
        let bias = |centres: &[f32]| centres.chunks_exact(dim).map(|c| -kernel::squared_norm(c)).collect();
        pass::affine(self, store, rows, centres, bias, (2.0, -1.0))
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
        features.device().tensor3((episodes, way, dim), out)
    }

    fn row_norms(rows: &Tensor3<Self>) -> Result<Tensor2<Self>, TensorError> {
        let (episodes, count, dim) = *rows.shape();
        let values = to_host(rows)?;
        let norms = values.chunks_exact(dim.max(1)).map(kernel::squared_norm).collect();
        rows.device().tensor2((episodes, count), norms)
    }

    fn best_of_label(&self, values: &Tensor3<Self>, labels: &Labels) -> Result<Tensor3<Self>, TensorError> {
        neighbours::host(self, values, labels, neighbours::best_of_label)
    }

    fn votes(&self, values: &Tensor3<Self>, labels: &Labels, k: usize) -> Result<Tensor3<Self>, TensorError> {
        neighbours::host(self, values, labels, |row, labels, out| neighbours::votes(row, labels, k, out))
    }

    fn attention(&self, values: &Tensor3<Self>, labels: &Labels) -> Result<Tensor3<Self>, TensorError> {
        neighbours::host(self, values, labels, neighbours::attention)
    }

    fn spd_inverse(&self, matrices: &Tensor3<Self>) -> Result<Tensor3<Self>, TensorError> {
        span::host::spd_inverse(self, matrices)
    }

    fn ridge(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        alpha: f64,
    ) -> Result<Solution<Self>, TensorError> {
        span::host::each(self, features, labels, |gram, labels| span::ridge::host(gram, labels, alpha))
    }

    fn hinge(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        c: f64,
    ) -> Result<Solution<Self>, TensorError> {
        span::host::each(self, features, labels, |gram, labels| span::hinge::host(gram, labels, c))
    }

    fn logistic(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        c: f64,
    ) -> Result<Solution<Self>, TensorError> {
        span::host::each(self, features, labels, |gram, labels| span::logistic::host(gram, labels, c))
    }

    fn descent(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        descent: &Descent<'_>,
    ) -> Result<Solution<Self>, TensorError> {
        span::host::each_numbered(self, features, labels, |episode, gram, labels| {
            let mut fits = span::descent::host(episode, gram, labels, descent, &[descent.steps])?;
            Ok(fits.pop().expect("one stop was asked for"))
        })
    }

    fn fits(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        objectives: &[Objective<'_>],
    ) -> Result<Vec<Solution<Self>>, TensorError> {
        span::host::fits(self, features, labels, objectives)
    }

    fn linears(
        &self,
        store: &HostRows,
        rows: &Rows,
        heads: &[LinearHead<'_, Self>],
    ) -> Result<Vec<Tensor3<Self>>, TensorError> {
        pass::linears(self, store, rows, heads)
    }

    fn votes_each(
        &self,
        values: &Tensor3<Self>,
        labels: &Labels,
        ks: &[usize],
    ) -> Result<Vec<Tensor3<Self>>, TensorError> {
        neighbours::host_votes(self, values, labels, ks)
    }
}
