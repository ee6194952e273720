//! What comes out of the frozen parts of networks, kept for the whole run: every item passes each of them once.

use std::collections::BTreeMap;
use std::sync::Mutex;

use rayon::prelude::*;

use super::{EvalError, RawItems};
use crate::learner::Frozen;
use crate::tensor::conv::ConvOps;
use crate::tensor::{HostRows, Rows, TensorError};
use crate::vocab::Form;

/// Items that pass together.
const TOGETHER: usize = 32;

/// Bytes that are kept of one frozen part at most; where an evaluation needs more, each episode runs its items again.
const MOST_BYTES: usize = 2 << 30;

/// Results of frozen parts, by their keys.
#[derive(Debug, Default)]
pub struct Kept(Mutex<BTreeMap<String, Passed>>);

/// The items that have passed one frozen part.
#[derive(Clone, Debug, Default)]
struct Passed {
    /// Of each item of the store where its numbers lie, or [`Rows::EMPTY`].
    places: Vec<u32>,
    values: Vec<f32>,
}

/// What a frozen part gives of the `needed` items of a store, as rows with the numbers of the items, and their form; nothing
/// where these are too many to be kept.
///
/// # Errors
/// When the network cannot take the items, they cannot be read, or the device fails.
pub(super) fn passed<D: ConvOps>(
    device: &D,
    kept: &Kept,
    frozen: &Frozen,
    items: &RawItems,
    needed: &[u32],
) -> Result<Option<(HostRows, Form)>, EvalError> {
    let size = frozen.graph.size(frozen.result, frozen.image)?;
    if needed.len().saturating_mul(size.count() * size_of::<f32>()) > MOST_BYTES {
        return Ok(None);
    }
    let form = Form::Image { channels: size.channels, height: size.height, width: size.width };
    let lock = kept.0.lock();
    let mut all = lock.map_err(|_| EvalError::Worker("another one has failed".to_string()))?;
    let passed = all.entry(frozen.key.clone()).or_default();
    passed.places.resize(items.count, Rows::EMPTY);
    let missing: Vec<u32> =
        needed.iter().copied().filter(|row| passed.places[*row as usize] == Rows::EMPTY).collect();
    if !missing.is_empty() {
        run(device, frozen, items, &missing, &mut passed.values)?;
        let held = passed.values.len() / size.count() - missing.len();
        for (place, row) in (held as u32..).zip(&missing) {
            passed.places[*row as usize] = place;
        }
    }
    let rows = HostRows::dense(passed.values.clone(), size.count())?;
    Ok(Some((rows.of_items(passed.places.clone().into()), form)))
}

/// Appends what these items give.
fn run<D: ConvOps>(
    device: &D,
    frozen: &Frozen,
    items: &RawItems,
    rows: &[u32],
    out: &mut Vec<f32>,
) -> Result<(), EvalError> {
    let passes = device.passes(&frozen.graph, &frozen.values, frozen.result)?;
    let dim = items.dim;
    let mut raw = Vec::new();
    for rows in rows.chunks(TOGETHER) {
        raw.resize(rows.len() * dim, 0.0);
        // Photographs are decoded as they are read.
        rows.par_iter().zip(raw.par_chunks_exact_mut(dim)).try_for_each(|(row, out)| {
            let read = items.values.read_block(dim, *row as usize, out);
            read.map_err(|source| TensorError::Read { item: *row as usize, source })
        })?;
        out.extend(passes.maps(&raw, frozen.image)?);
    }
    Ok(())
}
