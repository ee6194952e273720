//! Selections that an evaluation is to use: read, and held against protocols and features.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::error::CliError;
use super::select;
use crate::data::{Fingerprint, Store};
use crate::episode::{Draw, Episode};
use crate::learner::{Parameters, Registry};
use crate::protocol::Protocol;
use crate::results::{Selection, Warning};
use crate::select::{By, Choice, Origin, Selected};
use crate::tensor::Cpu;

/// A learner of a run, with where its values come from.
#[derive(Clone)]
pub(super) struct Contender {
    pub(super) parameters: Parameters,
    pub(super) selection: Selection,
    /// The temperature of its claims, where one was chosen.
    pub(super) temperature: Option<f64>,
    /// The settings among which each support set chooses, the default first; empty for a learner that is fixed.
    pub(super) among: Vec<Parameters>,
}

impl Contender {
    /// One with its defaults, or what the user wrote.
    pub(super) fn plain(parameters: Parameters) -> Contender {
        Contender { parameters, selection: Selection::Default, temperature: None, among: Vec::new() }
    }

    /// All its parameters; the word `cv` for those that each support set chooses.
    pub(super) fn pairs(&self) -> BTreeMap<String, String> {
        let mut pairs = self.parameters.pairs();
        for other in self.among.iter().map(Parameters::pairs) {
            for (name, value) in &mut pairs {
                if other.get(name) != Some(value) {
                    *value = "cv".to_string();
                }
            }
        }
        pairs
    }

    /// Whether two would fill the same tables.
    pub(super) fn is_twin(&self, other: &Contender) -> bool {
        self.parameters.learner() == other.parameters.learner() && self.pairs() == other.pairs()
    }

    /// That the support sets of some episodes of a run are too small to choose in.
    pub(super) fn kept(&self, protocol: &Protocol, draw: &Draw, shots: &[Option<usize>]) -> Option<Warning> {
        let supported = || shots.iter().filter(|shot| **shot != Some(0));
        let small = |shot: &Option<usize>| {
            let largest =
                |episode: Episode<'_>| shot.map_or(episode.max_shot(), |shot| shot.min(episode.max_shot()));
            draw.episodes().filter(|episode| largest(episode.clone()) < 2).count() as u64
        };
        let (episodes, of) = (supported().map(small).sum(), (draw.len() * supported().count()) as u64);
        let (protocol, learner) = (protocol.name().to_string(), self.parameters.learner().to_string());
        let warning = Warning::NotCrossValidated { protocol, learner, episodes, of };
        (!self.among.is_empty() && episodes > 0).then_some(warning)
    }
}

/// The hashes of feature stores, each computed once.
#[derive(Default)]
pub(super) struct StoreHashes(BTreeMap<String, String>);

impl StoreHashes {
    pub(super) fn of(&mut self, store: &Store) -> Result<String, CliError> {
        if let Some(known) = self.0.get(store.name()) {
            return Ok(known.clone());
        }
        let hash = Fingerprint::start(store).wait()?;
        self.0.insert(store.name().to_string(), hash.clone());
        Ok(hash)
    }
}

/// Selection files, read once.
pub(super) struct Selections(Vec<(PathBuf, Selected)>);

impl Selections {
    pub(super) fn read(paths: &[PathBuf]) -> Result<Selections, CliError> {
        paths
            .iter()
            .map(|path| Ok((path.clone(), Selected::read(path)?)))
            .collect::<Result<_, _>>()
            .map(Selections)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was selected for a protocol on these features, and what a reader should know of it.
    ///
    /// A file that was made for anything else is refused, unless `elsewhere` lets it pass.
    pub(super) fn of(
        &self,
        registry: &Registry<Cpu>,
        protocol: &Protocol,
        features_sha256: &str,
        elsewhere: bool,
    ) -> Result<(Vec<Contender>, Vec<Warning>), CliError> {
        let here = select::origin(protocol, features_sha256.to_string());
        let named: Vec<_> = self.0.iter().filter(|(_, s)| s.origin.protocol == here.protocol).collect();
        let meant = if named.is_empty() { self.0.iter().collect() } else { named };
        let (mut contenders, mut warnings) = (Vec::<Contender>::new(), Vec::new());
        for (path, selected) in meant {
            let differing = differing(&selected.origin, &here);
            if !differing.is_empty() {
                let file = path.display().to_string();
                if !elsewhere {
                    return Err(CliError::Request(format!(
                        "{file} was made for other things than {}: {}\nhint: select again, or use it all the same with \
                         --selected-elsewhere",
                        protocol.name(),
                        differing.join("; ")
                    )));
                }
                let (protocol, differing) = (protocol.name().to_string(), differing.join("; "));
                warnings.push(Warning::SelectedElsewhere { protocol, file, differing });
            }
            for choice in &selected.learner {
                let found = contender(registry, choice, selected.by)?;
                // The most honest label of two for the same thing: files are looked at in this order.
                match contenders.iter_mut().find(|known| known.is_twin(&found)) {
                    Some(known) if known.selection > found.selection => *known = found,
                    Some(_) => {}
                    None => contenders.push(found),
                }
            }
        }
        Ok((contenders, warnings))
    }
}

fn contender(registry: &Registry<Cpu>, choice: &Choice, by: By) -> Result<Contender, CliError> {
    let entry = registry.entry(&choice.name)?;
    let among = choice.among.iter().map(|pairs| entry.check(pairs)).collect::<Result<Vec<_>, _>>()?;
    Ok(Contender {
        parameters: match among.first() {
            Some(default) => default.clone(),
            None => entry.check(&choice.parameters)?,
        },
        selection: match by {
            By::Validation => Selection::Validation,
            By::SupportCv => Selection::SupportCv,
            By::Oracle => Selection::Oracle,
        },
        temperature: choice.temperature,
        among,
    })
}

/// In what a selection's origin differs from what is evaluated, as sentences.
fn differing(made: &Origin, here: &Origin) -> Vec<String> {
    let version = [&made.version, &here.version].map(ToString::to_string);
    let short = |hash: &str| hash.chars().take(12).collect::<String>();
    let hashes = [short(&made.features_sha256), short(&here.features_sha256)];
    [
        ("protocol", &made.protocol, &here.protocol),
        ("version", &version[0], &version[1]),
        ("way", &made.way, &here.way),
        ("shot", &made.shot, &here.shot),
        ("query", &made.query, &here.query),
        ("features", &hashes[0], &hashes[1]),
    ]
    .into_iter()
    .filter(|(_, made, here)| made != here)
    .map(|(what, made, here)| format!("{what} {made}, not {here}"))
    .collect()
}
