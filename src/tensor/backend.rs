//! A device with all that the learners need beyond dfdx's own operations.

use dfdx::shapes::{Axis, HasShape, Shape};
use dfdx::tensor::{Cpu, Tensor};
use dfdx::tensor_ops::{BroadcastTo, Device, SumTo, TryMatMul};

use super::conv::Tensor4;
use super::error::{TensorError, same};
use super::rows::{HostRows, Rows};
use super::span::{self, Descent, Objective, Solution};
use super::{Labels, Tensor1, Tensor2, Tensor3, kernel, neighbours, stock, to_host};

/// A device of dfdx that can hold a feature store and evaluate learners on it.
pub trait Backend: Device<f32> + Clone + 'static {
    /// Its name in results.
    const NAME: &'static str;

    /// A feature store where the device reaches it.
    type Store: Clone;

    /// Puts the rows of a store where the device reaches them.
    ///
    /// # Errors
    /// When the device has no room, or a file cannot be read.
    fn place(&self, rows: &HostRows) -> Result<Self::Store, TensorError>;

    /// The same for work that reads the `needed` rows alone: a device without room for all may hold only those.
    ///
    /// # Errors
    /// As [`Backend::place`].
    fn place_needed(
        &self,
        rows: &HostRows,
        needed: &dyn Fn() -> Vec<u32>,
    ) -> Result<Self::Store, TensorError> {
        let _ = needed;
        self.place(rows)
    }

    /// How much work it takes at once.
    fn appetite(&self) -> Appetite;

    /// How many items it likes to take through a network at once, each of which makes this many bytes on its way.
    fn together(&self, bytes_each: usize) -> usize;

    /// Gives back memory that it keeps for later, where little is left; between pieces of work.
    ///
    /// # Errors
    /// When the device fails.
    fn tidy(&self) -> Result<(), TensorError> {
        Ok(())
    }

    /// An error of the device as ours.
    fn failure(error: Self::Err) -> TensorError;

    /// Copies the numbers of a contiguous tensor into `out`, which has as many.
    ///
    /// # Errors
    /// When the device fails.
    fn copy_out<S: Shape>(tensor: &Tensor<S, f32, Self>, out: &mut [f32]) -> Result<(), TensorError> {
        tensor.copy_into(out);
        Ok(())
    }

    /// Items of the store and numbers per item.
    fn extent(store: &Self::Store) -> (usize, usize);

    /// The rows' features: (episodes, slots, dim); an empty slot is a row of zeros.
    fn gather(&self, store: &Self::Store, rows: &Rows) -> Result<Tensor3<Self>, TensorError>;

    /// Each episode's rows times one matrix that all share: (episodes, rows, a) · (a, b) = (episodes, rows, b); sizes agree.
    ///
    /// # Errors
    /// When the device fails.
    fn shared_product(rows: &Tensor3<Self>, map: &Tensor2<Self>) -> Result<Tensor3<Self>, TensorError>;

    /// The squared norms of the rows: (episodes, slots); 0 for an empty slot.
    fn squared_norms(&self, store: &Self::Store, rows: &Rows) -> Result<Tensor2<Self>, TensorError>;

    /// Scores that are linear in the rows: `factor · x·w + bias + norm · ‖x‖²` with `weights` (episodes, count, dim):
    /// (episodes, slots, count), gathered and multiplied in one pass over the store.
    fn linear(
        &self,
        store: &Self::Store,
        rows: &Rows,
        weights: &Tensor3<Self>,
        terms: &Terms<'_, Self>,
    ) -> Result<Tensor3<Self>, TensorError>;

    /// The mean of the rows (episodes, support, dim) of each label: (episodes, way, dim); sizes agree.
    ///
    /// # Errors
    /// When the device fails.
    fn class_means(features: &Tensor3<Self>, labels: &Labels) -> Result<Tensor3<Self>, TensorError> {
        stock::matmul(&labels.averaging(features.device())?, features)
    }

    /// `‖row‖²` of every row: (episodes, rows).
    ///
    /// # Errors
    /// When the device fails.
    fn row_norms(rows: &Tensor3<Self>) -> Result<Tensor2<Self>, TensorError> {
        let squares = rows.clone().try_square().map_err(device_error::<Self>)?;
        squares.try_sum::<_, Axis<2>>().map_err(device_error::<Self>)
    }

    /// The largest of `values` (episodes, items, support) over the support items of each label: (episodes, items, way).
    fn best_of_label(&self, values: &Tensor3<Self>, labels: &Labels) -> Result<Tensor3<Self>, TensorError>;

    /// Votes of the `k` support items with the largest `values` (episodes, items, support), as (episodes, items, way);
    /// a share below one makes the label of the nearer item win a tie.
    fn votes(&self, values: &Tensor3<Self>, labels: &Labels, k: usize) -> Result<Tensor3<Self>, TensorError>;

    /// Softmax of `values` (episodes, items, support) over the support, summed per label: (episodes, items, way).
    fn attention(&self, values: &Tensor3<Self>, labels: &Labels) -> Result<Tensor3<Self>, TensorError>;

    /// Inverses of symmetric positive definite matrices (episodes, n, n).
    fn spd_inverse(&self, matrices: &Tensor3<Self>) -> Result<Tensor3<Self>, TensorError>;

    /// Ridge regression on ±1 targets in the span of `features` (episodes, support, dim); see [`span::ridge`].
    fn ridge(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        alpha: f64,
    ) -> Result<Solution<Self>, TensorError>;

    /// Squared hinge, one against rest, in the span of the support; see [`span::hinge`].
    fn hinge(&self, features: &Tensor3<Self>, labels: &Labels, c: f64)
    -> Result<Solution<Self>, TensorError>;

    /// Multinomial logistic regression in the span of the support; see [`span::logistic`].
    fn logistic(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        c: f64,
    ) -> Result<Solution<Self>, TensorError>;

    /// Gradient descent on the mean cross-entropy in the span of the support; see [`span::descent`].
    fn descent(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        descent: &Descent<'_>,
    ) -> Result<Solution<Self>, TensorError>;

    /// Fits several objectives to the same supports, with the same bits as one by one: what they have in common is
    /// computed once. A descent has as many solutions as stops, all others have one.
    fn fits(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        objectives: &[Objective<'_>],
    ) -> Result<Vec<Solution<Self>>, TensorError> {
        span::one_by_one(self, features, labels, objectives)
    }

    /// [`Backend::linear`] for several heads, with the same bits as one by one.
    fn linears(
        &self,
        store: &Self::Store,
        rows: &Rows,
        heads: &[LinearHead<'_, Self>],
    ) -> Result<Vec<Tensor3<Self>>, TensorError> {
        heads.iter().map(|head| head.scores(self, store, rows)).collect()
    }

    /// [`Backend::votes`] for several `k`, with the same bits as one by one.
    fn votes_each(
        &self,
        values: &Tensor3<Self>,
        labels: &Labels,
        ks: &[usize],
    ) -> Result<Vec<Tensor3<Self>>, TensorError> {
        ks.iter().map(|k| self.votes(values, labels, *k)).collect()
    }

    /// A tensor (n) of these numbers.
    fn tensor1(&self, n: usize, values: Vec<f32>) -> Result<Tensor1<Self>, TensorError> {
        same("a tensor", "numbers", n, values.len())?;
        self.try_tensor_from_vec(values, (n,)).map_err(device_error::<Self>)
    }

    /// A tensor (rows, columns) of these numbers.
    fn tensor2(&self, shape: (usize, usize), values: Vec<f32>) -> Result<Tensor2<Self>, TensorError> {
        same("a tensor", "numbers", shape.0 * shape.1, values.len())?;
        self.try_tensor_from_vec(values, shape).map_err(device_error::<Self>)
    }

    /// A tensor (episodes, rows, columns) of these numbers.
    fn tensor3(&self, shape: (usize, usize, usize), values: Vec<f32>) -> Result<Tensor3<Self>, TensorError> {
        same("a tensor", "numbers", shape.0 * shape.1 * shape.2, values.len())?;
        self.try_tensor_from_vec(values, shape).map_err(device_error::<Self>)
    }

    /// A tensor (batch, height, width, channels), or filters (out, in, height, width), of these numbers.
    fn tensor4(
        &self,
        shape: (usize, usize, usize, usize),
        values: Vec<f32>,
    ) -> Result<Tensor4<Self>, TensorError> {
        same("a tensor", "numbers", shape.0 * shape.1 * shape.2 * shape.3, values.len())?;
        self.try_tensor_from_vec(values, shape).map_err(device_error::<Self>)
    }
}

/// How much work a device takes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appetite {
    /// Bytes of features in a batch of episodes.
    pub bytes: usize,
    /// Episodes in a batch at most.
    pub episodes: usize,
}

