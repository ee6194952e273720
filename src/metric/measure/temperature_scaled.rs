//! Predicted probabilities at a temperature that was selected on validation classes (Guo et al. 2017, arXiv:1706.04599).

use crate::metric::measure::adaptive_ece::calibration_error;
use crate::metric::{Direction, Formula, Need, Record};

/// The likelihood, freed of the scale of the features.
pub static NLL_TS: Record = Record {
    name: "nll-ts",
    about: "nll after temperature scaling",
    direction: Direction::Lower,
    rate: false,
    needs: &[Need::Probabilities, Need::Temperature],
    with: &["nll"],
    formula: Formula::Episode(|answered| Some(answered.scaled()?.nll)),
};

/// The calibration error likewise.
pub static ADAPTIVE_ECE_TS: Record = Record {
    name: "adaptive-ece-ts",
    about: "adaptive-ece after temperature scaling",
    direction: Direction::Lower,
    rate: true,
    needs: &[Need::Probabilities, Need::Temperature],
    with: &["adaptive-ece"],
    formula: Formula::Pooled(|pooled| {
        calibration_error(pooled.scaled_bins).filter(|_| pooled.temperature.is_some())
    }),
};

/// What the logits were divided by.
pub static TEMPERATURE: Record = Record {
    name: "temperature",
    about: "the selected temperature",
    direction: Direction::Neither,
    rate: false,
    needs: &[Need::Temperature],
    with: &["nll", "adaptive-ece"],
    formula: Formula::Pooled(|pooled| pooled.temperature),
};
