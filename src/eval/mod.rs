//! The only room where a learner and the answers meet.
//!
//! A draw is cut into batches of episodes of equal shape. Workers take batches in order, each with a device and learners
//! of its own, and give every learner the same batch; results come out in the order of the draw, whatever the number of
//! workers.

pub mod checks;
mod error;
mod kept;
mod place;
mod probe;
mod seen;
mod stacking;
mod thresholds;
mod unit;
mod worker;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use crate::backbone::Saved;
use crate::data::Store;
use crate::episode::{Draw, alike};
use crate::learner::{Checked, Fitted, Network, Registry};
use crate::metric::{EpisodeGrade, Margins, QueryMargin};
use crate::numbers::Values;
use crate::protocol::Protocol;
use crate::tensor::conv::ConvOps;
use crate::tensor::{Backend, BatchLimits, HostRows, TensorError};
use crate::vocab::{Form, ItemId, Setting, Transform};

pub use error::EvalError;
pub use kept::Kept;
pub use probe::{EpisodeCost, Meter, probe};
pub use seen::{SeenRules, seen, suits};
pub use stacking::{Gammas, gammas};
pub use thresholds::thresholds;

/// An evaluation to be carried out.
pub struct Evaluation<'a> {
    /// The features.
    pub store: &'a Store,
    /// The network that made the features and the raw items that it made them of, for learners that own a network.
    pub behind: Option<Behind<'a>>,
    /// The episodes.
    pub draw: &'a Draw,
    /// The seed of query orders and of the learners' random numbers.
    pub seed: u64,
    /// The learners.
    pub learners: &'a [Checked],
    /// Shots: each class gives its first so many support items, or all of them.
    pub shots: &'a [Option<usize>],
    /// Which classes a fit may see.
    pub rules: SeenRules<'a>,
    /// Workers, each with a device of its own; 1 or more.
    pub workers: usize,
    /// Episodes in a batch; chosen by bytes where nothing is said.
    pub batch: Option<usize>,
}

/// Items as a network reads them: in memory, or read when they are asked for.
#[derive(Clone, Debug)]
pub struct RawItems {
    /// The numbers, item after item.
    pub values: Values,
    /// How many items there are.
    pub count: usize,
    /// Numbers per item.
    pub dim: usize,
    /// How they are laid out.
    pub form: Form,
}

impl RawItems {
    /// Those of a store.
    pub fn of(store: &Store) -> RawItems {
        RawItems { values: store.values().clone(), count: store.rows(), dim: store.dim(), form: store.form() }
    }

    /// These and, behind them, others of the same form.
    pub(crate) fn followed_by(&self, other: &RawItems) -> RawItems {
        let values = self.values.followed_by(self.count, &other.values, self.dim);
        RawItems { values, count: self.count + other.count, ..*self }
    }
}

/// What stands behind a feature set: the network that made it, and the raw items that it made it of.
#[derive(Clone, Copy)]
pub struct Behind<'a> {
    /// The items as the network reads them, in the order of the features.
    pub items: &'a RawItems,
    /// The network.
    pub network: &'a Arc<Saved>,
    /// What items gave that have passed a frozen part of it.
    pub kept: &'a Kept,
}

/// What a learner takes of a feature set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Takes {
    Features(Transform),
    /// Raw items.
    Items,
    /// What comes out of a frozen part, by its number.
    Passed(usize),
}

/// One episode, answered by one learner.
pub struct Answered {
    /// The episode's place in the draw.
    pub place: usize,
    /// Counts, losses and confidences.
    pub grade: EpisodeGrade,
    /// How far the scores of other labels lie from that of the truth, where it was asked for and they are no ranking.
    pub margins: Option<Margins>,
    /// How its queries stand between seen and unseen labels, before stacking; none where all labels are unseen.
    pub standing: Vec<QueryMargin>,
}

/// What is graded beside counts and losses; by default nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grading<'a> {
    /// By learner, the temperature at which probabilities are graded a second time; missing ones are none.
    pub temperatures: &'a [Option<f64>],
    /// Whether margins are kept, from which a temperature can be chosen.
    pub margins: bool,
    /// Whether learners that answer each item by itself are asked about their support too.
    pub support: bool,
}

