//! Several tests at once.

/// Holm's adjusted p-values, in the order given: reject where they are at most α, and the chance of any false rejection
/// is at most α whatever the dependence.
///
/// Holm 1979, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6:65. `None` where a value is
/// not between 0 and 1.
///
/// ```
/// let adjusted = kshot::stats::holm(&[0.25, 0.125, 0.375]).unwrap();
/// assert_eq!(adjusted, [0.5, 0.375, 0.5]);
/// ```
pub fn holm(p: &[f64]) -> Option<Vec<f64>> {
    if p.iter().any(|p| !(0.0..=1.0).contains(p)) {
        return None;
    }
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
    let mut adjusted = vec![0.0; p.len()];
    let mut largest = 0.0_f64;
    for (rank, &i) in order.iter().enumerate() {
        largest = largest.max(p[i] * (p.len() - rank) as f64).min(1.0);
        adjusted[i] = largest;
    }
    Some(adjusted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_test_stays_as_it_is() {
        assert_eq!(holm(&[0.03]), Some(vec![0.03]));
        assert_eq!(holm(&[]), Some(vec![]));
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        assert_eq!(holm(&[0.1, f64::NAN]), None);
        assert_eq!(holm(&[1.5]), None);
    }
}
