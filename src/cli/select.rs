//! `kshot select`: the same number of trials for every learner, on classes that are not reported.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::error::CliError;
use super::flags::{InputFlags, whole};
use super::progress::Terminal;
use super::{Outcome, say, tell};
use crate::learner::{Learners, Registry};
use crate::report::Grid;
use crate::run::admission::shots;
use crate::run::select::{NAMES, ORACLE_NAMES, checked};
use crate::run::{self, SelectDone, SelectRequest, files, read_protocol};
use crate::select::{self, By, Choice};
use crate::tensor::Cpu;
use crate::vocab::spec::values_text;

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
    /// Learner, `name` or `name:key=SPACE,…`, SPACE being `value`, `low..high` or `one|another`; repeat for several.
    /// Default: all that the protocol admits, each with the space that it declares (see `kshot list learners`).
    #[arg(long = "learner", value_name = "SPEC")]
    learners: Vec<String>,
    /// TOML file with search spaces; what --learner says of a parameter counts before it.
    #[arg(long, value_name = "FILE")]
    space: Option<PathBuf>,
    /// Trials of each learner, the default included; a smaller space is tried whole.
    #[arg(long, value_name = "N", default_value = "32", value_parser = whole(1, 10_000))]
    budget: usize,
    /// On what the choice is made: episodes of validation classes, or the support set of each episode when it is evaluated.
    #[arg(long, value_name = "WHAT", default_value = "validation")]
    by: WrittenBy,
    /// Choose on the very episodes that are reported: a bound for what selection can gain, never a result.
    #[arg(long, conflicts_with_all = ["by", "episodes", "seed"])]
    oracle: bool,
    /// Episodes of validation classes. Default: as many as the protocol has, at most 1000.
    #[arg(long, value_name = "N", value_parser = whole(1, 10_000_000))]
    episodes: Option<usize>,
    /// Seed of the trials and of these episodes. Default: that of the protocol.
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Workers, each on a core of its own. Default: all cores, and 2 on a GPU. The selection does not depend on it.
    #[arg(long, value_name = "N", value_parser = whole(1, 1024))]
    workers: Option<usize>,
    /// Folder for trials.csv, selected.toml and draw.csv; with --oracle oracle-trials.csv and oracle.toml.
    /// Default: selected/NAME.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace a selection that the folder already holds.
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    pub(super) inputs: InputFlags,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WrittenBy {
    Validation,
    SupportCv,
}

impl Arguments {
    /// What is asked for.
    fn request(&self) -> Result<SelectRequest, CliError> {
        Ok(SelectRequest {
            protocol: read_protocol(&self.protocol)?,
            inputs: self.inputs.inputs(),
            learners: self.learners.clone(),
            space: self.space.clone(),
            budget: self.budget,
            by: match (self.oracle, self.by) {
                (true, _) => By::Oracle,
                (false, WrittenBy::Validation) => By::Validation,
                (false, WrittenBy::SupportCv) => By::SupportCv,
            },
            episodes: self.episodes,
            seed: self.seed,
            device: self.inputs.device.chosen()?,
            workers: self.workers,
        })
    }
}

pub(super) fn run(known: &Learners, arguments: &Arguments) -> Result<Outcome, CliError> {
    let request = arguments.request()?;
    let name = checked(&request)?.protocol.name().to_string();
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from("selected").join(name));
    let names: &[&str] = if request.by == By::Oracle { &ORACLE_NAMES } else { &NAMES };
    files::check_free(&out, names, arguments.overwrite)?;
    let held = files::hold(&out)?;
    let done = run::select(&request, Vec::new(), known, &Terminal::default())?;
    done.warnings.iter().for_each(|warning| tell(&format!("warning: {warning}")));
    files::write_held(&held, names, &done.files)?;
    say(&format!("{}\nselection: {}\n", table(known.cpu(), &done).text(), out.display()))?;
    Ok(Outcome::Done)
}

/// What was chosen, for the screen.
fn table(registry: &Registry<Cpu>, done: &SelectDone) -> Grid {
    let SelectDone { selected, protocol, trials, .. } = done;
    let head = ["learner", "chosen", "trials", "default", "chosen there", "temperature"];
    let mut lines = vec![head.map(str::to_string).to_vec()];
    let percent =
        |value: Option<f64>| value.map_or("–".to_string(), |value| format!("{:.2}", 100.0 * value));
    for (choice, (_, whole)) in selected.learner.iter().zip(trials) {
        let half = choice.low.zip(choice.high).map(|(low, high)| format!(" ± {:.2}", 50.0 * (high - low)));
        lines.push(vec![
            choice.name.clone(),
            match choice.parameters.is_empty() {
                true => "in each support set".to_string(),
                false => changed(registry, choice),
            },
            format!("{}{}", choice.trials, if *whole { " (all)" } else { "" }),
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
    if selected.by == By::SupportCv && shots(protocol).contains(&Some(1)) {
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
    let changed = chosen.map(|chosen| values_text(&chosen.parameters.short().values)).unwrap_or_default();
    if changed.is_empty() { "the default".to_string() } else { changed }
}
