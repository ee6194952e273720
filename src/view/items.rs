//! Items that are to be labelled.

use super::Support;
use crate::tensor::{Backend, HostBatch, HostRows, LinearHead, Rows, Tensor2, Tensor3, TensorError, Terms};
use crate::vocab::Form;

/// Items of a batch of episodes: (episodes, items), in an order that tells nothing about their classes.
pub struct Items<D: Backend> {
    device: D,
    store: D::Store,
    rows: Rows,
    form: Form,
}

impl<D: Backend> Items<D> {
    /// The items at these rows of a store.
    pub fn new(device: &D, store: &D::Store, rows: Rows, form: Form) -> Items<D> {
        Items { device: device.clone(), store: store.clone(), rows, form }
    }

    /// Items from plain numbers (episodes × items × dim).
    ///
    /// # Errors
    /// When a number is NaN or infinite, or their count is wrong.
    pub fn dense(
        device: &D,
        shape: (usize, usize, usize),
        values: Vec<f32>,
    ) -> Result<Items<D>, TensorError> {
        let (episodes, items, dim) = shape;
        let store = device.upload(&HostRows::dense(values, dim)?)?;
        let rows = Rows::new(episodes, items, (0..(episodes * items) as u32).collect())?;
        Ok(Items::new(device, &store, rows, Form::Vector))
    }

    /// The same with the items of the support behind them, those of each episode with its own; both must be of one store.
    ///
    /// # Errors
    /// Batches of other episodes.
    pub fn with_support(&self, support: &Support<D>) -> Result<Items<D>, TensorError> {
        let (own, theirs) = (&self.rows, support.rows());
        if own.episodes() != theirs.episodes() {
            let (expected, found) = (own.episodes(), theirs.episodes());
            return Err(TensorError::Shape { operation: "items", what: "episodes", expected, found });
        }
        let both = |episode: usize| own.of(episode).iter().chain(theirs.of(episode)).copied();
        let rows = (0..own.episodes()).flat_map(both).collect();
        let rows = Rows::new(own.episodes(), own.slots() + theirs.slots(), rows)?;
        Ok(Items { device: self.device.clone(), store: self.store.clone(), rows, form: self.form })
    }

    /// The device that the items are on.
    pub fn device(&self) -> &D {
        &self.device
    }

    /// Episodes of the batch.
    pub fn episodes(&self) -> usize {
        self.rows.episodes()
    }

    /// Items per episode.
    pub fn count(&self) -> usize {
        self.rows.slots()
    }

    /// Numbers per item.
    pub fn dim(&self) -> usize {
        D::shape(&self.store).1
    }

    /// What a feature is a multiple of: a power of two, 1 but for features whose squares leave single precision.
    pub fn unit(&self) -> f64 {
        D::unit(&self.store)
    }

    /// How the numbers of an item are laid out.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The features: (episodes, items, dim).
    pub fn features(&self) -> Result<Tensor3<D>, TensorError> {
        self.device.gather(&self.store, &self.rows)
    }

    /// The features as the host reads them, one episode after another.
    pub fn on_host(&self) -> Result<HostBatch, TensorError> {
        self.device.host_batch(&self.store, &self.rows)
    }

    /// `‖x‖²` of every item: (episodes, items).
    pub fn squared_norms(&self) -> Result<Tensor2<D>, TensorError> {
        self.device.squared_norms(&self.store, &self.rows)
    }

    /// Inner products with `weights` (episodes, count, dim): (episodes, items, count). The features are read where
    /// they lie, which is much faster than multiplying [`Items::features`].
    pub fn products(&self, weights: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
        self.linear(weights, &Terms::default())
    }

    /// `factor · x·w + bias + norm · ‖x‖²` in one pass: (episodes, items, count).
    pub fn linear(&self, weights: &Tensor3<D>, terms: &Terms<'_, D>) -> Result<Tensor3<D>, TensorError> {
        self.device.linear(&self.store, &self.rows, weights, terms)
    }

    /// `x·w + bias` for several heads, with the same bits as one by one: (episodes, items, count) each.
    pub fn linear_each(&self, heads: &[LinearHead<'_, D>]) -> Result<Vec<Tensor3<D>>, TensorError> {
        self.device.linears(&self.store, &self.rows, heads)
    }

    /// `−‖x − c‖²` for `centres` (episodes, count, dim): (episodes, items, count). Exact to a few digits less than single
    /// precision has, however far from zero the centres lie together.
    pub fn negative_squared_distances(&self, centres: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
        self.device.negative_squared_distances(&self.store, &self.rows, centres)
    }

    /// The cosines with `directions` (episodes, count, dim), which are unit vectors or zero, less one: (episodes, items,
    /// count). As `−½‖x/‖x‖ − d‖²`, which keeps its digits where all cosines are nearly 1.
    pub fn cosines_less_one(&self, directions: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
        self.device.cosines_less_one(&self.store, &self.rows, directions)
    }
}
