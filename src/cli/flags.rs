//! Flags that several verbs share, and how their values are read.

use std::path::PathBuf;

use clap::Args;

use super::device::DeviceFlag;
use super::error::CliError;
use crate::protocol::{Overrides, Query, Shot, Way};
use crate::run::{Inputs, Text, overridden, read_protocol, read_selection};
use crate::vocab::SawClasses;

/// Reads a whole number in a range, both ends included.
pub(super) fn whole(low: usize, high: usize) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| (low..=high).contains(number));
        number.ok_or_else(|| format!("must be a whole number from {low} to {high}"))
    }
}

/// Reads a size in bytes: a number with K, M, G or T (powers of 1024), or nothing, behind it.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let power = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 1,
        "M" | "MB" | "MIB" => 2,
        "G" | "GB" | "GIB" => 3,
        "T" | "TB" | "TIB" => 4,
        _ => return Err("must be a number of bytes, such as 512M or 8G".to_string()),
    };
    let number: u64 =
        digits.parse().map_err(|_| "must be a number of bytes, such as 512M or 8G".to_string())?;
    number.checked_mul(1 << (10 * power)).ok_or_else(|| "is too large".to_string())
}

/// Reads a cosine.
pub(super) fn cosine(text: &str) -> Result<f32, String> {
    let value = text.parse::<f32>().ok().filter(|v| *v > 0.0 && *v <= 1.0);
    value.ok_or_else(|| "must be a number above 0 and up to 1".to_string())
}

/// Reads a template.
pub(super) fn template(text: &str) -> Result<String, String> {
    match text.matches("{}").count() {
        1 => Ok(text.to_string()),
        count => Err(format!("must have the place of the words, {{}}, once, found it {count} times")),
    }
}

/// Files with their texts.
pub(super) fn texts(paths: &[PathBuf]) -> Result<Vec<Text>, CliError> {
    paths.iter().map(|path| Ok(read_selection(path)?)).collect()
}

/// Which items are read, and what makes features of them: the same flags on every verb that reads items.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Items and features")]
pub(super) struct InputFlags {
    /// Features (folder, .npz, .npy with --labels, .safetensors, .csv, .tsv, .parquet, .feather), or a dataset; repeat for several feature
    /// sets of the same items. `NAME=PATH` names one. Default: the protocol's dataset.
    #[arg(long, value_name = "[NAME=]PATH")]
    features: Vec<String>,
    /// The class of every row, for features that do not say it, such as a .npy: .npy or .txt of classes, .csv or .parquet
    /// with a column `class` and optionally `part`, `group`, `id` and `split`. All features of a run share it.
    #[arg(long, value_name = "FILE", requires = "features")]
    labels: Option<PathBuf>,
    /// The columns of a table (.csv, .tsv, .parquet) that are features: names or patterns with `*`, separated by commas, such
    /// as 'f*'. Default: the columns of one numbered prefix, else all numbers but those whose names say that they are none.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', requires = "features")]
    feature_columns: Vec<String>,
    /// Network that makes features of a dataset, such as `conv4:weights=conv4-glyphs`, or `pixels`; repeat for several.
    /// See `kshot list backbones`.
    #[arg(long = "backbone", value_name = "[NAME=]SPEC")]
    backbones: Vec<String>,
    /// Weights of the one --backbone: a file as `kshot train` writes it, the name of weights that ship with kshot,
    /// `random:SEED` for an untrained network, or for `bert` a folder as the sentence-transformers library saves it.
    #[arg(long, value_name = "PATH", requires = "backbones")]
    weights: Option<PathBuf>,
    /// Folder in which datasets are looked for by name. Default: KSHOT_DATA, else `data`.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Class embeddings in place of those of the features: a .csv or .tsv with a column `class` and a number per class in
    /// the others.
    #[arg(long, value_name = "FILE", alias = "class-vectors")]
    class_embeddings: Option<PathBuf>,
    /// Text around the words of a class, at `{}`, for class embeddings; repeat for several, which are averaged.
    #[arg(long = "template", value_name = "TEXT", requires = "backbones", value_parser = template)]
    templates: Vec<String>,
    /// Descriptions of classes for class embeddings, a .csv of class and description. Default: the names of the classes.
    #[arg(long, value_name = "FILE", requires = "backbones")]
    descriptions: Option<PathBuf>,
    /// What the network was trained on, for the record.
    #[arg(long, value_name = "TEXT", requires = "backbones")]
    trained_on: Option<String>,
    /// Overlap of its pre-training with the classes: none, some, all or unknown, for the record.
    #[arg(long, value_name = "WORD", requires = "backbones", default_value = "unknown")]
    saw_classes: SawClasses,
    /// Folder that keeps the features that --backbone makes. Default: `kshot` in XDG_CACHE_HOME or ~/.cache.
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Features of more bytes than this stay in their file, such as 8G. Default: 768M.
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    memory: Option<u64>,
    #[command(flatten)]
    pub(super) device: DeviceFlag,
}

impl InputFlags {
    /// What is asked for.
    pub(super) fn inputs(&self) -> Inputs {
        Inputs {
            features: self.features.clone(),
            labels: self.labels.clone(),
            feature_columns: self.feature_columns.clone(),
            backbones: self.backbones.clone(),
            weights: self.weights.clone(),
            data: self.data.clone(),
            class_embeddings: self.class_embeddings.clone(),
            templates: self.templates.clone(),
            descriptions: self.descriptions.clone(),
            trained_on: self.trained_on.clone(),
            saw_classes: self.saw_classes,
            memory: self.memory,
            cache: self.cache.clone(),
        }
    }
}

/// Values in place of those of the protocols.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "In place of what the protocols say")]
pub(super) struct OverrideFlags {
    /// Episodes: up to the protocol's own number the first ones of its draw, beyond it more of them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(super) episodes: Option<u32>,
    /// Classes per episode, a number or `all`; not for protocols with a frozen draw, nor are the next three.
    #[arg(long, value_name = "N")]
    way: Option<Way>,
    /// Support items per class, `1` or `1,5,10`.
    #[arg(long, value_name = "N,…")]
    shot: Option<Shot>,
    /// Query items per class, a number or `all`.
    #[arg(long, value_name = "N")]
    query: Option<Query>,
    /// Seed of the draw.
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
}

impl OverrideFlags {
    /// What makes another draw of a protocol.
    fn sizes(&self) -> Overrides {
        Overrides {
            episodes: None,
            way: self.way.clone(),
            shot: self.shot.clone(),
            query: self.query.clone(),
            seed: self.seed.map(u64::from),
        }
    }

    /// The texts of protocols, by name or path, with what is given in place of their own.
    pub(super) fn protocols(&self, named: &[String]) -> Result<Vec<Text>, CliError> {
        let text = |named: &String| Ok(overridden(read_protocol(named)?, &self.sizes())?);
        named.iter().map(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(bytes("512"), Ok(512));
        assert_eq!(bytes("8G"), Ok(8 << 30));
        assert_eq!(bytes("768MiB"), Ok(768 << 20));
        assert!(bytes("8X").is_err() && bytes("").is_err() && bytes("99999999T").is_err());
    }
}
