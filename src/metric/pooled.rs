//! All episodes of a draw together, as far as metrics need them.

use super::calibration::{Bin, Confidences};
use crate::stats::{self, TradeOff};

/// A class over the draw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCounts {
    /// Queries labelled correctly.
    pub correct: u64,
    /// Queries.
    pub total: u64,
    /// Whether it is a seen class; false where the candidates have no sides.
    pub seen: bool,
}

/// The episodes of one table, pooled.
#[derive(Clone, Copy, Debug)]
pub struct Pooled<'a> {
    /// The classes that occurred, those without queries among them.
    pub classes: &'a [ClassCounts],
    /// The confidences of all queries, sorted; none for rankings.
    pub confidences: &'a Confidences,
    /// Their bins of equal mass.
    pub bins: &'a [Bin],
    /// The selected temperature, where one was selected.
    pub temperature: Option<f64>,
    /// The bins of the confidences at that temperature.
    pub scaled_bins: &'a [Bin],
    /// The curve between seen and unseen accuracy, where the candidates are seen and unseen classes.
    pub curve: Option<&'a TradeOff>,
}

impl Pooled<'_> {
    /// The mean over these classes of the accuracy that each has over all its queries; nothing without a query.
    pub fn mean_accuracy(&self, which: impl Fn(&ClassCounts) -> bool) -> Option<f64> {
        let counted = self.classes.iter().filter(|class| class.total > 0 && which(class));
        let rates: Vec<f64> = counted.map(|class| class.correct as f64 / class.total as f64).collect();
        stats::mean(&rates)
    }
}
