//! The choice inside each support set, for protocols without validation classes (Shimabucoro, Hospedales and Gouk 2023,
//! "Evaluating the Evaluators: Are Current Few-Shot Learning Benchmarks Fit for Purpose?", arXiv:2307.02732).
//!
//! The support of an episode is cut into folds, each with items of every class that has at least two; every trial is
//! fitted to the other folds and answers the one that was left out; the trial with most right answers over all folds is
//! chosen for this episode alone, the earlier of equal ones, and answers the queries from the whole support. Nothing but the
//! support of the episode itself is looked at, so the choice differs from episode to episode. An episode without a class of
//! two support items cannot be cross-validated and keeps the default.
//!
//! Differs from the paper: it finds that few folds estimate an accuracy best and that many are better for a selection;
//! there are at most [`FOLDS`] here, which at five shots already is one item of each class at a time.

use super::score::Task;
use crate::episode::folds;
use crate::eval::{self, EvalError, Evaluation};
use crate::learner::{Checked, Registry};
use crate::tensor::TensorError;
use crate::tensor::conv::ConvOps;

/// The most folds of a support set.
pub const FOLDS: usize = 5;

/// Episodes whose folds are in memory at once.
const CHUNK: usize = 500;

/// For each episode at one shot the trial that is chosen; nothing where it cannot be cross-validated.
///
/// # Errors
/// A trial that fails.
pub fn choices<D: ConvOps>(
    registry: &Registry<D>,
    task: &Task<'_>,
    trials: &[Checked],
    shot: Option<usize>,
    open: impl Fn() -> Result<D, TensorError> + Sync,
) -> Result<Vec<Option<usize>>, EvalError> {
    let mut chosen = vec![None; task.draw.len()];
    if shot.is_some_and(|shot| shot < 2) {
        return Ok(chosen);
    }
    for start in (0..task.draw.len()).step_by(CHUNK) {
        let places = start..(start + CHUNK).min(task.draw.len());
        let folded = folds(task.draw, places.clone(), shot, FOLDS);
        let mut right = vec![vec![0u32; trials.len()]; places.len()];
        let work = Evaluation { draw: &folded.draw, shots: &[None], ..task.evaluation(trials) };
        eval::evaluate::<D, EvalError>(registry, &work, &open, |batch| {
            for answered in &batch.episodes {
                let correct: u32 = answered.grade.classes.iter().map(|class| class.correct).sum();
                right[folded.of[answered.place] - start][batch.learner] += correct;
            }
            Ok(())
        })?;
        for place in &folded.of {
            chosen[*place] = Some(most(&right[*place - start]));
        }
    }
    Ok(chosen)
}

/// The place of the largest number, the first of equal ones.
fn most(counts: &[u32]) -> usize {
    (0..counts.len()).fold(0, |best, place| if counts[place] > counts[best] { place } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_counts_the_earlier_trial_wins() {
        assert_eq!([most(&[3, 5, 5]), most(&[5, 5, 3]), most(&[0, 0])], [1, 0, 0]);
    }
}
