//! The settings of a learner that a selection tries.

use std::collections::BTreeMap;

use super::sequence::Halton;
use super::{SelectError, Space};
use crate::learner::{Checked, Entry};
use crate::tensor::Backend;

/// Points of the sequence that are looked at for each trial that is asked for, before a space counts as used up.
const PATIENCE: u32 = 200;

/// Settings of one learner, the default first.
#[derive(Clone, Debug, PartialEq)]
pub struct Trials {
    /// The settings, none of them twice.
    pub settings: Vec<Checked>,
    /// Whether they are all that the space holds.
    pub whole: bool,
}

impl Trials {
    /// At most `budget` settings of a space that `usable` admits.
    ///
    /// The first is always the default, so that a selection never does worse where it was made than no selection. A
    /// finite space that fits the budget is tried whole; of any other, settings are drawn from a low-discrepancy sequence,
    /// and depend on space, budget and seed alone. Settings that the learner refuses are passed over.
    ///
    /// # Errors
    /// When the learner refuses the default with the fixed values.
    pub fn of<D: Backend>(
        space: &Space,
        entry: &Entry<D>,
        budget: usize,
        seed: u64,
        usable: impl Fn(&Checked) -> bool,
    ) -> Result<Trials, SelectError> {
        let mut settings = vec![entry.check(&space.fixed)?];
        let mut take = |values: Vec<String>| {
            let mut given = space.fixed.clone();
            given.extend(space.axes.iter().map(|axis| axis.name.to_string()).zip(values));
            let fresh = |found: &Checked| usable(found) && !settings.contains(found);
            if let Some(found) = entry.check(&given).ok().filter(fresh) {
                settings.push(found);
            }
            settings.len()
        };
        let listed: Option<Vec<Vec<String>>> =
            space.axes.iter().map(|axis| axis.search.values(&axis.range, budget)).collect();
        let grid = listed.and_then(|lists| product(&lists, budget));
        if let Some(grid) = grid.filter(|grid| grid.len() < budget || holds_default(grid, space, entry)) {
            for point in grid {
                take(point);
            }
            return Ok(Trials { settings, whole: true });
        }
        let sequence = Halton::new(space.axes.len(), seed);
        for number in 0..PATIENCE.saturating_mul(budget as u32) {
            let places = sequence.point(number);
            let values =
                space.axes.iter().zip(places).map(|(axis, place)| axis.search.at(&axis.range, place));
            if take(values.collect()) >= budget {
                break;
            }
        }
        let whole = settings.len() < budget;
        settings.truncate(budget);
        Ok(Trials { settings, whole })
    }
}

/// Every combination of these values, the last list moving fastest; nothing where there are more than `most`.
fn product(lists: &[Vec<String>], most: usize) -> Option<Vec<Vec<String>>> {
    let mut points = vec![Vec::new()];
    for list in lists {
        if points.len() * list.len() > most {
            return None;
        }
        let longer = |point: &Vec<String>| {
            let point = point.clone();
            list.iter()
                .map(move |value| [point.as_slice(), std::slice::from_ref(value)].concat())
                .collect::<Vec<_>>()
        };
        points = points.iter().flat_map(longer).collect();
    }
    Some(points)
}

/// Whether one of these points is the default.
fn holds_default<D: Backend>(grid: &[Vec<String>], space: &Space, entry: &Entry<D>) -> bool {
    let default: BTreeMap<&str, &String> = entry.parameters().iter().map(|p| (p.name, &p.default)).collect();
    let own: Option<Vec<String>> =
        space.axes.iter().map(|axis| axis.range.canonical(default.get(axis.name)?)).collect();
    own.is_some_and(|own| grid.contains(&own))
}

#[cfg(test)]
mod tests {
    use super::super::space::Typed;
    use super::*;
    use crate::learner::Learners;

    fn trials(spec: &str, budget: usize, seed: u64) -> Trials {
        let learners = Learners::shipped();
        let registry = learners.cpu();
        let (entry, given) = registry.read(spec).unwrap();
        let typed = given.iter().map(|(k, v)| (k.clone(), Typed::parse(v))).collect();
        Trials::of(&Space::new(entry, &typed).unwrap(), entry, budget, seed, |_| true).unwrap()
    }

    fn texts(trials: &Trials) -> Vec<String> {
        trials.settings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_small_grid_is_tried_whole_with_the_default_first() {
        let found = trials("nearest-centroid", 32, 0);
        assert!(found.whole);
        assert_eq!(texts(&found), ["transform=none", "transform=l2n", "transform=cl2n"]);
        let found = trials("k-nn:k=1..3", 32, 0);
        assert_eq!((found.settings.len(), found.whole), (6, true));
    }

    #[test]
    fn every_learner_gets_its_budget_without_repetition() {
        for spec in ["linear-probe", "ridge", "svm", "fine-tune", "k-nn", "matching"] {
            let found = trials(spec, 32, 7);
            assert_eq!((found.settings.len(), found.whole), (32, false), "{spec}");
            let learners = Learners::shipped();
            let registry = learners.cpu();
            assert_eq!(found.settings[0], registry.check(spec).unwrap());
            let mut sorted = texts(&found);
            sorted.sort();
            sorted.dedup();
            assert_eq!(sorted.len(), 32, "{spec}");
        }
    }

    #[test]
    fn trials_depend_on_the_seed_and_a_smaller_budget_is_a_beginning() {
        assert_eq!(trials("svm", 16, 7), trials("svm", 16, 7));
        assert_ne!(trials("svm", 16, 7), trials("svm", 16, 8));
        assert_eq!(trials("svm", 8, 7).settings, trials("svm", 16, 7).settings[..8]);
    }

    #[test]
    fn the_default_is_tried_beside_a_grid_without_it() {
        let found = trials("ridge:alpha=3|5,transform=l2n", 3, 0);
        assert_eq!(
            texts(&found),
            ["alpha=1,transform=l2n", "alpha=3,transform=l2n", "alpha=5,transform=l2n"]
        );
        assert_eq!(trials("ridge:alpha=3|5,transform=l2n", 2, 0).settings.len(), 2);
    }

    #[test]
    fn settings_that_the_learner_refuses_are_passed_over() {
        let found =
            trials("fine-tune:head=linear|cosine,init=zero|prototype,epochs=9,lr=1,transform=l2n", 9, 0);
        assert_eq!((found.settings.len(), found.whole), (3, true));
    }
}
