//! A classifier that is linear in the features; what most heads become after adapting.

use super::{Classifier, LearnError};
use crate::tensor::span::Solution;
use crate::tensor::{Backend, Tensor2, Tensor3, Terms, ops};
use crate::view::{Items, Scores, Support};
use crate::vocab::Meaning;

/// `x·w + b` for weights (episodes, way, dim) and bias (episodes, way).
pub struct LinearClassifier<D: Backend> {
    /// Weights (episodes, way, dim).
    pub weights: Tensor3<D>,
    /// Bias (episodes, way), where there is one.
    pub bias: Option<Tensor2<D>>,
    /// What the scores mean.
    pub meaning: Meaning,
    /// Episodes whose fit did not converge.
    pub unconverged: usize,
}

impl<D: Backend> LinearClassifier<D> {
    /// The classifier of coefficients in the span of a support: `W = AᵀS`.
    ///
    /// # Errors
    /// When sizes do not agree or the device fails.
    pub fn from_span(
        support: &Support<D>,
        solution: Solution<D>,
        meaning: Meaning,
    ) -> Result<LinearClassifier<D>, LearnError> {
        let weights = ops::matmul(&ops::transpose(&solution.coefficients)?, support.features()?)?;
        Ok(LinearClassifier { weights, bias: solution.bias, meaning, unconverged: solution.unconverged })
    }
}

impl<D: Backend> Classifier<D> for LinearClassifier<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        let terms = Terms { bias: self.bias.as_ref(), ..Terms::default() };
        Ok(Scores { values: items.linear(&self.weights, &terms)?, meaning: self.meaning })
    }

    fn unconverged(&self) -> usize {
        self.unconverged
    }
}
