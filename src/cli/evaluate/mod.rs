//! `kshot evaluate`: protocols, features and learners in, result files out.

mod admission;
mod answering;
mod filling;
mod fingerprints;
mod fitness;
mod long;
mod record;
mod stacking;
mod terms;
mod thresholds;
mod until;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use super::device::DeviceFlag;
use super::error::CliError;
use super::network::Network;
use super::selection::{Contender, Selections, StoreHashes};
use super::source::{self, Rules, Stores};
use super::{Outcome, check, say};
use crate::eval::{self, Choices, Gammas};
use crate::learner::{Learners, Registry};
use crate::report::{
    LearnerRecord, Machine, Overview, Results, RunRecord, Selection, SummaryRow, Warning, was_killed,
};
use crate::tensor::Cpu;
use crate::vocab::Metric;
pub(super) use admission::{admitted, fitting, shots};
use admission::{asked_learners, beside, suits};
use answering::{Place, Run, Work};
use fingerprints::Fingerprints;
use long::LongRun;
pub(super) use terms::short_spec;

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
    /// Feature store (folder, .npz, .safetensors, .csv, .parquet) or embedded dataset; with
    /// --backbone a dataset to be embedded. Default: the protocol's dataset.
    #[arg(long, value_name = "PATH")]
    features: Option<String>,
    /// Class embeddings in place of those of the features: a .csv with a column `class` and a number per class in each other.
    #[arg(long, value_name = "FILE", alias = "class-vectors")]
    class_embeddings: Option<PathBuf>,
    /// Draw to use instead of the protocol's own; with one protocol only.
    #[arg(long, value_name = "FILE")]
    draw: Option<String>,
    /// Learner, `name` or `name:key=value,key=value`; repeat for several. Default: all that the protocols admit.
    #[arg(long = "learner", value_name = "SPEC")]
    learners: Vec<String>,
    #[command(flatten)]
    pub(super) device: DeviceFlag,
    /// Workers, each on a core of its own. Default: all cores, and 2 on a GPU. Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = source::whole(1, 1024))]
    workers: Option<usize>,
    /// Episodes that are computed together. Default: as many as fit a core's cache, or a part of a GPU's free memory.
    /// Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = source::whole(1, 100_000))]
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
    /// Also refuse near-duplicates: pairs of support and query, or of base and novel, with a cosine of at least this.
    #[arg(long, value_name = "COSINE", value_parser = check::cosine)]
    near: Option<f32>,
    /// Parameters that `kshot select` chose for the protocol; repeat for several protocols. With --learner those are
    /// evaluated beside the selected ones, without it the selected ones alone.
    #[arg(long, value_name = "FILE")]
    selected: Vec<PathBuf>,
    /// Use --selected even for another protocol, other sizes of episodes or other features than it was made for.
    #[arg(long, requires = "selected")]
    selected_elsewhere: bool,
    #[command(flatten)]
    network: Network,
    /// Folder that keeps the features that --backbone makes. Default: `kshot` in XDG_CACHE_HOME or ~/.cache.
    #[arg(long, value_name = "DIR", requires = "backbone")]
    cache: Option<PathBuf>,
    /// Features of more bytes than this stay in their file, such as 8G. Default: 768M.
    #[arg(long, value_name = "SIZE", value_parser = source::bytes)]
    memory: Option<u64>,
    #[command(flatten)]
    long: LongRun,
}

/// How single queries are written.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Queries {
    Csv,
    Parquet,
}

