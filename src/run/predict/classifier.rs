//! A learner on a support that stays.

use std::num::NonZero;

use super::answers::{Caution, Prediction, Predictions};
use super::join;
use super::threshold::{Threshold, ThresholdFrom, ThresholdRule};
use crate::data::{ClassIndex, Store};
use crate::episode::{Draw, SampleError, fixed_support, held_out, other_classes};
use crate::eval::{self, Batch, Evaluation, SeenRules};
use crate::learner::{Checked, Learners};
use crate::metric::QueryGrade;
use crate::run::device::{Device, on_device};
use crate::run::embed::Behind;
use crate::run::error::RunError;
use crate::run::features::Features;
use crate::run::watch::{Progress, Silent, Watch};
use crate::vocab::{ClassId, ItemId, Setting, Split, Transform};

/// Episodes of validation classes on which a threshold is set.
const VALIDATION_EPISODES: u32 = 50;

/// Where the work is done, and who watches.
#[derive(Clone, Copy)]
pub struct Resources<'a> {
    /// The learners that are known.
    pub learners: &'a Learners,
    /// Where the work is done.
    pub device: Device,
    /// Workers; answers do not depend on it.
    pub workers: usize,
    /// Is told how it goes.
    pub watch: &'a dyn Watch,
}

impl<'a> Resources<'a> {
    /// The processor with all its cores, watched by nobody.
    pub fn of(learners: &'a Learners) -> Resources<'a> {
        let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
        Resources { learners, device: Device::Cpu, workers, watch: &Silent }
    }
}

/// A learner with the items that it knows classes by, and the confidence from which it answers.
///
/// Every learner can be one. The classes are those of split novel, which all are where there are no splits; base classes serve fits and
/// the centre of `cl2n` (the mean of the support where there are none), validation classes serve the threshold.
///
/// ```
/// use kshot::learner::Learners;
/// use kshot::run::{Classifier, Features, Resources, ThresholdRule};
///
/// # fn main() -> Result<(), kshot::run::RunError> {
/// let learners = Learners::shipped();
/// let with = Resources::of(&learners);
/// let support = Features::from_rows(&[0.0, 1.0, 10.0, 11.0, 20.0, 21.0], 1, &["low", "low", "mid", "mid", "high", "high"])?;
/// let rule = ThresholdRule::default();
/// let classifier = Classifier::fit(support, "prototypical", rule, 7, &with)?;
/// let found = classifier.predict(&Features::unlabelled(&[12.0, 0.5], 1)?, &with)?;
/// assert_eq!(found.items[0].class, "mid");
/// assert!(!found.items[1].refused);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Classifier {
    pub(super) support: Features,
    pub(super) learner: Checked,
    pub(super) rule: ThresholdRule,
    pub(super) threshold: Option<Threshold>,
    pub(super) seed: u64,
    pub(super) cautions: Vec<Caution>,
}

impl Classifier {
    /// A learner `name:key=value,…` on a support, and its threshold by a rule; `seed` is that of its random numbers.
    ///
    /// # Errors
    /// A learner that is not known or needs what the support does not have, fewer than two classes, a threshold on validation classes
    /// of which there are fewer than four, or a fit that fails.
    pub fn fit(
        support: Features,
        spec: &str,
        rule: ThresholdRule,
        seed: u64,
        with: &Resources<'_>,
    ) -> Result<Classifier, RunError> {
        let registry = with.learners.cpu();
        let mut learner = registry.check(spec)?;
        if support.store.index().of_split(Split::Base).next().is_some() {
            learner = registry.beside_base(&learner)?;
        }
        let mut classifier =
            Classifier { support, learner, rule, threshold: None, seed, cautions: Vec::new() };
        classifier.check()?;
        classifier.threshold = classifier.set_threshold(with)?;
        Ok(classifier)
    }

    /// The same with more classes, or more items of those that it has; the threshold is set anew.
    ///
    /// # Errors
    /// Items of another network or size, and as [`Classifier::fit`].
    pub fn with(&self, more: &Features, with: &Resources<'_>) -> Result<Classifier, RunError> {
        let store = join::with_classes(&self.support.store, &more.store)?;
        let behind = match (&self.support.behind, &more.behind) {
            (Some(own), Some(theirs)) => Some(Behind {
                items: own.items.followed_by(&theirs.items),
                network: own.network.clone(),
                kept: eval::Kept::default(),
            }),
            _ => None,
        };
        let support = Features { store, behind: behind.map(Into::into), ..self.support.clone() };
        let mut wider = Classifier { support, threshold: None, cautions: Vec::new(), ..self.clone() };
        wider.check()?;
        wider.threshold = wider.set_threshold(with)?;
        Ok(wider)
    }

