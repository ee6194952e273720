//! Support sets cut into folds: episodes whose queries are support items that were left out.

use std::ops::Range;

use super::draw::Draw;

/// The folds of some episodes as episodes of their own.
pub struct Folds {
    /// One episode per fold; its supports are the other folds, its queries the fold itself. It has the number of the episode
    /// that it was cut from, so that a learner has the same chance whatever else is cut.
    pub draw: Draw,
    /// By episode of that draw, the place of the episode that it was cut from.
    pub of: Vec<usize>,
}

/// Cuts the supports of the episodes at `places`, of which each class gives its first `shot` items (all where nothing is
/// said), into at most `most` folds. The queries of these episodes do not occur.
///
/// Item i of a class is in fold i modulo their number, which is that of the items of the largest class where these are
/// fewer. A class of a single item is never left out; an episode of such classes alone has no folds.
pub fn folds(draw: &Draw, places: Range<usize>, shot: Option<usize>, most: usize) -> Folds {
    let (mut folded, mut of) = (Draw::default(), Vec::new());
    for place in places {
        let episode = draw.episode(place);
        let items = |label: usize| {
            let all = episode.support(label);
            &all[..shot.map_or(all.len(), |shot| shot.min(all.len()))]
        };
        let largest = (0..episode.way()).map(|label| items(label).len()).max().unwrap_or(0);
        let count = if largest < 2 { 0 } else { most.min(largest) };
        for fold in 0..count {
            let left_out = |label: usize, item: usize| items(label).len() > 1 && item % count == fold;
            for label in 0..episode.way() {
                let kept = items(label).iter().enumerate().filter(|(item, _)| !left_out(label, *item));
                kept.for_each(|(_, item)| folded.push(*item));
                folded.end_support(episode.class(label));
            }
            for label in 0..episode.way() {
                let queries = items(label).iter().enumerate().filter(|(item, _)| left_out(label, *item));
                queries.for_each(|(_, item)| folded.push(*item));
                folded.end_query();
            }
            folded.number_next(episode.number());
            // A part of a draw that could be counted can be counted too.
            if folded.end_episode().is_ok() {
                of.push(place);
            }
        }
    }
    Folds { draw: folded, of }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::{ClassId, ItemId};

    /// One episode of two classes with these supports.
    fn draw(supports: [&[u32]; 2]) -> Draw {
        let mut draw = Draw::default();
        for (class, items) in (0..).zip(supports) {
            items.iter().for_each(|item| draw.push(ItemId(*item)));
            draw.end_support(ClassId(class));
        }
        for item in [90, 91] {
            draw.push(ItemId(item));
            draw.end_query();
        }
        draw.end_episode().unwrap();
        draw
    }

    fn numbers(items: &[ItemId]) -> Vec<u32> {
        items.iter().map(|item| item.0).collect()
    }

    #[test]
    fn every_item_is_left_out_once_and_no_query_occurs() {
        let found = folds(&draw([&[1, 2, 3], &[4, 5, 6]]), 0..1, None, 5);
        assert_eq!(found.of, [0, 0, 0]);
        let sides: Vec<_> =
            found.draw.episodes().map(|e| (numbers(e.all_support()), numbers(e.all_query()))).collect();
        let expected =
            [(vec![2, 3, 5, 6], vec![1, 4]), (vec![1, 3, 4, 6], vec![2, 5]), (vec![1, 2, 4, 5], vec![3, 6])];
        assert_eq!(sides, expected);
    }

    #[test]
    fn a_class_of_one_item_stays_in_and_one_shot_has_no_folds() {
        let found = folds(&draw([&[1], &[4, 5]]), 0..1, None, 5);
        let sides: Vec<_> =
            found.draw.episodes().map(|e| (numbers(e.all_support()), numbers(e.all_query()))).collect();
        assert_eq!(sides, [(vec![1, 5], vec![4]), (vec![1, 4], vec![5])]);
        assert!(folds(&draw([&[1, 2], &[4, 5]]), 0..1, Some(1), 5).of.is_empty());
        assert_eq!(folds(&draw([&[1, 2, 3], &[4, 5, 6]]), 0..1, Some(2), 5).of.len(), 2);
    }
}
