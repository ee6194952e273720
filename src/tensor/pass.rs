//! Passes over the rows of a store on the host: what is multiplied or added up is read where it lies.

use dfdx::shapes::HasShape;
use dfdx::tensor::Cpu;

use super::backend::{Backend, LinearHead};
use super::error::{TensorError, same};
use super::origin::{self, Origins};
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
        let own = labels.of(episode).chunks(STRIP);
        for (strip, labels) in rows.of(episode).chunks(STRIP).zip(own) {
            let slices = slices(store, strip, !store.is_plain(), &mut scratch)?;
            kernel::add_rows(&slices[..labels.len()], labels, dim, out);
        }
    }
    divide_by_counts(&mut out, labels, dim);
    let norm = |episode: usize, slot: usize| store.squared_norm(rows.of(episode)[slot] as usize);
    let read = |episode: usize, slot: usize, x: &mut [f32]| store.read(rows.of(episode)[slot] as usize, x);
    mend_means(&mut out, labels, dim, norm, read)?;
    Ok(out)
}

/// Forms the means of labels whose items lie far from zero and near each other again, in double precision: sums of
/// single precision keep too few digits of what such items differ in.
pub(super) fn mend_means(
    means: &mut [f32],
    labels: &Labels,
    dim: usize,
    norm: impl Fn(usize, usize) -> f32,
    read: impl Fn(usize, usize, &mut [f32]) -> Result<(), TensorError>,
) -> Result<(), TensorError> {
    if labels.slots() <= labels.way() {
        return Ok(());
    }
    let mut totals = vec![(0.0f32, 0usize); labels.way()];
    for (episode, means) in means.chunks_exact_mut((labels.way() * dim).max(1)).enumerate() {
        let own = labels.of(episode);
        totals.fill((0.0, 0));
        for (slot, label) in own.iter().enumerate() {
            let (total, count) = &mut totals[usize::from(*label)];
            *total += norm(episode, slot);
            *count += 1;
        }
        for (label, mean) in means.chunks_exact_mut(dim.max(1)).enumerate() {
            let (total, count) = totals[label];
            if count < 2 || !origin::near(total.into(), (count as f32 * kernel::squared_norm(mean)).into()) {
                continue;
            }
            let (mut sum, mut x) = (vec![0.0f64; dim], vec![0.0; dim]);
            for slot in (0..own.len()).filter(|slot| usize::from(own[*slot]) == label) {
                read(episode, slot, &mut x)?;
                sum.iter_mut().zip(&x).for_each(|(s, x)| *s += f64::from(*x));
            }
            mean.iter_mut().zip(&sum).for_each(|(m, s)| *m = (s / count as f64) as f32);
        }
    }
    Ok(())
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

/// What is made of inner products: `factor · x·w + bias + norm · ‖x‖²`.
#[derive(Clone, Copy)]
pub(super) struct Shape<'a> {
    /// The factor on the product.
    pub(super) factor: f32,
    /// The factor on the row's squared norm.
    pub(super) norm: f32,
    /// Whether every row is divided by its norm first.
    pub(super) unit: bool,
    /// What is subtracted from the rows of an episode, after all else.
    pub(super) origins: Option<&'a Origins>,
}

/// Products of rows, and the squared norms of those that were seen from an origin (0 for all others).
struct Products {
    values: Vec<f32>,
    norms: Vec<f32>,
}

/// The `shape` of the rows' products with the weights (episodes, count, dim) and `bias` (episodes × count).
pub(super) fn affine(
    device: &Cpu,
    store: &HostRows,
    rows: &Rows,
    weights: &Tensor3<Cpu>,
    bias: &[f32],
    shape: Shape<'_>,
) -> Result<Tensor3<Cpu>, TensorError> {
    affine_of(device, store, rows, (&to_host(weights)?, *weights.shape()), bias, shape)
}

/// The same for weights on the host.
fn affine_of(
    device: &Cpu,
    store: &HostRows,
    rows: &Rows,
    (weights, (episodes, count, dim)): (&[f32], (usize, usize, usize)),
    bias: &[f32],
    shape: Shape<'_>,
) -> Result<Tensor3<Cpu>, TensorError> {
    same("linear scores", "episodes", rows.episodes(), episodes)?;
    same("linear scores", "columns", store.dim(), dim)?;
    rows.within(store.count())?;
    same("linear scores", "biases", episodes * count, bias.len())?;
    if let Some(origins) = shape.origins {
        same("linear scores", "origins", episodes, origins.episodes())?;
        same("linear scores", "columns of origins", dim, origins.dim())?;
    }
    let mut products = if count > WIDE {
        blocked_products(device, store, rows, (weights, count), shape)?
    } else {
        fused_products(store, rows, weights, count, shape)?
    };
    add_terms(store, rows, bias, shape, &mut products);
    device.tensor3((episodes, rows.slots(), count), products.values)
}

