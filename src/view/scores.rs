//! What a learner answers.

use crate::tensor::{Backend, Tensor3};
use crate::vocab::Meaning;

/// One number per item and label: (episodes, items, way). Higher is likelier; ties go to the lower label.
pub struct Scores<D: Backend> {
    /// The numbers.
    pub values: Tensor3<D>,
    /// What they mean.
    pub meaning: Meaning,
}

impl<D: Backend> Scores<D> {
    /// Scores of which only the order within an item counts.
    pub fn ranking(values: Tensor3<D>) -> Scores<D> {
        Scores { values, meaning: Meaning::Ranking }
    }

    /// Scores whose softmax over the labels is the predicted probability.
    pub fn logits(values: Tensor3<D>) -> Scores<D> {
        Scores { values, meaning: Meaning::Logits }
    }

    /// Scores that are probabilities.
    pub fn probabilities(values: Tensor3<D>) -> Scores<D> {
        Scores { values, meaning: Meaning::Probabilities }
    }
}
