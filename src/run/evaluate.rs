//! An evaluation from the request to its files.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::done::Done;
use super::error::RunError;
use super::execution::Execution;
use super::features::{FeatureSets, Features};
use super::fingerprints::Fingerprints;
use super::plan::Plan;
use super::prepare::Ready;
use super::prepared::{Prepared, Work};
use super::watch::Watch;
use super::{audit, costs, filling, fingerprints, record, run_key, thresholds};
use crate::learner::Learners;
use crate::results::{Journal, Machine, Results, RunRecord, Selection, Warning};
use crate::results::{LeftOver, ReadTable, ResultsFolder, read_record};
use crate::results::{Queries, Request};

/// Evaluates learners on the same episodes and writes the result files.
///
/// `given` are feature sets in memory, beside those that the request names.
///
/// # Errors
/// A wrong request, wrong data, or a computation that failed; then no file appears under its final name.
pub fn evaluate(
    request: &Request,
    given: Vec<Features>,
    execution: &Execution,
    learners: &Learners,
    watch: &dyn Watch,
) -> Result<Done, RunError> {
    let mut clock = Clock::start();
    let plan = Plan::of(request, learners.cpu())?;
    if let Some(done) = finished(request, execution)? {
        return Ok(done);
    }
    let (device, batch, queries) = (execution.device, execution.batch, request.queries.is_some());
    let workers = execution.workers.unwrap_or(device.workers());
    let work = Work { learners, device, workers, batch, queries, watch };
    let (folder, kept) = folder(execution)?;
    let mut results = Results::with_left_over(&folder, execution.overwrite, execution.left_over)?;
    if request.queries == Some(Queries::Parquet) {
        with_parquet(&mut results)?;
    }
    let in_memory = given.iter().map(|features| features.name.clone()).collect();
    let mut sets = FeatureSets::new(&request.inputs, given, device, watch)?;
    let Ready { mut runs, mut warnings, .. } = Ready::of(&plan, &mut sets, &work)?;
    let mut fingerprints = Fingerprints::start(&runs);
    let asked = run_key::Asked {
        device,
        shard: execution.shard,
        until: request.until.clone(),
        queries: request.queries.map(Queries::word),
    };
    let key = run_key::of(&runs, &asked)?;
    fingerprints.check_left(&results, &key)?;
    let mut journal = results.journal(&key)?;
    let resumed = Some(journal.all_episodes()).filter(|episodes| *episodes > 0);
    if resumed.is_some() && journal.run_key().cpu_features != key.cpu_features {
        let (one, other) = ("the killed run".to_string(), "the one that went on with it".to_string());
        warnings.insert(Warning::OtherProcessor { one, other });
    }
    clock.lap("reading and checking");
    let mut book = (&mut journal, &mut fingerprints);
    warnings.extend(fill(&plan, &mut runs, &work, &mut book, &mut results, &mut clock)?);
    warnings.extend(afterwards(&runs));
    fingerprints::unchanged(&runs, &key)?;
    let hashes = fingerprints.all(&mut journal, &results)?;
    // All that is left to do is writing: should it fail, nothing needs to be computed again.
    results.keep_journal();
    warnings.extend(results.warnings());
    let warnings: Vec<Warning> = warnings.into_iter().collect();
    let made = Made { runs: &runs, hashes: &hashes, in_memory, resumed, warnings: &warnings };
    let record = recorded(request, execution, &work, made, clock);
    let rows = match execution.shard {
        Some(_) => {
            results.commit_part(journal, record)?;
            Vec::new()
        }
        None => results.commit(record)?,
    };
    costs::write(&runs, &work, execution, &folder)?;
    Ok(Done { rows, warnings, folder, kept, part: execution.shard, finished_before: false })
}

/// What a run has come to know, for its record.
struct Made<'a> {
    runs: &'a [Prepared],
    hashes: &'a BTreeMap<String, String>,
    in_memory: Vec<String>,
    resumed: Option<u64>,
    warnings: &'a [Warning],
}

/// The record of a run.
fn recorded(
    request: &Request,
    execution: &Execution,
    work: &Work<'_>,
    made: Made<'_>,
    clock: Clock,
) -> RunRecord {
    RunRecord {
        kshot: env!("CARGO_PKG_VERSION").to_string(),
        command: execution.command.clone(),
        folder: std::env::current_dir().map_or(String::new(), |folder| folder.display().to_string()),
        request: request.clone(),
        in_memory: made.in_memory,
        protocols: made.runs.iter().map(|run| record::protocol(run, made.hashes)).collect(),
        learners: record::learners(made.runs),
        seed_train: record::seed_train(made.runs),
        device: work.device.name().to_string(),
        workers: work.workers,
        batch: work.batch,
        seconds: clock.total(),
        warnings: made.warnings.to_vec(),
        part: execution.shard,
        until: request.until.clone(),
        resumed: made.resumed,
        parts: Vec::new(),
        machine: Machine::here(),
        files: BTreeMap::new(),
    }
}

