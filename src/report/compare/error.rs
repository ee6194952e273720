//! Why results cannot be compared.

use crate::metric::Metric;
use crate::results::{TableKey, class_level};

/// A comparison that was refused.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// One row in two results, with other outcomes.
    #[error(
        "{key} is in {first} and in {second} with different outcomes, from episode {episode} on\n\
         hint: one of the two was computed otherwise; name only one of them"
    )]
    Twice {
        /// The table.
        key: TableKey,
        /// The results that have it.
        first: String,
        /// Others.
        second: String,
        /// The first episode whose outcomes differ.
        episode: u32,
    },
    /// Results of one protocol that have no common episodes.
    #[error("{0}")]
    Differ(Box<Difference>),
    /// Tables of one draw whose episodes are not the same.
    #[error("{key}: the episodes in {second} are not those in {first}, although the draws have one hash")]
    Episodes {
        /// The table.
        key: TableKey,
        /// The results of the first.
        first: String,
        /// Those of the second.
        second: String,
    },
    /// A metric without a value per episode.
    #[error("{metric} cannot be paired episode by episode, nor class by class, expected one of {}", paired())]
    Metric {
        /// The metric.
        metric: Metric,
    },
    /// Fewer than two methods.
    #[error("a comparison needs two methods on the same episodes, found {found}")]
    Alone {
        /// The methods that have the metric.
        found: String,
    },
    /// A single episode, which has no spread.
    #[error(
        "a paired comparison needs two episodes or more, or ten classes in a single one, and protocol {protocol} has {episodes} \
         episode\n\
         hint: evaluate with more, `--episodes 600`"
    )]
    FewEpisodes {
        /// The protocol.
        protocol: String,
        /// The episodes that its methods share.
        episodes: usize,
    },
    /// A baseline that is not there.
    #[error("baseline `{asked}` is not in the results, expected one of {known}{hint}")]
    NoBaseline {
        /// The baseline as typed.
        asked: String,
        /// The methods.
        known: String,
        /// The line of a hint, or nothing.
        hint: String,
    },
    /// A baseline that fits several methods.
    #[error("baseline `{asked}` fits several methods, expected one of {known}")]
    SeveralBaselines {
        /// The baseline as typed.
        asked: String,
        /// The methods that fit.
        known: String,
    },
    /// An equivalence margin that is none.
    #[error("the equivalence margin must be above 0, got {found}")]
    Margin {
        /// The value given.
        found: f64,
    },
}

/// The first difference that keeps results from being paired.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error(
    "protocol {protocol} (shot {shot}) cannot be paired, because the {what}: {first_value} in {first} and \
     {second_value} in {second}\nhint: {hint}"
)]
pub struct Difference {
    /// The protocol.
    pub protocol: String,
    /// The shot.
    pub shot: String,
    /// What differs, as a clause.
    pub what: String,
    /// What the first results have.
    pub first_value: String,
    /// The first results.
    pub first: String,
    /// What the second results have.
    pub second_value: String,
    /// The second results.
    pub second: String,
    /// What can be done.
    pub hint: &'static str,
}

/// The metrics with a value per episode, and those of classes.
fn paired() -> String {
    let names = Metric::all()
        .into_iter()
        .filter(|metric| metric.is_per_episode() || class_level::is_of_counts(*metric));
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
            | CompareError::Margin { .. } => true,
            CompareError::Twice { .. }
            | CompareError::FewEpisodes { .. }
            | CompareError::Differ(_)
            | CompareError::Episodes { .. } => false,
        }
    }

    /// Whether the results are sound, and there is only nothing to compare in them.
    pub fn is_nothing_to_compare(&self) -> bool {
        matches!(self, CompareError::Alone { .. } | CompareError::FewEpisodes { .. })
    }
}
