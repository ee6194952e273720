//! `kshot select`: the same number of trials for every learner, on classes that are not reported.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::candidates::{self, Candidates};
use super::device::{Device, DeviceFlag, on_device};
use super::error::CliError;
use super::progress::Progress;
use super::source::{self, Dealer, Rules, Stores};
use super::{Outcome, evaluate, files, say};
use crate::data::{Fingerprint, Store};
use crate::eval::{self, SeenRules};
use crate::learner::{Registry, Roster};
use crate::protocol::Protocol;
use crate::report::{Grid, TRIAL_COLUMNS, TrialRow};
use crate::select::{
    self, By, Choice, Episodes, Origin, SELECTED_FORMAT, Scored, Selected, Space, Task, Typed,
};
use crate::tensor::Cpu;
use crate::vocab::{Scope, Split};

const EXAMPLES: &str = "Examples:
  kshot select any-5way-5shot --features features/ --out selected/mine
  kshot select any-5way-5shot --features f.npz --learner linear-probe:c=0.01..1000,transform=none|l2n --budget 16
  kshot select mine.toml --features features/ --by support-cv
  kshot evaluate any-5way-5shot --features features/ --selected selected/mine/selected.toml";

/// Select parameters with the same number of trials for every learner.
///
/// Trials are drawn from each learner's search space and scored on episodes of validation classes, drawn by the rules of
/// the protocol; nothing of the classes that the protocol reports is looked at. The highest mean accuracy wins, of equal
/// ones the earlier trial, and the first trial is the default. A protocol with several shots gets one choice for all.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Protocol file, or name of a shipped protocol (see `kshot list protocols`).
    #[arg(value_name = "PROTOCOL")]
    protocol: String,
    /// Feature store or embedded dataset; default: the protocol's dataset.
    #[arg(long, value_name = "PATH")]
    features: Option<String>,
    /// Learner, `name` or `name:key=SPACE,…`, SPACE being `value`, `low..high` or `one|another`; repeat for several.
    /// Default: all that the protocol admits, each with the space that it declares (see `kshot list learners`).
    #[arg(long = "learner", value_name = "SPEC")]
    learners: Vec<String>,
    /// TOML file with search spaces; what --learner says of a parameter counts before it.
    #[arg(long, value_name = "FILE")]
    space: Option<PathBuf>,
    /// Trials of each learner, the default included; a smaller space is tried whole.
    #[arg(long, value_name = "N", default_value = "32", value_parser = source::whole(1, 10_000))]
    budget: usize,
    /// On what the choice is made: episodes of validation classes, or the support set of each episode when it is evaluated.
    #[arg(long, value_name = "WHAT", default_value = "validation")]
    by: WrittenBy,
    /// Choose on the very episodes that are reported: a bound for what selection can gain, never a result.
    #[arg(long, conflicts_with_all = ["by", "episodes", "seed"])]
    oracle: bool,
    /// Episodes of validation classes. Default: as many as the protocol has.
    #[arg(long, value_name = "N", value_parser = source::whole(1, 10_000_000))]
    episodes: Option<usize>,
    /// Seed of the trials and of these episodes. Default: that of the protocol.
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    #[command(flatten)]
    pub(super) device: DeviceFlag,
    /// Workers, each on a core of its own. Default: all cores, and 2 on a GPU. The selection does not depend on it.
    #[arg(long, value_name = "N", value_parser = source::whole(1, 1024))]
    workers: Option<usize>,
    /// Folder for trials.csv, selected.toml and draw.csv; with --oracle oracle-trials.csv and oracle.toml.
    /// Default: selected/NAME.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace a selection that the folder already holds.
    #[arg(long)]
    overwrite: bool,
    /// Features of more bytes than this stay in their file, such as 8G. Default: 768M.
    #[arg(long, value_name = "SIZE", value_parser = source::bytes)]
    memory: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WrittenBy {
    Validation,
    SupportCv,
}