/// What is added to inner products by [`Backend::linear`].
pub struct Terms<'a, D: Backend> {
    /// The factor on the inner product.
    pub factor: f32,
    /// A bias per label (episodes, count).
    pub bias: Option<&'a Tensor2<D>>,
    /// The factor on the row's squared norm.
    pub norm: f32,
}

impl<D: Backend> Default for Terms<'_, D> {
    fn default() -> Self {
        Terms { factor: 1.0, bias: None, norm: 0.0 }
    }
}

/// Weights (episodes, count, dim) and a bias (episodes, count), where there is one.
pub struct LinearHead<'a, D: Backend>(pub &'a Tensor3<D>, pub Option<&'a Tensor2<D>>);

impl<D: Backend> LinearHead<'_, D> {
    fn scores(&self, device: &D, store: &D::Store, rows: &Rows) -> Result<Tensor3<D>, TensorError> {
        device.linear(store, rows, self.0, &Terms { bias: self.1, ..Terms::default() })
    }
}

/// A device's own error as ours.
pub(crate) fn device_error<D: Backend>(error: D::Err) -> TensorError {
    D::failure(error)
}

/// Opens the CPU.
pub fn open_cpu() -> Cpu {
    Cpu::default()
}

/// Rows of an episode that share a pass: enough to keep the adders busy, few enough to stay in the fastest cache.
const STRIP: usize = 8;

