//! A learner under examination, and the scores that it gives to made-up episodes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use super::toy::{Example, Size, Toy};
use crate::backbone::{Architecture, Configuration, Saved, start_stream};
use crate::learner::{Change, Given, LearnError, Learner, Network};
use crate::rng::BatchRng;
use crate::tensor::dfdx::shapes::HasShape;
use crate::tensor::{Cpu, HostRows, Labels, TensorError, open_cpu, to_host};
use crate::view::{ClassEmbeddings, Items, Seen, Support};
use crate::vocab::{Form, Meaning, Setting, Transform};

/// The seed of the learner's random numbers, where a check does not ask for another.
pub(super) const SEED: u64 = 11;
/// The number of an episode, where a check does not ask for another.
pub(super) const NUMBER: u32 = 4;

/// A learner under examination.
pub(super) struct Subject<'a> {
    device: Cpu,
    learner: Learner<Cpu>,
    /// Where it is fitted first: the fitted one, by the dimension of the features.
    fitted: RefCell<BTreeMap<usize, Rc<Learner<Cpu>>>>,
    /// Where it owns a network: the one that it is given, by the dimension of the items.
    networks: RefCell<BTreeMap<usize, Arc<Saved>>>,
    build: &'a dyn Fn() -> Result<Learner<Cpu>, LearnError>,
}

/// Scores of one episode: (items, way), row after row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sheet {
    pub way: usize,
    pub values: Vec<f32>,
    pub meaning: Meaning,
}

impl Sheet {
    /// The scores of one item.
    pub fn row(&self, item: usize) -> &[f32] {
        &self.values[item * self.way..(item + 1) * self.way]
    }

    /// The largest magnitude of a score.
    fn extent(&self) -> f32 {
        self.values.iter().fold(0.0, |most, v| v.abs().max(most))
    }

    /// Fails where these scores and those of `other` differ by more than rounding; `what` names the other.
    pub fn agrees(&self, other: &Sheet, what: &str) -> Result<(), String> {
        // Iterative fits stop at 1e-6 and scores are kept in single precision.
        self.agrees_to(1e-4, other, what)
    }

    /// As [`Sheet::agrees`], to a share of the largest score.
    pub fn agrees_to(&self, share: f32, other: &Sheet, what: &str) -> Result<(), String> {
        self.within(other, share * self.extent().max(other.extent()), what)
    }

    /// Fails where a bit differs.
    pub fn equals(&self, other: &Sheet, what: &str) -> Result<(), String> {
        self.within(other, 0.0, what)
    }

    fn within(&self, other: &Sheet, tolerance: f32, what: &str) -> Result<(), String> {
        let far = |(_, (a, b)): &(usize, (&f32, &f32))| (**a - **b).abs() > tolerance;
        match self.values.iter().zip(&other.values).enumerate().find(far) {
            Some((place, (a, b))) => {
                let (item, label) = (place / self.way, place % self.way);
                Err(format!("item {item} has score {a} for label {label}, and {b} {what}"))
            }
            None => Ok(()),
        }
    }
}

