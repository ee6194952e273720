//! Where a protocol, a draw and a dataset do not agree.

use std::fmt;

use super::error::SampleError;
use crate::protocol::Protocol;
use crate::vocab::{Duplicates, Scope, Split, counted};

/// Who made a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// This sampler, from the protocol.
    Sampler,
    /// Somebody else, or for another protocol.
    Elsewhere,
}

/// What a finding means for an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It goes on, and the report says it.
    Warning,
    /// It does not begin.
    Refused,
}

/// Where a rule is broken first, and how often beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cases {
    /// The number of the first episode that breaks it.
    pub episode: u32,
    /// How many cases there are in all.
    pub count: usize,
    /// In how many episodes they are.
    pub episodes: usize,
    /// The number of the last of these.
    pub last: u32,
}

impl Cases {
    /// The first case.
    pub(super) fn first(episode: u32) -> Cases {
        Cases { episode, count: 1, episodes: 1, last: episode }
    }

    /// Counts another case, of the same episode or a later one.
    pub(super) fn add(&mut self, episode: u32) {
        self.count += 1;
        self.episodes += usize::from(episode != self.last);
        self.last = episode;
    }
}

impl fmt::Display for Cases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            0 | 1 => Ok(()),
            count => write!(f, " (the first of {count} cases)"),
        }
    }
}

/// A rule that is broken; each rule is told once, with its first case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the sentence above each field says what it is")]
pub enum Finding {
    /// The dataset has no such class or item.
    #[error("episode {} names a class or an item that the dataset does not have{at}", at.episode)]
    Foreign { at: Cases },
    /// An item is support and query at once, or twice on one side.
    #[error("episode {} names item {item} of class {class} twice{at}", at.episode)]
    Overlap { at: Cases, class: String, item: usize },
    /// Items of one group stand on both sides.
    #[error("in episode {}, query item {item} of class {class} is of one group with a support item{at}", at.episode)]
    Duplicate { at: Cases, class: String, item: usize },
    /// A class has two labels.
    #[error("class {class} stands twice in episode {}{at}", at.episode)]
    ClassTwice { at: Cases, class: String },
    /// A class belongs to another split.
    #[error("in episode {}, class {class} is of split {found}, the protocol asks for {asked}{at}", at.episode)]
    OtherSplit { at: Cases, class: String, found: Split, asked: Scope },
    /// A class is of the split, but not among those that the protocol lists.
    #[error("in episode {}, class {class} is not among the `classes` of the protocol{at}", at.episode)]
    Unlisted { at: Cases, class: String },
    /// An item belongs to another part.
    #[error("in episode {}, {side} item {item} of class {class} is not in part `{asked}`{at}", at.episode)]
    OtherPart { at: Cases, class: String, item: usize, side: &'static str, asked: String },
    /// An episode has another number of classes.
    #[error("episode {} has {}, the protocol asks for {asked}{at}", at.episode, counted(*found as u64, "class", "classes"))]
    OtherWay { at: Cases, found: usize, asked: String },
    /// A class has another number of support items.
    #[error("in episode {}, class {class} has {}, the protocol asks for {asked}{at}", at.episode, counted(*found as u64, "support item", "support items"))]
    OtherShot { at: Cases, class: String, found: usize, asked: String },
    /// A class has another number of queries, or an episode where the protocol counts them per episode.
    #[error("in episode {}, {whose} has {}, the protocol asks for {asked}{at}", at.episode, counted(*found as u64, "query", "queries"))]
    OtherQuery { at: Cases, whose: String, found: usize, asked: String },
    /// An episode has another number of out-of-scope queries.
    #[error("episode {} has {found} out-of-scope queries, the protocol asks for {asked}{at}", at.episode)]
    OtherOos { at: Cases, found: usize, asked: String },
    /// An out-of-scope query is of another class than the one that the protocol names.
    #[error("in episode {}, an out-of-scope query is of class {found}, the protocol asks for {asked}{at}", at.episode)]
    OosOfClass { at: Cases, found: String, asked: String },
    /// An item stands in two episodes of a draw without repetition.
    #[error("episode {} repeats item {item} of class {class} from an earlier episode{at}", at.episode)]
    Repeated { at: Cases, class: String, item: usize },
    /// The draw has another number of episodes.
    #[error("the draw has {}, the protocol asks for {asked}", counted(*found as u64, "episode", "episodes"))]
    OtherCount { found: usize, asked: String },
    /// The file of the draw is not the one that the protocol names.
    #[error(
        "the draw has sha256 {found}, the protocol names {asked}\nhint: the draw was made by another version of the protocol, or changed since"
    )]
    OtherHash { found: String, asked: String },
    /// The protocol cannot be drawn from the dataset at all.
    #[error("{0}")]
    Unsampleable(SampleError),
}

impl Finding {
    /// What it means for an evaluation under this protocol.
    ///
    /// Only of a draw made elsewhere is anything let pass: another number of episodes, another hash, classes too small
    /// for a fresh draw, and items of one group on both sides unless the protocol refuses them.
    pub fn severity(&self, protocol: &Protocol, maker: Maker) -> Severity {
        let passes = match self {
            Finding::Duplicate { .. } => protocol.duplicates() == Duplicates::Warn,
            Finding::OtherCount { .. } | Finding::OtherHash { .. } | Finding::Unsampleable(_) => true,
            _ => false,
        };
        if passes && maker == Maker::Elsewhere { Severity::Warning } else { Severity::Refused }
    }

    /// How many cases of it there are, 1 or more.
    pub fn count(&self) -> usize {
        self.clone().cases().map_or(1, |at| at.count)
    }

    /// In how many episodes it is, 1 or more.
    pub fn episodes(&self) -> usize {
        self.clone().cases().map_or(1, |at| at.episodes)
    }

    pub(super) fn cases(&mut self) -> Option<&mut Cases> {
        match self {
            Finding::Foreign { at }
            | Finding::Overlap { at, .. }
            | Finding::Duplicate { at, .. }
            | Finding::ClassTwice { at, .. }
            | Finding::OtherSplit { at, .. }
            | Finding::Unlisted { at, .. }
            | Finding::OtherPart { at, .. }
            | Finding::OtherWay { at, .. }
            | Finding::OtherShot { at, .. }
            | Finding::OtherQuery { at, .. }
            | Finding::OtherOos { at, .. }
            | Finding::OosOfClass { at, .. }
            | Finding::Repeated { at, .. } => Some(at),
            Finding::OtherCount { .. } | Finding::OtherHash { .. } | Finding::Unsampleable(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_not_episodes() {
        let mut at = Cases::first(3);
        [3, 3, 5, 5, 9].into_iter().for_each(|episode| at.add(episode));
        assert_eq!((at.episode, at.count, at.episodes), (3, 6, 3));
        let finding = Finding::Duplicate { at, class: "a".to_string(), item: 0 };
        assert_eq!((finding.count(), finding.episodes()), (6, 3));
    }
}
