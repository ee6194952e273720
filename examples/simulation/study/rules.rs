//! The questions that a cell asks of the statistics.

use kshot::stats::{self, Estimate, Members};

use super::LEVEL;
use super::pool::Episodes;

/// Whether the interval of an estimate contains the truth.
pub fn covers(estimate: Option<Estimate>, truth: f64) -> bool {
    estimate.and_then(|e| e.interval(LEVEL)).is_some_and(|interval| interval.contains(truth))
}

/// Whether a test of the true value rejects it; a test that cannot be made counts as wrong.
pub fn errs(estimate: Option<Estimate>, truth: f64) -> bool {
    estimate.is_none_or(|e| e.test(truth).p <= 1.0 - LEVEL)
}

/// Whether any of these p-values is still small after Holm's correction.
pub fn any_rejected(p: &[f64]) -> bool {
    stats::holm(p).is_none_or(|corrected| corrected.iter().any(|p| *p <= 1.0 - LEVEL))
}

impl Episodes {
    /// The first `m` values of a learner.
    pub fn first(&self, learner: usize, m: usize) -> &[f64] {
        &self.accuracy[learner][..m]
    }

    /// The first `m` differences of two learners.
    pub fn difference(&self, a: usize, b: usize, m: usize) -> Vec<f64> {
        stats::differences(self.first(a, m), self.first(b, m)).unwrap_or_default()
    }

    /// What new classes would give.
    pub fn over_classes(&self, values: &[f64]) -> Option<Estimate> {
        let members = Members::of(&self.classes[..values.len()]);
        stats::over_classes(values, &members, None).ok().map(|jackknife| jackknife.estimate)
    }
}
