//! Passes over the rows of a store on the host: what is multiplied or added up is read where it lies.

use dfdx::shapes::HasShape;
use dfdx::tensor::Cpu;

use super::backend::{Backend, LinearHead};
use super::error::{TensorError, same};
use super::rows::{HostRows, Rows};
use super::{Labels, Tensor3, kernel, stock, to_host};

/// Rows of an episode that share a pass: enough to wait for many lines of memory at once, few enough for a near cache.
const STRIP: usize = 16;

/// More weights than this are multiplied by the blocked matrix product, which reuses them better.
const WIDE: usize = 32;

/// Weights of an episode that are multiplied in one pass over its rows: what stays in a core's nearer caches.
const AT_ONCE: usize = 64;

/// The rows after their transform, one behind the other; an empty slot is a row of zeros.
pub(super) fn gather(store: &HostRows, rows: &Rows) -> Result<Vec<f32>, TensorError> {
    rows.within(store.count())?;
    let dim = store.dim();
    let mut out = vec![0.0; rows.all().len() * dim];
    for (strip, out) in rows.all().chunks(STRIP).zip(out.chunks_mut((STRIP * dim).max(1))) {
        touch(store, strip);
        for (row, out) in strip.iter().zip(out.chunks_exact_mut(dim.max(1))) {
            if *row != Rows::EMPTY {
                store.read(*row as usize, out)?;
            }
        }
    }
    Ok(out)
}

/// The means of the rows of each label (episodes, way, dim).
pub(super) fn means(store: &HostRows, rows: &Rows, labels: &Labels) -> Result<Vec<f32>, TensorError> {
    same("class means", "episodes", labels.episodes(), rows.episodes())?;
    rows.within(store.count())?;
    let (episodes, way, dim) = (rows.episodes(), labels.way(), store.dim());
    let mut out = vec![0.0; episodes * way * dim];
    let mut scratch = vec![0.0; STRIP * dim];
    for (episode, out) in out.chunks_exact_mut((way * dim).max(1)).enumerate() {
        let labels = labels.of(episode).chunks(STRIP);
        for (strip, labels) in rows.of(episode).chunks(STRIP).zip(labels) {
            let slices = slices(store, strip, !store.is_plain(), &mut scratch)?;
            kernel::add_rows(&slices[..labels.len()], labels, dim, out);
        }
    }
    divide_by_counts(&mut out, labels, dim);
    Ok(out)
}

/// Turns the sums (episodes, way, dim) of each label's rows into their means.
pub(super) fn divide_by_counts(sums: &mut [f32], labels: &Labels, dim: usize) {
    for (episode, sums) in sums.chunks_exact_mut((labels.way() * dim).max(1)).enumerate() {
        for (count, sum) in labels.counts(episode).iter().zip(sums.chunks_exact_mut(dim.max(1))) {
            let share = 1.0 / (*count).max(1) as f32;
            if *count > 1 {
                sum.iter_mut().for_each(|mean| *mean *= share);
            }
        }
    }
}

/// `factor · x·w + bias + norm · ‖x‖²` for the weights of each episode, whose bias may be made of them.
pub(super) fn affine(
    device: &Cpu,
    store: &HostRows,
    rows: &Rows,
    weights: &Tensor3<Cpu>,
    bias: impl FnOnce(&[f32]) -> Vec<f32>,
    (factor, norm): (f32, f32),
) -> Result<Tensor3<Cpu>, TensorError> {
    let (episodes, count, dim) = *weights.shape();
    same("linear scores", "episodes", rows.episodes(), episodes)?;
    same("linear scores", "columns", store.dim(), dim)?;
    rows.within(store.count())?;
    let host = to_host(weights)?;
    let bias = bias(&host);
    same("linear scores", "biases", episodes * count, bias.len())?;
    let mut out = if count > WIDE {
        to_host(&stock::matmul(&device.gather(store, rows)?, &stock::transpose(weights)?)?)?
    } else {
        fused_products(store, rows, &host, count)?
    };
    add_terms(store, rows, &bias, (factor, norm), &mut out);
    device.tensor3((episodes, rows.slots(), count), out)
}

/// Turns products (episodes, slots, count) into `factor · product + bias + norm · ‖x‖²`.
fn add_terms(store: &HostRows, rows: &Rows, bias: &[f32], (factor, norm): (f32, f32), out: &mut [f32]) {
    let slots = rows.slots();
    let count = bias.len().checked_div(rows.episodes()).unwrap_or(0);
    for (episode, bias) in bias.chunks_exact(count.max(1)).enumerate() {
        let out = &mut out[episode * slots * count..(episode + 1) * slots * count];
        for (row, out) in rows.of(episode).iter().zip(out.chunks_exact_mut(count.max(1))) {
            let squared = if *row == Rows::EMPTY { 0.0 } else { store.squared_norm(*row as usize) };
            let shift = norm * squared;
            out.iter_mut().zip(bias).for_each(|(o, b)| *o = factor * *o + b + shift);
        }
    }
}

