//! Nearest centroid after a transform of the features (Wang, Chao, Weinberger and van der Maaten 2019, "SimpleShot:
//! Revisiting Nearest-Neighbor Classification for Few-Shot Learning", arXiv:1911.04623).
//!
//! `transform = none` is their UN, `l2n` their L2N and `cl2n` their CL2N (section 3): the mean feature of the base classes
//! is subtracted, each item is divided by its norm, and the class whose mean is nearest wins.
//!
//! Differs from the paper: nothing. The scores are minus the squared distances, of which the softmax can be taken as a
//! probability; the paper only ranks.

use super::prototypical::NearestMean;
use super::{Classifier, Inductive, LearnError, Learner, Registry, transform_of, transform_parameter};
use crate::rng::Chance;
use crate::tensor::{Backend, SpanOps};
use crate::view::Support;
use crate::vocab::{Confidence, Transform};

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    list.add("nearest-centroid", |parameters| {
        Ok(Learner::inductive(NearestCentroid { transform: transform_of(parameters) }))
    })
    .about("nearest class mean after a transform (SimpleShot, Wang et al. 2019)")
    .parameter(transform_parameter(Transform::None));
}

struct NearestCentroid {
    transform: Transform,
}

impl<D: Backend> Inductive<D> for NearestCentroid {
    fn confidence(&self) -> Confidence {
        Confidence::Score
    }

    fn takes(&self) -> Transform {
        self.transform
    }

    fn adapt(&self, support: &Support<D>, _: &Chance<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        Ok(Box::new(NearestMean { means: support.means()? }))
    }
}
