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

/// Adjusted p-values of two questions per pair, of which at most one is true: "no difference" and "at least the margin".
/// The chance of any wrong answer to either is at most α.
///
/// Holm's procedure over all of them, with as many hypotheses at each step as can still be true: a pair counts once while
/// either of its two stands, since no difference is zero and beyond the margin at once (Shaffer 1986, "Modified sequentially
/// rejective multiple test procedures", J. Am. Stat. Assoc. 81:826). Without equivalence it is [`holm`]. `None` for lists of
/// unequal length, and where a value is not between 0 and 1.
///
/// ```
/// let (difference, equivalence) = kshot::stats::holm_pairs(&[0.01, 0.6], &[Some(0.9), Some(0.02)]).unwrap();
/// assert_eq!((difference[0], equivalence[1]), (Some(0.02), Some(0.04)));
/// ```
pub fn holm_pairs(
    difference: &[f64],
    equivalence: &[Option<f64>],
) -> Option<(Vec<Option<f64>>, Vec<Option<f64>>)> {
    let pairs = difference.len();
    let of = |place: usize| if place < pairs { Some(difference[place]) } else { equivalence[place - pairs] };
    let wrong = |place: usize| of(place).is_some_and(|p| !(0.0..=1.0).contains(&p));
    if equivalence.len() != pairs || (0..2 * pairs).any(wrong) {
        return None;
    }
    let mut order: Vec<(usize, f64)> = (0..2 * pairs).filter_map(|place| Some((place, of(place)?))).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut standing: Vec<u32> = equivalence.iter().map(|p| 1 + u32::from(p.is_some())).collect();
    let mut adjusted = vec![None; 2 * pairs];
    let mut largest = 0.0_f64;
    for (place, p) in order {
        let open = standing.iter().filter(|left| **left > 0).count();
        largest = largest.max(p * open as f64).min(1.0);
        adjusted[place] = Some(largest);
        standing[place % pairs] -= 1;
    }
    let equivalence = adjusted.split_off(pairs);
    Some((adjusted, equivalence))
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
    fn without_equivalence_pairs_are_those_of_holm() {
        let p = [0.25, 0.125, 0.375];
        let (adjusted, none) = holm_pairs(&p, &[None; 3]).unwrap();
        assert_eq!(adjusted.into_iter().collect::<Option<Vec<f64>>>(), holm(&p));
        assert_eq!(none, [None; 3]);
    }

    #[test]
    fn a_pair_counts_while_either_of_its_questions_is_open() {
        // 0.01 · 2; 0.02 · 2, since the first pair may still be beyond the margin; 0.6 · 2 and 0.9 · 1 at most 1.
        let (difference, equivalence) = holm_pairs(&[0.01, 0.6], &[Some(0.9), Some(0.02)]).unwrap();
        assert_eq!(difference, [Some(0.02), Some(1.0)]);
        assert_eq!(equivalence, [Some(1.0), Some(0.04)]);
        // One pair that is surely neither zero nor beyond the margin leaves one pair.
        let (difference, _) = holm_pairs(&[0.001, 0.03], &[Some(0.001), None]).unwrap();
        assert_eq!(difference[1], Some(0.03));
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        assert_eq!(holm(&[0.1, f64::NAN]), None);
        assert_eq!(holm(&[1.5]), None);
    }
}
