//! Episodes in which no item appears twice across the draw, as an interval over items needs them.
//!
//! The draw is a function of (seed, purpose) as a whole. First the classes of all episodes: uniform among those that still
//! have items for an episode, except that as many of the largest are taken as later episodes cannot do without; so the
//! full number of episodes that the items allow is always reached. Such forced choices come late, hence the episodes are
//! shuffled afterwards and none is special. Then the items: each class's in random order, dealt to its episodes.

use std::collections::HashMap;

use super::draw::Draw;
use super::error::SampleError;
use super::pool::{Pool, Pools, fixed_sizes};
use super::sampler::ATTEMPTS;
use super::urn::Urn;
use crate::data::ClassIndex;
use crate::protocol::{Protocol, Way};
use crate::rng::{Purpose, Stream};
use crate::vocab::ItemId;

/// All episodes of a protocol with `repeat = false`.
pub(super) fn plan(protocol: &Protocol, index: &ClassIndex, pools: &Pools<'_>) -> Result<Draw, SampleError> {
    let (shot, query) = fixed_sizes(protocol).expect("a protocol without repetition has fixed sizes");
    let (split, asked) = (protocol.split(), protocol.count());
    let capacity = |pool: &Pool<'_>| {
        if pools.shared {
            pool.support.len() as u32 / (shot + query)
        } else {
            let by_support = (pool.support.len() as u32).checked_div(shot).unwrap_or(u32::MAX);
            by_support.min(pool.query.len() as u32 / query)
        }
    };
    let capacities: Vec<u32> = pools.list.iter().map(capacity).collect();
    let way = match protocol.way() {
        Way::Fixed(way) => *way as usize,
        _ => pools.list.len(),
    };
    let allowed = most_episodes(&capacities, way);
    if asked > allowed {
        return Err(SampleError::TooManyEpisodes { split, allowed, asked });
    }
    let mut stream = Stream::new(protocol.seed(), Purpose::Draw, 0);
    let episodes = if *protocol.way() == Way::All {
        vec![(0..way as u32).collect(); asked as usize]
    } else {
        choose_classes(&mut stream, &capacities, way, asked)
    };
    Dealer::new(&mut stream, pools, index, shot, query).deal(&mut stream, pools, &episodes)
}

/// The largest E with Σ_c min(capacity_c, E) ≥ way · E: that many episodes can be formed, and no more, because a class
/// stands in an episode once.
fn most_episodes(capacities: &[u32], way: usize) -> u32 {
    let enough = |episodes: u64| {
        let places: u64 = capacities.iter().map(|c| u64::from(*c).min(episodes)).sum();
        places >= way as u64 * episodes
    };
    // The surplus is concave in E and zero at 0, so the E that are enough form one stretch.
    let (mut low, mut high) = (0, u64::from(u32::MAX));
    while low < high {
        let middle = (low + high).div_ceil(2);
        if enough(middle) { low = middle } else { high = middle - 1 }
    }
    low as u32
}

/// The classes of each episode. A class is *tight* while it has items for all episodes that are left, or more.
///
/// With R episodes left, t tight classes and slack s = Σ min(r_c, R) − way · R, leaving out a tight class costs one of
/// s; so at least t − s tight ones must be taken, and then s never gets negative. Once tight, a class stays it.
fn choose_classes(stream: &mut Stream, capacities: &[u32], way: usize, count: u32) -> Vec<Vec<u32>> {
    let mut left = capacities.to_vec();
    let mut line = Line::new(capacities.len());
    let mut urn = Urn::new(capacities.len());
    // Loose classes by what they had left when they came here; one that has less by now stands in another list.
    let mut waiting: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut loose_places = 0;
    for (class, capacity) in (0..).zip(capacities) {
        match capacity {
            0 => line.retire(class),
            _ if *capacity >= count => line.tighten(class),
            _ => {
                loose_places += u64::from(*capacity);
                waiting.entry(*capacity).or_default().push(class);
            }
        }
    }
    let mut episodes = Vec::with_capacity(count as usize);
    for remaining in (1..=count).rev() {
        for class in waiting.remove(&remaining).unwrap_or_default() {
            if line.is_loose(class) && left[class as usize] == remaining {
                line.tighten(class);
                loose_places -= u64::from(remaining);
            }
        }
        let places = line.tight as u64 * u64::from(remaining) + loose_places;
        let slack = places.saturating_sub(way as u64 * u64::from(remaining));
        let forced = (line.tight as u64).saturating_sub(slack) as usize;
        let bound = |taken| if taken < forced { line.tight } else { line.alive } as u32;
        let mut chosen: Vec<u32> = (0..way)
            .map_while(|taken| urn.take(stream, bound(taken)))
            .map(|place| line.classes[place as usize])
            .collect();
        urn.refill();
        stream.shuffle(&mut chosen);
        for class in &chosen {
            if line.is_loose(*class) {
                let rest = &mut left[*class as usize];
                *rest -= 1;
                loose_places -= 1;
                match *rest {
                    0 => line.retire(*class),
                    rest => waiting.entry(rest).or_default().push(*class),
                }
            }
        }
        episodes.push(chosen);
    }
    stream.shuffle(&mut episodes);
    episodes
}

