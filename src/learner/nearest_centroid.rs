//! Nearest centroid after a transform of the features (Wang, Chao, Weinberger and van der Maaten 2019, "SimpleShot:
//! Revisiting Nearest-Neighbor Classification for Few-Shot Learning", arXiv:1911.04623).
//!
//! `transform = none` is their UN, `l2n` their L2N and `cl2n` their CL2N (section 3): the mean feature of the base classes
//! is subtracted, each item is divided by its norm, and the class whose mean is nearest wins. In a run the default is `cl2n`
//! where there are base classes and none is under evaluation, else `none`.
//!
//! Differs from the paper: nothing. The scores are minus the squared distances, of which the softmax can be taken as a
//! probability; the paper only ranks.

use super::kind::of_distances;
use super::prototypical::NearestMean;
use super::{Classifier, Inductive, LearnError, Learner, Registry, Signature, transform_parameter};
use crate::rng::BatchRng;
use crate::tensor::{Backend, SpanOps};
use crate::view::Support;
use crate::vocab::{Confidence, Transform};

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "nearest class mean after a transform (SimpleShot, Wang et al. 2019)";
    let mut centroid = Signature::new("nearest-centroid", about);
    // The paper's own choice of three.
    centroid.alias("simpleshot", &[("transform", "cl2n")]);
    // Also by default, where there are base items to take the mean of.
    let transform = centroid.parameter(transform_parameter(Transform::None).default_beside_base("cl2n"));
    list.add(centroid, move |p| {
        let learner = Learner::inductive(NearestCentroid).with_transform(p[transform]);
        Ok(learner.with_confidence(Confidence::Score).with_invariances(of_distances(p[transform])))
    });
}

struct NearestCentroid;

impl<D: Backend> Inductive<D> for NearestCentroid {
    fn adapt(&self, support: &Support<D>, _: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        Ok(Box::new(NearestMean { means: support.means()? }))
    }
}
