//! The expected calibration error over bins of equal width (Guo et al. 2017, "On Calibration of Modern Neural Networks",
//! arXiv:1706.04599).

use crate::metric::measure::adaptive_ece::calibration_error;
use crate::metric::{Direction, Formula, Need, Record};

/// How far confidences lie from accuracies, as it is most often printed.
pub static ECE: Record = Record {
    name: "ece",
    about: "expected calibration error of the given label, over 15 bins of equal width of all queries of the draw",
    direction: Direction::Lower,
    rate: true,
    needs: &[Need::Probabilities],
    with: &[],
    formula: Formula::Pooled(|pooled| calibration_error(&pooled.confidences.width_bins())),
};
