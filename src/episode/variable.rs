//! Episodes of variable size, by the rules of Meta-Dataset for datasets without a class hierarchy.
//!
//! Triantafillou et al. 2020, "Meta-Dataset: A Dataset of Datasets for Learning to Learn from Few Examples", section 3
//! and appendix A.3.

use crate::rng::Stream;

/// The fewest classes of an episode.
pub(super) const LEAST_WAY: u32 = 5;
/// The most classes of an episode.
pub(super) const MOST_WAY: u32 = 50;
/// The most queries of a class.
const MOST_QUERY: u32 = 10;
/// The most support items of an episode.
pub(super) const MOST_SUPPORT: u32 = 500;
/// The most items that one class adds to the size of the support; it may well be given more of it.
const MOST_SHARE: u32 = 100;

/// The number of classes: uniform in 5 … min(50, classes).
pub(super) fn way(stream: &mut Stream, classes: u32) -> u32 {
    LEAST_WAY + stream.below(MOST_WAY.min(classes) - LEAST_WAY + 1)
}

/// The queries of every class: min(10, ⌊smallest class / 2⌋).
pub(super) fn query(sizes: &[u32]) -> u32 {
    MOST_QUERY.min(sizes.iter().min().copied().unwrap_or(0) / 2)
}

/// The support items of each class, written into `shots`. Every class has two items or more.
pub(super) fn shots(stream: &mut Stream, sizes: &[u32], shots: &mut Vec<u32>) {
    let query = query(sizes);
    let total = support_size(1.0 - stream.unit(), sizes, query);
    shots.clear();
    let weights: Vec<f64> =
        sizes.iter().map(|size| f64::from(*size) * (2.0 * stream.unit() - 1.0).exp2()).collect();
    shots.extend(shares(&weights, total, sizes, query));
}

/// The size of the support: min(500, Σ_c ⌈β · min(100, size_c − query)⌉), β in (0, 1].
///
/// The published code has ⌊β · … + 1⌋ with β in [0, 1), which is the same distribution.
fn support_size(beta: f64, sizes: &[u32], query: u32) -> u32 {
    let share = |size: &u32| (beta * f64::from((size - query).min(MOST_SHARE))).ceil() as u32;
    sizes.iter().map(share).sum::<u32>().min(MOST_SUPPORT)
}

/// The support items of each class: min(⌊R_c · (total − way)⌋ + 1, size_c − query), with R_c the class's share of the
/// weights, and the weight of a class its size times exp(a), a uniform in [log ½, log 2), which is 2 to a uniform
/// power in [−1, 1).
fn shares(weights: &[f64], total: u32, sizes: &[u32], query: u32) -> impl Iterator<Item = u32> {
    let sum: f64 = weights.iter().sum();
    let spare = f64::from(total.saturating_sub(weights.len() as u32));
    weights.iter().zip(sizes).map(move |(w, size)| ((w / sum * spare) as u32 + 1).min(size - query))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;

    #[test]
    fn the_published_rules_give_these_sizes_on_paper() {
        assert_eq!(query(&[20, 30, 45]), 10);
        assert_eq!(query(&[20, 7]), 3);
        // ⌈0.5 · 10⌉ + ⌈0.5 · 15⌉ + ⌈0.5 · 100⌉ = 5 + 8 + 50.
        assert_eq!(support_size(0.5, &[20, 25, 400], 10), 63);
        assert_eq!(support_size(1.0, &[400; 6], 10), 500);
        assert_eq!(support_size(1e-9, &[400; 6], 10), 6);
        // 13 − 3 = 10 to share as 1 : 2 : 2; the last class has only 4 left.
        assert_eq!(shares(&[1.0, 2.0, 2.0], 13, &[20, 20, 14], 10).collect::<Vec<_>>(), [3, 5, 4]);
    }

    #[test]
    fn ways_reach_both_bounds_and_never_pass_them() {
        let mut stream = Stream::new(1, Purpose::Draw, 0);
        for (classes, most) in [(5, 5), (12, 12), (900, 50)] {
            let ways: Vec<u32> = (0..2000).map(|_| way(&mut stream, classes)).collect();
            assert_eq!((ways.iter().min(), ways.iter().max()), (Some(&5), Some(&most)));
        }
    }

    #[test]
    fn every_class_has_a_shot_and_leaves_its_queries() {
        let mut stream = Stream::new(2, Purpose::Draw, 0);
        let (sizes, mut drawn) = ([2, 3, 20, 500, 4000], Vec::new());
        for _ in 0..500 {
            shots(&mut stream, &sizes, &mut drawn);
            assert!(drawn.iter().zip(&sizes).all(|(shot, size)| *shot >= 1 && shot < size));
            assert!(drawn.iter().sum::<u32>() <= MOST_SUPPORT);
        }
    }
}
