//! Prototypical networks (Snell, Swersky and Zemel 2017, "Prototypical Networks for Few-shot Learning", arXiv:1703.05175).
//!
//! A class is the mean of its support features (eq. 1); a query's probability is the softmax of minus its squared
//! Euclidean distances to these means (eq. 2). With `distance = cosine` it is the softmax of the cosines instead, the
//! alternative of their section 2.4.
//!
//! Differs from the paper: the features are given, not trained with this head, because kshot compares heads on equal
//! features; training with this objective is a matter of the backbone.

use super::{Classifier, Inductive, LearnError, Learner, Parameter, Registry};
use crate::rng::Chance;
use crate::tensor::{Backend, SpanOps, Tensor3, ops};
use crate::view::{Items, Scores, Support};
use crate::vocab::Confidence;

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    list.add("prototypical", |parameters| {
        Ok(Learner::inductive(Prototypical { cosine: parameters.word("distance") == "cosine" }))
    })
    .about("softmax of minus the squared distance to the class means (Snell et al. 2017)")
    .parameter(
        Parameter::choice("distance", &["euclidean", "cosine"], "distance to the class means")
            .grid(&["euclidean", "cosine"]),
    );
}

struct Prototypical {
    cosine: bool,
}

impl<D: Backend> Inductive<D> for Prototypical {
    /// Minus the distance to the nearest mean: a probability among few means is large far away from all of them.
    fn confidence(&self) -> Confidence {
        Confidence::Score
    }

    fn adapt(&self, support: &Support<D>, _: &Chance<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let means = support.means()?;
        Ok(match self.cosine {
            false => Box::new(NearestMean { means }),
            true => Box::new(CosineToMean { directions: ops::normalise(&means)? }),
        })
    }
}

/// Minus the squared distance to each mean (episodes, way, dim).
pub(super) struct NearestMean<D: Backend> {
    pub(super) means: Tensor3<D>,
}

impl<D: Backend> Classifier<D> for NearestMean<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        Ok(Scores::logits(items.negative_squared_distances(&self.means)?))
    }
}

struct CosineToMean<D: Backend> {
    directions: Tensor3<D>,
}

impl<D: Backend> Classifier<D> for CosineToMean<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        let products = items.products(&self.directions)?;
        Ok(Scores::logits(ops::divide_rows(&products, &items.squared_norms()?)?))
    }
}
