//! Which learners run under which protocol, and at which shots.

use std::collections::BTreeMap;

use crate::cli::error::CliError;
use crate::cli::selection::Contender;
use crate::data::Store;
use crate::eval::{self, EvalError, SeenRules};
use crate::learner::{Learner, Parameters, Registry};
use crate::protocol::{Protocol, Shot};
use crate::report::{Lack, Warning};
use crate::tensor::Cpu;

/// The learners that were asked for, checked; none where all are meant.
pub(super) fn asked_learners(
    registry: &Registry<Cpu>,
    specs: &[String],
) -> Result<Vec<Parameters>, CliError> {
    let mut asked: Vec<Parameters> = Vec::new();
    for spec in specs {
        let parameters = registry.check(spec)?;
        if asked.contains(&parameters) {
            return Err(CliError::Request(format!(
                "learner `{spec}` is given twice with the same parameters, a result holds each once"
            )));
        }
        asked.push(parameters);
    }
    Ok(asked)
}

/// The learners of a run under a protocol: those that were asked for, all of which it must admit, or all that it admits.
pub(in crate::cli) fn admitted(
    registry: &Registry<Cpu>,
    protocol: &Protocol,
    asked: &[Parameters],
) -> Result<Vec<Parameters>, CliError> {
    let shots = shots(protocol);
    let admit =
        |parameters: &Parameters, learner: &Learner<Cpu>| eval::admit(protocol, parameters, learner, &shots);
    if !asked.is_empty() {
        for parameters in asked {
            admit(parameters, &registry.build(parameters)?)?;
        }
        return Ok(asked.to_vec());
    }
    let mut learners = Vec::new();
    for entry in registry.entries() {
        let parameters = entry.check(&BTreeMap::new())?;
        if admit(&parameters, &registry.build(&parameters)?).is_ok() {
            learners.push(parameters);
        }
    }
    if learners.is_empty() {
        let admits: Vec<&str> = protocol.settings().iter().map(|setting| setting.word()).collect();
        return Err(CliError::Request(format!(
            "protocol `{}` admits {} learners, and none of them is known\nhint: see `kshot list learners`",
            protocol.name(),
            admits.join(" and ")
        )));
    }
    Ok(learners)
}

/// The learners of a run that nobody asked for by name, without those that the store does not give what they need,
/// and warnings that say so. Where that would be all of them none is left out, and the evaluation says why it fails.
pub(in crate::cli) fn fitting(
    registry: &Registry<Cpu>,
    protocol: &Protocol,
    store: &Store,
    learners: Vec<Parameters>,
) -> Result<(Vec<Parameters>, Vec<Warning>), CliError> {
    let mut kept = Vec::new();
    let mut left_out: BTreeMap<Lack, Vec<String>> = BTreeMap::new();
    for parameters in &learners {
        let lack = match suits(registry, protocol, store, parameters) {
            Ok(()) => {
                kept.push(parameters.clone());
                continue;
            }
            Err(CliError::Eval(EvalError::NoSeenClasses { .. })) => Lack::SeenClasses,
            Err(CliError::Eval(EvalError::NeedsClassVectors { .. })) => Lack::ClassVectors,
            Err(CliError::Eval(EvalError::SidesDiffer { .. })) => Lack::EqualSizes,
            Err(other) => return Err(other),
        };
        left_out.entry(lack).or_default().push(parameters.learner().to_string());
    }
    if kept.is_empty() {
        return Ok((learners, Vec::new()));
    }
    let (name, features) = (protocol.name(), store.name());
    let warning = |(lack, learners)| Warning::LeftOut {
        protocol: name.to_string(),
        features: features.to_string(),
        lack,
        learners,
    };
    Ok((kept, left_out.into_iter().map(warning).collect()))
}

/// Fails unless a store gives a learner what it needs under a protocol.
pub(super) fn suits(
    registry: &Registry<Cpu>,
    protocol: &Protocol,
    store: &Store,
    parameters: &Parameters,
) -> Result<(), CliError> {
    Ok(eval::suits(store, &SeenRules::of(protocol), parameters, &registry.build(parameters)?)?)
}

/// The selected learners of a run under a protocol, all of which it must admit, and those that were asked for beside them. What
/// is the same as a selected one is not evaluated twice.
pub(super) fn beside(
    registry: &Registry<Cpu>,
    protocol: &Protocol,
    selected: Vec<Contender>,
    asked: &[Parameters],
) -> Result<Vec<Contender>, CliError> {
    let plain: Vec<Parameters> = selected.iter().map(|contender| contender.parameters.clone()).collect();
    admitted(registry, protocol, &plain)?;
    let mut all = selected;
    for contender in asked.iter().cloned().map(Contender::plain) {
        if !all.iter().any(|known| known.is_twin(&contender)) {
            all.push(contender);
        }
    }
    Ok(all)
}

/// The shots at which each episode is evaluated.
pub(in crate::cli) fn shots(protocol: &Protocol) -> Vec<Option<usize>> {
    match protocol.shot() {
        Shot::Nested(shots) => shots.iter().map(|shot| Some(*shot as usize)).collect(),
        Shot::Between { .. } | Shot::MetaDataset => vec![None],
    }
}
