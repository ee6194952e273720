//! Negative log-likelihood.

use crate::metric::{Direction, Formula, Need, Record};

/// How improbable a learner held what was right.
pub static NLL: Record = Record {
    name: "nll",
    about: "mean negative logarithm of the probability given to the right label, in nats",
    direction: Direction::Lower,
    rate: false,
    needs: &[Need::Probabilities],
    with: &[],
    formula: Formula::Query(|predicted| -predicted.log_probability),
};
