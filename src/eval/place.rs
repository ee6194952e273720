//! Putting a feature store before the learners: each with the transform that it takes.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{EvalError, Evaluation, RawItems, Takes, kept};
use crate::data::{self, Store};
use crate::episode::{Draw, Episode};
use crate::learner::Registry;
use crate::tensor::HostRows;
use crate::tensor::conv::ConvOps;
use crate::vocab::{Form, Transform};

/// What learners take, placed before them.
pub(super) struct Placed {
    pub(super) rows: BTreeMap<Takes, HostRows>,
    /// By learner, what it takes.
    pub(super) takes: Vec<Takes>,
    /// How what comes out of each frozen part is laid out.
    pub(super) forms: Vec<Form>,
}

/// The rows that the learners of an evaluation take, each made once.
pub(super) fn rows<D: ConvOps>(
    registry: &Registry<D>,
    evaluation: &Evaluation<'_>,
    device: &D,
) -> Result<Placed, EvalError> {
    let features = evaluation.learners.iter().filter(|learner| !learner.needs_network);
    let made = transformed(evaluation.store, features.map(|learner| learner.takes))?;
    let rows = made.into_iter().map(|(transform, rows)| (Takes::Features(transform), rows)).collect();
    let mut placed = Placed { rows, takes: Vec::new(), forms: Vec::new() };
    let mut keys: Vec<String> = Vec::new();
    for learner in evaluation.learners {
        if !learner.needs_network {
            placed.takes.push(Takes::Features(learner.takes));
            continue;
        }
        let Some(behind) = &evaluation.behind else {
            let (learner, store) = (learner.learner().to_string(), evaluation.store.name().to_string());
            return Err(EvalError::NeedsNetwork { learner, store });
        };
        let frozen = registry.build(&learner.parameters)?.frozen(behind.network)?;
        if let Some(frozen) = &frozen {
            if let Some(number) = keys.iter().position(|key| *key == frozen.key) {
                placed.takes.push(Takes::Passed(number));
                continue;
            }
            let needed = needed(evaluation.draw);
            if let Some((rows, form)) = kept::passed(device, behind.kept, frozen, behind.items, &needed)? {
                placed.takes.push(Takes::Passed(keys.len()));
                placed.rows.insert(Takes::Passed(keys.len()), rows);
                placed.forms.push(form);
                keys.push(frozen.key.clone());
                continue;
            }
        }
        placed.takes.push(Takes::Items);
        if let Entry::Vacant(empty) = placed.rows.entry(Takes::Items) {
            let RawItems { values, count, dim, .. } = behind.items;
            // Nobody asks for the norm of an image.
            let norms = vec![0.0; *count].into();
            let rows = HostRows::new(values.clone(), *count, *dim, None, None, norms)?;
            empty.insert(rows);
        }
    }
    Ok(placed)
}

/// The rows that a draw names, each once.
pub(super) fn needed(draw: &Draw) -> Vec<u32> {
    let named = |episode: Episode<'_>| {
        let items = [episode.all_support(), episode.all_query(), episode.oos()];
        items.into_iter().flatten().map(|item| item.0).collect::<Vec<_>>()
    };
    let mut rows: Vec<u32> = draw.episodes().flat_map(named).collect();
    rows.sort_unstable();
    rows.dedup();
    rows
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
