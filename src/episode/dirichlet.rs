//! Unbalanced queries: class proportions from a symmetric Dirichlet distribution.
//!
//! Veilleux et al. 2021, "Realistic evaluation of transductive few-shot learning", section 3. They round the proportions
//! to whole queries and mend the sum at the classes nearest to a half, which is the method of largest remainders. Differs
//! from their sampler: support and query are disjoint, because a query that a learner has seen labelled is no question;
//! and a class is never given more queries than it has, the surplus goes to the others.

use crate::rng::Stream;

/// The proportions of `way` classes, written into `proportions`: positive, not normalised.
pub(super) fn proportions(stream: &mut Stream, alpha: f64, way: usize, proportions: &mut Vec<f64>) {
    loop {
        proportions.clear();
        proportions.extend((0..way).map(|_| gamma(stream, alpha)));
        // At the smallest concentrations all of them can underflow.
        if proportions.iter().sum::<f64>() > 0.0 {
            return;
        }
    }
}

/// A gamma variate of scale 1.
///
/// Marsaglia and Tsang 2000, "A simple method for generating gamma variables"; their note on shapes below 1.
fn gamma(stream: &mut Stream, shape: f64) -> f64 {
    if shape < 1.0 {
        let uniform = 1.0 - stream.unit();
        return gamma(stream, shape + 1.0) * uniform.powf(1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = stream.normal();
        let v = (1.0 + c * x).powi(3);
        let uniform = 1.0 - stream.unit();
        if v > 0.0 && uniform.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

/// Shares `total` out in these proportions, written into `counts`; no class gets more than its `room`.
///
/// Largest remainders, ties to the lower label; what a full class cannot take is shared out again among the others.
/// Returns whether there was room for all.
pub(super) fn allot(proportions: &[f64], total: u32, room: &[u32], counts: &mut Vec<u32>) -> bool {
    counts.clear();
    counts.resize(proportions.len(), 0);
    let mut left = total;
    while left > 0 {
        let mut open: Vec<usize> = (0..room.len()).filter(|c| counts[*c] < room[*c]).collect();
        if open.is_empty() {
            return false;
        }
        let sum: f64 = open.iter().map(|c| proportions[*c]).sum();
        let share = |class: usize| {
            let part = if sum > 0.0 { proportions[class] / sum } else { 1.0 / open.len() as f64 };
            part * f64::from(left)
        };
        let mut shares: Vec<(usize, f64)> = open.iter().map(|c| (*c, share(*c))).collect();
        let whole: u32 = shares.iter().map(|(_, s)| s.floor() as u32).sum();
        shares.sort_by(|a, b| b.1.fract().total_cmp(&a.1.fract()));
        let ups = left.saturating_sub(whole) as usize;
        open.clear();
        for (place, (class, share)) in shares.into_iter().enumerate() {
            let wanted = share.floor() as u32 + u32::from(place < ups);
            let given = wanted.min(room[class] - counts[class]).min(left);
            counts[class] += given;
            left -= given;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;

    fn allotted(proportions: &[f64], total: u32, room: &[u32]) -> Option<Vec<u32>> {
        let mut counts = Vec::new();
        allot(proportions, total, room, &mut counts).then_some(counts)
    }

    #[test]
    fn largest_remainders_share_out_the_whole_total() {
        // Quotas 5.5, 3.3, 2.2.
        assert_eq!(allotted(&[0.5, 0.3, 0.2], 11, &[99; 3]), Some(vec![6, 3, 2]));
        assert_eq!(allotted(&[1.0, 1.0, 1.0], 4, &[99; 3]), Some(vec![2, 1, 1]));
        assert_eq!(allotted(&[1.0, 1e-9], 7, &[99; 2]), Some(vec![7, 0]));
    }

    #[test]
    fn a_full_class_passes_its_surplus_on_in_proportion() {
        // 10 − 4 = 6 more for the other two, 1 : 2.
        assert_eq!(allotted(&[7.0, 1.0, 2.0], 10, &[4, 99, 99]), Some(vec![4, 2, 4]));
        assert_eq!(allotted(&[1.0, 0.0], 5, &[2, 3]), Some(vec![2, 3]));
        assert_eq!(allotted(&[1.0, 1.0], 6, &[2, 3]), None);
    }

    #[test]
    fn gamma_variates_have_mean_and_variance_equal_to_their_shape() {
        let mut stream = Stream::new(4, Purpose::Draw, 0);
        for shape in [0.3, 1.0, 2.0, 9.0] {
            let draws: Vec<f64> = (0..40_000).map(|_| gamma(&mut stream, shape)).collect();
            let mean = draws.iter().sum::<f64>() / draws.len() as f64;
            let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / draws.len() as f64;
            // The standard error of the mean is √(shape / n); that of the variance √((2 shape² + 6 shape) / n).
            assert!((mean - shape).abs() < 5.0 * (shape / 4e4_f64).sqrt(), "{shape}: {mean}");
            let error = ((2.0 * shape * shape + 6.0 * shape) / 4e4_f64).sqrt();
            assert!((variance - shape).abs() < 5.0 * error, "{shape}: {variance}");
        }
    }

    #[test]
    fn proportions_spread_as_a_dirichlet_distribution_does() {
        // Var p = (1/k)(1 − 1/k) / (kα + 1); for k = 5, α = 2: 0.16 / 11.
        let mut stream = Stream::new(5, Purpose::Draw, 0);
        let (mut drawn, mut sum, mut squares) = (Vec::new(), 0.0, 0.0);
        for _ in 0..20_000 {
            proportions(&mut stream, 2.0, 5, &mut drawn);
            let first = drawn[0] / drawn.iter().sum::<f64>();
            sum += first;
            squares += first * first;
        }
        let (mean, second) = (sum / 2e4, squares / 2e4);
        assert!((mean - 0.2).abs() < 0.005, "{mean}");
        assert!((second - mean * mean - 0.16 / 11.0).abs() < 0.001, "{second}");
        proportions(&mut stream, 0.01, 5, &mut drawn);
        assert!(drawn.iter().sum::<f64>() > 0.0);
    }
}
