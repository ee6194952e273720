//! The columns of the result files, and their rows as bytes.
//!
//! `outcomes.csv` is the raw truth; the others can be computed from it (`bins.csv` from the queries).

use super::calibration::Bin;
use super::table::{Table, TableKey};
use super::tally::{ClassOutcome, EpisodeTotals, Measured};
use super::text::{float, text, whole};
use crate::stats::Population;
use crate::vocab::Setting;

/// Columns of `outcomes.csv`: one row per episode and class.
pub const OUTCOME_COLUMNS: &str =
    "protocol,learner,parameters,shot,episode,label,class,correct,total,nll,brier";

/// Columns of `episodes.csv`: one row per episode.
pub const EPISODE_COLUMNS: &str =
    "protocol,learner,parameters,setting,shot,episode,way,correct,total,nll,brier,draw_sha256";

/// Columns of `summary.csv`: one row per metric and interval.
pub const SUMMARY_COLUMNS: &str = "protocol,version,learner,parameters,selection,setting,backbone,saw_classes,way,\
    shot,query,episodes,classes,metric,value,interval,low,high,level,seed,seed_train,device,draw_sha256,\
    features_sha256,kshot";

/// Columns of `seen.csv`: one row per class of a protocol whose candidates are seen and unseen classes.
pub const SEEN_COLUMNS: &str = "protocol,class,side";

/// Columns of `stacking.csv`: one row per point of the curve between seen and unseen accuracy; it holds from that γ up to
/// the next, and the first row from minus infinity.
pub const STACKING_COLUMNS: &str = "protocol,learner,parameters,shot,gamma,seen,unseen";

/// Columns of `bins.csv`: one row per bin of confidence.
pub const BIN_COLUMNS: &str =
    "protocol,learner,parameters,shot,temperature,bin,low,high,count,correct,confidence";

/// Columns of `tempered.csv`: one row per episode of the tables that have a selected temperature.
pub const TEMPERED_COLUMNS: &str = "protocol,learner,parameters,shot,temperature,episode,nll";

/// Columns of `queries.csv`: one row per query; `item` is its row in the feature store, from 0.
///
/// `class` is that of its items also for a query outside the task. `certainty` is what orders answers.
pub const QUERY_COLUMNS: &str =
    "protocol,learner,parameters,shot,episode,class,item,predicted,confidence,certainty";

/// Columns of `certainty.csv`: one row per episode, where a measure of certainty is asked for.
pub const CERTAINTY_COLUMNS: &str = "protocol,learner,parameters,shot,episode,inside,outside,threshold,accuracy-at-95,\
    aurc,aurc-outside,auroc,fpr-at-95,outside-recall";

/// Stands in the `interval` column for a sampler interval that was waited for: episodes were drawn until it was narrow.
pub const SEQUENTIAL: &str = "sampler-sequential";

/// Columns of `clusters.csv`, which is there where classes have clusters: one row per class that occurs.
pub const CLUSTER_COLUMNS: &str = "protocol,class,cluster";

/// A row of `outcomes.csv`.
#[derive(Clone, Copy, Debug)]
pub struct OutcomeRow<'a> {
    /// The table it belongs to, as [`lead`] writes it.
    pub lead: &'a [u8],
    /// The episode.
    pub episode: u32,
    /// The label that the class has in the episode.
    pub label: usize,
    /// The name of the class.
    pub class: &'a str,
    /// How its queries fared.
    pub outcome: &'a ClassOutcome,
}

/// A row of `episodes.csv`.
#[derive(Clone, Copy, Debug)]
pub struct EpisodeRow<'a> {
    /// The table it belongs to.
    pub key: &'a TableKey,
    /// What the learner was given.
    pub setting: Setting,
    /// The episode.
    pub episode: u32,
    /// Its classes.
    pub way: usize,
    /// Its counts and means.
    pub totals: EpisodeTotals,
    /// SHA-256 of the draw.
    pub draw_sha256: &'a str,
}

/// A row of `summary.csv`.
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
    /// SHA-256 of the feature store.
    pub features_sha256: String,
}

/// A row of `bins.csv`.
#[derive(Clone, Copy, Debug)]
pub struct BinRow<'a> {
    /// The table it belongs to, as [`lead`] writes it.
    pub lead: &'a [u8],
    /// What the logits were divided by.
    pub temperature: f64,
    /// The number of the bin, from 0.
    pub number: usize,
    /// The bin.
    pub bin: &'a Bin,
}

/// A row of `tempered.csv`.
#[derive(Clone, Copy, Debug)]
pub struct TemperedRow<'a> {
    /// The table it belongs to, as [`lead`] writes it.
    pub lead: &'a [u8],
    /// What the logits were divided by.
    pub temperature: f64,
    /// The episode.
    pub episode: u32,
    /// Mean negative log-likelihood over its queries.
    pub nll: f64,
}

