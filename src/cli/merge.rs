//! `kshot merge`: the parts of an evaluation in, the results of the whole out.

use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::{Outcome, evaluate};
use crate::run;

const EXAMPLES: &str = "Examples:
  kshot merge results/part-1 results/part-2 --out results/whole
  kshot merge results/part-* --out results/whole";

/// Join the parts of `kshot evaluate --shard` into the results of a single run.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Folders of all parts, in any order.
    #[arg(required = true, value_name = "PART")]
    parts: Vec<PathBuf>,
    /// Folder for the results.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace results that --out already holds.
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Outcome, CliError> {
    let done = run::merge(&arguments.parts, &arguments.out, arguments.overwrite, evaluate::command())?;
    evaluate::print(&done)
}
