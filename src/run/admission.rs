//! Which learners run under which protocol, and at which shots.

use std::collections::BTreeMap;

use super::features::Features;
use crate::eval::{self, EvalError, SeenRules};
use crate::learner::{Checked, Registry};
use crate::protocol::{Protocol, Shot};
use crate::results::{MissingRequirement, Warning};
use crate::run::contender::Contender;
use crate::run::error::RunError;
use crate::run::prepared::Place;
use crate::tensor::Cpu;
use crate::vocab::spec::labelled;

/// A learner that was asked for by name.
#[derive(Clone, PartialEq)]
pub(crate) struct Asked {
    /// What its method is called.
    pub(crate) label: Option<String>,
    pub(crate) parameters: Checked,
}

/// The learners that were asked for, checked; none where all are meant.
pub(crate) fn asked_learners(registry: &Registry<Cpu>, specs: &[String]) -> Result<Vec<Asked>, RunError> {
    let mut asked: Vec<Asked> = Vec::new();
    for written in specs {
        let (label, spec) = labelled(written);
        let parameters = registry.check(spec)?;
        if asked.iter().any(|known| known.parameters == parameters) {
            return Err(RunError::Request(format!(
                "learner `{spec}` is given twice with the same parameters, a result holds each once"
            )));
        }
        if let Some(label) =
            label.filter(|label| asked.iter().any(|known| known.label.as_deref() == Some(label)))
        {
            return Err(RunError::Request(format!(
                "two learners are called `{label}`, a name stands for one"
            )));
        }
        asked.push(Asked { label: label.map(String::from), parameters });
    }
    Ok(asked)
}

/// The learners of a run under a protocol: those that were asked for, all of which it must admit, or all that it admits.
pub(crate) fn admitted(
    registry: &Registry<Cpu>,
    protocol: &Protocol,
    asked: &[Asked],
) -> Result<Vec<Asked>, RunError> {
    let shots = shots(protocol);
    if !asked.is_empty() {
        for Asked { parameters, .. } in asked {
            eval::admit(protocol, parameters, &shots)?;
        }
        return Ok(asked.to_vec());
    }
    let mut learners = Vec::new();
    for entry in registry.entries().iter().filter(|entry| !entry.signature().is_on_request()) {
        let parameters = entry.check(&BTreeMap::new())?;
        if !parameters.only_by_name && eval::admit(protocol, &parameters, &shots).is_ok() {
            learners.push(Asked { label: None, parameters });
        }
    }
    if learners.is_empty() {
        let admits: Vec<&str> = protocol.settings().iter().map(|setting| setting.word()).collect();
        return Err(RunError::Request(format!(
            "protocol `{}` admits {} learners, and none of them is known\nhint: see `kshot list learners`",
            protocol.name(),
            admits.join(" and ")
        )));
    }
    Ok(learners)
}

/// The learners of a run that nobody asked for by name, without those that the store does not give what they need,
/// and warnings that say so. Where that would be all of them none is left out, and the evaluation says why it fails.
pub(crate) fn fitting(
    protocol: &Protocol,
    set: &Features,
    learners: Vec<Asked>,
) -> Result<(Vec<Asked>, Vec<Warning>), RunError> {
    let mut kept = Vec::new();
    let mut left_out: BTreeMap<MissingRequirement, Vec<String>> = BTreeMap::new();
    for asked in &learners {
        let parameters = &asked.parameters;
        let missing = match suits(protocol, set, parameters) {
            Ok(()) => {
                kept.push(asked.clone());
                continue;
            }
            Err(RunError::Eval(EvalError::NoSeenClasses { .. })) => MissingRequirement::SeenClasses,
            Err(RunError::Eval(EvalError::NeedsClassEmbeddings { .. })) => {
                MissingRequirement::ClassEmbeddings
            }
            Err(RunError::Eval(EvalError::SizesDiffer { .. })) => MissingRequirement::EqualSizes,
            Err(RunError::Eval(EvalError::NeedsNetwork { .. })) => MissingRequirement::Network,
            Err(other) => return Err(other),
        };
        left_out.entry(missing).or_default().push(parameters.learner().to_string());
    }
    if kept.is_empty() {
        return Ok((learners, Vec::new()));
    }
    let (name, features) = (protocol.name(), set.name());
    let warning = |(missing, learners)| Warning::LeftOut {
        protocol: name.to_string(),
        features: features.to_string(),
        missing,
        learners,
    };
    Ok((kept, left_out.into_iter().map(warning).collect()))
}

/// Fails unless a store gives a learner what it needs under a protocol.
pub(crate) fn suits(protocol: &Protocol, set: &Features, learner: &Checked) -> Result<(), RunError> {
    Ok(eval::suits(&set.store, set.behind.is_some(), &SeenRules::of(protocol), learner)?)
}

/// The selected learners of a run under a protocol, all of which it must admit, and those that were asked for beside them. What
/// is the same as a selected one is not evaluated twice.
pub(crate) fn beside(
    registry: &Registry<Cpu>,
    protocol: &Protocol,
    selected: Vec<Contender>,
    asked: &[Asked],
) -> Result<Vec<Contender>, RunError> {
    let unlabelled = |contender: &Contender| Asked { label: None, parameters: contender.parameters.clone() };
    let plain: Vec<Asked> = selected.iter().map(unlabelled).collect();
    admitted(registry, protocol, &plain)?;
    let mut all = selected;
    for contender in asked.iter().cloned().map(Contender::asked) {
        if !all.iter().any(|known| known.is_twin(&contender)) {
            all.push(contender);
        }
    }
    Ok(all)
}

/// The shots at which each episode is evaluated.
pub(crate) fn shots(protocol: &Protocol) -> Vec<Option<usize>> {
    match protocol.shot() {
        Shot::Nested(shots) => shots.iter().map(|shot| Some(*shot as usize)).collect(),
        Shot::Between { .. } | Shot::MetaDataset => vec![None],
    }
}

/// The tables that learners fill: every one at the shots in which it takes part.
pub(crate) fn tables(learners: &[Contender], shots: &[Option<usize>]) -> Vec<Place> {
    let mut tables = Vec::new();
    for (place, contender) in learners.iter().enumerate() {
        let setting = contender.parameters.setting;
        let takes_part = (0..shots.len()).filter(|shot| eval::takes_part(setting, shots, *shot));
        tables.extend(takes_part.map(|shot| Place { learner: place, shot, stacked: false }));
    }
    tables
}
