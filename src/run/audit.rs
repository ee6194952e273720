//! Whether learners know answers that their features do not hold.
//!
//! In a copy of the episodes the queries of each are dealt to its labels at random, so that nothing in the features tells
//! the answers, and an honest learner is right as often as chance has it. One that comes to know the labels in another way,
//! from the order of queries or from what it remembers, is right more often. Types keep accidents out; what only an audit
//! finds is intent: files, globals, clocks.

use std::collections::BTreeMap;

use super::device::on_device;
use super::error::RunError;
use super::prepared::{Prepared, Work};
use super::watch::Progress;
use crate::eval::{self, Batch, EvalError, Evaluation, Grading, SeenRules};
use crate::learner::Checked;
use crate::metric::EpisodeGrade;

/// Episodes of an audit, where the draw has as many.
const EPISODES: usize = 300;

/// Standard errors by which a mean may differ from chance: once in four million honest audits.
const TOLERANCE: f64 = 5.0;

/// Holds every learner of a run against chance, on copies of its episodes with permuted answers.
pub(super) fn audit(run: &Prepared, work: &Work<'_>) -> Result<(), RunError> {
    let protocol = &run.rules.protocol;
    let draw = run.dealer.draw.first(EPISODES).with_permuted_answers(protocol.seed());
    let learners: Vec<Checked> = run.learners.iter().map(|contender| contender.parameters.clone()).collect();
    let evaluation = Evaluation {
        behind: run.behind(),
        store: &run.store,
        draw: &draw,
        seed: protocol.seed(),
        learners: &learners,
        shots: &run.shots,
        rules: SeenRules::of(protocol),
        workers: work.workers,
        batch: work.batch,
    };
    let name = format!("{} audit", run.title());
    let size = format!("{} episodes with permuted answers", draw.len());
    let progress = Progress::start(work.watch, &name, &size, (draw.len() * run.tables.len()) as u64);
    let mut excesses: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    let take = |batch: Batch| -> Result<(), EvalError> {
        progress.advance(batch.episodes.len() as u64);
        let of = excesses.entry((batch.learner, batch.shot)).or_default();
        of.extend(batch.episodes.iter().filter_map(|answered| excess(&answered.grade)));
        Ok(())
    };
    let grading = Grading::default();
    on_device!(work.device, |open, Kind| eval::evaluate_with::<Kind, EvalError>(
        work.learners.on::<Kind>(),
        &evaluation,
        grading,
        open,
        take
    ))?;
    for ((learner, _), excesses) in excesses {
        if let Some(excess) = beyond_chance(&excesses) {
            return Err(RunError::Audit {
                protocol: protocol.name().to_string(),
                learner: learners[learner].learner().to_string(),
                episodes: excesses.len(),
                excess: format!("{:.2}", 100.0 * excess),
            });
        }
    }
    Ok(())
}

/// By how much the accuracy of an episode exceeds what its answers, whatever they are, have by chance: a label that is
/// given `p` times and is the answer of `a` of `n` queries is right `p·a/n` times on average over all permutations.
fn excess(grade: &EpisodeGrade) -> Option<f64> {
    let mut counts: BTreeMap<u16, (f64, f64)> = BTreeMap::new();
    let (mut queries, mut correct) = (0.0, 0.0);
    for query in &grade.queries {
        let Some(label) = query.label else { continue };
        queries += 1.0;
        correct += f64::from(u8::from(query.is_correct()));
        counts.entry(query.predicted).or_default().0 += 1.0;
        counts.entry(label).or_default().1 += 1.0;
    }
    let expected: f64 = counts.values().map(|(given, truth)| given * truth / queries).sum();
    (queries > 0.0).then(|| (correct - expected) / queries)
}

/// The mean excess, where it is beyond what chance explains.
fn beyond_chance(excesses: &[f64]) -> Option<f64> {
    let count = excesses.len() as f64;
    let mean = excesses.iter().sum::<f64>() / count;
    let variance = excesses.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    // One answer of all episodes more or less is no sign of anything, however little the others vary.
    let error = (variance / count).sqrt().max(1e-3);
    (mean.abs() > TOLERANCE * error).then_some(mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_passed_and_knowledge_is_not() {
        let noise: Vec<f64> = (0..300).map(|n| if n % 2 == 0 { 0.05 } else { -0.05 }).collect();
        assert_eq!(beyond_chance(&noise), None);
        let mean = beyond_chance(&noise.iter().map(|value| value + 0.03).collect::<Vec<_>>()).unwrap();
        assert!((mean - 0.03).abs() < 1e-9);
        assert!(beyond_chance(&[0.8; 300]).is_some(), "a learner that is always right does not vary");
        assert_eq!(beyond_chance(&[0.0; 300]), None);
    }
}
