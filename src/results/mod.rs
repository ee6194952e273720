//! Result files: what a run writes, what comparing reads back, and the record of a run.
//!
//! It gets plain records, in the order of episodes, and never sees a learner, a draw or an item. A run opens
//! [`Results`], begins one [`TableWriter`] per protocol, learner and shot, and commits: only then do files appear under
//! their final names. The columns are those of [`rows`]; the floats are the shortest text that reads back to the same
//! f64; rows are sorted whatever the order of the work. How results look to people is not decided here.

mod calibration;
pub(crate) mod cells;
mod certainty;
mod commit;
mod error;
#[cfg(test)]
pub(crate) mod fixtures;
mod generalised;
mod journal;
mod machine;
mod part;
mod parts;
#[cfg(feature = "parquet")]
mod queries_parquet;
mod read;
mod request;
pub mod rows;
mod run_record;
mod staging;
mod stretch;
mod table;
mod tally;
mod tempered;
mod terms;
pub(crate) mod text;
mod trials;
mod verify;
mod warning;
mod writer;

pub use calibration::{BINS, Bin, Confidences, ece};
pub use certainty::CertaintyOutcome;
pub use commit::Results;
pub use error::ReportError;
pub use generalised::QueryStanding;
pub use journal::Journal;
pub use machine::Machine;
pub use parts::{PartError, PartFolder, common_warnings, total_seconds};
pub use read::{
    Dealt, Flaw, ReadError, ReadQuery, ReadTable, ResultsFolder, digest, read_queries, read_record,
};
pub use request::{Inputs, Queries, Request, Text};
pub use rows::SummaryRow;
pub use run_record::{ChosenRecord, LearnerRecord, PartRecord, ProtocolRecord, RunRecord, VectorsRecord};
pub use staging::{LeftOver, was_killed};
pub use stretch::{EpisodeRecord, QueryOutcome, Stretch, TableStretch, TemperedRecord};
pub use table::{Selection, Size, Table, TableKey};
pub use tally::{ClassOutcome, EpisodeOutcome, EpisodeTotals, Measured, Tally};
pub use terms::{Difference, FeatureTerms, Kinship, ProtocolTerms, Shard, TableTerms, Terms};
pub use trials::{TrialRow, trials_file};
pub use verify::{Published, Standing, compare_published, compare_tables, edited_files};
pub use warning::{FEW_EPISODES, Lack, Warning};
pub use writer::{FinishedTable, TableWriter};
