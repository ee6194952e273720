//! An estimate with its standard error, and what follows from the two: an interval and a test.

use std::fmt;

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::floor::Floor;
use super::method::IntervalMethod;
use super::{hall, mean, variance};

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

    /// How far it reaches below and above an estimate, in words: one number where both are shown alike, else `−below +above`.
    pub fn arms(&self, estimate: f64, shown: impl Fn(f64) -> String) -> String {
        let [below, above] = [estimate - self.low, self.high - estimate].map(|arm| arm.max(0.0));
        let alike = (below - above).abs() <= 0.02 * (below + above) || shown(below) == shown(above);
        if alike { shown(self.half_width()) } else { format!("−{} +{}", shown(below), shown(above)) }
    }

    /// Whether the value lies in it, ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// An estimated mean whose deviation, divided by its standard error, follows Student's t; after Hall's transformation where
/// its error is skewed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate itself.
    pub value: f64,
    /// Its standard error; zero where all values were equal.
    pub standard_error: f64,
    /// Degrees of freedom; few where the standard error is hardly known.
    pub degrees: f64,
    /// The skewness of its error; 0 for a symmetric one.
    pub skewness: f64,
    /// What an interval must reach whatever the standard error, where nearly all units agree.
    pub floor: Option<Floor>,
    /// The values that it can take, where that is known: no interval reaches beyond.
    pub range: Option<(f64, f64)>,
    /// How it was made.
    pub method: IntervalMethod,
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
    /// An estimate by Student's t.
    pub fn student(value: f64, standard_error: f64, degrees: f64) -> Estimate {
        let method = IntervalMethod::StudentT;
        Estimate { value, standard_error, degrees, skewness: 0.0, floor: None, range: None, method }
    }

    /// The interval of Student's t; `None` unless `level` lies strictly between 0 and 1.
    ///
    /// Without any spread it is what the floor says, and `None` without a floor: that all values were equal does not make
    /// the estimate exact.
    ///
    /// ```
    /// let estimate = kshot::stats::of_mean(&[1.0, 2.0, 3.0]).unwrap();
    /// let interval = estimate.interval(0.95).unwrap();
    /// assert!((interval.low - -0.4841377117).abs() < 1e-9);
    /// assert!(interval.contains(2.0));
    /// ```
    pub fn interval(&self, level: f64) -> Option<Interval> {
        let t = t_quantile(level, self.degrees)?;
        let end = |t: f64| self.value - self.standard_error * hall::inverse(t, self.skewness);
        let (mut low, mut high) = (end(t), end(-t));
        match self.floor {
            Some(floor) => {
                let (least, most) = floor.ends(level)?;
                (low, high) = (low.min(least), high.max(most));
            }
            None if self.standard_error == 0.0 => return None,
            None => {}
        }
        if let Some((least, most)) = self.range {
            (low, high) = (low.max(least).min(self.value), high.min(most).max(self.value));
        }
        Some(Interval { low, high, level })
    }

    /// The method that the ends of the interval of this level are from.
    pub fn method_at(&self, level: f64) -> IntervalMethod {
        let without = Estimate { floor: None, ..*self };
        if self.floor.is_some() && without.interval(level) != self.interval(level) {
            IntervalMethod::ClopperPearson
        } else {
            self.method
        }
    }

    /// The t-test of the hypothesis that the true value is `null`: rejected exactly where the interval does not hold it.
    ///
    /// Without any spread there is nothing that t could be measured by. Then the floor decides; without one p is 1 where
    /// the estimate equals `null`, else the smallest that so few values allow, 2^−degrees ([`least_p`](super::least_p)).
    pub fn test(&self, null: f64) -> Test {
        let distance = self.value - null;
        let statistic = (self.standard_error > 0.0).then(|| distance / self.standard_error);
        let p = match statistic {
            Some(statistic) => {
                let t = hall::transformed(statistic, self.skewness);
                (2.0 * t_tail(t.abs(), self.degrees)).min(1.0)
            }
            None if distance == 0.0 => 1.0,
            None => 0.5_f64.powf(self.degrees),
        };
        Test { statistic, p: self.floor.map_or(p, |floor| p.max(floor.p(null))) }
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
    Some(Estimate::student(mean(values)?, standard_error, (values.len() - 1) as f64))
}

