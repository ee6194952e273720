//! A chunk of a draw as all learners answered it: what tables are filled with, live or from a journal.

use super::generalised::QueryStanding;
use super::open_set::OpenSetCounts;
use super::tally::EpisodeOutcome;
use crate::metric::Metric;
use crate::vocab::{ClassId, ItemId};

/// Consecutive episodes, answered in every table of one protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// The number of the first episode.
    pub first: u32,
    /// How many episodes there are, 1 or more.
    pub episodes: u32,
    /// One entry per table, in any order.
    pub tables: Vec<TableChunk>,
}

/// The same episodes in one table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableChunk {
    /// The table, by its place among those of the protocol.
    pub table: usize,
    /// Episodes whose fit did not converge.
    pub unconverged: u64,
    /// The episodes, in order.
    pub episodes: Vec<EpisodeRecord>,
}

/// One episode as one learner answered it.
#[derive(Clone, Debug, PartialEq)]
pub struct EpisodeRecord {
    /// Counts and losses.
    pub outcome: EpisodeOutcome,
    /// Queries whose highest score was shared.
    pub ties: u32,
    /// The predicted probability of each answer, with whether it was correct; none for scores that only rank.
    pub confidences: Vec<(f32, bool)>,
    /// The same at the selected temperature, in their order; none where none was selected.
    pub scaled: Vec<f32>,
    /// The metrics that are computed from all answers of the episode and were asked for.
    pub measures: Vec<(Metric, f64)>,
    /// What those of confidence scores rest on, where such are asked for.
    pub open_set: Option<OpenSetCounts>,
    /// The queries, where they are to be written.
    pub queries: Vec<QueryOutcome>,
    /// How the queries stand between seen and unseen classes, where both are candidates.
    pub margins: Vec<QueryStanding>,
}

/// One query and its answer, for `queries.csv`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QueryOutcome {
    /// Its class.
    pub class: ClassId,
    /// Its row in the feature store.
    pub item: ItemId,
    /// The class it was taken for.
    pub predicted: ClassId,
    /// The predicted probability of that class; absent for scores that only rank.
    pub confidence: Option<f32>,
    /// What orders answers from doubtful to safe.
    pub confidence_score: Option<f32>,
}

impl Chunk {
    /// The number of the episode behind the last.
    pub fn end(&self) -> u32 {
        self.first + self.episodes
    }
}
