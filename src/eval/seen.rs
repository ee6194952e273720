//! Fits on seen classes: made once in a run, before any episode is dealt, from seen classes alone.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{EvalError, Evaluation, Gammas, Takes};
use crate::data::{Store, seen_items};
use crate::learner::{Checked, Fitted, Registry};
use crate::protocol::Protocol;
use crate::tensor::{Backend, HostRows, TensorError};
use crate::view::Seen;
use crate::vocab::{ClassId, Scope, Split, Transform};

/// Which classes are seen, and which of their items are held out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeenRules<'a> {
    /// The split under evaluation: a fit sees the splits before it, so base classes for `validation`, base and
    /// validation classes for `novel`, and none where all classes are evaluated.
    pub split: Scope,
    /// The part of seen items that is held out, where the dataset has parts.
    pub part: &'a str,
    /// Whether the candidates are seen and unseen classes.
    pub generalised: bool,
    /// The names of the classes under evaluation, where it is not the whole split.
    pub classes: Option<&'a [String]>,
    /// Where they are: what is subtracted from the scores of seen classes in a second answer of each learner.
    pub gammas: Option<&'a Gammas>,
    /// The split under evaluation serves fits to choose their parameters by, as it does where it is one of the seen ones: they are then
    /// those of the map that is reported.
    pub choosing: bool,
}

impl Default for SeenRules<'_> {
    fn default() -> Self {
        SeenRules {
            split: Split::Novel.into(),
            part: Protocol::SEEN_PART,
            generalised: false,
            classes: None,
            gammas: None,
            choosing: false,
        }
    }
}

