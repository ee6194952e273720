//! `kshot merge`: the parts of an evaluation or a feature set in, the whole out.

use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::{Outcome, evaluate, say, tell};
use crate::data::FOLDER_FILES;
use crate::run::embed::whole;
use crate::run::{self, files};

const EXAMPLES: &str = "Examples:
  kshot merge results/part-1 results/part-2 --out results/whole
  kshot merge results/part-* --out results/whole
  kshot merge features/part-* --out features/whole";

/// Join the parts of `kshot evaluate --shard` or `kshot embed --shard` into what a single run gives.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Folders of all parts, in any order.
    #[arg(required = true, value_name = "PART")]
    parts: Vec<PathBuf>,
    /// Folder for the whole.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace what --out already holds.
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Outcome, CliError> {
    if arguments.parts.iter().any(|part| whole::is_part(part)) {
        return features(arguments);
    }
    let done = run::merge(&arguments.parts, &arguments.out, arguments.overwrite, evaluate::command())?;
    evaluate::print(&done)
}

/// Joins the parts of a feature set.
fn features(arguments: &Arguments) -> Result<Outcome, CliError> {
    let Arguments { parts, out, overwrite } = arguments;
    files::check_free(out, &FOLDER_FILES, *overwrite)?;
    let finished = whole::merge(parts, out)?;
    let of = finished.items + finished.broken.len();
    let name = out.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    finished.warnings(&name, of).iter().for_each(|warning| tell(&format!("warning: {warning}")));
    say(&format!("{}: {} items of {} numbers\n", out.display(), finished.items, finished.dim))?;
    Ok(Outcome::Done)
}
