//! A training in a file, to go on from: every number of the network, its head, its optimiser and the best so far.

use std::collections::BTreeMap;
use std::path::Path;

use super::config::TrainingConfig;
use super::error::TrainError;
use super::report::Row;
use crate::backbone::{WeightFile, Weights, tensor_file};
use crate::optimise::OptimiserState;

/// What changes while training.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    /// Steps that are done.
    pub step: u32,
    pub network: Weights,
    /// What an objective learns beside the network.
    pub head: Weights,
    pub optimiser: OptimiserState,
    pub best: Option<Best>,
    /// The lines of the report so far.
    pub rows: Vec<Row>,
}

/// The best weights so far.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Best {
    pub step: u32,
    pub accuracy: f64,
    pub network: Weights,
}

/// What a checkpoint must agree with to go on from it, as (key, value): the whole config, its hash, and that of the data.
pub(super) type Identity = [(&'static str, String); 3];

impl State {
    /// The bytes of a checkpoint; equal states give equal bytes.
    pub fn bytes(&self, identity: &Identity) -> Vec<u8> {
        let mut tensors: Vec<(String, Vec<usize>, &[f32])> = Vec::new();
        for (prefix, weights) in self.parts() {
            for p in &weights.0 {
                tensors.push((format!("{prefix}.{}", p.name), p.shape.clone(), &p.values));
            }
        }
        for (prefix, lists) in [("first", &self.optimiser.first), ("second", &self.optimiser.second)] {
            for (number, values) in lists.iter().enumerate() {
                tensors.push((format!("{prefix}.{number}"), vec![values.len()], values));
            }
        }
        let mut metadata: BTreeMap<String, String> = BTreeMap::new();
        let mut say = |key: &str, value: String| metadata.insert(key.to_string(), value);
        identity.iter().for_each(|(key, value)| {
            say(key, value.clone());
        });
        say("step", self.step.to_string());
        say("rows", self.rows.iter().map(Row::line).collect());
        if let Some(best) = &self.best {
            say("best_step", best.step.to_string());
            say("best_accuracy", best.accuracy.to_string());
        }
        let views: Vec<(&str, &[usize], &[f32])> =
            tensors.iter().map(|(name, shape, values)| (name.as_str(), shape.as_slice(), *values)).collect();
        tensor_file(&views, &metadata)
    }

    fn parts(&self) -> Vec<(&'static str, &Weights)> {
        let mut parts = vec![("network", &self.network), ("head", &self.head)];
        parts.extend(self.best.as_ref().map(|best| ("best", &best.network)));
        parts
    }

    /// Reads a checkpoint into a state of the same sizes.
    pub fn read(mut self, path: &Path, identity: &Identity) -> Result<State, TrainError> {
        let mut file = WeightFile::read(path, |name| Some(name.to_string()))?;
        let said = file.metadata().clone();
        let get = |key: &str| {
            let what = || TrainError::Damaged { what: format!("{} has no `{key}`", path.display()) };
            said.get(key).cloned().ok_or_else(what)
        };
        for (key, expected) in identity {
            let found = get(key)?;
            if found != *expected {
                let what = match *key {
                    "protocol" => other_config(&found, expected),
                    key => format!("its {key} is {found}, expected {expected}"),
                };
                return Err(TrainError::OtherRun { path: path.to_path_buf(), what });
            }
        }
        let damaged =
            |key: &str| TrainError::Damaged { what: format!("{}: `{key}` cannot be read", path.display()) };
        self.step = get("step")?.parse().map_err(|_| damaged("step"))?;
        // Lines and not JSON, whose reader may miss the last digit of a number.
        let rows: Option<Vec<Row>> = get("rows")?.lines().map(Row::parse).collect();
        self.rows = rows.ok_or_else(|| damaged("rows"))?;
        self.best = if said.contains_key("best_step") {
            Some(Best {
                step: get("best_step")?.parse().map_err(|_| damaged("best_step"))?,
                accuracy: get("best_accuracy")?.parse().map_err(|_| damaged("best_accuracy"))?,
                network: self.network.clone(),
            })
        } else {
            None
        };
        let mut expected: Vec<(String, Vec<usize>)> = Vec::new();
        for (prefix, weights) in self.parts() {
            expected.extend(
                weights.shapes().into_iter().map(|(name, shape)| (format!("{prefix}.{name}"), shape)),
            );
        }
        for (prefix, lists) in [("first", &self.optimiser.first), ("second", &self.optimiser.second)] {
            let sizes = lists.iter().enumerate();
            expected.extend(sizes.map(|(number, values)| (format!("{prefix}.{number}"), vec![values.len()])));
        }
        file.expect(&expected)?;
        let mut parts = vec![("network", &mut self.network), ("head", &mut self.head)];
        parts.extend(self.best.as_mut().map(|best| ("best", &mut best.network)));
        for (prefix, weights) in parts {
            for p in &mut weights.0 {
                p.values = file.take(&format!("{prefix}.{}", p.name))?;
            }
        }
        for (prefix, lists) in [("first", &mut self.optimiser.first), ("second", &mut self.optimiser.second)]
        {
            for (number, values) in lists.iter_mut().enumerate() {
                *values = file.take(&format!("{prefix}.{number}"))?;
            }
        }
        Ok(self)
    }
}

/// How a config differs from the one that is expected: in its seed alone, or in which line first.
fn other_config(found: &str, expected: &str) -> String {
    let parse = |text| TrainingConfig::parse(text, "").ok();
    if let (Some(old), Some(new)) = (parse(found), parse(expected)) {
        let (was, seed) = (old.seed(), new.seed());
        if old.with_seed(seed).text() == expected {
            return format!("its seed is {was}, expected {seed}");
        }
    }
    let (mut old, mut new) = (found.lines(), expected.lines());
    let lines = (1..).zip(std::iter::from_fn(|| match (old.next(), new.next()) {
        (None, None) => None,
        (old, new) => Some((old.unwrap_or_default(), new.unwrap_or_default())),
    }));
    let differs = lines.into_iter().find(|(_, (old, new))| old != new);
    let (line, (old, new)) = differs.unwrap_or_default();
    format!("line {line} of its training config is `{old}`, expected `{new}`")
}