/// The results of this very request, where a run that is to be resumed has ended already.
fn finished(request: &Request, execution: &Execution) -> Result<Option<Done>, RunError> {
    let Some(folder) = execution.out.as_ref().filter(|_| execution.left_over == LeftOver::GoOn) else {
        return Ok(None);
    };
    let Some(record) = read_record(folder).ok().filter(|record| record.in_memory.is_empty()) else {
        return Ok(None);
    };
    let same = serde_json::to_value(request).ok() == serde_json::to_value(&record.request).ok();
    let here = (execution.shard, execution.device.name());
    if !same || (record.part, record.device.as_str()) != here {
        return Ok(None);
    }
    let rows = match record.part {
        Some(_) => Vec::new(),
        None => ResultsFolder::read(folder)?.tables.iter().flat_map(ReadTable::rows).collect(),
    };
    let (folder, part) = (folder.clone(), record.part);
    Ok(Some(Done { rows, warnings: record.warnings, folder, kept: None, part, finished_before: true }))
}

/// The folder of the results, and what keeps it where nobody named one.
fn folder(execution: &Execution) -> Result<(std::path::PathBuf, Option<tempfile::TempDir>), RunError> {
    if let Some(out) = &execution.out {
        return Ok((out.clone(), None));
    }
    let place = std::env::temp_dir();
    let kept = tempfile::tempdir().map_err(|source| RunError::Write { path: place, source })?;
    Ok((kept.path().join("results"), Some(kept)))
}

/// Evaluates every protocol with every feature set, and fills the tables.
fn fill(
    plan: &Plan<'_>,
    runs: &mut [Prepared],
    work: &Work<'_>,
    (journal, fingerprints): &mut (&mut Journal, &mut Fingerprints),
    results: &mut Results,
    clock: &mut Clock,
) -> Result<BTreeSet<Warning>, RunError> {
    let mut warnings = BTreeSet::new();
    let mut number = 0;
    for group in runs.chunk_by_mut(|_, next| !next.first) {
        for run in group.iter_mut() {
            if plan.request.audit {
                audit::audit(run, work)?;
            }
            run.thresholds = thresholds::of(run, work)?;
        }
        let filled = match &plan.until {
            Some(until) => {
                let until = (until, plan.request.near);
                filling::sequential(group, number, until, work, (journal, fingerprints), results)
            }
            None => group.iter_mut().zip(number..).try_fold(Vec::new(), |mut all, (run, number)| {
                all.extend(filling::fixed(run, number, work, (journal, fingerprints), results)?);
                Ok(all)
            }),
        };
        if let Err(error) = &filled
            && (error.is_disk() || matches!(error, RunError::Cancelled) && work.watch.resumes())
        {
            results.keep_journal();
        }
        warnings.extend(filled?);
        number += group.len();
        clock.lap(group[0].rules.protocol.name());
    }
    Ok(warnings)
}

/// What is known of a run once its episodes have been answered.
fn afterwards(runs: &[Prepared]) -> BTreeSet<Warning> {
    let mut warnings = BTreeSet::new();
    for run in runs {
        let protocol = &run.rules.protocol;
        warnings.extend(run.learners.iter().filter_map(|c| c.kept(protocol, &run.dealer.draw, &run.shots)));
        if run.learners.iter().any(|contender| contender.selection == Selection::Oracle) {
            warnings.insert(Warning::Oracle { protocol: protocol.name().to_string() });
        }
    }
    warnings
}

/// What the time is spent on.
struct Clock {
    started: Instant,
    last: Instant,
    seconds: BTreeMap<String, f64>,
}

impl Clock {
    fn start() -> Clock {
        let now = Instant::now();
        Clock { started: now, last: now, seconds: BTreeMap::new() }
    }

    /// What has passed since the last lap was spent on this.
    fn lap(&mut self, what: &str) {
        self.seconds.insert(what.to_string(), self.last.elapsed().as_secs_f64());
        self.last = Instant::now();
    }

    fn total(mut self) -> BTreeMap<String, f64> {
        self.seconds.insert("total".to_string(), self.started.elapsed().as_secs_f64());
        self.seconds
    }
}

/// Has queries written as parquet too.
#[cfg(feature = "parquet")]
pub(super) fn with_parquet(results: &mut Results) -> Result<(), RunError> {
    results.with_parquet();
    Ok(())
}

/// Has queries written as parquet too, where the build can do it.
#[cfg(not(feature = "parquet"))]
pub(super) fn with_parquet(_: &mut Results) -> Result<(), RunError> {
    Err(RunError::Request(
        "this build cannot write parquet\nhint: build with --features parquet, or give --queries".to_string(),
    ))
}
