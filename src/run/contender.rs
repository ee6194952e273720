//! Selections that an evaluation is to use: read, and held against protocols and features.

use std::collections::BTreeMap;
use std::path::Path;

use crate::episode::{Draw, Episode};
use crate::learner::{Checked, Registry};
use crate::protocol::Protocol;
use crate::results::Text;
use crate::results::{Selection, Warning};
use crate::run::admission::Asked;
use crate::run::error::RunError;
use crate::select::{By, Choice, Origin, SelectError, Selected};
use crate::tensor::Cpu;

/// A learner of a run, with where its values come from.
#[derive(Clone)]
pub(crate) struct Contender {
    /// What its method is called, where the user said it.
    pub(crate) label: Option<String>,
    pub(crate) parameters: Checked,
    pub(crate) selection: Selection,
    /// The temperature of its predicted probabilities, where one was chosen.
    pub(crate) temperature: Option<f64>,
    /// The settings among which each support set chooses, the default first; empty for a learner that is fixed.
    pub(crate) among: Vec<Checked>,
}

impl Contender {
    /// One with its defaults, or what the user wrote.
    pub(crate) fn plain(parameters: Checked) -> Contender {
        Contender {
            label: None,
            parameters,
            selection: Selection::Default,
            temperature: None,
            among: Vec::new(),
        }
    }

    /// One that was asked for by name.
    pub(crate) fn asked(asked: Asked) -> Contender {
        Contender { label: asked.label, ..Contender::plain(asked.parameters) }
    }

    /// All its parameters; the word `cv` for those that each support set chooses.
    pub(crate) fn pairs(&self) -> BTreeMap<String, String> {
        let mut pairs = self.parameters.pairs();
        for other in self.among.iter().map(Checked::pairs) {
            for (name, value) in &mut pairs {
                if other.get(name) != Some(value) {
                    *value = "cv".to_string();
                }
            }
        }
        pairs
    }

    /// Whether two would fill the same tables.
    pub(crate) fn is_twin(&self, other: &Contender) -> bool {
        self.parameters.learner() == other.parameters.learner() && self.pairs() == other.pairs()
    }

    /// That the support sets of some episodes of a run are too small to choose in.
    pub(crate) fn kept(&self, protocol: &Protocol, draw: &Draw, shots: &[Option<usize>]) -> Option<Warning> {
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

/// Reads the text of a selection, which `kshot select` wrote.
///
/// # Errors
/// A file that cannot be read, or is no selection.
pub fn read_selection(path: &Path) -> Result<Text, RunError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SelectError::Unreadable { path: path.to_path_buf(), source })?;
    Ok(Text { origin: path.display().to_string(), text })
}

/// Selection files, read once.
pub(crate) struct Selections(Vec<(String, Selected)>);

impl Selections {
    /// Reads the texts of selections.
    pub(crate) fn read(written: &[Text]) -> Result<Selections, RunError> {
        let read =
            |text: &Text| Ok((text.origin.clone(), Selected::from_text(&text.text, text.origin.as_ref())?));
        written.iter().map(read).collect::<Result<_, RunError>>().map(Selections)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was selected for a protocol on these features, and what a reader should know of it.
    ///
    /// A file that was made for anything else is refused, unless `elsewhere` lets it pass.
    pub(crate) fn of(
        &self,
        registry: &Registry<Cpu>,
        protocol: &Protocol,
        features_sha256: &str,
        elsewhere: bool,
    ) -> Result<(Vec<Contender>, Vec<Warning>), RunError> {
        let here = origin(protocol, features_sha256.to_string());
        let named: Vec<_> = self.0.iter().filter(|(_, s)| s.origin.protocol == here.protocol).collect();
        let meant: Vec<_> = if named.is_empty() { self.0.iter().collect() } else { named };
        // Of selections for several feature sets, those for these.
        let own: Vec<_> =
            meant.iter().filter(|(_, s)| s.origin.features_sha256 == features_sha256).copied().collect();
        let meant = if own.is_empty() { meant } else { own };
        let (mut contenders, mut warnings) = (Vec::<Contender>::new(), Vec::new());
        for (path, selected) in meant {
            let differing = differing(&selected.origin, &here);
            if !differing.is_empty() {
                let file = path.clone();
                if !elsewhere {
                    return Err(RunError::Request(format!(
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

fn contender(registry: &Registry<Cpu>, choice: &Choice, by: By) -> Result<Contender, RunError> {
    let entry = registry.entry(&choice.name)?;
    let among = choice.among.iter().map(|pairs| entry.check(pairs)).collect::<Result<Vec<_>, _>>()?;
    Ok(Contender {
        label: None,
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

/// What a selection is for.
pub(crate) fn origin(protocol: &Protocol, features_sha256: String) -> Origin {
    Origin {
        protocol: protocol.name().to_string(),
        version: protocol.version(),
        way: protocol.way().to_string(),
        shot: protocol.shot().to_string(),
        query: protocol.query().to_string(),
        features_sha256,
    }
}
