//! From similarities between items and support items to one number per label.

use dfdx::shapes::{Axis, HasShape};
use dfdx::tensor::Cpu;
use dfdx::tensor_ops::{BroadcastTo, ChooseFrom, MaxTo, TryAdd, TryConcatAlong, TryEq, TryMul};

use crate::tensor::error::{TensorError, same};
use crate::tensor::stock::{failure, matmul, repeat, scale, softmax, transpose};
use crate::tensor::{Backend, Labels, Tensor2, Tensor3, stock, to_host};

/// Applies `rule` to each item's similarities (filled support slots), which writes one number per label.
pub(super) fn host(
    device: &Cpu,
    values: &Tensor3<Cpu>,
    labels: &Labels,
    mut rule: impl FnMut(&[f32], &[u16], &mut [f32]),
) -> Result<Tensor3<Cpu>, TensorError> {
    let (episodes, items, slots) = *values.shape();
    same("neighbours", "episodes", labels.episodes(), episodes)?;
    same("neighbours", "support", labels.slots(), slots)?;
    let way = labels.way();
    let all = to_host(values)?;
    let mut out = vec![0.0; episodes * items * way];
    for episode in 0..episodes {
        let labels = labels.of(episode);
        let values = &all[episode * items * slots..(episode + 1) * items * slots];
        let out = &mut out[episode * items * way..(episode + 1) * items * way];
        for (row, out) in values.chunks_exact(slots.max(1)).zip(out.chunks_exact_mut(way.max(1))) {
            rule(&row[..labels.len()], labels, out);
        }
    }
    device.tensor3((episodes, items, way), out)
}

/// The largest similarity of each label.
pub(super) fn best_of_label(row: &[f32], labels: &[u16], out: &mut [f32]) {
    out.fill(f32::MIN);
    for (value, label) in row.iter().zip(labels) {
        let best = &mut out[usize::from(*label)];
        *best = best.max(*value);
    }
}

/// One vote from each of the `k` most similar; of equal similarities the earlier slot counts as nearer.
pub(super) fn votes(row: &[f32], labels: &[u16], k: usize, out: &mut [f32]) {
    count_votes(&order(row), labels, k, out);
}

/// The slots of a row, the most similar first.
fn order(row: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..row.len()).collect();
    // Not `total_cmp`, which would put −0 behind 0.
    let nearer = |a: usize, b: usize| row[b].partial_cmp(&row[a]).unwrap_or(std::cmp::Ordering::Equal);
    order.sort_by(|a, b| nearer(*a, *b).then(a.cmp(b)));
    order
}

/// [`votes`] for several `k` (episodes, items, support → one tensor each), from one order of the neighbours.
pub(super) fn host_votes(
    device: &Cpu,
    values: &Tensor3<Cpu>,
    labels: &Labels,
    ks: &[usize],
) -> Result<Vec<Tensor3<Cpu>>, TensorError> {
    let (episodes, items, _) = *values.shape();
    let way = labels.way();
    let mut all: Vec<Vec<f32>> = ks.iter().map(|_| Vec::with_capacity(episodes * items * way)).collect();
    host(device, values, labels, |row, labels, out| {
        let order = order(row);
        for (k, votes) in ks.iter().zip(&mut all) {
            count_votes(&order, labels, *k, out);
            votes.extend_from_slice(out);
        }
    })?;
    all.into_iter().map(|votes| device.tensor3((episodes, items, way), votes)).collect()
}

/// One vote from each of the first `k` slots of an order.
fn count_votes(order: &[usize], labels: &[u16], k: usize, out: &mut [f32]) {
    out.fill(0.0);
    for (rank, slot) in order.iter().copied().take(k).enumerate() {
        let label = usize::from(labels[slot]);
        // The nearest neighbour of a label adds less than one vote, and more than that of a later label.
        out[label] += if out[label] == 0.0 { 1.0 + 1.0 / (rank as f32 + 2.0) } else { 1.0 };
    }
}

/// Softmax over the support, summed per label.
pub(super) fn attention(row: &[f32], labels: &[u16], out: &mut [f32]) {
    out.fill(0.0);
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for (value, label) in row.iter().zip(labels) {
        let weight = (value - most).exp();
        out[usize::from(*label)] += weight;
        sum += weight;
    }
    out.iter_mut().for_each(|v| *v /= sum);
}

/// Far below any similarity: keeps padding and other labels out of a maximum.
const FAR: f32 = -1e30;

/// `values` where `mask` (episodes, slots) is 1, far below where it is 0.
fn only<D: Backend>(values: &Tensor3<D>, mask: Tensor2<D>) -> Result<Tensor3<D>, TensorError> {
    let error = failure::<D>;
    let penalty = mask.try_mul(-FAR).map_err(error)?.try_add(FAR).map_err(error)?;
    let penalty = penalty.try_broadcast_like::<_, Axis<1>>(values.shape()).map_err(error)?;
    values.clone().try_add(penalty).map_err(error)
}

