//! Two independent samples, and two sources of variation at once.

use super::estimate::{Estimate, of_mean};

/// The difference of the means of two independent samples, with Welch's degrees of freedom.
///
/// Welch 1947, "The generalization of Student's problem when several different population variances are involved",
/// Biometrika 34:28. `None` below two values in a sample, and where a value is not finite.
///
/// ```
/// let estimate = kshot::stats::welch(&[3.0, 4.0, 5.0], &[1.0, 2.0, 3.0]).unwrap();
/// assert_eq!((estimate.value, estimate.degrees), (2.0, 4.0));
/// ```
pub fn welch(a: &[f64], b: &[f64]) -> Option<Estimate> {
    let (a, b) = (of_mean(a)?, of_mean(b)?);
    Some(combined(a.value - b.value, a, b))
}

/// An estimate of this value that varies for two reasons, independent of each other: variances add, and the degrees of
/// freedom are Satterthwaite's (1946, "An approximate distribution of estimates of variance components", Biometrics
/// Bulletin 2:110).
pub fn combined(value: f64, a: Estimate, b: Estimate) -> Estimate {
    let (va, vb) = (a.standard_error.powi(2), b.standard_error.powi(2));
    let variance = va + vb;
    let degrees = if variance > 0.0 {
        variance.powi(2) / (va.powi(2) / a.degrees + vb.powi(2) / b.degrees)
    } else {
        a.degrees + b.degrees
    };
    Estimate::student(value, variance.sqrt(), degrees)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_without_spread_leaves_the_degrees_of_the_other() {
        let estimate = welch(&[1.0, 2.0, 4.0], &[0.5; 9]).unwrap();
        assert_eq!(estimate.degrees, 2.0);
        assert_eq!(welch(&[1.0, 1.0], &[1.0, 1.0, 1.0]).unwrap().degrees, 3.0);
        assert_eq!(welch(&[1.0], &[1.0, 2.0]), None);
    }

    /// `scipy.stats.ttest_ind([.1,.4,.35,.8,.2], [.5,.9,.7,.65], equal_var=False)`, SciPy 1.17.
    #[test]
    fn agrees_with_scipy() {
        let estimate = welch(&[0.1, 0.4, 0.35, 0.8, 0.2], &[0.5, 0.9, 0.7, 0.65]).unwrap();
        let test = estimate.test(0.0);
        assert!((test.statistic.unwrap() - SCIPY.0).abs() < 1e-12, "{test:?}");
        assert!(
            (test.p - SCIPY.1).abs() < 1e-10 && (estimate.degrees - SCIPY.2).abs() < 1e-10,
            "{estimate:?} {test:?}"
        );
    }

    const SCIPY: (f64, f64, f64) = (-2.1794213210371103, 0.06749598310687775, 6.68690017767947);
}
