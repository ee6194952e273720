//! A draw: which classes and items each episode holds, in flat arrays.

use std::ops::Range;

use crate::rng::{Purpose, Stream};
use crate::vocab::{ClassId, ItemId};

/// Episodes, each a list of classes with their support and query items.
///
/// Items lie episode by episode: first the supports of all its classes, then the queries of all its classes. A draw of
/// 100,000 episodes of 80 items takes about 38 MB.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draw {
    /// The number of the first episode.
    first: u32,
    /// Per episode, the end of its rows; a row is one class of one episode.
    ends: Vec<u32>,
    /// Per row, the class.
    classes: Vec<ClassId>,
    /// Per row, the end of its support in `items`.
    support_ends: Vec<u32>,
    /// Per row, the end of its query in `items`.
    query_ends: Vec<u32>,
    items: Vec<ItemId>,
    /// Per episode, the end of its out-of-scope queries in `oos`.
    oos_ends: Vec<u32>,
    oos: Vec<ItemId>,
    /// Per episode, its number, where these do not follow one another.
    numbers: Vec<u32>,
}

/// More classes or items than a draw can count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

impl Draw {
    /// How many episodes it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has no episode.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many items it names, counted as often as they are named.
    pub fn items(&self) -> usize {
        self.items.len() + self.oos.len()
    }

    /// The episode at `place`, from 0.
    ///
    /// # Panics
    /// When `place` is not below [`Draw::len`].
    pub fn episode(&self, place: usize) -> Episode<'_> {
        let rows = start(&self.ends, place)..self.ends[place] as usize;
        Episode { draw: self, place, rows }
    }

    /// All episodes in order.
    pub fn episodes(&self) -> impl ExactSizeIterator<Item = Episode<'_>> {
        (0..self.len()).map(|i| self.episode(i))
    }

    /// The most support items that any class of any episode has; 0 where there is no support at all.
    pub fn max_shot(&self) -> usize {
        self.episodes().map(|e| e.max_shot()).max().unwrap_or(0)
    }

    /// Its first episodes, at most so many.
    pub fn first(&self, count: usize) -> Draw {
        self.part(0..count.min(self.len()))
    }

    /// A draw without episodes whose first one will have this number.
    pub(super) fn starting_at(first: u32) -> Draw {
        Draw { first, ..Draw::default() }
    }

    /// Adds a support item of the class that [`Draw::end_support`] names next, or a query item likewise.
    pub(super) fn push(&mut self, item: ItemId) {
        self.items.push(item);
    }

    /// Adds a query of the open episode that belongs to none of its classes.
    pub(super) fn push_oos(&mut self, item: ItemId) {
        self.oos.push(item);
    }

    /// Ends the support of the next class of the open episode.
    pub(super) fn end_support(&mut self, class: ClassId) {
        self.classes.push(class);
        self.support_ends.push(self.items.len() as u32);
    }

    /// Ends the query of the next class; called once per class, in the same order, after all supports.
    pub(super) fn end_query(&mut self) {
        self.query_ends.push(self.items.len() as u32);
    }

    /// The number of the next episode that ends, where numbers do not follow one another.
    pub(super) fn number_next(&mut self, number: u32) {
        self.numbers.push(number);
    }

    /// The open episode is complete.
    pub(super) fn end_episode(&mut self) -> Result<(), TooLarge> {
        u32::try_from(self.items.len()).map_err(|_| TooLarge)?;
        self.ends.push(u32::try_from(self.classes.len()).map_err(|_| TooLarge)?);
        self.oos_ends.push(u32::try_from(self.oos.len()).map_err(|_| TooLarge)?);
        Ok(())
    }

    /// Forgets the open episode.
    pub(super) fn abandon_episode(&mut self) {
        let rows = start(&self.ends, self.ends.len());
        self.classes.truncate(rows);
        self.support_ends.truncate(rows);
        self.query_ends.truncate(rows);
        self.items.truncate(start(&self.query_ends, rows));
        self.oos.truncate(start(&self.oos_ends, self.ends.len()));
    }

    /// The episodes at these places, with their numbers.
    ///
    /// # Panics
    /// When the places reach beyond [`Draw::len`].
    pub fn part(&self, places: Range<usize>) -> Draw {
        let mut part = Draw::starting_at(self.first + places.start as u32);
        part.numbers = self.numbers.get(places.clone()).unwrap_or_default().to_vec();
        for episode in places.map(|place| self.episode(place)) {
            for label in 0..episode.way() {
                part.items.extend(episode.support(label));
                part.end_support(episode.class(label));
            }
            for label in 0..episode.way() {
                part.items.extend(episode.query(label));
                part.end_query();
            }
            part.ends.push(part.classes.len() as u32);
            part.oos.extend(episode.oos());
            part.oos_ends.push(part.oos.len() as u32);
        }
        part
    }

    /// The same episodes with the queries of each dealt to its labels at random, so that the answers say nothing of the
    /// items: for an audit of learners. Supports stay as they are, and each label has as many queries as before.
    pub fn with_permuted_answers(&self, seed: u64) -> Draw {
        let mut permuted = self.clone();
        for (place, episode) in self.episodes().enumerate() {
            let rows = start(&self.ends, place)..self.ends[place] as usize;
            let queries = self.support_ends[rows.end - 1] as usize..self.query_ends[rows.end - 1] as usize;
            Stream::new(seed, Purpose::Audit, episode.number()).shuffle(&mut permuted.items[queries]);
        }
        permuted
    }

    /// The same episodes with the support items of each dealt to its labels at random: a control in which nothing can be learned.
    /// Queries stay as they are, and each label has as many support items as before.
    pub fn with_shuffled_labels(&self, seed: u64) -> Draw {
        let mut shuffled = self.clone();
        for (place, episode) in self.episodes().enumerate() {
            let rows = start(&self.ends, place)..self.ends[place] as usize;
            let begin = if rows.start == 0 { 0 } else { self.query_ends[rows.start - 1] as usize };
            let supports = begin..self.support_ends[rows.end - 1] as usize;
            Stream::new(seed, Purpose::Shuffle, episode.number()).shuffle(&mut shuffled.items[supports]);
        }
        shuffled
    }

    /// Adds the episodes of another draw behind the own ones; their numbers go on from these.
    pub(super) fn append(&mut self, other: &Draw) -> Result<(), TooLarge> {
        let rows = u32::try_from(self.classes.len() + other.classes.len()).map_err(|_| TooLarge)?;
        u32::try_from(self.items.len() + other.items.len()).map_err(|_| TooLarge)?;
        let oos = u32::try_from(self.oos.len() + other.oos.len()).map_err(|_| TooLarge)?;
        let oos = oos - other.oos.len() as u32;
        self.oos_ends.extend(other.oos_ends.iter().map(|e| e + oos));
        self.oos.extend(&other.oos);
        let (row, item) = (rows - other.classes.len() as u32, self.items.len() as u32);
        self.ends.extend(other.ends.iter().map(|e| e + row));
        self.classes.extend(&other.classes);
        self.support_ends.extend(other.support_ends.iter().map(|e| e + item));
        self.query_ends.extend(other.query_ends.iter().map(|e| e + item));
        self.items.extend(&other.items);
        Ok(())
    }
}

