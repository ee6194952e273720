//! `kshot evaluate`: protocols, features and learners in, result files out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use super::error::CliError;
use super::selection::{Contender, Selections};
use super::source::{self, Dealer, Rules, Stores};
use super::tables::{self, Run, Work};
use super::{Outcome, check, say};
use crate::data::{Fingerprint, Store, StoreWarning};
use crate::episode::{Finding, Severity};
use crate::eval;
use crate::learner::{Learner, Parameters, Registry, Roster};
use crate::protocol::{Protocol, Shot};
use crate::report::{LearnerRecord, Machine, Overview, ProtocolRecord, Results, RunRecord, Warning};
use crate::tensor::Cpu;

const EXAMPLES: &str = "Examples:
  kshot evaluate quickstart
  kshot evaluate any-5way-1shot any-5way-5shot --features features/ --out results/mine
  kshot evaluate any-5way-5shot --features f.npz --learner ridge --learner k-nn:k=3,distance=cosine
  kshot evaluate any-5way-5shot --features f.npz --selected selected/any-5way-5shot/selected.toml";

/// Evaluate learners on the same episodes and write result files.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Protocol files, or names of shipped protocols (see `kshot list protocols`).
    #[arg(required = true, value_name = "PROTOCOL")]
    protocols: Vec<String>,
    /// Feature store (folder, .npz, .safetensors, .csv, .parquet) or embedded dataset; default: the protocol's dataset.
    #[arg(long, value_name = "PATH")]
    features: Option<String>,
    /// Draw to use instead of the protocol's own; with one protocol only.
    #[arg(long, value_name = "FILE")]
    draw: Option<String>,
    /// Learner, `name` or `name:key=value,key=value`; repeat for several. Default: all that the protocols admit.
    #[arg(long = "learner", value_name = "SPEC")]
    learners: Vec<String>,
    /// Parameters that `kshot select` chose for the protocol; repeat for several protocols. With --learner these are
    /// evaluated beside the selected ones, without it the selected ones alone.
    #[arg(long, value_name = "FILE")]
    selected: Vec<PathBuf>,
    /// Use --selected even for another protocol, other sizes of episodes or other features than it was made for.
    #[arg(long, requires = "selected")]
    selected_elsewhere: bool,
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
    let selections = Selections::read(&arguments.selected)?;
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
    let mut warnings = BTreeSet::new();
    let mut runs = Vec::with_capacity(all.len());
    let mut selected_on: BTreeMap<String, String> = BTreeMap::new();
    for rules in all {
        let store = stores.of(&rules.protocol)?;
        let dealer = source::draw(&rules, arguments.draw.as_deref(), &store)?;
        warnings.extend(checked(&rules.protocol, &dealer, &store, arguments.near)?);
        warnings.extend(zero_rows(&store));
        let learners = match selections.is_empty() {
            true => admitted(&registry, &rules.protocol, &asked)?.into_iter().map(Contender::plain).collect(),
            false => {
                let name = store.name().to_string();
                if !selected_on.contains_key(&name) {
                    selected_on.insert(name.clone(), Fingerprint::start(&store).wait()?);
                }
                let elsewhere = arguments.selected_elsewhere;
                let (selected, more) =
                    selections.of(&registry, &rules.protocol, &selected_on[&name], elsewhere)?;
                warnings.extend(more);
                beside(&registry, &rules.protocol, selected, &asked)?
            }
        };
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
    let several = runs.len() > 1;
    let queries = arguments.queries.is_some();
    let work = Work { workers, batch: arguments.batch, queries, several };
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
    let learners: BTreeMap<_, LearnerRecord> = runs
        .iter()
        .flat_map(|run| &run.learners)
        .map(|contender| {
            let record = record(contender);
            ((record.name.clone(), record.parameters.clone()), record)
        })
        .collect();
    let rows = results.commit(RunRecord {
        kshot: env!("CARGO_PKG_VERSION").to_string(),
        command: std::env::args().collect(),
        protocols: runs.iter().map(|run| protocol_record(run, &hashes)).collect(),
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
    say(&format!("{}\nresults: {}\n", Overview::of(&rows, "accuracy").text(), out.display()))?;
    Ok(Outcome::Done)
}

/// The learners that were asked for, checked; none where all are meant.
fn asked_learners(registry: &Registry<Cpu>, specs: &[String]) -> Result<Vec<Parameters>, CliError> {
    let mut asked: Vec<Parameters> = Vec::new();
    for spec in specs {
        let parameters = registry.check(spec)?;
        if asked.contains(&parameters) {
            return Err(CliError::Request(format!(
                "learner `{spec}` is given twice with the same parameters, a result holds each once"
            )));
        }
        asked.push(parameters);
    }
    Ok(asked)
}

/// The learners of a run under a protocol: those that were asked for, all of which it must admit, or all that it admits.
pub(super) fn admitted(
    registry: &Registry<Cpu>,
    protocol: &Protocol,
    asked: &[Parameters],
) -> Result<Vec<Parameters>, CliError> {
    let shots = shots(protocol);
    let admit =
        |parameters: &Parameters, learner: &Learner<Cpu>| eval::admit(protocol, parameters, learner, &shots);
    if !asked.is_empty() {
        for parameters in asked {
            admit(parameters, &registry.build(parameters)?)?;
        }
        return Ok(asked.to_vec());
    }
    let mut learners = Vec::new();
    for entry in registry.entries() {
        let parameters = entry.check(&BTreeMap::new())?;
        if admit(&parameters, &registry.build(&parameters)?).is_ok() {
            learners.push(parameters);
        }
    }
    if learners.is_empty() {
        let admits: Vec<&str> = protocol.admits().iter().map(|setting| setting.word()).collect();
        return Err(CliError::Request(format!(
            "protocol `{}` admits {} learners, and none of them is known\nhint: see `kshot list learners`",
            protocol.name(),
            admits.join(" and ")
        )));
    }
    Ok(learners)
}

/// The shots at which each episode is evaluated.
pub(super) fn shots(protocol: &Protocol) -> Vec<Option<usize>> {
    match protocol.shot() {
        Shot::Nested(shots) => shots.iter().map(|shot| Some(*shot as usize)).collect(),
        Shot::Between { .. } | Shot::MetaDataset => vec![None],
    }
}

/// A folder below `results` that does not exist yet.
fn new_folder(rules: &[Rules]) -> PathBuf {
    let names: Vec<&str> = rules.iter().map(|r| r.protocol.name()).take(3).collect();
    let first = PathBuf::from("results").join(names.join("+"));
    let later = (2..).map(|n| first.with_file_name(format!("{}-{n}", names.join("+"))));
    std::iter::once(first.clone()).chain(later).find(|path| !path.exists()).unwrap_or(first)
}

/// Refuses a draw that does not fit; what may pass comes back as warnings.
fn checked(
    protocol: &Protocol,
    dealer: &Dealer,
    store: &Store,
    near: Option<f32>,
) -> Result<Vec<Warning>, CliError> {
    let mut warnings = Vec::new();
    for (severity, finding) in dealer.findings(protocol, store) {
        let draw = dealer.name(protocol);
        match (severity, &finding) {
            (Severity::Refused, _) => return Err(CliError::Finding { draw, finding }),
            (Severity::Warning, Finding::Duplicate { .. }) => {
                let (episodes, of) = (finding.count() as u64, dealer.draw.len() as u64);
                warnings.push(Warning::Duplicates { draw, episodes, of });
            }
            (Severity::Warning, _) => {
                warnings.push(Warning::OtherDraw { draw, finding: finding.to_string() });
            }
        }
    }
    if let Some(threshold) = near {
        let sentences = check::near_duplicates(protocol, &dealer.draw, store, threshold)?;
        if let Some(sentence) = sentences.into_iter().next() {
            return Err(CliError::NearDuplicate(sentence));
        }
    }
    Ok(warnings)
}

fn zero_rows(store: &Store) -> Option<Warning> {
    store.warnings().iter().find_map(|warning| match warning {
        StoreWarning::ZeroRows { count } => {
            Some(Warning::ZeroRows { features: store.name().to_string(), rows: *count as u64 })
        }
        StoreWarning::IdenticalRows { .. } => None,
    })
}

fn record(contender: &Contender) -> LearnerRecord {
    LearnerRecord {
        name: contender.parameters.learner().to_string(),
        parameters: contender.pairs(),
        selection: contender.selection,
    }
}

/// The selected learners of a run under a protocol, all of which it must admit, and those that were asked for beside them. What
/// is the same as a selected one is not evaluated twice.
fn beside(
    registry: &Registry<Cpu>,
    protocol: &Protocol,
    selected: Vec<Contender>,
    asked: &[Parameters],
) -> Result<Vec<Contender>, CliError> {
    let plain: Vec<Parameters> = selected.iter().map(|contender| contender.parameters.clone()).collect();
    admitted(registry, protocol, &plain)?;
    let mut all = selected;
    for contender in asked.iter().cloned().map(Contender::plain) {
        let twin = |known: &Contender| known.same_learner(&contender) && known.pairs() == contender.pairs();
        if !all.iter().any(twin) {
            all.push(contender);
        }
    }
    Ok(all)
}

fn protocol_record(run: &Run, hashes: &BTreeMap<String, String>) -> ProtocolRecord {
    let (protocol, store) = (&run.rules.protocol, &run.store);
    ProtocolRecord {
        name: protocol.name().to_string(),
        version: protocol.version(),
        sha256: run.rules.sha256.clone(),
        seed: protocol.seed(),
        draw: run.dealer.file.clone(),
        draw_sha256: run.dealer.sha256.clone(),
        features: store.path().map_or_else(|| store.name().to_string(), |path| path.display().to_string()),
        features_sha256: hashes.get(store.name()).cloned().unwrap_or_default(),
    }
}
