//! The small files: structs whose fields are the columns.

use serde::{Deserialize, Serialize};

use crate::metric::Bin;
use crate::results::cells;

/// A row of `bins.csv` behind the key of its table: a bin of confidence.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BinCells {
    /// What the logits were divided by.
    #[serde(serialize_with = "cells::number")]
    pub temperature: f64,
    /// Whether bins have equal mass or equal width.
    pub binning: Binning,
    /// The number of the bin, from 0; of those of equal width that have a query.
    pub bin: u64,
    /// The lowest confidence in it.
    #[serde(serialize_with = "cells::single")]
    pub low: f32,
    /// The highest confidence in it.
    #[serde(serialize_with = "cells::single")]
    pub high: f32,
    /// Queries in it.
    pub count: u64,
    /// Of these, answered correctly.
    pub correct: u64,
    /// Their mean confidence.
    #[serde(serialize_with = "cells::number")]
    pub confidence: f64,
}

impl BinCells {
    /// The row of a bin.
    pub fn of(temperature: f64, binning: Binning, number: usize, bin: &Bin) -> BinCells {
        let &Bin { low, high, count, correct, confidence } = bin;
        BinCells { temperature, binning, bin: number as u64, low, high, count, correct, confidence }
    }
}

/// How confidences are put into bins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Binning {
    /// Each with as many queries.
    Mass,
    /// Each as wide.
    Width,
}

/// A row of `seen_unseen_curve.csv` behind the key of its table: a point of the curve between seen and unseen accuracy. It holds
/// from that γ up to the next, and the first row from minus infinity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CurveCells {
    /// What is subtracted from the scores of seen classes.
    #[serde(serialize_with = "cells::optional")]
    pub gamma: Option<f64>,
    /// Class accuracy on the seen classes.
    #[serde(serialize_with = "cells::number")]
    pub seen: f64,
    /// Class accuracy on the unseen classes.
    #[serde(serialize_with = "cells::number")]
    pub unseen: f64,
}

/// A row of `seen.csv`: a class of a protocol whose candidates are seen and unseen classes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct SideCells {
    /// Name of the protocol.
    pub protocol: String,
    /// Name of the data set.
    pub dataset: String,
    /// The class.
    pub class: String,
    /// `seen` or `unseen`.
    pub side: String,
}

/// A row of `clusters.csv`, which is there where classes have clusters: a class that occurs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct ClusterCells {
    /// Name of the protocol.
    pub protocol: String,
    /// Name of the data set.
    pub dataset: String,
    /// The class.
    pub class: String,
    /// Its alphabet, domain or parent.
    pub cluster: String,
}
