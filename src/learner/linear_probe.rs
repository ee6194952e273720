//! Linear probe: multinomial logistic regression on frozen features, to convergence (as in Tian et al. 2020, "Rethinking
//! Few-Shot Image Classification: a Good Embedding Is All You Need?", arXiv:2003.11539).
//!
//! Minimises the summed cross-entropy plus `‖W‖²/(2c)` with an unpenalised bias: the objective of scikit-learn's
//! `LogisticRegression(C = c)`, multinomial also for two labels. Solved in the span of the support, see
//! [`crate::tensor::span::logistic`].
//!
//! Differs from the paper: nothing in the objective; the paper leaves the solver to scikit-learn.

use super::family::SpanFamily;
use super::{
    Change, Classifier, Inductive, LearnError, Learner, LinearClassifier, Parameter, Parameters, Registry,
    Scale, Signature, transform_parameter,
};
use crate::rng::BatchRng;
use crate::tensor::SpanOps;
use crate::tensor::span::Objective;
use crate::view::Support;
use crate::vocab::{Meaning, Transform};

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "multinomial logistic regression to convergence (Tian et al. 2020)";
    let mut probe = Signature::new("linear-probe", about);
    probe.alias("logreg", &[]);
    let c = Parameter::real("c", 1.0, 1e-6, 1e6, "inverse of the L2 penalty").alias("C");
    let c = probe.parameter(c.search(Scale::Log, 1e-2, 1e3));
    let transform = probe.parameter(transform_parameter(Transform::L2n));
    list.add(probe, move |p| {
        // A free bias takes up what is added to a column.
        let invariances: &[Change] = match p[transform] {
            Transform::None => &[Change::Rotation, Change::Shift],
            _ => &[Change::Rotation],
        };
        let learner = Learner::inductive(LinearProbe { c: p[c] }).with_transform(p[transform]);
        Ok(learner.with_invariances(invariances))
    })
    .family(move |members| {
        let objective = |member: &Parameters| Objective::Logistic(member[c]);
        Ok(SpanFamily::of(members, Meaning::Logits, objective))
    });
}

struct LinearProbe {
    c: f64,
}

impl<D: SpanOps> Inductive<D> for LinearProbe {
    fn adapt(&self, support: &Support<D>, _: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let objective = Objective::Logistic(self.c);
        Ok(Box::new(LinearClassifier::fitted(support, objective, Meaning::Logits)?))
    }
}
