//! Sums that lose nothing to rounding, and the moments made of them.

/// The sum of the values, in the order given, with Neumaier's compensation.
///
/// Neumaier 1974, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54:39. The result
/// depends on the order of the values only far below the last digit that matters; the same order gives the same bits.
/// An infinite value makes the sum infinite.
///
/// ```
/// assert_eq!(kshot::stats::sum(&[1.0, 1e100, 1.0, -1e100]), 2.0);
/// ```
pub fn sum(values: &[f64]) -> f64 {
    compensated(values.iter().copied())
}

/// A [`sum`] while it grows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Compensated {
    total: f64,
    lost: f64,
}

impl Compensated {
    /// Adds one value.
    pub(super) fn add(&mut self, value: f64) {
        let next = self.total + value;
        self.lost += if self.total.abs() >= value.abs() {
            (self.total - next) + value
        } else {
            (value - next) + self.total
        };
        self.total = next;
    }

    /// The sum so far.
    pub(super) fn total(self) -> f64 {
        // ∞ − ∞ in the compensation would turn an infinite sum into NaN.
        if self.total.is_finite() { self.total + self.lost } else { self.total }
    }
}

/// [`sum`] over an iterator.
pub(super) fn compensated(values: impl Iterator<Item = f64>) -> f64 {
    let mut sum = Compensated::default();
    values.for_each(|value| sum.add(value));
    sum.total()
}

/// The arithmetic mean; `None` for no values, and where it is not a number.
///
/// ```
/// assert_eq!(kshot::stats::mean(&[1.0, 2.0, 6.0]), Some(3.0));
/// assert_eq!(kshot::stats::mean(&[]), None);
/// ```
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let mean = sum(values) / values.len() as f64;
    (!mean.is_nan()).then_some(mean)
}

/// The variance with divisor n − 1, in two passes; `None` below two values, and where it is not finite.
///
/// ```
/// assert_eq!(kshot::stats::variance(&[1.0, 2.0, 3.0]), Some(1.0));
/// assert_eq!(kshot::stats::variance(&[1.0]), None);
/// ```
pub fn variance(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let centre = mean(values)?;
    let variance =
        compensated(values.iter().map(|v| (v - centre) * (v - centre))) / (values.len() - 1) as f64;
    variance.is_finite().then_some(variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_tenths_is_exact_where_the_plain_sum_is_not() {
        let tenths = [0.1; 10];
        assert_ne!(tenths.iter().sum::<f64>(), 1.0);
        assert_eq!(sum(&tenths), 1.0);
    }

    #[test]
    fn an_infinite_value_gives_an_infinite_mean_and_no_variance() {
        assert_eq!(mean(&[1.0, f64::INFINITY]), Some(f64::INFINITY));
        assert_eq!(variance(&[1.0, f64::INFINITY]), None);
        assert_eq!(mean(&[f64::NEG_INFINITY, f64::INFINITY]), None);
        assert_eq!(mean(&[f64::NAN]), None);
    }

    #[test]
    fn equal_values_have_no_variance_at_all() {
        assert_eq!(variance(&[0.3; 7]), Some(0.0));
    }
}
