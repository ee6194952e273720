//! `summary.csv`: one row per table, metric and interval.

use serde::{Deserialize, Serialize};

use crate::metric::Metric;
use crate::results::cells;
use crate::results::table::{Selection, Size, Table};
use crate::results::tally::Measured;
use crate::stats::Population;
use crate::vocab::{SawClasses, Setting};

/// Stands in the `interval` column for a sampler interval that was waited for: episodes were drawn until it was narrow.
pub const SEQUENTIAL: &str = "sampler-sequential";

/// Stands in the `interval` column where there is none.
pub(crate) const NO_INTERVAL: &str = "none";

/// A row of `summary.csv`, with what all rows of its table share.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryRow {
    /// The table it belongs to.
    pub table: Table,
    /// Episodes of the draw.
    pub episodes: usize,
    /// Distinct classes that occur in the draw.
    pub classes: usize,
    /// What was measured.
    pub measured: Measured,
    /// SHA-256 of the features.
    pub features_sha256: String,
}

/// A row of `summary.csv` as it stands in the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SummaryCells {
    pub protocol: String,
    pub version: u32,
    pub learner: String,
    pub parameters: String,
    #[serde(with = "cells::word")]
    pub selection: Selection,
    #[serde(with = "cells::word")]
    pub setting: Setting,
    pub backbone: Option<String>,
    #[serde(with = "cells::word")]
    pub saw_classes: SawClasses,
    #[serde(with = "cells::word")]
    pub way: Size,
    #[serde(with = "cells::word")]
    pub shot: Size,
    pub features: String,
    pub dataset: String,
    pub seed_train: Option<u64>,
    #[serde(with = "cells::word")]
    pub query: Size,
    pub episodes: u64,
    pub classes: u64,
    #[serde(with = "cells::word")]
    pub metric: Metric,
    #[serde(serialize_with = "cells::number")]
    pub value: f64,
    pub interval: String,
    #[serde(serialize_with = "cells::optional")]
    pub low: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    pub high: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    pub confidence_level: Option<f64>,
    pub seed: u64,
    pub device: String,
    pub draw_sha256: String,
    pub items_sha256: String,
    pub features_sha256: String,
    pub kshot: String,
    pub method: String,
    pub interval_method: Option<String>,
}

impl From<&SummaryRow> for SummaryCells {
    fn from(row: &SummaryRow) -> SummaryCells {
        let (table, measured) = (&row.table, &row.measured);
        let interval = measured.interval.map(|(_, interval)| interval);
        let word = measured
            .interval
            .map_or(NO_INTERVAL, |(population, _)| interval_word(table.sequential, population));
        SummaryCells {
            protocol: table.protocol.clone(),
            version: table.version,
            learner: table.learner.clone(),
            parameters: table.parameters_text(),
            selection: table.selection,
            setting: table.setting,
            backbone: table.backbone.clone(),
            saw_classes: table.saw_classes,
            way: table.way,
            shot: table.shot,
            features: table.features.clone(),
            dataset: table.dataset.clone(),
            seed_train: table.seed_train,
            query: table.query,
            episodes: row.episodes as u64,
            classes: row.classes as u64,
            metric: measured.metric,
            value: measured.value,
            interval: word.to_string(),
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
            confidence_level: interval.map(|interval| interval.level),
            seed: table.seed,
            device: table.device.clone(),
            draw_sha256: table.draw_sha256.clone(),
            items_sha256: table.items_sha256.clone(),
            features_sha256: row.features_sha256.clone(),
            kshot: env!("CARGO_PKG_VERSION").to_string(),
            method: table.method.clone(),
            interval_method: measured.method.map(|method| method.word().to_string()),
        }
    }
}

/// The word of the `interval` column.
pub(crate) fn interval_word(sequential: bool, population: Population) -> &'static str {
    if sequential && population == Population::Sampler { SEQUENTIAL } else { population.word() }
}
