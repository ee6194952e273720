//! Fine-tuning of the last layer by gradient descent (Chen et al. 2019, "A Closer Look at Few-shot Classification",
//! arXiv:1904.04232: Baseline, and the cosine classifier of Baseline++).
//!
//! A linear layer on frozen features descends on the mean cross-entropy of the support. The update is that of
//! `torch.optim.SGD`; an epoch is a pass over the support, of one step (`batch = 0`) or of mini-batches in a
//! fresh random order. `preset = closer-look` is the paper's setting: features as they are, 100 epochs, mini-batches of 4, learning
//! rate 0.01, momentum and dampening 0.9, weight decay 0.001. `head = cosine` scores `scale · cos(x, w)` and starts from the class
//! means or at random. `preset = baseline-plus-plus` is the paper's cosine classifier with the same steps: `head = weight-norm`,
//! whose labels have a learned length each, scale 2 (the authors' code has 10 above 200 labels), a random start.
//!
//! `init = random`, also written `init = random:SEED`, starts as `torch.nn.Linear` does, and `starts` of them answer by the mean of
//! their probabilities.
//!
//! Differs from the paper: by default, and in `closer-look`, weights start from zero, or with `init = prototype` from a prototypical
//! network's logits (Triantafillou et al. 2020, eq. 6), not at random, because the result then depends on the episode alone and
//! the descent stays in the span of the support. It is Baseline++ only on features of a backbone that was trained with a
//! cosine classifier.

use super::family::{fits, linear_answers};
use super::random_start::{RandomHead, RandomStart};
use super::{
    Answer, Classifier, Family, Inductive, Key, LearnError, Learner, LinearClassifier, Parameter, Parameters,
    Registry, Signature, transform_parameter,
};
use crate::rng::BatchRng;
use crate::tensor::span::{Batches, Descent, Head, Init, Objective};
use crate::tensor::{Backend, SpanOps, Tensor3, ops};
use crate::view::{Items, Scores, Support};
use crate::vocab::{Meaning, Transform};

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let mut signature = Signature::new("fine-tune", "last layer by gradient descent (Chen et al. 2019)");
    let keys = Keys::declare(&mut signature);
    list.add(signature, move |p| {
        let learner = tuned(p, &keys)?;
        let learner = match learner {
            Tuned::Span(learner) => Learner::inductive(learner),
            // Which random weights they are depends on the columns.
            Tuned::Random(learner) => Learner::inductive(learner).with_invariances(&[]),
        };
        Ok(learner.with_transform(p[keys.transform]))
    })
    .family(move |members| Ok(Box::new(Paths::of(members, &keys)?)));
}

/// The parameters by their keys.
#[derive(Clone, Copy)]
struct Keys {
    epochs: Key<usize>,
    lr: Key<f64>,
    momentum: Key<f64>,
    dampening: Key<f64>,
    weight_decay: Key<f64>,
    batch: Key<usize>,
    init: Key<Start>,
    seed: Key<usize>,
    starts: Key<usize>,
    head: Key<HeadWord>,
    scale: Key<f64>,
    transform: Key<Transform>,
}

impl Keys {
    fn declare(learner: &mut Signature) -> Keys {
        let epochs = Parameter::whole("epochs", 100, 1, 1_000_000, "passes over the support");
        let lr = Parameter::real("lr", 0.1, 1e-9, 1e6, "learning rate");
        let momentum = "share of the last update that is kept";
        let dampening = "share of the gradient that momentum leaves out";
        let weight_decay = "L2 penalty on weights and bias";
        let batch = "items per step; 0 takes the whole support";
        let inits = &[("zero", Start::Zero), ("prototype", Start::Prototype), ("random", Start::Random)];
        let heads = &[
            ("linear", HeadWord::Linear),
            ("cosine", HeadWord::Cosine),
            ("weight-norm", HeadWord::WeightNorm),
        ];
        let most = u64::from(u32::MAX);
        let scale = "factor on the cosine of a cosine head";
        let keys = Keys {
            lr: learner.parameter(lr.grid(&["0.01", "0.03", "0.1", "0.3", "1", "3"])),
            epochs: learner.parameter(epochs.grid(&["10", "30", "100", "300"])),
            momentum: learner.parameter(Parameter::real("momentum", 0.0, 0.0, 0.999_999, momentum)),
            dampening: learner.parameter(Parameter::real("dampening", 0.0, 0.0, 1.0, dampening)),
            weight_decay: learner.parameter(Parameter::real("weight-decay", 0.0, 0.0, 1e3, weight_decay)),
            batch: learner.parameter(Parameter::whole("batch", 0, 0, 100_000, batch)),
            init: learner.parameter(Parameter::choice("init", inits, "where the weights start")),
            seed: learner.parameter(Parameter::whole("seed", 0, 0, most, "seed of a random start")),
            starts: learner.parameter(Parameter::whole(
                "starts",
                1,
                1,
                100,
                "random starts that answer together",
            )),
            head: learner.parameter(Parameter::choice("head", heads, "how logits are made")),
            scale: learner.parameter(Parameter::real("scale", 10.0, 1e-3, 1e4, scale)),
            transform: learner.parameter(transform_parameter(Transform::L2n)),
        };
        keys.declare_preset(learner);
        keys
    }

