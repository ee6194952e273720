//! One worker: its own device, its own learners, one batch after another.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;

use super::stacking::seen_labels;
use super::{Answered, Batch, EvalError, Shared, takes_part};
use crate::episode::{Order, deal, deal_vectors};
use crate::learner::{Fitted, Given, Learner, Parameters, Registry, Roster};
use crate::metric::{EpisodeGrade, QueryMargin, grade, margins, stack};
use crate::rng::Chance;
use crate::tensor::dfdx::shapes::HasShape;
use crate::tensor::{Backend, TensorError, to_host};
use crate::view::Answers;
use crate::vocab::{Meaning, Transform};

type Sender = SyncSender<(usize, Result<Vec<Batch>, EvalError>)>;

/// Takes batches until there are none left, or another worker has failed.
pub(super) fn work<R: Roster, D: Backend>(
    shared: &Shared<'_, D>,
    open: &(impl Fn() -> Result<D, TensorError> + Sync),
    sender: &Sender,
) {
    // dfdx's matrix product takes as many threads as the pool it runs in has; a worker is one of several already.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let outcome = match pool {
        Ok(pool) => pool.install(|| take_batches::<R, D>(shared, open, sender)),
        Err(error) => Err(EvalError::Worker(error.to_string())),
    };
    if let Err(error) = outcome {
        // A worker that cannot start fails in the place of the next batch.
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        shared.stop.store(true, Ordering::Relaxed);
        let _ = sender.send((number, Err(error)));
    }
}

fn take_batches<R: Roster, D: Backend>(
    shared: &Shared<'_, D>,
    open: &(impl Fn() -> Result<D, TensorError> + Sync),
    sender: &Sender,
) -> Result<(), EvalError> {
    let device = open()?;
    let registry = Registry::<D>::of::<R>();
    let build = |(parameters, fitted): (&Parameters, &Option<Fitted<D>>)| match fitted {
        Some(fitted) => fitted.learner(&device),
        None => registry.build(parameters),
    };
    let named = shared.evaluation.learners.iter().zip(&shared.fitted);
    let learners: Vec<Learner<D>> = named.map(build).collect::<Result<_, _>>()?;
    let stores: BTreeMap<Transform, D::Store> = shared
        .rows
        .iter()
        .map(|(transform, rows)| Ok((*transform, device.place(rows)?)))
        .collect::<Result<_, TensorError>>()?;
    while !shared.stop.load(Ordering::Relaxed) {
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        if number >= shared.batches.len() {
            break;
        }
        let result = answer(shared, &device, &learners, &stores, number);
        let failed = result.is_err();
        if sender.send((number, result)).is_err() || failed {
            break;
        }
    }
    Ok(())
}

/// The answers of all learners, at all shots, to one batch.
fn answer<D: Backend>(
    shared: &Shared<'_, D>,
    device: &D,
    learners: &[Learner<D>],
    stores: &BTreeMap<Transform, D::Store>,
    number: usize,
) -> Result<Vec<Batch>, EvalError> {
    let evaluation = shared.evaluation;
    let places = shared.batches[number].clone();
    let order = Order::of(evaluation.draw, places.clone(), evaluation.seed);
    let numbers: Vec<u32> = places.clone().map(|place| evaluation.draw.episode(place).number()).collect();
    let chance = Chance::new(evaluation.seed, &numbers);
    let wanted = learners.iter().any(|learner| learner.setting().uses_class_vectors());
    let vectors = match evaluation.store.class_vectors().filter(|_| wanted) {
        Some(vectors) => Some(deal_vectors(device, vectors, evaluation.draw, places.clone())?),
        None => None,
    };
    let seen = match evaluation.rules.generalised {
        true => seen_labels(evaluation, places.clone()),
        false => Vec::new(),
    };
    let gamma = |learner, shot| evaluation.rules.gammas.and_then(|all| all.get(&(learner, shot)).copied());
    let mut out = Vec::new();
    for (shot_place, shot) in evaluation.shots.iter().enumerate() {
        for (transform, store) in stores {
            let form = evaluation.store.form();
            let dealt = deal(device, store, form, evaluation.draw, places.clone(), *shot, &order)?;
            for (place, learner) in learners.iter().enumerate() {
                let setting = learner.setting();
                if learner.takes() != *transform || !takes_part(setting, evaluation.shots, shot_place) {
                    continue;
                }
                let (name, support) = (&evaluation.learners[place], dealt.support.as_ref());
                let given =
                    Given { support, vectors: vectors.as_ref(), query: &dealt.query, chance: &chance };
                let way = evaluation.draw.episode(places.start).way();
                let sides = Sides { way, seen: &seen, gamma: gamma(place, shot_place) };
                let (answers, unconverged) = one(learner, name, &given, &sides, &dealt.answers, &numbers)?;
                for Graded { grades, margins, stacked } in answers {
                    let answered = places.clone().zip(grades).zip(margins);
                    out.push(Batch {
                        learner: place,
                        shot: shot_place,
                        stacked,
                        episodes: answered
                            .map(|((place, grade), margins)| Answered { place, grade, margins })
                            .collect(),
                        items: (0..places.len()).map(|e| order.items(e).collect()).collect(),
                        unconverged,
                    });
                }
            }
        }
    }
    Ok(out)
}

