//! Where a selection looks for the values of a parameter.

use std::fmt;

use super::{Declaration, Number, Range};

/// How numbers spread over a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Evenly.
    Linear,
    /// Evenly in their logarithm.
    Log,
}

impl Scale {
    /// The word in files.
    pub fn word(self) -> &'static str {
        match self {
            Scale::Linear => "linear",
            Scale::Log => "log",
        }
    }
}

/// The values of a parameter among which a selection chooses.
#[derive(Clone, Debug, PartialEq)]
pub enum Search {
    /// Numbers between two ends, both included.
    Span {
        /// How they spread.
        scale: Scale,
        /// The lower end; above 0 on a log scale.
        low: f64,
        /// The upper end, not below the lower one.
        high: f64,
    },
    /// These values, in this order.
    Values(Vec<String>),
}

impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Search::Span { scale: Scale::Linear, low, high } => write!(f, "uniform [{low}, {high}]"),
            Search::Span { scale: Scale::Log, low, high } => write!(f, "log-uniform [{low}, {high}]"),
            Search::Values(values) => write!(f, "{{{}}}", values.join(", ")),
        }
    }
}

impl<T: Number> Declaration<T> {
    /// The same, with the numbers between two ends as its search space. A parameter without one keeps its default in a
    /// selection, unless the user names a space for it.
    pub fn search(mut self, scale: Scale, low: f64, high: f64) -> Declaration<T> {
        self.parameter.search = Some(Search::Span { scale, low, high });
        self
    }
}

impl Search {
    /// The values, where they are few enough to be listed: words, and whole numbers up to `most` of them.
    pub fn values(&self, range: &Range, most: usize) -> Option<Vec<String>> {
        match (self, range) {
            (Search::Values(values), _) => Some(values.clone()),
            (Search::Span { low, high, .. }, Range::Whole(..)) => {
                let (low, high) = (low.ceil() as u64, high.floor() as u64);
                let count = high.checked_sub(low)?.checked_add(1)?;
                (count <= most as u64).then(|| (low..=high).map(|value| value.to_string()).collect())
            }
            (Search::Span { .. }, _) => None,
        }
    }

    /// The value at `place`, from 0 up to but not including 1.
    ///
    /// Real numbers are rounded to three digits, which nobody's accuracy depends on and everybody can type.
    pub fn at(&self, range: &Range, place: f64) -> String {
        let (scale, low, high) = match self {
            Search::Values(values) => {
                let last = values.len().saturating_sub(1);
                let chosen = (place * values.len() as f64) as usize;
                return values.get(chosen.min(last)).cloned().unwrap_or_default();
            }
            Search::Span { scale, low, high } => (*scale, *low, *high),
        };
        let between = |low: f64, high: f64| match scale {
            Scale::Linear => low + place * (high - low),
            Scale::Log => (low.ln() + place * (high.ln() - low.ln())).exp(),
        };
        match range {
            // Every whole number gets the piece of the scale between itself and the next.
            Range::Whole(..) => between(low, high + 1.0).floor().clamp(low, high).to_string(),
            _ => three_digits(between(low, high)).clamp(low, high).to_string(),
        }
    }
}

fn three_digits(value: f64) -> f64 {
    // Decimal text rounds as a reader would, and reads back to the shortest number.
    format!("{value:.2e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_spread_evenly_on_their_scale() {
        let real = Range::Real(1e-6, 1e6);
        let log = Search::Span { scale: Scale::Log, low: 0.01, high: 1000.0 };
        assert_eq!([0.0, 0.2, 0.5].map(|place| log.at(&real, place)), ["0.01", "0.1", "3.16"]);
        let linear = Search::Span { scale: Scale::Linear, low: 0.0, high: 0.5 };
        assert_eq!([0.0, 0.5].map(|place| linear.at(&real, place)), ["0", "0.25"]);
    }

    #[test]
    fn whole_numbers_have_equal_pieces_and_can_be_listed() {
        let (range, span) =
            (Range::Whole(1, 100), Search::Span { scale: Scale::Linear, low: 1.0, high: 4.0 });
        let at: Vec<String> = (0..8).map(|i| span.at(&range, f64::from(i) / 8.0)).collect();
        assert_eq!(at, ["1", "1", "2", "2", "3", "3", "4", "4"]);
        assert_eq!(span.values(&range, 4).unwrap(), ["1", "2", "3", "4"]);
        assert_eq!(span.values(&range, 3), None);
        assert_eq!(span.values(&Range::Real(0.0, 9.0), 100), None);
    }

    #[test]
    fn words_share_the_places_in_order() {
        let words = Search::Values(vec!["none".into(), "l2n".into(), "cl2n".into()]);
        let range = Range::Choice(vec!["none", "l2n", "cl2n"]);
        assert_eq!([0.0, 0.34, 0.99].map(|place| words.at(&range, place)), ["none", "l2n", "cl2n"]);
    }
}
