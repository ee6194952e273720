//! Out-of-scope queries against a threshold that accepts 95 % of validation queries (Larson et al. 2019).

use crate::metric::{Direction, EpisodeAnswers, Formula, Need, QueryGrade, Record};

/// In-scope queries that are accepted and right.
pub static IN_SCOPE_ACCURACY_AT_95: Record = Record {
    name: "in-scope-accuracy-at-95",
    about: "share of in-scope queries that are accepted and get the right label, at the threshold of validation queries",
    direction: Direction::Higher,
    rate: true,
    needs: &[Need::ConfidenceScores, Need::OosQueries, Need::Threshold],
    with: &[],
    formula: Formula::Episode(|answered| {
        let threshold = threshold(answered)?;
        let kept = |q: &&QueryGrade| q.is_correct() && q.confidence_score >= threshold;
        Some(answered.queries().iter().filter(kept).count() as f64 / answered.in_scope().len() as f64)
    }),
};

/// Out-of-scope queries that are refused.
pub static OOS_RECALL: Record = Record {
    name: "oos-recall",
    about: "share of out-of-scope queries that are refused, at the threshold of validation queries",
    direction: Direction::Higher,
    rate: true,
    needs: &[Need::ConfidenceScores, Need::OosQueries, Need::Threshold],
    with: &[],
    formula: Formula::Episode(|answered| {
        let threshold = threshold(answered)?;
        let refused = answered.oos().iter().filter(|score| **score < threshold).count();
        Some(refused as f64 / answered.oos().len() as f64)
    }),
};

/// The threshold, where there are queries on both sides of it to be told apart.
fn threshold(answered: &EpisodeAnswers<'_>) -> Option<f32> {
    answered.threshold().filter(|_| !answered.in_scope().is_empty() && !answered.oos().is_empty())
}
