//! `kshot evaluate`: protocols, features and learners in, result files out.

use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::flags::{InputFlags, OverrideFlags, cosine, texts, whole};
use super::long_run::LongRun;
use super::progress::Terminal;
use super::{Outcome, say, tell};
use crate::eval::Meter;
use crate::learner::Learners;
use crate::results::{Warning, was_killed};
use crate::run::{self, Done, Execution, Request};

const EXAMPLES: &str = "Examples:
  kshot evaluate quickstart
  kshot evaluate any-5way-1shot any-5way-5shot --features features/ --out results/mine
  kshot evaluate any-5way-5shot --features f.npz --learner ridge --learner k-nn:k=3,distance=cosine
  kshot evaluate any-5way-5shot --features f.npz --selected selected/any-5way-5shot/selected.toml
  kshot evaluate any-intents-10shot --features banking77 --data data --backbone bert --weights all-MiniLM-L6-v2
  kshot evaluate any-5way-5shot --features features/ --out results/part-3 --shard 3/8 --resume
  kshot evaluate any-5way-5shot --features features/ --out results/sure --until 0.2";

/// Evaluate learners on the same episodes and write result files.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Protocol files, or names of shipped protocols (see `kshot list protocols`).
    #[arg(required = true, value_name = "PROTOCOL")]
    protocols: Vec<String>,
    /// Draw to use instead of the protocol's own; with one protocol only.
    #[arg(long, value_name = "FILE")]
    draw: Option<PathBuf>,
    /// Learner, `[NAME=]name` or `[NAME=]name:key=value,key=value`; repeat for several. Default: all that the protocols admit.
    #[arg(long = "learner", value_name = "[NAME=]SPEC")]
    learners: Vec<String>,
    /// Workers, each on a core of its own. Default: all cores, and 2 on a GPU. Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = whole(1, 1024))]
    workers: Option<usize>,
    /// Episodes that are computed together. Default: as many as fit a core's cache, or a part of a GPU's free memory.
    /// Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = whole(1, 100_000))]
    batch: Option<usize>,
    /// Folder for the results. Default: a new folder results/NAME.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace results that --out already holds.
    #[arg(long, requires = "out")]
    overwrite: bool,
    /// Also write queries.csv, one row per query; with `--queries=parquet` queries.parquet too.
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "csv")]
    queries: Option<Queries>,
    /// First hold every learner against chance on 300 episodes with permuted answers: one that knows answers in another way
    /// than by the features ends the run with exit code 1.
    #[arg(long)]
    audit: bool,
    /// Then measure what each method costs on one core, and write costs.csv: weights, multiplications, seconds to embed, adapt
    /// and answer, and peak bytes in a build with the feature `count-memory`.
    #[arg(long)]
    costs: bool,
    /// Leave out classes that have too few items for an episode of the protocol; the results name them.
    #[arg(long)]
    drop_small_classes: bool,
    /// Also refuse near-duplicates: pairs of support and query, or of base and novel, with a cosine of at least this.
    #[arg(long, value_name = "COSINE", value_parser = cosine)]
    near: Option<f32>,
    /// Parameters that `kshot select` chose for the protocol; repeat for several protocols. With --learner those are
    /// evaluated beside the selected ones, without it the selected ones alone.
    #[arg(long, value_name = "FILE")]
    selected: Vec<PathBuf>,
    /// Use --selected even for another protocol, other sizes of episodes or other features than it was made for.
    #[arg(long, requires = "selected")]
    selected_elsewhere: bool,
    #[command(flatten)]
    overrides: OverrideFlags,
    #[command(flatten)]
    long: LongRun,
    #[command(flatten)]
    pub(super) inputs: InputFlags,
}

/// What to do after a signal.
const AGAIN: &str =
    "what was computed is kept; give the same command with --resume, and --out where it had none";

/// How single queries are written.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Queries {
    Csv,
    Parquet,
}

impl Arguments {
    /// What is asked for.
    fn request(&self) -> Result<Request, CliError> {
        Ok(Request {
            protocols: self.overrides.protocols(&self.protocols)?,
            episodes: self.overrides.episodes,
            inputs: self.inputs.inputs(),
            draw: self.draw.clone(),
            learners: self.learners.clone(),
            selected: texts(&self.selected)?,
            selected_elsewhere: self.selected_elsewhere,
            drop_small_classes: self.drop_small_classes,
            audit: self.audit,
            near: self.near,
            queries: self.queries.map(|queries| match queries {
                Queries::Csv => run::Queries::Csv,
                Queries::Parquet => run::Queries::Parquet,
            }),
            until: self.long.until.as_ref().map(|until| until.points.clone()),
        })
    }

    /// How it is to be done.
    fn execution(&self, names: &[String], meter: Option<Meter>) -> Result<Execution, CliError> {
        Ok(Execution {
            device: self.inputs.device.chosen()?,
            workers: self.workers,
            batch: self.batch,
            out: Some(self.out.clone().unwrap_or_else(|| new_folder(names))),
            overwrite: self.overwrite,
            left_over: self.long.left_over(self.overwrite),
            shard: self.long.shard,
            costs: self.costs,
            meter,
            command: command(),
        })
    }
}

pub(super) fn run(
    learners: &Learners,
    arguments: &Arguments,
    meter: Option<Meter>,
) -> Result<Outcome, CliError> {
    let request = arguments.request()?;
    let names = run::protocol_names(&request)?;
    let execution = arguments.execution(&names, meter)?;
    if arguments.out.is_none() {
        note_killed(&names, execution.out.as_ref());
    }
    let done = run::evaluate(&request, Vec::new(), &execution, learners, &Terminal::heeding_signals());
    print(&done.map_err(|error| CliError::of_run(error, AGAIN))?)
}

/// The command line; what is no text in it is replaced by a mark.
pub(super) fn command() -> Vec<String> {
    std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect()
}

/// Says which runs of these protocols could be resumed.
fn note_killed(names: &[String], out: Option<&PathBuf>) {
    for earlier in folders(names).take_while(|earlier| Some(earlier) != out).filter(|path| was_killed(path)) {
        let earlier = earlier.display();
        tell(&format!("note: {earlier} holds a run that was killed; --out {earlier} --resume continues it"));
    }
}

/// Prints what a run leaves behind.
pub(super) fn print(done: &Done) -> Result<Outcome, CliError> {
    for warning in done.warnings().iter().filter(|w| !matches!(w, Warning::SamplerInterval { .. })) {
        tell(&format!("warning: {warning}"));
    }
    let folder = done.folder().display();
    if done.finished_before() {
        tell(&format!("note: {folder} holds the results of this run already, nothing is left to resume"));
    }
    match done.part() {
        Some(part) => say(&format!("part {part}: {folder}\n"))?,
        None => say(&format!("{}\nresults: {folder}\n", done.table()))?,
    }
    Ok(Outcome::Done)
}

/// A folder below `results` that does not exist yet.
fn new_folder(names: &[String]) -> PathBuf {
    folders(names).find(|path| !path.exists()).unwrap_or_default()
}

/// The folders that results of these protocols go to, one after another.
fn folders(names: &[String]) -> impl Iterator<Item = PathBuf> + use<> {
    let names = names.iter().take(3).map(String::as_str).collect::<Vec<_>>().join("+");
    let first = PathBuf::from("results").join(&names);
    let later = first.clone();
    let later = (2..).map(move |number| later.with_file_name(format!("{names}-{number}")));
    std::iter::once(first).chain(later)
}