impl<'a> SeenRules<'a> {
    /// Those of a protocol.
    pub fn of(protocol: &'a Protocol) -> SeenRules<'a> {
        SeenRules {
            split: protocol.split(),
            part: protocol.seen_part().unwrap_or(Protocol::SEEN_PART),
            generalised: protocol.seen_part().is_some(),
            classes: protocol.classes(),
            gammas: None,
            choosing: false,
        }
    }

    /// Whether a class of this split is seen.
    pub(super) fn sees(&self, split: Split) -> bool {
        self.split.sees(split)
    }
}

/// The seen classes of a store, under the transform that `rows` apply.
pub fn seen(store: &Store, rules: &SeenRules<'_>, rows: &HostRows) -> Result<Seen, EvalError> {
    let seen = of_classes(store, rules, rows, |split| rules.sees(split))?;
    if !rules.choosing {
        return Ok(seen);
    }
    Ok(seen.choosing_by(of_classes(store, rules, rows, |split| rules.split.holds(split))?))
}

/// The classes of some splits, with the items that a fit may see.
fn of_classes(
    store: &Store,
    rules: &SeenRules<'_>,
    rows: &HostRows,
    which: impl Fn(Split) -> bool,
) -> Result<Seen, EvalError> {
    let index = store.index();
    let all = || (0..index.classes().len() as u32).map(ClassId);
    let classes: Vec<ClassId> = all().filter(|class| which(index.class(*class).split)).collect();
    let (mut items, mut labels) = (Vec::new(), Vec::new());
    for (label, class) in classes.iter().enumerate() {
        let fitted = seen_items(index, *class, rules.part).fitted;
        if fitted.is_empty() {
            let (class, part) = (index.class(*class).name.clone(), rules.part.to_string());
            return Err(EvalError::AllHeldOut { class, part });
        }
        labels.extend(std::iter::repeat_n(label as u32, fitted.len()));
        items.extend(fitted.iter().map(|item| item.0));
    }
    let Some(vectors) = store.class_embeddings() else {
        return Err(EvalError::NoClassEmbeddings { store: store.name().to_string() });
    };
    let of = |class: &ClassId| &vectors.rows[class.index() * vectors.class_dim..][..vectors.class_dim];
    let rows_of = classes.iter().flat_map(of).copied().collect();
    let base = classes.iter().map(|class| index.class(*class).split == Split::Base).collect();
    Ok(Seen::new(rows.clone(), items, labels, rows_of, vectors.class_dim, base)?)
}

/// The vectors of the classes under evaluation, in class order.
fn unseen(store: &Store, rules: &SeenRules<'_>) -> Vec<f32> {
    let index = store.index();
    let Some(vectors) = store.class_embeddings() else { return Vec::new() };
    let of = |class: ClassId| &vectors.rows[class.index() * vectors.class_dim..][..vectors.class_dim];
    let listed =
        |class: &ClassId| rules.classes.is_none_or(|names| names.contains(&index.class(*class).name));
    index.of_split(rules.split).filter(listed).flat_map(of).copied().collect()
}

/// Fails unless a store has what a learner is given: class embeddings, of a size that it can use, seen classes where it is
/// fitted, and a network behind it where it owns one.
///
/// # Errors
/// What the store lacks.
pub fn suits(
    store: &Store,
    has_network: bool,
    rules: &SeenRules<'_>,
    learner: &Checked,
) -> Result<(), EvalError> {
    let names = || (learner.learner().to_string(), store.name().to_string());
    if learner.needs_network && !has_network {
        let (learner, store) = names();
        return Err(EvalError::NeedsNetwork { learner, store });
    }
    if learner.takes == Transform::Cl2n && rules.split.holds(Split::Base) {
        return Err(EvalError::CentredOnEvaluated { learner: names().0, split: rules.split });
    }
    let embeddings = match store.class_embeddings() {
        _ if !learner.setting.uses_class_embeddings() => return Ok(()),
        Some(embeddings) => embeddings,
        None => {
            let (learner, store) = names();
            return Err(EvalError::NeedsClassEmbeddings { learner, store });
        }
    };
    if learner.needs_fit && !store.index().classes().iter().any(|class| rules.sees(class.split)) {
        let ((learner, store), split) = (names(), rules.split);
        return Err(EvalError::NoSeenClasses { learner, store, split });
    }
    let other_size = |source| EvalError::SizesDiffer { learner: names().0, source };
    learner.sizes.check(embeddings.class_dim, store.dim()).map_err(other_size)
}

/// The fits of the learners that have one, each made in a pool of one thread: their numbers do not depend on how many
/// are made at once.
pub(super) fn fits<D: Backend>(
    registry: &Registry<D>,
    evaluation: &Evaluation<'_>,
    rows: &BTreeMap<Takes, HostRows>,
    open: &(impl Fn() -> Result<D, TensorError> + Sync),
) -> Result<Vec<Option<Fitted<D>>>, EvalError> {
    let learners = evaluation.learners;
    for learner in learners {
        suits(evaluation.store, evaluation.behind.is_some(), &evaluation.rules, learner)?;
    }
    let waiting: Vec<usize> = (0..learners.len()).filter(|place| learners[*place].needs_fit).collect();
    let mut seen_under: BTreeMap<Transform, Seen> = BTreeMap::new();
    for place in &waiting {
        if let Entry::Vacant(empty) = seen_under.entry(learners[*place].takes) {
            let rows = &rows[&Takes::Features(*empty.key())];
            empty.insert(seen(evaluation.store, &evaluation.rules, rows)?);
        }
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let take = || waiting.get(next.fetch_add(1, Ordering::Relaxed)).copied();
        let fit = |place: usize| {
            let learner = &learners[place];
            (place, alone(|| one(registry, evaluation, learner, &seen_under, open)))
        };
        std::iter::from_fn(take).map(fit).collect::<Vec<_>>()
    };
    let workers = evaluation.workers.clamp(1, waiting.len().max(1));
    let made: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join()).collect()
    });
    let mut fitted: Vec<Option<Fitted<D>>> = learners.iter().map(|_| None).collect();
    for made in made {
        let made = made.map_err(|panic| EvalError::Worker(super::worker::panic_message(panic.as_ref())))?;
        for (place, one) in made {
            fitted[place] = Some(one?);
        }
    }
    Ok(fitted)
}

/// Runs in a pool of one thread, so that dfdx's matrix product takes no more.
pub(super) fn alone<T: Send>(work: impl FnOnce() -> Result<T, EvalError> + Send) -> Result<T, EvalError> {
    match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
        Ok(pool) => pool.install(work),
        Err(error) => Err(EvalError::Worker(error.to_string())),
    }
}

/// The fit of one learner.
fn one<D: Backend>(
    registry: &Registry<D>,
    evaluation: &Evaluation<'_>,
    learner: &Checked,
    seen_under: &BTreeMap<Transform, Seen>,
    open: &(impl Fn() -> Result<D, TensorError> + Sync),
) -> Result<Fitted<D>, EvalError> {
    let name = || learner.learner().to_string();
    let device = open()?;
    let plan = registry.build(&learner.parameters)?;
    let seen = &seen_under[&learner.takes];
    let unseen = || unseen(evaluation.store, &evaluation.rules);
    let attempt = catch_unwind(AssertUnwindSafe(|| plan.fit(seen, unseen, &device)));
    match attempt {
        Ok(Ok(Some(fitted))) => Ok(fitted),
        Ok(Ok(None)) => Err(EvalError::Worker(format!("learner `{}` has no fit", name()))),
        Ok(Err(source)) => Err(EvalError::Fit { learner: name(), source }),
        Err(panic) => {
            let message = super::worker::panic_message(panic.as_ref());
            Err(EvalError::FitPanicked { learner: name(), message })
        }
    }
}
