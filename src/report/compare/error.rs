//! Why results cannot be compared.

use std::path::PathBuf;

use crate::metric::Metric;
use crate::results::TableKey;

/// A comparison that was refused.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The same learner on the same episodes, twice.
    #[error("{key} is in {} and in {}\nhint: name each result once", first.display(), second.display())]
    Twice {
        /// The table.
        key: TableKey,
        /// A folder that has it.
        first: PathBuf,
        /// Another one.
        second: PathBuf,
    },
    /// Rules of one name that changed in between.
    #[error(
        "protocol {protocol} cannot be paired, because its versions differ: {first_version} in {} and {second_version} in {}",
        first.display(), second.display()
    )]
    Versions {
        /// The protocol.
        protocol: String,
        /// Its version in the first folder.
        first_version: u32,
        /// A folder.
        first: PathBuf,
        /// Its version in the second folder.
        second_version: u32,
        /// Another one.
        second: PathBuf,
    },
    /// Results of one protocol on other episodes or features.
    #[error(
        "protocol {protocol} (shot {shot}) cannot be paired, because the {what} differ: {first_sha256} in {} and \
         {second_sha256} in {}\nhint: {hint}",
        first.display(), second.display()
    )]
    Differ {
        /// The protocol.
        protocol: String,
        /// The shot.
        shot: String,
        /// What differs: draws, features, or both.
        what: &'static str,
        /// Hashes of the first folder.
        first_sha256: String,
        /// A folder.
        first: PathBuf,
        /// Hashes of the second folder.
        second_sha256: String,
        /// Another one.
        second: PathBuf,
        /// What can be done.
        hint: &'static str,
    },
    /// Tables of one draw whose episodes are not the same.
    #[error("{key}: the episodes in {} are not those in {}, although the draws have one hash", second.display(), first.display())]
    Episodes {
        /// The table.
        key: TableKey,
        /// A folder.
        first: PathBuf,
        /// Another one.
        second: PathBuf,
    },
    /// A metric without a value per episode.
    #[error("{metric} cannot be paired episode by episode, expected one of {}", paired())]
    Metric {
        /// The metric.
        metric: Metric,
    },
    /// Fewer than two learners.
    #[error("a comparison needs two learners on the same episodes, found {found}")]
    Alone {
        /// The learners that have the metric.
        found: String,
    },
    /// A baseline that is not there.
    #[error("baseline `{asked}` is not in the results, expected one of {known}")]
    NoBaseline {
        /// The baseline as typed.
        asked: String,
        /// The learners.
        known: String,
    },
    /// A baseline that fits several learners.
    #[error("baseline `{asked}` fits several learners, expected one of {known}")]
    SeveralBaselines {
        /// The baseline as typed.
        asked: String,
        /// The learners that fit.
        known: String,
    },
    /// A smallest difference that is none.
    #[error("the smallest difference that matters must be above 0, got {found}")]
    Smallest {
        /// The value given.
        found: f64,
    },
}

/// The metrics with a value per episode.
fn paired() -> String {
    let names = Metric::all().into_iter().filter(|metric| metric.is_per_episode());
    names.map(|metric| format!("`{metric}`")).collect::<Vec<_>>().join(", ")
}

impl CompareError {
    /// Whether the question is wrong, rather than the results.
    pub fn is_request(&self) -> bool {
        match self {
            CompareError::Metric { .. }
            | CompareError::Alone { .. }
            | CompareError::NoBaseline { .. }
            | CompareError::SeveralBaselines { .. }
            | CompareError::Smallest { .. } => true,
            CompareError::Twice { .. }
            | CompareError::Versions { .. }
            | CompareError::Differ { .. }
            | CompareError::Episodes { .. } => false,
        }
    }
}
