//! `kshot rerun`: a run made again from its record.

use std::path::PathBuf;

use clap::Args;

use super::device::DeviceFlag;
use super::error::CliError;
use super::flags::whole;
use super::progress::Terminal;
use super::{Outcome, evaluate};
use crate::learner::Learners;
use crate::run::{self, Execution};

const EXAMPLES: &str = "Examples:
  kshot rerun results/quickstart
  kshot rerun results/mine --out results/mine-again";

/// Run an evaluation again from its results folder alone.
///
/// run.json holds the text of every protocol and selection and all that was asked for; features and draws are read from the
/// files that it names. On the same machine the tables are the same bytes.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Folder of results, of one run or of merged parts.
    #[arg(value_name = "RESULTS")]
    results: PathBuf,
    /// Folder for the new results. Default: the name of the old folder with `-rerun` behind it.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace results that the folder already holds.
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    pub(super) device: DeviceFlag,
    /// Workers, each on a core of its own. Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = whole(1, 1024))]
    workers: Option<usize>,
}

pub(super) fn run(learners: &Learners, arguments: &Arguments) -> Result<Outcome, CliError> {
    let execution = Execution {
        device: arguments.device.chosen()?,
        workers: arguments.workers,
        out: Some(arguments.out.clone().unwrap_or_else(|| beside(&arguments.results))),
        overwrite: arguments.overwrite,
        command: evaluate::command(),
        ..Execution::default()
    };
    evaluate::print(&run::rerun(&arguments.results, &execution, learners, &Terminal::default())?)
}

/// A folder beside the old one.
fn beside(results: &std::path::Path) -> PathBuf {
    let name = results.file_name().map_or("results".to_string(), |name| name.to_string_lossy().into_owned());
    results.with_file_name(format!("{name}-rerun"))
}
