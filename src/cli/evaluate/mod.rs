//! `kshot evaluate`: protocols, features and learners in, result files out.

mod admission;
mod fitness;
mod record;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use super::error::CliError;
use super::network::Network;
use super::source::{self, Rules, Stores};
use super::{Outcome, check, say};
use crate::data::Fingerprint;
use crate::learner::{Registry, Roster};
use crate::report::{LearnerRecord, Machine, Overview, Results, RunRecord, Warning};
use crate::tensor::Cpu;
use crate::vocab::Metric;
use admission::{admitted, asked_learners, shots};
use tables::{Run, Work};

const EXAMPLES: &str = "Examples:
  kshot evaluate quickstart
  kshot evaluate any-5way-1shot any-5way-5shot --features features/ --out results/mine
  kshot evaluate any-5way-5shot --features f.npz --learner ridge --learner k-nn:k=3,distance=cosine
  kshot evaluate any-intents-10shot --features banking77 --data data --backbone bert --weights all-MiniLM-L6-v2";

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
    /// Draw to use instead of the protocol's own; with one protocol only.
    #[arg(long, value_name = "FILE")]
    draw: Option<String>,
    /// Learner, `name` or `name:key=value,key=value`; repeat for several. Default: all that the protocols admit.
    #[arg(long = "learner", value_name = "SPEC")]
    learners: Vec<String>,
    /// Workers, each on a core of its own. Default: all cores. Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = source::whole(1, 1024))]
    workers: Option<usize>,
    /// Episodes that are computed together. Default: as many as fit a core's cache. Results do not depend on it.
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
    #[command(flatten)]
    network: Network,
    /// Folder that keeps the features that --backbone makes. Default: `kshot` in XDG_CACHE_HOME or ~/.cache.
    #[arg(long, value_name = "DIR", requires = "backbone")]
    cache: Option<PathBuf>,
    /// Features of more bytes than this stay in their file, such as 8G. Default: 768M.
    #[arg(long, value_name = "SIZE", value_parser = source::bytes)]
    memory: Option<u64>,
}

/// How single queries are written.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Queries {
    Csv,
    Parquet,
}

pub(super) fn run<R: Roster>(arguments: &Arguments) -> Result<Outcome, CliError> {
    let started = Instant::now();
    let registry = Registry::<Cpu>::of::<R>();
    let asked = asked_learners(&registry, &arguments.learners)?;
    let all = source::all_rules(&arguments.protocols)?;
    if arguments.draw.is_some() && all.len() > 1 {
        return Err(CliError::Request(format!("--draw goes with one protocol, {} are given", all.len())));
    }
    for rules in &all {
        admitted(&registry, &rules.protocol, &asked)?;
    }
    let out = arguments.out.clone().unwrap_or_else(|| new_folder(&all));
    let mut results = Results::create(&out, arguments.overwrite)?;
    if arguments.queries == Some(Queries::Parquet) {
        #[cfg(feature = "parquet")]
        results.with_parquet();
        #[cfg(not(feature = "parquet"))]
        return Err(CliError::Request(
            "this build cannot write parquet\nhint: build with --features parquet, or give --queries"
                .to_string(),
        ));
    }

    let mut stores = Stores::new(arguments.features.clone(), arguments.memory);
    if arguments.network.backbone.is_some() {
        stores.made_by(arguments.network.clone(), arguments.cache.clone());
    }
    let mut warnings = BTreeSet::new();
    let mut runs = Vec::with_capacity(all.len());
    for rules in all {
        let store = stores.of(&rules.protocol)?;
        let dealer = source::draw(&rules, arguments.draw.as_deref(), &store)?;
        warnings.extend(fitness::checked(&rules.protocol, &dealer, &store, arguments.near)?);
        warnings.extend(fitness::of_store(&store));
        let learners = admitted(&registry, &rules.protocol, &asked)?;
        let shots = shots(&rules.protocol);
        runs.push(Run { rules, store, dealer, learners, shots });
    }
    let mut fingerprints: BTreeMap<String, Fingerprint> = BTreeMap::new();
    for run in &runs {
        fingerprints.entry(run.store.name().to_string()).or_insert_with(|| Fingerprint::start(&run.store));
    }
    let mut seconds = BTreeMap::from([("reading and checking".to_string(), started.elapsed().as_secs_f64())]);

    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = arguments.workers.unwrap_or(cores);
    let work = Work { workers, batch: arguments.batch, queries: arguments.queries.is_some() };
    let several = runs.len() > 1;
    for run in &runs {
        let clock = Instant::now();
        if let Some(text) = &run.dealer.fresh {
            let name = run.rules.protocol.name();
            let file = if several { format!("draw-{name}.csv") } else { "draw.csv".to_string() };
            results.write_file(&file, text.as_bytes())?;
        }
        warnings.extend(tables::fill::<R>(run, &work, &mut results)?);
        seconds.insert(run.rules.protocol.name().to_string(), clock.elapsed().as_secs_f64());
    }

    let hashes = fingerprints
        .into_iter()
        .map(|(name, fingerprint)| Ok((name, fingerprint.wait()?)))
        .collect::<Result<BTreeMap<String, String>, CliError>>()?;
    warnings.extend(results.warnings());
    seconds.insert("total".to_string(), started.elapsed().as_secs_f64());
    let learners: BTreeMap<String, LearnerRecord> = runs
        .iter()
        .flat_map(|run| &run.learners)
        .map(|parameters| (format!("{}:{parameters}", parameters.learner()), record::learner(parameters)))
        .collect();
    let rows = results.commit(RunRecord {
        kshot: env!("CARGO_PKG_VERSION").to_string(),
        command: std::env::args().collect(),
        protocols: runs.iter().map(|run| record::protocol(run, &hashes)).collect(),
        learners: learners.into_values().collect(),
        seed_train: None,
        device: "cpu".to_string(),
        workers,
        batch: arguments.batch,
        seconds,
        warnings: warnings.iter().cloned().collect(),
        machine: Machine::here(),
        files: Vec::new(),
    })?;
    for warning in warnings.iter().filter(|w| !matches!(w, Warning::SamplerInterval { .. })) {
        eprintln!("warning: {warning}");
    }
    let mut text = Overview::of(&rows, "accuracy").text();
    for metric in [Metric::Auroc, Metric::AccuracyAt95, Metric::OutsideRecall].map(Metric::word) {
        if rows.iter().any(|row| row.measured.metric == metric) {
            text += &format!("\n{}", Overview::of(&rows, metric).text());
        }
    }
    say(&format!("{text}\nresults: {}\n", out.display()))?;
    Ok(Outcome::Done)
}

/// A folder below `results` that does not exist yet.
fn new_folder(rules: &[Rules]) -> PathBuf {
    let names: Vec<&str> = rules.iter().map(|r| r.protocol.name()).take(3).collect();
    let first = PathBuf::from("results").join(names.join("+"));
    let later = (2..).map(|n| first.with_file_name(format!("{}-{n}", names.join("+"))));
    std::iter::once(first.clone()).chain(later).find(|path| !path.exists()).unwrap_or(first)
}
