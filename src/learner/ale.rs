//! ALE, "Label-Embedding for Image Classification" (Akata et al. 2016, IEEE TPAMI 38(7)): a bilinear compatibility `xᵀ·W·s`
//! whose loss weighs hinge violations by the rank of the truth, after WSABIE (Weston et al. 2011):
//! `(β_r / r)·Σ_{c ≠ y} max(0, 1 + xᵀ·W·s_c − xᵀ·W·s_y)` with `β_r = Σ_{i ≤ r} 1/i` and `r` the number of violations.
//!
//! Differs from the paper: the rank is counted over all classes, not estimated by drawing labels until one violates the
//! margin, because seen classes are few enough to score all of them; mini-batches of 64; and `W` may start from the
//! identity where sizes agree (see `devise`).

use super::{Registry, compatibility};
use crate::tensor::SpanOps;

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    compatibility::register(
        list,
        "ale",
        "bilinear map, hinge violations weighed by rank (Akata et al. 2016)",
        by_rank,
    );
}

/// `β_r / r` for every label that violates the margin, and minus their sum for the truth.
fn by_rank(scores: &mut [f32], truth: usize) {
    let bound = scores[truth] - 1.0;
    let violates = |label: usize, score: f32| label != truth && score > bound;
    let rank = scores.iter().enumerate().filter(|(label, score)| violates(*label, **score)).count();
    let sum: f64 = (1..=rank).map(|i| 1.0 / i as f64).sum();
    let weight = (sum / rank.max(1) as f64) as f32;
    for (label, score) in scores.iter_mut().enumerate() {
        *score = if violates(label, *score) { weight } else { 0.0 };
    }
    scores[truth] = -(sum as f32);
}

#[cfg(test)]
mod tests {
    #[test]
    fn violations_share_the_weight_of_the_rank() {
        let mut scores = [0.5, 0.0, 1.0, 2.0];
        super::by_rank(&mut scores, 2);
        assert_eq!(scores, [0.75, 0.0, -1.5, 0.75]);
        let mut right = [0.0, 5.0];
        super::by_rank(&mut right, 1);
        assert_eq!(right, [0.0, 0.0]);
    }
}
