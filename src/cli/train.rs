//! `kshot train`: a backbone from images, by a training config.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use super::device::DeviceFlag;
use super::error::CliError;
use super::progress::Terminal;
use super::{Outcome, say};
use crate::data::{HeldFolder, Store};
use crate::episode::{Draw, Sampler};
use crate::protocol::Protocol;
use crate::run::device::on_device;
use crate::run::embed::{data_folder, images};
use crate::run::watch::Progress;
use crate::run::{RunError, files};
use crate::tensor::TensorError;
use crate::tensor::conv::ConvOps;
use crate::train::{Row, SHIPPED_CONFIGS, Training, TrainingConfig, TrainingInputs, Validation};
use crate::vocab::Split;

/// The files of a training; the weights come last.
const FILES: [&str; 4] = ["train.toml", "checkpoint.safetensors", "train.csv", "weights.safetensors"];

const EXAMPLES: &str = "Examples:
  kshot train conv4-glyphs
  kshot train mine.toml --data data --out trained/mine
  kshot train mine.toml --out trained/mine --resume";

/// Train a backbone on the base classes of a dataset of images.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Training config: a .toml file, or the name of one that ships with kshot (see `kshot list configs`).
    #[arg(value_name = "CONFIG")]
    config: String,
    /// Folder of the training: weights.safetensors, train.csv, checkpoint.safetensors. Default: trained/NAME.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on from the checkpoint in the folder; the end is the same as without a break.
    #[arg(long, conflicts_with = "overwrite")]
    resume: bool,
    /// Replace the training that the folder holds.
    #[arg(long)]
    overwrite: bool,
    /// Folder in which datasets are looked for by name. Default: KSHOT_DATA, else `data`.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    pub(super) device: DeviceFlag,
    /// Seed of first values, batches and augmentation, in place of the config's.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Outcome, CliError> {
    let mut config = config(&arguments.config)?;
    if let Some(seed) = arguments.seed {
        config = config.with_seed(seed);
    }
    let out = arguments.out.clone().unwrap_or_else(|| Path::new("trained").join(&config.name));
    if !arguments.resume {
        files::check_free(&out, &FILES, arguments.overwrite)?;
    }
    let device = arguments.device.chosen()?;
    let data = data_folder(arguments.data.as_deref());
    let store = images::store(&config.dataset, &data)?;
    let data_sha256 = store.data_sha256()?;
    let draw =
        config.validation.as_ref().map(|rules| validation(rules, &store, &arguments.config)).transpose()?;
    let checkpoint = out.join(FILES[1]);
    let task = TrainingInputs {
        config: &config,
        store: &store,
        data_sha256: &data_sha256,
        validation: draw.as_ref(),
    };
    let (resume, from) = (arguments.resume, Some(checkpoint.as_path()).filter(|path| path.exists()));
    on_device!(device, |open, Kind| work::<Kind>(open, task, resume, from, &out))
}

/// Trains on a device, from the beginning or from a checkpoint.
fn work<D: ConvOps>(
    open: impl Fn() -> Result<D, TensorError>,
    task: TrainingInputs<'_>,
    resume: bool,
    from: Option<&Path>,
    out: &Path,
) -> Result<Outcome, CliError> {
    let (device, config) = (open()?, task.config);
    let mut training = match from.filter(|_| resume) {
        Some(checkpoint) => Training::resume(&device, task, checkpoint)?,
        None => Training::new(&device, task)?,
    };
    // Not before it is known that there can be a training.
    let held = files::hold(out)?;
    if !resume {
        files::write_held(&held, &FILES, &[])?;
    }
    go_on(&mut training, config, &held)?;
    let best = training.best().map_or(String::new(), |(step, accuracy)| {
        format!(", best validation {:.2} % at step {step}", 100.0 * accuracy)
    });
    say(&format!("{}: {} steps{best}\n", out.join(FILES[3]).display(), training.step()))?;
    Ok(Outcome::Done)
}

/// Trains to the end; after every line of the report everything is on the disk.
fn go_on<D: ConvOps>(
    training: &mut Training<'_, D>,
    config: &TrainingConfig,
    out: &HeldFolder,
) -> Result<(), CliError> {
    let watch = Terminal::heeding_signals();
    let size = format!("{} steps", config.steps - training.step());
    let (steps, done) = (u64::from(config.steps), u64::from(training.step()));
    let progress = Progress::resume(&watch, &config.name, &size, steps, done);
    let clock = Instant::now();
    let first = training.step();
    while !training.is_done() {
        training.advance(|step| progress.reach(u64::from(step)))?;
        save(training, config, out)?;
        progress.go_on().map_err(|error| CliError::of_run(error, "give the same command with --resume"))?;
        if let Some(row) = training.rows().last() {
            let done = f64::from(row.step - first);
            let left = clock.elapsed().as_secs_f64() / done * f64::from(config.steps - row.step);
            progress.tell(&format!("{}, {left:.0} s left", sentence(row, config)));
        }
    }
    drop(progress);
    // A run that was killed behind its last checkpoint comes here without a step, and its table may lack a line.
    let weights = training.weights().bytes();
    Ok(files::write_held(out, &[], &[(FILES[2], table(training)), (FILES[3], weights)])?)
}

fn sentence(row: &Row, config: &TrainingConfig) -> String {
    let validation = row.validation.map_or(String::new(), |v| format!(", validation {:.2} %", 100.0 * v));
    format!(
        "step {} of {}: loss {:.4}, accuracy {:.2} %{validation}",
        row.step,
        config.steps,
        row.loss,
        100.0 * row.accuracy
    )
}

/// The bytes of train.csv.
fn table<D: ConvOps>(training: &Training<'_, D>) -> Vec<u8> {
    let lines = training.rows().iter().map(Row::line);
    std::iter::once(Row::HEADER.to_string()).chain(lines).collect::<String>().into_bytes()
}

fn save<D: ConvOps>(
    training: &Training<'_, D>,
    config: &TrainingConfig,
    out: &HeldFolder,
) -> Result<(), CliError> {
    let written = [
        (FILES[0], config.text().as_bytes().to_vec()),
        (FILES[1], training.checkpoint()),
        (FILES[2], table(training)),
    ];
    Ok(files::write_held(out, &[], &written)?)
}

/// Reads a training config from a file, or takes the one of that name that ships with kshot.
fn config(named: &str) -> Result<TrainingConfig, RunError> {
    let path = Path::new(named);
    if let Some((name, text)) = SHIPPED_CONFIGS.iter().find(|(name, _)| *name == named && !path.exists()) {
        return Ok(TrainingConfig::parse(text, name)?);
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        let known: Vec<String> = SHIPPED_CONFIGS.iter().map(|(name, _)| format!("`{name}`")).collect();
        RunError::Request(format!(
            "cannot read training config {named}: {error}\nhint: name a .toml file, or one of {}",
            known.join(", ")
        ))
    })?;
    Ok(TrainingConfig::parse(&text, named)?)
}

/// The frozen validation episodes of a training config.
fn validation(rules: &Validation, store: &Store, config: &str) -> Result<Draw, RunError> {
    let Validation { way, shot, query, episodes, seed, .. } = rules;
    let sizes = Protocol::episodes().way(*way).shots(*shot).query(*query).count(*episodes).seed(*seed);
    let protocol = sizes.name("validation").split(Split::Validation).build()?;
    let refused = |source| RunError::Validation { config: config.to_string(), source };
    let sampler = Sampler::new(&protocol, store.index()).map_err(refused)?;
    sampler.episodes(0..*episodes).map_err(refused)
}
