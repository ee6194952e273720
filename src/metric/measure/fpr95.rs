//! The false positive rate at a true positive rate of 95 % (Hendrycks and Gimpel 2017, Liang et al. 2018).

use crate::metric::{Direction, Formula, Need, Record, threshold};

/// Out-of-scope queries that slip through.
pub static FPR95: Record = Record {
    name: "fpr95",
    about: "share of out-of-scope queries accepted where 95 % of the in-scope ones are",
    direction: Direction::Lower,
    rate: true,
    needs: &[Need::ConfidenceScores, Need::OosQueries],
    with: &[],
    formula: Formula::Episode(|answered| accepted(answered.in_scope(), answered.oos())),
};

/// The share of `oos` that is accepted at the threshold of `in_scope`.
fn accepted(in_scope: &[f32], oos: &[f32]) -> Option<f64> {
    let threshold = threshold(in_scope)?;
    let accepted = oos.iter().filter(|score| **score >= threshold).count();
    (!oos.is_empty()).then(|| accepted as f64 / oos.len() as f64)
}
