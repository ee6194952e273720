//! What a network of images can do, whichever it is.

use super::{BackboneError, Weights};
use crate::tensor::conv::ConvOps;
use crate::tensor::dfdx::tensor::Tensor;
use crate::tensor::tape::{Gradients, Tape};
use crate::tensor::{Tensor2, TensorError, to_host};
use crate::vocab::Form;

/// Features that can be traced back: (items, dim).
pub type Traced<D> = Tensor<(usize, usize), f32, D, Tape<D>>;

/// A network on a device that makes features of items.
pub trait Backbone<D: ConvOps> {
    /// Its name, as in `--backbone`.
    fn name(&self) -> &'static str;

    /// What is needed to build it anew, as `key=value` pairs joined by commas.
    fn configuration(&self) -> String;

    /// The items that it reads.
    fn form(&self) -> Form;

    /// Numbers per feature vector.
    fn dim(&self) -> usize;

    /// Items that pass it together: enough to keep its device busy.
    fn batch_size(&self) -> usize;

    /// The features of items, which lie one after the other as the form says: (items, dim). No tape is kept, and
    /// normalisations use their running moments, so an item has the same features alone and in company.
    ///
    /// # Errors
    /// When the items are not whole, or the device fails.
    fn embed(&self, items: &[f32]) -> Result<Tensor2<D>, TensorError>;
}

/// A network that can be trained.
pub trait Trainable<D: ConvOps>: Backbone<D> {
    /// The features of a batch, to be traced back; normalisations use the batch's moments and move the running ones.
    ///
    /// # Errors
    /// When the items are not whole, or the device fails.
    fn forward(&mut self, items: &[f32]) -> Result<Traced<D>, TensorError>;

    /// The gradients of [`Weights::learned`], in that order.
    ///
    /// # Errors
    /// When the device fails.
    fn gradients(&self, gradients: &mut Gradients<D>) -> Result<Vec<Vec<f32>>, TensorError>;

    /// All its numbers.
    ///
    /// # Errors
    /// When the device fails.
    fn weights(&self) -> Result<Weights, TensorError>;

    /// Takes over numbers that [`Trainable::weights`] gave.
    ///
    /// # Errors
    /// When a tensor has another size, or the device fails.
    fn load(&mut self, weights: &Weights) -> Result<(), TensorError>;
}

/// The features of `count` items that `read` copies into a slice, from the item with that number on. `progress` hears how
/// many are done.
///
/// # Errors
/// When an item cannot be read, the items do not have the network's form, or the device fails.
pub fn embed_all<D: ConvOps>(
    network: &dyn Backbone<D>,
    form: Form,
    count: usize,
    mut read: impl FnMut(usize, &mut [f32]) -> std::io::Result<()>,
    mut progress: impl FnMut(usize),
) -> Result<Vec<f32>, BackboneError> {
    if network.form() != form {
        let (backbone, expected) = (network.name().to_string(), network.form());
        return Err(BackboneError::OtherForm { backbone, expected, found: form });
    }
    let size = form.dim().unwrap_or(1);
    let mut features = Vec::with_capacity(count * network.dim());
    let mut items = Vec::new();
    let batch = network.batch_size().max(1);
    for first in (0..count).step_by(batch) {
        let taken = batch.min(count - first);
        items.resize(taken * size, 0.0);
        read(first, &mut items).map_err(|source| TensorError::Read { item: first, source })?;
        features.extend(to_host(&network.embed(&items)?)?);
        progress(first + taken);
    }
    Ok(features)
}