    /// The same with its threshold set anew, by the rule that it has.
    pub(super) fn again(mut self, with: &Resources<'_>) -> Result<Classifier, RunError> {
        self.threshold = self.set_threshold(with)?;
        Ok(self)
    }

    /// The names of the classes, in order.
    pub fn classes(&self) -> Vec<&str> {
        let index = self.support.store.index();
        self.candidates().iter().map(|class| index.class(*class).name.as_str()).collect()
    }

    /// The learner with its parameters.
    pub fn learner(&self) -> &Checked {
        &self.learner
    }

    /// How the threshold was set.
    pub fn rule(&self) -> ThresholdRule {
        self.rule
    }

    /// The threshold; none where nothing is refused.
    pub fn threshold(&self) -> Option<&Threshold> {
        self.threshold.as_ref()
    }

    /// What a user should know of it.
    pub fn cautions(&self) -> &[Caution] {
        &self.cautions
    }

    /// How many items it knows the classes by.
    pub fn support_items(&self) -> usize {
        let index = self.support.store.index();
        self.candidates().iter().map(|class| index.class(*class).items.len()).sum()
    }

    /// The classes of items.
    ///
    /// Answers of an inductive learner do not depend on the items beside; those of a transductive one do.
    ///
    /// # Errors
    /// Items of another network or size, or a learner that fails.
    pub fn predict(&self, items: &Features, with: &Resources<'_>) -> Result<Predictions, RunError> {
        let store = join::with_items(&self.support.store, &items.store, self.is_own_base())?;
        let behind = match (&self.support.behind, &items.behind) {
            (Some(own), Some(asked)) if self.learner.needs_network => Some(Behind {
                items: own.items.followed_by(&asked.items),
                network: own.network.clone(),
                kept: eval::Kept::default(),
            }),
            _ => None,
        };
        let first = self.support.store.rows();
        let asked: Vec<ItemId> = (first..store.rows()).map(|row| ItemId(row as u32)).collect();
        let index = store.index();
        let names = self.classes();
        let classes: Vec<ClassId> = names.iter().filter_map(|name| index.find(name)).collect();
        let draw = fixed_support(index, &classes, &asked).map_err(sampling)?;
        let (answers, unconverged) = self.answers(&store, behind.as_ref(), &draw, "predicting", with)?;
        let ids = items.store.ids();
        let threshold = self.threshold.map(|threshold| threshold.value);
        let prediction = |(grade, item): (&QueryGrade, &ItemId)| {
            let row = item.index() - first;
            let prediction = Prediction {
                item: ids.map_or_else(|| format!("row:{row}"), |ids| ids[row].clone()),
                class: names[usize::from(grade.predicted)].to_string(),
                probability: grade.confidence,
                confidence: grade.confidence_score,
                refused: threshold.is_some_and(|least| grade.confidence_score < least),
            };
            (row, prediction)
        };
        let mut found: Vec<(usize, Prediction)> =
            answers.iter().flat_map(|(grades, items)| grades.iter().zip(items).map(prediction)).collect();
        found.sort_by_key(|(row, _)| *row);
        let mut cautions = Vec::new();
        if self.learner.setting == Setting::Transductive {
            cautions.push(Caution::Transductive { learner: self.learner.learner().to_string() });
        }
        if unconverged > 0 {
            cautions.push(Caution::Unconverged { learner: self.learner.learner().to_string() });
        }
        Ok(Predictions { items: found.into_iter().map(|(_, prediction)| prediction).collect(), cautions })
    }

    fn candidates(&self) -> Vec<ClassId> {
        self.support.store.index().of_split(Split::Novel).collect()
    }

    /// Whether the mean that is subtracted from features is that of the support.
    fn is_own_base(&self) -> bool {
        let has_base = self.support.store.index().of_split(Split::Base).next().is_some();
        self.learner.takes == Transform::Cl2n && !self.learner.needs_fit && !has_base
    }

