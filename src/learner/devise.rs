//! DeViSE, "A Deep Visual-Semantic Embedding Model" (Frome et al. 2013, NIPS): a bilinear compatibility `xᵀ·W·s` whose loss
//! is the sum of all hinge violations, `Σ_{c ≠ y} max(0, 1 + xᵀ·W·s_c − xᵀ·W·s_y)` (eq. 1, in the form of Xian et al. 2019).
//!
//! Differs from the paper: the features are given, the margin is 1 as in Xian et al. (the paper: 0.1), steps are taken over
//! mini-batches of 64, and `W` may start from the identity where sizes agree, because encoders that put items and texts in
//! one space begin with a map that is good. Training may then make it worse on unseen classes; validation classes say so,
//! and no epoch at all may be chosen.

use super::{Registry, compatibility};
use crate::tensor::SpanOps;

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    compatibility::register(
        list,
        "devise",
        "bilinear map, sum of hinge violations (Frome et al. 2013)",
        violations,
    );
}

/// 1 for every label that violates the margin, and minus their number for the truth.
fn violations(scores: &mut [f32], truth: usize) {
    let bound = scores[truth] - 1.0;
    let mut count = 0.0;
    for (label, score) in scores.iter_mut().enumerate() {
        let violates = label != truth && *score > bound;
        *score = f32::from(u8::from(violates));
        count += *score;
    }
    scores[truth] = -count;
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_violation_counts_once() {
        let mut scores = [0.5, 0.0, 1.0, 2.0];
        super::violations(&mut scores, 2);
        assert_eq!(scores, [1.0, 0.0, -2.0, 1.0]);
    }
}
