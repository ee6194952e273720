//! Learners that are fitted once, on seen classes, before any episode.

use std::collections::BTreeMap;

use super::{LearnError, Learner, Semantic, ZeroShot};
use crate::tensor::Backend;
use crate::view::Seen;
use crate::vocab::Setting;

/// A learner that is fitted on the seen classes before it meets an episode.
///
/// The fit is made once in a run. It is given the seen classes and nothing else, so that it cannot look at the vectors of
/// unseen classes or at novel features; what it gives back is plain data from which every worker builds a learner on its
/// own device.
pub trait Fit<D: Backend> {
    /// The setting of the learner that comes out: [`Setting::ZeroShot`] or [`Setting::Semantic`].
    fn setting(&self) -> Setting {
        Setting::ZeroShot
    }

    /// Fits; `device` may do the heavy work.
    ///
    /// # Errors
    /// When the seen classes do not fit the learner, or the device fails.
    fn fit(&self, seen: &Seen, device: &D) -> Result<Fitted<D>, LearnError>;
}

/// A learner whose fit uses the vectors of the unseen classes too; a protocol must admit that by name.
pub trait ClassTransductive<D: Backend> {
    /// Fits on the seen classes and on the vectors (classes × class_dim) of the unseen ones, in the order of the dataset.
    ///
    /// # Errors
    /// When the classes do not fit the learner, or the device fails.
    fn fit(&self, seen: &Seen, unseen: &[f32], device: &D) -> Result<Fitted<D>, LearnError>;
}

type Build<D> = dyn Fn(&D) -> Result<Learner<D>, LearnError> + Send + Sync;

/// What a fit gives back: plain data, and how a learner is made of it on a device.
pub struct Fitted<D: Backend> {
    build: Box<Build<D>>,
    chosen: BTreeMap<String, String>,
}

impl<D: Backend> Fitted<D> {
    /// A zero-shot learner, made on each worker's device.
    pub fn zero_shot<L: ZeroShot<D> + 'static>(
        build: impl Fn(&D) -> Result<L, LearnError> + Send + Sync + 'static,
    ) -> Fitted<D> {
        let build = move |device: &D| Ok(Learner::zero_shot(build(device)?));
        Fitted { build: Box::new(build), chosen: BTreeMap::new() }
    }

    /// A semantic learner, made on each worker's device.
    pub fn semantic<L: Semantic<D> + 'static>(
        build: impl Fn(&D) -> Result<L, LearnError> + Send + Sync + 'static,
    ) -> Fitted<D> {
        let build = move |device: &D| Ok(Learner::semantic(build(device)?));
        Fitted { build: Box::new(build), chosen: BTreeMap::new() }
    }

    /// The same, with what its plan declared for every learner that is made of it.
    pub(super) fn with_declared(
        self,
        declare: impl Fn(Learner<D>) -> Learner<D> + Send + Sync + 'static,
    ) -> Fitted<D> {
        let Fitted { build, chosen } = self;
        Fitted { build: Box::new(move |device: &D| Ok(declare(build(device)?))), chosen }
    }

    /// Names a value that the fit has chosen on validation classes; it is kept in the record of the run.
    pub fn with_choice(mut self, name: &str, value: impl ToString) -> Fitted<D> {
        self.chosen.insert(name.to_string(), value.to_string());
        self
    }

    /// The values that the fit has chosen on validation classes, by name.
    pub fn chosen(&self) -> &BTreeMap<String, String> {
        &self.chosen
    }

    /// The learner on a device.
    ///
    /// # Errors
    /// When the device fails.
    pub fn learner(&self, device: &D) -> Result<Learner<D>, LearnError> {
        (self.build)(device)
    }
}
