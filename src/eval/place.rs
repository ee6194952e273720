//! Putting a feature store before the learners: each with the transform that it takes.

use std::collections::BTreeMap;

use super::EvalError;
use crate::data::{self, Store};
use crate::tensor::HostRows;
use crate::vocab::Transform;

/// The rows of a store under each of these transforms, made once.
pub(super) fn transformed(
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
        out.insert(transform, rows);
    }
    Ok(out)
}
