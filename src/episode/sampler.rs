//! Draws episodes by the rules of a protocol.
//!
//! Episode i is a function of (seed, purpose, i) alone, so episodes can be drawn in any order, in blocks and in parallel.
//! Within an episode one stream gives, in this order: the way, the classes, the shots, the supports of every class, the
//! sizes of the queries, the queries of every class, the out-of-scope queries. Classes are uniform over the split and items uniform over what their
//! class has. Where items have groups, a query is drawn from the items that share no group with any support of the
//! episode; when too few remain, the whole episode is drawn again from the same stream.

use std::ops::Range;

use rayon::prelude::*;

use super::draw::Draw;
use super::error::SampleError;
use super::pool::Pools;
use super::urn::Urn;
use super::{dirichlet, variable, without_repetition};
use crate::data::ClassIndex;
use crate::protocol::{OosQuery, Protocol, Query, Shot, Way};
use crate::rng::{Purpose, Stream};
use crate::vocab::ItemId;

/// How often an episode is drawn again when groups leave too few queries.
pub(super) const ATTEMPTS: u32 = 100;
/// Episodes that one thread draws at a time; the draw does not depend on it.
const BLOCK: u32 = 512;

/// Draws the episodes of a protocol: all that its draw has, or the first ones where it evaluates no more.
///
/// # Errors
/// The dataset is too small for the protocol, or its groups leave too few queries.
///
/// ```
/// use kshot::data::{Class, ClassIndex};
/// use kshot::protocol::Protocol;
/// use kshot::vocab::{ItemId, Split};
/// let class = |c: u32| Class {
///     name: format!("class-{c}"),
///     split: Split::Novel,
///     cluster: None,
///     items: (20 * c..20 * c + 20).map(ItemId).collect(),
/// };
/// let index = ClassIndex::new((0..8).map(class).collect(), vec![], vec![], vec![]);
/// let protocol = Protocol::read("protocols/any-5way-1shot.toml")?;
/// let draw = kshot::episode::draw(&protocol, &index)?;
/// assert_eq!((draw.len(), draw.episode(0).way(), draw.episode(0).all_query().len()), (10_000, 5, 75));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn draw(protocol: &Protocol, index: &ClassIndex) -> Result<Draw, SampleError> {
    Sampler::new(protocol, index)?.episodes(0..protocol.evaluated())
}

/// A protocol and a dataset that suffices for it: gives any episode when asked.
pub struct Sampler<'a> {
    protocol: &'a Protocol,
    index: &'a ClassIndex,
    pools: Pools<'a>,
    /// All episodes, where they depend on each other because no item may repeat.
    plan: Option<Draw>,
}

