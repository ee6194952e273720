//! A selection: the same number of trials for every learner, on classes that are not reported.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::admission::{admitted, shots};
use super::candidates::{self, Candidates};
use super::contender::origin;
use super::device::{Device, on_device};
use super::draws::{self, Dealer};
use super::error::RunError;
use super::features::{FeatureSets, Features};
use super::rules::{Rules, rules};
use super::watch::{Progress, Watch};
use crate::data::{Fingerprint, Store};
use crate::eval::{self, SeenRules};
use crate::learner::{Learners, Registry};
use crate::protocol::Protocol;
use crate::results::{Inputs, Text, TrialRow, Warning, trials_file};
use crate::select::{
    self, By, Choice, Episodes, SELECTED_FORMAT, Scored, Selected, Space, Spaces, Task, Typed,
};
use crate::tensor::Cpu;
use crate::vocab::{Scope, Split};

/// Files of a selection, and those of an oracle, which are kept apart.
pub(crate) const NAMES: [&str; 3] = ["trials.csv", "selected.toml", "draw.csv"];
pub(crate) const ORACLE_NAMES: [&str; 2] = ["oracle-trials.csv", "oracle.toml"];

/// A selection as it is asked for.
#[derive(Clone, Debug)]
pub struct SelectRequest {
    /// The protocol whose rules the episodes follow.
    pub protocol: Text,
    /// The items and their features.
    pub inputs: Inputs,
    /// Learners with search spaces; none: all that the protocol admits, each with its own.
    pub learners: Vec<String>,
    /// A file of search spaces.
    pub space: Option<PathBuf>,
    /// Trials of each learner, the default included.
    pub budget: usize,
    /// On what the choice is made.
    pub by: By,
    /// Episodes; none: as many as the protocol has.
    pub episodes: Option<usize>,
    /// Seed of the trials and of the episodes; none: that of the protocol.
    pub seed: Option<u32>,
    /// Where the work is done.
    pub device: Device,
    /// Workers; none: as many as the device has use for.
    pub workers: Option<usize>,
}

