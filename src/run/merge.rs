//! The parts of an evaluation, joined into the results of the whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::episode::{DrawError, draw_sha256};
use crate::results::{
    Machine, PartFolder, PartRecord, Results, RunRecord, Warning, common_warnings, total_seconds,
};
use crate::run::done::Done;
use crate::run::error::RunError;
use crate::run::evaluate::with_parquet;
use crate::run::tables::Sheets;

/// Joins the parts of an evaluation, given in any order, and writes the results of the whole to `out`.
///
/// # Errors
/// Parts that are not those of one evaluation, are not all there, or cannot be read; results that cannot be written.
pub fn merge(parts: &[PathBuf], out: &Path, overwrite: bool, command: Vec<String>) -> Result<Done, RunError> {
    let mut parts = parts.iter().map(|path| PartFolder::read(path)).collect::<Result<Vec<_>, _>>()?;
    let mut warnings = PartFolder::align(&mut parts)?;
    let mut results = Results::create(out, overwrite)?;
    let key = parts[0].journal.run_key().clone();
    if key.queries.as_deref() == Some("parquet") {
        with_parquet(&mut results)?;
    }
    warnings.extend(common_warnings(&parts));
    for (number, protocol) in key.protocols.iter().enumerate() {
        if let Some(file) = &protocol.draw_file {
            results.write_file(file, &draw(&parts[0], file, protocol.draw_sha256.as_deref())?)?;
        }
        let mut sheets = Sheets::begin(&mut results, protocol)?;
        for part in &parts {
            part.journal.replay(number, |chunk| sheets.take(&chunk))?;
        }
        warnings.extend(sheets.finish(&mut results)?);
    }
    warnings.extend(results.warnings());
    warnings.sort();
    warnings.dedup();
    let rows = results.commit(record(&parts, warnings.clone(), command))?;
    Ok(Done { rows, warnings, folder: out.to_path_buf(), kept: None, part: None, finished_before: false })
}

/// The bytes of the draw that a part holds, which must be those that all parts were evaluated on.
fn draw(part: &PartFolder, file: &str, hash: Option<&str>) -> Result<Vec<u8>, RunError> {
    let path = part.path.join(file);
    let origin = path.display().to_string();
    let bytes = std::fs::read(&path).map_err(|source| DrawError::Unreadable { origin, source })?;
    let found = draw_sha256(&bytes);
    match hash.filter(|hash| **hash != found) {
        None => Ok(bytes),
        Some(hash) => Err(RunError::OtherDraw { path, found, expected: hash.to_string() }),
    }
}

/// What was run, by the parts' own records.
fn record(parts: &[PartFolder], warnings: Vec<Warning>, command: Vec<String>) -> RunRecord {
    let first = &parts[0].run;
    RunRecord {
        kshot: env!("CARGO_PKG_VERSION").to_string(),
        command,
        folder: first.folder.clone(),
        request: first.request.clone(),
        in_memory: first.in_memory.clone(),
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
        files: BTreeMap::new(),
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
