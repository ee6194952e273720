//! In how many episodes one learner is ahead of another.

use statrs::distribution::{ContinuousCDF, Normal};

use super::estimate::Interval;

/// P(A > B) + ½·P(A = B) over shared episodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Superiority {
    /// The share of episodes won, ties counted half.
    pub value: f64,
    /// Its score interval, within 0 and 1.
    pub interval: Interval,
}

/// The probability that the first learner is ahead in an episode, from the differences first − second.
///
/// With b episodes won, c lost and n in all, the value is ½ + (b − c)/2n: a difference of two paired proportions, whose
/// score interval is that of Tango 1998, "Equivalence test and confidence interval for the difference in proportions for
/// the paired-sample design", Stat. Med. 17:891. Unlike a t interval it stays within 0 and 1 and keeps its width where
/// every episode is won, or tied. `None` for no differences, a NaN, or a level outside 0 and 1.
///
/// ```
/// let ahead = kshot::stats::superiority(&[0.1, 0.2, 0.0, -0.1], 0.95).unwrap();
/// assert_eq!(ahead.value, 0.625);
/// assert!(ahead.interval.contains(0.5));
/// ```
pub fn superiority(differences: &[f64], level: f64) -> Option<Superiority> {
    if differences.is_empty() || differences.iter().any(|d| d.is_nan()) || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let z = Normal::standard().inverse_cdf(0.5 + level / 2.0);
    let n = differences.len() as f64;
    let won = differences.iter().filter(|d| **d > 0.0).count() as f64;
    let lost = differences.iter().filter(|d| **d < 0.0).count() as f64;
    let centre = (won - lost) / n;
    // The score falls as the assumed difference grows: z at the lower end, −z at the upper.
    let low = crossing(-1.0, centre, |assumed| score(won, lost, n, assumed) > z);
    let high = crossing(centre, 1.0, |assumed| score(won, lost, n, assumed) >= -z);
    let interval = Interval { low: 0.5 + low / 2.0, high: 0.5 + high / 2.0, level };
    Some(Superiority { value: 0.5 + centre / 2.0, interval })
}

/// Tango's score of an assumed difference, with the maximum likelihood share of losses under it.
fn score(won: f64, lost: f64, n: f64, assumed: f64) -> f64 {
    let a = 2.0 * n;
    let b = -won - lost + (2.0 * n - won + lost) * assumed;
    let c = -lost * assumed * (1.0 - assumed);
    let share = ((b * b - 4.0 * a * c).max(0.0).sqrt() - b) / (2.0 * a);
    let variance = n * (2.0 * share + assumed * (1.0 - assumed));
    let distance = won - lost - n * assumed;
    if variance > 0.0 { distance / variance.sqrt() } else { distance * f64::MAX }
}

/// Where `before` turns false between two bounds; the bound itself where it does not turn.
fn crossing(mut low: f64, mut high: f64, before: impl Fn(f64) -> bool) -> f64 {
    if before(high) {
        return high;
    }
    if !before(low) {
        return low;
    }
    // 60 halvings of a range of at most 2 end below the spacing of f64 around 1.
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if before(middle) { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn winning_every_episode_reaches_one_and_leaves_room_below() {
        let all = superiority(&[0.1; 20], 0.95).unwrap();
        assert_eq!((all.value, all.interval.high), (1.0, 1.0));
        // Without losses and ties the score is √(n·(1 − δ)/(1 + δ)), so the lower end is Wilson's n/(n + z²).
        assert!((all.interval.low - 20.0 / (20.0 + 1.959963984540054_f64.powi(2))).abs() < 1e-9);
    }

    #[test]
    fn ties_alone_are_a_half_with_room_on_both_sides() {
        let ties = superiority(&[0.0; 20], 0.95).unwrap();
        assert_eq!(ties.value, 0.5);
        assert!((ties.interval.low + ties.interval.high - 1.0).abs() < 1e-12);
        assert!(ties.interval.half_width() > 0.05);
    }

    #[test]
    fn nothing_to_compare_has_no_superiority() {
        assert_eq!(superiority(&[], 0.95), None);
        assert_eq!(superiority(&[f64::NAN], 0.95), None);
        assert_eq!(superiority(&[0.1], 1.0), None);
    }

    proptest! {
        #[test]
        fn swapping_the_learners_mirrors_the_interval(signs in prop::collection::vec(-1..=1_i32, 1..60)) {
            let forth: Vec<f64> = signs.iter().map(|s| f64::from(*s)).collect();
            let back: Vec<f64> = forth.iter().map(|d| -d).collect();
            let (forth, back) = (superiority(&forth, 0.9).unwrap(), superiority(&back, 0.9).unwrap());
            prop_assert!((forth.value + back.value - 1.0).abs() < 1e-12);
            prop_assert!((forth.interval.low + back.interval.high - 1.0).abs() < 1e-9);
            prop_assert!(forth.interval.contains(forth.value));
            prop_assert!(forth.interval.low >= 0.0 && forth.interval.high <= 1.0);
        }
    }
}
