//! A training, step by step.

use std::collections::BTreeMap;
use std::path::Path;

use super::batch::{Batch, Pool};
use super::checkpoint::{Best, Identity, State};
use super::config::TrainingConfig;
use super::error::TrainError;
use super::report::Row;
use super::validation;
use super::written::Objective;
use crate::backbone::{
    Architecture, BackboneError, Configuration, Saved, Traced, Trainable, Weight, Weights, start_stream,
};
use crate::data::Store;
use crate::episode::{Draw, sha256};
use crate::optimise::objective::{cross_entropy, prototypical, triplet};
use crate::optimise::{Head, HeadKind, Loss, OptimiserState, clip};
use crate::rng::{Purpose, Stream};
use crate::tensor::TensorError;
use crate::tensor::conv::ConvOps;
use crate::tensor::tape::differentiate;
use crate::vocab::Form;

/// What a run needs to know, read and checked.
pub struct TrainingInputs<'a> {
    /// What is trained, and how.
    pub config: &'a TrainingConfig,
    /// The images.
    pub store: &'a Store,
    /// The fingerprint of the images.
    pub data_sha256: &'a str,
    /// The frozen validation episodes, where the config asks for validation.
    pub validation: Option<&'a Draw>,
}

/// What a step found before it.
struct Found {
    value: f64,
    accuracy: f64,
}

/// A training on a device, of a network that kshot knows by name, or of another one with [`Training::of`].
pub struct Training<'a, D: ConvOps, A: Architecture = Configuration> {
    device: D,
    inputs: TrainingInputs<'a>,
    pool: Pool,
    architecture: A,
    network: Box<dyn Trainable<D>>,
    state: State,
}

impl<'a, D: ConvOps> Training<'a, D> {
    /// A training from first values, which depend on the seed alone.
    ///
    /// # Errors
    /// When the items are no images, the network does not fit them, or there are too few classes.
    pub fn new(device: &D, inputs: TrainingInputs<'a>) -> Result<Training<'a, D>, TrainError> {
        let form = images(inputs.store)?;
        let architecture = Configuration::fit(&inputs.config.backbone, form, &inputs.config.sizes)?;
        Training::of(device, inputs, architecture)
    }

    /// A training that goes on from a checkpoint.
    ///
    /// # Errors
    /// As [`Training::new`]; also when the checkpoint cannot be read or is of another config or other data.
    pub fn resume(
        device: &D,
        inputs: TrainingInputs<'a>,
        checkpoint: &Path,
    ) -> Result<Training<'a, D>, TrainError> {
        Training::new(device, inputs)?.gone_on(checkpoint)
    }
}

/// The form of a store's items, which must be images.
fn images(store: &Store) -> Result<Form, TrainError> {
    match store.form() {
        form @ Form::Image { .. } => Ok(form),
        form => Err(TrainError::NoImages { dataset: store.name().to_string(), form }),
    }
}

