//! Accuracy.

use crate::metric::{Direction, Formula, Record};

/// The share of correct answers.
pub static ACCURACY: Record = Record {
    name: "accuracy",
    about: "share of queries that got the right label",
    direction: Direction::Higher,
    rate: true,
    needs: &[],
    with: &[],
    formula: Formula::Correct,
};
