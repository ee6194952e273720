//! A stretch of a draw as all learners answered it: what tables are filled with, live or from a journal.

use super::certainty::CertaintyOutcome;
use super::generalised::QueryStanding;
use super::tally::EpisodeOutcome;
use crate::vocab::{ClassId, ItemId};

/// Consecutive episodes, answered in every table of one protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// The number of the first episode.
    pub first: u32,
    /// How many episodes there are, 1 or more.
    pub episodes: u32,
    /// One entry per table, in any order.
    pub tables: Vec<TableStretch>,
}

/// The same episodes in one table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableStretch {
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
    /// Each claimed probability, with whether the answer was correct; none for scores that only rank.
    pub claims: Vec<(f32, bool)>,
    /// The same claims at the selected temperature, where one was selected.
    pub tempered: Option<TemperedRecord>,
    /// The queries, where they are to be written.
    pub queries: Vec<QueryOutcome>,
    /// How certain the answers were, where a measure of that is asked for.
    pub certainty: Option<CertaintyOutcome>,
    /// How the queries stand between seen and unseen classes, where both are candidates.
    pub margins: Vec<QueryStanding>,
}

/// The claims of an episode at the selected temperature of its table.
#[derive(Clone, Debug, PartialEq)]
pub struct TemperedRecord {
    /// Mean negative log-likelihood over the queries.
    pub nll: f64,
    /// The claimed probabilities, in the order of [`EpisodeRecord::claims`].
    pub confidences: Vec<f32>,
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
    /// The claimed probability of that class; absent for scores that only rank.
    pub confidence: Option<f32>,
    /// What orders answers from doubtful to safe.
    pub certainty: Option<f32>,
}

impl Stretch {
    /// The number of the episode behind the last.
    pub fn end(&self) -> u32 {
        self.first + self.episodes
    }
}
