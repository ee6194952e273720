//! One table of results: a protocol, a learner with its parameters, and a shot.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::vocab::{Metric, SawClasses, Setting};

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
    /// Seed of the backbone's training, where kshot trained it.
    pub seed_train: Option<u64>,
    /// Where it was computed.
    pub device: String,
    /// SHA-256 of the draw's bytes, in hexadecimal.
    pub draw_sha256: String,
}

impl Table {
    /// The columns that tell this table from others.
    pub fn key(&self) -> TableKey {
        TableKey {
            protocol: self.protocol.clone(),
            learner: self.learner.clone(),
            parameters: self.parameters_text(),
            shot: self.shot,
        }
    }

    /// All parameters, sorted, `key=value` joined by commas.
    pub fn parameters_text(&self) -> String {
        self.parameters.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
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

/// The columns that tell one table from another; result files are sorted by it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableKey {
    /// Name of the protocol.
    pub protocol: String,
    /// Name of the learner.
    pub learner: String,
    /// All parameters as one text.
    pub parameters: String,
    /// Support items per class.
    pub shot: Size,
}

impl fmt::Display for TableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "learner {}", self.learner)?;
        if !self.parameters.is_empty() {
            write!(f, ":{}", self.parameters)?;
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
