//! TIM-GD (Boudiaf, Masud, Rony, Dolz, Piantanida and Ben Ayed 2020, "Transductive Information Maximization For Few-Shot
//! Learning", arXiv:2008.11297): class weights descend on the cross-entropy of the support less the mutual information
//! between queries and their predictions.
//!
//! Probabilities are `softmax(−τ/2·‖x − w‖²)` (eq. 1), the loss is `λ·CE − H(Y) + κ·H(Y|X)` (eq. 3) with τ = 15 and
//! λ = κ = 0.1. `preset = easyfsl` is easyfsl 1.5: cosines times 10, λ = 1, 50 steps of 0.0001, features as they are.
//!
//! Differs from the paper: 100 steps of Adam at 0.001 in place of 1,000 at 0.0001, which go as far, because a step of Adam is as
//! long as the rate; `preset = paper` takes the 1,000. A mutual information with a uniform marginal assumes that
//! queries are balanced.

use super::descent::{Descent, Entropy, Head};
use super::episode::{self, Episode};
use crate::learner::{
    LearnError, Learner, Parameter, Registry, Scale, Signature, Transductive, transform_parameter,
};
use crate::rng::BatchRng;
use crate::tensor::{Backend, SpanOps};
use crate::view::{Items, Scores, Support};
use crate::vocab::Transform;

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let mut tim =
        Signature::new("tim-gd", "mutual information by gradient descent (TIM-GD, Boudiaf et al. 2020)");
    tim.alias("tim", &[]);
    let heads = &[("distance", Head::SquaredDistance), ("cosine", Head::Cosine)];
    let head = tim.parameter(Parameter::choice("head", heads, "how logits are made"));
    let temperature = Parameter::real("temperature", 15.0, 1e-3, 1e4, "factor on the logits");
    let temperature = tim.parameter(temperature.search(Scale::Log, 1.0, 100.0));
    let weight = Parameter::real("cross-entropy", 0.1, 0.0, 1e3, "weight of the support's labels");
    let cross_entropy = tim.parameter(weight.search(Scale::Log, 0.01, 1.0));
    let weight = Parameter::real("conditional", 0.1, 0.0, 1e3, "weight of the doubt about single queries");
    let conditional = tim.parameter(weight.search(Scale::Log, 0.01, 1.0));
    let steps = tim.parameter(Parameter::whole("steps", 100, 1, 1000, "steps of Adam"));
    let lr = tim.parameter(Parameter::real("lr", 0.001, 1e-9, 10.0, "learning rate"));
    let transform = tim.parameter(transform_parameter(Transform::L2n));
    let words = &[("none", ()), ("paper", ()), ("easyfsl", ())];
    let preset = tim.parameter(Parameter::choice("preset", words, "values of another implementation"));
    tim.preset(preset, "paper", &[(steps.name(), "1000"), (lr.name(), "0.0001")]);
    let easyfsl = [
        (head.name(), "cosine"),
        (temperature.name(), "10"),
        (cross_entropy.name(), "1"),
        (steps.name(), "50"),
        (lr.name(), "0.0001"),
        (transform.name(), "none"),
    ];
    tim.preset(preset, "easyfsl", &easyfsl);
    list.add(tim, move |p| {
        let descent = Descent {
            head: p[head],
            temperature: p[temperature],
            cross_entropy: p[cross_entropy],
            marginal: 1.0,
            conditional: p[conditional],
            entropy: Entropy::Shannon,
            steps: p[steps],
            lr: p[lr],
        };
        let learner = Learner::transductive(TimGd(descent)).with_transform(p[transform]);
        // Adam's steps go along columns.
        Ok(learner.with_invariances(&[]).assuming_balance())
    });
}

struct TimGd(Descent);

impl<D: Backend> Transductive<D> for TimGd {
    fn infer(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        _: &BatchRng<'_>,
    ) -> Result<Scores<D>, LearnError> {
        let answer = |episode: &Episode<'_>| self.0.run(episode);
        Ok(Scores::probabilities(episode::each(support, query, answer)?))
    }
}
