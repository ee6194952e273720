//! Methods: rows that differ in their training seed alone are one method, and rows that are alike are named as such.

use std::collections::{BTreeMap, BTreeSet};

use super::blocks::Shared;
use super::entry::Entry;
use crate::metric::Metric;
use crate::report::names::{Named, seedless};
use crate::stats;

/// The seed of one training: that of the network, that of the learner, or both.
pub(in crate::report) type Seed = (Option<u64>, Option<String>);

/// A method of a block: one row, or one per training seed.
#[derive(Clone, Debug)]
pub(in crate::report) struct Method<'a> {
    /// The place of its name among [`Methods::names`].
    pub name: usize,
    /// Its rows, by rising seed.
    pub rows: Vec<(Seed, Entry<'a>)>,
}

/// The methods of all blocks, and what they are called.
#[derive(Clone, Debug)]
pub(in crate::report) struct Methods<'a> {
    /// What each method is, with a name that no other has.
    pub names: Vec<Named>,
    /// The methods of each block.
    pub of_blocks: Vec<Vec<Method<'a>>>,
}

/// What rows of one method share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// What the user called it; absent for a name that is made of features and learner.
    label: Option<String>,
    features: String,
    learner: String,
    /// Without the seed, where there is one.
    parameters: BTreeMap<String, String>,
    /// Whether it has a training seed.
    seeded: bool,
    /// What tells apart rows of one name that are not trainings of one network.
    apart: String,
}

/// The seed of a row.
fn seed(entry: &Entry<'_>) -> Seed {
    (entry.read.table.seed_train, entry.read.table.parameters.get("seed").cloned())
}

fn key(entry: &Entry<'_>) -> Key {
    let table = &entry.read.table;
    Key {
        label: label(entry),
        features: table.features.clone(),
        learner: table.learner.clone(),
        parameters: seedless(&table.parameters),
        seeded: seed(entry) != (None, None),
        apart: String::new(),
    }
}

/// What the user called a method: what is not made of the names of features and learner.
fn label(entry: &Entry<'_>) -> Option<String> {
    let table = &entry.read.table;
    let made = format!("{}+{}", table.features, table.learner);
    let rest = table.method.strip_prefix(&made);
    (!rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))).then(|| table.method.clone())
}

