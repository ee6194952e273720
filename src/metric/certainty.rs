//! How well the certainty of answers tells right from wrong, and queries of the task from those outside.

use super::QueryGrade;
use crate::vocab::Metric;

/// The certainties of one episode, measured.
#[derive(Clone, Debug, PartialEq)]
pub struct CertaintyGrade {
    /// Queries of the task.
    pub inside: u32,
    /// Queries outside of it.
    pub outside: u32,
    /// Each measure that is defined, as a fraction: without queries outside only [`Metric::Aurc`], without a threshold
    /// neither [`Metric::AccuracyAt95`] nor [`Metric::OutsideRecall`].
    pub values: Vec<(Metric, f64)>,
}

impl CertaintyGrade {
    /// Measures the queries of an episode; `threshold` is the least certainty with which an answer is accepted.
    pub fn of(queries: &[QueryGrade], threshold: Option<f32>) -> CertaintyGrade {
        let certainties = |inside: bool| -> Vec<f32> {
            queries.iter().filter(|q| q.label.is_some() == inside).map(|q| q.certainty).collect()
        };
        let (inside, outside) = (certainties(true), certainties(false));
        let ranked = |all: bool| -> Vec<(f32, bool)> {
            let covered = queries.iter().filter(|q| all || q.label.is_some());
            covered.map(|q| (q.certainty, q.is_correct())).collect()
        };
        let mut values = Vec::new();
        values.extend(aurc(ranked(false)).map(|value| (Metric::Aurc, value)));
        if !outside.is_empty() {
            values.extend(aurc(ranked(true)).map(|value| (Metric::AurcOutside, value)));
            values.extend(auroc(&inside, &outside).map(|value| (Metric::Auroc, value)));
            values.extend(false_positives(&inside, &outside).map(|value| (Metric::FprAt95, value)));
        }
        if let Some(threshold) = threshold.filter(|_| !inside.is_empty() && !outside.is_empty()) {
            let share = |count: usize, of: usize| count as f64 / of as f64;
            let kept = queries.iter().filter(|q| q.is_correct() && q.certainty >= threshold).count();
            let refused = outside.iter().filter(|certainty| **certainty < threshold).count();
            values.push((Metric::AccuracyAt95, share(kept, inside.len())));
            values.push((Metric::OutsideRecall, share(refused, outside.len())));
        }
        CertaintyGrade { inside: inside.len() as u32, outside: outside.len() as u32, values }
    }
}

/// The largest certainty that at least 95 % of these reach; nothing where there are none.
///
/// ```
/// let certainties: Vec<f32> = (1..=40).map(|n| n as f32).collect();
/// assert_eq!(kshot::metric::threshold(&certainties), Some(3.0));
/// ```
pub fn threshold(certainties: &[f32]) -> Option<f32> {
    let accepted = (95 * certainties.len()).div_ceil(100);
    let mut sorted = certainties.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    sorted.get(accepted.checked_sub(1)?).copied()
}

/// The share of `outside` that is accepted at the threshold of `inside`.
fn false_positives(inside: &[f32], outside: &[f32]) -> Option<f64> {
    let threshold = threshold(inside)?;
    let accepted = outside.iter().filter(|certainty| **certainty >= threshold).count();
    (!outside.is_empty()).then(|| accepted as f64 / outside.len() as f64)
}

/// The probability that one of `inside` is above one of `outside`, where equal ones count half: the area under the
/// receiver operating characteristic (Hanley and McNeil 1982).
fn auroc(inside: &[f32], outside: &[f32]) -> Option<f64> {
    let pairs = inside.len() as f64 * outside.len() as f64;
    let mut all: Vec<(f32, bool)> = inside.iter().map(|v| (*v, true)).collect();
    all.extend(outside.iter().map(|v| (*v, false)));
    all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut won) = (0.0, 0.0);
    for equal in all.chunk_by(|a, b| a.0 == b.0) {
        let of_task = equal.iter().filter(|(_, inside)| *inside).count() as f64;
        let others = equal.len() as f64 - of_task;
        won += of_task * (below + others / 2.0);
        below += others;
    }
    (pairs > 0.0).then(|| won / pairs)
}

/// The area under the risk-coverage curve (Geifman and El-Yaniv 2017, "Selective Classification for Deep Neural
/// Networks"): the mean, over k = 1 … n, of the share of errors among the k most certain answers. Answers that are
/// equally certain stand in random order; this is the expectation over it.
fn aurc(mut answers: Vec<(f32, bool)>) -> Option<f64> {
    answers.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let (mut covered, mut errors, mut area) = (0.0, 0.0, 0.0);
    for equal in answers.chunk_by(|a, b| a.0 == b.0) {
        let wrong = equal.iter().filter(|(_, correct)| !correct).count() as f64;
        for place in 1..=equal.len() {
            area += (errors + wrong * place as f64 / equal.len() as f64) / (covered + place as f64);
        }
        covered += equal.len() as f64;
        errors += wrong;
    }
    (covered > 0.0).then(|| area / covered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(label: Option<u16>, certainty: f32) -> QueryGrade {
        QueryGrade { label, predicted: 0, confidence: None, certainty }
    }

    fn value(grade: &CertaintyGrade, metric: Metric) -> Option<f64> {
        grade.values.iter().find(|(m, _)| *m == metric).map(|(_, value)| *value)
    }

    #[test]
    fn an_episode_on_paper() {
        // Certainty 4: right. 3: outside. 2: wrong and outside. 1: right.
        let queries = [(Some(0), 4.0), (None, 3.0), (Some(1), 2.0), (None, 2.0), (Some(0), 1.0)]
            .map(|(l, c)| query(l, c));
        let grade = CertaintyGrade::of(&queries, Some(2.0));
        assert_eq!((grade.inside, grade.outside), (3, 2));
        // Pairs: 4 beats both, 2 loses to one and ties with the other, 1 loses to both.
        assert_eq!(value(&grade, Metric::Auroc), Some(2.5 / 6.0));
        assert_eq!(value(&grade, Metric::FprAt95), Some(1.0));
        assert_eq!(value(&grade, Metric::Aurc), Some((0.0 + 1.0 / 2.0 + 1.0 / 3.0) / 3.0));
        let all = (0.0 + 1.0 / 2.0 + 2.0 / 3.0 + 3.0 / 4.0 + 3.0 / 5.0) / 5.0;
        assert!((value(&grade, Metric::AurcOutside).unwrap() - all).abs() < 1e-15);
        assert_eq!(value(&grade, Metric::AccuracyAt95), Some(1.0 / 3.0));
        assert_eq!(value(&grade, Metric::OutsideRecall), Some(0.0));
        let strict = CertaintyGrade::of(&queries, Some(2.5));
        assert_eq!(value(&strict, Metric::OutsideRecall), Some(0.5));
    }

    #[test]
    fn what_is_not_defined_is_absent() {
        let inside = CertaintyGrade::of(&[query(Some(0), 1.0), query(Some(1), 1.0)], Some(0.0));
        assert_eq!(inside.values, [(Metric::Aurc, 0.5)]);
        let without_threshold = CertaintyGrade::of(&[query(Some(0), 1.0), query(None, 0.0)], None);
        assert_eq!(value(&without_threshold, Metric::Auroc), Some(1.0));
        assert_eq!(value(&without_threshold, Metric::OutsideRecall), None);
        assert_eq!(threshold(&[]), None);
    }
}