pub(super) fn run(known: &Learners, arguments: &Arguments) -> Result<Outcome, CliError> {
    let started = Instant::now();
    let registry = known.cpu();
    let asked = asked_learners(registry, &arguments.learners)?;
    let selections = Selections::read(&arguments.selected)?;
    let all = source::all_rules(&arguments.protocols)?;
    if arguments.draw.is_some() && all.len() > 1 {
        return Err(CliError::Request(format!("--draw goes with one protocol, {} are given", all.len())));
    }
    let long = &arguments.long;
    for rules in &all {
        admitted(registry, &rules.protocol, &asked)?;
        if long.until.is_some() {
            until::bounds(&rules.protocol)?;
        }
    }
    let device = arguments.device.chosen()?;
    let workers = arguments.workers.unwrap_or(device.workers());
    let work = Work { device, workers, batch: arguments.batch, queries: arguments.queries.is_some() };
    let out = arguments.out.clone().unwrap_or_else(|| new_folder(&all));
    if arguments.out.is_none() {
        for earlier in folders(&all).take_while(|earlier| *earlier != out).filter(|path| was_killed(path)) {
            let earlier = earlier.display();
            eprintln!(
                "note: {earlier} holds a run that was ended before its time; --out {earlier} --resume goes on with it"
            );
        }
    }
    let left_over = long.left_over(arguments.overwrite);
    let mut results = Results::with_left_over(&out, arguments.overwrite, left_over)?;
    if arguments.queries == Some(Queries::Parquet) {
        with_parquet(&mut results)?;
    }

    let mut stores =
        Stores::new(arguments.features.clone(), arguments.memory).in_folder(arguments.network.data());
    if arguments.network.backbone.is_some() {
        stores.made_by(arguments.network.clone(), arguments.cache.clone(), device);
    }
    let mut notes = BTreeSet::new();
    let mut runs = Vec::with_capacity(all.len());
    let mut hashes = StoreHashes::default();
    for rules in all {
        let mut store = stores.of(&rules.protocol)?;
        if let Some(path) = &arguments.class_embeddings {
            store = store.with_class_embeddings(path)?;
        }
        let dealer = match &long.until {
            Some(_) => source::fresh_of(&rules.protocol, &store, until::bounds(&rules.protocol)?.0)?,
            None => source::draw(&rules, arguments.draw.as_deref(), &store)?,
        };
        notes.extend(fitness::checked(&rules.protocol, &dealer, &store, arguments.near)?);
        notes.extend(fitness::of_store(&store));
        let mut learners = match selections.is_empty() {
            true => {
                let all = admitted(registry, &rules.protocol, &asked)?;
                let (kept, left_out) = match asked.is_empty() {
                    true => fitting(registry, &rules.protocol, &store, all)?,
                    false => (all, Vec::new()),
                };
                notes.extend(left_out);
                kept.into_iter().map(Contender::plain).collect()
            }
            false => {
                let (protocol, elsewhere) = (&rules.protocol, arguments.selected_elsewhere);
                let hash = hashes.of(&store)?;
                let (selected, more) = selections.of(registry, protocol, &hash, elsewhere)?;
                notes.extend(more);
                beside(registry, protocol, selected, &asked)?
            }
        };
        for learner in &learners {
            suits(registry, &rules.protocol, &store, &learner.parameters)?;
        }
        learners.sort_by_key(|learner| (learner.parameters.learner().to_string(), learner.pairs()));
        let shots = shots(&rules.protocol);
        let tables = tables(registry, &learners, &shots)?;
        let (thresholds, gammas) = (BTreeMap::new(), Gammas::new());
        let choices = Choices::new();
        let mut run = Run { rules, store, dealer, learners, shots, tables, thresholds, gammas, choices };
        notes.extend(stacking::choose(known, &mut run, &work)?);
        runs.push(run);
    }
    let mut fingerprints = Fingerprints::start(&runs);
    let queries = arguments.queries.map(|queries| match queries {
        Queries::Csv => "csv",
        Queries::Parquet => "parquet",
    });
    let until = long.until.as_ref().map(|until| until.points.clone());
    let terms = terms::of(&runs, registry, &terms::Asked { device, shard: long.shard, until, queries })?;
    fingerprints.check_left(&results, &terms)?;
    let mut journal = results.journal(&terms)?;
    let resumed = Some(journal.all_episodes()).filter(|episodes| *episodes > 0);
    if resumed.is_some() && journal.terms().cpu_features != terms.cpu_features {
        let (one, other) = ("the killed run".to_string(), "the one that went on with it".to_string());
        notes.insert(Warning::OtherProcessor { one, other });
    }
    let mut seconds = BTreeMap::from([("reading and checking".to_string(), started.elapsed().as_secs_f64())]);

    for (number, run) in runs.iter_mut().enumerate() {
        let clock = Instant::now();
        run.thresholds = thresholds::of(known, run, &work)?;
        let filled = match &long.until {
            Some(until) => {
                let book = (&mut journal, &mut fingerprints);
                filling::sequential(known, run, number, until, arguments.near, &work, book, &mut results)
            }
            None => {
                filling::fixed(known, run, number, &work, (&mut journal, &mut fingerprints), &mut results)
            }
        };
        if let Err(error) = &filled
            && error.is_disk()
        {
            results.keep_journal();
        }
        notes.extend(filled?);
        seconds.insert(run.rules.protocol.name().to_string(), clock.elapsed().as_secs_f64());
    }

    for run in &runs {
        let protocol = &run.rules.protocol;
        notes.extend(run.learners.iter().filter_map(|c| c.kept(protocol, &run.dealer.draw, &run.shots)));
        if run.learners.iter().any(|contender| contender.selection == Selection::Oracle) {
            notes.insert(Warning::Oracle { protocol: protocol.name().to_string() });
        }
    }
    let hashes = fingerprints.all(&mut journal, &results)?;
    // All that is left to do is writing: should it fail, nothing needs to be computed again.
    results.keep_journal();
    notes.extend(results.warnings());
    seconds.insert("total".to_string(), started.elapsed().as_secs_f64());
    let mut learners: BTreeMap<String, LearnerRecord> = BTreeMap::new();
    for (run, place) in runs.iter().flat_map(|run| (0..run.learners.len()).map(move |place| (run, place))) {
        let record = record::learner(&run.learners[place]);
        let known = learners.entry(format!("{}:{:?}", record.name, record.parameters)).or_insert(record);
        known.chosen.extend(record::chosen(run, place));
    }
    let record = RunRecord {
        kshot: env!("CARGO_PKG_VERSION").to_string(),
        command: std::env::args().collect(),
        protocols: runs.iter().map(|run| record::protocol(run, &hashes)).collect(),
        learners: learners.into_values().collect(),
        seed_train: seed_train(&runs),
        device: device.name().to_string(),
        workers,
        batch: arguments.batch,
        seconds,
        warnings: notes.iter().cloned().collect(),
        part: long.shard,
        until: terms.until.clone(),
        resumed,
        parts: Vec::new(),
        machine: Machine::here(),
        files: Vec::new(),
    };
    for warning in notes.iter().filter(|w| !matches!(w, Warning::SamplerInterval { .. })) {
        eprintln!("warning: {warning}");
    }
    match long.shard {
        Some(shard) => {
            results.commit_part(journal, record)?;
            say(&format!("part {shard}: {}\n", out.display()))?;
        }
        None => {
            let rows = results.commit(record)?;
            say(&format!("{}\nresults: {}\n", overviews(&rows), out.display()))?;
        }
    }
    Ok(Outcome::Done)
}

