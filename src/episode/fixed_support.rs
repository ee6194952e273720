//! Episodes of one support that stays: the items that are to be labelled, and support items that are left out to see how sure a
//! learner is of classes that it knows and of others.

use super::draw::Draw;
use super::error::SampleError;
use crate::data::{Class, ClassIndex};
use crate::rng::{Purpose, Stream};
use crate::vocab::{ClassId, ItemId};

/// Folds of items at most.
const FOLDS: usize = 5;
/// Groups of classes at most.
const GROUPS: usize = 20;
/// Queries of a class in an episode of other classes at most.
const QUERIES: usize = 15;

/// The support of a class.
type Support = (ClassId, Vec<ItemId>);

/// One episode: all items of these classes as its supports, and `queries`, of which no class is known.
///
/// # Errors
/// More items than a draw can count.
pub fn fixed_support(
    index: &ClassIndex,
    classes: &[ClassId],
    queries: &[ItemId],
) -> Result<Draw, SampleError> {
    let mut draw = Draw::default();
    let supports: Vec<Support> =
        classes.iter().map(|class| (*class, items(index, *class).to_vec())).collect();
    end(&mut draw, &supports, &vec![Vec::new(); classes.len()], queries)?;
    Ok(draw)
}

/// The support of these classes with items left out, and with classes left out: an episode for each fold of its items, which are the
/// queries, and one for each group of its classes, whose items are out of scope.
///
/// Item i of a class is in fold i modulo their number, which is 5, or that of the items of the largest class where these are fewer; a class
/// of a single item never loses it. Classes are in 20 groups, or each in its own where they are fewer; of fewer than three none is left
/// out. Classes of one item each have no folds, and then there are no episodes at all.
///
/// # Errors
/// More items than a draw can count.
pub fn held_out(index: &ClassIndex, classes: &[ClassId]) -> Result<Draw, SampleError> {
    let largest = classes.iter().map(|class| items(index, *class).len()).max().unwrap_or(0);
    let folds = if largest < 2 { 0 } else { FOLDS.min(largest) };
    let groups = if classes.len() < 3 || folds == 0 { 0 } else { GROUPS.min(classes.len()) };
    let mut draw = Draw::default();
    for fold in 0..folds {
        let (mut kept, mut queries) = (Vec::new(), Vec::new());
        for class in classes {
            let all = items(index, *class).iter().copied().enumerate();
            let (own, rest): (Vec<_>, Vec<_>) =
                all.partition(|(place, _)| items(index, *class).len() > 1 && place % folds == fold);
            kept.push((*class, rest.into_iter().map(|(_, item)| item).collect()));
            queries.push(own.into_iter().map(|(_, item)| item).collect());
        }
        end(&mut draw, &kept, &queries, &[])?;
    }
    for group in 0..groups {
        let places = classes.iter().copied().enumerate();
        let (out, kept): (Vec<_>, Vec<_>) = places.partition(|(place, _)| place % groups == group);
        let all = |(_, class): (usize, ClassId)| (class, items(index, class).to_vec());
        let oos: Vec<ItemId> = out.into_iter().flat_map(|(_, class)| items(index, class)).copied().collect();
        let kept: Vec<(ClassId, Vec<ItemId>)> = kept.into_iter().map(all).collect();
        end(&mut draw, &kept, &vec![Vec::new(); kept.len()], &oos)?;
    }
    Ok(draw)
}

/// Episodes of other classes, made like a support of `way` classes of `shot` items each: that many of `others` in their support, with up to
/// 15 other items of each as queries, and as many items of the remaining classes out of scope.
///
/// Where the classes are too few for both, half of them are known and the others are not. None where fewer than four classes have
/// more than `shot` items.
///
/// # Errors
/// More items than a draw can count.
pub fn other_classes(
    index: &ClassIndex,
    others: &[ClassId],
    (way, shot): (usize, usize),
    count: u32,
    seed: u64,
) -> Result<Draw, SampleError> {
    let large: Vec<ClassId> =
        others.iter().copied().filter(|class| items(index, *class).len() > shot).collect();
    let mut draw = Draw::default();
    if large.len() < 4 {
        return Ok(draw);
    }
    let way = way.clamp(2, large.len() / 2);
    for episode in 0..count {
        let mut stream = Stream::new(seed, Purpose::Threshold, episode);
        let mut classes = large.clone();
        stream.shuffle(&mut classes);
        let (mut kept, mut queries, mut oos) = (Vec::new(), Vec::new(), Vec::new());
        for (place, class) in classes.iter().take(2 * way).enumerate() {
            let mut all = items(index, *class).to_vec();
            stream.shuffle(&mut all);
            let asked: Vec<ItemId> = all[shot..].iter().copied().take(QUERIES).collect();
            if place < way {
                kept.push((*class, all[..shot].to_vec()));
                queries.push(asked);
            } else {
                oos.extend(asked);
            }
        }
        end(&mut draw, &kept, &queries, &oos)?;
    }
    Ok(draw)
}