/// [`super::SpanOps::best_of_label`] from stock operations.
pub fn stock_best_of_label<D: Backend>(
    values: &Tensor3<D>,
    labels: &Labels,
) -> Result<Tensor3<D>, TensorError> {
    let device = values.device().clone();
    let (episodes, items, slots) = *values.shape();
    let membership = labels.membership(&device)?;
    let mut columns: Option<Tensor3<D>> = None;
    for label in 0..labels.way() {
        let own = stock::flatten_row(stock::rows(&membership, label, label + 1)?)?;
        same("neighbours", "support", slots, own.shape().1)?;
        let best: Tensor2<D> = only(values, own)?.try_max::<_, Axis<2>>().map_err(failure::<D>)?;
        let best = stock::column(best)?;
        columns = Some(match columns {
            None => best,
            Some(before) => (before, best).try_concat_along(Axis::<2>).map_err(failure::<D>)?,
        });
    }
    match columns {
        Some(columns) => Ok(columns),
        None => stock::zeros(&device, (episodes, items, 0)),
    }
}

/// [`super::SpanOps::votes`] from stock operations: the nearest is taken and struck out, `k` times.
pub fn stock_votes<D: Backend>(
    values: &Tensor3<D>,
    labels: &Labels,
    k: usize,
) -> Result<Tensor3<D>, TensorError> {
    let error = failure::<D>;
    let device = values.device().clone();
    let shape = *values.shape();
    let (episodes, items, slots) = shape;
    let membership = transpose(&labels.membership(&device)?)?; // (episodes, support, way)
    let mut left = only(values, labels.present(&device)?)?;
    let mut out = stock::zeros(&device, (episodes, items, labels.way()))?;
    // Equal similarities are told apart by their slot: the earliest has the largest number.
    let order = (0..episodes * slots).map(|i| (slots - i % slots) as f32).collect();
    let order = device.tensor3((episodes, 1, slots), order)?;
    let order = repeat(&order, items)?;
    for rank in 0..k.min(slots) {
        let best: Tensor2<D> = left.clone().try_max::<_, Axis<2>>().map_err(error)?;
        let best = best.try_broadcast_like::<_, Axis<2>>(&shape).map_err(error)?;
        let nought = stock::zeros(&device, shape)?;
        let tied = left.try_eq(&best).map_err(error)?;
        let tied = tied.try_choose(order.clone(), nought.clone()).map_err(error)?;
        let first: Tensor2<D> = tied.clone().try_max::<_, Axis<2>>().map_err(error)?;
        let first = first.try_broadcast_like::<_, Axis<2>>(&shape).map_err(error)?;
        let ones = nought.clone().try_add(1.0).map_err(error)?;
        let chosen = tied.try_eq(&first).map_err(error)?.try_choose(ones, nought).map_err(error)?;
        let vote = matmul(&chosen, &membership)?;
        let fresh = out.try_eq(&stock::zeros(&device, *out.shape())?).map_err(error)?;
        let bonus = scale(vote.clone(), 1.0 / (rank as f32 + 2.0))?;
        let none = stock::zeros(&device, *out.shape())?;
        let bonus = fresh.try_choose(bonus, none).map_err(error)?;
        out = out.try_add(vote).map_err(error)?.try_add(bonus).map_err(error)?;
        // Further down than padding, which has no vote and so ends the count of a short episode.
        left = left.try_add(scale(chosen, 2.0 * FAR)?).map_err(error)?;
    }
    Ok(out)
}

/// [`super::SpanOps::attention`] from stock operations.
pub fn stock_attention<D: Backend>(values: &Tensor3<D>, labels: &Labels) -> Result<Tensor3<D>, TensorError> {
    let device = values.device().clone();
    let membership = transpose(&labels.membership(&device)?)?;
    let weights = softmax(only(values, labels.present(&device)?)?)?;
    matmul(&weights, &membership)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tie_of_votes_goes_to_the_nearer() {
        let mut out = [0.0; 3];
        votes(&[0.1, 0.9, 0.8, 0.7], &[0, 1, 2, 0], 2, &mut out);
        assert!(out[1] > out[2] && out[0] == 0.0);
        votes(&[0.5, 0.9, 0.8, 0.7], &[0, 1, 0, 0], 4, &mut out);
        assert!(out[0] > out[1] && out[2] == 0.0);
    }

    #[test]
    fn attention_sums_to_one() {
        let mut out = [0.0; 2];
        attention(&[0.0, 0.0, 0.0, 0.0], &[0, 0, 0, 1], &mut out);
        assert_eq!(out, [0.75, 0.25]);
    }
}
