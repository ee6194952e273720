//! What can be said of a fine-tuning.

use super::super::{Key, LearnError, Parameter, Parameters, Signature};
use super::split::{Init, Train};
use crate::optimise::{Augmentation, HeadKind, Optimiser, Schedule};
use crate::tensor::net::Norms;

/// Blocks that can be named from the top.
const TRAIN: &[(&str, Train)] = &[
    ("last-1", Train::Last(1)),
    ("head", Train::Head),
    ("last-2", Train::Last(2)),
    ("last-3", Train::Last(3)),
    ("last-4", Train::Last(4)),
    ("last-5", Train::Last(5)),
    ("last-6", Train::Last(6)),
    ("last-7", Train::Last(7)),
    ("last-8", Train::Last(8)),
    ("last-9", Train::Last(9)),
    ("last-10", Train::Last(10)),
    ("last-11", Train::Last(11)),
    ("last-12", Train::Last(12)),
    ("all", Train::All),
];

/// All of it, read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Settings {
    pub init: Init,
    pub train: Train,
    pub head: HeadKind,
    pub optimiser: Optimiser,
    pub head_rate: f64,
    pub layer_decay: f64,
    pub clip: Option<f64>,
    pub smoothing: f32,
    pub epochs: usize,
    /// Items of a step.
    pub batch: usize,
    /// Items that pass together; 0 for all of a step.
    pub together: usize,
    pub schedule: ScheduleWord,
    pub norms: Norms,
    pub augmentation: Augmentation,
    /// The share of the support that is held out.
    pub early_stopping: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ScheduleWord {
    Constant,
    Cosine,
    /// A tenth of the steps rising, then the cosine.
    WarmUp,
}