/// One episode of a draw.
#[derive(Clone, Debug)]
pub struct Episode<'a> {
    draw: &'a Draw,
    place: usize,
    rows: Range<usize>,
}

impl<'a> Episode<'a> {
    /// Its number, as in the file, from 0.
    pub fn number(&self) -> u32 {
        let own = self.draw.numbers.get(self.place).copied();
        own.unwrap_or(self.draw.first + self.place as u32)
    }

    /// How many classes it has.
    pub fn way(&self) -> usize {
        self.rows.len()
    }

    /// The classes in the order of their labels.
    pub fn classes(&self) -> &'a [ClassId] {
        &self.draw.classes[self.rows.clone()]
    }

    /// The class of a label.
    ///
    /// # Panics
    /// When `label` is not below [`Episode::way`].
    pub fn class(&self, label: usize) -> ClassId {
        self.classes()[label]
    }

    /// The support items of a label; shot k is the first k of them.
    ///
    /// # Panics
    /// When `label` is not below [`Episode::way`].
    pub fn support(&self, label: usize) -> &'a [ItemId] {
        let row = self.row(label);
        let begin = if label == 0 { self.begin() } else { self.draw.support_ends[row - 1] as usize };
        &self.draw.items[begin..self.draw.support_ends[row] as usize]
    }

    /// The query items of a label.
    ///
    /// # Panics
    /// When `label` is not below [`Episode::way`].
    pub fn query(&self, label: usize) -> &'a [ItemId] {
        let row = self.row(label);
        let begin = if label == 0 { self.middle() } else { self.draw.query_ends[row - 1] as usize };
        &self.draw.items[begin..self.draw.query_ends[row] as usize]
    }

    /// The support items of all labels, label by label.
    pub fn all_support(&self) -> &'a [ItemId] {
        &self.draw.items[self.begin()..self.middle()]
    }

    /// The query items of all labels, label by label.
    pub fn all_query(&self) -> &'a [ItemId] {
        &self.draw.items[self.middle()..start(&self.draw.query_ends, self.rows.end)]
    }

    /// The queries that belong to none of its classes, nor to any other of the task.
    pub fn oos(&self) -> &'a [ItemId] {
        let ends = &self.draw.oos_ends;
        &self.draw.oos[start(ends, self.place)..ends[self.place] as usize]
    }

    /// The most support items of a class.
    pub fn max_shot(&self) -> usize {
        (0..self.way()).map(|label| self.support(label).len()).max().unwrap_or(0)
    }

    /// The number of support items that every class has, where they all have the same.
    pub fn shot(&self) -> Option<usize> {
        let mut sizes = (0..self.way()).map(|label| self.support(label).len());
        let one = sizes.next()?;
        sizes.all(|s| s == one).then_some(one)
    }

    fn row(&self, label: usize) -> usize {
        assert!(label < self.way(), "label {label} in an episode of {} classes", self.way());
        self.rows.start + label
    }

    /// Where its items begin.
    fn begin(&self) -> usize {
        start(&self.draw.query_ends, self.rows.start)
    }

    /// Where its supports end and its queries begin.
    fn middle(&self) -> usize {
        if self.rows.is_empty() { self.begin() } else { self.draw.support_ends[self.rows.end - 1] as usize }
    }
}

