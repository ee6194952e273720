//! SJE, "Evaluation of Output Embeddings for Fine-Grained Image Classification" (Akata et al. 2015, CVPR): a bilinear
//! compatibility `xᵀ·W·s` whose loss is the largest hinge violation, `max_c max(0, Δ(y, c) + xᵀ·W·s_c − xᵀ·W·s_y)` with Δ = 1
//! for a wrong class (eqs. 3 and 4).
//!
//! Differs from the paper: mini-batches of 64 in place of single items, and `W` may start from the identity where sizes
//! agree (see `devise`).

use super::{Registry, compatibility};
use crate::tensor::SpanOps;

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    compatibility::register(
        list,
        "sje",
        "bilinear map, largest hinge violation (Akata et al. 2015)",
        largest,
    );
}

/// 1 for the wrong label with the highest score, the lowest of equals, where it violates the margin; −1 for the truth.
fn largest(scores: &mut [f32], truth: usize) {
    let bound = scores[truth] - 1.0;
    let wrong = scores.iter().enumerate().filter(|(label, score)| *label != truth && **score > bound);
    let worst = wrong.fold(None, |worst: Option<(usize, f32)>, (label, score)| match worst {
        Some((_, known)) if *score <= known => worst,
        _ => Some((label, *score)),
    });
    scores.fill(0.0);
    if let Some((label, _)) = worst {
        scores[label] = 1.0;
        scores[truth] = -1.0;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_the_largest_violation_counts() {
        let mut scores = [0.5, 2.0, 1.0, 2.0];
        super::largest(&mut scores, 2);
        assert_eq!(scores, [0.0, 1.0, -1.0, 0.0]);
    }
}