/// By learner, the values that its fit has chosen on validation classes; nothing for one without a fit.
pub type Choices = Vec<BTreeMap<String, String>>;

/// One learner's answers to one batch at one shot.
pub struct Batch {
    /// Which of the evaluation's learners.
    pub learner: usize,
    /// Which of the evaluation's shots.
    pub shot: usize,
    /// Whether γ was subtracted from the scores of seen labels.
    pub stacked: bool,
    /// Its episodes, in order.
    pub episodes: Vec<Answered>,
    /// The queries of each episode in the order of the grades.
    pub items: Vec<Vec<ItemId>>,
    /// Episodes whose fit did not converge.
    pub unconverged: usize,
    /// Seconds of one worker; those of settings that were answered together are shared out evenly.
    pub seconds: f64,
}

/// Fails unless the protocol admits the learner and has a shot that it can use.
///
/// # Errors
/// The sentence for the user.
pub fn admit(protocol: &Protocol, learner: &Checked, shots: &[Option<usize>]) -> Result<(), EvalError> {
    let setting = learner.setting;
    if !protocol.settings().contains(&setting) {
        let admits: Vec<&str> = protocol.settings().iter().map(|s| s.word()).collect();
        return Err(EvalError::NotAdmitted {
            learner: learner.learner().to_string(),
            setting,
            protocol: protocol.name().to_string(),
            admits: admits.join(", "),
        });
    }
    if setting.needs_support() && shots.iter().all(|shot| *shot == Some(0)) {
        return Err(EvalError::NoSupport {
            learner: learner.learner().to_string(),
            protocol: protocol.name().to_string(),
        });
    }
    Ok(())
}

/// Whether a learner of this setting takes part at the shot at `place`: at those that have the support it needs; one
/// that uses no support takes part once, at the lowest.
pub fn takes_part(setting: Setting, shots: &[Option<usize>], place: usize) -> bool {
    match setting.uses_support() {
        true => shots[place] != Some(0) || !setting.needs_support(),
        false => place == 0,
    }
}

/// Numbers in a tensor of a batch at most, whatever was asked for: kernels of a GPU count them with 32 bits.
const MOST_NUMBERS: usize = 1 << 31;

/// Cuts a draw into batches of consecutive episodes of equal shape, of a given size or as large as the device likes them.
fn batches(draw: &Draw, dim: usize, size: Option<usize>, limits: BatchLimits) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    let mut limit = 1;
    for place in 0..draw.len() {
        match out.last_mut() {
            Some(last) if last.len() < limit && alike(draw, last.start, place) => last.end = place + 1,
            _ => {
                let episode = draw.episode(place);
                let items = episode.all_support().len() + episode.all_query().len();
                let fitting = limits.bytes / (items * dim * size_of::<f32>()).max(1);
                let most = MOST_NUMBERS / (items * dim.max(items)).max(1);
                limit = size.unwrap_or(fitting.clamp(1, limits.episodes)).min(most).max(1);
                out.push(place..place + 1);
            }
        }
    }
    out
}

/// Everything that a worker shares with the others.
struct Shared<'a, D: Backend> {
    evaluation: &'a Evaluation<'a>,
    grading: Grading<'a>,
    rows: BTreeMap<Takes, HostRows>,
    /// By learner, what it takes.
    takes: Vec<Takes>,
    /// How what comes out of each frozen part is laid out.
    forms: Vec<Form>,
    /// By learner, what was fitted on the seen classes.
    fitted: Vec<Option<Fitted<D>>>,
    batches: Vec<Range<usize>>,
    /// Batches that a worker takes, and hands over, at once.
    together: usize,
    /// The next group of batches.
    next: AtomicUsize,
    stop: AtomicBool,
}

impl<'a> Evaluation<'a> {
    /// How the items are laid out that learners of this kind are given, and the network that comes with them; `forms` are
    /// those of what comes out of frozen parts.
    fn given(&self, takes: Takes, forms: &[Form]) -> (Form, Option<Network<'a>>) {
        let network = |passed| self.behind.map(|behind| Network::new(behind.network, passed));
        match takes {
            Takes::Features(_) => (self.store.form(), None),
            Takes::Items => (self.behind.map_or(Form::Vector, |behind| behind.items.form), network(false)),
            Takes::Passed(number) => (forms[number], network(true)),
        }
    }
}

