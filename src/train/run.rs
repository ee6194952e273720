//! A training, step by step.

use std::collections::BTreeMap;
use std::path::Path;

use super::batch::{Batch, Pool, START};
use super::checkpoint::{Best, Identity, State};
use super::error::TrainError;
use super::objective::{Loss, cross_entropy, prototypical, triplet};
use super::optimiser::{Moments, clip};
use super::recipe::Recipe;
use super::row::Row;
use super::validation;
use super::written::Objective;
use crate::backbone::{Architecture, BackboneError, Configuration, Parameter, Parameters, Saved, Trainable};
use crate::data::Store;
use crate::episode::{Draw, sha256};
use crate::rng::{Purpose, Stream};
use crate::tensor::conv::ConvOps;
use crate::tensor::dfdx::tensor::NoneTape;
use crate::tensor::to_host;
use crate::tensor::trail::pull;
use crate::vocab::Form;

/// What a run needs to know, read and checked.
pub struct Task<'a> {
    /// The recipe.
    pub recipe: &'a Recipe,
    /// The images.
    pub store: &'a Store,
    /// The fingerprint of the images.
    pub data_sha256: &'a str,
    /// The frozen validation episodes, where the recipe asks for validation.
    pub validation: Option<&'a Draw>,
}

/// A training on a device, of a network that kshot knows by name, or of another one with [`Run::of`].
pub struct Run<'a, D: ConvOps, A: Architecture = Configuration> {
    task: Task<'a>,
    pool: Pool,
    config: A,
    network: Box<dyn Trainable<D>>,
    state: State,
}

