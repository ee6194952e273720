//! `run.json`: everything to run it again, and what it took.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::machine::Machine;
use super::request::Request;
use super::run_key::Shard;
use super::table::{Selection, TableKey};
use super::warning::Warning;

/// The record of a run. Names of files are as the user typed them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// Version of kshot.
    pub kshot: String,
    /// The command line, program name first.
    pub command: Vec<String>,
    /// The folder that relative paths start from.
    pub folder: String,
    /// What was asked for, with the texts of protocols and selections: enough to run it again.
    pub request: Request,
    /// Feature sets that were in memory and not in files, by name: with these the run cannot be made again from here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_memory: Vec<String>,
    /// The protocols, with what they were evaluated on: one entry per protocol and feature set.
    pub protocols: Vec<ProtocolRecord>,
    /// The learners, with all their parameters.
    pub learners: Vec<LearnerRecord>,
    /// Seed of the backbone's training, where kshot trained it.
    pub seed_train: Option<u64>,
    /// Where it was computed.
    pub device: String,
    /// Workers that shared the episodes.
    pub workers: usize,
    /// Episodes per batch, where it was fixed.
    pub batch: Option<usize>,
    /// Wall time in seconds, by what it was spent on.
    pub seconds: BTreeMap<String, f64>,
    /// What a reader should know.
    pub warnings: Vec<Warning>,
    /// Which part of an evaluation this is; absent for the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Shard>,
    /// The half-width in points that ended the drawing of episodes; absent for draws of fixed length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Episodes that were taken from the journal of a killed run; `seconds` and `machine` are not theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<u64>,
    /// The runs that results were joined from, in the order of the parts; absent for results of one run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartRecord>,
    /// The machine.
    pub machine: Machine,
    /// The files of these results but this one, each with the SHA-256 of its bytes; filled in when they are written.
    pub files: BTreeMap<String, String>,
}

/// A protocol of a run with one of its feature sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtocolRecord {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// SHA-256 of its file's bytes.
    pub sha256: String,
    /// Seed of its draw.
    pub seed: u64,
    /// The draw's file; absent where the draw was made in this run.
    pub draw: Option<String>,
    /// SHA-256 of the draw's bytes.
    pub draw_sha256: String,
    /// Name of the feature set.
    pub features: String,
    /// Name of the data set whose items the features describe.
    pub dataset: String,
    /// Seed of the backbone's training, where kshot trained it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed_train: Option<u64>,
    /// The dataset or the path of the features.
    pub source: String,
    /// SHA-256 of the features.
    pub features_sha256: String,
    /// SHA-256 of the items' identities; empty where they are not known.
    pub items_sha256: String,
    /// The class vectors of the store, where it has them.
    #[serde(default)]
    pub class_embeddings: Option<VectorsRecord>,
}

/// The class vectors of a feature store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorsRecord {
    /// SHA-256 of the numbers as little-endian f32, in the order of the classes.
    pub sha256: String,
    /// The texts that they were made of, where kshot made them.
    pub texts: Option<String>,
    /// SHA-256 of the file of these texts, where it was one.
    pub texts_sha256: Option<String>,
    /// What each text was set into at `{}`.
    pub templates: Vec<String>,
}

/// A run whose results are a part of others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartRecord {
    /// Its folder, as it was named.
    pub folder: String,
    /// Which part it is.
    pub part: Shard,
    /// Its command line.
    pub command: Vec<String>,
    /// Workers that shared the episodes.
    pub workers: usize,
    /// Its wall time in seconds, by what it was spent on.
    pub seconds: BTreeMap<String, f64>,
    /// Its machine.
    pub machine: Machine,
}

/// A learner of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnerRecord {
    /// Its name.
    pub name: String,
    /// All its parameters, defaults included.
    pub parameters: BTreeMap<String, String>,
    /// Where their values come from.
    pub selection: Selection,
    /// What was chosen for it in this run, on classes and items that are not reported on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chosen: Vec<ChosenRecord>,
}

/// Values that a run has chosen for a learner: on validation classes by its fit, as the threshold of its confidence score, or as what
/// is subtracted from its scores of seen classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChosenRecord {
    /// The protocol.
    pub protocol: String,
    /// The shot, or `varied`; absent where one choice serves all shots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shot: Option<String>,
    /// The values by name.
    pub values: BTreeMap<String, String>,
}

impl ChosenRecord {
    /// As one text: where it holds, then the values.
    pub fn text(&self) -> String {
        let values: Vec<String> = self.values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let shot = self.shot.as_ref().map(|shot| format!(" at shot {shot}")).unwrap_or_default();
        format!("{}{shot}: {}", self.protocol, values.join(", "))
    }
}

impl ProtocolRecord {
    /// Whether a table belongs to this protocol and feature set.
    pub fn holds(&self, key: &TableKey) -> bool {
        (&self.name, &self.features, &self.dataset, self.seed_train)
            == (&key.protocol, &key.features, &key.dataset, key.seed_train)
    }
}

impl RunRecord {
    /// The protocol and feature set that a table belongs to.
    pub fn of_table(&self, key: &TableKey) -> Option<&ProtocolRecord> {
        self.protocols.iter().find(|record| record.holds(key))
    }

    /// The file's bytes.
    pub(super) fn json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}
