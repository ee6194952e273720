//! A learner of any setting, with what it declares; and what an episode gives it.

use super::{
    Adaptive, ClassTransductive, Classifier, Fit, Fitted, Frozen, Inductive, LearnError, Network, Semantic,
    Sizes, Transductive, ZeroShot,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::backbone::Saved;
use crate::rng::BatchRng;
use crate::tensor::Backend;
use crate::view::{ClassEmbeddings, Items, Scores, Seen, Support};
use crate::vocab::{Confidence, Setting, Transform};

/// A learner of any setting, with what it declares beside it; see [`Checked`](super::Checked) for the same of one that is not built yet.
pub struct Learner<D: Backend> {
    kind: Kind<D>,
    declared: Declared,
}

enum Kind<D: Backend> {
    Inductive(Box<dyn Inductive<D>>),
    /// Inductive, on the network and the raw items behind the features.
    Adaptive(Box<dyn Adaptive<D>>),
    Transductive(Box<dyn Transductive<D>>),
    ZeroShot(Box<dyn ZeroShot<D>>),
    Semantic(Box<dyn Semantic<D>>),
    /// Zero-shot or semantic once it is fitted.
    Unfitted(Box<dyn Fit<D>>),
    /// Zero-shot once it is fitted, also on the embeddings of unseen classes.
    ClassTransductive(Box<dyn ClassTransductive<D>>),
}

/// What learners of all settings declare in the same way.
#[derive(Clone, Copy)]
struct Declared {
    takes: Transform,
    confidence: Confidence,
    sizes: Sizes,
    invariances: &'static [Change],
    assumes_balance: bool,
    weighs_columns_alike: bool,
    weak: bool,
    only_by_name: bool,
}

/// A change of all features of an episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A rotation or a reflection.
    Rotation,
    /// A constant added to a column.
    Shift,
    /// A factor on all of them.
    Scale,
}

/// The invariances of a learner that compares distances of features under this transform.
pub(super) fn of_distances(transform: Transform) -> &'static [Change] {
    match transform {
        Transform::None => &[Change::Rotation, Change::Shift, Change::Scale],
        _ => &[Change::Rotation],
    }
}

/// What an episode gives: a learner takes of it what its setting allows.
pub struct Given<'a, D: Backend> {
    /// The labelled items; nothing at shot 0.
    pub support: Option<&'a Support<D>>,
    /// The embeddings of the labels, where the dataset has class embeddings.
    pub class_embeddings: Option<&'a ClassEmbeddings<D>>,
    /// The network behind the features, where support and queries are raw items.
    pub network: Option<Network<'a>>,
    /// The items to be labelled.
    pub query: &'a Items<D>,
    /// The learner's own random numbers.
    pub rng: &'a BatchRng<'a>,
}

impl<D: Backend> Learner<D> {
    fn of(kind: Kind<D>) -> Learner<D> {
        let (takes, confidence, sizes) = (Transform::None, Confidence::Probability, Sizes::Any);
        let invariances: &[Change] = &[Change::Rotation];
        let (assumes_balance, weighs_columns_alike, weak, only_by_name) = (false, false, false, false);
        let declared = Declared {
            takes,
            confidence,
            sizes,
            invariances,
            assumes_balance,
            weighs_columns_alike,
            weak,
            only_by_name,
        };
        Learner { kind, declared }
    }

    /// An inductive learner.
    pub fn inductive(learner: impl Inductive<D> + 'static) -> Learner<D> {
        Learner::of(Kind::Inductive(Box::new(learner)))
    }

    /// A learner that owns the network behind the features.
    pub fn adaptive(learner: impl Adaptive<D> + 'static) -> Learner<D> {
        Learner::of(Kind::Adaptive(Box::new(learner)))
    }

    /// A transductive learner.
    pub fn transductive(learner: impl Transductive<D> + 'static) -> Learner<D> {
        Learner::of(Kind::Transductive(Box::new(learner)))
    }

    /// A zero-shot learner that needs no fit.
    pub fn zero_shot(learner: impl ZeroShot<D> + 'static) -> Learner<D> {
        Learner::of(Kind::ZeroShot(Box::new(learner)))
    }

    /// A semantic learner that needs no fit.
    pub fn semantic(learner: impl Semantic<D> + 'static) -> Learner<D> {
        Learner::of(Kind::Semantic(Box::new(learner)))
    }