impl ScheduleWord {
    /// The schedule of a training of so many steps.
    pub fn of(self, steps: u32) -> Schedule {
        match self {
            ScheduleWord::Constant => Schedule::Constant {},
            ScheduleWord::Cosine => Schedule::Cosine { warm_up: 0 },
            ScheduleWord::WarmUp => Schedule::Cosine { warm_up: steps.div_ceil(10) },
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum InitWord {
    Pretrained,
    Random,
}

#[derive(Clone, Copy, PartialEq)]
enum HeadWord {
    Linear,
    Cosine,
    Prototype,
}

#[derive(Clone, Copy, PartialEq)]
enum OptimiserWord {
    Adam,
    AdamW,
    Sgd,
}

#[derive(Clone, Copy, PartialEq)]
enum NormWord {
    Auto,
    Running,
    Batch,
}

/// Changes of images: what is moved is zero beyond the edges.
const AUGMENTATIONS: &[(&str, Augmentation)] = &[
    ("none", Augmentation { shift: 0.0, rotate: 0.0, crop: 0.0, flip: false }),
    ("shift", Augmentation { shift: 2.0, rotate: 10.0, crop: 0.0, flip: false }),
    ("flip", Augmentation { shift: 0.0, rotate: 0.0, crop: 0.0, flip: true }),
    ("crop", Augmentation { shift: 0.0, rotate: 0.0, crop: 0.7, flip: true }),
];

/// The parameters by their keys.
#[derive(Clone, Copy)]
pub(super) struct Keys {
    init: Key<InitWord>,
    seed: Key<usize>,
    train: Key<Train>,
    head: Key<HeadWord>,
    scale: Key<f64>,
    lr: Key<f64>,
    head_lr: Key<f64>,
    layer_decay: Key<f64>,
    epochs: Key<usize>,
    batch: Key<usize>,
    together: Key<usize>,
    optimiser: Key<OptimiserWord>,
    weight_decay: Key<f64>,
    clip: Key<f64>,
    smoothing: Key<f64>,
    schedule: Key<ScheduleWord>,
    batch_norm: Key<NormWord>,
    augment: Key<Augmentation>,
    early_stopping: Key<f64>,
}

impl Keys {
    pub fn declare(learner: &mut Signature) -> Keys {
        let inits = &[("pretrained", InitWord::Pretrained), ("random", InitWord::Random)];
        let heads =
            &[("linear", HeadWord::Linear), ("cosine", HeadWord::Cosine), ("prototype", HeadWord::Prototype)];
        let optimisers =
            &[("adam", OptimiserWord::Adam), ("adam-w", OptimiserWord::AdamW), ("sgd", OptimiserWord::Sgd)];
        let schedules = &[
            ("cosine", ScheduleWord::Cosine),
            ("constant", ScheduleWord::Constant),
            ("warm-up", ScheduleWord::WarmUp),
        ];
        let norms = &[("auto", NormWord::Auto), ("running", NormWord::Running), ("batch", NormWord::Batch)];
        let real = |name, default, low, high, meaning| Parameter::real(name, default, low, high, meaning);
        let whole = |name, default, low, high, meaning| Parameter::whole(name, default, low, high, meaning);
        let train = Parameter::choice("train", TRAIN, "what is trained: head, the last blocks, or all");
        let lr =
            real("lr", 1e-3, 1e-9, 1e6, "learning rate of the network").grid(&["0.0001", "0.001", "0.01"]);
        let epochs = whole("epochs", 30, 1, 100_000, "passes over the support").grid(&["10", "30", "100"]);
        let keys = Keys {
            train: learner.parameter(train),
            head: learner.parameter(Parameter::choice("head", heads, "how logits are made")),
            lr: learner.parameter(lr),
            head_lr: learner.parameter(real("head-lr", 1e-2, 1e-9, 1e6, "learning rate of the head")),
            epochs: learner.parameter(epochs),
            batch: learner.parameter(whole(
                "batch",
                32,
                0,
                100_000,
                "items per step; 0 takes the whole support",
            )),
            together: learner.parameter(whole(
                "micro-batch",
                0,
                0,
                100_000,
                "items that pass together, their gradients added up; 0 takes all of a step",
            )),
            optimiser: learner.parameter(Parameter::choice("optimiser", optimisers, "the rule for steps")),
            weight_decay: learner.parameter(real("weight-decay", 0.0, 0.0, 1e3, "weight decay")),
            layer_decay: learner.parameter(real(
                "layer-decay",
                1.0,
                0.0,
                1.0,
                "factor on the rate from each block to the one below",
            )),
            clip: learner.parameter(real("clip", 0.0, 0.0, 1e9, "largest norm of a gradient; 0 for any")),
            smoothing: learner.parameter(real(
                "label-smoothing",
                0.0,
                0.0,
                0.9,
                "share of a label given to all",
            )),
            schedule: learner.parameter(Parameter::choice("schedule", schedules, "how the rate changes")),
            batch_norm: learner.parameter(Parameter::choice(
                "batch-norm",
                norms,
                "moments of batch normalisation; auto is running where pre-trained, batch where random",
            )),
            augment: learner.parameter(Parameter::choice("augment", AUGMENTATIONS, "how images are changed")),
            early_stopping: learner.parameter(real(
                "early-stopping",
                0.0,
                0.0,
                0.9,
                "share of each class's support that is held out to choose the epoch",
            )),
            scale: learner.parameter(real("scale", 10.0, 1e-3, 1e4, "factor on the cosine of a cosine head")),
            init: learner.parameter(Parameter::choice("init", inits, "where the network starts")),
            seed: learner.parameter(whole("seed", 0, 0, u64::from(u32::MAX), "seed of a random start")),
        };
        learner.seeded(keys.init, "random", keys.seed);
        keys
    }

    pub fn read(&self, p: &Parameters) -> Result<Settings, LearnError> {
        let random = p[self.init] == InitWord::Random;
        if !random && p[self.seed] != 0 {
            return Err(p.conflict("`seed` is for `init=random`"));
        }
        if p[self.train] == Train::Head && p[self.head] == HeadWord::Prototype {
            return Err(p.conflict(
                "`train=head` trains nothing where `head=prototype`, which is learner `prototypical`\nhint: train=last-1",
            ));
        }
        let (rate, weight_decay) = (p[self.lr], p[self.weight_decay]);
        let norms = match p[self.batch_norm] {
            NormWord::Running => Norms::Running,
            NormWord::Batch => Norms::Batch,
            NormWord::Auto if random => Norms::Batch,
            NormWord::Auto => Norms::Running,
        };
        Ok(Settings {
            init: if random { Init::Random(p[self.seed] as u64) } else { Init::Pretrained },
            train: p[self.train],
            head: match p[self.head] {
                HeadWord::Linear => HeadKind::Linear,
                HeadWord::Cosine => HeadKind::Cosine { scale: p[self.scale] as f32 },
                HeadWord::Prototype => HeadKind::Prototype,
            },
            optimiser: match p[self.optimiser] {
                OptimiserWord::Adam => Optimiser::Adam { rate, weight_decay },
                OptimiserWord::AdamW => Optimiser::AdamW { rate, weight_decay },
                OptimiserWord::Sgd => Optimiser::Sgd { rate, momentum: 0.9, weight_decay },
            },
            head_rate: p[self.head_lr],
            layer_decay: p[self.layer_decay],
            clip: Some(p[self.clip]).filter(|most| *most > 0.0),
            smoothing: p[self.smoothing] as f32,
            epochs: p[self.epochs],
            batch: p[self.batch],
            together: p[self.together],
            schedule: p[self.schedule],
            norms,
            augmentation: p[self.augment],
            early_stopping: p[self.early_stopping],
        })
    }
}
