//! The expected calibration error over bins of equal mass (Nguyen and O'Connor 2015, arXiv:1508.05154; the adaptive
//! calibration error of Nixon et al. 2019 for the predicted label).

use crate::metric::{Bin, Direction, Formula, Need, Record};

/// How far confidences lie from accuracies.
pub static ADAPTIVE_ECE: Record = Record {
    name: "adaptive-ece",
    about: "expected calibration error of the given label, over 15 bins of equal mass of all queries of the draw",
    direction: Direction::Lower,
    rate: true,
    needs: &[Need::Probabilities],
    with: &[],
    formula: Formula::Pooled(|pooled| calibration_error(pooled.bins)),
};

/// Σ count/total · |correct/count − confidence|; nothing without bins.
pub(crate) fn calibration_error(bins: &[Bin]) -> Option<f64> {
    let total: u64 = bins.iter().map(|b| b.count).sum();
    let gap =
        |b: &Bin| b.count as f64 / total as f64 * (b.correct as f64 / b.count as f64 - b.confidence).abs();
    (total > 0).then(|| bins.iter().map(gap).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Confidences;

    fn bins(answers: &[(f32, bool)]) -> Vec<Bin> {
        let mut confidences = Confidences::default();
        answers.iter().for_each(|(confidence, correct)| assert!(confidences.push(*confidence, *correct)));
        confidences.bins()
    }

    #[test]
    fn the_error_is_the_gap_weighted_by_mass() {
        let bins = bins(&[(0.5, true), (0.5, true), (1.0, false), (1.0, true)]);
        assert_eq!(calibration_error(&bins), Some(0.5));
    }

    #[test]
    fn a_calibrated_learner_has_none_and_nobody_has_none_without_queries() {
        let answers: Vec<_> = (0..100).map(|i| (0.25, i % 4 == 0)).collect();
        assert_eq!(calibration_error(&bins(&answers)), Some(0.0));
        assert_eq!(calibration_error(&[]), None);
    }
}