/// A row of `queries.csv`.
#[derive(Clone, Copy, Debug)]
pub struct QueryRow<'a> {
    /// The table it belongs to, as [`lead`] writes it.
    pub lead: &'a [u8],
    /// The episode.
    pub episode: u32,
    /// The name of its class.
    pub class: &'a str,
    /// Its row in the feature store.
    pub item: u32,
    /// The name of the class it was taken for.
    pub predicted: &'a str,
    /// The claimed probability of that class; absent for scores that only rank.
    pub confidence: Option<f32>,
    /// What orders answers from doubtful to safe.
    pub certainty: Option<f32>,
}

/// The first four columns of most files, `protocol,learner,parameters,shot`, with the comma after them.
pub fn lead(key: &TableKey) -> Vec<u8> {
    let mut out = Vec::new();
    for cell in [&key.protocol, &key.learner, &key.parameters, &key.shot.to_string()] {
        text(&mut out, cell);
        out.push(b',');
    }
    out
}

impl OutcomeRow<'_> {
    /// Appends the row, line end included.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.lead);
        whole(out, u64::from(self.episode));
        out.push(b',');
        whole(out, self.label as u64);
        out.push(b',');
        text(out, self.class);
        out.push(b',');
        whole(out, u64::from(self.outcome.correct));
        out.push(b',');
        whole(out, u64::from(self.outcome.total));
        out.push(b',');
        float(out, self.outcome.nll);
        out.push(b',');
        float(out, self.outcome.brier);
        out.push(b'\n');
    }
}

impl EpisodeRow<'_> {
    /// Appends the row, line end included.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (key, shot) = (self.key, self.key.shot.to_string());
        for cell in [&key.protocol, &key.learner, &key.parameters, self.setting.word(), &shot] {
            text(out, cell);
            out.push(b',');
        }
        for number in [u64::from(self.episode), self.way as u64, self.totals.correct, self.totals.total] {
            whole(out, number);
            out.push(b',');
        }
        float(out, self.totals.nll);
        out.push(b',');
        float(out, self.totals.brier);
        out.push(b',');
        text(out, self.draw_sha256);
        out.push(b'\n');
    }
}

impl SummaryRow {
    /// Appends the row, line end included.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (table, measured) = (&self.table, &self.measured);
        let number = |value: Option<f64>| {
            let mut cell = Vec::new();
            float(&mut cell, value);
            String::from_utf8_lossy(&cell).into_owned()
        };
        let interval = measured.interval.map(|(_, interval)| interval);
        let cells = [
            table.protocol.clone(),
            table.version.to_string(),
            table.learner.clone(),
            table.parameters_text(),
            table.selection.word().to_string(),
            table.setting.to_string(),
            table.backbone.clone().unwrap_or_default(),
            table.saw_classes.to_string(),
            table.way.to_string(),
            table.shot.to_string(),
            table.query.to_string(),
            self.episodes.to_string(),
            self.classes.to_string(),
            measured.metric.to_string(),
            number(Some(measured.value)),
            measured
                .interval
                .map_or("none", |(population, _)| interval_word(table.sequential, population))
                .to_string(),
            number(interval.map(|i| i.low)),
            number(interval.map(|i| i.high)),
            number(interval.map(|i| i.level)),
            table.seed.to_string(),
            table.seed_train.map(|s| s.to_string()).unwrap_or_default(),
            table.device.clone(),
            table.draw_sha256.clone(),
            self.features_sha256.clone(),
            env!("CARGO_PKG_VERSION").to_string(),
        ];
        for (place, cell) in cells.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            text(out, cell);
        }
        out.push(b'\n');
    }
}

/// The word of the `interval` column.
pub(crate) fn interval_word(sequential: bool, population: Population) -> &'static str {
    if sequential && population == Population::Sampler { SEQUENTIAL } else { population.word() }
}

impl BinRow<'_> {
    /// Appends the row, line end included.
    pub fn write(&self, out: &mut Vec<u8>) {
        let bin = self.bin;
        out.extend_from_slice(self.lead);
        float(out, Some(self.temperature));
        out.push(b',');
        whole(out, self.number as u64);
        for edge in [bin.low, bin.high] {
            out.push(b',');
            float(out, Some(f64::from(edge)));
        }
        for count in [bin.count, bin.correct] {
            out.push(b',');
            whole(out, count);
        }
        out.push(b',');
        float(out, Some(bin.confidence));
        out.push(b'\n');
    }
}

impl TemperedRow<'_> {
    /// Appends the row, line end included.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.lead);
        float(out, Some(self.temperature));
        out.push(b',');
        whole(out, u64::from(self.episode));
        out.push(b',');
        float(out, Some(self.nll));
        out.push(b'\n');
    }
}

impl QueryRow<'_> {
    /// Appends the row, line end included.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.lead);
        whole(out, u64::from(self.episode));
        out.push(b',');
        text(out, self.class);
        out.push(b',');
        whole(out, u64::from(self.item));
        out.push(b',');
        text(out, self.predicted);
        out.push(b',');
        float(out, self.confidence.map(f64::from));
        out.push(b',');
        float(out, self.certainty.map(f64::from));
        out.push(b'\n');
    }
}
