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

use super::{
    Classifier, Inductive, LearnError, Learner, LinearClassifier, Parameter, Parameters, Registry,
    transform_of, transform_parameter,
};
use crate::rng::Chance;
use crate::tensor::span::{Descent, Head, Init};
use crate::tensor::{Backend, Tensor3, ops};
use crate::view::{Items, Scores, Support};
use crate::vocab::{Meaning, Transform};

pub(super) fn enrol<D: Backend>(list: &mut Registry<D>) {
    list.add("fine-tune", |parameters| Ok(Learner::inductive(FineTune::from(parameters)?)))
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
}

impl<D: Backend> Inductive<D> for FineTune {
    fn takes(&self) -> Transform {
        self.transform
    }

    fn adapt(&self, support: &Support<D>, chance: &Chance<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let plan = |episode: usize, n: usize| {
            let mut stream = chance.stream(episode);
            let mut order: Vec<usize> = (0..n).collect();
            let mut batches = Vec::new();
            for _ in 0..self.steps {
                stream.shuffle(&mut order);
                batches.extend(order.chunks(self.batch).map(<[usize]>::to_vec));
            }
            batches
        };
        let descent = Descent {
            steps: self.steps,
            rate: self.rate,
            momentum: self.momentum,
            dampening: self.dampening,
            weight_decay: self.weight_decay,
            init: self.init,
            head: self.head,
            batches: if self.batch > 0 { Some(&plan) } else { None },
        };
        let solution = support.device().descent(support.features()?, support.labels(), &descent)?;
        let linear = LinearClassifier::from_span(support, solution, Meaning::Logits)?;
        Ok(match self.head {
            Head::Linear => Box::new(linear),
            Head::Cosine { scale } => {
                let directions = ops::scale(ops::normalise(&linear.weights)?, scale as f32)?;
                Box::new(CosineHead { directions })
            }
        })
    }
}

/// `scale · cos(x, w)`, the scale being the length of the directions.
struct CosineHead<D: Backend> {
    directions: Tensor3<D>,
}

impl<D: Backend> Classifier<D> for CosineHead<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        let products = items.products(&self.directions)?;
        Ok(Scores::logits(ops::divide_rows(&products, &items.squared_norms()?)?))
    }
}