/// Classes in a row: the tight ones, then the loose ones, then those that are used up.
struct Line {
    classes: Vec<u32>,
    /// Where each class stands.
    place: Vec<usize>,
    tight: usize,
    alive: usize,
}

impl Line {
    fn new(classes: usize) -> Line {
        Line {
            classes: (0..classes as u32).collect(),
            place: (0..classes).collect(),
            tight: 0,
            alive: classes,
        }
    }

    fn is_loose(&self, class: u32) -> bool {
        (self.tight..self.alive).contains(&self.place[class as usize])
    }

    /// A loose class becomes tight.
    fn tighten(&mut self, class: u32) {
        self.exchange(self.place[class as usize], self.tight);
        self.tight += 1;
    }

    /// A loose class is used up.
    fn retire(&mut self, class: u32) {
        self.alive -= 1;
        self.exchange(self.place[class as usize], self.alive);
    }

    fn exchange(&mut self, a: usize, b: usize) {
        self.classes.swap(a, b);
        self.place[self.classes[a] as usize] = a;
        self.place[self.classes[b] as usize] = b;
    }
}

/// Deals each class's items, in random order, to the episodes that have the class.
struct Dealer<'a> {
    index: &'a ClassIndex,
    shared: bool,
    shot: u32,
    query: u32,
    supports: Vec<Hand>,
    /// Empty where supports and queries come from the same items.
    queries: Vec<Hand>,
}

/// The items of a class: those before `next` are dealt.
#[derive(Clone)]
struct Hand {
    items: Vec<ItemId>,
    next: usize,
}

impl Hand {
    fn shuffled(stream: &mut Stream, items: &[ItemId]) -> Hand {
        let mut hand = Hand { items: items.to_vec(), next: 0 };
        hand.shuffle(stream);
        hand
    }

    fn shuffle(&mut self, stream: &mut Stream) {
        stream.shuffle(&mut self.items[self.next..]);
    }

    /// The next item that fits; those passed over stay in the hand.
    fn deal(&mut self, fits: impl Fn(ItemId) -> bool) -> Option<ItemId> {
        let place = (self.next..self.items.len()).find(|place| fits(self.items[*place]))?;
        self.items.swap(self.next, place);
        self.next += 1;
        Some(self.items[self.next - 1])
    }
}

