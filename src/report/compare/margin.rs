//! The equivalence margin: the smallest difference that matters.

use std::str::FromStr;

use crate::metric::Metric;

/// An equivalence margin, as a difference or as a share of the errors that are made.
///
/// Half a point is little at 60 % accuracy, and most of the errors at 99.2 %.
///
/// ```
/// use kshot::report::compare::EquivalenceMargin;
/// assert_eq!("0.5".parse(), Ok(EquivalenceMargin::Difference(0.5)));
/// assert_eq!("10%-of-error".parse(), Ok(EquivalenceMargin::OfError(0.1)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EquivalenceMargin {
    /// A difference in the units of the metric.
    Difference(f64),
    /// A share of the error of the baseline, or of the best method where there is none: of 1 − value for rates, of the value
    /// itself for losses.
    OfError(f64),
}

impl From<f64> for EquivalenceMargin {
    fn from(difference: f64) -> EquivalenceMargin {
        EquivalenceMargin::Difference(difference)
    }
}

/// A text that is no margin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a margin is a number, or a share of the errors as in `10%-of-error`, got `{0}`")]
pub struct NoMargin(String);

impl FromStr for EquivalenceMargin {
    type Err = NoMargin;

    fn from_str(text: &str) -> Result<EquivalenceMargin, NoMargin> {
        let number = |text: &str| text.trim().parse::<f64>().map_err(|_| NoMargin(text.to_string()));
        match text.strip_suffix("%-of-error") {
            Some(percent) => Ok(EquivalenceMargin::OfError(number(percent)? / 100.0)),
            None => Ok(EquivalenceMargin::Difference(number(text)?)),
        }
    }
}

impl EquivalenceMargin {
    /// The number that must be above 0.
    pub(super) fn number(self) -> f64 {
        match self {
            EquivalenceMargin::Difference(number) | EquivalenceMargin::OfError(number) => number,
        }
    }

    /// The difference in the units of a metric, where the baseline or the best method has this value; `None` where it makes no
    /// errors, or the metric judges none.
    pub(super) fn at(self, metric: Metric, value: f64) -> Option<f64> {
        let difference = match self {
            EquivalenceMargin::Difference(difference) => difference,
            EquivalenceMargin::OfError(share) if metric.is_loss() => share * value,
            EquivalenceMargin::OfError(share) => share * (metric.range()?.1 - value),
        };
        (difference > 0.0).then_some(difference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_error_is_small_where_errors_are_few() {
        let tenth = EquivalenceMargin::OfError(0.1);
        let at = |value| tenth.at(Metric::ACCURACY, value).unwrap();
        assert!((at(0.6) - 0.04).abs() < 1e-12 && (at(0.992) - 0.0008).abs() < 1e-12);
        assert!((tenth.at(Metric::NLL, 0.5).unwrap() - 0.05).abs() < 1e-12);
        assert_eq!(tenth.at(Metric::ACCURACY, 1.0), None);
        assert_eq!(EquivalenceMargin::Difference(0.005).at(Metric::ACCURACY, 1.0), Some(0.005));
    }

    #[test]
    fn what_is_no_number_is_no_margin() {
        for text in ["half", "10%", "x%-of-error", ""] {
            assert!(text.parse::<EquivalenceMargin>().is_err(), "{text}");
        }
    }
}