/// [`of_mean`] for values that lie in a range, such as accuracies, or differences of two accuracies.
///
/// Then the interval stays in the range, and where all episodes agree, or all but very few, it reaches at least what the
/// bound of Clopper and Pearson leaves open ([`Floor`]).
///
/// ```
/// // 600 episodes without a mistake: up to 0.6 % of others may hold any number of them.
/// let all_right = kshot::stats::of_mean_within(&[1.0; 600], Some((0.0, 1.0))).unwrap();
/// let interval = all_right.interval(0.95).unwrap();
/// assert!((interval.low - 0.9939).abs() < 1e-4 && interval.high == 1.0);
/// ```
pub fn of_mean_within(values: &[f64], range: Option<(f64, f64)>) -> Option<Estimate> {
    let estimate = of_mean(values)?;
    Some(Estimate { range, floor: agreeing(values, range), ..estimate })
}

/// More deviating values than this have a variance of their own.
const FEW: usize = 10;

/// The floor under a mean of values that agree but for a few.
fn agreeing(values: &[f64], range: Option<(f64, f64)>) -> Option<Floor> {
    let centre = median(values)?;
    let deviations =
        values.iter().map(|value| value - centre).filter(|deviation| is_other(*deviation, centre));
    let (mut deviating, mut below, mut above) = (0, 0.0_f64, 0.0_f64);
    for deviation in deviations {
        (deviating, below, above) = (deviating + 1, below.max(-deviation), above.max(deviation));
    }
    if deviating > FEW || deviating * 20 > values.len() {
        return None;
    }
    if deviating == 0 {
        let (least, most) = range?;
        (below, above) = (centre - least, most - centre);
    }
    Some(Floor { units: values.len() as u64, deviating: deviating as u64, centre, below, above })
}

/// The middle value, which most share where most are equal.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    let middle = sorted.len().checked_sub(1)? / 2;
    Some(*sorted.select_nth_unstable_by(middle, f64::total_cmp).1)
}

/// Whether a deviation from a value is more than the rounding of a mean or a difference.
pub(super) fn is_other(deviation: f64, value: f64) -> bool {
    deviation.abs() > 16.0 * f64::EPSILON * value.abs().max(1.0)
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
    fn equal_values_give_no_interval_and_a_test_without_statistic() {
        let estimate = of_mean(&[0.25; 5]).unwrap();
        assert_eq!(estimate.interval(0.95), None);
        assert_eq!(estimate.test(0.25), Test { statistic: None, p: 1.0 });
        assert_eq!(estimate.test(0.0), Test { statistic: None, p: 0.5_f64.powf(estimate.degrees) });
    }

    #[test]
    fn values_that_all_agree_leave_room_for_others() {
        let estimate = of_mean_within(&[0.0; 200], Some((-1.0, 1.0))).unwrap();
        let interval = estimate.interval(0.95).unwrap();
        let room = 1.0 - 0.025_f64.powf(1.0 / 200.0);
        assert!((interval.high - room).abs() < 1e-12 && (interval.low + room).abs() < 1e-12);
        assert_eq!(estimate.method_at(0.95), IntervalMethod::ClopperPearson);
        assert_eq!(estimate.test(0.0).p, 1.0);
        // The interval reaches 0.05 where 2·(1 − 0.05)^200 is the error rate.
        assert!((estimate.test(0.05).p / (2.0 * 0.95_f64.powi(200)) - 1.0).abs() < 1e-6);
        assert_eq!(of_mean_within(&[3.0; 200], None).unwrap().interval(0.95), None);
    }

    #[test]
    fn a_single_deviating_episode_is_no_spread_to_trust() {
        let mut values = [1.0; 600];
        values[17] = 0.9;
        let estimate = of_mean_within(&values, Some((0.0, 1.0))).unwrap();
        let interval = estimate.interval(0.95).unwrap();
        // At most 0.925 % of episodes (one in 600, Clopper and Pearson) at 0.1 below.
        assert!((interval.low - (1.0 - 0.00925 * 0.1)).abs() < 1e-6, "{interval:?}");
        assert_eq!(interval.high, 1.0);
    }

    #[test]
    fn a_skewed_error_reaches_farther_on_the_side_of_the_tail_and_tests_agree() {
        let plain = Estimate::student(0.5, 0.1, 19.0);
        let skewed = Estimate { skewness: -0.3, ..plain };
        let (even, odd) = (plain.interval(0.95).unwrap(), skewed.interval(0.95).unwrap());
        assert!(odd.low < even.low && odd.high < even.high);
        for end in [odd.low, odd.high] {
            assert!((skewed.test(end).p - 0.05).abs() < 1e-9);
        }
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
