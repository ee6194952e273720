//! The predicted probabilities of one table at a selected temperature, while it is computed.

use super::part::Part;
use crate::metric::Confidences;

/// Probabilities at one temperature, beside those of the table itself.
#[derive(Debug)]
pub(super) struct Scaled {
    pub(super) temperature: f64,
    pub(super) confidences: Confidences,
    /// The rows of `temperature_scaled.csv`.
    pub(super) rows: Part,
}