/// Where the stretch at `place` begins: at the end of the one before.
fn start(ends: &[u32], place: usize) -> usize {
    if place == 0 { 0 } else { ends[place - 1] as usize }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A draw of these episodes, given as (class, support, query); nothing is checked.
    #[expect(clippy::type_complexity, reason = "the shape of a draw, written once")]
    pub fn draw_of(episodes: &[&[(u32, &[u32], &[u32])]]) -> Draw {
        let mut draw = Draw::default();
        for episode in episodes {
            for (class, support, _) in *episode {
                support.iter().for_each(|i| draw.push(ItemId(*i)));
                draw.end_support(ClassId(*class));
            }
            for (_, _, query) in *episode {
                query.iter().for_each(|i| draw.push(ItemId(*i)));
                draw.end_query();
            }
            draw.end_episode().unwrap();
        }
        draw
    }

    fn rows(items: &[ItemId]) -> Vec<u32> {
        items.iter().map(|i| i.0).collect()
    }

    #[test]
    fn permuted_answers_are_of_the_same_items_and_supports_stay() {
        let queries: Vec<u32> = (100..120).collect();
        let draw = draw_of(&[&[(0, &[1], &queries[..10]), (1, &[2], &queries[10..])], &[(2, &[3], &[7])]]);
        let permuted = draw.with_permuted_answers(5);
        let (old, new) = (draw.episode(0), permuted.episode(0));
        assert_eq!((rows(new.support(0)), rows(new.support(1))), (vec![1], vec![2]));
        assert_eq!((new.query(0).len(), new.query(1).len()), (10, 10));
        assert_ne!(old.query(0), new.query(0));
        let mut all = rows(new.all_query());
        all.sort_unstable();
        assert_eq!(all, queries);
        assert_eq!(permuted.episode(1).query(0), draw.episode(1).query(0));
    }

    #[test]
    fn an_episode_gives_back_what_was_put_in() {
        let draw =
            draw_of(&[&[(3, &[30, 31], &[32]), (1, &[10], &[])], &[(2, &[], &[21]), (0, &[], &[4, 5])]]);
        assert_eq!((draw.len(), draw.items(), draw.max_shot()), (2, 7, 2));
        let first = draw.episode(0);
        assert_eq!((first.number(), first.way(), first.shot()), (0, 2, None));
        assert_eq!((first.class(0), first.class(1)), (ClassId(3), ClassId(1)));
        assert_eq!((rows(first.support(0)), rows(first.query(0))), (vec![30, 31], vec![32]));
        assert_eq!((rows(first.support(1)), rows(first.query(1))), (vec![10], vec![]));
        let second = draw.episode(1);
        assert_eq!((second.number(), second.shot(), second.max_shot()), (1, Some(0), 0));
        assert_eq!((rows(second.support(1)), rows(second.query(1))), (vec![], vec![4, 5]));
        assert_eq!((rows(second.all_support()), rows(second.all_query())), (vec![], vec![21, 4, 5]));
        assert_eq!((rows(first.all_support()), rows(first.all_query())), (vec![30, 31, 10], vec![32]));
    }

    #[test]
    fn draws_of_blocks_join_to_the_draw_of_all() {
        let first: &[(u32, &[u32], &[u32])] = &[(0, &[1], &[2]), (1, &[11], &[12, 13])];
        let second: &[(u32, &[u32], &[u32])] = &[(2, &[21, 22], &[23])];
        let mut joined = draw_of(&[first]);
        joined.append(&draw_of(&[second, first])).unwrap();
        assert_eq!(joined, draw_of(&[first, second, first]));
    }

    #[test]
    fn an_abandoned_episode_leaves_no_trace() {
        let one: &[(u32, &[u32], &[u32])] = &[(0, &[1], &[2])];
        let mut draw = draw_of(&[one]);
        draw.push(ItemId(9));
        draw.end_support(ClassId(4));
        draw.push(ItemId(8));
        draw.end_query();
        draw.push(ItemId(7));
        draw.abandon_episode();
        assert_eq!(draw, draw_of(&[one]));
    }
}
