//! Why a table of scores cannot be read, or not be ranked.

use std::io;
use std::path::PathBuf;

/// What is wrong with a table of scores; each variant is one sentence.
#[derive(Debug, thiserror::Error)]
pub enum ScoresError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The bytes are not what the name of the file promises.
    #[error("{place}: {why}")]
    Damaged {
        /// File, and line where known.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// A file of another kind.
    #[error(
        "{} is no table of scores, expected .csv, .tsv, .jsonl (each also with .gz), .parquet or a folder of MTEB results{}",
        path.display(),
        if cfg!(feature = "parquet") { "" } else { "\nhint: this build reads no .parquet; build with `--features parquet`" }
    )]
    Kind {
        /// The file.
        path: PathBuf,
    },
    /// A column that is needed is absent.
    #[error("{file} has no column for the {what}, expected {expected}, found {found}{hint}")]
    NoColumn {
        /// The file.
        file: String,
        /// What the column is for.
        what: &'static str,
        /// The names that it may have.
        expected: String,
        /// The columns of the file.
        found: String,
        /// The way on, or nothing.
        hint: &'static str,
    },
    /// One name for two columns.
    #[error("{file} has two columns `{name}`")]
    TwoColumns {
        /// The file.
        file: String,
        /// The name.
        name: String,
    },
    /// A cell that is no number.
    #[error(
        "{place}: column `{column}` must be a finite number, got `{found}`\nhint: leave out the row of a missing score; nothing is filled in"
    )]
    Number {
        /// File and line.
        place: String,
        /// The column.
        column: String,
        /// The cell.
        found: String,
    },
    /// A name that is empty.
    #[error("{place}: column `{column}` is empty")]
    Empty {
        /// File and line.
        place: String,
        /// The column.
        column: String,
    },
    /// One method, data set and draw twice.
    #[error(
        "{place}: method `{method}` has draw `{draw}` of `{data_set}` a second time, first in line {first}\nhint: a score stands once; give other revisions other names"
    )]
    Twice {
        /// File and line.
        place: String,
        /// The method.
        method: String,
        /// The draw.
        draw: String,
        /// The data set.
        data_set: String,
        /// The line of the first.
        first: u64,
    },
    /// Fractions and percent in one data set.
    #[error(
        "{place}: `{data_set}` mixes fractions and percent: {fraction} scores lie between 0 and 1, {percent} above\nhint: bring the column `{column}` to one scale"
    )]
    Scales {
        /// File, and the line of the first score that is not on the scale of the first.
        place: String,
        /// The data set.
        data_set: String,
        /// What looks like fractions.
        fraction: String,
        /// What looks like percent.
        percent: String,
        /// The column.
        column: String,
    },
    /// No rows at all, or nothing to compare.
    #[error("{file}: a ranking needs two methods of one data set, found {found}")]
    Alone {
        /// The file.
        file: String,
        /// What there is.
        found: String,
    },
    /// One draw a method.
    #[error(
        "{file}: method `{method}` has one draw of `{data_set}`, and a single number has no spread\nhint: a column `draw`, `seed` or `fold` tells draws apart, with two of each method or more"
    )]
    OneDraw {
        /// The file.
        file: String,
        /// The method.
        method: String,
        /// The data set.
        data_set: String,
    },
    /// Draws that are said to be the same, and are not.
    #[error(
        "{file}: draws of `{data_set}` cannot be paired: {why}\nhint: without `--paired draw` the methods are compared unpaired"
    )]
    NotPaired {
        /// The file.
        file: String,
        /// The data set.
        data_set: String,
        /// What differs.
        why: String,
    },
}
