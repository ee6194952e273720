//! Fine-tuning of the last layer by gradient descent (Chen et al. 2019, "A Closer Look at Few-shot Classification",
//! arXiv:1904.04232: Baseline, and the cosine classifier of Baseline++).
//!
//! A linear layer on frozen features descends on the mean cross-entropy of the support. The update is that of
//! `torch.optim.SGD`; `steps` counts passes over the support, each of one step (`batch = 0`) or of mini-batches in a
//! fresh random order. `preset = closer-look` is the paper's setting: 100 passes, mini-batches of 4, rate 0.01, momentum
//! and dampening 0.9, weight decay 0.001. `head = cosine` scores `scale · cos(x, w)` and starts from the class means.
//!
//! Differs from the paper: weights start from zero, or with `init = prototype` from a prototypical network's logits
//! (Triantafillou et al. 2020, eq. 6), not at random, because the result then depends on the episode alone and the descent
//! stays in the span of the support. It is Baseline++ only on features of a backbone that was trained with a cosine
//! classifier.

use super::family::linear_answers;
use super::{
    Answer, Classifier, Family, Inductive, LearnError, Learner, LinearClassifier, Parameter, Parameters,
    Registry, transform_of, transform_parameter,
};
use crate::rng::Chance;
use crate::tensor::span::{Batches, Descent, Head, Init, Objective};
use crate::tensor::{Backend, SpanOps, Tensor3, ops};
use crate::view::{Items, Scores, Support};
use crate::vocab::{Meaning, Transform};

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    list.add("fine-tune", |parameters| Ok(Learner::inductive(FineTune::from(parameters)?)))
        .family(|members| Ok(Box::new(Paths::of(members)?)))
        .about("last layer by gradient descent (Chen et al. 2019)")
        .parameter(
            Parameter::whole("steps", 100, 1, 1_000_000, "passes over the support")
                .grid(&["10", "30", "100", "300"]),
        )
        .parameter(
            Parameter::real("rate", 0.1, 1e-9, 1e6, "learning rate")
                .grid(&["0.01", "0.03", "0.1", "0.3", "1", "3"]),
        )
        .parameter(Parameter::real("momentum", 0.0, 0.0, 0.999_999, "share of the last update that is kept"))
        .parameter(Parameter::real(
            "dampening",
            0.0,
            0.0,
            1.0,
            "share of the gradient that momentum leaves out",
        ))
        .parameter(Parameter::real("weight-decay", 0.0, 0.0, 1e3, "L2 penalty on weights and bias"))
        .parameter(Parameter::whole("batch", 0, 0, 100_000, "items per step; 0 takes the whole support"))
        .parameter(Parameter::choice("init", &["zero", "prototype"], "where the weights start"))
        .parameter(Parameter::choice("head", &["linear", "cosine"], "how logits are made"))
        .parameter(Parameter::real("scale", 10.0, 1e-3, 1e4, "factor on the cosine of a cosine head"))
        .parameter(Parameter::choice(
            "preset",
            &["none", "closer-look"],
            "takes steps, batch, rate, momentum, dampening and weight decay from a paper",
        ))
        .parameter(transform_parameter(Transform::L2n))
        .preset(
            "closer-look",
            &[
                ("steps", "100"),
                ("batch", "4"),
                ("rate", "0.01"),
                ("momentum", "0.9"),
                ("dampening", "0.9"),
                ("weight-decay", "0.001"),
            ],
        );
}

#[derive(Clone, Copy, PartialEq)]
struct FineTune {
    steps: usize,
    rate: f64,
    momentum: f64,
    dampening: f64,
    weight_decay: f64,
    batch: usize,
    init: Init,
    head: Head,
    transform: Transform,
}

impl FineTune {
    fn from(parameters: &Parameters) -> Result<FineTune, LearnError> {
        let cosine = parameters.word("head") == "cosine";
        let init = if parameters.word("init") == "prototype" { Init::Prototype } else { Init::Zero };
        if cosine && init == Init::Zero {
            return Err(parameters
                .conflict("`head=cosine` needs `init=prototype`, because a zero weight has no direction"));
        }
        Ok(FineTune {
            steps: parameters.whole("steps"),
            rate: parameters.real("rate"),
            momentum: parameters.real("momentum"),
            dampening: parameters.real("dampening"),
            weight_decay: parameters.real("weight-decay"),
            batch: parameters.whole("batch"),
            init,
            head: if cosine { Head::Cosine { scale: parameters.real("scale") } } else { Head::Linear },
            transform: transform_of(parameters),
        })
    }