/// One learner's answers to one batch, graded.
fn one<D: Backend>(
    learner: &Learner<D>,
    parameters: &Parameters,
    given: &Given<'_, D>,
    sides: &Sides<'_>,
    answers: &Answers,
    numbers: &[u32],
) -> Result<(Vec<Graded>, usize), EvalError> {
    let way = sides.way;
    let name = || parameters.learner().to_string();
    let (first, last) = (numbers[0], numbers[numbers.len() - 1]);
    let bad = |problem: String| EvalError::BadScores { learner: name(), first, last, problem };
    let attempt = catch_unwind(AssertUnwindSafe(|| learner.answer(given)));
    let (scores, unconverged) = match attempt {
        Ok(answered) => {
            answered.map_err(|source| EvalError::Learner { learner: name(), first, last, source })?
        }
        Err(panic) => {
            let message = panic_message(panic.as_ref());
            return Err(EvalError::Panicked { learner: name(), first, last, message });
        }
    };
    let (expected, found) = ((numbers.len(), given.query.count(), way), *scores.values.shape());
    if found != expected {
        return Err(bad(format!("have shape {found:?}, expected {expected:?}")));
    }
    let values = to_host(&scores.values)?;
    if scores.meaning == Meaning::Probabilities && !values.chunks_exact(expected.2).all(is_distribution) {
        return Err(bad("are called probabilities, but are negative or do not sum to one".to_string()));
    }
    let confidence = learner.confidence();
    let graded = |values: &[f32], meaning| {
        grade(values, way, meaning, confidence, answers)
            .ok_or_else(|| bad("are not finite numbers".to_string()))
    };
    let grades = graded(&values, scores.meaning)?;
    if sides.seen.is_empty() {
        let margins = vec![Vec::new(); grades.len()];
        return Ok((vec![Graded { grades, margins, stacked: false }], unconverged));
    }
    let standing = margins(&values, way, sides.seen, answers)
        .ok_or_else(|| bad("cannot be told into seen and unseen classes".to_string()))?;
    let mut all = vec![Graded { grades, margins: standing.clone(), stacked: false }];
    if let Some(gamma) = sides.gamma {
        let mut values = values;
        stack(&mut values, way, sides.seen, gamma);
        // What was subtracted makes probabilities a ranking.
        let meaning = match scores.meaning {
            Meaning::Logits => Meaning::Logits,
            _ => Meaning::Ranking,
        };
        all.push(Graded { grades: graded(&values, meaning)?, margins: standing, stacked: true });
    }
    Ok((all, unconverged))
}

/// The labels of a batch, and which of them are seen.
struct Sides<'a> {
    way: usize,
    /// (episodes × way); empty where all labels are unseen.
    seen: &'a [bool],
    /// What a second answer subtracts from the scores of seen labels.
    gamma: Option<f32>,
}

/// One answer of a learner to a batch.
struct Graded {
    grades: Vec<EpisodeGrade>,
    margins: Vec<Vec<QueryMargin>>,
    stacked: bool,
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