fn items(index: &ClassIndex, class: ClassId) -> &[ItemId] {
    let Class { items, .. } = index.class(class);
    items
}

/// Adds an episode.
fn end(
    draw: &mut Draw,
    supports: &[Support],
    queries: &[Vec<ItemId>],
    oos: &[ItemId],
) -> Result<(), SampleError> {
    for (class, items) in supports {
        items.iter().for_each(|item| draw.push(*item));
        draw.end_support(*class);
    }
    for own in queries {
        own.iter().for_each(|item| draw.push(*item));
        draw.end_query();
    }
    oos.iter().for_each(|item| draw.push_oos(*item));
    draw.end_episode().map_err(|_| SampleError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Split;

    fn index(sizes: &[u32]) -> (ClassIndex, Vec<ClassId>) {
        let mut next = 0;
        let class = |(place, size): (usize, &u32)| {
            next += size;
            Class {
                name: format!("c{place}"),
                split: Split::Novel,
                cluster: None,
                items: (next - size..next).map(ItemId).collect(),
            }
        };
        let classes: Vec<Class> = sizes.iter().enumerate().map(class).collect();
        let ids = (0..classes.len() as u32).map(ClassId).collect();
        (ClassIndex::new(classes, vec![], vec![], vec![]), ids)
    }

    #[test]
    fn a_fixed_support_has_all_items_and_queries_of_no_class() {
        let (index, ids) = index(&[2, 1, 3]);
        let draw = fixed_support(&index, &ids[..2], &[ItemId(3), ItemId(5)]).unwrap();
        let episode = draw.episode(0);
        assert_eq!((draw.len(), episode.way(), episode.all_support().len()), (1, 2, 3));
        assert_eq!((episode.all_query().len(), episode.oos()), (0, [ItemId(3), ItemId(5)].as_slice()));
    }

    #[test]
    fn every_item_is_asked_once_in_scope_and_once_out_of_scope() {
        let (index, ids) = index(&[3, 2, 1, 3, 3, 3]);
        let draw = held_out(&index, &ids).unwrap();
        assert_eq!(draw.len(), 3 + 6);
        let (mut known, mut unknown) = (vec![0; 15], vec![0; 15]);
        for (place, episode) in draw.episodes().enumerate() {
            assert_eq!(episode.way(), if place < 3 { 6 } else { 5 });
            for item in episode.all_query() {
                assert!(!episode.all_support().contains(item));
                known[item.0 as usize] += 1;
            }
            for item in episode.oos() {
                assert!(!episode.all_support().contains(item));
                unknown[item.0 as usize] += 1;
            }
        }
        assert_eq!(unknown, [1; 15]);
        // The only item of a class stays where it is.
        let expected: Vec<u32> = (0..15).map(|item| u32::from(item != 5)).collect();
        assert_eq!(known, expected);
    }

    #[test]
    fn two_classes_have_no_others_and_single_items_no_folds() {
        let (two, ids) = index(&[2, 2]);
        let draw = held_out(&two, &ids).unwrap();
        assert_eq!((draw.len(), draw.episodes().all(|e| e.oos().is_empty() && e.way() == 2)), (2, true));
        let (single, ids) = index(&[1, 1, 1]);
        assert!(held_out(&single, &ids).unwrap().is_empty());
    }

    #[test]
    fn episodes_of_other_classes_have_the_shape_that_is_asked_for_where_they_can() {
        let (index, ids) = index(&[4, 4, 4, 2, 4, 4, 4]);
        let draw = other_classes(&index, &ids, (5, 3), 4, 7).unwrap();
        assert_eq!(draw.len(), 4);
        for episode in draw.episodes() {
            assert_eq!((episode.way(), episode.shot(), episode.all_query().len()), (3, Some(3), 3));
            assert_eq!(episode.oos().len(), 3);
            assert!(!episode.classes().contains(&ClassId(3)));
        }
        assert!(other_classes(&index, &ids[..3], (2, 1), 4, 7).unwrap().is_empty());
    }
}