impl<'a> Methods<'a> {
    /// The methods of these blocks.
    pub fn of(blocks: &[Shared<'a>]) -> Methods<'a> {
        let apart = Apart::of(blocks);
        let keyed = |entry: &Entry<'a>| apart.key(entry);
        let mut seeds: BTreeMap<Key, BTreeSet<Seed>> = BTreeMap::new();
        let mut first: BTreeMap<Key, Entry<'a>> = BTreeMap::new();
        for entry in blocks.iter().flat_map(|block| &block.entries) {
            seeds.entry(keyed(entry)).or_default().insert(seed(entry));
            first.entry(keyed(entry)).or_insert_with(|| entry.clone());
        }
        let keys: Vec<Key> = seeds.keys().cloned().collect();
        let named = |key: &Key| {
            let row = &first[key];
            // A method with one seed keeps it among its parameters, as it was asked for.
            let several = seeds[key].len() > 1;
            Named {
                name: String::new(),
                label: key.label.clone(),
                features: key.features.clone(),
                learner: key.learner.clone(),
                parameters: if several { key.parameters.clone() } else { row.read.table.parameters.clone() },
                origin: row.origin.to_string(),
            }
        };
        let mut names: Vec<Named> = keys.iter().map(named).collect();
        crate::report::names::tell_apart(&mut names);
        let of_block = |block: &Shared<'a>| {
            let mut methods: BTreeMap<usize, Vec<(Seed, Entry<'a>)>> = BTreeMap::new();
            for entry in &block.entries {
                let place = keys.binary_search(&keyed(entry)).unwrap_or(0);
                methods.entry(place).or_default().push((seed(entry), entry.clone()));
            }
            let sorted = |(name, mut rows): (usize, Vec<(Seed, Entry<'a>)>)| {
                rows.sort_by(|a, b| a.0.cmp(&b.0));
                Method { name, rows }
            };
            methods.into_iter().map(sorted).collect()
        };
        let of_blocks = blocks.iter().map(of_block).collect();
        Methods { names, of_blocks }
    }
}

/// Rows of one name that cannot be trainings of one network: what tells them apart.
struct Apart(BTreeMap<Key, By>);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    /// The network that made the features.
    Backbone,
    /// The results that they are from.
    Origin,
}

impl Apart {
    fn of(blocks: &[Shared<'_>]) -> Apart {
        let mut by = BTreeMap::new();
        for block in blocks {
            let mut rows: BTreeMap<Key, Vec<&Entry<'_>>> = BTreeMap::new();
            for entry in &block.entries {
                rows.entry(key(entry)).or_default().push(entry);
            }
            for (key, rows) in rows.into_iter().filter(|(_, rows)| rows.len() > 1) {
                let count = |of: &dyn Fn(&Entry<'_>) -> String| {
                    rows.iter().map(|entry| of(entry)).collect::<BTreeSet<_>>().len()
                };
                let seeds = count(&|entry| format!("{:?}", seed(entry)));
                let origins = count(&|entry| entry.origin.to_string());
                let networks = count(&|entry| entry.read.table.backbone.clone().unwrap_or_default());
                if seeds < rows.len() {
                    by.insert(key, By::Origin);
                } else if networks > 1 && origins > 1 {
                    by.entry(key).or_insert(By::Backbone);
                }
            }
        }
        Apart(by)
    }

    fn key(&self, entry: &Entry<'_>) -> Key {
        let key = key(entry);
        let apart = match self.0.get(&key) {
            None => String::new(),
            Some(By::Backbone) => entry.read.table.backbone.clone().unwrap_or_default(),
            // Within one result a feature set has one content for each seed.
            Some(By::Origin) => entry.origin.to_string(),
        };
        Key { apart, ..key }
    }
}

impl Method<'_> {
    /// The values of each seed in the first so many episodes; `None` where a row lacks the metric, or has a value that is
    /// not a number.
    pub fn values(&self, metric: Metric, episodes: usize) -> Option<Vec<Vec<f64>>> {
        let of = |(_, entry): &(Seed, Entry<'_>)| {
            let mut values = entry.read.values(metric)?;
            values.truncate(episodes);
            stats::mean(&values).map(|_| values)
        };
        self.rows.iter().map(of).collect()
    }

    /// Its training seeds in words; none where it has no seed.
    pub fn seeds(&self) -> Vec<String> {
        let words = |(network, learner): &Seed| match (network, learner) {
            (None, None) => None,
            (Some(network), None) => Some(network.to_string()),
            (None, Some(learner)) => Some(learner.clone()),
            (Some(network), Some(learner)) => Some(format!("{network}/{learner}")),
        };
        self.rows.iter().filter_map(|(seed, _)| words(seed)).collect()
    }

    /// The names of its rows, with their seeds where there are several.
    pub fn row_names(&self, name: &str) -> Vec<String> {
        match self.rows.len() {
            1 => vec![name.to_string()],
            _ => self.seeds().iter().map(|seed| format!("{name} (seed {seed})")).collect(),
        }
    }

    /// Whether two have the same outcome in every class of these episodes, and the same values of a metric, for every seed.
    pub fn is_identical(&self, other: &Method<'_>, metric: Metric, episodes: usize) -> bool {
        let bits = |entry: &Entry<'_>| {
            let values = entry.read.values(metric).unwrap_or_default();
            values.iter().take(episodes).map(|value| value.to_bits()).collect::<Vec<u64>>()
        };
        let outcomes =
            |entry: &Entry<'_>| entry.read.outcomes.iter().take(episodes).copied().collect::<Vec<u64>>();
        let mut pairs = self.rows.iter().zip(&other.rows).map(|((_, one), (_, other))| (one, other));
        self.rows.len() == other.rows.len()
            && pairs.all(|(one, other)| outcomes(one) == outcomes(other) && bits(one) == bits(other))
    }
}
