//! `kshot merge`: the parts of an evaluation in, the results of the whole out.

use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::sheets::Sheets;
use super::{Outcome, evaluate, say};
use crate::episode::{DrawError, sha256};
use crate::report::Overview;
use crate::results::{
    Machine, PartFolder, PartRecord, Results, RunRecord, Warning, common_warnings, total_seconds,
};

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
    let mut parts =
        arguments.parts.iter().map(|path| PartFolder::read(path)).collect::<Result<Vec<_>, _>>()?;
    let mut warnings = PartFolder::align(&mut parts)?;
    let mut results = Results::create(&arguments.out, arguments.overwrite)?;
    let terms = parts[0].journal.terms().clone();
    if terms.queries.as_deref() == Some("parquet") {
        evaluate::with_parquet(&mut results)?;
    }
    warnings.extend(common_warnings(&parts));
    for (number, protocol) in terms.protocols.iter().enumerate() {
        if let Some(file) = &protocol.draw_file {
            results.write_file(file, &draw(&parts[0], file, protocol.draw_sha256.as_deref())?)?;
        }
        let mut sheets = Sheets::begin(&mut results, protocol)?;
        for part in &parts {
            part.journal.replay(number, |stretch| sheets.take(&stretch))?;
        }
        warnings.extend(sheets.finish(&mut results)?);
    }
    warnings.extend(results.warnings());
    warnings.sort();
    warnings.dedup();
    for warning in warnings.iter().filter(|w| !matches!(w, Warning::SamplerInterval { .. })) {
        eprintln!("warning: {warning}");
    }
    let rows = results.commit(record(&parts, warnings))?;
    say(&format!("{}\nresults: {}\n", Overview::of(&rows, "accuracy").text(), arguments.out.display()))?;
    Ok(Outcome::Done)
}

/// The bytes of the draw that a part holds, which must be those that all parts were evaluated on.
fn draw(part: &PartFolder, file: &str, hash: Option<&str>) -> Result<Vec<u8>, CliError> {
    let path = part.path.join(file);
    let origin = path.display().to_string();
    let bytes = std::fs::read(&path).map_err(|source| DrawError::Unreadable { origin, source })?;
    let found = sha256(&bytes);
    match hash.filter(|hash| **hash != found) {
        None => Ok(bytes),
        Some(hash) => Err(CliError::OtherDraw { path, found, expected: hash.to_string() }),
    }
}

/// What was run, by the parts' own records.
fn record(parts: &[PartFolder], warnings: Vec<Warning>) -> RunRecord {
    let first = &parts[0].run;
    RunRecord {
        kshot: env!("CARGO_PKG_VERSION").to_string(),
        command: std::env::args().collect(),
        protocols: first.protocols.clone(),
        learners: first.learners.clone(),
        seed_train: first.seed_train,
        device: first.device.clone(),
        workers: parts.iter().map(|part| part.run.workers).max().unwrap_or(1),
        batch: first.batch.filter(|_| parts.iter().all(|part| part.run.batch == first.batch)),
        seconds: total_seconds(parts),
        warnings,
        part: None,
        until: None,
        resumed: None,
        parts: parts.iter().map(part_record).collect(),
        machine: Machine::here(),
        files: Vec::new(),
    }
}

fn part_record(part: &PartFolder) -> PartRecord {
    PartRecord {
        folder: part.path.display().to_string(),
        part: part.shard,
        command: part.run.command.clone(),
        workers: part.run.workers,
        seconds: part.run.seconds.clone(),
        machine: part.run.machine.clone(),
    }
}
