//! One worker: its own device, its own learners, one batch after another.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use super::place::needed;
use super::stacking::seen_labels;
use super::unit::Unit;
use super::{Answered, Batch, EvalError, Evaluation, Grading, Shared, Takes, takes_part};
use crate::episode::{Order, deal, deal_class_embeddings};
use crate::learner::{Answer, Given, LearnError, Registry};
use crate::metric::{self, EpisodeGrade, Margins, QueryMargin, grade_at};
use crate::rng::BatchRng;
use crate::tensor::dfdx::shapes::HasShape;
use crate::tensor::{Backend, Cpu, Labels, TensorError, to_host};
use crate::view::{Answers, Support};
use crate::vocab::{Confidence, Meaning, Setting};

/// The number of a group, what its batches were answered, and the error that ended it.
type Sender = SyncSender<(usize, Vec<Batch>, Result<(), EvalError>)>;

/// Takes groups of batches until there are none left, or another worker has failed.
pub(super) fn work<D: Backend>(
    registry: &Registry<D>,
    shared: &Shared<'_, D>,
    open: &(impl Fn() -> Result<D, TensorError> + Sync),
    sender: &Sender,
) {
    // dfdx's matrix product takes as many threads as the pool it runs in has; a worker is one of several already.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let outcome = match pool {
        Ok(pool) => pool.install(|| take_batches(registry, shared, open, sender)),
        Err(error) => Err(EvalError::Worker(error.to_string())),
    };
    if let Err(error) = outcome {
        // A worker that cannot start fails in the place of the next group.
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        shared.stop.store(true, Ordering::Relaxed);
        let _ = sender.send((number, Vec::new(), Err(error)));
    }
}

fn take_batches<D: Backend>(
    registry: &Registry<D>,
    shared: &Shared<'_, D>,
    open: &(impl Fn() -> Result<D, TensorError> + Sync),
    sender: &Sender,
) -> Result<(), EvalError> {
    let device = open()?;
    let units = Unit::all(registry, shared.evaluation.learners, (&shared.takes, &shared.fitted), &device)?;
    let stores: BTreeMap<Takes, D::Store> = shared
        .rows
        .iter()
        .map(|(takes, rows)| Ok((*takes, device.upload_needed(rows, &|| needed(shared.evaluation.draw))?)))
        .collect::<Result<_, TensorError>>()?;
    while !shared.stop.load(Ordering::Relaxed) {
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        let group = shared.group(number);
        if group.is_empty() {
            break;
        }
        let mut batches = Vec::new();
        let result = group.into_iter().try_for_each(|number| {
            batches.extend(told::<D, _>(|| {
                let batch = answer(shared, &device, &units, &stores, number)?;
                device.release_unused()?;
                Ok(batch)
            })?);
            Ok(())
        });
        let failed = result.is_err();
        if sender.send((number, batches, result)).is_err() || failed {
            break;
        }
    }
    Ok(())
}

/// Does work on a device. A panic beside those of learners is a bug, but for a GPU's: it may lose its memory at any time,
/// and dfdx knows no other way to say so.
fn told<D: Backend, T>(work: impl FnOnce() -> Result<T, EvalError>) -> Result<T, EvalError> {
    if D::NAME == Cpu::NAME {
        return work();
    }
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(TensorError::of_panic(D::NAME, panic.as_ref()).into()))
}

