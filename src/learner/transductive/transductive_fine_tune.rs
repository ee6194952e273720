//! Transductive fine-tuning (Dhillon, Chaudhari, Ravichandran and Soatto 2020, "A Baseline for Few-Shot Image
//! Classification", arXiv:1909.02729): the cross-entropy of the support plus Shannon's entropy of the queries' predictions.
//!
//! Class weights start from the mean of the support, of length 1 (section 3.1), and descend on `CE + H(Y|X)` (eq. 8) by 25 steps of Adam at
//! 0.00005. `preset = easyfsl` is easyfsl 1.5: logits are minus the distances to weights that start from the means.
//!
//! Differs from the paper: the last layer alone is fine-tuned, because the features are given; with the paper's rate it
//! moves little.

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
    let about = "last layer on the support's labels and the queries' entropy (Dhillon et al. 2020)";
    let mut tuned = Signature::new("transductive-fine-tune", about);
    let heads = &[("linear", Head::Linear), ("distance", Head::Distance), ("cosine", Head::Cosine)];
    let head = tuned.parameter(Parameter::choice("head", heads, "how logits are made"));
    let temperature = Parameter::real("temperature", 1.0, 1e-3, 1e4, "factor on the logits");
    let temperature = tuned.parameter(temperature.search(Scale::Log, 0.1, 100.0));
    let weight = Parameter::real("conditional", 1.0, 0.0, 1e3, "weight of the queries' entropy");
    let conditional = tuned.parameter(weight.search(Scale::Log, 0.01, 10.0));
    let steps = tuned.parameter(Parameter::whole("steps", 25, 1, 1000, "steps of Adam"));
    let lr = Parameter::real("lr", 5e-5, 1e-9, 10.0, "learning rate");
    let lr = tuned.parameter(lr.search(Scale::Log, 1e-5, 1e-1));
    let transform = tuned.parameter(transform_parameter(Transform::L2n));
    let words = &[("none", ()), ("easyfsl", ())];
    let preset = tuned.parameter(Parameter::choice("preset", words, "values of another implementation"));
    tuned.preset(preset, "easyfsl", &[(head.name(), "distance"), (transform.name(), "none")]);
    list.add(tuned, move |p| {
        let descent = Descent {
            head: p[head],
            temperature: p[temperature],
            cross_entropy: 1.0,
            marginal: 0.0,
            conditional: p[conditional],
            entropy: Entropy::Shannon,
            steps: p[steps],
            lr: p[lr],
        };
        let learner = Learner::transductive(TransductiveFineTune(descent)).with_transform(p[transform]);
        // Adam's steps go along columns.
        Ok(learner.with_invariances(&[]))
    });
}

struct TransductiveFineTune(Descent);

impl<D: Backend> Transductive<D> for TransductiveFineTune {
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