impl<'a> Sampler<'a> {
    /// A sampler for these rules and classes. With `repeat = false` it draws all episodes at once.
    ///
    /// # Errors
    /// The dataset is too small for the protocol; with `repeat = false` also what [`Sampler::episodes`] refuses.
    pub fn new(protocol: &'a Protocol, index: &'a ClassIndex) -> Result<Sampler<'a>, SampleError> {
        let pools = Pools::of(protocol, index)?;
        let plan = match protocol.repeat() {
            true => None,
            false => Some(without_repetition::plan(protocol, index, &pools)?),
        };
        Ok(Sampler { protocol, index, pools, plan })
    }

    /// The episode with this number, as a draw of one.
    ///
    /// # Errors
    /// As [`Sampler::episodes`].
    pub fn episode(&self, number: u32) -> Result<Draw, SampleError> {
        self.episodes(number..number.saturating_add(1))
    }

    /// The episodes with these numbers: the same as when they are drawn one by one.
    ///
    /// # Errors
    /// Groups leave too few queries, the draw is too large, or, with `repeat = false`, an episode beyond `count`.
    pub fn episodes(&self, numbers: Range<u32>) -> Result<Draw, SampleError> {
        if let Some(plan) = &self.plan {
            let (split, allowed) = (self.protocol.split(), plan.len() as u32);
            if numbers.end > allowed {
                return Err(SampleError::TooManyEpisodes { split, allowed, asked: numbers.end });
            }
            return Ok(plan.part(numbers.start as usize..numbers.end as usize));
        }
        if numbers.len() <= BLOCK as usize {
            return self.block(numbers, &mut self.scratch());
        }
        let blocks = numbers.len().div_ceil(BLOCK as usize) as u32;
        let drawn: Vec<Result<Draw, SampleError>> = (0..blocks)
            .into_par_iter()
            .map_init(
                || self.scratch(),
                |scratch, block| {
                    let first = numbers.start + block * BLOCK;
                    self.block(first..first.saturating_add(BLOCK).min(numbers.end), scratch)
                },
            )
            .collect();
        let mut all = Draw::starting_at(numbers.start);
        for block in drawn {
            all.append(&block?).map_err(|_| SampleError::TooLarge)?;
        }
        Ok(all)
    }

    fn scratch(&self) -> Scratch {
        Scratch {
            classes: Urn::new(self.pools.list.len()),
            items: Urn::new(self.pools.largest()),
            chosen: Vec::new(),
            sizes: Vec::new(),
            shots: Vec::new(),
            swaps: Vec::new(),
            groups: Vec::new(),
            queries: Vec::new(),
            room: Vec::new(),
            proportions: Vec::new(),
        }
    }

    fn block(&self, numbers: Range<u32>, scratch: &mut Scratch) -> Result<Draw, SampleError> {
        let mut draw = Draw::starting_at(numbers.start);
        for episode in numbers {
            let mut stream = Stream::new(self.protocol.seed(), Purpose::Draw, episode);
            let mut attempts = 1;
            while !self.attempt(&mut stream, scratch, &mut draw) {
                draw.abandon_episode();
                if attempts == ATTEMPTS {
                    return Err(SampleError::Groups { episode, attempts });
                }
                attempts += 1;
            }
            draw.end_episode().map_err(|_| SampleError::TooLarge)?;
        }
        Ok(draw)
    }

    /// Draws one episode; false when groups leave too few queries.
    fn attempt(&self, stream: &mut Stream, scratch: &mut Scratch, draw: &mut Draw) -> bool {
        self.choose_classes(stream, scratch);
        self.choose_shots(stream, scratch);
        self.draw_supports(stream, scratch, draw);
        let queries = match self.protocol.query() {
            Query::All => self.take_all_queries(scratch, draw),
            _ => self.size_queries(stream, scratch) && self.draw_queries(stream, scratch, draw),
        };
        queries && self.draw_outside(stream, scratch, draw)
    }

    fn choose_classes(&self, stream: &mut Stream, scratch: &mut Scratch) {
        let (classes, all) = (self.pools.own as u32, self.pools.list.len() as u32);
        scratch.chosen.clear();
        let way = match self.protocol.way() {
            Way::All => return scratch.chosen.extend(0..all),
            Way::Fixed(way) => *way,
            Way::Between { min, max } => min + stream.below(max - min + 1),
            Way::MetaDataset => variable::way(stream, classes),
        };
        let urn = &mut scratch.classes;
        scratch.chosen.extend((0..way).map_while(|_| urn.take(stream, classes)));
        urn.refill();
        if all > classes {
            // As many seen classes; they stand behind the own ones in the list.
            let seen = (0..way).map_while(|_| urn.take(stream, all - classes)).map(|place| classes + place);
            scratch.chosen.extend(seen);
            urn.refill();
        }
    }

    fn choose_shots(&self, stream: &mut Stream, scratch: &mut Scratch) {
        let Scratch { chosen, shots, sizes, .. } = scratch;
        shots.clear();
        match self.protocol.shot() {
            Shot::Nested(list) => shots.resize(chosen.len(), list.last().copied().unwrap_or(0)),
            Shot::Between { min, max } => {
                shots.extend(chosen.iter().map(|_| min + stream.below(max - min + 1)));
            }
            Shot::MetaDataset => {
                sizes.clear();
                sizes.extend(chosen.iter().map(|c| self.pools.list[*c as usize].support.len() as u32));
                variable::shots(stream, sizes, shots);
            }
        }
    }

    fn draw_supports(&self, stream: &mut Stream, scratch: &mut Scratch, draw: &mut Draw) {
        let Scratch { chosen, shots, items, swaps, groups, .. } = scratch;
        let guarded = self.index.has_groups() || *self.protocol.query() == Query::All;
        swaps.clear();
        groups.clear();
        for (class, shot) in chosen.iter().zip(shots) {
            let pool = &self.pools.list[*class as usize];
            for _ in 0..*shot {
                if let Some(place) = items.take(stream, pool.support.len() as u32) {
                    let item = pool.support[place as usize];
                    draw.push(item);
                    if guarded {
                        groups.push(self.index.group(item));
                    }
                }
            }
            swaps.extend(items.swaps());
            items.refill();
            draw.end_support(pool.class);
        }
        groups.sort_unstable();
    }

    /// How many queries each class gets; false when they have no room.
    fn size_queries(&self, stream: &mut Stream, scratch: &mut Scratch) -> bool {
        let Scratch { chosen, sizes, shots, groups, queries, room, proportions, .. } = scratch;
        let per_class = match self.protocol.query() {
            Query::PerClass(query) => *query,
            Query::MetaDataset => variable::query(sizes),
            Query::All => return true,
            Query::Dirichlet { total, alpha } => {
                room.clear();
                room.extend(chosen.iter().zip(shots).map(|(class, shot)| {
                    let pool = &self.pools.list[*class as usize];
                    if self.index.has_groups() {
                        pool.query.iter().filter(|i| self.is_apart(**i, groups)).count() as u32
                    } else {
                        pool.query.len() as u32 - if self.pools.shared { *shot } else { 0 }
                    }
                }));
                dirichlet::proportions(stream, *alpha, chosen.len(), proportions);
                return dirichlet::allot(proportions, *total, room, queries);
            }
        };
        queries.clear();
        queries.resize(chosen.len(), per_class);
        true
    }

    fn draw_queries(&self, stream: &mut Stream, scratch: &mut Scratch, draw: &mut Draw) -> bool {
        let Scratch { chosen, shots, items, swaps, groups, queries, .. } = scratch;
        let mut supports = swaps.as_slice();
        for ((class, shot), query) in chosen.iter().zip(shots).zip(queries) {
            let pool = &self.pools.list[*class as usize];
            let (own, rest) = supports.split_at(*shot as usize);
            supports = rest;
            if self.pools.shared {
                items.replay(own);
            }
            let mut missing = *query;
            while missing > 0 {
                let Some(place) = items.take(stream, pool.query.len() as u32) else { break };
                let item = pool.query[place as usize];
                if !self.index.has_groups() || self.is_apart(item, groups) {
                    draw.push(item);
                    missing -= 1;
                }
            }
            items.refill();
            draw.end_query();
            if missing > 0 {
                return false;
            }
        }
        true
    }

    /// Every item that may be a query, in item order; false when a class has none.
    fn take_all_queries(&self, scratch: &mut Scratch, draw: &mut Draw) -> bool {
        for class in &scratch.chosen {
            let held_out = *class as usize >= self.pools.own;
            let before = draw.items();
            let of_class = self.pools.list[*class as usize].query.iter();
            of_class.filter(|i| self.is_apart(**i, &scratch.groups)).for_each(|i| draw.push(*i));
            draw.end_query();
            // A small seen class has no item held out: it is a candidate without queries.
            if draw.items() == before && !held_out {
                return false;
            }
        }
        true
    }

    /// The out-of-scope queries; false when groups leave too few.
    fn draw_outside(&self, stream: &mut Stream, scratch: &mut Scratch, draw: &mut Draw) -> bool {
        let Some(outside) = self.protocol.oos() else { return true };
        let Scratch { items, groups, .. } = scratch;
        let may = |item: ItemId| !self.index.has_groups() || self.is_apart(item, groups);
        let mut missing = match outside.query {
            OosQuery::PerEpisode(query) => query,
            OosQuery::All => {
                let before = draw.items();
                self.pools.oos.iter().filter(|item| may(**item)).for_each(|item| draw.push_oos(*item));
                return draw.items() > before;
            }
        };
        while missing > 0 {
            let Some(place) = items.take(stream, self.pools.oos.len() as u32) else { break };
            let item = self.pools.oos[place as usize];
            if may(item) {
                draw.push_oos(item);
                missing -= 1;
            }
        }
        items.refill();
        missing == 0
    }

    /// Whether an item's group is none of these, which are sorted.
    fn is_apart(&self, item: ItemId, groups: &[u32]) -> bool {
        groups.binary_search(&self.index.group(item)).is_err()
    }
}

/// What one thread needs while it draws, kept from episode to episode.
struct Scratch {
    classes: Urn,
    items: Urn,
    /// Places of the chosen classes in the list of pools.
    chosen: Vec<u32>,
    /// Items per chosen class.
    sizes: Vec<u32>,
    shots: Vec<u32>,
    /// What drew the supports of each class, one after the other.
    swaps: Vec<u32>,
    /// The groups of all supports, sorted.
    groups: Vec<u32>,
    queries: Vec<u32>,
    /// How many queries each chosen class can have.
    room: Vec<u32>,
    proportions: Vec<f64>,
}
