//! One table of results: a protocol, a learner with its parameters, and a shot.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::cells;
use crate::metric::Metric;
use crate::vocab::spec::values_text;
use crate::vocab::{SawClasses, Setting, UnknownWord};

/// A size of an episode: a number, or what stands in its place. Numbers sort by size, words after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Size {
    /// The same in every episode.
    Number(u32),
    /// Another in every episode.
    Varied,
    /// All that there are.
    All,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Size::Number(number) => number.fmt(f),
            Size::Varied => f.pad("varied"),
            Size::All => f.pad("all"),
        }
    }
}

impl FromStr for Size {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Size, UnknownWord> {
        match text {
            "varied" => Ok(Size::Varied),
            "all" => Ok(Size::All),
            number => number.parse().map(Size::Number).map_err(|_| UnknownWord {
                what: "size",
                found: number.to_string(),
                known: "a number, `varied`, `all`".to_string(),
            }),
        }
    }
}

/// Where the values of a learner's parameters come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// The learner's defaults, or what the user wrote.
    Default,
    /// Chosen on validation classes.
    Validation,
    /// Chosen by cross-validation inside each support set.
    SupportCv,
    /// Chosen on the answers themselves: a bound, not a result.
    Oracle,
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Selection {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Selection, UnknownWord> {
        let all = [Selection::Default, Selection::Validation, Selection::SupportCv, Selection::Oracle];
        all.into_iter().find(|selection| selection.word() == text).ok_or_else(|| UnknownWord {
            what: "selection",
            found: text.to_string(),
            known: "`default`, `validation`, `support-cv`, `oracle`".to_string(),
        })
    }
}

impl Selection {
    /// The word in result files.
    pub fn word(self) -> &'static str {
        match self {
            Selection::Default => "default",
            Selection::Validation => "validation",
            Selection::SupportCv => "support-cv",
            Selection::Oracle => "oracle",
        }
    }
}

/// What all rows of one table share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Name of the protocol.
    pub protocol: String,
    /// Version of the protocol.
    pub version: u32,
    /// Name of the learner.
    pub learner: String,
    /// All its parameters, defaults included.
    pub parameters: BTreeMap<String, String>,
    /// Where their values come from.
    pub selection: Selection,
    /// What the learner was given.
    pub setting: Setting,
    /// What made the features, where it is known.
    pub backbone: Option<String>,
    /// Whether its training saw the classes.
    pub saw_classes: SawClasses,
    /// Classes per episode.
    pub way: Size,
    /// Support items per class.
    pub shot: Size,
    /// Queries per class.
    pub query: Size,
    /// Whether an item may appear in two episodes of the draw; where not, there is an interval for new items.
    pub repeat: bool,
    /// The cluster of each class (alphabet, domain, parent), by [`ClassId`](crate::vocab::ClassId), where the dataset has
    /// such: classes of one cluster are alike, so that one cluster is left out at a time for the classes interval.
    ///
    /// Not part of its text form.
    #[serde(skip)]
    pub clusters: Option<Arc<[String]>>,
    /// Whether each class is a seen one, by [`ClassId`](crate::vocab::ClassId), where the candidates are seen and unseen
    /// classes. Not part of its text form either.
    #[serde(skip)]
    pub seen: Option<Arc<[bool]>>,
    /// The metrics that `summary.csv` shall have.
    pub metrics: Vec<Metric>,
    /// Level of the intervals, between 0 and 1.
    #[serde(with = "exact")]
    pub level: f64,
    /// Whether episodes were drawn until the sampler interval was narrow, so that their number depends on the outcomes.
    pub sequential: bool,
    /// Seed of the draw.
    pub seed: u64,
    /// Name of the feature set.
    pub features: String,
    /// Name of the data set whose items the features describe.
    pub dataset: String,
    /// Seed of the backbone's training, where kshot trained it. Features of one name may differ in it alone.
    pub seed_train: Option<u64>,
    /// Features and learner as readers know them: unique among the tables of a protocol, shot and training seed apart.
    pub method: String,
    /// Where it was computed.
    pub device: String,
    /// SHA-256 of the draw's bytes, in hexadecimal.
    pub draw_sha256: String,
    /// SHA-256 of the items' identities, in hexadecimal; empty where they are not known.
    pub items_sha256: String,
}

impl Table {
    /// The columns that tell this table from others.
    pub fn key(&self) -> TableKey {
        TableKey {
            protocol: self.protocol.clone(),
            learner: self.learner.clone(),
            parameters: self.parameters_text(),
            shot: self.shot,
            features: self.features.clone(),
            dataset: self.dataset.clone(),
            seed_train: self.seed_train,
        }
    }

    /// All parameters, sorted, `key=value` joined by commas.
    pub fn parameters_text(&self) -> String {
        values_text(&self.parameters)
    }
}

/// A number as the shortest text that reads back to the same bits, which JSON's numbers do not promise.
mod exact {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The columns that tell one table from another; every file with a row per table or episode begins with them, in this
/// order. Rows are sorted by protocol, learner, parameters, features, data set, training seed and shot.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TableKey {
    /// Name of the protocol.
    pub protocol: String,
    /// Name of the learner.
    pub learner: String,
    /// All parameters as one text.
    pub parameters: String,
    /// Support items per class.
    #[serde(with = "cells::word")]
    pub shot: Size,
    /// Name of the feature set.
    pub features: String,
    /// Name of the data set.
    pub dataset: String,
    /// Seed of the backbone's training, where kshot trained it.
    pub seed_train: Option<u64>,
}

impl TableKey {
    /// Its cells, in the order of the columns.
    pub(crate) fn cells(&self) -> [String; 7] {
        let TableKey { protocol, learner, parameters, shot, features, dataset, seed_train } = self.clone();
        let seed_train = seed_train.map(|seed| seed.to_string()).unwrap_or_default();
        [protocol, learner, parameters, shot.to_string(), features, dataset, seed_train]
    }

    /// The key in the order in which files are sorted.
    fn order(&self) -> (&str, &str, &str, &str, &str, Option<u64>, Size) {
        let TableKey { protocol, learner, parameters, shot, features, dataset, seed_train } = self;
        (protocol, learner, parameters, features, dataset, *seed_train, *shot)
    }
}

impl Ord for TableKey {
    fn cmp(&self, other: &TableKey) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for TableKey {
    fn partial_cmp(&self, other: &TableKey) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for TableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "learner {}", self.learner)?;
        if !self.parameters.is_empty() {
            write!(f, ":{}", self.parameters)?;
        }
        write!(f, " on {}", self.features)?;
        if let Some(seed) = self.seed_train {
            write!(f, " (training seed {seed})")?;
        }
        write!(f, " under protocol {} (shot {})", self.protocol, self.shot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shots_sort_by_number_and_words_come_last() {
        let mut shots = [Size::All, Size::Number(10), Size::Varied, Size::Number(2), Size::Number(0)];
        shots.sort();
        assert_eq!(shots.map(|s| s.to_string()), ["0", "2", "10", "varied", "all"]);
    }
}