    /// A learner that is fitted on seen classes first.
    pub fn unfitted(learner: impl Fit<D> + 'static) -> Learner<D> {
        Learner::of(Kind::Unfitted(Box::new(learner)))
    }

    /// A learner that is fitted on seen classes and on the embeddings of unseen ones first.
    pub fn class_transductive(learner: impl ClassTransductive<D> + 'static) -> Learner<D> {
        Learner::of(Kind::ClassTransductive(Box::new(learner)))
    }

    /// The same, given features under this transform rather than as stored, while it is fitted and after.
    pub fn with_transform(mut self, takes: Transform) -> Learner<D> {
        self.declared.takes = takes;
        self
    }

    /// The same with another confidence score than its largest probability.
    pub fn with_confidence(mut self, confidence: Confidence) -> Learner<D> {
        self.declared.confidence = confidence;
        self
    }

    /// The same, asking something of the lengths of class embeddings and features.
    pub fn with_sizes(mut self, sizes: Sizes) -> Learner<D> {
        self.declared.sizes = sizes;
        self
    }

    /// The same, whose answers these changes of its features leave as they are; by default rotations alone do. The checks
    /// hold it to them.
    pub fn with_invariances(mut self, invariances: &'static [Change]) -> Learner<D> {
        self.declared.invariances = invariances;
        self
    }

    /// The same, which draws its answers to equal numbers of queries per label.
    pub fn assuming_balance(mut self) -> Learner<D> {
        self.declared.assumes_balance = true;
        self
    }

    /// The same, which brings every column to one scale, so that a column of noise counts as much as one in which classes lie far
    /// apart. The checks then ask it for classes that lie apart in every column.
    pub fn weighing_columns_alike(mut self) -> Learner<D> {
        self.declared.weighs_columns_alike = true;
        self
    }

    /// The same at settings that may not tell apart even classes that lie far apart: a random start of few steps, a covariance of few
    /// items, a pull of neighbours that outweighs distances. The checks then do not ask it to.
    pub fn weak(mut self) -> Learner<D> {
        self.declared.weak = true;
        self
    }

    /// The same, which takes so long that a run without named learners leaves it out.
    pub fn only_by_name(mut self) -> Learner<D> {
        self.declared.only_by_name = true;
        self
    }

    /// Whether a run that names no learners leaves it out.
    pub fn is_only_by_name(&self) -> bool {
        self.declared.only_by_name
    }

    /// The lower part of a network that it leaves as it is; nothing for one that owns no network or wants the raw items.
    ///
    /// # Errors
    /// When it cannot adapt this network.
    pub fn frozen(&self, network: &Arc<Saved>) -> Result<Option<Frozen>, LearnError> {
        match &self.kind {
            Kind::Adaptive(learner) => learner.frozen(network),
            _ => Ok(None),
        }
    }

    /// Weights that it trains in an episode of `way` labels; nothing for one that owns no network, or does not know.
    ///
    /// # Errors
    /// When it cannot adapt this network.
    pub fn trained(&self, network: &Arc<Saved>, way: usize) -> Result<Option<usize>, LearnError> {
        match &self.kind {
            Kind::Adaptive(learner) => learner.trained(network, way),
            _ => Ok(None),
        }
    }

    /// Whether its settings may not tell apart even classes that lie far apart.
    pub fn is_weak(&self) -> bool {
        self.declared.weak
    }

    /// Whether it brings every column to one scale.
    pub fn weighs_columns_alike(&self) -> bool {
        self.declared.weighs_columns_alike
    }

    /// Whether it draws its answers to equal numbers of queries per label.
    pub fn assumes_balance(&self) -> bool {
        self.declared.assumes_balance
    }

    /// The changes that leave its answers as they are: those that it declares, and with unit vectors a factor.
    pub fn invariances(&self) -> impl Iterator<Item = Change> + use<D> {
        let of_transform = (self.declared.takes == Transform::L2n).then_some(Change::Scale);
        self.declared.invariances.iter().copied().chain(of_transform)
    }

    /// What it is given, and when.
    pub fn setting(&self) -> Setting {
        match &self.kind {
            Kind::Inductive(_) | Kind::Adaptive(_) => Setting::Inductive,
            Kind::Transductive(_) => Setting::Transductive,
            Kind::ZeroShot(_) => Setting::ZeroShot,
            Kind::Semantic(_) => Setting::Semantic,
            Kind::Unfitted(learner) => learner.setting(),
            Kind::ClassTransductive(_) => Setting::ClassTransductive,
        }
    }

