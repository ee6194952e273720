//! What a kind of network is: sizes that can be written down, first values, and the way onto a device.

use std::collections::BTreeMap;

use super::network::Trainable;
use super::{BackboneError, Weights};
use crate::rng::{Purpose, Stream};
use crate::tensor::TensorError;
use crate::tensor::conv::ConvOps;
use crate::tensor::net::{Graph, Value};
use crate::vocab::Form;

/// The random numbers of first values: what [`Architecture::fresh`] is given, whether a training follows or not. A training
/// counts its own streams from 0.
pub fn start_stream(seed: u64) -> Stream {
    Stream::new(seed, Purpose::Training, u32::MAX)
}

/// Sizes of a network by name, as a training config gives them.
pub type Sizes = BTreeMap<String, usize>;

/// A network written down, for images of one size.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// Its operations and weights.
    pub graph: Graph,
    /// What becomes features: one pixel, whose channels they are.
    pub features: Value,
    /// Height and width of the images.
    pub image: (usize, usize),
}

/// The sizes of a network, from which it is built.
pub trait Architecture: Clone + std::fmt::Debug {
    /// The name of its kind, as in `--backbone`.
    fn name(&self) -> &'static str;

    /// The sizes as text, `key=value` pairs in order, joined by commas.
    fn text(&self) -> String;

    /// The form of the items.
    fn form(&self) -> Form;

    /// Numbers per feature vector.
    fn dim(&self) -> usize;

    /// How many numbers [`Architecture::fresh`] lays out, which a file of weights is held against before memory is taken;
    /// nothing where no machine could hold them, and 0 where nobody counts.
    fn count(&self) -> Option<usize> {
        Some(0)
    }

    /// Names, shapes and first values, made of the standard normal numbers that `normal` gives.
    fn fresh(&self, normal: impl FnMut() -> f64) -> Weights;

    /// The network written down as operations over the weights that [`Architecture::fresh`] lays out, in their order; nothing
    /// for a network that nobody wrote down, which can then be evaluated and trained, but neither cut nor adapted.
    fn described(&self) -> Option<Described> {
        None
    }

    /// The network on a device, with numbers that [`Architecture::fresh`] lays out.
    ///
    /// # Errors
    /// When a tensor has another size, or the device has no room.
    fn on<D: ConvOps>(&self, device: &D, weights: &Weights) -> Result<Box<dyn Trainable<D>>, TensorError>;
}

/// An architecture that training configs and weight files know by name.
pub trait Named: Architecture {
    /// The name.
    const NAME: &'static str;
    /// A line on it.
    const ABOUT: &'static str;
    /// The sizes that a training config may give, with what they are where it does not.
    const SIZES: &'static [(&'static str, usize)];

    /// The sizes of a network for items of a form; `size` looks up [`Named::SIZES`].
    ///
    /// # Errors
    /// When the network cannot read such items or cannot have such sizes.
    fn fit(form: Form, size: impl Fn(&str) -> usize) -> Result<Self, BackboneError>;

    /// The sizes that [`Architecture::text`] has written; nothing where the text is another.
    fn parse(text: &str) -> Option<Self>;

    /// As [`Named::fit`], with the sizes that a training config gives.
    ///
    /// # Errors
    /// As [`Named::fit`].
    fn fit_given(form: Form, given: &Sizes) -> Result<Self, BackboneError> {
        let default =
            |key: &str| Self::SIZES.iter().find(|(name, _)| *name == key).map_or(0, |(_, size)| *size);
        Self::fit(form, |key| given.get(key).copied().unwrap_or_else(|| default(key)))
    }
}

/// The numbers of a text of `key=value` pairs with these keys, each of which must be there.
pub(super) fn numbers<const N: usize>(text: &str, keys: [&str; N]) -> Option<[usize; N]> {
    let mut found = [None; N];
    for pair in text.split(',') {
        let (key, value) = pair.split_once('=')?;
        found[keys.iter().position(|k| *k == key)?] = Some(value.parse().ok()?);
    }
    let mut numbers = [0; N];
    for (number, found) in numbers.iter_mut().zip(found) {
        *number = found?;
    }
    Some(numbers)
}