    /// Fails unless the learner can work on the support.
    fn check(&self) -> Result<(), RunError> {
        let way = self.candidates().len();
        if way < 2 {
            return Err(RunError::Request(format!(
                "support `{}` has {way} {} of split novel, a classifier tells two or more apart\nhint: classes of other splits only serve fits and thresholds",
                self.support.name,
                if way == 1 { "class" } else { "classes" }
            )));
        }
        let store = &self.support.store;
        let has_network = self.support.behind.is_some();
        Ok(eval::suits(store, has_network, &SeenRules::default(), &self.learner)?)
    }

    /// The threshold that the rule gives.
    fn set_threshold(&mut self, with: &Resources<'_>) -> Result<Option<Threshold>, RunError> {
        let (index, classes) = (self.support.store.index(), self.candidates());
        let draw = match self.rule.from {
            ThresholdFrom::None => return Ok(None),
            ThresholdFrom::Number(value) => return Ok(Some(Threshold::given(value))),
            ThresholdFrom::CrossValidation => held_out(index, &classes).map_err(sampling)?,
            ThresholdFrom::Validation => self.validation_draw(index, &classes)?,
        };
        if draw.is_empty() {
            self.cautions.push(Caution::NoThreshold);
            return Ok(None);
        }
        let store = match self.is_own_base() {
            true => &join::as_base(&self.support.store)?,
            false => &self.support.store,
        };
        let behind = self.support.behind.as_deref().filter(|_| self.learner.needs_network);
        let (answers, _) = self.answers(store, behind, &draw, "setting the threshold", with)?;
        let queries: Vec<QueryGrade> = answers.into_iter().flat_map(|(grades, _)| grades).collect();
        Ok(Threshold::of(&queries, self.rule.keep))
    }

    /// Episodes of the validation classes, of the size of the support.
    fn validation_draw(&self, index: &ClassIndex, classes: &[ClassId]) -> Result<Draw, RunError> {
        let others: Vec<ClassId> = index.of_split(Split::Validation).collect();
        let mut sizes: Vec<usize> = classes.iter().map(|class| index.class(*class).items.len()).collect();
        sizes.sort_unstable();
        let shot = sizes[sizes.len() / 2];
        let draw = other_classes(index, &others, (classes.len(), shot), VALIDATION_EPISODES, self.seed);
        let draw = draw.map_err(sampling)?;
        if draw.is_empty() {
            return Err(RunError::Request(format!(
                "support `{}` has {} validation classes, of which four or more must have more than {shot} items to set a threshold on them\nhint: leave --threshold out to set it by cross-validation inside the support",
                self.support.name,
                others.len()
            )));
        }
        Ok(draw)
    }

    /// The answers to the episodes of a draw with their items, in the order of the episodes, and how many fits did not converge.
    fn answers(
        &self,
        store: &Store,
        behind: Option<&Behind>,
        draw: &Draw,
        stage: &str,
        with: &Resources<'_>,
    ) -> Result<(Vec<Answered>, usize), RunError> {
        let evaluation = Evaluation {
            store,
            behind: behind.map(|behind| eval::Behind {
                items: &behind.items,
                network: &behind.network,
                kept: &behind.kept,
            }),
            draw,
            seed: self.seed,
            learners: std::slice::from_ref(&self.learner),
            shots: &[None],
            rules: SeenRules::default(),
            workers: with.workers,
            batch: None,
        };
        let progress = Progress::of_items(with.watch, stage, draw.items());
        let (mut answers, mut unconverged) = (Vec::new(), 0);
        let take = |batch: Batch| {
            unconverged += batch.unconverged;
            for (answered, items) in batch.episodes.into_iter().zip(batch.items) {
                progress
                    .advance(draw.episode(answered.place).all_support().len() as u64 + items.len() as u64);
                answers.push((answered.grade.queries, items));
            }
            progress.go_on()
        };
        on_device!(with.device, |open, Kind| eval::evaluate::<Kind, RunError>(
            with.learners.on::<Kind>(),
            &evaluation,
            open,
            take
        ))?;
        Ok((answers, unconverged))
    }
}

/// The answers of one episode, with its items in their order.
type Answered = (Vec<QueryGrade>, Vec<ItemId>);

fn sampling(source: SampleError) -> RunError {
    RunError::Sample { protocol: "of the support".to_string(), source }
}