impl<'a, D: ConvOps, A: Architecture> Training<'a, D, A> {
    /// As [`Training::new`], of a network of these sizes, whatever the config names.
    ///
    /// # Errors
    /// As [`Training::new`].
    pub fn of(
        device: &D,
        inputs: TrainingInputs<'a>,
        architecture: A,
    ) -> Result<Training<'a, D, A>, TrainError> {
        let (config, store) = (inputs.config, inputs.store);
        let form = images(store)?;
        if form != architecture.form() {
            let (backbone, expected) = (architecture.name().to_string(), architecture.form());
            return Err(BackboneError::OtherForm { backbone, expected, found: form }.into());
        }
        let pool = Pool::new(config, store)?;
        let mut stream = start_stream(config.seed());
        let start = architecture.fresh(|| stream.normal());
        let network = architecture.on(device, &start)?;
        let mut head = Weights::default();
        if let Objective::CrossEntropy { .. } = config.objective {
            let (classes, dim) = (pool.classes(), architecture.dim());
            let deviation = (1.0 / dim as f64).sqrt();
            let weight = (0..classes * dim).map(|_| (deviation * stream.normal()) as f32).collect();
            head.push("weight".to_string(), &[dim, classes], weight, true);
            head.push("bias".to_string(), &[classes], vec![0.0; classes], true);
        }
        let sizes = start.learned().chain(head.learned()).map(|p| p.values.len());
        let optimiser = OptimiserState::zeros(sizes);
        let state = State { step: 0, network: start, head, optimiser, best: None, rows: Vec::new() };
        Ok(Training { device: device.clone(), inputs, pool, architecture, network, state })
    }

    /// The same, where a checkpoint left it.
    ///
    /// # Errors
    /// When the checkpoint cannot be read or is of another config or other data.
    pub fn gone_on(mut self, checkpoint: &Path) -> Result<Training<'a, D, A>, TrainError> {
        self.state = self.state.clone().read(checkpoint, &self.identity())?;
        self.network.load(&self.state.network)?;
        Ok(self)
    }

    fn identity(&self) -> Identity {
        let config = self.inputs.config;
        let hashed = format!("{}\nseed {}\n", config.text(), config.seed());
        [
            ("protocol", config.text().to_string()),
            ("recipe_sha256", sha256(hashed.as_bytes())),
            ("data_sha256", self.inputs.data_sha256.to_string()),
        ]
    }

    /// The report so far.
    pub fn rows(&self) -> &[Row] {
        &self.state.rows
    }

    /// Steps that are done.
    pub fn step(&self) -> u32 {
        self.state.step
    }

    /// The best validation so far: its step and share of right answers.
    pub fn best(&self) -> Option<(u32, f64)> {
        self.state.best.as_ref().map(|best| (best.step, best.accuracy))
    }

    /// Whether all steps are done, or validation has been no better for too long.
    pub fn is_done(&self) -> bool {
        let config = self.inputs.config;
        let patience = config.validation.as_ref().and_then(|v| Some(v.patience?.saturating_mul(v.every)));
        let waited = self.state.best.as_ref().map_or(0, |best| self.state.step - best.step);
        self.state.step >= config.steps || patience.is_some_and(|patience| waited >= patience)
    }

    /// Trains to the next line of the report; `progress` hears of every step.
    ///
    /// # Errors
    /// When a number of the training is not finite any more, an item cannot be read, or the device fails.
    pub fn advance(&mut self, mut progress: impl FnMut(u32)) -> Result<(), TrainError> {
        let config = self.inputs.config;
        let end = (self.state.step / config.report + 1).saturating_mul(config.report).min(config.steps);
        let (mut loss, mut accuracy, mut rate) = (0.0, 0.0, 0.0);
        let count = f64::from(end - self.state.step);
        while self.state.step < end {
            rate = config.optimiser.rate() * config.schedule.factor(self.state.step, config.steps);
            let found = self.train(rate)?;
            loss += found.value;
            accuracy += found.accuracy;
            progress(self.state.step);
        }
        self.state.network = self.network.weights()?;
        let validation = self.validate()?;
        let (loss, accuracy) = (loss / count, accuracy / count);
        self.state.rows.push(Row { step: end, loss, accuracy, validation, rate });
        Ok(())
    }

    /// One step.
    fn train(&mut self, rate: f64) -> Result<Found, TrainError> {
        let (config, step) = (self.inputs.config, self.state.step);
        let mut stream = Stream::new(config.seed(), Purpose::Training, step);
        let batch = self.pool.batch(config, step, &mut stream);
        let images = self.images(&batch, &mut stream)?;
        let features = self.network.forward(&images)?;
        let head = self.head()?;
        let loss = self.objective(features, head.as_ref(), &batch)?;
        let found = Found { value: loss.value, accuracy: loss.accuracy };
        self.finite(|| "the loss".to_string(), loss.value)?;
        let mut traced = differentiate(loss.traced)?;
        let mut gradients = self.network.gradients(&mut traced)?;
        if let Some(head) = &head {
            gradients.extend(head.gradients(&mut traced)?);
        }
        let norm = clip(&mut gradients, config.clip);
        self.finite(|| "the norm of the gradient".to_string(), norm)?;
        self.state.network = self.network.weights()?;
        let State { network, head, optimiser, .. } = &mut self.state;
        let learned = network.learned_mut().chain(head.learned_mut());
        for (number, (parameter, gradient)) in learned.zip(&gradients).enumerate() {
            config.optimiser.step(step + 1, rate, optimiser, number, &mut parameter.values, gradient);
        }
        self.sound()?;
        self.network.load(&self.state.network)?;
        self.state.step += 1;
        Ok(found)
    }

    /// Refuses a number of the step that is going on when it is not finite.
    fn finite(&self, what: impl Fn() -> String, value: f64) -> Result<(), TrainError> {
        if value.is_finite() {
            return Ok(());
        }
        Err(TrainError::Diverged { what: what(), step: self.state.step + 1, value })
    }

    /// Refuses a state that holds a number which is not finite. A loss alone does not tell: comparisons, as in ReLU and
    /// pooling, make zeros of NaN on its way there.
    fn sound(&self) -> Result<(), TrainError> {
        let State { network, head, optimiser, .. } = &self.state;
        for Weight { name, values, .. } in network.0.iter().chain(&head.0) {
            for value in values {
                self.finite(|| format!("`{name}`"), (*value).into())?;
            }
        }
        for value in optimiser.first.iter().chain(&optimiser.second).flatten() {
            self.finite(|| "a moment of the optimiser".to_string(), (*value).into())?;
        }
        Ok(())
    }

    /// The images of a batch, changed as the config says.
    fn images(&self, batch: &Batch, stream: &mut Stream) -> Result<Vec<f32>, TrainError> {
        let mut images = vec![0.0; batch.items.len() * self.inputs.store.dim()];
        validation::read(self.inputs.store, &batch.items, &mut images)?;
        let (height, width) = match self.architecture.form() {
            Form::Image { height, width, .. } => (height, width),
            _ => (0, 0),
        };
        let mut scratch = Vec::new();
        for image in images.chunks_exact_mut(self.inputs.store.dim()) {
            self.inputs.config.augmentation.apply(stream, image, (height, width), &mut scratch);
        }
        Ok(images)
    }

    /// The linear layer of a classification, on the device.
    fn head(&self) -> Result<Option<Head<D>>, TensorError> {
        let Objective::CrossEntropy { .. } = self.inputs.config.objective else { return Ok(None) };
        let (dim, classes) = (self.architecture.dim(), self.pool.classes());
        let mut head = Head::new(&self.device, HeadKind::Linear, (&[], dim), &[], classes)?;
        let values: Vec<Vec<f32>> = self.state.head.0.iter().map(|weight| weight.values.clone()).collect();
        head.load(&values)?;
        Ok(Some(head))
    }

    /// What is made small.
    fn objective(
        &self,
        features: Traced<D>,
        head: Option<&Head<D>>,
        batch: &Batch,
    ) -> Result<Loss<D>, TensorError> {
        match self.inputs.config.objective {
            Objective::CrossEntropy { .. } => {
                let logits = if let Some(head) = head { head.logits(features)? } else { features };
                cross_entropy(logits, &batch.labels, 0.0)
            }
            Objective::Prototypical { way, shot, query } => prototypical(features, (way, shot, query)),
            Objective::Triplet { margin, .. } => triplet(features, &batch.labels, margin),
        }
    }

    /// The accuracy on the validation episodes where it is time for it; the best weights are kept.
    fn validate(&mut self) -> Result<Option<f64>, TrainError> {
        let Some((rules, draw)) = self.inputs.config.validation.as_ref().zip(self.inputs.validation) else {
            return Ok(None);
        };
        let step = self.state.step;
        if !step.is_multiple_of(rules.every) && step < self.inputs.config.steps {
            return Ok(None);
        }
        let accuracy = validation::accuracy(self.network.as_ref(), self.inputs.store, draw)?;
        if self.state.best.as_ref().is_none_or(|best| accuracy > best.accuracy) {
            self.state.best = Some(Best { step, accuracy, network: self.state.network.clone() });
        }
        Ok(Some(accuracy))
    }

    /// Everything that is needed to go on; equal states give equal bytes.
    pub fn checkpoint(&self) -> Vec<u8> {
        self.state.bytes(&self.identity())
    }

    /// The best weights, or the last where there was no validation, with what is to be known of their training.
    pub fn weights(&self) -> Saved<A> {
        let (config, best) = (self.inputs.config, self.state.best.as_ref());
        let mut metadata = BTreeMap::new();
        let mut say = |key: &str, value: String| metadata.insert(key.to_string(), value);
        let splits: Vec<&str> = config.splits.iter().map(|split| split.word()).collect();
        say("trained_on", format!("{} ({})", self.inputs.store.name(), splits.join(", ")));
        self.identity().into_iter().for_each(|(key, value)| {
            say(key, value);
        });
        say("recipe", config.name.clone());
        say("objective", config.objective.to_string());
        say("augmentation", config.augmentation.text());
        say("seed", config.seed().to_string());
        say("steps", best.map_or(self.state.step, |best| best.step).to_string());
        say("kshot", env!("CARGO_PKG_VERSION").to_string());
        if let Some(best) = best {
            say("validation_accuracy", best.accuracy.to_string());
        }
        let weights = best.map_or(&self.state.network, |best| &best.network).clone();
        Saved { config: self.architecture.clone(), weights, metadata, card: None }
    }
}
