//! Prototypical networks (Snell, Swersky and Zemel 2017, "Prototypical Networks for Few-shot Learning", arXiv:1703.05175).
//!
//! A class is the mean of its support features (eq. 1); a query's probability is the softmax of minus its squared
//! Euclidean distances to these means (eq. 2). With `distance = cosine` it is the softmax of the cosines times `scale` instead, the
//! alternative of their section 2.4; 10 by default, because cosines alone make nearly even probabilities.
//!
//! Differs from the paper: the features are given, not trained with this head, because kshot compares heads on equal
//! features; training with this objective is a matter of the backbone.

use super::{Change, Classifier, Inductive, LearnError, Learner, Parameter, Registry, Signature};
use crate::rng::BatchRng;
use crate::tensor::{Backend, SpanOps, Tensor3, ops};
use crate::view::{Items, Scores, Support};
use crate::vocab::Confidence;

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "softmax of minus the squared distance to the class means (Snell et al. 2017)";
    let mut prototypical = Signature::new("prototypical", about);
    prototypical.alias("protonet", &[]);
    let distance = Parameter::choice("distance", DISTANCES, "distance to the class means");
    let distance = prototypical.parameter(distance.grid(&["euclidean", "cosine"]));
    let scale = Parameter::real("scale", 10.0, 1e-3, 1e4, "factor on the cosines of distance=cosine");
    let scale = prototypical.parameter(scale);
    // Minus the distance to the nearest mean: a probability among few means is large far away from all of them.
    list.add(prototypical, move |p| {
        let invariances: &[Change] = match p[distance] {
            Distance::Euclidean => &[Change::Rotation, Change::Shift, Change::Scale],
            Distance::Cosine => &[Change::Rotation, Change::Scale],
        };
        let learner = Learner::inductive(Prototypical { distance: p[distance], scale: p[scale] as f32 });
        if p[distance] == Distance::Euclidean && p[scale] != 10.0 {
            return Err(p.conflict("`scale` is for `distance=cosine`"));
        }
        Ok(learner.with_confidence(Confidence::Score).with_invariances(invariances))
    });
}

#[derive(Clone, Copy, PartialEq)]
enum Distance {
    Euclidean,
    Cosine,
}

const DISTANCES: &[(&str, Distance)] = &[("euclidean", Distance::Euclidean), ("cosine", Distance::Cosine)];

struct Prototypical {
    distance: Distance,
    scale: f32,
}

impl<D: Backend> Inductive<D> for Prototypical {
    fn adapt(&self, support: &Support<D>, _: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let means = support.means()?;
        Ok(match self.distance {
            Distance::Euclidean => Box::new(NearestMean { means }),
            Distance::Cosine => {
                Box::new(CosineToMean { directions: ops::normalise(&means)?, scale: self.scale })
            }
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
    scale: f32,
}

impl<D: Backend> Classifier<D> for CosineToMean<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        // Less one, which no softmax sees.
        Ok(Scores::logits(ops::scale(items.cosines_less_one(&self.directions)?, self.scale)?))
    }
}
