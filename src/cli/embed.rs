//! `kshot embed`: a dataset through a network into a feature store.

use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::flags::InputFlags;
use super::long_run::shard;
use super::progress::Terminal;
use super::{Outcome, say, tell};
use crate::data::{FOLDER_FILES, Precision};
use crate::results::Shard;
use crate::run::embed::whole::PART_FILES;
use crate::run::embed::{How, Written};
use crate::run::{features, files};

const EXAMPLES: &str = "Examples:
  kshot embed clinc150 --data data --backbone bert --weights all-MiniLM-L6-v2 --out features/clinc150
  kshot embed texts:mine.csv --backbone bert --weights all-MiniLM-L6-v2 --out features/mine
  kshot embed banking77 --backbone bert --weights all-MiniLM-L6-v2 --template '{}' --template 'a customer asks about {}' \\
    --out features/banking77
  kshot embed folder:photos --backbone conv4:weights=mine.safetensors --shard 3/8 --out features/part-3";

/// Turn a dataset into a feature store with a network.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Dataset by name (see `kshot list datasets`), texts:FILE, or its path.
    dataset: String,
    #[command(flatten)]
    pub(super) inputs: InputFlags,
    /// Folder of the new feature store.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How features are stored.
    #[arg(long, value_name = "TYPE", value_enum, default_value = "f16")]
    dtype: Dtype,
    /// Embed only this part of the images, such as 3/8, into a folder of its own; `kshot merge` joins the parts.
    #[arg(long, value_name = "PART/PARTS", value_parser = shard)]
    shard: Option<Shard>,
    /// Leave out images that cannot be read, with a warning that counts them, instead of refusing the dataset.
    #[arg(long)]
    skip_broken: bool,
    /// Replace the feature store that --out holds.
    #[arg(long)]
    overwrite: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Dtype {
    F16,
    F32,
}

pub(super) fn run(arguments: &Arguments) -> Result<Outcome, CliError> {
    let Arguments { dataset, inputs, out, dtype, shard, skip_broken, overwrite } = arguments;
    files::check_free(out, &FOLDER_FILES, *overwrite)?;
    files::check_free(out, &PART_FILES, *overwrite)?;
    let device = inputs.device.chosen()?;
    let plan = features::only_network(&inputs.inputs())?.plan(dataset)?;
    files::make_folder(out)?;
    let precision = match dtype {
        Dtype::F16 => Precision::F16,
        Dtype::F32 => Precision::F32,
    };
    let watch = Terminal::heeding_signals();
    let how = How { precision, device, shard: *shard, skip_broken: *skip_broken, watch: &watch };
    let Written { items, dim, cut, warnings } = plan
        .write(out, &how)
        .map_err(|error| CliError::of_run(error, "give the same command again: it goes on where it was"))?;
    warnings.iter().for_each(|warning| tell(&format!("warning: {warning}")));
    if cut > 0 {
        let were = if cut == 1 { "was" } else { "were" };
        tell(&format!("warning: {cut} of {items} items {were} longer than the network reads, and cut"));
    }
    let part = shard.map_or(String::new(), |shard| format!("part {shard}, "));
    say(&format!("{}: {part}{items} items of {dim} numbers\n", out.display()))?;
    Ok(Outcome::Done)
}