    fn declare_preset(&self, learner: &mut Signature) {
        let meaning = "takes head, start, transform and steps from a paper";
        let words = &[("none", ()), ("closer-look", ()), ("baseline-plus-plus", ())];
        let preset = learner.parameter(Parameter::choice("preset", words, meaning));
        let steps = [
            (self.epochs.name(), "100"),
            (self.batch.name(), "4"),
            (self.lr.name(), "0.01"),
            (self.momentum.name(), "0.9"),
            (self.dampening.name(), "0.9"),
            (self.weight_decay.name(), "0.001"),
            (self.transform.name(), "none"),
        ];
        learner.preset(preset, "closer-look", &steps);
        let cosine =
            [(self.head.name(), "weight-norm"), (self.scale.name(), "2"), (self.init.name(), "random")];
        learner.preset(preset, "baseline-plus-plus", &[&steps[..], &cosine].concat());
        learner.seeded(self.init, "random", self.seed);
    }
}

/// Where the weights start.
#[derive(Clone, Copy, PartialEq)]
enum Start {
    Zero,
    Prototype,
    Random,
}

#[derive(Clone, Copy, PartialEq)]
enum HeadWord {
    Linear,
    Cosine,
    WeightNorm,
}

/// A learner in the span of the support, or one from random weights.
enum Tuned {
    Span(FineTune),
    Random(RandomStart),
}

/// The learner of these parameters.
fn tuned(p: &Parameters, keys: &Keys) -> Result<Tuned, LearnError> {
    let scale = p[keys.scale];
    if p[keys.init] != Start::Random {
        for (given, name) in [(p[keys.seed] != 0, "seed"), (p[keys.starts] != 1, "starts")] {
            if given {
                return Err(p.conflict(format!("`{name}` is for `init=random`")));
            }
        }
        return FineTune::of(p, keys).map(Tuned::Span);
    }
    Ok(Tuned::Random(RandomStart {
        head: match p[keys.head] {
            HeadWord::Linear => RandomHead::Linear,
            HeadWord::Cosine => RandomHead::Cosine(scale),
            HeadWord::WeightNorm => RandomHead::WeightNorm(scale),
        },
        epochs: p[keys.epochs],
        batch: p[keys.batch],
        lr: p[keys.lr],
        momentum: p[keys.momentum],
        dampening: p[keys.dampening],
        weight_decay: p[keys.weight_decay],
        starts: p[keys.starts],
        seed: p[keys.seed] as u64,
    }))
}

#[derive(Clone, Copy, PartialEq)]
struct FineTune {
    epochs: usize,
    lr: f64,
    momentum: f64,
    dampening: f64,
    weight_decay: f64,
    batch: usize,
    init: Init,
    head: Head,
}

impl FineTune {
    fn of(p: &Parameters, keys: &Keys) -> Result<FineTune, LearnError> {
        let init = if p[keys.init] == Start::Prototype { Init::Prototype } else { Init::Zero };
        let head = match p[keys.head] {
            HeadWord::Linear => Head::Linear,
            HeadWord::WeightNorm => return Err(p.conflict("`head=weight-norm` needs `init=random`")),
            HeadWord::Cosine if init == Init::Zero => {
                let problem = "`head=cosine` needs `init=prototype` or `init=random`, because a zero weight has no direction";
                return Err(p.conflict(problem));
            }
            HeadWord::Cosine => Head::Cosine { scale: p[keys.scale] },
        };
        Ok(FineTune {
            epochs: p[keys.epochs],
            lr: p[keys.lr],
            momentum: p[keys.momentum],
            dampening: p[keys.dampening],
            weight_decay: p[keys.weight_decay],
            batch: p[keys.batch],
            init,
            head,
        })
    }