    /// The mini-batches of one episode's passes; those of fewer passes are the first of them.
    fn plan(&self, chance: &Chance<'_>, episode: usize, n: usize) -> Vec<Vec<usize>> {
        let mut stream = chance.stream(episode);
        let mut order: Vec<usize> = (0..n).collect();
        let mut batches = Vec::new();
        for _ in 0..self.steps {
            stream.shuffle(&mut order);
            batches.extend(order.chunks(self.batch).map(<[usize]>::to_vec));
        }
        batches
    }

    fn descent<'a>(&self, plan: Batches<'a>) -> Descent<'a> {
        Descent {
            epochs: self.steps,
            lr: self.rate,
            momentum: self.momentum,
            dampening: self.dampening,
            weight_decay: self.weight_decay,
            init: self.init,
            head: self.head,
            batches: if self.batch > 0 { Some(plan) } else { None },
        }
    }
}

impl<D: SpanOps> Inductive<D> for FineTune {
    fn takes(&self) -> Transform {
        self.transform
    }

    fn adapt(&self, support: &Support<D>, chance: &Chance<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let plan = |episode: usize, n: usize| self.plan(chance, episode, n);
        let descent = self.descent(&plan);
        let solution = support.device().descent(support.features()?, support.labels(), &descent)?;
        let linear = LinearClassifier::from_span(support, solution, Meaning::Logits)?;
        Ok(match self.head {
            Head::Linear => Box::new(linear),
            Head::Cosine { scale } => Box::new(CosineHead::of(&linear, scale)?),
        })
    }
}

/// Several settings, of which those that differ in their steps alone are stops on one path.
struct Paths {
    /// Each with the largest number of steps of its settings, these numbers, and the places of these settings.
    paths: Vec<(FineTune, Vec<usize>, Vec<usize>)>,
    members: usize,
}

impl Paths {
    fn of(members: &[Parameters]) -> Result<Paths, LearnError> {
        let mut paths: Vec<(FineTune, Vec<usize>, Vec<usize>)> = Vec::new();
        for (place, member) in members.iter().enumerate() {
            let member = FineTune::from(member)?;
            let same = |path: &FineTune| FineTune { steps: member.steps, ..*path } == member;
            match paths.iter_mut().find(|(path, ..)| same(path)) {
                Some((path, stops, places)) => {
                    path.steps = path.steps.max(member.steps);
                    stops.push(member.steps);
                    places.push(place);
                }
                None => paths.push((member, vec![member.steps], vec![place])),
            }
        }
        Ok(Paths { paths, members: members.len() })
    }
}

impl<D: SpanOps> Family<D> for Paths {
    fn answers(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        chance: &Chance<'_>,
    ) -> Result<Vec<Answer<D>>, LearnError> {
        let plans: Vec<_> =
            self.paths.iter().map(|(path, ..)| move |e: usize, n: usize| path.plan(chance, e, n)).collect();
        let objectives: Vec<Objective<'_>> = self
            .paths
            .iter()
            .zip(&plans)
            .map(|((path, stops, _), plan)| Objective::Descent(path.descent(plan), stops))
            .collect();
        let solutions = support.device().fits(support.features()?, support.labels(), &objectives)?;
        let heads =
            self.paths.iter().flat_map(|(path, _, places)| places.iter().map(|place| (*place, path.head)));
        let (mut linear, mut answers) = (Vec::new(), Vec::with_capacity(self.members));
        for ((place, head), solution) in heads.zip(solutions) {
            match head {
                Head::Linear => linear.push((place, solution)),
                Head::Cosine { scale } => {
                    let own = LinearClassifier::from_span(support, solution, Meaning::Logits)?;
                    answers.push((place, (CosineHead::of(&own, scale)?.scores(query)?, 0)));
                }
            }
        }
        let (places, solutions): (Vec<usize>, Vec<_>) = linear.into_iter().unzip();
        let scored = linear_answers(support, query, solutions, Meaning::Logits)?;
        answers.extend(places.into_iter().zip(scored));
        answers.sort_by_key(|(place, _)| *place);
        Ok(answers.into_iter().map(|(_, answer)| answer).collect())
    }
}

/// `scale · cos(x, w)`, the scale being the length of the directions.
struct CosineHead<D: Backend> {
    directions: Tensor3<D>,
}

impl<D: Backend> CosineHead<D> {
    fn of(linear: &LinearClassifier<D>, scale: f64) -> Result<CosineHead<D>, LearnError> {
        Ok(CosineHead { directions: ops::scale(ops::normalise(&linear.weights)?, scale as f32)? })
    }
}

impl<D: Backend> Classifier<D> for CosineHead<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        let products = items.products(&self.directions)?;
        Ok(Scores::logits(ops::divide_rows(&products, &items.squared_norms()?)?))
    }
}
