//! Two one-sided tests, and the verdict in three.

use super::estimate::{Estimate, t_tail};
use super::hall;

/// The p-value of "the true value lies outside ±`margin`", by two one-sided t-tests; small means equivalent.
///
/// Schuirmann 1987, "A comparison of the two one-sided tests procedure and the power approach", J. Pharmacokinet.
/// Biopharm. 15:657. `None` unless `margin` is positive and finite. Without any spread nothing is shown, and p is 1:
/// that two or three episodes agree does not bound what others would do.
///
/// ```
/// let estimate = kshot::stats::of_mean(&[0.001, -0.001, 0.002, -0.002]).unwrap();
/// assert!(kshot::stats::equivalence_p(&estimate, 0.01).unwrap() < 0.01);
/// ```
pub fn equivalence_p(estimate: &Estimate, margin: f64) -> Option<f64> {
    if !(margin > 0.0 && margin.is_finite()) {
        return None;
    }
    let unseen = estimate.floor.is_some_and(|floor| floor.deviating == 0);
    if estimate.standard_error == 0.0 || unseen {
        return Some(1.0);
    }
    let (value, error) = (estimate.value, estimate.standard_error);
    let beyond = |statistic: f64| hall::transformed(statistic, estimate.skewness);
    let above = t_tail(-beyond((value - margin) / error), estimate.degrees);
    let below = t_tail(beyond((value + margin) / error), estimate.degrees);
    // Where nearly all units agree, their spread alone does not bound what others would do.
    let floor = estimate.floor.map(|floor| floor.p(margin).max(floor.p(-margin)) / 2.0);
    let (above, below) = (above.max(floor.unwrap_or(0.0)), below.max(floor.unwrap_or(0.0)));
    Some(above.max(below))
}

/// What can be said of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// Larger than zero, and not shown to lie within the equivalence margin.
    Better,
    /// Smaller than zero, and not shown to lie within the equivalence margin.
    Worse,
    /// Shown to lie within the equivalence margin.
    Equivalent,
    /// Neither a difference nor equivalence was shown.
    Inconclusive,
}

impl Verdict {
    /// The word in result files.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::Equivalent => "equivalent",
            Verdict::Inconclusive => "inconclusive",
        }
    }
}

/// The verdict on a difference of this value, from its two p-values (corrected for several comparisons, where there are
/// several) and the error rate `alpha`.
///
/// Equivalence comes first: a difference that is surely not zero and surely within the margin does not make one method
/// better in any sense that the asker cared for.
pub fn verdict(value: f64, difference_p: f64, equivalence_p: Option<f64>, alpha: f64) -> Verdict {
    if equivalence_p.is_some_and(|p| p <= alpha) {
        Verdict::Equivalent
    } else if difference_p <= alpha && value > 0.0 {
        Verdict::Better
    } else if difference_p <= alpha && value < 0.0 {
        Verdict::Worse
    } else {
        Verdict::Inconclusive
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(value: f64, standard_error: f64) -> Verdict {
        let estimate = Estimate::student(value, standard_error, 599.0);
        verdict(value, estimate.test(0.0).p, equivalence_p(&estimate, 0.005), 0.05)
    }

    #[test]
    fn every_verdict_is_reached() {
        assert_eq!(judge(0.02, 0.005), Verdict::Better);
        assert_eq!(judge(-0.02, 0.005), Verdict::Worse);
        assert_eq!(judge(0.001, 0.001), Verdict::Equivalent);
        assert_eq!(judge(0.004, 0.01), Verdict::Inconclusive);
    }

    #[test]
    fn a_sure_but_irrelevant_difference_is_equivalent() {
        assert_eq!(judge(0.001, 0.0001), Verdict::Equivalent);
    }

    #[test]
    fn nothing_is_equivalent_for_lack_of_spread() {
        assert_eq!(judge(0.0, 0.0), Verdict::Inconclusive);
        assert_eq!(judge(0.001, 0.0), Verdict::Better);
    }

    #[test]
    fn a_value_at_the_bound_is_never_equivalent() {
        let estimate = Estimate::student(0.005, 0.0, 5.0);
        assert_eq!(equivalence_p(&estimate, 0.005), Some(1.0));
        assert_eq!(equivalence_p(&estimate, 0.0), None);
        assert_eq!(equivalence_p(&estimate, f64::NAN), None);
    }
}
