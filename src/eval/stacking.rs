//! Calibrated stacking: which labels are seen, and the γ of each learner, chosen where no novel class takes part.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{EvalError, Evaluation, evaluate};
use crate::learner::Registry;
use crate::metric::{self, Standing};
use crate::tensor::TensorError;
use crate::tensor::conv::ConvOps;

/// What is subtracted from the scores of seen classes, by the places of a learner and of a shot.
pub type Gammas = BTreeMap<(usize, usize), f32>;

/// Which labels of the episodes at `places` are seen classes: (episodes × way).
pub(super) fn seen_labels(evaluation: &Evaluation<'_>, places: Range<usize>) -> Vec<bool> {
    let index = evaluation.store.index();
    let classes = places.flat_map(|place| evaluation.draw.episode(place).classes());
    classes.map(|class| evaluation.rules.sees(index.class(*class).split)).collect()
}

/// For each learner and shot of a generalised evaluation the γ with the largest harmonic mean of seen and unseen
/// accuracy. To be honest about novel classes the evaluation must be one of validation classes among base classes.
///
/// # Errors
/// As [`evaluate`]'s.
pub fn gammas<D: ConvOps>(
    registry: &Registry<D>,
    evaluation: &Evaluation<'_>,
    open: impl Fn() -> Result<D, TensorError> + Sync,
) -> Result<Gammas, EvalError> {
    let mut standings: BTreeMap<(usize, usize), Vec<Standing>> = BTreeMap::new();
    let index = evaluation.store.index();
    evaluate::<D, EvalError>(registry, evaluation, open, |batch| {
        let all = standings.entry((batch.learner, batch.shot)).or_default();
        for answered in &batch.episodes {
            let episode = evaluation.draw.episode(answered.place);
            all.extend(answered.standing.iter().map(|margin| {
                let class = episode.class(usize::from(margin.label));
                Standing {
                    class: class.0,
                    seen: evaluation.rules.sees(index.class(class).split),
                    margin: f64::from(margin.margin),
                    right: margin.right,
                }
            }));
        }
        Ok(())
    })?;
    Ok(standings.into_iter().filter_map(|(key, of)| Some((key, metric::best_gamma(&of)?))).collect())
}
