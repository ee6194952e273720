//! Which tables may be laid side by side: the same items, the same shot, and the same episodes, or the same first ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::entry::Entry;
use super::error::CompareError;
use super::prefix::{self, Group};
use super::words::counted;
use crate::results::{Dealt, ReadTable, Selection, Size};

/// Tables on the same episodes of the same items; each row once.
#[derive(Clone, Debug)]
pub(in crate::report) struct Shared<'a> {
    pub protocol: String,
    pub shot: Size,
    pub entries: Vec<Entry<'a>>,
    /// The episodes that all of them have: the first ones of some, where their numbers differ.
    pub dealt: Arc<Dealt>,
    /// What a reader should know of how they were paired.
    pub notes: Vec<String>,
}

/// What the tables of one draw share; groups are sorted by it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct DrawKey {
    protocol: String,
    shot: Size,
    draw_sha256: String,
    items: String,
}

impl Shared<'_> {
    /// How many episodes all of its tables have.
    pub(super) fn episodes(&self) -> usize {
        self.dealt.episodes.len()
    }
}

/// What identifies the items of a table: their hash, or that of the features where no item has an identity.
pub(super) fn items<'a>(entry: &Entry<'a>) -> &'a str {
    let hash = entry.read.table.items_sha256.as_str();
    if hash.is_empty() { &entry.read.features_sha256 } else { hash }
}

/// Puts tables into blocks, each sorted by its key. What was chosen on the answers themselves is left out: it is a bound
/// for others and never stands in a rank.
///
/// Several blocks of one protocol and shot are several data sets: their items and draws must both differ.
///
/// # Errors
/// Tables that cannot be paired, with the first difference; and one row of two results whose outcomes differ.
pub(in crate::report) fn blocks<'a>(entries: &[Entry<'a>]) -> Result<Vec<Shared<'a>>, CompareError> {
    let mut groups: BTreeMap<DrawKey, Group<'a>> = BTreeMap::new();
    let names = names(entries);
    for (order, entry) in entries.iter().enumerate() {
        let table = &entry.read.table;
        if table.selection == Selection::Oracle {
            continue;
        }
        let draw = (table.draw_sha256.as_str(), items(entry), table.shot);
        let key = DrawKey {
            protocol: names.get(&draw).copied().unwrap_or(&table.protocol).to_string(),
            shot: table.shot,
            draw_sha256: table.draw_sha256.clone(),
            items: items(entry).to_string(),
        };
        let group = groups.entry(key).or_insert_with(|| Group { order, entries: Vec::new() });
        group.entries.push(entry.clone());
    }
    let mut found: BTreeMap<(String, Size), Vec<Group<'a>>> = BTreeMap::new();
    for (key, group) in groups {
        group.same_episodes()?;
        found.entry((key.protocol, key.shot)).or_default().push(group);
    }
    let mut blocks = Vec::new();
    for ((protocol, shot), groups) in found {
        let groups = prefix::joined(groups);
        prefix::data_sets(&protocol, shot, &groups)?;
        for group in groups {
            blocks.push(shared(&protocol, shot, group)?);
        }
    }
    Ok(blocks)
}

/// The protocol that stands for all of one draw: the first by name, unless one result has several on that draw.
fn names<'a>(entries: &[Entry<'a>]) -> BTreeMap<(&'a str, &'a str, Size), &'a str> {
    type Draw<'a> = (&'a str, &'a str, Size);
    let mut all: BTreeMap<Draw<'a>, BTreeMap<&str, BTreeSet<&'a str>>> = BTreeMap::new();
    for entry in entries {
        let table = &entry.read.table;
        let of_draw = all.entry((&table.draw_sha256, items(entry), table.shot)).or_default();
        of_draw.entry(&entry.origin).or_default().insert(&table.protocol);
    }
    let one_each = all.into_iter().filter(|(_, origins)| origins.values().all(|names| names.len() == 1));
    one_each
        .filter_map(|(draw, origins)| Some((draw, *origins.into_values().flatten().min().as_ref()?)))
        .collect()
}

