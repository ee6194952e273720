//! Wilcoxon's signed-rank test, as a test of symmetry about zero and of nothing else.

use statrs::distribution::{ContinuousCDF, Normal};

use super::permutation::least_p;

/// The result of a signed-rank test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignedRank {
    /// The sum of the ranks of the positive differences.
    pub positive: f64,
    /// The sum of the ranks of the negative differences.
    pub negative: f64,
    /// The two-sided p-value.
    pub p: f64,
    /// Whether p is exact rather than from the normal approximation.
    pub exact: bool,
}

/// Up to this many differences, without ties, the distribution is counted out.
const EXACT_UP_TO: usize = 50;

/// Whether the differences are distributed symmetrically about zero.
///
/// Wilcoxon 1945, Biometrics Bulletin 1:80. A skewed distribution with mean zero is rejected too, so this is no test of
/// the mean and has no part in a verdict. Zeros are left out; equal sizes share their mean rank. Exact up to 50
/// differences without zeros and ties, else the normal approximation with the variance corrected for ties and no
/// continuity correction, never below what so few signs allow. `None` where no difference is left, or one is NaN.
///
/// ```
/// let test = kshot::stats::signed_rank(&[1.0, 2.0, 3.0, -4.0]).unwrap();
/// assert_eq!((test.positive, test.negative, test.p), (6.0, 4.0, 0.875));
/// ```
pub fn signed_rank(differences: &[f64]) -> Option<SignedRank> {
    if differences.iter().any(|d| d.is_nan()) {
        return None;
    }
    let mut left: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    if left.is_empty() {
        return None;
    }
    left.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let n = left.len() as f64;
    let (mut positive, mut ties, mut start) = (0.0, 0.0, 0);
    while start < left.len() {
        let size = left[start..].iter().take_while(|d| d.abs() == left[start].abs()).count();
        let rank = start as f64 + (size as f64 + 1.0) / 2.0;
        let ahead = left[start..start + size].iter().filter(|d| **d > 0.0).count();
        positive += rank * ahead as f64;
        ties += (size as f64).powi(3) - size as f64;
        start += size;
    }
    let negative = n * (n + 1.0) / 2.0 - positive;
    let exact = ties == 0.0 && left.len() == differences.len() && left.len() <= EXACT_UP_TO;
    let p = if exact {
        exact_p(left.len(), positive.min(negative) as usize)
    } else {
        let variance = (n * (n + 1.0) * (2.0 * n + 1.0) - ties / 2.0) / 24.0;
        let z = (positive - n * (n + 1.0) / 4.0).abs() / variance.sqrt();
        2.0 * Normal::standard().sf(z)
    };
    Some(SignedRank { positive, negative, p: p.clamp(least_p(left.len()), 1.0), exact })
}

/// Twice the share of the 2ⁿ sign patterns whose rank sum is at most `smaller`.
fn exact_p(n: usize, smaller: usize) -> f64 {
    // ways[s]: subsets of the ranks so far with sum s; at most 2^50, exact in f64.
    let mut ways = vec![0.0_f64; n * (n + 1) / 2 + 1];
    ways[0] = 1.0;
    for rank in 1..=n {
        for s in (rank..ways.len()).rev() {
            ways[s] += ways[s - rank];
        }
    }
    2.0 * ways.iter().take(smaller + 1).sum::<f64>() / 2.0_f64.powi(n as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_wins_in_five_are_one_pattern_in_thirty_two_on_either_side() {
        let test = signed_rank(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!((test.p, test.exact), (2.0 / 32.0, true));
    }

    #[test]
    fn zeros_are_left_out_and_ties_share_a_rank() {
        let test = signed_rank(&[0.0, 1.0, -1.0, 2.0]).unwrap();
        assert_eq!((test.positive, test.negative, test.exact), (4.5, 1.5, false));
        assert_eq!(signed_rank(&[0.0, 0.0]), None);
        assert_eq!(signed_rank(&[f64::NAN]), None);
    }

    #[test]
    fn a_skewed_distribution_with_mean_zero_is_rejected_all_the_same() {
        // Nine small losses for each large win: the mean is zero, the symmetry is not.
        let skewed: Vec<f64> = (0..400).map(|i| if i % 10 == 0 { 9.0 } else { -1.0 }).collect();
        assert!(signed_rank(&skewed).unwrap().p < 1e-6);
        assert_eq!(crate::stats::mean(&skewed), Some(0.0));
    }
}
