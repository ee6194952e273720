//! Ridge regression on targets ±1 (as a few-shot head: Bertinetto et al. 2019, "Meta-learning with differentiable
//! closed-form solvers", arXiv:1805.08136).
//!
//! Minimises `‖XW − Y‖² + α‖W‖²` without bias: scikit-learn's `RidgeClassifier(alpha, fit_intercept = False)`. Solved in
//! the span of the support, see [`crate::tensor::span::ridge`].
//!
//! Differs from the paper: targets are ±1 rather than one-hot, and the learned scale and shift of the scores are left
//! out, because the features are given and the scores only rank.

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
    let about = "ridge regression on targets of plus and minus one (Bertinetto et al. 2019)";
    let mut ridge = Signature::new("ridge", about);
    let alpha = Parameter::real("alpha", 1.0, 1e-6, 1e6, "L2 penalty").search(Scale::Log, 1e-3, 1e2);
    let alpha = ridge.parameter(alpha);
    let transform = ridge.parameter(transform_parameter(Transform::L2n));
    // Every label's targets are mostly −1, so that all scores sink with the likeness to any support item.
    list.add(ridge, move |p| {
        let learner = Learner::inductive(Ridge { alpha: p[alpha] }).with_transform(p[transform]);
        Ok(learner.with_confidence(Confidence::Lead))
    })
    .family(move |members| {
        let objective = |member: &Parameters| Objective::Ridge(member[alpha]);
        Ok(SpanFamily::of(members, Meaning::Ranking, objective))
    });
}

struct Ridge {
    alpha: f64,
}

impl<D: SpanOps> Inductive<D> for Ridge {
    fn adapt(&self, support: &Support<D>, _: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let objective = Objective::Ridge(self.alpha);
        Ok(Box::new(LinearClassifier::fitted(support, objective, Meaning::Ranking)?))
    }
}