impl<'a> Subject<'a> {
    pub fn new(
        learner: Learner<Cpu>,
        build: &'a dyn Fn() -> Result<Learner<Cpu>, LearnError>,
    ) -> Subject<'a> {
        Subject {
            device: open_cpu(),
            learner,
            fitted: RefCell::default(),
            networks: RefCell::default(),
            build,
        }
    }

    pub fn setting(&self) -> Setting {
        self.learner.setting()
    }

    /// Whether its settings may not tell apart even classes that lie far apart.
    pub fn is_weak(&self) -> bool {
        self.learner.is_weak()
    }

    /// Whether it owns a network and cannot adapt the one that it is given here.
    pub fn refuses_its_network(&self) -> bool {
        let network = self.network(16).ok().flatten();
        network.is_some_and(|network| self.learner.frozen(&network).is_err())
    }

    /// The share of the largest score to which it agrees with itself on what is the same but for the order of its sums. What
    /// they round is amplified by the steps of a training.
    pub fn rounding(&self) -> f32 {
        if self.takes_long() { 1e-2 } else { 1e-4 }
    }

    /// Whether each episode is a training.
    pub fn takes_long(&self) -> bool {
        self.learner.is_only_by_name()
    }

    /// Whether it brings every column to one scale.
    pub fn weighs_columns_alike(&self) -> bool {
        self.learner.weighs_columns_alike()
    }

    /// Whether it declares that this change leaves its answers as they are. A fit on other classes does not change with the
    /// features of an episode.
    pub fn declares(&self, change: Change) -> bool {
        // The mean of the base items stays where it is, and so does a fit.
        let fixed = self.learner.needs_fit() || self.learner.takes() == Transform::Cl2n;
        !fixed && self.learner.invariances().any(|own| own == change)
    }

    /// Whether it is fitted on other classes and has no other source than these.
    pub fn knows_only_other_classes(&self) -> bool {
        self.learner.needs_fit() && !self.setting().uses_support()
    }

    /// The learner, fitted on made-up seen classes of this dimension.
    fn fitted(&self, dim: usize) -> Result<Rc<Learner<Cpu>>, String> {
        if let Some(learner) = self.fitted.borrow().get(&dim) {
            return Ok(Rc::clone(learner));
        }
        let seen = seen(dim, self.learner.takes()).map_err(|e| e.to_string())?;
        let fitted = self.learner.fit(&seen, || seen.vectors().to_vec(), &self.device);
        let Some(fitted) = fitted.map_err(|e| e.to_string())? else {
            return Err("a learner that needs no fit".to_string());
        };
        let learner = fitted.learner(&self.device).map_err(|e| e.to_string())?;
        if learner.setting() != self.setting() && self.setting() != Setting::ClassTransductive {
            return Err(format!("a fit of a {} learner gave a {} one", self.setting(), learner.setting()));
        }
        let learner = Rc::new(learner);
        self.fitted.borrow_mut().insert(dim, Rc::clone(&learner));
        Ok(learner)
    }

    /// Another one of the same learner, made afresh.
    pub fn anew(&self) -> Result<Subject<'a>, String> {
        let learner = (self.build)().map_err(|e| e.to_string())?;
        Ok(Subject::new(learner, self.build))
    }

    /// The scores of one episode.
    pub fn one(&self, toy: &Toy) -> Result<Sheet, String> {
        self.seeded(toy, SEED)
    }

    /// The scores of one episode with another seed.
    pub fn seeded(&self, toy: &Toy, seed: u64) -> Result<Sheet, String> {
        let mut sheets = self.batch(&[toy], &[NUMBER], seed)?;
        sheets.pop().ok_or_else(|| "no scores".to_string())
    }

    /// Whether another seed changes the scores of an episode.
    pub fn is_random(&self, toy: &Toy) -> Result<bool, String> {
        Ok(self.seeded(toy, SEED)? != self.seeded(toy, SEED + 1)?)
    }

    /// The scores of a batch of episodes with these numbers, one sheet per episode.
    ///
    /// Fails as the learner fails: with its error, its panic, or scores of the wrong shape or that are not finite.
    pub fn batch(&self, toys: &[&Toy], numbers: &[u32], seed: u64) -> Result<Vec<Sheet>, String> {
        let seen: Vec<Toy> = toys.iter().map(|toy| toy.transformed(self.learner.takes())).collect();
        let support = self.support(&seen)?;
        let query = self.query(&seen)?;
        let vectors = self.vectors(&seen)?;
        let rng = BatchRng::new(seed, numbers);
        let network = self.network(query.dim())?;
        let given = Given {
            support: support.as_ref(),
            class_embeddings: Some(&vectors),
            network: network.as_ref().map(|network| Network::new(network, false)),
            query: &query,
            rng: &rng,
        };
        let answer = || match self.learner.needs_fit() {
            true => self.fitted(query.dim())?.answer(&given).map_err(|e| e.to_string()),
            false => self.learner.answer(&given).map_err(|e| e.to_string()),
        };
        let (scores, _) = catch_unwind(AssertUnwindSafe(answer)).map_err(|_| "a panic".to_string())??;
        let (expected, found) = ((toys.len(), query.count(), vectors.way()), *scores.values.shape());
        if expected != found {
            return Err(format!("scores have shape {found:?}, expected {expected:?}"));
        }
        let values = to_host(&scores.values).map_err(|e| e.to_string())?;
        let (way, size) = (vectors.way(), query.count() * vectors.way());
        if let Some(place) = values.iter().position(|v| !v.is_finite()) {
            let (item, label) = (place % size / way, place % way);
            return Err(format!("item {item} has score {} for label {label}", values[place]));
        }
        let sheet = |values: &[f32]| Sheet { way, values: values.to_vec(), meaning: scores.meaning };
        Ok(values.chunks_exact(size).map(sheet).collect())
    }

    /// Of a learner that owns a network: one with random weights, for images of a row of `dim` pixels.
    fn network(&self, dim: usize) -> Result<Option<Arc<Saved>>, String> {
        if !self.learner.needs_network() {
            return Ok(None);
        }
        let mut networks = self.networks.borrow_mut();
        if let Some(network) = networks.get(&dim) {
            return Ok(Some(Arc::clone(network)));
        }
        let form = Form::Image { channels: 1, height: 1, width: dim };
        let sizes = [("hidden", 24), ("width", 12)].map(|(key, size)| (key.to_string(), size)).into();
        let config = Configuration::fit("mlp", form, &sizes).map_err(|e| e.to_string())?;
        let mut stream = start_stream(SEED);
        let weights = config.fresh(|| stream.normal());
        let network = Arc::new(Saved { config, weights, metadata: BTreeMap::new(), card: None });
        networks.insert(dim, Arc::clone(&network));
        Ok(Some(network))
    }

    fn support(&self, toys: &[Toy]) -> Result<Option<Support<Cpu>>, String> {
        let (way, dim) = toys.first().map_or((0, 0), |toy| (toy.way, toy.dim));
        let slots = toys.iter().map(|toy| toy.support.len()).max().unwrap_or(0);
        if slots == 0 {
            return Ok(None);
        }
        let (mut values, mut labels) = (Vec::new(), Vec::new());
        for toy in toys {
            values.extend(toy.support.iter().flat_map(|e| &e.features));
            labels.extend(toy.support.iter().map(|e| e.label));
            values.extend(std::iter::repeat_n(0.0, (slots - toy.support.len()) * dim));
            labels.extend(std::iter::repeat_n(Labels::EMPTY, slots - toy.support.len()));
        }
        let labels = Labels::new(toys.len(), slots, way, labels).map_err(|e| e.to_string())?;
        Support::dense(&self.device, dim, values, labels).map(Some).map_err(|e| e.to_string())
    }

    fn query(&self, toys: &[Toy]) -> Result<Items<Cpu>, String> {
        let (items, dim) = toys.first().map_or((0, 0), |toy| (toy.query.len(), toy.dim));
        let features = |toy: &Toy| -> Vec<f32> {
            toy.query.iter().flat_map(|Example { features, .. }| features.iter().copied()).collect()
        };
        let values = toys.iter().flat_map(features).collect();
        Items::dense(&self.device, (toys.len(), items, dim), values).map_err(|e| e.to_string())
    }

    fn vectors(&self, toys: &[Toy]) -> Result<ClassEmbeddings<Cpu>, String> {
        let (way, dim) = toys.first().map_or((0, 0), |toy| (toy.way, toy.dim));
        let values = toys.iter().flat_map(|toy| toy.vectors.iter().flatten().copied()).collect();
        ClassEmbeddings::new(&self.device, (toys.len(), way, dim), values).map_err(|e| e.to_string())
    }
}

/// Items of each made-up seen class.
const SHOTS: [usize; 40] = [3; 40];

/// Made-up seen classes: the first 30 base classes, the others validation classes.
fn seen(dim: usize, takes: Transform) -> Result<Seen, TensorError> {
    let toy = Toy::ordinary(5_000, Size { shots: &SHOTS, query: 0, dim }).transformed(takes);
    let features = toy.support.iter().flat_map(|e| e.features.iter().copied()).collect();
    let rows = HostRows::dense(features, dim)?;
    let items = (0..toy.support.len() as u32).collect();
    let labels = toy.support.iter().map(|e| u32::from(e.label)).collect();
    let base = (0..toy.way).map(|class| class < 30).collect();
    Seen::new(rows, items, labels, toy.vectors.concat(), dim, base)
}