/// The answers of all learners, at all shots, to one batch.
fn answer<D: Backend>(
    shared: &Shared<'_, D>,
    device: &D,
    units: &[Unit<D>],
    stores: &BTreeMap<Takes, D::Store>,
    number: usize,
) -> Result<Vec<Batch>, EvalError> {
    let evaluation = shared.evaluation;
    let places = shared.batches[number].clone();
    let order = Order::of(evaluation.store, evaluation.draw, places.clone(), evaluation.seed);
    let numbers: Vec<u32> = places.clone().map(|place| evaluation.draw.episode(place).number()).collect();
    let rng = BatchRng::new(evaluation.seed, &numbers);
    let wanted = units.iter().any(|unit| unit.setting.uses_class_embeddings());
    let vectors = match evaluation.store.class_embeddings().filter(|_| wanted) {
        Some(vectors) => Some(deal_class_embeddings(device, vectors, evaluation.draw, places.clone())?),
        None => None,
    };
    let seen = match evaluation.rules.generalised {
        true => seen_labels(evaluation, places.clone()),
        false => Vec::new(),
    };
    let mut out = Vec::new();
    for (shot_place, shot) in evaluation.shots.iter().enumerate() {
        for (taken, store) in stores {
            let (form, network) = evaluation.given(*taken, &shared.forms);
            let dealt = deal(device, store, form, evaluation.draw, places.clone(), *shot, &order)?;
            let takes = |unit: &&Unit<D>| {
                unit.takes == *taken && takes_part(unit.setting, evaluation.shots, shot_place)
            };
            for unit in units.iter().filter(takes) {
                let clock = Instant::now();
                let support = dealt.support.as_ref();
                let grading = &shared.grading;
                let asked = support.filter(|_| grading.support && unit.setting == Setting::Inductive);
                let both = asked.map(|support| dealt.query.with_support(support)).transpose()?;
                let given = Given {
                    support,
                    class_embeddings: vectors.as_ref(),
                    network,
                    query: both.as_ref().unwrap_or(&dealt.query),
                    rng: &rng,
                };
                let way = evaluation.draw.episode(places.start).way();
                let answers = &dealt.answers;
                let round = Round {
                    evaluation,
                    grading,
                    answers,
                    way,
                    numbers: &numbers,
                    seen: &seen,
                    shot: shot_place,
                    own: asked.map(Support::labels),
                };
                let graded = round.graded(unit, &given)?;
                let seconds = clock.elapsed().as_secs_f64() / graded.len().max(1) as f64;
                for graded in graded {
                    let answered = |(place, Verdict { grade, margins, standing })| Answered {
                        place,
                        grade,
                        margins,
                        standing,
                    };
                    out.push(Batch {
                        learner: graded.learner,
                        shot: shot_place,
                        stacked: graded.stacked,
                        episodes: places.clone().zip(graded.episodes).map(answered).collect(),
                        items: (0..places.len()).map(|e| order.items(e).collect()).collect(),
                        unconverged: graded.unconverged,
                        seconds,
                    });
                }
            }
        }
    }
    // A family answers its members together, and they come in the order of the evaluation all the same.
    out.sort_by_key(|batch: &Batch| (batch.shot, batch.learner));
    Ok(out)
}

/// One batch at one shot under one transform, about to be answered.
struct Round<'a> {
    evaluation: &'a Evaluation<'a>,
    grading: &'a Grading<'a>,
    answers: &'a Answers,
    way: usize,
    numbers: &'a [u32],
    /// Which labels are seen classes (episodes × way); empty where all labels are unseen.
    seen: &'a [bool],
    /// The place of the shot.
    shot: usize,
    /// The labels of the support items that stand behind the queries, where these are asked too.
    own: Option<&'a Labels>,
}

/// One learner's answers to one batch, graded.
struct Graded {
    learner: usize,
    /// Whether γ was subtracted from the scores of seen labels.
    stacked: bool,
    episodes: Vec<Verdict>,
    unconverged: usize,
}

/// What is known of one episode's answers.
struct Verdict {
    grade: EpisodeGrade,
    margins: Option<Margins>,
    standing: Vec<QueryMargin>,
}