impl<'a> Dealer<'a> {
    fn new(
        stream: &mut Stream,
        pools: &Pools<'_>,
        index: &'a ClassIndex,
        shot: u32,
        query: u32,
    ) -> Dealer<'a> {
        let supports = pools.list.iter().map(|p| Hand::shuffled(stream, &p.support)).collect();
        let queries = match pools.shared {
            true => Vec::new(),
            false => pools.list.iter().map(|p| Hand::shuffled(stream, &p.query)).collect(),
        };
        Dealer { index, shared: pools.shared, shot, query, supports, queries }
    }

    fn deal(
        mut self,
        stream: &mut Stream,
        pools: &Pools<'_>,
        episodes: &[Vec<u32>],
    ) -> Result<Draw, SampleError> {
        let mut draw = Draw::default();
        for (episode, chosen) in (0..).zip(episodes) {
            let mut attempts = 1;
            while !self.attempt(pools, chosen, &mut draw) {
                draw.abandon_episode();
                if attempts == ATTEMPTS {
                    return Err(SampleError::Groups { episode, attempts });
                }
                attempts += 1;
                for class in chosen {
                    self.hands(*class as usize).for_each(|hand| hand.shuffle(stream));
                }
            }
            draw.end_episode().map_err(|_| SampleError::TooLarge)?;
        }
        Ok(draw)
    }

    fn hands(&mut self, class: usize) -> impl Iterator<Item = &mut Hand> {
        std::iter::once(&mut self.supports[class]).chain(self.queries.get_mut(class))
    }

    /// Deals one episode; when groups leave too few queries, nothing is dealt.
    fn attempt(&mut self, pools: &Pools<'_>, chosen: &[u32], draw: &mut Draw) -> bool {
        let mut groups = Vec::new();
        for class in chosen {
            let hand = &mut self.supports[*class as usize];
            for _ in 0..self.shot {
                if let Some(item) = hand.deal(|_| true) {
                    draw.push(item);
                    groups.push(self.index.group(item));
                }
            }
            draw.end_support(pools.list[*class as usize].class);
        }
        groups.sort_unstable();
        let apart = |item| groups.binary_search(&self.index.group(item)).is_err();
        for (done, class) in chosen.iter().enumerate() {
            let hands = if self.shared { &mut self.supports } else { &mut self.queries };
            let hand = &mut hands[*class as usize];
            for dealt in 0..self.query {
                match hand.deal(apart) {
                    Some(item) => draw.push(item),
                    None => {
                        hand.next -= dealt as usize;
                        self.take_back(chosen, done);
                        return false;
                    }
                }
            }
            draw.end_query();
        }
        true
    }

    /// Takes back all supports of these classes and the queries of the first `done` of them.
    fn take_back(&mut self, chosen: &[u32], done: usize) {
        for class in chosen {
            self.supports[*class as usize].next -= self.shot as usize;
        }
        let hands = if self.shared { &mut self.supports } else { &mut self.queries };
        for class in &chosen[..done] {
            hands[*class as usize].next -= self.query as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_episodes_as_the_items_allow_and_no_more() {
        assert_eq!(most_episodes(&[1; 100], 5), 20);
        assert_eq!(most_episodes(&[1; 4], 5), 0);
        // The large class stands in an episode once, so the three small places decide.
        assert_eq!(most_episodes(&[9, 1, 1, 1], 2), 3);
        assert_eq!(most_episodes(&[4, 4, 4], 2), 6);
        assert_eq!(most_episodes(&[7, 9], 2), 7);
    }

    #[test]
    fn the_full_number_of_episodes_is_reached_whatever_the_sizes() {
        let mut stream = Stream::new(1, Purpose::Draw, 0);
        for _ in 0..300 {
            let capacities: Vec<u32> = (0..8).map(|_| stream.below(7)).collect();
            let way = 2 + stream.below(4) as usize;
            let count = most_episodes(&capacities, way);
            let mut used = vec![0; 8];
            for mut chosen in choose_classes(&mut stream, &capacities, way, count) {
                assert_eq!(chosen.len(), way);
                chosen.iter().for_each(|c| used[*c as usize] += 1);
                chosen.sort_unstable();
                chosen.dedup();
                assert_eq!(chosen.len(), way);
            }
            assert!(used.iter().zip(&capacities).all(|(u, c)| u <= c), "{used:?} {capacities:?}");
        }
    }

    #[test]
    fn with_items_to_spare_classes_are_uniform() {
        let mut stream = Stream::new(2, Purpose::Draw, 0);
        let mut used = [0u32; 10];
        for chosen in choose_classes(&mut stream, &[9000; 10], 3, 3000).concat() {
            used[chosen as usize] += 1;
        }
        // Five standard deviations of a binomial(3000, 0.3) are 126.
        assert!(used.iter().all(|u| u.abs_diff(900) < 126), "{used:?}");
    }

    #[test]
    fn a_hundred_thousand_classes_are_each_used_once() {
        let mut stream = Stream::new(3, Purpose::Draw, 0);
        let mut chosen = choose_classes(&mut stream, &vec![1; 100_000], 5, 20_000).concat();
        chosen.sort_unstable();
        assert_eq!(chosen, (0..100_000).collect::<Vec<_>>());
    }
}
