//! Several learners on several data sets: ranks within each data set, never pooled episodes.
//!
//! Demšar 2006, "Statistical comparisons of classifiers over multiple data sets", JMLR 7:1.

use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor, Normal};

/// Friedman's test of "all learners rank alike".
#[derive(Clone, Debug, PartialEq)]
pub struct Friedman {
    /// The mean rank of each learner over the data sets; rank 1 is the highest value.
    pub ranks: Vec<f64>,
    /// Friedman's statistic, corrected for ties.
    pub chi_squared: f64,
    /// Its p-value, with learners − 1 degrees of freedom.
    pub p: f64,
    /// The p-value of Iman and Davenport's F form, which is less conservative.
    pub iman_davenport_p: f64,
}

/// Ranks learners within each data set and tests whether they differ (Friedman 1937; Iman and Davenport 1980).
///
/// `values[d][l]` is the result of learner l on data set d, higher is better. `None` below two data sets or three
/// learners, for rows of unequal length, a NaN, and where every data set ties all learners.
///
/// ```
/// let friedman = kshot::stats::friedman(&[[0.9, 0.8, 0.7], [0.6, 0.5, 0.4], [0.8, 0.9, 0.1]]).unwrap();
/// assert_eq!(friedman.ranks, [4.0 / 3.0, 5.0 / 3.0, 3.0]);
/// ```
pub fn friedman(values: &[impl AsRef<[f64]>]) -> Option<Friedman> {
    let learners = values.first()?.as_ref().len();
    let usable = |row: &[f64]| row.len() == learners && row.iter().all(|v| !v.is_nan());
    if values.len() < 2 || learners < 3 || !values.iter().all(|row| usable(row.as_ref())) {
        return None;
    }
    let (n, k) = (values.len() as f64, learners as f64);
    let mut ranks = vec![0.0; learners];
    let mut ties = 0.0;
    for row in values {
        let row = row.as_ref();
        for (rank, value) in ranks.iter_mut().zip(row) {
            let above = row.iter().filter(|other| *other > value).count() as f64;
            let alike = row.iter().filter(|other| *other == value).count() as f64;
            *rank += above + (alike + 1.0) / 2.0;
            // t³ − t summed over groups of t alike is t² − 1 summed over their members.
            ties += alike * alike - 1.0;
        }
    }
    let correction = 1.0 - ties / (n * k * (k * k - 1.0));
    if correction <= 0.0 {
        return None;
    }
    let squares: f64 = ranks.iter().map(|r| r * r).sum();
    let chi_squared = ((12.0 / (n * k * (k + 1.0)) * squares - 3.0 * n * (k + 1.0)) / correction).max(0.0);
    let p = ChiSquared::new(k - 1.0).ok()?.sf(chi_squared);
    let rest = n * (k - 1.0) - chi_squared;
    // Where every data set ranks the learners alike, F is infinite.
    let iman_davenport_p = if rest <= 1e-12 * n * k {
        0.0
    } else {
        FisherSnedecor::new(k - 1.0, (k - 1.0) * (n - 1.0)).ok()?.sf((n - 1.0) * chi_squared / rest)
    };
    ranks.iter_mut().for_each(|r| *r /= n);
    Some(Friedman { ranks, chi_squared, p, iman_davenport_p })
}

/// Nemenyi's p-value for two mean ranks that differ by `difference`, corrected for all pairs of learners (Nemenyi 1963).
///
/// `None` below two learners or data sets, and for a NaN.
pub fn nemenyi_p(difference: f64, learners: usize, data_sets: usize) -> Option<f64> {
    if learners < 2 || data_sets < 2 || difference.is_nan() {
        return None;
    }
    Some(range_tail(difference.abs() / rank_error(learners, data_sets), learners))
}

/// Nemenyi's critical difference: mean ranks further apart than this differ at error rate `alpha`.
///
/// `None` below two learners or data sets, and for an `alpha` outside 0 and 1.
///
/// ```
/// // Demšar's example: 4 learners on 14 data sets.
/// let difference = kshot::stats::nemenyi_difference(4, 14, 0.05).unwrap();
/// assert!((difference - 1.25).abs() < 0.005);
/// ```
pub fn nemenyi_difference(learners: usize, data_sets: usize, alpha: f64) -> Option<f64> {
    if learners < 2 || data_sets < 2 || !(alpha > 0.0 && alpha < 1.0) {
        return None;
    }
    let (mut low, mut high) = (0.0, 100.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if range_tail(middle, learners) > alpha { low = middle } else { high = middle }
    }
    Some((low + high) / 2.0 * rank_error(learners, data_sets))
}

/// The standard error of a mean rank, on the scale of the studentised range.
fn rank_error(learners: usize, data_sets: usize) -> f64 {
    let (n, k) = (data_sets as f64, learners as f64);
    (k * (k + 1.0) / (12.0 * n)).sqrt()
}

/// The probability that the range of k standard normal values exceeds q: 1 − k·∫ φ(z)·(Φ(z) − Φ(z − q))^(k−1) dz.
fn range_tail(q: f64, k: usize) -> f64 {
    let normal = Normal::standard();
    // The integrand is smooth and dies out at both ends, where the trapezoid rule converges faster than any power.
    const STEPS: i32 = 400;
    let step = 20.0 / f64::from(STEPS);
    let inside: f64 = (0..=STEPS)
        .map(|i| {
            let z = -10.0 + f64::from(i) * step;
            let density = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
            density * (normal.cdf(z) - normal.cdf(z - q)).max(0.0).powi(k as i32 - 1)
        })
        .sum();
    (1.0 - k as f64 * inside * step).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_two_normals_is_a_difference_with_variance_two() {
        for q in [0.5, 1.0, 3.0] {
            let expected = 2.0 * Normal::standard().sf(q / 2.0_f64.sqrt());
            assert!((range_tail(q, 2) - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn the_critical_difference_is_where_p_is_alpha() {
        let difference = nemenyi_difference(5, 8, 0.05).unwrap();
        assert!((nemenyi_p(difference, 5, 8).unwrap() - 0.05).abs() < 1e-9);
    }

    #[test]
    fn too_little_or_ties_throughout_cannot_be_ranked() {
        assert_eq!(friedman(&[[0.1, 0.2, 0.3]]), None);
        assert_eq!(friedman(&[[0.1, 0.2], [0.1, 0.2]]), None);
        assert_eq!(friedman(&[[0.5; 3], [0.7; 3]]), None);
        assert_eq!(friedman(&[vec![0.1, 0.2, 0.3], vec![0.1, 0.2]]), None);
        assert_eq!(friedman(&[[0.1, 0.2, f64::NAN], [0.1, 0.2, 0.3]]), None);
        assert_eq!(nemenyi_p(f64::NAN, 4, 14), None);
        assert_eq!(nemenyi_difference(4, 14, 0.0), None);
    }

    #[test]
    fn the_same_order_everywhere_is_as_sure_as_it_gets() {
        let friedman = friedman(&[[3.0, 2.0, 1.0]; 4]).unwrap();
        assert_eq!(friedman.ranks, [1.0, 2.0, 3.0]);
        assert_eq!((friedman.chi_squared, friedman.iman_davenport_p), (8.0, 0.0));
    }
}
