//! The labelled items of a batch of episodes.

use std::cell::OnceCell;

use crate::tensor::{Backend, HostBatch, HostRows, Labels, Rows, Tensor2, Tensor3, TensorError, ops};
use crate::vocab::Form;

/// The support sets of a batch of episodes: items with labels 0 … way − 1, and nothing about which classes these are.
///
/// Episodes with fewer items than others are padded: such slots are rows of zeros without a label.
pub struct Support<D: Backend> {
    device: D,
    store: D::Store,
    rows: Rows,
    labels: Labels,
    form: Form,
    features: OnceCell<Tensor3<D>>,
}

impl<D: Backend> Support<D> {
    /// The items at these rows of a store, with their labels.
    ///
    /// # Errors
    /// When rows and labels differ in size, or a filled slot has no label.
    pub fn new(
        device: &D,
        store: &D::Store,
        rows: Rows,
        labels: Labels,
        form: Form,
    ) -> Result<Support<D>, TensorError> {
        let differ =
            |what, expected, found| TensorError::Shape { operation: "a support", what, expected, found };
        if rows.episodes() != labels.episodes() {
            return Err(differ("episodes", labels.episodes(), rows.episodes()));
        }
        for episode in 0..rows.episodes() {
            let filled = rows.of(episode).iter().take_while(|r| **r != Rows::EMPTY).count();
            if filled != labels.of(episode).len() {
                return Err(differ("labelled items", labels.of(episode).len(), filled));
            }
        }
        Ok(Support {
            device: device.clone(),
            store: store.clone(),
            rows,
            labels,
            form,
            features: OnceCell::new(),
        })
    }

    /// Support sets from plain numbers (episodes × support × dim); padded slots must hold zeros.
    ///
    /// # Errors
    /// When a number is NaN or infinite, or sizes do not agree.
    pub fn dense(
        device: &D,
        dim: usize,
        values: Vec<f32>,
        labels: Labels,
    ) -> Result<Support<D>, TensorError> {
        let store = device.upload(&HostRows::dense(values, dim)?)?;
        let slots = labels.slots();
        let mut rows = vec![Rows::EMPTY; labels.episodes() * slots];
        for episode in 0..labels.episodes() {
            for slot in 0..labels.of(episode).len() {
                rows[episode * slots + slot] = (episode * slots + slot) as u32;
            }
        }
        let rows = Rows::new(labels.episodes(), slots, rows)?;
        Support::new(device, &store, rows, labels, Form::Vector)
    }

    /// The device that the items are on.
    pub fn device(&self) -> &D {
        &self.device
    }

    /// Episodes of the batch.
    pub fn episodes(&self) -> usize {
        self.labels.episodes()
    }

    /// Labels per episode.
    pub fn way(&self) -> usize {
        self.labels.way()
    }

    /// Slots per episode, padding included.
    pub fn slots(&self) -> usize {
        self.labels.slots()
    }

    /// Numbers per item.
    pub fn dim(&self) -> usize {
        D::shape(&self.store).1
    }

    /// What a feature is a multiple of: a power of two, 1 but for features whose squares leave single precision.
    pub fn unit(&self) -> f64 {
        D::unit(&self.store)
    }

    /// Where the items stand in the store.
    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// How the numbers of an item are laid out.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Which label each slot has.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The features: (episodes, support, dim); gathered once.
    pub fn features(&self) -> Result<&Tensor3<D>, TensorError> {
        if let Some(features) = self.features.get() {
            return Ok(features);
        }
        let features = self.device.gather(&self.store, &self.rows)?;
        Ok(self.features.get_or_init(|| features))
    }

    /// The features as the host reads them, one episode after another.
    pub fn on_host(&self) -> Result<HostBatch, TensorError> {
        self.device.host_batch(&self.store, &self.rows)
    }

    /// 1 where a slot has the label: (episodes, way, support).
    pub fn membership(&self) -> Result<Tensor3<D>, TensorError> {
        self.labels.membership(&self.device)
    }

    /// 1 where a slot is filled: (episodes, support).
    pub fn present(&self) -> Result<Tensor2<D>, TensorError> {
        self.labels.present(&self.device)
    }

    /// `‖x‖²` of every support item: (episodes, support).
    pub fn squared_norms(&self) -> Result<Tensor2<D>, TensorError> {
        self.device.squared_norms(&self.store, &self.rows)
    }

    /// The mean of each label's items: (episodes, way, dim).
    pub fn means(&self) -> Result<Tensor3<D>, TensorError> {
        match self.features.get() {
            Some(features) => ops::class_means(features, &self.labels),
            None => self.device.means(&self.store, &self.rows, &self.labels),
        }
    }

    /// Inner products of all support items: (episodes, support, support).
    pub fn gram(&self) -> Result<Tensor3<D>, TensorError> {
        ops::gram(self.features()?)
    }
}
