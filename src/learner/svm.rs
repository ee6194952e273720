//! Linear support vector machine, squared hinge, one-vs-rest (Cortes and Vapnik 1995; as a few-shot head:
//! Lee et al. 2019, "Meta-Learning with Differentiable Convex Optimization", arXiv:1904.03758).
//!
//! Minimises `½‖w‖² + c Σ max(0, 1 − y·f)²` per label, without bias: scikit-learn's `LinearSVC(C = c, loss =
//! "squared_hinge", fit_intercept = False)`. Solved in the span of the support, see [`crate::tensor::span::hinge`].
//!
//! Differs from Lee et al.: one-vs-rest with a squared hinge rather than Crammer and Singer's multi-class form,
//! because that is what the common libraries call a linear SVM.

use super::family::SpanFamily;
use super::{
    Classifier, Inductive, LearnError, Learner, LinearClassifier, Parameter, Parameters, Registry, Scale,
    Signature, transform_parameter,
};
use crate::rng::BatchRng;
use crate::tensor::SpanOps;
use crate::tensor::span::Objective;
use crate::view::Support;
use crate::vocab::{Confidence, Meaning, Transform};

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "linear support vector machine, squared hinge, one-vs-rest (Cortes and Vapnik 1995)";
    let mut svm = Signature::new("svm", about);
    let c = Parameter::real("c", 1.0, 1e-6, 1e6, "weight of the loss").alias("C");
    let c = svm.parameter(c.search(Scale::Log, 1e-2, 1e3));
    let transform = svm.parameter(transform_parameter(Transform::L2n));
    // One-vs-rest scores sink together with the likeness to any support item, most of which is of the rest.
    list.add(svm, move |p| {
        let learner = Learner::inductive(Svm { c: p[c] }).with_transform(p[transform]);
        Ok(learner.with_confidence(Confidence::Lead))
    })
    .family(move |members| {
        let objective = |member: &Parameters| Objective::Hinge(member[c]);
        Ok(SpanFamily::of(members, Meaning::Ranking, objective))
    });
}

struct Svm {
    c: f64,
}

impl<D: SpanOps> Inductive<D> for Svm {
    fn adapt(&self, support: &Support<D>, _: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        Ok(Box::new(LinearClassifier::fitted(support, Objective::Hinge(self.c), Meaning::Ranking)?))
    }
}
