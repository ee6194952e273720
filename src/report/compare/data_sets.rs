//! Several data sets: ranks within each, and whether the mean ranks differ.

use std::collections::{BTreeMap, BTreeSet};

use super::{Block, Contender};
use crate::results::Size;
use crate::stats::{self, Friedman};

/// Mean ranks of the methods that all data sets share.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// Classes per episode.
    pub way: Size,
    /// Support items per class.
    pub shot: Size,
    /// Queries per class.
    pub query: Size,
    /// The data sets.
    pub data_sets: Vec<String>,
    /// The methods, best mean rank first.
    pub methods: Vec<Ranked>,
    /// Friedman's test of "all rank alike"; its ranks are in `methods`.
    pub friedman: Friedman,
    /// Mean ranks further apart than this differ (Nemenyi), at the level of the intervals.
    pub critical_difference: f64,
    /// Nemenyi's p-value for every pair of places in `methods`.
    pub pairs: Vec<(usize, usize, f64)>,
}

/// A method among data sets.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// Its name; without that of the features, where each data set has one feature set.
    pub name: String,
    /// Its mean rank; 1 is the best.
    pub rank: f64,
    /// Letters of the groups of methods whose ranks do not differ significantly (Nemenyi); absent where there are too few
    /// data sets for any ranks to differ.
    pub group: Option<String>,
}

/// One ranking for each way, shot and query that two or more data sets have, over the methods that all of them have.
///
/// A data set that comes under two protocols of these sizes would count twice, and then there is no ranking.
pub(super) fn rankings(blocks: &[Block], direction: f64) -> Vec<Ranking> {
    let mut kinds: BTreeMap<(Size, Size, Size), Vec<&Block>> = BTreeMap::new();
    for block in blocks {
        kinds.entry((block.way, block.shot, block.query)).or_default().push(block);
    }
    kinds.values().filter_map(|blocks| ranking(blocks, direction)).collect()
}

fn ranking(blocks: &[&Block], direction: f64) -> Option<Ranking> {
    let items: BTreeSet<&str> = blocks.iter().map(|block| block.items.as_str()).collect();
    if items.len() < blocks.len() {
        return None;
    }
    let value = |block: &Block, name: &str| {
        let method = block.methods.iter().find(|method| ranked_name(block, method) == name);
        method.map(|method| method.value * direction)
    };
    let first = blocks.first()?;
    let names: Vec<&str> = first
        .methods
        .iter()
        .map(|method| ranked_name(first, method))
        .filter(|name| blocks.iter().all(|block| value(block, name).is_some()))
        .collect();
    let values: Vec<Vec<f64>> =
        blocks.iter().map(|block| names.iter().filter_map(|name| value(block, name)).collect()).collect();
    let friedman = stats::friedman(&values)?;
    let alpha = 1.0 - first.level;
    let critical_difference = stats::nemenyi_difference(names.len(), blocks.len(), alpha)?;

    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|a, b| friedman.ranks[*a].total_cmp(&friedman.ranks[*b]));
    let rank = |place: usize| friedman.ranks[order[place]];
    let p = |a: usize, b: usize| stats::nemenyi_p(rank(a) - rank(b), names.len(), blocks.len());
    let letters = super::letters(names.len(), |a, b| p(a, b).is_some_and(|p| p <= alpha));
    // The best and the worst of all data sets are this far apart.
    let possible = critical_difference < names.len() as f64 - 1.0;
    let mut pairs = Vec::new();
    for a in 0..names.len() {
        for b in a + 1..names.len() {
            pairs.push((a, b, p(a, b)?));
        }
    }
    let methods = order.iter().zip(letters);
    let methods = methods.map(|(place, group)| Ranked {
        name: names[*place].to_string(),
        rank: friedman.ranks[*place],
        group: Some(group).filter(|_| possible),
    });
    Some(Ranking {
        way: first.way,
        shot: first.shot,
        query: first.query,
        data_sets: blocks.iter().map(|block| block.dataset.clone()).collect(),
        methods: methods.collect(),
        critical_difference,
        pairs,
        friedman,
    })
}

/// What a method is called among data sets: each has features of its own, so that their name is left out where it is the
/// only one.
fn ranked_name<'a>(block: &Block, method: &'a Contender) -> &'a str {
    let alone = block.methods.iter().all(|other| other.features == method.features);
    let rest = method.name.strip_prefix(method.features.as_str()).and_then(|rest| rest.strip_prefix('+'));
    rest.filter(|_| alone).unwrap_or(&method.name)
}
