//! A classifier that is linear in the features; what most heads become after adapting.

use super::family::fits;
use super::{Classifier, LearnError};
use crate::tensor::span::{Objective, Solution};
use crate::tensor::{Backend, LinearHead, Origins, SpanOps, Tensor2, Tensor3, Terms, ops};
use crate::view::{Items, Scores, Support};
use crate::vocab::Meaning;

/// `(x − o)·w + b` for weights (episodes, way, dim) and bias (episodes, way).
pub struct LinearClassifier<D: Backend> {
    /// Weights (episodes, way, dim).
    pub weights: Tensor3<D>,
    /// Bias (episodes, way), where there is one.
    pub bias: Option<Tensor2<D>>,
    /// What is subtracted from the items of an episode first, where anything is.
    pub origins: Option<Origins>,
    /// What the scores mean.
    pub meaning: Meaning,
    /// Episodes whose fit did not converge.
    pub unconverged: usize,
}

impl<D: SpanOps> LinearClassifier<D> {
    /// The classifier of an objective that has one solution.
    ///
    /// # Errors
    /// When sizes do not agree, a fit fails or the device does.
    pub fn fitted(
        support: &Support<D>,
        objective: Objective<'_>,
        meaning: Meaning,
    ) -> Result<LinearClassifier<D>, LearnError> {
        let mut solutions = fits(support, &[objective])?;
        let solution = solutions.pop().expect("an objective has a solution");
        LinearClassifier::from_span(support, solution, meaning)
    }
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
        let Solution { coefficients, bias, weights: precise, origins, unconverged } = solution;
        let weights = ops::matmul(&ops::transpose(&coefficients)?, support.features()?)?;
        let weights = ops::with_episodes(weights, &precise)?;
        Ok(LinearClassifier { weights, bias, origins, meaning, unconverged })
    }
}

impl<D: Backend> LinearClassifier<D> {
    /// What scores are made of.
    pub(super) fn head(&self) -> LinearHead<'_, D> {
        LinearHead { weights: &self.weights, bias: self.bias.as_ref(), origins: self.origins.as_ref() }
    }
}

impl<D: Backend> Classifier<D> for LinearClassifier<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        let terms = Terms { bias: self.bias.as_ref(), origins: self.origins.as_ref(), ..Terms::default() };
        Ok(Scores { values: items.linear(&self.weights, &terms)?, meaning: self.meaning })
    }

    fn unconverged(&self) -> usize {
        self.unconverged
    }
}
