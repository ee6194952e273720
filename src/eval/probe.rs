//! What one learner costs: an episode answered once more, by it alone, on one core.

use std::time::Instant;

use super::seen;
use super::{EvalError, Evaluation, place};
use crate::episode::{Order, deal, deal_class_embeddings};
use crate::learner::{Given, Registry};
use crate::rng::BatchRng;
use crate::tensor::TensorError;
use crate::tensor::conv::ConvOps;

/// Counts the bytes that are allocated, where the program has an allocator that does.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    /// Forgets the peak so far, and gives the bytes that are allocated now.
    pub reset: fn() -> usize,
    /// The most bytes that were allocated since.
    pub peak: fn() -> usize,
}

/// What an episode took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpisodeCost {
    /// Seconds to adapt to the support; 0 for a learner that does all with the queries.
    pub adapt: f64,
    /// Seconds for the scores of a query.
    pub query: f64,
    /// The most bytes that were allocated beside what there was before; nothing where nobody counts.
    pub peak: Option<usize>,
    /// Weights that were trained in the episode, of learners that know.
    pub trained: Option<usize>,
}

/// What the first episode of the draw costs the only learner of an evaluation, at its largest shot.
///
/// # Errors
/// As the evaluation itself.
pub fn probe<D: ConvOps>(
    registry: &Registry<D>,
    evaluation: &Evaluation<'_>,
    meter: Option<Meter>,
    open: impl Fn() -> Result<D, TensorError> + Sync,
) -> Result<EpisodeCost, EvalError> {
    seen::alone(|| measured(registry, evaluation, meter, &open))
}

fn measured<D: ConvOps>(
    registry: &Registry<D>,
    evaluation: &Evaluation<'_>,
    meter: Option<Meter>,
    open: &(impl Fn() -> Result<D, TensorError> + Sync),
) -> Result<EpisodeCost, EvalError> {
    let device = open()?;
    let placed = place::rows(registry, evaluation, &device)?;
    let fitted = seen::fits(registry, evaluation, &placed.rows, open)?;
    let learner = match &fitted[0] {
        Some(fitted) => fitted.learner(&device)?,
        None => registry.build(&evaluation.learners[0].parameters)?,
    };
    let takes = placed.takes[0];
    let store = device.upload(&placed.rows[&takes])?;
    let shot = evaluation.shots.iter().copied().max().flatten();
    let (draw, places) = (evaluation.draw, 0..1);
    let order = Order::of(evaluation.store, draw, places.clone(), evaluation.seed);
    let (form, network) = evaluation.given(takes, &placed.forms);
    let dealt = deal(&device, &store, form, draw, places.clone(), shot, &order)?;
    let vectors = evaluation.store.class_embeddings().filter(|_| learner.setting().uses_class_embeddings());
    let vectors = vectors.map(|vectors| deal_class_embeddings(&device, vectors, draw, places)).transpose()?;
    let numbers = [draw.episode(0).number()];
    let rng = BatchRng::new(evaluation.seed, &numbers);
    let given = Given {
        support: dealt.support.as_ref(),
        class_embeddings: vectors.as_ref(),
        network,
        query: &dealt.query,
        rng: &rng,
    };
    let failed = |source| {
        let (learner, first) = (evaluation.learners[0].learner().to_string(), numbers[0]);
        EvalError::Learner { learner, first, last: first, source }
    };
    let before = meter.map(|meter| (meter.reset)());
    let begun = Instant::now();
    let (_, adapt) = learner.timed(&given).map_err(failed)?;
    let whole = begun.elapsed().as_secs_f64();
    let peak = meter.zip(before).map(|(meter, before)| (meter.peak)().saturating_sub(before));
    let way = draw.episode(0).way();
    let trained = match network {
        Some(network) => learner.trained(network.saved(), way).map_err(failed)?,
        None => None,
    };
    let adapt = adapt.as_secs_f64();
    Ok(EpisodeCost { adapt, query: (whole - adapt) / dealt.query.count().max(1) as f64, peak, trained })
}