/// Files of a selection, and those of an oracle, which are kept apart.
const NAMES: [&str; 3] = ["trials.csv", "selected.toml", "draw.csv"];
const ORACLE_NAMES: [&str; 2] = ["oracle-trials.csv", "oracle.toml"];

pub(super) fn run<R: Roster>(arguments: &Arguments) -> Result<Outcome, CliError> {
    let by = match (arguments.oracle, arguments.by) {
        (true, _) => By::Oracle,
        (false, WrittenBy::Validation) => By::Validation,
        (false, WrittenBy::SupportCv) => By::SupportCv,
    };
    let registry = Registry::<Cpu>::of::<R>();
    let rules = source::rules(&arguments.protocol)?;
    let protocol = &rules.protocol;
    if by == By::Validation && protocol.split().holds(Split::Validation) {
        return Err(CliError::Request(format!(
            "protocol `{}` reports validation classes, so none are left to select on\nhint: give --by support-cv",
            protocol.name()
        )));
    }
    let spaces = spaces(&registry, arguments, protocol)?;
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from("selected").join(protocol.name()));
    let names: &[&str] = if by == By::Oracle { &ORACLE_NAMES } else { &NAMES };
    files::check_free(&out, names, arguments.overwrite)?;

    let stores = Stores::new(arguments.features.clone(), arguments.memory);
    let mut stores = match protocol.split() {
        Scope::One(split) if by != By::Oracle => stores.without(split),
        _ => stores,
    };
    let store = stores.of(protocol)?;
    let fingerprint = Fingerprint::start(&store);
    let seed = arguments.seed.map_or(protocol.seed(), u64::from);
    let count = arguments.episodes.map_or(protocol.count(), |episodes| episodes as u32);
    let judged =
        if by == By::Oracle { protocol.clone() } else { protocol.on_split(Split::Validation, count, seed) };
    let dealer = dealer(by, &rules, &judged, &store)?;
    let mut candidates = candidates::of(&registry, &spaces, &store, arguments.budget, seed)?;
    if arguments.learners.is_empty() {
        let answered = if by == By::Validation { &judged } else { protocol };
        candidates = candidates::fitting(&registry, answered, &store, candidates)?;
    }

    let shots = evaluate::shots(protocol);
    let device = arguments.device.chosen()?;
    let task = dealer.as_ref().map(|dealer| Task {
        store: &store,
        draw: &dealer.draw,
        seed,
        shots: &shots,
        rules: SeenRules::of(&judged),
        level: protocol.confidence_level(),
        workers: arguments.workers.unwrap_or(device.workers()),
        batch: None,
    });
    let scores = match &task {
        Some(task) => scored::<R>(task, device, protocol, &candidates)?,
        None => candidates.iter().map(|_| Vec::new()).collect(),
    };
    let learner = chosen::<R>(task.as_ref(), device, &candidates, &scores)?;
    let selected = Selected {
        format: SELECTED_FORMAT,
        kshot: env!("CARGO_PKG_VERSION").to_string(),
        by,
        budget: arguments.budget,
        seed,
        origin: origin(protocol, fingerprint.wait()?),
        episodes: dealer.as_ref().map(|dealer| Episodes {
            split: judged.split().word().to_string(),
            count: dealer.draw.len(),
            draw_sha256: dealer.sha256.clone(),
        }),
        learner,
    };
    let mut written = vec![
        (names[0], trials_csv(protocol, by, &candidates, &scores, &selected)),
        (names[1], selected.to_toml().into_bytes()),
    ];
    let fresh = dealer.as_ref().filter(|_| by == By::Validation).and_then(|dealer| dealer.fresh.as_ref());
    written.extend(fresh.map(|text| (NAMES[2], text.clone().into_bytes())));
    files::write(&out, names, &written)?;
    say(&format!(
        "{}\nselection: {}\n",
        table(&registry, protocol, &selected, &candidates).text(),
        out.display()
    ))?;
    Ok(Outcome::Done)
}

