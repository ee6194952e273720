//! The classes and items that a protocol admits, and whether they suffice for an episode.

use std::borrow::Cow;

use super::SampleError;
use crate::data::{Class, ClassIndex, seen_items};
use crate::protocol::{OosQuery, Protocol, Query, Shot, Way};
use crate::vocab::{ClassId, ItemId};

/// The items of one class that may be support, and those that may be query.
pub(super) struct Pool<'a> {
    pub class: ClassId,
    pub support: Cow<'a, [ItemId]>,
    pub query: Cow<'a, [ItemId]>,
}

/// All classes of a protocol's split, in their order.
pub(super) struct Pools<'a> {
    pub list: Vec<Pool<'a>>,
    /// Whether supports and queries come from the same items.
    pub shared: bool,
    /// The items that may be out-of-scope queries.
    pub oos: Vec<ItemId>,
    /// How many of the list are classes of the split; seen classes that are candidates too stand behind them.
    pub own: usize,
}

impl<'a> Pools<'a> {
    /// The pools of a protocol, each large enough for an episode.
    pub fn of(protocol: &Protocol, index: &'a ClassIndex) -> Result<Pools<'a>, SampleError> {
        let pools = Pools::all_of(protocol, index)?;
        pools.suffice(protocol, index)?;
        Ok(pools)
    }

    /// The pools of a protocol, of whatever size.
    fn all_of(protocol: &Protocol, index: &'a ClassIndex) -> Result<Pools<'a>, SampleError> {
        let shared = protocol.parts().is_none_or(|p| p.support == p.query);
        if let Some(parts) = protocol.parts() {
            let threshold = protocol.oos().and_then(|outside| outside.threshold_part.as_ref());
            let named = [&parts.support, &parts.query];
            if let Some(part) = named.into_iter().chain(threshold).find(|p| !index.part_names().contains(*p))
            {
                let known = index.part_names().iter().map(|p| format!("`{p}`")).collect::<Vec<_>>();
                return Err(SampleError::NoPart { part: part.clone(), known: known.join(", ") });
            }
        }
        let of_part = |class: &'a Class, part: Option<&String>| match part {
            None => Cow::Borrowed(class.items.as_slice()),
            Some(part) => {
                class.items.iter().copied().filter(|i| index.part(*i) == Some(part.as_str())).collect()
            }
        };
        let oos_class = match protocol.oos() {
            None => None,
            Some(outside) => Some(
                index
                    .find(&outside.class)
                    .ok_or_else(|| SampleError::NoOosClass { class: outside.class.clone() })?,
            ),
        };
        let classes = own_classes(protocol, index)?;
        let list = classes.into_iter().filter(|id| Some(*id) != oos_class).map(|id| {
            let class = index.class(id);
            Pool {
                class: id,
                support: of_part(class, protocol.parts().map(|p| &p.support)),
                query: of_part(class, protocol.parts().map(|p| &p.query)),
            }
        });
        let mut list: Vec<Pool<'a>> = list.collect();
        let own = list.len();
        list.extend(seen_pools(protocol, index)?);
        let oos = oos_class.map_or(Vec::new(), |id| {
            of_part(index.class(id), protocol.parts().map(|p| &p.query)).into_owned()
        });
        Ok(Pools { list, shared, oos, own })
    }

    /// The most items that a class offers for one side.
    pub fn largest(&self) -> usize {
        let of_classes = self.list.iter().map(|p| p.support.len().max(p.query.len()));
        of_classes.chain([self.oos.len()]).max().unwrap_or(0)
    }

    fn suffice(&self, protocol: &Protocol, index: &ClassIndex) -> Result<(), SampleError> {
        let (classes, need) = (self.own as u32, least_classes(protocol));
        if classes < need {
            let split = protocol.split();
            return Err(match protocol.classes() {
                Some(_) => SampleError::TooFewListed { split, classes, need },
                None => SampleError::TooFewClasses { split, classes, need },
            });
        }
        let (shot, _) = needed(protocol);
        if protocol.seen_part().is_some() {
            self.suffice_seen(protocol, index, need)?;
        }
        let mut small = self.small(protocol, index);
        if let Some((_, first)) = small.next() {
            let name = |(class, _): (ClassId, SampleError)| index.class(class).name.clone();
            let others: Vec<String> = small.map(name).collect();
            return Err(match others.is_empty() {
                true => first,
                false => SampleError::ClassesTooSmall { first: Box::new(first), others },
            });
        }
        if let Some(outside) = protocol.oos() {
            let (items, part) = (self.oos.len() as u32, in_part(protocol.parts().map(|parts| &parts.query)));
            let need = match outside.query {
                OosQuery::PerEpisode(query) => query,
                OosQuery::All => 1,
            };
            if items < need {
                let class = outside.class.clone();
                return Err(SampleError::PartTooSmall { class, part, items, need, side: "query_oos" });
            }
        }
        if let Query::Dirichlet { total, .. } = protocol.query() {
            self.hold(*total, shot, protocol)?;
        }
        Ok(())
    }

    /// The classes that have too few items for an episode, and what each lacks.
    fn small(&self, protocol: &Protocol, index: &ClassIndex) -> impl Iterator<Item = (ClassId, SampleError)> {
        let (shot, query) = needed(protocol);
        let parts = protocol.parts();
        self.list[..self.own].iter().filter_map(move |pool| {
            let name = &index.class(pool.class).name;
            let (support, queries) = (pool.support.len() as u32, pool.query.len() as u32);
            if self.shared && support < shot + query {
                let (class, part) = (name.clone(), in_part(parts.map(|p| &p.support)));
                let items = support;
                return Some((pool.class, SampleError::ClassTooSmall { class, part, items, shot, query }));
            }
            let sides = [
                ("shot", parts.map(|p| &p.support), support, shot),
                ("query", parts.map(|p| &p.query), queries, query),
            ];
            let (side, part, items, need) = sides.into_iter().find(|(_, _, items, need)| items < need)?;
            let (class, part) = (name.clone(), in_part(part));
            Some((pool.class, SampleError::PartTooSmall { class, part, items, need, side }))
        })
    }

    /// Whether the seen classes are enough, and have the queries that are asked of each.
    fn suffice_seen(&self, protocol: &Protocol, index: &ClassIndex, need: u32) -> Result<(), SampleError> {
        let seen = &self.list[self.own..];
        let need = if *protocol.way() == Way::All { 1 } else { need };
        if (seen.len() as u32) < need {
            return Err(SampleError::TooFewSeen { classes: seen.len() as u32, need });
        }
        let query = match protocol.query() {
            Query::PerClass(query) => *query,
            _ => 0,
        };
        match seen.iter().find(|pool| (pool.query.len() as u32) < query) {
            Some(pool) => Err(SampleError::PartTooSmall {
                class: index.class(pool.class).name.clone(),
                part: " held out".to_string(),
                items: pool.query.len() as u32,
                need: query,
                side: "query",
            }),
            None => Ok(()),
        }
    }

    /// Whether any choice of classes has this many queries.
    fn hold(&self, total: u32, shot: u32, protocol: &Protocol) -> Result<(), SampleError> {
        let taken = if self.shared { shot as usize } else { 0 };
        let mut room: Vec<u64> = self.list.iter().map(|p| (p.query.len() - taken) as u64).collect();
        room.sort_unstable();
        let way = match protocol.way() {
            Way::Fixed(n) | Way::Between { min: n, .. } => *n,
            Way::All | Way::MetaDataset => room.len() as u32,
        };
        let left = room.iter().take(way as usize).sum();
        if left < u64::from(total) {
            return Err(SampleError::TooFewQueries { split: protocol.split(), way, left, shot, total });
        }
        Ok(())
    }
}

/// The classes that an episode has at least.
fn least_classes(protocol: &Protocol) -> u32 {
    match protocol.way() {
        Way::Fixed(n) => *n,
        Way::All => 2,
        Way::Between { max, .. } => *max,
        Way::MetaDataset => super::variable::LEAST_WAY,
    }
}

/// The supports and queries that a class must have. Meta-Dataset halves the smallest class, so two items are one of each.
fn needed(protocol: &Protocol) -> (u32, u32) {
    let query = match protocol.query() {
        Query::PerClass(n) => *n,
        Query::All | Query::MetaDataset => 1,
        Query::Dirichlet { .. } => 0,
    };
    (protocol.shot().most().unwrap_or(1), query)
}

/// The names of the classes that have enough items for an episode, and of those that have not.
///
/// # Errors
/// A protocol that does not fit the dataset, and too few classes with enough items.
pub fn by_size(protocol: &Protocol, index: &ClassIndex) -> Result<(Vec<String>, Vec<String>), SampleError> {
    let pools = Pools::all_of(protocol, index)?;
    let small: Vec<ClassId> = pools.small(protocol, index).map(|(class, _)| class).collect();
    let own = pools.list[..pools.own].iter().map(|pool| pool.class);
    let (small, large): (Vec<ClassId>, Vec<ClassId>) = own.partition(|class| small.contains(class));
    let need = least_classes(protocol);
    if !small.is_empty() && (large.len() as u32) < need {
        let (split, classes, small) = (protocol.split(), large.len() as u32, small.len());
        return Err(SampleError::TooFewLarge { split, classes, small, need });
    }
    let names = |classes: Vec<ClassId>| classes.iter().map(|id| index.class(*id).name.clone()).collect();
    Ok((names(large), names(small)))
}

/// The classes that make the episodes, in their order: those of the split, or the ones of it that the protocol lists.
pub(super) fn own_classes(protocol: &Protocol, index: &ClassIndex) -> Result<Vec<ClassId>, SampleError> {
    let split = protocol.split();
    let Some(names) = protocol.classes() else { return Ok(index.of_split(split).collect()) };
    let unknown: Vec<&String> = names.iter().filter(|name| index.find(name).is_none()).collect();
    if let Some(class) = unknown.first() {
        return Err(SampleError::NoClass { class: (*class).clone(), more: unknown.len() - 1 });
    }
    let mut listed: Vec<ClassId> = names.iter().filter_map(|name| index.find(name)).collect();
    listed.sort_unstable();
    let elsewhere: Vec<&ClassId> = listed.iter().filter(|id| !split.holds(index.class(**id).split)).collect();
    if let Some(id) = elsewhere.first() {
        let class = index.class(**id);
        let (found, more) = (class.split, elsewhere.len() - 1);
        return Err(SampleError::ListedElsewhere { class: class.name.clone(), found, asked: split, more });
    }
    Ok(listed)
}

/// The seen classes with their held-out items, where they are candidates too.
fn seen_pools<'a>(protocol: &Protocol, index: &ClassIndex) -> Result<Vec<Pool<'a>>, SampleError> {
    let Some(part) = protocol.seen_part() else { return Ok(Vec::new()) };
    let known = index.part_names();
    if !known.is_empty() && !known.iter().any(|name| name == part) {
        let known = known.iter().map(|p| format!("`{p}`")).collect::<Vec<_>>().join(", ");
        return Err(SampleError::NoPart { part: part.to_string(), known });
    }
    let seen = (0..index.classes().len() as u32)
        .map(ClassId)
        .filter(|id| protocol.split().sees(index.class(*id).split));
    let pool = |class| Pool {
        class,
        support: Cow::Owned(Vec::new()),
        query: Cow::Owned(seen_items(index, class, part).held_out),
    };
    Ok(seen.map(pool).collect())
}

fn in_part(part: Option<&String>) -> String {
    part.map(|p| format!(" in part `{p}`")).unwrap_or_default()
}

/// Whether the protocol fixes the same shot for every class, so that episodes have one size.
pub(super) fn fixed_sizes(protocol: &Protocol) -> Option<(u32, u32)> {
    match (protocol.shot(), protocol.query()) {
        (Shot::Nested(shots), Query::PerClass(query)) => Some((*shots.last()?, *query)),
        _ => None,
    }
}