/// More weights than this are multiplied by the blocked matrix product, which reuses them better.
const WIDE: usize = 32;

/// Weights of an episode that are multiplied in one pass over its rows: what stays in a core's nearer caches.
const TOGETHER: usize = 64;

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
        rows.within(store.count())?;
        let dim = store.dim();
        let mut out = vec![0.0; rows.all().len() * dim];
        for (row, out) in rows.all().iter().zip(out.chunks_exact_mut(dim.max(1))) {
            if *row != Rows::EMPTY {
                store.read(*row as usize, out)?;
            }
        }
        self.tensor3((rows.episodes(), rows.slots(), dim), out)
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
        let (episodes, count, dim) = *weights.shape();
        same("linear scores", "episodes", rows.episodes(), episodes)?;
        same("linear scores", "columns", store.dim(), dim)?;
        rows.within(store.count())?;
        let slots = rows.slots();
        let bias = match terms.bias {
            None => vec![0.0; episodes * count],
            Some(bias) => to_host(bias)?,
        };
        same("linear scores", "biases", episodes * count, bias.len())?;
        let mut out = if count > WIDE {
            let products = stock::matmul(&self.gather(store, rows)?, &stock::transpose(weights)?)?;
            to_host(&products)?
        } else {
            fused_products(store, rows, &to_host(weights)?, count)?
        };
        add_terms(store, rows, &bias, terms, &mut out);
        self.tensor3((episodes, slots, count), out)
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
            for (count, out) in labels.counts(episode).iter().zip(out.chunks_exact_mut(dim.max(1))) {
                let share = 1.0 / (*count).max(1) as f32;
                out.iter_mut().for_each(|mean| *mean *= share);
            }
        }
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
        let Some(shape) = heads.first().map(|head| *head.0.shape()) else { return Ok(Vec::new()) };
        let alike = heads.iter().all(|head| *head.0.shape() == shape);
        let together = (TOGETHER / shape.1.max(1)).max(1);
        if shape.1 > WIDE || !alike || shape.0 != rows.episodes() || store.dim() != shape.2 {
            return heads.iter().map(|head| head.scores(self, store, rows)).collect();
        }
        rows.within(store.count())?;
        let chunks = heads.chunks(together).map(|heads| linears(self, store, rows, heads, shape));
        Ok(chunks.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
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

/// Turns products (episodes, slots, count) into `factor · product + bias + norm · ‖x‖²`.
fn add_terms(store: &HostRows, rows: &Rows, bias: &[f32], terms: &Terms<'_, Cpu>, out: &mut [f32]) {
    let slots = rows.slots();
    let count = bias.len().checked_div(rows.episodes()).unwrap_or(0);
    for (episode, bias) in bias.chunks_exact(count.max(1)).enumerate() {
        let out = &mut out[episode * slots * count..(episode + 1) * slots * count];
        for (row, out) in rows.of(episode).iter().zip(out.chunks_exact_mut(count.max(1))) {
            let norm = if *row == Rows::EMPTY { 0.0 } else { store.squared_norm(*row as usize) };
            let shift = terms.norm * norm;
            out.iter_mut().zip(bias).for_each(|(o, b)| *o = terms.factor * *o + b + shift);
        }
    }
}

/// Scores of several heads of one shape (episodes, count, dim) in one pass over the rows.
fn linears(
    device: &Cpu,
    store: &HostRows,
    rows: &Rows,
    heads: &[LinearHead<'_, Cpu>],
    (episodes, count, dim): (usize, usize, usize),
) -> Result<Vec<Tensor3<Cpu>>, TensorError> {
    let (slots, all) = (rows.slots(), count * heads.len());
    let mut weights = vec![0.0; episodes * all * dim];
    for (place, head) in heads.iter().enumerate() {
        let own = to_host(head.0)?;
        for (episode, own) in own.chunks_exact((count * dim).max(1)).enumerate() {
            let start = (episode * all + place * count) * dim;
            weights[start..start + count * dim].copy_from_slice(own);
        }
    }
    let products = fused_products(store, rows, &weights, all)?;
    let scores = |(place, head): (usize, &LinearHead<'_, Cpu>)| {
        let mut out = Vec::with_capacity(episodes * slots * count);
        let rows_of = products.chunks_exact(all.max(1));
        rows_of.for_each(|row| out.extend_from_slice(&row[place * count..(place + 1) * count]));
        let bias = head.1.map_or_else(|| Ok(vec![0.0; episodes * count]), to_host)?;
        same("linear scores", "biases", episodes * count, bias.len())?;
        add_terms(store, rows, &bias, &Terms::default(), &mut out);
        device.tensor3((episodes, slots, count), out)
    };
    heads.iter().enumerate().map(scores).collect()
}

/// The rows' products with their episode's weights, each row used where it lies.
fn fused_products(
    store: &HostRows,
    rows: &Rows,
    weights: &[f32],
    count: usize,
) -> Result<Vec<f32>, TensorError> {
    let (slots, dim) = (rows.slots(), store.dim());
    let mut out = vec![0.0; rows.all().len() * count];
    let mut scratch = vec![0.0; STRIP * dim];
    for episode in 0..rows.episodes() {
        let weights = &weights[episode * count * dim..(episode + 1) * count * dim];
        let out = &mut out[episode * slots * count..(episode + 1) * slots * count];
        for (strip, out) in rows.of(episode).chunks(STRIP).zip(out.chunks_mut((STRIP * count).max(1))) {
            strip_products(store, strip, weights, &mut scratch, out)?;
        }
    }
    Ok(out)
}

/// Products of at most [`STRIP`] rows with the weights of their episode.
fn strip_products(
    store: &HostRows,
    strip: &[u32],
    weights: &[f32],
    scratch: &mut [f32],
    out: &mut [f32],
) -> Result<(), TensorError> {
    let dim = store.dim();
    let count = weights.len().checked_div(dim).unwrap_or(0);
    let mut slices: [&[f32]; STRIP] = [&[]; STRIP];
    // A shift must be subtracted before the product, or the difference of two large products loses its digits.
    let shifted = store.shift().is_some();
    for ((row, scratch), slice) in strip.iter().zip(scratch.chunks_exact_mut(dim.max(1))).zip(&mut slices) {
        *slice = if *row == Rows::EMPTY {
            scratch.fill(0.0);
            scratch
        } else if shifted {
            store.read(*row as usize, scratch)?;
            scratch
        } else {
            store.raw(*row as usize, scratch)?
        };
    }
    kernel::products(&slices[..strip.len()], weights, dim, out);
    if !shifted {
        for (row, out) in strip.iter().zip(out.chunks_exact_mut(count.max(1))) {
            let scale = if *row == Rows::EMPTY { 1.0 } else { store.scale(*row as usize) };
            out.iter_mut().for_each(|p| *p *= scale);
        }
    }
    Ok(())
}
