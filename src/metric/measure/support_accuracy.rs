//! Accuracy on the items that a learner was fitted on: beside the accuracy of queries, what it knows by heart.

use crate::metric::{Direction, Formula, Need, Record};

/// The share of support items that are given their own label.
pub static SUPPORT_ACCURACY: Record = Record {
    name: "support-accuracy",
    about: "share of the support items of an episode that get their own label from the learner that was fitted on them",
    direction: Direction::Neither,
    rate: true,
    needs: &[Need::SupportAnswers],
    with: &[],
    formula: Formula::Episode(|answered| answered.support_accuracy()),
};
