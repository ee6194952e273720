//! What a run is asked for, as it is written: on a command line, in a program, or in the record of an earlier run.
//!
//! Nothing here is checked but its form. `run.json` holds it, and is enough to make the run again.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::vocab::SawClasses;

/// Which items a run reads, and what makes features of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inputs {
    /// Feature sets, `[NAME=]PATH`, or datasets; none: the protocol's dataset.
    pub features: Vec<String>,
    /// The class of every row, for features that do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<PathBuf>,
    /// The columns of tables that are features, by name or pattern; none: those that a rule finds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub feature_columns: Vec<String>,
    /// Networks that make features of datasets, `[NAME=]SPEC`.
    pub backbones: Vec<String>,
    /// Weights of the backbone, where there is exactly one and its specification has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    /// Folder in which datasets are looked for by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// Class embeddings in place of those of the features.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_embeddings: Option<PathBuf>,
    /// Text around the words of a class, at `{}`; several are averaged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<String>,
    /// Descriptions of classes, a .csv of class and description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descriptions: Option<PathBuf>,
    /// What the network was trained on, for the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trained_on: Option<String>,
    /// Whether its training saw the classes, for the record.
    pub saw_classes: SawClasses,
    /// Features of more bytes than this stay in their file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Folder that keeps the features that networks make; results do not depend on it.
    #[serde(skip)]
    pub cache: Option<PathBuf>,
}

/// A file with its text, so that a run can be made again where the file is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// The path, or the name of what ships with kshot.
    pub origin: String,
    /// What it holds.
    pub text: String,
}

/// How single queries are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Queries {
    /// `queries.csv`.
    Csv,
    /// `queries.parquet` too.
    Parquet,
}

impl Queries {
    /// The word in records.
    pub fn word(self) -> &'static str {
        match self {
            Queries::Csv => "csv",
            Queries::Parquet => "parquet",
        }
    }
}

/// An evaluation as it is asked for: results depend on this, the content of the files that it names, and the device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// The protocols.
    pub protocols: Vec<Text>,
    /// How many episodes, in place of the protocols' own number: up to it the first ones of the draw, beyond it more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub episodes: Option<u32>,
    /// The items and their features.
    pub inputs: Inputs,
    /// The draw in place of the protocol's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draw: Option<PathBuf>,
    /// Learners, `[NAME=]SPEC`; none: all that the protocols admit.
    pub learners: Vec<String>,
    /// Selections to use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub selected: Vec<Text>,
    /// Whether selections may have been made for anything else.
    pub selected_elsewhere: bool,
    /// Whether classes with too few items for an episode are left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub drop_small_classes: bool,
    /// Whether learners are held against chance on copies of episodes with permuted answers first.
    pub audit: bool,
    /// Cosine from which near-duplicates are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near: Option<f32>,
    /// How single queries are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queries: Option<Queries>,
    /// Half-width in points at which drawing ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}
