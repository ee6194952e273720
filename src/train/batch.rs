//! Which items a step trains on: a function of the config's seed and the number of the step alone.

use super::config::TrainingConfig;
use super::error::TrainError;
use super::written::Objective;
use crate::data::{ClassIndex, Store};
use crate::rng::{Purpose, Stream};
use crate::vocab::ItemId;

/// Streams from this number on are those of passes over all items; those below it are of steps.
const PASSES: u32 = 1 << 31;

/// The classes and items that are trained on.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    classes: Vec<Vec<ItemId>>,
    /// Every item with its label, for passes over all.
    all: Vec<(ItemId, usize)>,
}

/// The items of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub items: Vec<ItemId>,
    /// A label per item.
    pub labels: Vec<usize>,
}

impl Pool {
    /// The classes of the config's splits that have enough items.
    pub fn new(config: &TrainingConfig, store: &Store) -> Result<Pool, TrainError> {
        let index: &ClassIndex = store.index();
        let (items, needed) = match config.objective {
            Objective::Prototypical { way, shot, query } => (shot + query, way),
            Objective::CrossEntropy { .. } => (1, 2),
            Objective::Triplet { classes, items, .. } => (items, classes),
        };
        let of_split = index.classes().iter().filter(|class| config.splits.contains(&class.split));
        let classes: Vec<Vec<ItemId>> =
            of_split.filter(|class| class.items.len() >= items).map(|class| class.items.clone()).collect();
        if classes.len() < needed {
            return Err(TrainError::TooFewClasses {
                dataset: store.name().to_string(),
                splits: config.splits.clone(),
                items,
                found: classes.len(),
                needed,
            });
        }
        let labelled = |(label, class): (usize, &Vec<ItemId>)| -> Vec<(ItemId, usize)> {
            class.iter().map(|item| (*item, label)).collect()
        };
        let all = classes.iter().enumerate().flat_map(labelled).collect();
        Ok(Pool { classes, all })
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes.len()
    }

    /// The batch of a step, counted from 0; `stream` is the step's own.
    pub fn batch(&self, config: &TrainingConfig, step: u32, stream: &mut Stream) -> Batch {
        match config.objective {
            Objective::Prototypical { way, shot, query } => {
                let chosen = self.choose(way, shot + query, stream);
                let supports = chosen.iter().enumerate().flat_map(|(l, items)| part(&items[..shot], l));
                let queries = chosen.iter().enumerate().flat_map(|(l, items)| part(&items[shot..], l));
                Batch::of(supports.chain(queries))
            }
            Objective::Triplet { classes, items, .. } => {
                let chosen = self.choose(classes, items, stream);
                Batch::of(chosen.iter().enumerate().flat_map(|(l, items)| part(items, l)))
            }
            Objective::CrossEntropy { batch } => self.next(config.seed(), batch, step),
        }
    }

    /// Some items of some classes.
    fn choose(&self, classes: usize, items: usize, stream: &mut Stream) -> Vec<Vec<ItemId>> {
        let mut places: Vec<usize> = (0..self.classes.len()).collect();
        stream.choose(&mut places, classes);
        let of = |place: &usize| {
            let mut own = self.classes[*place].clone();
            stream.choose(&mut own, items);
            own.truncate(items);
            own
        };
        places[..classes].iter().map(of).collect()
    }

    /// The next items of a pass over all in random order; a rest that fills no batch is left out, unless it is all.
    fn next(&self, seed: u64, batch: usize, step: u32) -> Batch {
        let per_pass = (self.all.len() / batch).max(1) as u32;
        let mut order: Vec<u32> = (0..self.all.len() as u32).collect();
        Stream::new(seed, Purpose::Training, PASSES + step / per_pass).shuffle(&mut order);
        let first = (step % per_pass) as usize * batch;
        Batch::of(order.iter().skip(first).take(batch).map(|place| self.all[*place as usize]))
    }
}

fn part(items: &[ItemId], label: usize) -> Vec<(ItemId, usize)> {
    items.iter().map(|item| (*item, label)).collect()
}

impl Batch {
    fn of(pairs: impl Iterator<Item = (ItemId, usize)>) -> Batch {
        let (items, labels) = pairs.unzip();
        Batch { items, labels }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::config::tests::TEXT;
    use super::*;
    use crate::data::embedded;

    fn pool(text: &str) -> (TrainingConfig, Pool, Store) {
        let store = embedded("glyphs").unwrap().unwrap();
        let config = TrainingConfig::parse(text, "tiny").unwrap();
        let pool = Pool::new(&config, &store).unwrap();
        (config, pool, store)
    }

    fn batch(config: &TrainingConfig, pool: &Pool, step: u32) -> Batch {
        pool.batch(config, step, &mut Stream::new(config.seed(), Purpose::Training, step))
    }

    #[test]
    fn an_episode_has_supports_then_queries_of_base_classes_and_depends_on_its_step() {
        let (config, pool, store) = pool(TEXT);
        assert_eq!(pool.classes(), 100);
        let found = batch(&config, &pool, 3);
        assert_eq!(found.labels, [0, 1, 2, 0, 0, 1, 1, 2, 2]);
        assert_eq!(found.items.iter().collect::<HashSet<_>>().len(), 9);
        let class_of =
            |item: &ItemId| store.index().classes().iter().position(|c| c.items.contains(item)).unwrap();
        for (item, label) in found.items.iter().zip(&found.labels) {
            assert_eq!(class_of(item), class_of(&found.items[*label]));
            assert_eq!(store.index().classes()[class_of(item)].split, crate::vocab::Split::Base);
        }
        assert_eq!(found, batch(&config, &pool, 3));
        assert_ne!(found, batch(&config, &pool, 4));
    }

    #[test]
    fn a_pass_meets_every_item_once_and_the_next_in_another_order() {
        let objective = "kind = \"prototypical\"\nway = 3\nshot = 1\nquery = 2\n[opt";
        let (config, pool, _) = pool(&TEXT.replace(objective, "kind = \"cross-entropy\"\nbatch = 500\n[opt"));
        let pass = |first: u32| -> Vec<ItemId> {
            (first..first + 4).flat_map(|step| batch(&config, &pool, step).items).collect()
        };
        assert_eq!(pass(0).iter().collect::<HashSet<_>>().len(), 2000);
        assert_ne!(pass(0), pass(4));
    }

    #[test]
    fn too_few_classes_are_one_sentence() {
        let store = embedded("glyphs").unwrap().unwrap();
        let config = TrainingConfig::parse(&TEXT.replacen("way = 3", "way = 101", 1), "tiny").unwrap();
        let error = Pool::new(&config, &store).unwrap_err().to_string();
        let expected =
            "dataset `glyphs` has 100 classes of split base with 3 items or more, the objective needs 101";
        assert_eq!(error, expected);
    }
}