impl Round<'_> {
    /// The answers of a unit's members, graded.
    fn graded<D: Backend>(&self, unit: &Unit<D>, given: &Given<'_, D>) -> Result<Vec<Graded>, EvalError> {
        let name = || self.evaluation.learners[unit.members[0]].learner().to_string();
        let (first, last) = (self.numbers[0], self.numbers[self.numbers.len() - 1]);
        let attempt = catch_unwind(AssertUnwindSafe(|| unit.answers(given)));
        let answers = match attempt {
            Ok(answers) => answers.map_err(|source| match source {
                LearnError::InEpisode { place, source } => {
                    let episode = self.numbers.get(place).copied().unwrap_or(first);
                    EvalError::Learner { learner: name(), first: episode, last: episode, source: *source }
                }
                source => EvalError::Learner { learner: name(), first, last, source },
            })?,
            Err(panic) => {
                let message = panic_message(panic.as_ref());
                return Err(match TensorError::of_device(D::NAME, message) {
                    TensorError::Device { message, .. } => {
                        EvalError::Panicked { learner: name(), first, last, message }
                    }
                    memory => memory.into(),
                });
            }
        };
        if answers.len() != unit.members.len() {
            let (found, expected) = (answers.len(), unit.members.len());
            let problem = format!("are those of {found} settings, expected {expected}");
            return Err(EvalError::BadScores { learner: name(), first, last, problem });
        }
        let members = unit.members.iter().zip(&unit.confidences).zip(answers);
        let graded =
            members.map(|((place, confidence), answer)| self.grade(*place, *confidence, given, answer));
        Ok(graded.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// The grades of one learner's scores, where these are numbers of the right shape; behind them those with γ
    /// subtracted, where there is one.
    fn grade<D: Backend>(
        &self,
        learner: usize,
        confidence: Confidence,
        given: &Given<'_, D>,
        answer: Answer<D>,
    ) -> Result<Vec<Graded>, EvalError> {
        let (scores, unconverged) = answer;
        let bad = |problem: String| {
            let learner = self.evaluation.learners[learner].learner().to_string();
            let (first, last) = (self.numbers[0], self.numbers[self.numbers.len() - 1]);
            EvalError::BadScores { learner, first, last, problem }
        };
        let (episodes, way) = (self.numbers.len(), self.way);
        let (expected, found) = ((episodes, given.query.count(), way), *scores.values.shape());
        if found != expected {
            return Err(bad(format!("have shape {found:?}, expected {expected:?}")));
        }
        let mut values = to_host(&scores.values)?;
        let support = self.own.map(|labels| self.parted(&mut values, labels));
        if scores.meaning == Meaning::Probabilities && !values.chunks_exact(way).all(is_distribution) {
            return Err(bad("are called probabilities, but are negative or do not sum to one".to_string()));
        }
        let standing = match self.seen {
            [] => vec![Vec::new(); episodes],
            seen => metric::standing(&values, way, seen, self.answers)
                .ok_or_else(|| bad("cannot be told into seen and unseen classes".to_string()))?,
        };
        let temperature = self.grading.temperatures.get(learner).copied().flatten();
        let verdicts = |values: &[f32],
                        meaning: Meaning,
                        standing: Vec<Vec<QueryMargin>>|
         -> Result<Vec<Verdict>, EvalError> {
            let grades = grade_at(values, way, meaning, confidence, self.answers, temperature)
                .ok_or_else(|| bad("are not finite numbers".to_string()))?;
            let margins = match self.grading.margins {
                true => metric::margins(values, way, meaning, self.answers),
                false => None,
            };
            let margins = margins.unwrap_or_default().into_iter().map(Some).chain(std::iter::repeat(None));
            let all = grades.into_iter().zip(margins).zip(standing);
            Ok(all.map(|((grade, margins), standing)| Verdict { grade, margins, standing }).collect())
        };
        let gammas = self.evaluation.rules.gammas;
        let gamma = gammas.and_then(|all| all.get(&(learner, self.shot))).filter(|_| !self.seen.is_empty());
        let mut plain = verdicts(&values, scores.meaning, standing.clone())?;
        for (verdict, accuracy) in plain.iter_mut().zip(support.iter().flatten()) {
            verdict.grade.support_accuracy = *accuracy;
        }
        let mut all = vec![Graded { learner, stacked: false, episodes: plain, unconverged }];
        if let Some(gamma) = gamma {
            metric::stack(&mut values, way, self.seen, *gamma);
            // What was subtracted makes probabilities a ranking.
            let meaning = match scores.meaning {
                Meaning::Logits => Meaning::Logits,
                _ => Meaning::Ranking,
            };
            let episodes = verdicts(&values, meaning, standing)?;
            all.push(Graded { learner, stacked: true, episodes, unconverged });
        }
        Ok(all)
    }
}

impl Round<'_> {
    /// Takes the scores of the support items, which stand behind those of the queries of each episode, and gives their accuracy by
    /// episode.
    fn parted(&self, values: &mut Vec<f32>, labels: &Labels) -> Vec<Option<f64>> {
        let (queries, way) = (self.answers.items(), self.way);
        let mut kept = Vec::with_capacity(self.numbers.len() * queries * way);
        let size = ((queries + labels.slots()) * way).max(1);
        let of_support = values.chunks_exact(size).enumerate().map(|(episode, scores)| {
            let (asked, own) = scores.split_at(queries * way);
            kept.extend_from_slice(asked);
            // Slots without an item are the last ones.
            metric::accuracy_of(own, way, labels.of(episode))
        });
        let accuracies = of_support.collect();
        *values = kept;
        accuracies
    }
}

/// What a panic said.
pub(super) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
    text.unwrap_or_else(|| "no message".to_string())
}

fn is_distribution(row: &[f32]) -> bool {
    let sum: f32 = row.iter().sum();
    row.iter().all(|p| *p >= 0.0) && (sum - 1.0).abs() < 1e-3
}
