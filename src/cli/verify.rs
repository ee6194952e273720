//! `kshot verify`: whether results, or a published table, are what their run gives when it is made again.

use std::path::PathBuf;

use clap::Args;

use super::device::DeviceFlag;
use super::error::CliError;
use super::flags::whole;
use super::progress::Terminal;
use super::{Outcome, evaluate, say};
use crate::learner::Learners;
use crate::run::{self, Execution, Verified};

const EXAMPLES: &str = "Examples:
  kshot verify results/quickstart
  kshot verify results/quickstart --table published.csv";

/// Run an evaluation again and compare every row: same bytes, same within tolerance, or different.
///
/// Nothing is written. Ends with exit code 1 where a row differs, or a file is not as the run wrote it.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Folder of results, of one run or of merged parts.
    #[arg(value_name = "RESULTS")]
    results: PathBuf,
    /// Hold the rows of a published table against the run instead: a .csv with the columns protocol, learner, parameters,
    /// metric, value, tolerance and optional features, shot, interval; an empty cell means any.
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    /// Largest relative difference of numbers that count as equal.
    #[arg(long, value_name = "SHARE", default_value = "1e-6", value_parser = share)]
    tolerance: f64,
    #[command(flatten)]
    pub(super) device: DeviceFlag,
    /// Workers, each on a core of its own. Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = whole(1, 1024))]
    workers: Option<usize>,
}

/// Reads a share.
fn share(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| (0.0..1.0).contains(number));
    number.ok_or_else(|| "must be a number from 0 and below 1".to_string())
}

pub(super) fn run(learners: &Learners, arguments: &Arguments) -> Result<Outcome, CliError> {
    let execution = Execution {
        device: arguments.device.chosen()?,
        workers: arguments.workers,
        command: evaluate::command(),
        ..Execution::default()
    };
    let (folder, watch) = (&arguments.results, Terminal::default());
    let verified = match &arguments.table {
        None => run::verify(folder, arguments.tolerance, &execution, learners, &watch)?,
        Some(table) => run::verify_published(folder, table, &execution, learners, &watch)?,
    };
    say(&text(&verified))?;
    Ok(if verified.holds() { Outcome::Done } else { Outcome::DoesNotHold })
}

/// What was found, file by file.
fn text(verified: &Verified) -> String {
    let mut text = String::new();
    for (file, counts) in &verified.files {
        let mut parts = vec![format!("{} rows same bytes", counts.same)];
        if counts.within > 0 {
            parts.push(format!("{} same within tolerance", counts.within));
        }
        if counts.different > 0 {
            parts.push(format!("{} different", counts.different));
        }
        text += &format!("{file}: {}\n", parts.join(", "));
    }
    for sentence in &verified.differences {
        text += &format!("different: {sentence}\n");
    }
    text
}