/// A block of the tables of a group, each row once.
fn shared<'a>(protocol: &str, shot: Size, group: Group<'a>) -> Result<Shared<'a>, CompareError> {
    let lengths: BTreeSet<usize> =
        group.entries.iter().map(|entry| entry.read.dealt.episodes.len()).collect();
    let (least, most) = (lengths.first().copied().unwrap_or(0), lengths.last().copied().unwrap_or(0));
    let longest = |count| group.entries.iter().find(|entry| entry.read.dealt.episodes.len() == count);
    // Classes of one cluster are left out together wherever a table knows of clusters.
    let of_least = group.entries.iter().filter(|entry| entry.read.dealt.episodes.len() == least);
    let clustered =
        of_least.clone().find(|entry| entry.read.dealt.is_clustered()).or_else(|| of_least.clone().next());
    let dealt = clustered.map(|entry| Arc::clone(&entry.read.dealt)).unwrap_or_default();
    let mut notes = Vec::new();
    if let (true, Some(long), Some(short)) = (lengths.len() > 1, longest(most), longest(least)) {
        notes.push(format!(
            "paired on the first {}: {} has {most} of the same draw, {} has {least}",
            counted(least as u64, "episode", "episodes"),
            long.origin,
            short.origin
        ));
    }
    notes.extend(rules_note(&group.entries));
    Ok(Shared { protocol: protocol.to_string(), shot, entries: once(group.entries, least)?, dealt, notes })
}

/// That one draw goes by several names or versions.
fn rules_note(entries: &[Entry<'_>]) -> Option<String> {
    let named = entries.iter().map(|entry| (&entry.read.table.protocol, entry.read.table.version));
    let named: BTreeSet<_> = named.collect();
    let words: Vec<String> =
        named.iter().map(|(name, version)| format!("{name} version {version}")).collect();
    (words.len() > 1).then(|| format!("{} have one draw of the same items", words.join(" and ")))
}

/// The same without rows that stand in several results, which must be the same rows there.
fn once(mut entries: Vec<Entry<'_>>, episodes: usize) -> Result<Vec<Entry<'_>>, CompareError> {
    entries
        .sort_by_cached_key(|entry| (identity(entry), entry.read.dealt.episodes.len(), entry.origin.clone()));
    let mut kept: Vec<Entry<'_>> = Vec::with_capacity(entries.len());
    for entry in entries {
        match kept.last() {
            Some(known) if identity(known) == identity(&entry) => {
                if let Some(episode) = first_unlike(known, &entry, episodes) {
                    return Err(CompareError::Twice {
                        key: entry.read.key(),
                        first: known.origin.to_string(),
                        second: entry.origin.to_string(),
                        episode: known.read.dealt.episodes[episode],
                    });
                }
            }
            _ => kept.push(entry),
        }
    }
    Ok(kept)
}

/// What makes two tables of the same episodes one row: features, learner, parameters and training seed.
fn identity(entry: &Entry<'_>) -> (String, String, String, String, Option<u64>) {
    let table = &entry.read.table;
    let (learner, parameters) = (table.learner.clone(), table.parameters_text());
    (learner, parameters, table.features.clone(), entry.read.features_sha256.clone(), table.seed_train)
}

/// The place of the first episode in which two tables do not have the same outcomes.
pub(super) fn first_unlike(one: &Entry<'_>, other: &Entry<'_>, episodes: usize) -> Option<usize> {
    let (one, other) = (one.read, other.read);
    let per_episode = |read: &ReadTable, place: usize| -> Vec<Option<u64>> {
        read.per_episode.values().map(|values| values.get(place).map(|value| value.to_bits())).collect()
    };
    (0..episodes).find(|place| {
        one.outcomes.get(*place) != other.outcomes.get(*place)
            || per_episode(one, *place) != per_episode(other, *place)
    })
}

/// As much of a hash as a reader needs to tell it from another.
pub(super) fn short(sha256: &str) -> String {
    sha256.chars().take(12).collect()
}