/// A selection that is made.
#[derive(Debug)]
pub struct SelectDone {
    /// What was selected.
    pub selected: Selected,
    /// What a reader should know.
    pub warnings: Vec<Warning>,
    /// Trials of each learner, and whether they are its whole search space.
    pub(crate) trials: Vec<(usize, bool)>,
    pub(crate) protocol: Protocol,
    /// The files by name.
    pub(crate) files: Vec<(&'static str, Vec<u8>)>,
}

impl SelectDone {
    /// The files of the selection by name: its trials, what was selected, and the draw where it has one of its own.
    pub fn files(&self) -> &[(&'static str, Vec<u8>)] {
        &self.files
    }
}

/// The protocol of a selection, which must leave classes to select on.
pub(crate) fn checked(request: &SelectRequest) -> Result<Rules, RunError> {
    let rules = rules(&request.protocol)?;
    if request.by == By::Validation && rules.protocol.split().holds(Split::Validation) {
        return Err(RunError::Request(format!(
            "protocol `{}` reports validation classes, so none are left to select on\nhint: give --by support-cv",
            rules.protocol.name()
        )));
    }
    Ok(rules)
}

/// Selects parameters with the same number of trials for every learner.
///
/// `given` are feature sets in memory; to be sure that nothing of the reported classes is looked at, they are made with
/// these classes [unseen](crate::data::Parts::unseen).
///
/// # Errors
/// A wrong request, wrong data, or a trial that fails.
pub fn select(
    request: &SelectRequest,
    given: Vec<Features>,
    known: &Learners,
    watch: &dyn Watch,
) -> Result<SelectDone, RunError> {
    let (registry, rules) = (known.cpu(), checked(request)?);
    let (protocol, by) = (&rules.protocol, request.by);
    let spaces = spaces(registry, request, protocol)?;
    let set = features(request, given, protocol, watch)?;
    let store = set.store.clone();
    let fingerprint = Fingerprint::start(&store);
    let seed = request.seed.map_or(protocol.seed(), u64::from);
    let count = request.episodes.map_or(protocol.count().min(MOST_EPISODES), |episodes| episodes as u32);
    let judged = judged(protocol, by, count, seed);
    let dealer = dealer(by, &rules, &judged, &store)?;
    let mut candidates = candidates::of(registry, &spaces, &store, request.budget, seed)?;
    let mut warnings = Vec::new();
    if request.learners.is_empty() {
        let answered = if by == By::Validation { &judged } else { protocol };
        (candidates, warnings) = candidates::fitting(answered, &set, candidates)?;
    }
    let shots = shots(protocol);
    let task = dealer.as_ref().map(|dealer| Task {
        store: &store,
        behind: set.behind(),
        draw: &dealer.draw,
        seed,
        shots: &shots,
        rules: SeenRules::of(&judged),
        level: protocol.confidence_level(),
        workers: request.workers.unwrap_or(request.device.workers()),
        batch: None,
    });
    let scores = match &task {
        Some(task) => scored(known, task, request.device, protocol, &candidates, watch)?,
        None => candidates.iter().map(|_| Vec::new()).collect(),
    };
    let learner = chosen(known, task.as_ref(), request.device, &candidates, &scores)?;
    let selected = Selected {
        format: SELECTED_FORMAT,
        kshot: env!("CARGO_PKG_VERSION").to_string(),
        by,
        budget: request.budget,
        seed,
        origin: origin(protocol, fingerprint.wait()?),
        episodes: dealer.as_ref().map(|dealer| Episodes {
            split: judged.split().word().to_string(),
            count: dealer.draw.len(),
            draw_sha256: dealer.sha256.clone(),
        }),
        learner,
    };
    let trials_csv = trials_csv(protocol, &set.name, by, &candidates, &scores, &selected);
    let files = files(by, trials_csv, &selected, dealer.as_ref());
    let trials = candidates.iter().map(|(_, trials)| (trials.settings.len(), trials.whole)).collect();
    Ok(SelectDone { selected, warnings, trials, protocol: protocol.clone(), files })
}

/// The features of a selection; of those that are opened, what is reported is left unseen.
fn features(
    request: &SelectRequest,
    given: Vec<Features>,
    protocol: &Protocol,
    watch: &dyn Watch,
) -> Result<Features, RunError> {
    let sets = FeatureSets::new(&request.inputs, given, request.device, watch)?;
    let mut sets = match protocol.split() {
        Scope::One(split) if request.by != By::Oracle => sets.without(split),
        _ => sets,
    };
    sets.only(protocol)
}

/// Episodes of a selection, where nobody says how many and the protocol has more: every trial answers all of them.
const MOST_EPISODES: u32 = 1_000;

/// The rules of the episodes on which trials are scored.
fn judged(protocol: &Protocol, by: By, count: u32, seed: u64) -> Protocol {
    match by {
        By::Oracle => protocol.clone(),
        _ => protocol.on_split(Split::Validation, count, seed),
    }
}

/// The files of a selection by name.
fn files(
    by: By,
    trials_csv: Vec<u8>,
    selected: &Selected,
    dealer: Option<&Dealer>,
) -> Vec<(&'static str, Vec<u8>)> {
    let names: &[&'static str] = if by == By::Oracle { &ORACLE_NAMES } else { &NAMES };
    let mut files = vec![(names[0], trials_csv), (names[1], selected.to_toml().into_bytes())];
    let fresh = dealer.filter(|_| by == By::Validation).and_then(|dealer| dealer.fresh.as_ref());
    files.extend(fresh.map(|text| (NAMES[2], text.clone().into_bytes())));
    files
}

/// The episodes on which trials are scored; none where each support set decides for itself.
fn dealer(by: By, rules: &Rules, judged: &Protocol, store: &Store) -> Result<Option<Dealer>, RunError> {
    match by {
        By::SupportCv => Ok(None),
        By::Oracle => draws::draw(rules, None, store).map(Some),
        By::Validation => match draws::fresh(judged, store) {
            Err(RunError::Sample { protocol, source }) => Err(RunError::Request(format!(
                "protocol {protocol} cannot be drawn from the validation classes: {source}\nhint: --by support-cv needs none"
            ))),
            drawn => drawn.map(Some),
        },
    }
}

/// The search space of every learner that was asked for, or of all that the protocol admits.
fn spaces(
    registry: &Registry<Cpu>,
    request: &SelectRequest,
    protocol: &Protocol,
) -> Result<Vec<Space>, RunError> {
    let file = request.space.as_deref().map(select::read_spaces).transpose()?.unwrap_or_default();
    let file = spaces_by_name(registry, file)?;
    let shots = shots(protocol);
    let mut spaces: Vec<Space> = Vec::new();
    let space = |name: &str, given: &BTreeMap<String, String>| -> Result<Space, RunError> {
        let mut typed = file.get(name).cloned().unwrap_or_default();
        typed.extend(given.iter().map(|(key, text)| (key.clone(), Typed::parse(text))));
        Ok(Space::new(registry.entry(name)?, &typed)?)
    };
    for spec in &request.learners {
        let (entry, given) = registry.read(spec)?;
        if spaces.iter().any(|space| space.learner() == entry.name()) {
            return Err(RunError::Request(format!(
                "learner `{}` is given twice, a selection holds each once",
                entry.name()
            )));
        }
        let default = entry.check(&BTreeMap::new())?;
        eval::admit(protocol, &default, &shots)?;
        spaces.push(space(entry.name(), &given)?);
    }
    if request.learners.is_empty() {
        for asked in admitted(registry, protocol, &[])? {
            spaces.push(space(asked.parameters.learner(), &BTreeMap::new())?);
        }
    }
    Ok(spaces)
}

/// Search spaces by the names of learners and parameters in results.
fn spaces_by_name(registry: &Registry<Cpu>, file: Spaces) -> Result<Spaces, RunError> {
    let mut by_name = Spaces::new();
    for (name, typed) in file {
        let entry = registry.entry(&name)?;
        let typed = entry.signature().canonical(&typed)?;
        if by_name.insert(entry.name().to_string(), typed).is_some() {
            let text = format!("the search spaces name learner `{}` twice", entry.name());
            return Err(RunError::Request(text));
        }
    }
    Ok(by_name)
}

/// The scores of all trials, by learner.
fn scored(
    known: &Learners,
    task: &Task<'_>,
    device: Device,
    protocol: &Protocol,
    candidates: &Candidates,
    watch: &dyn Watch,
) -> Result<Vec<Vec<Scored>>, RunError> {
    let shots = task.shots.iter().filter(|shot| **shot != Some(0)).count();
    let trials: usize = candidates.iter().map(|(_, trials)| trials.settings.len()).sum();
    let steps = task.draw.len() * shots * trials;
    let size = format!("{trials} trials on {} episodes", task.draw.len());
    let progress = Progress::start(watch, protocol.name(), &size, steps as u64);
    candidates
        .iter()
        .map(|(_, trials)| {
            progress.go_on()?;
            let advance = |steps| progress.advance(steps);
            let settings = &trials.settings;
            Ok(on_device!(device, |open, Kind| select::score(
                known.on::<Kind>(),
                task,
                settings,
                open,
                advance
            ))?)
        })
        .collect()
}

/// The choice of every learner, with the temperature of its predicted probabilities.
fn chosen(
    known: &Learners,
    task: Option<&Task<'_>>,
    device: Device,
    candidates: &Candidates,
    scores: &[Vec<Scored>],
) -> Result<Vec<Choice>, RunError> {
    let winners: Vec<_> = candidates
        .iter()
        .zip(scores)
        .map(|((_, trials), scores)| trials.settings[select::best(scores)].clone())
        .collect();
    let temperatures = match task {
        Some(task) => {
            on_device!(device, |open, Kind| select::temperatures(known.on::<Kind>(), task, &winners, open))?
        }
        None => vec![None; winners.len()],
    };
    let choice = |place: usize| {
        let ((name, trials), scores) = (&candidates[place], &scores[place]);
        let won = scores.get(select::best(scores));
        let interval = won.and_then(|won| won.interval);
        Choice {
            name: name.to_string(),
            trials: trials.settings.len(),
            whole: trials.whole,
            score: won.map(|won| won.score),
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
            default_score: scores.first().map(|default| default.score),
            temperature: temperatures[place],
            parameters: if won.is_some() { winners[place].pairs() } else { BTreeMap::new() },
            among: match won {
                Some(_) => Vec::new(),
                None => trials.settings.iter().map(|setting| setting.pairs()).collect(),
            },
        }
    };
    Ok((0..candidates.len()).map(choice).collect())
}

fn trials_csv(
    protocol: &Protocol,
    features: &str,
    by: By,
    candidates: &Candidates,
    scores: &[Vec<Scored>],
    selected: &Selected,
) -> Vec<u8> {
    let mut rows = Vec::new();
    for (((name, trials), scores), choice) in candidates.iter().zip(scores).zip(&selected.learner) {
        for (number, setting) in trials.settings.iter().enumerate() {
            let scored = scores.get(number);
            rows.push(TrialRow {
                protocol: protocol.name().to_string(),
                learner: name.to_string(),
                features: features.to_string(),
                trial: number,
                parameters: setting.to_string(),
                by: by.word(),
                score: scored.map(|scored| scored.score),
                interval: scored.and_then(|scored| scored.interval),
                seconds: scored.map(|scored| scored.seconds),
                chosen: scored.is_some() && setting.pairs() == choice.parameters,
            });
        }
    }
    trials_file(rows)
}