/// `−‖x − c‖²` of the rows to `centres` (episodes, count, dim), seen from an origin where the centres lie far from zero and
/// near each other.
pub(super) fn negative_squared_distances(
    device: &Cpu,
    store: &HostRows,
    rows: &Rows,
    centres: &Tensor3<Cpu>,
) -> Result<Tensor3<Cpu>, TensorError> {
    let around = Around::of(centres)?;
    // A power of two, which changes no digit.
    let factor = HostRows::square_factor(store.unit());
    let bias: Vec<f32> = around.norms.iter().map(|norm| -factor * norm).collect();
    let origins = around.origins.as_ref();
    let shape = Shape { factor: 2.0 * factor, norm: -factor, unit: false, origins };
    affine_of(device, store, rows, (&around.points, *centres.shape()), &bias, shape)
}

/// `−½‖x/‖x‖ − d‖²` for `directions` (episodes, count, dim) that are unit vectors; −1 where they are zero.
pub(super) fn cosines_less_one(
    device: &Cpu,
    store: &HostRows,
    rows: &Rows,
    directions: &Tensor3<Cpu>,
) -> Result<Tensor3<Cpu>, TensorError> {
    let around = Around::of(directions)?;
    let bias = around.norms.iter().zip(&around.zero).map(|(norm, zero)| match zero {
        true => -0.5 * (norm + 1.0),
        false => -0.5 * norm,
    });
    let bias: Vec<f32> = bias.collect();
    let origins = around.origins.as_ref();
    let shape = Shape { factor: 1.0, norm: -0.5, unit: true, origins };
    affine_of(device, store, rows, (&around.points, *directions.shape()), &bias, shape)
}

/// Points of a batch, those of an episode seen from its origin where it has one.
struct Around {
    /// (episodes × count × dim)
    points: Vec<f32>,
    /// The squared norms of what is seen (episodes × count).
    norms: Vec<f32>,
    /// Which points were zero (episodes × count).
    zero: Vec<bool>,
    origins: Option<Origins>,
}

impl Around {
    fn of(points: &Tensor3<Cpu>) -> Result<Around, TensorError> {
        let shape = *points.shape();
        let mut points = to_host(points)?;
        let (origins, mut norms) = Origins::and_norms(&points, shape);
        let zero = norms.iter().map(|norm| *norm == 0.0).collect();
        if let Some(origins) = &origins {
            origins.take_off(&mut points);
            for (norm, point) in norms.iter_mut().zip(points.chunks_exact(shape.2.max(1))) {
                *norm = kernel::squared_norm(point);
            }
        }
        Ok(Around { points, norms, zero, origins })
    }
}

/// Turns products (episodes, slots, count) into the `shape` of them with `bias` (episodes × count).
fn add_terms(store: &HostRows, rows: &Rows, bias: &[f32], shape: Shape<'_>, products: &mut Products) {
    let slots = rows.slots();
    let count = bias.len().checked_div(rows.episodes()).unwrap_or(0);
    for (episode, bias) in bias.chunks_exact(count.max(1)).enumerate() {
        let out = &mut products.values[episode * slots * count..(episode + 1) * slots * count];
        let moved = shape.origins.is_some_and(|origins| origins.of_episode(episode).is_some());
        for (slot, (row, out)) in rows.of(episode).iter().zip(out.chunks_exact_mut(count.max(1))).enumerate()
        {
            let squared = if *row == Rows::EMPTY { 0.0 } else { store.squared_norm(*row as usize) };
            let (scale, squared) = match (moved, shape.unit) {
                (true, _) => (1.0, products.norms[episode * slots + slot]),
                (false, true) => (unit_scale(squared), if squared > 0.0 { 1.0 } else { 0.0 }),
                (false, false) => (1.0, squared),
            };
            let (factor, shift) = (shape.factor * scale, shape.norm * squared);
            out.iter_mut().zip(bias).for_each(|(o, b)| *o = factor * *o + b + shift);
        }
    }
}

/// What makes a row of this squared norm a unit vector; a row of zeros stays.
fn unit_scale(squared: f32) -> f32 {
    if squared > 0.0 { 1.0 / squared.sqrt() } else { 0.0 }
}

