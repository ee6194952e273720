//! Thresholds of the confidence score, set before the evaluation on queries that are not its own.

use std::collections::BTreeMap;

use super::{EvalError, Evaluation, evaluate};
use crate::learner::Registry;
use crate::metric;
use crate::tensor::TensorError;
use crate::tensor::conv::ConvOps;

/// For each learner and shot of an evaluation, as (learner, shot): the largest confidence score that at least 95 % of all its
/// queries reach.
///
/// # Errors
/// As [`evaluate`]'s.
pub fn thresholds<D: ConvOps>(
    registry: &Registry<D>,
    evaluation: &Evaluation<'_>,
    open: impl Fn() -> Result<D, TensorError> + Sync,
    mut progress: impl FnMut(usize),
) -> Result<BTreeMap<(usize, usize), f32>, EvalError> {
    let mut scores: BTreeMap<(usize, usize), Vec<f32>> = BTreeMap::new();
    evaluate::<D, EvalError>(registry, evaluation, open, |batch| {
        progress(batch.episodes.len());
        let queries = batch.episodes.iter().flat_map(|answered| &answered.grade.queries);
        let inside = queries.filter(|query| query.label.is_some()).map(|query| query.confidence_score);
        scores.entry((batch.learner, batch.shot)).or_default().extend(inside);
        Ok(())
    })?;
    Ok(scores.into_iter().filter_map(|(key, of)| Some((key, metric::threshold(&of)?))).collect())
}