/// Scores of several heads, those of one shape in as few passes over the rows as the caches allow.
pub(super) fn linears(
    device: &Cpu,
    store: &HostRows,
    rows: &Rows,
    heads: &[LinearHead<'_, Cpu>],
) -> Result<Vec<Tensor3<Cpu>>, TensorError> {
    let Some(shape) = heads.first().map(|head| *head.0.shape()) else { return Ok(Vec::new()) };
    let alike = heads.iter().all(|head| *head.0.shape() == shape);
    let per_pass = (AT_ONCE / shape.1.max(1)).max(1);
    if shape.1 > WIDE || !alike || shape.0 != rows.episodes() || store.dim() != shape.2 {
        return heads.iter().map(|head| head.scores(device, store, rows)).collect();
    }
    rows.within(store.count())?;
    let chunks = heads.chunks(per_pass).map(|heads| alike_linears(device, store, rows, heads, shape));
    Ok(chunks.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// Scores of several heads of one shape (episodes, count, dim) in one pass over the rows.
fn alike_linears(
    device: &Cpu,
    store: &HostRows,
    rows: &Rows,
    heads: &[LinearHead<'_, Cpu>],
    (episodes, count, dim): (usize, usize, usize),
) -> Result<Vec<Tensor3<Cpu>>, TensorError> {
    let (slots, all) = (rows.slots(), count * heads.len());
    let mut weights = vec![0.0; episodes * all * dim];
    for (place, head) in heads.iter().enumerate() {
        let own = to_host(head.0)?;
        for (episode, own) in own.chunks_exact((count * dim).max(1)).enumerate() {
            let start = (episode * all + place * count) * dim;
            weights[start..start + count * dim].copy_from_slice(own);
        }
    }
    let products = fused_products(store, rows, &weights, all)?;
    let scores = |(place, head): (usize, &LinearHead<'_, Cpu>)| {
        let mut out = Vec::with_capacity(episodes * slots * count);
        let rows_of = products.chunks_exact(all.max(1));
        rows_of.for_each(|row| out.extend_from_slice(&row[place * count..(place + 1) * count]));
        let bias = head.1.map_or_else(|| Ok(vec![0.0; episodes * count]), to_host)?;
        same("linear scores", "biases", episodes * count, bias.len())?;
        add_terms(store, rows, &bias, (1.0, 0.0), &mut out);
        device.tensor3((episodes, slots, count), out)
    };
    heads.iter().enumerate().map(scores).collect()
}

/// The rows' products with their episode's weights, each row used where it lies.
fn fused_products(
    store: &HostRows,
    rows: &Rows,
    weights: &[f32],
    count: usize,
) -> Result<Vec<f32>, TensorError> {
    let (slots, dim) = (rows.slots(), store.dim());
    let mut out = vec![0.0; rows.all().len() * count];
    let mut scratch = vec![0.0; STRIP * dim];
    for episode in 0..rows.episodes() {
        let weights = &weights[episode * count * dim..(episode + 1) * count * dim];
        let out = &mut out[episode * slots * count..(episode + 1) * slots * count];
        for (strip, out) in rows.of(episode).chunks(STRIP).zip(out.chunks_mut((STRIP * count).max(1))) {
            strip_products(store, strip, weights, &mut scratch, out)?;
        }
    }
    Ok(out)
}

/// Products of at most [`STRIP`] rows with the weights of their episode.
fn strip_products(
    store: &HostRows,
    strip: &[u32],
    weights: &[f32],
    scratch: &mut [f32],
    out: &mut [f32],
) -> Result<(), TensorError> {
    let dim = store.dim();
    let count = weights.len().checked_div(dim).unwrap_or(0);
    // A shift must be subtracted before the product, or the difference of two large products loses its digits.
    let shifted = store.shift().is_some();
    let slices = slices(store, strip, shifted, scratch)?;
    kernel::products(&slices[..strip.len()], weights, dim, out);
    if !shifted {
        for (row, out) in strip.iter().zip(out.chunks_exact_mut(count.max(1))) {
            let scale = if *row == Rows::EMPTY { 1.0 } else { store.scale(*row as usize) };
            out.iter_mut().for_each(|p| *p *= scale);
        }
    }
    Ok(())
}

/// Has at most [`STRIP`] rows brought near the processor.
fn touch(store: &HostRows, strip: &[u32]) {
    let (mut bytes, mut count): ([&[u8]; STRIP], usize) = ([&[]; STRIP], 0);
    let filled = strip.iter().filter(|row| **row != Rows::EMPTY);
    for row in filled.map_while(|row| store.bytes(*row as usize)) {
        bytes[count] = row;
        count += 1;
    }
    kernel::touch(&bytes[..count]);
}

/// At most [`STRIP`] rows, where they lie or in `scratch`; `transformed` where that is asked for.
fn slices<'a>(
    store: &'a HostRows,
    strip: &[u32],
    transformed: bool,
    scratch: &'a mut [f32],
) -> Result<[&'a [f32]; STRIP], TensorError> {
    touch(store, strip);
    let mut slices: [&[f32]; STRIP] = [&[]; STRIP];
    for ((row, scratch), slice) in
        strip.iter().zip(scratch.chunks_exact_mut(store.dim().max(1))).zip(&mut slices)
    {
        *slice = if *row == Rows::EMPTY {
            scratch.fill(0.0);
            scratch
        } else if transformed {
            store.read(*row as usize, scratch)?;
            scratch
        } else {
            store.raw(*row as usize, scratch)?
        };
    }
    Ok(slices)
}