/// The seed of the training of all networks of a run, where there is one.
fn seed_train(runs: &[Run]) -> Option<u64> {
    let mut seeds = runs.iter().map(|run| run.store.provenance().seed_train);
    let first = seeds.next()??;
    seeds.all(|seed| seed == Some(first)).then_some(first)
}

#[cfg(feature = "parquet")]
pub(super) fn with_parquet(results: &mut Results) -> Result<(), CliError> {
    results.with_parquet();
    Ok(())
}

/// Has queries written as parquet too, where the build can do it.
#[cfg(not(feature = "parquet"))]
pub(super) fn with_parquet(_: &mut Results) -> Result<(), CliError> {
    Err(CliError::Request(
        "this build cannot write parquet\nhint: build with --features parquet, or give --queries".to_string(),
    ))
}

/// The tables that learners fill: every one at the shots in which it takes part.
fn tables(
    registry: &Registry<Cpu>,
    learners: &[Contender],
    shots: &[Option<usize>],
) -> Result<Vec<Place>, CliError> {
    let mut tables = Vec::new();
    for (place, contender) in learners.iter().enumerate() {
        let setting = registry.build(&contender.parameters)?.setting();
        let takes_part = (0..shots.len()).filter(|shot| eval::takes_part(setting, shots, *shot));
        tables.extend(takes_part.map(|shot| Place { learner: place, shot, stacked: false }));
    }
    Ok(tables)
}

/// The tables on the screen: accuracy, and beside it what was asked of queries outside the task.
fn overviews(rows: &[SummaryRow]) -> String {
    let has = |metric: &Metric| rows.iter().any(|row| row.measured.metric == metric.word());
    let with_accuracy: BTreeSet<&str> = rows
        .iter()
        .filter(|row| row.measured.metric == Metric::Accuracy.word())
        .map(|row| row.table.protocol.as_str())
        .collect();
    // Class accuracy heads protocols that ask for no other.
    let headless = |row: &&SummaryRow| {
        row.measured.metric == Metric::ClassAccuracy.word()
            && !with_accuracy.contains(row.table.protocol.as_str())
    };
    let mut tables = Vec::new();
    if has(&Metric::Accuracy) {
        tables.push(Overview::of(rows, Metric::Accuracy.word()));
    }
    let of_classes: Vec<SummaryRow> = rows.iter().filter(headless).cloned().collect();
    if !of_classes.is_empty() {
        tables.push(Overview::of(&of_classes, Metric::ClassAccuracy.word()));
    }
    let others = [
        Metric::Seen,
        Metric::Unseen,
        Metric::Harmonic,
        Metric::Ausuc,
        Metric::Auroc,
        Metric::AccuracyAt95,
        Metric::OutsideRecall,
    ];
    tables.extend(others.iter().filter(|metric| has(metric)).map(|metric| Overview::of(rows, metric.word())));
    let texts: Vec<String> = tables.iter().map(Overview::text).collect();
    texts.join("\n")
}

/// A folder below `results` that does not exist yet.
fn new_folder(rules: &[Rules]) -> PathBuf {
    folders(rules).find(|path| !path.exists()).unwrap_or_default()
}

/// The folders that results of these protocols go to, one after another.
fn folders(rules: &[Rules]) -> impl Iterator<Item = PathBuf> + use<> {
    let names: Vec<&str> = rules.iter().map(|r| r.protocol.name()).take(3).collect();
    let names = names.join("+");
    let first = PathBuf::from("results").join(&names);
    let later = first.clone();
    let later = (2..).map(move |number| later.with_file_name(format!("{names}-{number}")));
    std::iter::once(first).chain(later)
}
