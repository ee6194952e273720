//! How well each trial does on the episodes of a selection.

use super::SelectError;
use crate::data::Store;
use crate::episode::Draw;
use crate::eval::{self, Behind, EvalError, Evaluation, Grading, SeenRules};
use crate::learner::{Checked, Registry};
use crate::metric::{Margins, best_temperature};
use crate::stats::{self, Interval};
use crate::tensor::TensorError;
use crate::tensor::conv::ConvOps;

/// Episodes from which a temperature is chosen; one number needs no more.
const CALIBRATED: usize = 2_000;

/// Episodes and how they are worked through.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// The features.
    pub store: &'a Store,
    /// The network that made them and the raw items, for learners that own a network.
    pub behind: Option<Behind<'a>>,
    /// The episodes.
    pub draw: &'a Draw,
    /// The seed of query orders and of the learners' random numbers.
    pub seed: u64,
    /// Shots, as in an [`Evaluation`].
    pub shots: &'a [Option<usize>],
    /// Which classes a fit may see.
    pub rules: SeenRules<'a>,
    /// Level of intervals, between 0 and 1.
    pub level: f64,
    /// Workers; scores do not depend on their number.
    pub workers: usize,
    /// Episodes in a batch; scores do not depend on it.
    pub batch: Option<usize>,
}

impl<'a> Task<'a> {
    pub(super) fn evaluation(&self, learners: &'a [Checked]) -> Evaluation<'a> {
        Evaluation {
            behind: self.behind,
            store: self.store,
            draw: self.draw,
            seed: self.seed,
            learners,
            shots: self.shots,
            rules: self.rules,
            workers: self.workers,
            batch: self.batch,
        }
    }
}

/// One trial on all episodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// Mean over episodes of the accuracy, which is itself the mean over the shots.
    pub score: f64,
    /// Its interval for these classes and items; nothing for a single episode.
    pub interval: Option<Interval>,
    /// Seconds of one worker; work that trials share is shared out evenly.
    pub seconds: f64,
    /// Fits, over episodes and shots, that did not converge.
    pub unconverged: usize,
}

/// Scores every trial on the same episodes; `advance` hears of episodes that one trial has answered.
///
/// # Errors
/// A trial that fails, or answers no episode.
pub fn score<D: ConvOps>(
    registry: &Registry<D>,
    task: &Task<'_>,
    trials: &[Checked],
    open: impl Fn() -> Result<D, TensorError> + Sync,
    advance: impl Fn(u64),
) -> Result<Vec<Scored>, SelectError> {
    let episodes = task.draw.len();
    // By trial: sums of accuracies over shots, shots, seconds, and fits that did not converge.
    let mut sums: Vec<(Vec<f64>, Vec<u32>, f64, usize)> =
        trials.iter().map(|_| (vec![0.0; episodes], vec![0; episodes], 0.0, 0)).collect();
    eval::evaluate::<D, EvalError>(registry, &task.evaluation(trials), open, |batch| {
        let (accuracies, shots, seconds, unconverged) = &mut sums[batch.learner];
        for answered in &batch.episodes {
            let classes = &answered.grade.classes;
            let (correct, total) =
                classes.iter().fold((0, 0), |(correct, total), c| (correct + c.correct, total + c.total));
            accuracies[answered.place] += f64::from(correct) / f64::from(total.max(1));
            shots[answered.place] += 1;
        }
        *seconds += batch.seconds;
        *unconverged += batch.unconverged;
        advance(batch.episodes.len() as u64);
        Ok(())
    })?;
    let all = trials.iter().zip(sums);
    all.map(|(trial, (sums, shots, seconds, unconverged))| {
        let answered = sums.iter().zip(&shots).filter(|(_, shots)| **shots > 0);
        let values: Vec<f64> = answered.map(|(sum, shots)| sum / f64::from(*shots)).collect();
        let none = || SelectError::NoAnswer { learner: trial.learner().to_string() };
        let score = stats::mean(&values).ok_or_else(none)?;
        let interval = stats::of_mean(&values).and_then(|estimate| estimate.interval(task.level));
        Ok(Scored { score, interval, seconds, unconverged })
    })
    .collect()
}

/// The place of the highest score, the earliest of equal ones; 0 for none.
pub fn best(scores: &[Scored]) -> usize {
    let higher =
        |best: usize, place: usize| if scores[place].score > scores[best].score { place } else { best };
    (0..scores.len()).fold(0, higher)
}

/// The temperature of each learner at which its mean negative log-likelihood is least on these episodes, at most the
/// first 2,000 of them and over all shots; nothing for scores that only rank.
///
/// # Errors
/// A learner that fails.
pub fn temperatures<D: ConvOps>(
    registry: &Registry<D>,
    task: &Task<'_>,
    learners: &[Checked],
    open: impl Fn() -> Result<D, TensorError> + Sync,
) -> Result<Vec<Option<f64>>, SelectError> {
    let few = task.draw.first(CALIBRATED);
    let task = Task { draw: &few, ..*task };
    // One learner after another, so that only its margins are in memory.
    let of_learner = |learner: &Checked| {
        let mut kept: Vec<Margins> = Vec::new();
        let grading = Grading { margins: true, ..Grading::default() };
        let one = std::slice::from_ref(learner);
        eval::evaluate_with::<D, EvalError>(registry, &task.evaluation(one), grading, &open, |batch| {
            kept.extend(batch.episodes.into_iter().filter_map(|answered| answered.margins));
            Ok(())
        })?;
        Ok(best_temperature(&kept))
    };
    learners.iter().map(of_learner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_score_wins_and_the_earlier_of_two_equal_ones() {
        let scored = |score| Scored { score, interval: None, seconds: 0.0, unconverged: 0 };
        assert_eq!(best(&[0.5, 0.7, 0.7, 0.6].map(scored)), 1);
        assert_eq!(best(&[scored(0.5), scored(0.5)]), 0);
    }
}
