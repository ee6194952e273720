//! The columns of the result files, and their rows as bytes.
//!
//! `outcomes.csv` is the raw truth; the others can be computed from it (`bins.csv` from the queries). Files with a row per
//! table or episode begin with the columns of [`TableKey`]. The large files are written here by hand; the small ones are
//! structs whose fields are the columns.

mod small;
mod summary;

use super::cells;
use super::table::TableKey;
use super::tally::{ClassOutcome, EpisodeTotals};
use super::text::{float, text, whole};
use crate::vocab::Setting;

pub(crate) use small::{BinCells, ClusterCells, CurveCells, SideCells, TemperedCells};
pub(crate) use summary::{NO_INTERVAL, SummaryCells, interval_word};
pub use summary::{SEQUENTIAL, SummaryRow};

/// The columns that tell one table from another, which most files begin with.
macro_rules! keyed {
    ($columns:literal) => {
        concat!("protocol,learner,parameters,shot,features,dataset,seed_train,", $columns)
    };
}

/// Columns of `outcomes.csv`: one row per episode and class.
pub const OUTCOME_COLUMNS: &str = keyed!("episode,label,class,correct,total,nll,brier");

/// Columns of `episodes.csv`: one row per episode.
pub const EPISODE_COLUMNS: &str =
    keyed!("setting,episode,way,correct,total,nll,brier,draw_sha256,items_sha256");

/// Columns of `queries.csv`: one row per query; `item` is its row in the feature store, from 0.
///
/// `class` is that of its items also for a query outside the task. `certainty` is what orders answers.
pub const QUERY_COLUMNS: &str = keyed!("episode,class,item,predicted,confidence,certainty");

/// Columns of `certainty.csv`: one row per episode, where a measure of certainty is asked for.
pub const CERTAINTY_COLUMNS: &str = keyed!(
    "episode,inside,outside,threshold,accuracy-at-95,aurc,aurc-outside,auroc,fpr-at-95,outside-recall"
);

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
    /// The table it belongs to, as [`lead`] writes it.
    pub lead: &'a [u8],
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
    /// SHA-256 of the items' identities.
    pub items_sha256: &'a str,
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

/// The cells of a table's key, each with the comma after it.
pub fn lead(key: &TableKey) -> Vec<u8> {
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
        out.extend_from_slice(self.lead);
        out.extend_from_slice(self.setting.word().as_bytes());
        let totals = self.totals;
        for number in [u64::from(self.episode), self.way as u64, totals.correct, totals.total] {
            out.push(b',');
            whole(out, number);
        }
        for value in [totals.nll, totals.brier] {
            out.push(b',');
            float(out, value);
        }
        for hash in [self.draw_sha256, self.items_sha256] {
            out.push(b',');
            text(out, hash);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::fixtures::Made;

    #[test]
    fn the_files_written_by_hand_begin_with_the_fields_of_the_key() {
        let key = cells::columns::<TableKey>().join(",");
        for columns in [OUTCOME_COLUMNS, EPISODE_COLUMNS, QUERY_COLUMNS, CERTAINTY_COLUMNS] {
            assert!(columns.starts_with(&format!("{key},")), "{columns}");
        }
        let key = Made::default().table("a, b", "1", 5).key();
        let mut by_serde = Vec::new();
        cells::append(&mut by_serde, [(&key, "end")]);
        assert_eq!([lead(&key), b"end\n".to_vec()].concat(), by_serde);
    }
}
