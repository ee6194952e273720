//! The Brier score (Brier 1950, "Verification of Forecasts Expressed in Terms of Probability").

use crate::metric::{Direction, Formula, Need, Predicted, Record};

/// How far probabilities lie from the truth.
pub static BRIER: Record = Record {
    name: "brier",
    about: "mean squared distance between the probabilities and the truth, 0 to 2",
    direction: Direction::Lower,
    rate: false,
    needs: &[Need::Probabilities],
    with: &[],
    formula: Formula::Query(of),
};

/// `Σ_c (p_c − y_c)² = Σ_c p_c² − 2·p_y + 1`.
fn of(predicted: &Predicted<'_>) -> f64 {
    let squares: f64 = predicted.probabilities.iter().map(|p| p * p).sum();
    squares - 2.0 * predicted.probabilities[predicted.label] + 1.0
}
