//! Rectified prototypes (Liu, Song and Qin 2020, "Prototype Rectification for Few-Shot Learning", arXiv:1911.10713): class
//! means of the support and of queries that look like them, after the queries were moved on the support.

use super::episode::{Episode, best};
use crate::tensor::dense::{self, Real};

/// How queries take part in prototypes.
#[derive(Clone, Copy)]
pub(super) struct Rectification {
    /// ε, the factor on the cosine in the weight of an item (eq. 8).
    pub(super) epsilon: f64,
    /// Z, the most confident queries of each label that count; 0 for all (section 3.2).
    pub(super) top: usize,
}

/// Class means (way × dim) of `rows`, support and queries of the episode.
///
/// With the difference ξ of the means of support and queries (eq. 9), an item `x'` is a support item or a query plus ξ, and
/// counts for its label, or for the one whose mean of the support has the largest cosine, with a weight that is
/// proportional to `exp(ε·cos)`.
pub(super) fn rectified<T: Real>(episode: &Episode<'_>, rows: &[T], how: Rectification) -> Vec<T> {
    let (dim, way, support) = (episode.dim, episode.way, episode.support());
    let queries = episode.queries();
    let means = episode.means(rows);
    let shift = shift(episode, rows);
    let mut weights = directions(&means, dim);
    weights.extend_from_slice(&shift);
    let mut products = vec![T::ZERO; (support + queries) * (way + 1)];
    dense::products(rows, &weights, dim, &mut products);
    let mut of_shift = vec![T::ZERO; way + 1];
    dense::products(&shift, &weights, dim, &mut of_shift);
    let of_shift: Vec<f64> = of_shift.iter().map(|v| v.wide()).collect();
    let norms = dense::squared_norms(rows, dim);
    // By item, its label and its cosine with the mean of that label.
    let mut labelled = Vec::with_capacity(support + queries);
    for (item, (row, norm)) in products.chunks_exact(way + 1).zip(&norms).enumerate() {
        let row: Vec<f64> = row.iter().map(|v| v.wide()).collect();
        if item < support {
            let label = usize::from(episode.labels[item]);
            labelled.push((label, row[label] / norm.wide().sqrt().max(1e-12)));
            continue;
        }
        // ‖q + ξ‖² = ‖q‖² + 2·q·ξ + ‖ξ‖².
        let length = (norm.wide() + 2.0 * row[way] + of_shift[way]).max(0.0).sqrt().max(1e-12);
        let cosines: Vec<f64> = (0..way).map(|c| (row[c] + of_shift[c]) / length).collect();
        let label = best(&cosines);
        labelled.push((label, cosines[label]));
    }
    let counted = confident(&labelled, support, way, how.top);
    let weight = |place: usize| match counted[place] {
        true => (how.epsilon * (labelled[place].1 - 1.0)).exp(),
        false => 0.0,
    };
    let (mut totals, mut of_queries) = (vec![0.0; way], vec![0.0; way]);
    for (place, (label, _)) in labelled.iter().enumerate() {
        totals[*label] += weight(place);
    }
    let mut shares = vec![T::ZERO; (support + queries) * way];
    for (place, (label, _)) in labelled.iter().enumerate() {
        let share = weight(place) / totals[*label].max(f64::MIN_POSITIVE);
        shares[place * way + *label] = T::of(share);
        of_queries[*label] += if place < support { 0.0 } else { share };
    }
    let mut out = vec![T::ZERO; way * dim];
    dense::combine(&shares, rows, dim, &mut out);
    for (row, share) in out.chunks_exact_mut(dim).zip(of_queries) {
        row.iter_mut().zip(&shift).for_each(|(x, s)| *x = s.fused(T::of(share), *x));
    }
    out
}

/// The mean of the support less that of the queries.
fn shift<T: Real>(episode: &Episode<'_>, rows: &[T]) -> Vec<T> {
    let (support, queries) = (episode.support(), episode.queries());
    let share = |place: usize| if place < support { 1.0 / support as f64 } else { -1.0 / queries as f64 };
    let shares: Vec<T> = (0..support + queries).map(|place| T::of(share(place))).collect();
    let mut shift = vec![T::ZERO; episode.dim];
    dense::combine(&shares, rows, episode.dim, &mut shift);
    shift
}

/// Rows divided by their norms.
pub(super) fn directions<T: Real>(rows: &[T], dim: usize) -> Vec<T> {
    let norms = dense::squared_norms(rows, dim);
    let scaled = rows.chunks_exact(dim.max(1)).zip(norms).flat_map(|(row, norm)| {
        let scale = T::of(1.0 / norm.wide().sqrt().max(1e-12));
        row.iter().map(move |x| *x * scale)
    });
    scaled.collect()
}

/// Which items count: the support, and of each label the `top` queries with the largest cosines, or all.
fn confident(labelled: &[(usize, f64)], support: usize, way: usize, top: usize) -> Vec<bool> {
    if top == 0 {
        return vec![true; labelled.len()];
    }
    let mut counted: Vec<bool> = (0..labelled.len()).map(|place| place < support).collect();
    for label in 0..way {
        let mut own: Vec<usize> = (support..labelled.len()).filter(|p| labelled[*p].0 == label).collect();
        own.sort_by(|a, b| labelled[*b].1.total_cmp(&labelled[*a].1));
        own.iter().take(top).for_each(|place| counted[*place] = true);
    }
    counted
}