    /// The mini-batches of one episode's passes; those of fewer passes are the first of them.
    fn plan(&self, rng: &BatchRng<'_>, episode: usize, n: usize) -> Vec<Vec<usize>> {
        let mut stream = rng.stream(episode);
        let mut order: Vec<usize> = (0..n).collect();
        let mut batches = Vec::new();
        for _ in 0..self.epochs {
            stream.shuffle(&mut order);
            batches.extend(order.chunks(self.batch).map(<[usize]>::to_vec));
        }
        batches
    }

    fn descent<'a>(&self, plan: Batches<'a>) -> Descent<'a> {
        Descent {
            epochs: self.epochs,
            lr: self.lr,
            momentum: self.momentum,
            dampening: self.dampening,
            weight_decay: self.weight_decay,
            init: self.init,
            head: self.head,
            batches: if self.batch > 0 { Some(plan) } else { None },
        }
    }
}

impl<D: Backend> Inductive<D> for RandomStart {
    fn adapt(&self, support: &Support<D>, rng: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        RandomStart::adapt(self, support, rng)
    }
}

impl<D: SpanOps> Inductive<D> for FineTune {
    fn adapt(&self, support: &Support<D>, rng: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let plan = |episode: usize, n: usize| self.plan(rng, episode, n);
        let objective = Objective::Descent(self.descent(&plan), &[self.epochs]);
        let linear = LinearClassifier::fitted(support, objective, Meaning::Logits)?;
        Ok(match self.head {
            Head::Linear => Box::new(linear),
            Head::Cosine { scale } => Box::new(CosineHead::of(&linear, scale)?),
        })
    }
}

/// Several settings, of which those that differ in their epochs alone are stops on one path.
struct Paths {
    /// Each with the largest number of epochs of its settings, these numbers, and the places of these settings.
    paths: Vec<(FineTune, Vec<usize>, Vec<usize>)>,
    /// Those from random weights, with their places.
    random: Vec<(usize, RandomStart)>,
    members: usize,
}

impl Paths {
    fn of(members: &[Parameters], keys: &Keys) -> Result<Paths, LearnError> {
        let mut paths: Vec<(FineTune, Vec<usize>, Vec<usize>)> = Vec::new();
        let mut random = Vec::new();
        for (place, member) in members.iter().enumerate() {
            let member = match tuned(member, keys)? {
                Tuned::Span(member) => member,
                Tuned::Random(member) => {
                    random.push((place, member));
                    continue;
                }
            };
            let same = |path: &FineTune| FineTune { epochs: member.epochs, ..*path } == member;
            match paths.iter_mut().find(|(path, ..)| same(path)) {
                Some((path, stops, places)) => {
                    path.epochs = path.epochs.max(member.epochs);
                    stops.push(member.epochs);
                    places.push(place);
                }
                None => paths.push((member, vec![member.epochs], vec![place])),
            }
        }
        Ok(Paths { paths, random, members: members.len() })
    }
}

impl<D: SpanOps> Family<D> for Paths {
    fn answers(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        rng: &BatchRng<'_>,
    ) -> Result<Vec<Answer<D>>, LearnError> {
        let plans: Vec<_> =
            self.paths.iter().map(|(path, ..)| move |e: usize, n: usize| path.plan(rng, e, n)).collect();
        let objectives: Vec<Objective<'_>> = self
            .paths
            .iter()
            .zip(&plans)
            .map(|((path, stops, _), plan)| Objective::Descent(path.descent(plan), stops))
            .collect();
        let solutions = fits(support, &objectives)?;
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
        for (place, member) in &self.random {
            answers.push((*place, (member.adapt(support, rng)?.scores(query)?, 0)));
        }
        answers.sort_by_key(|(place, _)| *place);
        Ok(answers.into_iter().map(|(_, answer)| answer).collect())
    }
}

/// `scale · cos(x, w)`, less the scale, which no softmax sees.
struct CosineHead<D: SpanOps> {
    directions: Tensor3<D>,
    scale: f32,
}

impl<D: SpanOps> CosineHead<D> {
    fn of(linear: &LinearClassifier<D>, scale: f64) -> Result<CosineHead<D>, LearnError> {
        Ok(CosineHead { directions: ops::normalise(&linear.weights)?, scale: scale as f32 })
    }
}

impl<D: SpanOps> Classifier<D> for CosineHead<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        Ok(Scores::logits(ops::scale(items.cosines_less_one(&self.directions)?, self.scale)?))
    }
}
