//! Accuracy in which every class counts alike.

use crate::metric::{Direction, Formula, Record};

/// The mean over classes.
pub static CLASS_ACCURACY: Record = Record {
    name: "class-accuracy",
    about: "accuracy of each class over all its queries of the draw, averaged over classes",
    direction: Direction::Higher,
    rate: true,
    needs: &[],
    with: &[],
    formula: Formula::Pooled(|pooled| pooled.mean_accuracy(|_| true)),
};