/// Scores of several heads, those of one shape in as few passes over the rows as the caches allow.
pub(super) fn linears(
    device: &Cpu,
    store: &HostRows,
    rows: &Rows,
    heads: &[LinearHead<'_, Cpu>],
) -> Result<Vec<Tensor3<Cpu>>, TensorError> {
    let Some(first) = heads.first() else { return Ok(Vec::new()) };
    let shape = *first.weights.shape();
    let alike = |head: &LinearHead<'_, Cpu>| *head.weights.shape() == shape && head.origins.is_none();
    let per_pass = (AT_ONCE / shape.1.max(1)).max(1);
    if shape.1 > WIDE || !heads.iter().all(alike) || shape.0 != rows.episodes() || store.dim() != shape.2 {
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
        let own = to_host(head.weights)?;
        for (episode, own) in own.chunks_exact((count * dim).max(1)).enumerate() {
            let start = (episode * all + place * count) * dim;
            weights[start..start + count * dim].copy_from_slice(own);
        }
    }
    let plain = Shape { factor: 1.0, norm: 0.0, unit: false, origins: None };
    let products = fused_products(store, rows, &weights, all, plain)?.values;
    let scores = |(place, head): (usize, &LinearHead<'_, Cpu>)| {
        let mut values = Vec::with_capacity(episodes * slots * count);
        let rows_of = products.chunks_exact(all.max(1));
        rows_of.for_each(|row| values.extend_from_slice(&row[place * count..(place + 1) * count]));
        let bias = head.bias.map_or_else(|| Ok(vec![0.0; episodes * count]), to_host)?;
        same("linear scores", "biases", episodes * count, bias.len())?;
        let mut own = Products { values, norms: Vec::new() };
        add_terms(store, rows, &bias, plain, &mut own);
        device.tensor3((episodes, slots, count), own.values)
    };
    heads.iter().enumerate().map(scores).collect()
}

/// The rows' products with many weights, by the blocked matrix product.
fn blocked_products(
    device: &Cpu,
    store: &HostRows,
    rows: &Rows,
    (weights, count): (&[f32], usize),
    shape: Shape<'_>,
) -> Result<Products, TensorError> {
    let (episodes, slots, dim) = (rows.episodes(), rows.slots(), store.dim());
    let mut gathered = gather(store, rows)?;
    let mut norms = Vec::new();
    if let Some(origins) = shape.origins {
        norms.resize(episodes * slots, 0.0);
        let parts = gathered.chunks_exact_mut(dim.max(1)).zip(rows.all()).zip(&mut norms).enumerate();
        for (place, ((x, row), norm)) in parts {
            if let Some(origin) = origins.of_episode(place / slots) {
                *norm = see_from(origin, store, *row, shape.unit, x);
            }
        }
    }
    let gathered = device.tensor3((episodes, slots, dim), gathered)?;
    let weights = device.tensor3((episodes, count, dim), weights.to_vec())?;
    let values = to_host(&stock::matmul(&gathered, &stock::transpose(&weights)?)?)?;
    Ok(Products { values, norms })
}

/// The rows' products with their episode's weights, each row used where it lies.
fn fused_products(
    store: &HostRows,
    rows: &Rows,
    weights: &[f32],
    count: usize,
    shape: Shape<'_>,
) -> Result<Products, TensorError> {
    let (slots, dim) = (rows.slots(), store.dim());
    let mut values = vec![0.0; rows.all().len() * count];
    let mut norms = vec![0.0; if shape.origins.is_some() { rows.all().len() } else { 0 }];
    let mut scratch = vec![0.0; STRIP * dim];
    for episode in 0..rows.episodes() {
        let weights = &weights[episode * count * dim..(episode + 1) * count * dim];
        let out = &mut values[episode * slots * count..(episode + 1) * slots * count];
        let strips = rows.of(episode).chunks(STRIP).zip(out.chunks_mut((STRIP * count).max(1)));
        match shape.origins.and_then(|origins| origins.of_episode(episode)) {
            None => {
                for (strip, out) in strips {
                    strip_products(store, strip, weights, &mut scratch, out)?;
                }
            }
            Some(origin) => {
                let norms = norms[episode * slots..(episode + 1) * slots].chunks_mut(STRIP);
                for ((strip, out), norms) in strips.zip(norms) {
                    slices(store, strip, true, &mut scratch)?;
                    let rows = scratch.chunks_exact_mut(dim.max(1)).zip(strip).zip(norms);
                    rows.for_each(|((x, row), norm)| *norm = see_from(origin, store, *row, shape.unit, x));
                    let mut seen: [&[f32]; STRIP] = [&[]; STRIP];
                    seen.iter_mut().zip(scratch.chunks_exact(dim.max(1))).for_each(|(s, x)| *s = x);
                    kernel::products(&seen[..strip.len()], weights, dim, out);
                }
            }
        }
    }
    Ok(Products { values, norms })
}

/// Turns a transformed row into what is seen of it from an origin, and gives its squared norm from there.
fn see_from(origin: &[f32], store: &HostRows, row: u32, unit: bool, x: &mut [f32]) -> f32 {
    if unit && row != Rows::EMPTY {
        let scale = unit_scale(store.squared_norm(row as usize));
        x.iter_mut().for_each(|x| *x *= scale);
    }
    origin::subtract(x, origin);
    kernel::squared_norm(x)
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
    // A shift must be subtracted before the product, or the difference of two large products loses its digits; and
    // without their unit the products of some stores leave single precision.
    let transformed = store.shift().is_some() || store.unit() != 1.0;
    let slices = slices(store, strip, transformed, scratch)?;
    kernel::products(&slices[..strip.len()], weights, dim, out);
    if !transformed {
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
