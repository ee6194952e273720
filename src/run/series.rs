//! Accuracies per episode without result files: what studies over many pools of classes are made of.

use crate::data::Store;
use crate::episode::Sampler;
use crate::eval::{self, EvalError, Evaluation, Grading, SeenRules};
use crate::learner::{Checked, Learners};
use crate::protocol::Protocol;
use crate::run::admission;
use crate::run::device::{Device, on_device};
use crate::run::error::RunError;

use crate::stats::Members;

/// The accuracies of learners on the same episodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// By learner and shot, in the order given; each with one value per episode, or nothing where the learner takes no part
    /// at that shot.
    pub values: Vec<Vec<Vec<f64>>>,
    /// The classes of each episode, by their places in the store.
    pub members: Members,
}

/// Draws the episodes of a protocol from a store and has these learners answer them.
///
/// Nothing is written, and of each episode only the accuracy is kept.
///
/// # Errors
/// A store that is too small for the protocol, or learners that fail.
pub fn series(
    store: &Store,
    protocol: &Protocol,
    learners: (&Learners, &[Checked]),
    workers: usize,
) -> Result<Series, RunError> {
    let failed = |source| RunError::Sample { protocol: protocol.name().to_string(), source };
    let sampler = Sampler::new(protocol, store.index()).map_err(failed)?;
    let draw = sampler.episodes(0..protocol.count()).map_err(failed)?;
    let (registered, learners) = learners;
    let shots = admission::shots(protocol);
    let evaluation = Evaluation {
        store,
        behind: None,
        draw: &draw,
        seed: protocol.seed(),
        learners,
        shots: &shots,
        rules: SeenRules::of(protocol),
        workers,
        batch: None,
    };
    let mut values = vec![vec![Vec::new(); shots.len()]; learners.len()];
    let take = |batch: eval::Batch| -> Result<(), EvalError> {
        let accuracy = |answered: &eval::Answered| {
            let (correct, total) = answered.grade.classes.iter().fold((0, 0), |(correct, total), class| {
                (correct + u64::from(class.correct), total + u64::from(class.total))
            });
            correct as f64 / total.max(1) as f64
        };
        let series: &mut Vec<f64> = &mut values[batch.learner][batch.shot];
        series.extend(batch.episodes.iter().map(accuracy));
        Ok(())
    };
    let device = Device::Cpu;
    on_device!(device, |open, Kind| eval::evaluate_with::<Kind, EvalError>(
        registered.on::<Kind>(),
        &evaluation,
        Grading::default(),
        open,
        take
    ))?;
    let mut members = Members::default();
    for place in 0..draw.len() {
        members.push(draw.episode(place).classes().iter().map(|class| class.0));
    }
    Ok(Series { values, members })
}