impl<'a, D: ConvOps> Run<'a, D> {
    /// A training from first values, which depend on the seed alone.
    ///
    /// # Errors
    /// When the items are no images, the network does not fit them, or there are too few classes.
    pub fn new(device: &D, task: Task<'a>) -> Result<Run<'a, D>, TrainError> {
        let form = images(task.store)?;
        let config = Configuration::fit(&task.recipe.backbone, form, &task.recipe.sizes)?;
        Run::of(device, task, config)
    }

    /// A training that goes on from a checkpoint.
    ///
    /// # Errors
    /// As [`Run::new`]; also when the checkpoint cannot be read or is of another recipe or other data.
    pub fn resume(device: &D, task: Task<'a>, checkpoint: &Path) -> Result<Run<'a, D>, TrainError> {
        Run::new(device, task)?.gone_on(checkpoint)
    }
}

/// The form of a store's items, which must be images.
fn images(store: &Store) -> Result<Form, TrainError> {
    match store.form() {
        form @ Form::Image { .. } => Ok(form),
        form => Err(TrainError::NoImages { dataset: store.name().to_string(), form }),
    }
}

impl<'a, D: ConvOps, A: Architecture> Run<'a, D, A> {
    /// As [`Run::new`], of a network of these sizes, whatever the recipe names.
    ///
    /// # Errors
    /// As [`Run::new`].
    pub fn of(device: &D, task: Task<'a>, config: A) -> Result<Run<'a, D, A>, TrainError> {
        let (recipe, store) = (task.recipe, task.store);
        let form = images(store)?;
        if form != config.form() {
            let (backbone, expected) = (config.name().to_string(), config.form());
            return Err(BackboneError::OtherForm { backbone, expected, found: form }.into());
        }
        let pool = Pool::new(recipe, store)?;
        let mut stream = Stream::new(recipe.seed(), Purpose::Training, START);
        let start = config.fresh(|| stream.normal());
        let network = config.on(device, &start)?;
        let mut head = Parameters::default();
        if let Objective::CrossEntropy { .. } = recipe.objective {
            let (classes, dim) = (pool.classes(), config.dim());
            let deviation = (1.0 / dim as f64).sqrt();
            let weight = (0..classes * dim).map(|_| (deviation * stream.normal()) as f32).collect();
            head.push("weight".to_string(), &[classes, dim], weight, true);
            head.push("bias".to_string(), &[classes], vec![0.0; classes], true);
        }
        let sizes = start.learned().chain(head.learned()).map(|p| p.values.len());
        let moments = Moments::zeros(sizes);
        let state = State { step: 0, network: start, head, moments, best: None, rows: Vec::new() };
        Ok(Run { task, pool, config, network, state })
    }

    /// The same, where a checkpoint left it.
    ///
    /// # Errors
    /// When the checkpoint cannot be read or is of another recipe or other data.
    pub fn gone_on(mut self, checkpoint: &Path) -> Result<Run<'a, D, A>, TrainError> {
        self.state = self.state.clone().read(checkpoint, &self.identity())?;
        self.network.load(&self.state.network)?;
        Ok(self)
    }

    fn identity(&self) -> Identity {
        let recipe = self.task.recipe;
        let hashed = format!("{}\nseed {}\n", recipe.text(), recipe.seed());
        [
            ("protocol", recipe.text().to_string()),
            ("recipe_sha256", sha256(hashed.as_bytes())),
            ("data_sha256", self.task.data_sha256.to_string()),
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
        let recipe = self.task.recipe;
        let patience = recipe.validation.as_ref().and_then(|v| Some(v.patience?.saturating_mul(v.every)));
        let waited = self.state.best.as_ref().map_or(0, |best| self.state.step - best.step);
        self.state.step >= recipe.steps || patience.is_some_and(|patience| waited >= patience)
    }

    /// Trains to the next line of the report; `progress` hears of every step.
    ///
    /// # Errors
    /// When a number of the training is not finite any more, an item cannot be read, or the device fails.
    pub fn advance(&mut self, mut progress: impl FnMut(u32)) -> Result<(), TrainError> {
        let recipe = self.task.recipe;
        let end = (self.state.step / recipe.report + 1).saturating_mul(recipe.report).min(recipe.steps);
        let (mut loss, mut accuracy, mut rate) = (0.0, 0.0, 0.0);
        let count = f64::from(end - self.state.step);
        while self.state.step < end {
            rate = recipe.optimiser.rate() * recipe.schedule.factor(self.state.step, recipe.steps);
            let found = self.train(rate)?;
            loss += found.value;
            accuracy += found.accuracy;
            progress(self.state.step);
        }
        self.state.network = self.network.parameters()?;
        let validation = self.validate()?;
        let (loss, accuracy) = (loss / count, accuracy / count);
        self.state.rows.push(Row { step: end, loss, accuracy, validation, rate });
        Ok(())
    }

    /// One step.
    fn train(&mut self, rate: f64) -> Result<Loss, TrainError> {
        let (recipe, step) = (self.task.recipe, self.state.step);
        let mut stream = Stream::new(recipe.seed(), Purpose::Training, step);
        let batch = self.pool.batch(recipe, step, &mut stream);
        let images = self.images(&batch, &mut stream)?;
        let features = self.network.forward(&images)?;
        let values = to_host(&features.retaped::<NoneTape>())?;
        let (loss, toward_head) = self.objective(&values, &batch);
        self.finite(|| "the loss".to_string(), loss.value)?;
        let mut slopes = pull(features, loss.gradient.clone())?;
        let mut gradients = self.network.gradients(&mut slopes)?;
        gradients.extend(toward_head);
        let norm = clip(&mut gradients, recipe.clip);
        self.finite(|| "the norm of the gradient".to_string(), norm)?;
        self.state.network = self.network.parameters()?;
        let State { network, head, moments, .. } = &mut self.state;
        let learned = network.learned_mut().chain(head.learned_mut());
        for (number, (parameter, gradient)) in learned.zip(&gradients).enumerate() {
            recipe.optimiser.step(step + 1, rate, moments, number, &mut parameter.values, gradient);
        }
        self.sound()?;
        self.network.load(&self.state.network)?;
        self.state.step += 1;
        Ok(loss)
    }

    /// Refuses a number of the step that is going on when it is not finite.
    fn finite(&self, what: impl Fn() -> String, value: f64) -> Result<(), TrainError> {
        match value.is_finite() {
            true => Ok(()),
            false => Err(TrainError::Diverged { what: what(), step: self.state.step + 1, value }),
        }
    }

    /// Refuses a state that holds a number which is not finite. A loss alone does not tell: comparisons, as in ReLU and
    /// pooling, make zeros of NaN on its way there.
    fn sound(&self) -> Result<(), TrainError> {
        let State { network, head, moments, .. } = &self.state;
        for Parameter { name, values, .. } in network.0.iter().chain(&head.0) {
            for value in values {
                self.finite(|| format!("`{name}`"), (*value).into())?;
            }
        }
        for value in moments.first.iter().chain(&moments.second).flatten() {
            self.finite(|| "a moment of the optimiser".to_string(), (*value).into())?;
        }
        Ok(())
    }

    /// The images of a batch, changed as the recipe says.
    fn images(&self, batch: &Batch, stream: &mut Stream) -> Result<Vec<f32>, TrainError> {
        let mut images = vec![0.0; batch.items.len() * self.task.store.dim()];
        validation::read(self.task.store, &batch.items, &mut images)?;
        let (height, width) = match self.config.form() {
            Form::Image { height, width, .. } => (height, width),
            _ => (0, 0),
        };
        let mut scratch = Vec::new();
        for image in images.chunks_exact_mut(self.task.store.dim()) {
            self.task.recipe.augmentation.apply(stream, image, (height, width), &mut scratch);
        }
        Ok(images)
    }

    /// The loss, and the gradients of the head.
    fn objective(&self, features: &[f32], batch: &Batch) -> (Loss, Vec<Vec<f32>>) {
        let dim = self.config.dim();
        match self.task.recipe.objective {
            Objective::Prototypical { way, shot, query } => {
                (prototypical(features, dim, (way, shot, query)), Vec::new())
            }
            Objective::Triplet { margin, .. } => (triplet(features, dim, &batch.labels, margin), Vec::new()),
            Objective::CrossEntropy { .. } => {
                let (weight, bias) = (&self.state.head.0[0].values, &self.state.head.0[1].values);
                let (loss, toward_weight, toward_bias) =
                    cross_entropy(features, dim, &batch.labels, weight, bias);
                (loss, vec![toward_weight, toward_bias])
            }
        }
    }

    /// The accuracy on the validation episodes where it is time for it; the best weights are kept.
    fn validate(&mut self) -> Result<Option<f64>, TrainError> {
        let Some((rules, draw)) = self.task.recipe.validation.as_ref().zip(self.task.validation) else {
            return Ok(None);
        };
        let step = self.state.step;
        if !step.is_multiple_of(rules.every) && step < self.task.recipe.steps {
            return Ok(None);
        }
        let accuracy = validation::accuracy(self.network.as_ref(), self.task.store, draw)?;
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
        let (recipe, best) = (self.task.recipe, self.state.best.as_ref());
        let mut metadata = BTreeMap::new();
        let mut say = |key: &str, value: String| metadata.insert(key.to_string(), value);
        let splits: Vec<&str> = recipe.splits.iter().map(|split| split.word()).collect();
        say("trained_on", format!("{} ({})", self.task.store.name(), splits.join(", ")));
        self.identity().into_iter().for_each(|(key, value)| {
            say(key, value);
        });
        say("recipe", recipe.name.clone());
        say("objective", recipe.objective.to_string());
        say("augmentation", recipe.augmentation.text());
        say("seed", recipe.seed().to_string());
        say("steps", best.map_or(self.state.step, |best| best.step).to_string());
        say("kshot", env!("CARGO_PKG_VERSION").to_string());
        if let Some(best) = best {
            say("validation_accuracy", best.accuracy.to_string());
        }
        let parameters = best.map_or(&self.state.network, |best| &best.network).clone();
        Saved { config: self.config.clone(), parameters, metadata }
    }
}