impl<D: Backend> Shared<'_, D> {
    /// The batches of a group; none behind the last.
    fn group(&self, number: usize) -> Range<usize> {
        let end = self.batches.len();
        let place = |number: usize| number.saturating_mul(self.together).min(end);
        place(number)..place(number.saturating_add(1))
    }
}

/// Episodes that are worth waking the thread that takes them over, where there are enough of them to share out evenly.
const WORTH_A_WORD: usize = 64;

/// Batches that a worker takes at once: threads that wake each other for a few episodes do little else.
fn together(batches: &[Range<usize>], workers: usize) -> usize {
    let largest = batches.iter().map(Range::len).max().unwrap_or(1);
    (WORTH_A_WORD / largest).min(batches.len() / (16 * workers)).max(1)
}

/// Carries out an evaluation with learners of this registry on devices that `open` opens, one per worker, and hands every batch to `sink`, in order.
///
/// # Errors
/// The first error of a learner, a device, the data, or the sink; nothing is handed over after it.
pub fn evaluate<D: ConvOps, E: From<EvalError>>(
    registry: &Registry<D>,
    evaluation: &Evaluation<'_>,
    open: impl Fn() -> Result<D, TensorError> + Sync,
    sink: impl FnMut(Batch) -> Result<(), E>,
) -> Result<(), E> {
    evaluate_with::<D, E>(registry, evaluation, Grading::default(), open, sink).map(drop)
}

/// As [`evaluate`], with more than counts and losses graded; gives back what the fits have chosen.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_with<D: ConvOps, E: From<EvalError>>(
    registry: &Registry<D>,
    evaluation: &Evaluation<'_>,
    grading: Grading<'_>,
    open: impl Fn() -> Result<D, TensorError> + Sync,
    mut sink: impl FnMut(Batch) -> Result<(), E>,
) -> Result<Choices, E> {
    // Held until the end: a GPU whose last user has gone forgets all that was prepared on it.
    let first = open().map_err(EvalError::from)?;
    let place::Placed { rows, takes, forms } = place::rows(registry, evaluation, &first)?;
    let adapts = evaluation.learners.iter().any(|learner| learner.needs_network);
    let dim = rows.values().map(HostRows::dim).max().unwrap_or(1);
    // A training takes long: an episode at a time, so that little is lost with a run that is killed.
    let size = evaluation.batch.or(adapts.then_some(1));
    let batches = batches(evaluation.draw, dim, size, first.batch_limits());
    let workers = evaluation.workers.clamp(1, batches.len().max(1));
    let shared = Shared {
        evaluation,
        grading,
        fitted: seen::fits(registry, evaluation, &rows, &open)?,
        rows,
        takes,
        forms,
        together: if adapts { 1 } else { together(&batches, workers) },
        batches,
        next: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
    };
    let (sender, receiver) = mpsc::sync_channel(4 * workers);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, shared, open) = (sender.clone(), &shared, &open);
            scope.spawn(move || worker::work(registry, shared, open, &sender));
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut due = 0;
        let mut outcome = Ok(());
        for (number, batches, result) in receiver {
            waiting.insert(number, (batches, result));
            while let Some((batches, result)) = waiting.remove(&due) {
                due += 1;
                // After an error the channel is emptied, so that no worker waits for room in it.
                if outcome.is_ok() {
                    let handed = Vec::into_iter(batches).try_for_each(&mut sink);
                    let handed: Result<(), E> = handed.and_then(|()| result.map_err(E::from));
                    if handed.is_err() {
                        shared.stop.store(true, Ordering::Relaxed);
                    }
                    outcome = handed;
                }
            }
        }
        outcome
    })?;
    let chosen = |fitted: &Option<Fitted<D>>| fitted.as_ref().map(|fitted| fitted.chosen().clone());
    Ok(shared.fitted.iter().map(|fitted| chosen(fitted).unwrap_or_default()).collect())
}
