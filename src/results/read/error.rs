//! Why a folder of results cannot be trusted: the file, the line, and what is wrong there.

use std::io;
use std::path::{Path, PathBuf};

use crate::metric::Metric;
use crate::results::{Shard, TableKey};
use crate::stats::Population;
use crate::vocab::UnknownWord;

/// A folder of results that was refused.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file that is not there or cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line that is wrong.
    #[error("{} line {line}: {flaw}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        flaw: Flaw,
    },
    /// A file that is wrong as a whole.
    #[error("{}: {flaw}", path.display())]
    Whole {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        flaw: Flaw,
    },
}

/// What is wrong with a line or a file.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Flaw {
    /// A column that should be there.
    #[error("column `{column}` is missing")]
    NoColumn {
        /// Its name.
        column: String,
    },
    /// A column that does not belong into the file, or stands there twice.
    #[error("column `{column}` does not belong here")]
    OtherColumn {
        /// Its name.
        column: String,
    },
    /// A line that is too short or too long.
    #[error("expected {expected} cells, found {found}")]
    Cells {
        /// Cells of the header.
        expected: usize,
        /// Cells of the line.
        found: usize,
    },
    /// The last line has no end.
    #[error(
        "the last line is cut off\nhint: the file was not written to its end or was edited; evaluate again"
    )]
    CutOff,
    /// Bytes that are no CSV or no text.
    #[error("not readable as text in comma-separated cells: {0}")]
    Text(String),
    /// A cell that should hold a number.
    #[error("`{column}` must be {expected}, found `{found}`")]
    Cell {
        /// The column.
        column: String,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A word that nobody knows.
    #[error(transparent)]
    Word(#[from] UnknownWord),
    /// What the type of a cell says of it.
    #[error("{0}")]
    Said(String),
    /// The run record is no JSON, or not of the right kind.
    #[error("not a run record: {0}")]
    Record(String),
    /// Written by a version whose files may mean something else.
    #[error("written by kshot {found}, this is kshot {here}\nhint: evaluate again, or use kshot {found}")]
    Version {
        /// The version that wrote it.
        found: String,
        /// The version that reads it.
        here: &'static str,
    },
    /// One row says what another row or file of the same results contradicts.
    #[error("`{column}` is `{found}`, but {other} has `{expected}`\nhint: the files are not of one run")]
    Differs {
        /// The column.
        column: &'static str,
        /// What it says here.
        found: String,
        /// Where it says something else.
        other: &'static str,
        /// What it says there.
        expected: String,
    },
    /// A table that another file does not have.
    #[error("{key} has no rows in {other}\nhint: the files are not of one run")]
    NoTable {
        /// The table.
        key: TableKey,
        /// The file that lacks it.
        other: &'static str,
    },
    /// A class that clusters.csv leaves out.
    #[error("class {class} has no row in clusters.csv\nhint: the files are not of one run")]
    NoCluster {
        /// The class.
        class: String,
    },
    /// The protocol of a row, or its feature set, is not in the run record.
    #[error("protocol `{protocol}` on {features} is not in run.json\nhint: the files are not of one run")]
    NoProtocol {
        /// The protocol.
        protocol: String,
        /// The feature set.
        features: String,
    },
    /// A row that is there twice.
    #[error("{what} is there twice")]
    Twice {
        /// What the row is about.
        what: String,
    },
    /// Rows out of order.
    #[error("episodes must come in rising order, found {found} after {last}")]
    Order {
        /// The episode before.
        last: u32,
        /// The episode found.
        found: u32,
    },
    /// Rows that another file promises.
    #[error("{key}: expected {expected} {what}, found {found}")]
    Count {
        /// The table.
        key: TableKey,
        /// What is counted.
        what: &'static str,
        /// How many there should be.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// A value that does not follow from the episodes.
    #[error(
        "{key}: {metric} is {found}, but its episodes give {expected}\nhint: one of the files was changed"
    )]
    Value {
        /// The table.
        key: TableKey,
        /// The metric.
        metric: String,
        /// The value in the summary.
        found: f64,
        /// The value from the episodes.
        expected: f64,
    },
    /// An interval that the episodes of a table give, and that has no row.
    #[error(
        "{key}: no row for the {population} interval of {metric}, which its episodes give\nhint: one of the files was changed"
    )]
    NoInterval {
        /// The table.
        key: TableKey,
        /// The metric.
        metric: Metric,
        /// What the interval speaks about.
        population: Population,
    },
    /// An interval that the episodes of a table do not give.
    #[error(
        "{key}: {metric} has the interval `{interval}`, which its episodes do not give\nhint: one of the files was changed"
    )]
    OtherInterval {
        /// The table.
        key: TableKey,
        /// The metric.
        metric: Metric,
        /// The word of the file.
        interval: &'static str,
    },
    /// An interval that is said to be made otherwise than its episodes give it.
    #[error(
        "{key}: the interval of {metric} is said to be `{found}`, and its episodes give `{expected}`\n\
         hint: one of the files was changed"
    )]
    Method {
        /// The table.
        key: TableKey,
        /// The metric.
        metric: Metric,
        /// The word of the file.
        found: &'static str,
        /// What the episodes give.
        expected: &'static str,
    },
    /// A file whose bytes are not those that the run wrote.
    #[error(
        "changed since the run wrote it: its sha256 is not the one in run.json\nhint: `kshot rerun` makes the results again"
    )]
    Edited,
    /// Counts that cannot be.
    #[error("{correct} of {total} queries cannot be correct")]
    Counts {
        /// Correct answers.
        correct: u64,
        /// Queries.
        total: u64,
    },
    /// A part of an evaluation.
    #[error("only part {part} of an evaluation\nhint: join all parts with `kshot merge`")]
    Part {
        /// Which part.
        part: Shard,
    },
    /// No rows at all.
    #[error("there are no results in it")]
    Empty,
}

impl ReadError {
    /// Wraps what the system said, for `map_err`.
    pub(in crate::results) fn file(path: &Path) -> impl FnOnce(io::Error) -> ReadError {
        move |source| ReadError::File { path: path.to_path_buf(), source }
    }

    /// A flaw of a whole file.
    pub(in crate::results) fn whole(path: &Path, flaw: Flaw) -> ReadError {
        ReadError::Whole { path: path.to_path_buf(), flaw }
    }
}