/// The episodes on which trials are scored; none where each support set decides for itself.
fn dealer(by: By, rules: &Rules, judged: &Protocol, store: &Store) -> Result<Option<Dealer>, CliError> {
    match by {
        By::SupportCv => Ok(None),
        By::Oracle => source::draw(rules, None, store).map(Some),
        By::Validation => match source::fresh(judged, store) {
            Err(CliError::Sample { protocol, source }) => Err(CliError::Request(format!(
                "protocol {protocol} cannot be drawn from the validation classes: {source}\nhint: --by support-cv needs none"
            ))),
            drawn => drawn.map(Some),
        },
    }
}

/// The search space of every learner that was asked for, or of all that the protocol admits.
fn spaces(
    registry: &Registry<Cpu>,
    arguments: &Arguments,
    protocol: &Protocol,
) -> Result<Vec<Space>, CliError> {
    let file = arguments.space.as_deref().map(select::read_spaces).transpose()?.unwrap_or_default();
    for name in file.keys() {
        registry.entry(name)?;
    }
    let shots = evaluate::shots(protocol);
    let mut spaces: Vec<Space> = Vec::new();
    let space = |name: &str, given: &BTreeMap<String, String>| -> Result<Space, CliError> {
        let mut typed = file.get(name).cloned().unwrap_or_default();
        typed.extend(given.iter().map(|(key, text)| (key.clone(), Typed::parse(text))));
        Ok(Space::new(registry.entry(name)?, &typed)?)
    };
    for spec in &arguments.learners {
        let (entry, given) = registry.read(spec)?;
        if spaces.iter().any(|space| space.learner() == entry.name()) {
            return Err(CliError::Request(format!(
                "learner `{}` is given twice, a selection holds each once",
                entry.name()
            )));
        }
        let default = entry.check(&BTreeMap::new())?;
        eval::admit(protocol, &default, &registry.build(&default)?, &shots)?;
        spaces.push(space(entry.name(), &given)?);
    }
    if arguments.learners.is_empty() {
        for parameters in evaluate::admitted(registry, protocol, &[])? {
            spaces.push(space(parameters.learner(), &BTreeMap::new())?);
        }
    }
    Ok(spaces)
}

/// The scores of all trials, by learner.
fn scored<R: Roster>(
    task: &Task<'_>,
    device: Device,
    protocol: &Protocol,
    candidates: &Candidates,
) -> Result<Vec<Vec<Scored>>, CliError> {
    let shots = task.shots.iter().filter(|shot| **shot != Some(0)).count();
    let trials: usize = candidates.iter().map(|(_, trials)| trials.settings.len()).sum();
    let steps = task.draw.len() * shots * trials;
    let size = format!("{trials} trials on {} episodes", task.draw.len());
    let progress = Progress::start(protocol.name(), &size, steps as u64);
    candidates
        .iter()
        .map(|(_, trials)| {
            let advance = |steps| progress.advance(steps);
            let settings = &trials.settings;
            Ok(on_device!(device, |open, Kind| select::score::<R, Kind>(task, settings, open, advance))?)
        })
        .collect()
}

