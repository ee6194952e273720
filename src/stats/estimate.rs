//! An estimate with its standard error, and what follows from the two: an interval and a test.

use std::fmt;

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{mean, variance};

/// What an interval speaks about: which repetition of the experiment it would cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Population {
    /// More episodes from the same pool: Student's t over episodes.
    Sampler,
    /// New items of the same classes: Student's t over a draw in which no item repeats (arXiv:2409.02850).
    Items,
    /// New classes: the delete-one-class jackknife of [`over_classes`](super::over_classes).
    Classes,
}

impl Population {
    /// The word in result files.
    pub fn word(self) -> &'static str {
        match self {
            Population::Sampler => "sampler",
            Population::Items => "items",
            Population::Classes => "classes",
        }
    }

    /// What it holds for: the gloss that a reader gets once.
    pub fn meaning(self) -> &'static str {
        match self {
            Population::Sampler => "these classes and items (closed)",
            Population::Items => "new items (open)",
            Population::Classes => "new classes",
        }
    }
}

impl fmt::Display for Population {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The share of repetitions that it is to cover, between 0 and 1.
    pub level: f64,
}

impl Interval {
    /// Half of its width.
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// Whether the value lies in it, ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// An estimated mean whose deviation, divided by its standard error, follows Student's t.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate itself.
    pub value: f64,
    /// Its standard error; zero where all values were equal.
    pub standard_error: f64,
    /// Degrees of freedom, 1 or more.
    pub degrees: f64,
}

/// A two-sided test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    /// The test statistic; absent without any spread, where it would be infinite or undefined.
    pub statistic: Option<f64>,
    /// The two-sided p-value.
    pub p: f64,
}

impl Estimate {
    /// The interval of Student's t; `None` unless `level` lies strictly between 0 and 1.
    ///
    /// Without any spread it is a point.
    ///
    /// ```
    /// let estimate = kshot::stats::of_mean(&[1.0, 2.0, 3.0]).unwrap();
    /// let interval = estimate.interval(0.95).unwrap();
    /// assert!((interval.low - -0.4841377117).abs() < 1e-9);
    /// assert!(interval.contains(2.0));
    /// ```
    pub fn interval(&self, level: f64) -> Option<Interval> {
        let half = t_quantile(level, self.degrees)? * self.standard_error;
        Some(Interval { low: self.value - half, high: self.value + half, level })
    }

    /// The t-test of the hypothesis that the true value is `null`.
    ///
    /// Without any spread there is nothing that t could be measured by: p is 1 where the estimate equals `null`, else the
    /// smallest that so few values allow, 2^−degrees ([`least_p`](super::least_p)).
    pub fn test(&self, null: f64) -> Test {
        let distance = self.value - null;
        if self.standard_error == 0.0 {
            return Test {
                statistic: None,
                p: if distance == 0.0 { 1.0 } else { 0.5_f64.powf(self.degrees) },
            };
        }
        let statistic = distance / self.standard_error;
        Test { statistic: Some(statistic), p: (2.0 * t_tail(statistic.abs(), self.degrees)).min(1.0) }
    }
}

/// The mean of independent values with its standard error s/√n and n − 1 degrees of freedom (Student 1908).
///
/// Over episodes of one pool this is the [`Population::Sampler`] estimate, and items that occur in several episodes do
/// it no harm: given the pool, episodes are independent. Over a draw in which no item repeats it is the
/// [`Population::Items`] estimate. `None` below two values, and where a value is not finite.
///
/// ```
/// let estimate = kshot::stats::of_mean(&[1.0, 2.0, 3.0]).unwrap();
/// assert_eq!((estimate.value, estimate.degrees), (2.0, 2.0));
/// assert_eq!(kshot::stats::of_mean(&[1.0]), None);
/// ```
pub fn of_mean(values: &[f64]) -> Option<Estimate> {
    let standard_error = (variance(values)? / values.len() as f64).sqrt();
    Some(Estimate { value: mean(values)?, standard_error, degrees: (values.len() - 1) as f64 })
}

/// The t that a two-sided interval of this level reaches to on either side.
pub(super) fn t_quantile(level: f64, degrees: f64) -> Option<f64> {
    if !(level > 0.0 && level < 1.0) {
        return None;
    }
    let t = StudentsT::new(0.0, 1.0, degrees).ok()?.inverse_cdf(0.5 + level / 2.0);
    t.is_finite().then_some(t)
}

/// The probability that t exceeds `statistic`; 1 where there is no such distribution, so that nothing is claimed.
pub(super) fn t_tail(statistic: f64, degrees: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees).map_or(1.0, |t| t.sf(statistic))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_value_and_infinite_values_have_no_estimate() {
        assert_eq!(of_mean(&[]), None);
        assert_eq!(of_mean(&[0.5]), None);
        assert_eq!(of_mean(&[0.5, f64::INFINITY]), None);
        assert_eq!(of_mean(&[0.5, f64::NAN]), None);
    }

    #[test]
    fn a_level_outside_zero_and_one_has_no_interval() {
        let estimate = of_mean(&[1.0, 2.0]).unwrap();
        for level in [0.0, 1.0, -0.5, 95.0, f64::NAN] {
            assert_eq!(estimate.interval(level), None);
        }
    }

    #[test]
    fn equal_values_give_a_point_and_a_test_without_statistic() {
        let estimate = of_mean(&[0.25; 5]).unwrap();
        let interval = estimate.interval(0.95).unwrap();
        assert_eq!((interval.low, interval.high), (0.25, 0.25));
        assert_eq!(estimate.test(0.25), Test { statistic: None, p: 1.0 });
        assert_eq!(estimate.test(0.0), Test { statistic: None, p: 0.5_f64.powf(estimate.degrees) });
    }

    proptest! {
        #[test]
        fn an_interval_contains_its_mean_and_moves_with_the_data(
            values in prop::collection::vec(-10.0..10.0_f64, 2..40), shift in -5.0..5.0_f64,
        ) {
            let plain = of_mean(&values).unwrap().interval(0.95).unwrap();
            prop_assert!(plain.contains(mean(&values).unwrap()));
            let moved: Vec<f64> = values.iter().map(|v| v + shift).collect();
            let moved = of_mean(&moved).unwrap().interval(0.95).unwrap();
            prop_assert!((moved.low - plain.low - shift).abs() < 1e-9);
            prop_assert!((moved.high - plain.high - shift).abs() < 1e-9);
        }

        #[test]
        fn the_interval_holds_exactly_the_values_that_the_test_does_not_reject(
            values in prop::collection::vec(-1.0..1.0_f64, 3..20), null in -1.0..1.0_f64,
        ) {
            let estimate = of_mean(&values).unwrap();
            let p = estimate.test(null).p;
            prop_assume!((p - 0.05).abs() > 1e-9);
            prop_assert_eq!(estimate.interval(0.95).unwrap().contains(null), p > 0.05);
        }
    }
}
