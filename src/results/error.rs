//! What can go wrong while results are collected and written.

use std::io;
use std::path::{Path, PathBuf};

use super::run_key::Difference;
use super::table::TableKey;
use crate::vocab::counted;

/// Why results could not be collected or written.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// A file or folder could not be made, written, read or moved.
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        /// What was tried, as a verb.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder holds results that nobody allowed to be replaced.
    #[error(
        "{} already holds results of another run ({file})\nhint: name another folder with --out, or give --overwrite",
        folder.display()
    )]
    Occupied {
        /// The folder.
        folder: PathBuf,
        /// A file that is there.
        file: String,
    },
    /// The path of the results, or a part of it, is taken by something that is not a folder.
    #[error("{} is not a folder, results need one\nhint: name another folder with --out", path.display())]
    NotAFolder {
        /// What is there.
        path: PathBuf,
    },
    /// Something that is not a file stands where a result file belongs.
    #[error("{} is in the way of a result file of this name and is not a file", path.display())]
    InTheWay {
        /// What is in the way.
        path: PathBuf,
    },
    /// A link stands where a run keeps its own files.
    #[error("{} is a link, and runs write into their own folder alone\nhint: remove it", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// Another run is writing into the folder.
    #[error("another run is writing results into {}\nhint: name another folder with --out", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// A killed run left a journal, and nobody said what to do with it.
    #[error(
        "{} holds {} of a run that was ended before its time\nhint: go on with --resume, or drop them with --overwrite",
        folder.display(), counted(*episodes, "finished episode", "finished episodes")
    )]
    LeftOver {
        /// The folder.
        folder: PathBuf,
        /// Finished episodes in the journal.
        episodes: u64,
    },
    /// The journal is of another run.
    #[error(
        "{} holds a run that cannot be gone on with: {} is {} there and {} here\nhint: give what it was begun with, or drop it with --overwrite",
        folder.display(), difference.what, difference.one, difference.other
    )]
    OtherRun {
        /// The folder.
        folder: PathBuf,
        /// The first thing that is not the same.
        difference: Difference,
    },
    /// A journal or part whose bytes are not those that were written.
    #[error("{} is damaged at byte {at}\nhint: evaluate this part again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the damage begins.
        at: u64,
    },
    /// Two tables of one name.
    #[error("{key} is evaluated twice; every learner needs other parameters")]
    Twice {
        /// The table.
        key: TableKey,
    },
    /// Two files of one name.
    #[error("a results folder holds one file of a name, {name} is written twice")]
    FileTwice {
        /// The name.
        name: String,
    },
    /// Episodes out of order.
    #[error("{key}: episodes must come in rising order, got {episode} after {last}")]
    Order {
        /// The table.
        key: TableKey,
        /// The episode given.
        episode: u32,
        /// The one before.
        last: u32,
    },
    /// A class number beyond the list of names.
    #[error("{key}: class {class} has no name, there are {known} classes")]
    UnnamedClass {
        /// The table.
        key: TableKey,
        /// The class number.
        class: u32,
        /// Names that are known.
        known: usize,
    },
    /// Counts that cannot be, or a value that is not a number.
    #[error("{key}, episode {episode}: {rule}")]
    Outcome {
        /// The table.
        key: TableKey,
        /// The episode.
        episode: u32,
        /// The rule that does not hold.
        rule: &'static str,
    },
    /// A predicted probability outside 0 and 1.
    #[error("{key}: a confidence must lie between 0 and 1, got {found}")]
    Confidence {
        /// The table.
        key: TableKey,
        /// The value given.
        found: f32,
    },
    /// Confidences that do not belong to the outcomes.
    #[error(
        "{key}: confidences must cover every query, got {confidences} ({confident} correct) for {queries} queries \
         ({correct} correct)"
    )]
    Confidences {
        /// The table.
        key: TableKey,
        /// Confidences given.
        confidences: u64,
        /// Of these, of correct answers.
        confident: u64,
        /// Queries counted in the outcomes.
        queries: u64,
        /// Of these, correct.
        correct: u64,
    },
    /// A table without an episode.
    #[error("{key}: a table needs an episode or more, got none")]
    NoEpisode {
        /// The table.
        key: TableKey,
    },
    /// A table that was begun and never added.
    #[error("{key} was begun and not finished, so the results are not complete")]
    Unfinished {
        /// The table.
        key: TableKey,
    },
    /// The run record says nothing of a protocol and its features that have results.
    #[error("the run record must name every protocol and feature set, `{protocol}` on {features} is missing")]
    Unrecorded {
        /// The protocol.
        protocol: String,
        /// The feature set.
        features: String,
    },
    /// The run record could not be written as JSON.
    #[error("cannot write the run record: {0}")]
    Record(#[from] serde_json::Error),
}

impl ResultsError {
    /// Wraps what the system said, for `map_err`.
    pub(super) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ResultsError {
        move |source| ResultsError::File { doing, path: path.to_path_buf(), source }
    }
}

impl ResultsError {
    /// Whether the request is to blame: a folder that cannot be used, or a table that is asked for twice.
    pub fn is_request(&self) -> bool {
        use ResultsError::{Busy, InTheWay, LeftOver, Link, NotAFolder, Occupied, OtherRun, Twice};
        matches!(
            self,
            Occupied { .. }
                | NotAFolder { .. }
                | InTheWay { .. }
                | Busy { .. }
                | Link { .. }
                | Twice { .. }
                | LeftOver { .. }
                | OtherRun { .. }
        )
    }

    /// Whether the data is to blame.
    pub fn is_data(&self) -> bool {
        matches!(self, ResultsError::Damaged { .. })
    }
}
