//! Result files: what a run writes, what comparing reads back, and the record of a run.
//!
//! It gets plain records, in the order of episodes, and never sees a learner, a draw or an item. A run opens
//! [`Results`], begins one [`TableWriter`] per protocol, learner and shot, and commits: only then do files appear under
//! their final names. The columns are those of `rows`; the floats are the shortest text that reads back to the same
//! f64; rows are sorted whatever the order of the work. How results look to people is not decided here.

pub(crate) mod cells;
mod chunk;
pub(crate) mod class_level;
mod commit;
mod error;
#[cfg(test)]
pub(crate) mod fixtures;
mod generalised;
mod hash;
mod journal;
mod machine;
mod open_set;
mod part;
mod parts;
#[cfg(feature = "parquet")]
mod queries_parquet;
mod read;
mod request;
pub(crate) mod rows;
mod run_key;
mod run_record;
mod scaled;
mod staging;
mod table;
mod tally;
pub(crate) mod text;
mod trials;
mod verify;
mod warning;
mod writer;

pub use chunk::{Chunk, EpisodeRecord, QueryOutcome, TableChunk};
pub use commit::Results;
pub use error::ResultsError;
pub use generalised::QueryStanding;
pub use journal::Journal;
pub use machine::Machine;
pub use open_set::OpenSetCounts;
pub use parts::{PartError, PartFolder, common_warnings, total_seconds};
pub use read::{
    Dealt, Flaw, ReadError, ReadQuery, ReadTable, ResultsFolder, digest, read_queries, read_record,
};
pub use request::{Inputs, Queries, Request, Text};
pub use rows::SummaryRow;
pub use run_key::{Compatibility, Difference, FeatureKey, PlannedTable, ProtocolKey, RunKey, Shard};
pub use run_record::{ChosenRecord, LearnerRecord, PartRecord, ProtocolRecord, RunRecord, VectorsRecord};
pub use staging::{LeftOver, was_killed};
pub use table::{Selection, Size, Table, TableKey};
pub use tally::{ClassOutcome, EpisodeOutcome, EpisodeTotals, Measured, Tally};
pub use trials::{TrialRow, trials_file};
pub use verify::{Published, Standing, compare_published, compare_tables, edited_files};
pub use warning::{FEW_EPISODES, MissingRequirement, Warning};
pub use writer::{FinishedTable, TableWriter};
