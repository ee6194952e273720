//! The columns of the result files, and their rows as bytes.
//!
//! `outcomes.csv` is the raw truth; the others can be computed from it (`bins.csv` from the queries). Files with a row per
//! table or episode begin with the columns of [`TableKey`]. The large files are written here by hand; the small ones are
//! structs whose fields are the columns.

mod small;
mod summary;

use super::cells;
use super::open_set::OpenSetCounts;
use super::table::{Table, TableKey};
use super::tally::{ClassOutcome, EpisodeOutcome, EpisodeTotals};
use super::text::{float, text, whole};
use crate::metric::Metric;

pub(crate) use small::{BinCells, Binning, ClusterCells, CurveCells, SideCells};
pub(crate) use summary::{NO_INTERVAL, SummaryCells, interval_word};
pub use summary::{SEQUENTIAL, SummaryRow};

/// Columns of `queries.csv` behind those of the table's key: one row per query; `item` is its row in the features, from 0.
///
/// `class` is that of its items also for an out-of-scope query. `confidence_score` is what orders answers.
pub(crate) const QUERY_COLUMNS: [&str; 6] =
    ["episode", "class", "item", "predicted", "confidence", "confidence_score"];

/// The metrics that have columns of their own, by the files that have them.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    of_classes: Vec<Metric>,
    of_episodes: Vec<Metric>,
    of_open_set: Vec<Metric>,
    of_temperature: Vec<Metric>,
}

impl Columns {
    /// Those of all metrics.
    pub fn all() -> Columns {
        Columns {
            of_classes: Metric::of_classes(),
            of_episodes: Metric::of_episodes(),
            of_open_set: Metric::of_open_set(),
            of_temperature: Metric::of_temperature(),
        }
    }

    /// Whether an episode has a value for each metric of classes, or none at all.
    pub fn fit(&self, outcome: &EpisodeOutcome) -> bool {
        outcome.values.is_empty() || outcome.values.len() == outcome.classes.len() * self.of_classes.len()
    }

    /// Columns of `outcomes.csv`: one row per episode and class.
    pub fn outcomes(&self) -> String {
        keyed(&["episode", "label", "class", "correct", "total"], &[&self.of_classes], &[])
    }

    /// Columns of `episodes.csv`: one row per episode.
    pub fn episodes(&self) -> String {
        let metrics = [self.of_classes.as_slice(), &self.of_episodes];
        let hashes = ["draw_sha256", "items_sha256"];
        keyed(&["setting", "episode", "way", "correct", "total"], &metrics, &hashes)
    }

    /// Columns of `open_set.csv`: one row per episode, where a metric of confidence scores is asked for.
    pub fn open_set(&self) -> String {
        keyed(&["episode", "in_scope", "oos", "threshold"], &[&self.of_open_set], &[])
    }

    /// Columns of `temperature_scaled.csv`: one row per episode of the tables that have a selected temperature.
    pub fn temperature_scaled(&self) -> String {
        keyed(&["temperature", "episode"], &[&self.of_temperature], &[])
    }

    /// Columns of `queries.csv`.
    pub fn queries() -> String {
        keyed(&QUERY_COLUMNS, &[], &[])
    }
}

/// A header: the columns of a table's key, those that the file always has, and those of metrics, with others behind.
fn keyed(first: &[&'static str], metrics: &[&[Metric]], last: &[&'static str]) -> String {
    let metrics: Vec<&str> =
        metrics.iter().flat_map(|some| some.iter().map(|metric| metric.name())).collect();
    [cells::columns::<TableKey>(), first, metrics.as_slice(), last].concat().join(",")
}

/// A row of `outcomes.csv`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutcomeRow<'a> {
    /// The table it belongs to, as [`lead`] writes it.
    pub lead: &'a [u8],
    /// The episode.
    pub episode: u32,
    /// The label that the class has in the episode.
    pub label: usize,
    /// The name of the class.
    pub name: &'a str,
    /// How its queries fared.
    pub class: &'a ClassOutcome,
    /// The values of the metrics of classes; none for scores that only rank.
    pub values: &'a [Option<f64>],
    /// The metrics that have columns.
    pub columns: &'a Columns,
}

/// A row of `episodes.csv`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EpisodeRow<'a> {
    /// The table it belongs to, as [`lead`] writes it.
    pub lead: &'a [u8],
    /// What all its rows share.
    pub table: &'a Table,
    /// The episode.
    pub episode: u32,
    /// Its classes.
    pub way: usize,
    /// Its counts and means.
    pub totals: &'a EpisodeTotals,
    /// The metrics that are computed from all its answers.
    pub measures: &'a [(Metric, f64)],
    /// The metrics that have columns.
    pub columns: &'a Columns,
}

/// A row of `open_set.csv`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenSetRow<'a> {
    /// The table it belongs to, as [`lead`] writes it.
    pub lead: &'a [u8],
    /// The episode.
    pub episode: u32,
    /// Its queries and the threshold.
    pub counts: &'a OpenSetCounts,
    /// The metrics that are computed from all its answers.
    pub measures: &'a [(Metric, f64)],
    /// The metrics that have columns.
    pub columns: &'a Columns,
}

/// A row of `temperature_scaled.csv`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScaledRow<'a> {
    /// The table it belongs to, as [`lead`] writes it.
    pub lead: &'a [u8],
    /// What the logits were divided by.
    pub temperature: f64,
    /// The episode.
    pub episode: u32,
    /// The metrics that are computed from all its answers.
    pub measures: &'a [(Metric, f64)],
    /// The metrics that have columns.
    pub columns: &'a Columns,
}

