//! Two learners on the same episodes: the difference per episode, and its size.

use super::estimate::{Estimate, of_mean};
use super::variance;

/// `a − b`, place by place; `None` where the two are not equally long.
pub fn differences(a: &[f64], b: &[f64]) -> Option<Vec<f64>> {
    (a.len() == b.len()).then(|| a.iter().zip(b).map(|(a, b)| a - b).collect())
}

/// The mean of `a − b` over shared episodes; its test against 0 is the paired t-test.
///
/// `None` for unequal lengths, below two pairs, and where a value is not finite.
///
/// ```
/// let estimate = kshot::stats::paired(&[0.9, 0.8, 0.7], &[0.8, 0.8, 0.5]).unwrap();
/// assert!((estimate.value - 0.1).abs() < 1e-12);
/// assert!(estimate.test(0.0).p > 0.2);
/// ```
pub fn paired(a: &[f64], b: &[f64]) -> Option<Estimate> {
    of_mean(&differences(a, b)?)
}

/// How large a paired difference is on one data set.
///
/// Data sets are laid side by side, one effect each; their episodes are never pooled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// The mean difference.
    pub difference: Estimate,
    /// The mean difference divided by the standard deviation of the differences (Cohen 1988, d_z); absent without spread.
    pub standardised: Option<f64>,
}

impl Effect {
    /// The effect of `a` over `b`; `None` where [`paired`] is.
    pub fn of(a: &[f64], b: &[f64]) -> Option<Effect> {
        let differences = differences(a, b)?;
        let difference = of_mean(&differences)?;
        let spread = variance(&differences)?.sqrt();
        Some(Effect { difference, standardised: (spread > 0.0).then(|| difference.value / spread) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unequal_lengths_are_not_paired() {
        assert_eq!(paired(&[1.0, 2.0], &[1.0, 2.0, 3.0]), None);
    }

    #[test]
    fn an_effect_counts_standard_deviations() {
        let effect = Effect::of(&[3.0, 5.0, 7.0], &[1.0, 1.0, 1.0]).unwrap();
        assert_eq!(effect.difference.value, 4.0);
        assert_eq!(effect.standardised, Some(2.0));
        assert_eq!(Effect::of(&[1.0, 1.0], &[0.0, 0.0]).unwrap().standardised, None);
    }
}
