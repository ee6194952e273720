//! Matching networks' classifier (Vinyals et al. 2016, "Matching Networks for One Shot Learning", arXiv:1606.04080).
//!
//! A query's probability of a label is the attention that its support items get: the softmax, over the whole support,
//! of the cosine similarities (eq. 1 and section 2.1.1).
//!
//! Differs from the paper: no full context embeddings, because the features are given; and the cosines are multiplied by a
//! `temperature`, 10 by default (1 in the paper, which trains the features to it): with 1 the probabilities of cosines that lie
//! within a few tenths are nearly even, and five items that are somewhat alike outvote one that is much alike.

use super::{
    Answer, Classifier, Family, Inductive, LearnError, Learner, Parameter, Registry, Scale, Signature,
};
use crate::rng::BatchRng;
use crate::tensor::{Labels, SpanOps, Tensor3, ops};
use crate::view::{Items, Scores, Support};
use crate::vocab::Transform;

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "attention over cosine similarities to the support (Vinyals et al. 2016)";
    let mut matching = Signature::new("matching", about);
    let temperature = Parameter::real("temperature", 10.0, 1e-3, 1e3, "factor on the cosines");
    let temperature = matching.parameter(temperature.search(Scale::Log, 0.1, 1e2));
    list.add(matching, move |p| {
        let learner = Learner::inductive(Matching { temperature: p[temperature] as f32 });
        Ok(learner.with_transform(Transform::L2n))
    })
    .family(move |members| {
        let temperatures = members.iter().map(|member| member[temperature] as f32).collect();
        Ok(Box::new(Attentions { temperatures }))
    });
}

struct Matching {
    temperature: f32,
}

impl<D: SpanOps> Inductive<D> for Matching {
    fn adapt(&self, support: &Support<D>, _: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let (features, labels) = (support.features()?.clone(), support.labels().clone());
        Ok(Box::new(Attention { temperature: self.temperature, features, labels }))
    }
}

/// Several temperatures: the cosines are the same for all.
struct Attentions {
    temperatures: Vec<f32>,
}

impl<D: SpanOps> Family<D> for Attentions {
    fn answers(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        _: &BatchRng<'_>,
    ) -> Result<Vec<Answer<D>>, LearnError> {
        // Less one, which no softmax sees.
        let cosines = query.cosines_less_one(support.features()?)?;
        let answer = |temperature: &f32| {
            let logits = ops::scale(cosines.clone(), *temperature)?;
            Ok((Scores::probabilities(query.device().attention(&logits, support.labels())?), 0))
        };
        self.temperatures.iter().map(answer).collect()
    }
}

struct Attention<D: SpanOps> {
    temperature: f32,
    features: Tensor3<D>,
    labels: Labels,
}

impl<D: SpanOps> Classifier<D> for Attention<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        let logits = ops::scale(items.cosines_less_one(&self.features)?, self.temperature)?;
        Ok(Scores::probabilities(items.device().attention(&logits, &self.labels)?))
    }
}
