//! Draws of other lengths by the same rules: their common first episodes pair, and what does not pair says why.

use super::blocks::{items, short};
use super::entry::{Entry, first_difference};
use super::error::{CompareError, Difference};
use crate::results::Size;

/// Tables of one draw, or of several that begin alike.
#[derive(Clone, Debug)]
pub(super) struct Group<'a> {
    /// The place of the first of them among all, in which messages name two.
    pub order: usize,
    pub entries: Vec<Entry<'a>>,
}

impl Group<'_> {
    /// Refuses tables of one draw that do not have its episodes.
    pub(super) fn same_episodes(&self) -> Result<(), CompareError> {
        let first = &self.entries[0];
        for entry in &self.entries[1..] {
            let (one, other) = (&first.read.dealt, &entry.read.dealt);
            let all = one.episodes.len();
            if all != other.episodes.len() || one.common(other) < all {
                return Err(CompareError::Episodes {
                    key: entry.read.key(),
                    first: first.origin.to_string(),
                    second: entry.origin.to_string(),
                });
            }
        }
        Ok(())
    }

    /// Whether the shorter of two has the first episodes of the longer one.
    fn begins_as(&self, other: &Group<'_>) -> bool {
        let (one, two) = (&self.entries[0], &other.entries[0]);
        let least = one.read.dealt.episodes.len().min(two.read.dealt.episodes.len());
        let same_rules = match (&one.rules, &two.rules) {
            (Some(one), Some(two)) => first_difference(one, two).is_none(),
            _ => false,
        };
        same_rules
            && items(one) == items(two)
            && one.read.table.seed == two.read.table.seed
            && one.read.dealt.common(&two.read.dealt) == least
    }
}

/// Joins the groups of one protocol and shot whose draws begin alike.
pub(super) fn joined(groups: Vec<Group<'_>>) -> Vec<Group<'_>> {
    let mut joined: Vec<Group<'_>> = Vec::new();
    for group in groups {
        match joined.iter_mut().find(|known| known.begins_as(&group)) {
            Some(known) => {
                known.order = known.order.min(group.order);
                known.entries.extend(group.entries);
                // The shortest stands first: what begins as it does, begins as all do.
                known.entries.sort_by_key(|entry| entry.read.dealt.episodes.len());
            }
            None => joined.push(group),
        }
    }
    joined
}

/// Accepts several groups of one protocol and shot as several data sets: their items and draws must differ, and each must
/// have something to compare.
pub(super) fn data_sets(protocol: &str, shot: Size, groups: &[Group<'_>]) -> Result<(), CompareError> {
    let mut ordered: Vec<&Group<'_>> = groups.iter().collect();
    ordered.sort_by_key(|group| group.order);
    for (place, second) in ordered.iter().enumerate() {
        for first in &ordered[..place] {
            let (one, two) = (&first.entries[0], &second.entries[0]);
            let draws = one.read.table.draw_sha256 != two.read.table.draw_sha256;
            let lonely = first.entries.len() < 2 || second.entries.len() < 2;
            let versions = one.read.table.version != two.read.table.version;
            if items(one) != items(two) && draws && !lonely && !versions {
                continue;
            }
            return Err(CompareError::Differ(Box::new(Difference {
                protocol: protocol.to_string(),
                shot: shot.to_string(),
                first: one.origin.to_string(),
                second: two.origin.to_string(),
                ..why(one, two)
            })));
        }
    }
    Ok(())
}

/// The first difference between two tables that keeps them from being paired.
fn why(one: &Entry<'_>, other: &Entry<'_>) -> Difference {
    let (a, b) = (&one.read.table, &other.read.table);
    let of = |what: &str, first: String, second: String, hint: &'static str| Difference {
        what: what.to_string(),
        first_value: first,
        second_value: second,
        hint,
        ..Difference::default()
    };
    if items(one) != items(other) {
        let hint = "evaluate all methods on the same items";
        if a.dataset != b.dataset {
            return of("data sets differ", a.dataset.clone(), b.dataset.clone(), hint);
        }
        let both = !a.items_sha256.is_empty() && !b.items_sha256.is_empty();
        let what = if both { "items differ" } else { "features differ and their items have no identity" };
        let hint =
            if both { hint } else { "write the features with ids of their items, as `kshot embed` does" };
        return of(what, short(items(one)), short(items(other)), hint);
    }
    if a.version != b.version {
        let (one, other) = (a.version.to_string(), b.version.to_string());
        return of("versions differ", one, other, "evaluate all methods by one version of the protocol");
    }
    let hint = "evaluate all methods on one draw: the protocol's own, or one given with --draw";
    if a.seed != b.seed {
        return of("seeds of the draws differ", a.seed.to_string(), b.seed.to_string(), hint);
    }
    if let (Some(first), Some(second)) = (&one.rules, &other.rules)
        && let Some((key, first, second)) = first_difference(first, second)
    {
        return of(&format!("rules differ in `{key}`"), first, second, hint);
    }
    of("draws differ", short(&a.draw_sha256), short(&b.draw_sha256), hint)
}