    /// The transform that it takes of the features.
    pub fn takes(&self) -> Transform {
        self.declared.takes
    }

    /// What its confidence in an answer is.
    pub fn confidence(&self) -> Confidence {
        self.declared.confidence
    }

    /// What it asks of the lengths of class embeddings and features.
    pub fn sizes(&self) -> Sizes {
        self.declared.sizes
    }

    /// Whether it is given raw items and the network that makes features of them, in place of features.
    pub fn needs_network(&self) -> bool {
        matches!(self.kind, Kind::Adaptive(_))
    }

    /// Whether it must be fitted on seen classes before it can answer.
    pub fn needs_fit(&self) -> bool {
        matches!(self.kind, Kind::Unfitted(_) | Kind::ClassTransductive(_))
    }

    /// Fits a learner that needs it; nothing for one that does not. Only a class-transductive one asks for the embeddings
    /// (classes × numbers) of the `unseen` classes, in the order of the dataset.
    ///
    /// # Errors
    /// When the seen classes do not fit the learner, or the device fails.
    pub fn fit(
        &self,
        seen: &Seen,
        unseen: impl FnOnce() -> Vec<f32>,
        device: &D,
    ) -> Result<Option<Fitted<D>>, LearnError> {
        let fitted = match &self.kind {
            Kind::Unfitted(plan) => plan.fit(seen, device)?,
            Kind::ClassTransductive(plan) => plan.fit(seen, &unseen(), device)?,
            _ => return Ok(None),
        };
        let Declared { takes, confidence, sizes, invariances, .. } = self.declared;
        Ok(Some(fitted.with_declared(move |learner| {
            learner
                .with_transform(takes)
                .with_confidence(confidence)
                .with_sizes(sizes)
                .with_invariances(invariances)
        })))
    }

    /// The classifier of a support, of an inductive learner on features.
    pub(super) fn adapt(
        &self,
        support: &Support<D>,
        rng: &BatchRng<'_>,
    ) -> Result<Box<dyn Classifier<D>>, LearnError> {
        match &self.kind {
            Kind::Inductive(learner) => learner.adapt(support, rng),
            _ => Err(LearnError::Missing { what: "an inductive learner on features" }),
        }
    }

    /// Scores of the queries of a batch, and how many episodes did not converge.
    ///
    /// # Errors
    /// As the learner's own; also where it needs what is not given, or has not been fitted.
    pub fn answer(&self, given: &Given<'_, D>) -> Result<(Scores<D>, usize), LearnError> {
        Ok(self.timed(given)?.0)
    }

    /// As [`Learner::answer`], and how long it took to adapt before the queries were scored.
    ///
    /// # Errors
    /// As [`Learner::answer`].
    pub fn timed(&self, given: &Given<'_, D>) -> Result<((Scores<D>, usize), Duration), LearnError> {
        let Given { query, rng, .. } = *given;
        let begun = Instant::now();
        let support = || given.support.ok_or(LearnError::Missing { what: "a support set" });
        let vectors = || given.class_embeddings.ok_or(LearnError::Missing { what: "class embeddings" });
        let classified = |classifier: Box<dyn Classifier<D>>| {
            let adapted = begun.elapsed();
            Ok(((classifier.scores(query)?, classifier.unconverged()), adapted))
        };
        let at_once = |scores: Scores<D>| ((scores, 0), Duration::ZERO);
        match &self.kind {
            Kind::Inductive(learner) => classified(learner.adapt(support()?, rng)?),
            Kind::Adaptive(learner) => {
                let network = given.network.ok_or(LearnError::Missing { what: "a network" })?;
                classified(learner.adapt(&network, support()?, rng)?)
            }
            Kind::Transductive(learner) => Ok(at_once(learner.infer(support()?, query, rng)?)),
            Kind::ZeroShot(learner) => Ok(at_once(learner.scores(query, vectors()?)?)),
            Kind::Semantic(learner) => classified(learner.adapt(given.support, vectors()?, rng)?),
            Kind::Unfitted(_) | Kind::ClassTransductive(_) => {
                Err(LearnError::Missing { what: "a fit on seen classes" })
            }
        }
    }
}
