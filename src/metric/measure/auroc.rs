//! The area under the receiver operating characteristic (Hanley and McNeil 1982).

use crate::metric::{Direction, Formula, Need, Record};

/// In-scope queries against out-of-scope ones.
pub static AUROC: Record = Record {
    name: "auroc",
    about: "probability that an in-scope query has a higher confidence score than an out-of-scope one",
    direction: Direction::Higher,
    rate: true,
    needs: &[Need::ConfidenceScores, Need::OosQueries],
    with: &[],
    formula: Formula::Episode(|answered| area(answered.in_scope(), answered.oos())),
};

/// The probability that one of `in_scope` is above one of `oos`, where equal ones count half.
fn area(in_scope: &[f32], oos: &[f32]) -> Option<f64> {
    let pairs = in_scope.len() as f64 * oos.len() as f64;
    let mut all: Vec<(f32, bool)> = in_scope.iter().map(|score| (*score, true)).collect();
    all.extend(oos.iter().map(|score| (*score, false)));
    all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut won) = (0.0, 0.0);
    for equal in all.chunk_by(|a, b| a.0 == b.0) {
        let inside = equal.iter().filter(|(_, in_scope)| *in_scope).count() as f64;
        let others = equal.len() as f64 - inside;
        won += inside * (below + others / 2.0);
        below += others;
    }
    (pairs > 0.0).then(|| won / pairs)
}