/// A row of `queries.csv`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueryRow<'a> {
    /// The table it belongs to, as [`lead`] writes it.
    pub lead: &'a [u8],
    /// The episode.
    pub episode: u32,
    /// The name of its class.
    pub class: &'a str,
    /// Its row in the features.
    pub item: u32,
    /// The name of the class it was taken for.
    pub predicted: &'a str,
    /// The predicted probability of that class; absent for scores that only rank.
    pub confidence: Option<f32>,
    /// What orders answers from doubtful to safe.
    pub confidence_score: Option<f32>,
}

/// The cells of a table's key, each with the comma after it.
pub(crate) fn lead(key: &TableKey) -> Vec<u8> {
    let mut out = Vec::new();
    for cell in key.cells() {
        text(&mut out, &cell);
        out.push(b',');
    }
    out
}

/// The header of a small file whose rows are of this type; with `keyed`, behind the columns of a table's key.
pub(crate) fn header<'de, T: serde::Deserialize<'de>>(keyed: bool) -> String {
    let key = if keyed { cells::columns::<TableKey>() } else { &[] };
    [key, cells::columns::<T>()].concat().join(",")
}

/// Appends a comma and the value of each of these metrics; nothing between the commas where it is absent.
fn write_measures(metrics: &[Metric], measures: &[(Metric, f64)], out: &mut Vec<u8>) {
    for metric in metrics {
        out.push(b',');
        float(out, measures.iter().find(|(known, _)| known == metric).map(|(_, value)| *value));
    }
}

/// Appends a comma and a value for each of these metrics, in their order; scores that only rank have none.
fn write_values(metrics: &[Metric], values: &[Option<f64>], out: &mut Vec<u8>) {
    for place in 0..metrics.len() {
        out.push(b',');
        float(out, values.get(place).copied().flatten());
    }
}

impl OutcomeRow<'_> {
    /// Appends the row, line end included.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.lead);
        whole(out, u64::from(self.episode));
        out.push(b',');
        whole(out, self.label as u64);
        out.push(b',');
        text(out, self.name);
        for count in [self.class.correct, self.class.total] {
            out.push(b',');
            whole(out, u64::from(count));
        }
        write_values(&self.columns.of_classes, self.values, out);
        out.push(b'\n');
    }
}

impl EpisodeRow<'_> {
    /// Appends the row, line end included.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.lead);
        out.extend_from_slice(self.table.setting.word().as_bytes());
        let totals = self.totals;
        for number in [u64::from(self.episode), self.way as u64, totals.correct, totals.total] {
            out.push(b',');
            whole(out, number);
        }
        write_values(&self.columns.of_classes, &totals.values, out);
        write_measures(&self.columns.of_episodes, self.measures, out);
        for hash in [&self.table.draw_sha256, &self.table.items_sha256] {
            out.push(b',');
            text(out, hash);
        }
        out.push(b'\n');
    }
}

impl OpenSetRow<'_> {
    /// Appends the row, line end included.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.lead);
        for count in [self.episode, self.counts.in_scope, self.counts.oos] {
            whole(out, u64::from(count));
            out.push(b',');
        }
        float(out, self.counts.threshold.map(f64::from));
        write_measures(&self.columns.of_open_set, self.measures, out);
        out.push(b'\n');
    }
}

impl ScaledRow<'_> {
    /// Appends the row, line end included.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.lead);
        float(out, Some(self.temperature));
        out.push(b',');
        whole(out, u64::from(self.episode));
        write_measures(&self.columns.of_temperature, self.measures, out);
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
        for number in [self.confidence, self.confidence_score] {
            out.push(b',');
            float(out, number.map(f64::from));
        }
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::fixtures::Made;

    #[test]
    fn rows_written_by_hand_begin_as_those_of_structs_do() {
        let key = Made::default().table("a, b", "1", 5).key();
        let mut by_serde = Vec::new();
        cells::append(&mut by_serde, [(&key, "end")]);
        assert_eq!([lead(&key), b"end\n".to_vec()].concat(), by_serde);
    }

    #[test]
    fn every_metric_of_an_episode_has_its_column() {
        let columns = Columns::all();
        let key = "protocol,learner,parameters,shot,features,dataset,seed_train";
        assert_eq!(
            columns.open_set(),
            format!(
                "{key},episode,in_scope,oos,threshold,aurc,aurc-open-set,auroc,fpr95,in-scope-accuracy-at-95,oos-recall"
            )
        );
        assert_eq!(columns.temperature_scaled(), format!("{key},temperature,episode,nll-ts"));
        let counts = OpenSetCounts { in_scope: 75, oos: 0, threshold: None };
        let measures = [(Metric::AURC, 0.25), (Metric::NLL_TS, 1.5)];
        let (lead, mut rows) = (b"p,l,,1,f,d,,".as_slice(), Vec::new());
        OpenSetRow { lead, episode: 3, counts: &counts, measures: &measures, columns: &columns }
            .write(&mut rows);
        ScaledRow { lead, temperature: 0.5, episode: 3, measures: &measures, columns: &columns }
            .write(&mut rows);
        let expected = "p,l,,1,f,d,,3,75,0,,0.25,,,,,\np,l,,1,f,d,,0.5,3,1.5\n";
        assert_eq!(String::from_utf8(rows).unwrap(), expected);
    }
}
