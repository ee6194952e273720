//! Putting a feature store before the learners: each with the transform that it takes.

use std::collections::BTreeMap;

use super::{EvalError, Evaluation, Takes};
use crate::data::{self, Store};
use crate::tensor::HostRows;
use crate::vocab::Transform;

/// The rows that the learners of an evaluation take, each made once.
pub(super) fn rows(evaluation: &Evaluation<'_>) -> Result<BTreeMap<Takes, HostRows>, EvalError> {
    let features = evaluation.learners.iter().filter(|learner| !learner.needs_network);
    let made = transformed(evaluation.store, features.map(|learner| learner.takes))?;
    let mut rows: BTreeMap<Takes, HostRows> =
        made.into_iter().map(|(transform, rows)| (Takes::Features(transform), rows)).collect();
    if let Some(learner) = evaluation.learners.iter().find(|learner| learner.needs_network) {
        let Some(behind) = &evaluation.behind else {
            let (learner, store) = (learner.learner().to_string(), evaluation.store.name().to_string());
            return Err(EvalError::NeedsNetwork { learner, store });
        };
        let plain = transformed(behind.items, std::iter::once(Transform::None))?;
        rows.extend(plain.into_values().map(|rows| (Takes::Items, rows)));
    }
    Ok(rows)
}

/// The rows of a store under each of these transforms, made once.
fn transformed(
    store: &Store,
    transforms: impl Iterator<Item = Transform>,
) -> Result<BTreeMap<Transform, HostRows>, EvalError> {
    let mut out = BTreeMap::new();
    for transform in transforms {
        if out.contains_key(&transform) {
            continue;
        }
        let made = data::transform(store, transform)?;
        let (count, dim) = (store.rows(), store.dim());
        let rows =
            HostRows::new(store.values().clone(), count, dim, made.shift, made.scale, made.squared_norms)?;
        out.insert(transform, rows.with_unit(made.unit));
    }
    Ok(out)
}