/// The choice of every learner, with the temperature of its claims.
fn chosen<R: Roster>(
    task: Option<&Task<'_>>,
    device: Device,
    candidates: &Candidates,
    scores: &[Vec<Scored>],
) -> Result<Vec<Choice>, CliError> {
    let winners: Vec<_> = candidates
        .iter()
        .zip(scores)
        .map(|((_, trials), scores)| trials.settings[select::best(scores)].clone())
        .collect();
    let temperatures = match task {
        Some(task) => on_device!(device, |open, Kind| select::temperatures::<R, Kind>(task, &winners, open))?,
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

/// What a selection is for.
pub(super) fn origin(protocol: &Protocol, features_sha256: String) -> Origin {
    Origin {
        protocol: protocol.name().to_string(),
        version: protocol.version(),
        way: protocol.way().to_string(),
        shot: protocol.shot().to_string(),
        query: protocol.query().to_string(),
        features_sha256,
    }
}

fn trials_csv(
    protocol: &Protocol,
    by: By,
    candidates: &Candidates,
    scores: &[Vec<Scored>],
    selected: &Selected,
) -> Vec<u8> {
    let mut bytes = format!("{TRIAL_COLUMNS}\n").into_bytes();
    for (((name, trials), scores), choice) in candidates.iter().zip(scores).zip(&selected.learner) {
        for (number, setting) in trials.settings.iter().enumerate() {
            let scored = scores.get(number);
            TrialRow {
                protocol: protocol.name(),
                learner: name,
                trial: number,
                parameters: &setting.to_string(),
                by: by.word(),
                score: scored.map(|scored| scored.score),
                interval: scored.and_then(|scored| scored.interval),
                seconds: scored.map(|scored| scored.seconds),
                chosen: scored.is_some() && setting.pairs() == choice.parameters,
            }
            .write(&mut bytes);
        }
    }
    bytes
}

/// What was chosen, for the screen.
fn table(
    registry: &Registry<Cpu>,
    protocol: &Protocol,
    selected: &Selected,
    candidates: &Candidates,
) -> Grid {
    let head = ["learner", "chosen", "trials", "default", "chosen there", "temperature"];
    let mut lines = vec![head.map(str::to_string).to_vec()];
    let percent =
        |value: Option<f64>| value.map_or("–".to_string(), |value| format!("{:.2}", 100.0 * value));
    for (choice, (_, trials)) in selected.learner.iter().zip(candidates) {
        let half = choice.low.zip(choice.high).map(|(low, high)| format!(" ± {:.2}", 50.0 * (high - low)));
        lines.push(vec![
            choice.name.clone(),
            match choice.parameters.is_empty() {
                true => "in each support set".to_string(),
                false => changed(registry, choice),
            },
            format!("{}{}", choice.trials, if trials.whole { " (all)" } else { "" }),
            percent(choice.default_score),
            percent(choice.score) + &half.unwrap_or_default(),
            choice.temperature.map_or("–".to_string(), |temperature| temperature.to_string()),
        ]);
    }
    let mut notes = Vec::new();
    match (&selected.episodes, selected.by) {
        (Some(episodes), By::Oracle) => notes.push(format!(
            "oracle: chosen on the {} episodes that {} reports; a bound, not a result",
            episodes.count,
            protocol.name()
        )),
        (Some(episodes), _) => notes.push(format!(
            "accuracy in percent over {} episodes of {} classes, seed {}",
            episodes.count, episodes.split, selected.seed
        )),
        (None, _) => notes.push(format!(
            "support-cv: each episode chooses among these trials by cross-validation inside its support, at most {} folds",
            select::cross_validation::FOLDS
        )),
    }
    if selected.by == By::SupportCv && evaluate::shots(protocol).contains(&Some(1)) {
        notes.push(
            "one support item per class cannot be cross-validated: 1-shot episodes keep the default"
                .to_string(),
        );
    }
    if selected.learner.iter().any(|choice| choice.whole) {
        notes.push("(all): the search space holds no more settings".to_string());
    }
    Grid { title: String::new(), lines, left: 2, notes }
}

/// The chosen parameters that differ from their defaults.
fn changed(registry: &Registry<Cpu>, choice: &Choice) -> String {
    let entry = registry.entry(&choice.name).ok();
    let chosen = entry.and_then(|entry| entry.check(&choice.parameters).ok());
    let short = chosen.map(|chosen| evaluate::short_spec(registry, &chosen)).unwrap_or_default();
    short.split_once(':').map_or("the default".to_string(), |(_, changed)| changed.to_string())
}
