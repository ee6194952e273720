//! The learners of a selection, each with its trials.

use crate::data::Store;
use crate::learner::{Checked, Registry};
use crate::protocol::Protocol;
use crate::results::Warning;
use crate::run::admission::{self, Asked};
use crate::run::error::RunError;
use crate::run::features::Features;
use crate::select::{Space, Trials};
use crate::tensor::Cpu;
use crate::vocab::{Split, Transform};

/// Learners by name with their trials.
pub(crate) type Candidates = Vec<(&'static str, Trials)>;

/// The trials of every learner; without base classes those that need their mean are left out.
pub(crate) fn of(
    registry: &Registry<Cpu>,
    spaces: &[Space],
    store: &Store,
    budget: usize,
    seed: u64,
) -> Result<Candidates, RunError> {
    let centred = store.index().of_split(Split::Base).next().is_some();
    let mut candidates = Vec::new();
    for space in spaces {
        let entry = registry.entry(space.learner())?;
        let usable = |learner: &Checked| centred || learner.takes != Transform::Cl2n;
        candidates.push((entry.name(), Trials::of(space, entry, budget, seed, usable)?));
    }
    Ok(candidates)
}

/// Those to which the store gives what they need under the protocol whose episodes they answer; the others are left
/// out, with warnings, as they are where learners that nobody named are evaluated.
pub(crate) fn fitting(
    protocol: &Protocol,
    set: &Features,
    candidates: Candidates,
) -> Result<(Candidates, Vec<Warning>), RunError> {
    let first = |(_, trials): &(&str, Trials)| Asked { label: None, parameters: trials.settings[0].clone() };
    let (kept, left_out) = admission::fitting(protocol, set, candidates.iter().map(first).collect())?;
    Ok((candidates.into_iter().filter(|candidate| kept.contains(&first(candidate))).collect(), left_out))
}
