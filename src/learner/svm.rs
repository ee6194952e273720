//! Linear support vector machine, squared hinge, one label against the rest (Cortes and Vapnik 1995; as a few-shot head:
//! Lee et al. 2019, "Meta-Learning with Differentiable Convex Optimization", arXiv:1904.03758).
//!
//! Minimises `½‖w‖² + c Σ max(0, 1 − y·f)²` per label, without bias: scikit-learn's `LinearSVC(C = c, loss =
//! "squared_hinge", fit_intercept = False)`. Solved in the span of the support, see [`crate::tensor::span::hinge`].
//!
//! Differs from Lee et al.: one against rest with a squared hinge rather than Crammer and Singer's multi-class form,
//! because that is what the common libraries call a linear SVM.

use super::family::SpanFamily;
use super::{
    Classifier, Inductive, LearnError, Learner, LinearClassifier, Parameter, Parameters, Registry, Scale,
    transform_of, transform_parameter,
};
use crate::rng::Chance;
use crate::tensor::SpanOps;
use crate::tensor::span::Objective;
use crate::view::Support;
use crate::vocab::{Meaning, Transform};

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    list.add("svm", |parameters| {
        Ok(Learner::inductive(Svm { c: parameters.real("c"), transform: transform_of(parameters) }))
    })
    .about("linear support vector machine, squared hinge, one against rest (Cortes and Vapnik 1995)")
    .parameter(Parameter::real("c", 1.0, 1e-6, 1e6, "weight of the loss").search(Scale::Log, 1e-2, 1e3))
    .parameter(transform_parameter(Transform::L2n))
    .family(|members| {
        let objective = |member: &Parameters| Objective::Hinge(member.real("c"));
        Ok(SpanFamily::of(members, Meaning::Ranking, objective))
    });
}

struct Svm {
    c: f64,
    transform: Transform,
}

impl<D: SpanOps> Inductive<D> for Svm {
    fn takes(&self) -> Transform {
        self.transform
    }

    fn adapt(&self, support: &Support<D>, _: &Chance<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let solution = support.device().hinge(support.features()?, support.labels(), self.c)?;
        Ok(Box::new(LinearClassifier::from_span(support, solution, Meaning::Ranking)?))
    }
}
