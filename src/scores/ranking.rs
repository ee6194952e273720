//! The methods of a data set in order, and what the order is worth.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::across::Across;
use super::checked::{DataSet, Method, Pairing, Scores};
use super::pair::{Difference, LEVEL, Rule, sign_flip_p};
use super::shares::{ALPHA, Survival};
use crate::stats;

/// Two methods of one data set, under one rule; `a` and `b` are places in the order of rank, from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankedPair {
    /// The method with the higher mean.
    pub a: usize,
    /// The other one.
    pub b: usize,
    /// How draws are compared.
    pub rule: Rule,
    /// a − b.
    pub difference: Difference,
    /// Holm's p-value over all pairs of the data set.
    pub p_all: f64,
    /// Holm's p-value over all neighbours in rank, for neighbours.
    pub p_adjacent: Option<f64>,
    /// The p-value of the sign-flip test, for neighbours that are paired.
    pub p_signs: Option<f64>,
}

/// What one rule says of a method's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// How draws are compared.
    pub rule: Rule,
    /// Down the list, a new dense rank begins with the first method that differs significantly from the one that began the last.
    pub dense_rank: usize,
    /// 1 more than the methods that are better, by Holm over all pairs.
    pub low: usize,
    /// As many as are not worse.
    pub high: usize,
}

/// A method of a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// 1 more than the methods with a higher mean.
    pub rank: usize,
    /// The mean over draws.
    pub mean: f64,
    /// Half of the 95 % interval of the mean, over draws.
    pub margin: Option<f64>,
    /// Draws.
    pub draws: usize,
    /// Its place, one a rule.
    pub places: Vec<Place>,
}

/// A data set with its methods in order.
#[derive(Clone, Debug, PartialEq)]
pub struct RankedSet {
    /// Its name.
    pub name: String,
    /// What a point, a hundredth of the whole, is on its scale.
    pub point: f64,
    /// By mean, the highest first; equal ones by name.
    pub methods: Vec<Standing>,
    /// All pairs that can be tested, rule by rule.
    pub pairs: Vec<RankedPair>,
    /// Pairs without a test, because all draws have one score, or one difference; under the rule with most of them.
    pub without_spread: usize,
    /// What survives of the order, rule by rule, without Holm and with it.
    pub survival: Vec<Survival>,
}

/// The rankings of all data sets.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// The column of the scores.
    pub column: String,
    /// Whether the file has answers of single queries, so that intervals hold for other queries, too.
    pub queries: bool,
    /// How draws are compared: one rule, or both where nothing says whether draws are paired.
    pub rules: Vec<Rule>,
    /// In alphabetical order.
    pub data_sets: Vec<RankedSet>,
    /// What survives, over all data sets.
    pub survival: Vec<Survival>,
    /// Ranks over several data sets.
    pub across: Option<Across>,
    /// What a reader must know, as sentences.
    pub notes: Vec<String>,
}

impl Ranking {
    /// Ranks the methods of every data set and tests all their pairs.
    pub fn of(scores: &Scores) -> Ranking {
        let rules = match scores.pairing {
            Pairing::Paired => vec![Rule::Paired],
            Pairing::Unpaired => vec![Rule::Unpaired],
            Pairing::Unknown => vec![Rule::Unpaired, Rule::Paired],
        };
        let data_sets: Vec<RankedSet> =
            scores.data_sets.par_iter().map(|set| RankedSet::of(set, &rules)).collect();
        let survival = (0..2 * rules.len())
            .filter_map(|kind| data_sets.iter().map(|set| set.survival[kind]).reduce(Survival::sum));
        let (across, note) = Across::of(scores);
        let mut notes = scores.notes.clone();
        notes.extend(note);
        notes.extend(without_spread(scores, &data_sets));
        notes.extend(unpaired(&data_sets));
        Ranking {
            column: scores.column.clone(),
            queries: scores.queries,
            survival: survival.collect(),
            rules,
            data_sets,
            across,
            notes,
        }
    }
}

/// Pairs that the rule `paired` compares as independent samples.
fn unpaired(data_sets: &[RankedSet]) -> Option<String> {
    let of = |pair: &&RankedPair| pair.rule == Rule::Paired && !pair.difference.paired;
    let pairs = data_sets.iter().flat_map(|set| &set.pairs).filter(of).count();
    (pairs > 0).then(|| {
        format!(
            "{pairs} pairs are compared as independent samples where others are paired, because they share fewer than two draws \
             (others, or of another shot, revision of the data or major version of the tool)"
        )
    })
}

/// Pairs without a test.
fn without_spread(scores: &Scores, data_sets: &[RankedSet]) -> Option<String> {
    let pairs: usize = data_sets.iter().map(|set| set.without_spread).sum();
    let constant = |method: &&Method| {
        let mut scores = method.draws.values();
        let first = scores.next();
        scores.all(|score| Some(score) == first)
    };
    let methods = scores.data_sets.iter().flat_map(|set| &set.methods).filter(constant).count();
    (pairs > 0).then(|| {
        format!(
            "{pairs} pairs have no test, because nothing varies between their draws ({methods} times a method has one score in \
             all draws of a data set, which says nothing about other draws); they are in no share"
        )
    })
}

impl RankedSet {
    fn of(set: &DataSet, rules: &[Rule]) -> RankedSet {
        let mut methods: Vec<(&Method, f64)> = set
            .methods
            .iter()
            .map(|method| (method, stats::mean(&method.scores()).unwrap_or(f64::NAN)))
            .collect();
        methods.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.name.cmp(&b.0.name)));
        let point = set.scale.point();
        let (mut pairs, mut survival, mut without_spread) = (Vec::new(), Vec::new(), 0);
        for rule in rules {
            let found = pairs_of(&methods, *rule);
            without_spread = without_spread.max(methods.len() * (methods.len() - 1) / 2 - found.len());
            survival.extend([false, true].map(|holm| Survival::of(&found, *rule, holm, point)));
            pairs.extend(found);
        }
        let standings = (0..methods.len()).map(|place| Standing {
            name: methods[place].0.name.clone(),
            rank: 1 + methods.iter().filter(|other| other.1 > methods[place].1).count(),
            mean: methods[place].1,
            margin: margin(&methods[place].0.scores()),
            draws: methods[place].0.draws.len(),
            places: rules.iter().map(|rule| place_of(place, methods.len(), &pairs, *rule)).collect(),
        });
        let mut methods: Vec<Standing> = standings.collect();
        dense(&mut methods, &pairs);
        RankedSet { name: set.name.clone(), point, methods, pairs, without_spread, survival }
    }
}

/// Half of the interval of a mean; absent without spread.
fn margin(scores: &[f64]) -> Option<f64> {
    let estimate = stats::of_mean(scores).filter(|estimate| estimate.standard_error > 0.0)?;
    Some(estimate.interval(LEVEL)?.half_width())
}

/// The tests of all pairs under a rule, those without spread left out.
fn pairs_of(methods: &[(&Method, f64)], rule: Rule) -> Vec<RankedPair> {
    let mut pairs = Vec::new();
    for a in 0..methods.len() {
        for b in a + 1..methods.len() {
            let Some(difference) = Difference::of(methods[a].0, methods[b].0, rule) else { continue };
            let signs = (difference.paired && b == a + 1)
                .then(|| sign_flip_p(methods[a].0, methods[b].0, a as u32))
                .flatten();
            let (p_all, p_adjacent) = (1.0, None);
            pairs.push(RankedPair { a, b, rule, difference, p_all, p_adjacent, p_signs: signs });
        }
    }
    let all: Vec<f64> = pairs.iter().map(|pair| pair.difference.p).collect();
    let adjacent: Vec<f64> =
        pairs.iter().filter(|pair| pair.b == pair.a + 1).map(|pair| pair.difference.p).collect();
    // p-values are between 0 and 1, so that both exist.
    let all = stats::holm(&all).unwrap_or_default();
    let mut adjacent = stats::holm(&adjacent).unwrap_or_default().into_iter();
    for (pair, p) in pairs.iter_mut().zip(all) {
        pair.p_all = p;
        pair.p_adjacent = (pair.b == pair.a + 1).then(|| adjacent.next()).flatten();
    }
    pairs
}

/// The interval of a rank: a test of all pairs holds all such intervals at once (Mogstad, Romano, Shaikh and Wilhelm 2024,
/// "Inference for ranks", Rev. Econ. Stud. 91:476).
fn place_of(place: usize, methods: usize, pairs: &[RankedPair], rule: Rule) -> Place {
    let apart = |pair: &&RankedPair| pair.rule == rule && pair.p_all <= ALPHA;
    let above = pairs.iter().filter(apart).filter(|pair| pair.b == place).count();
    let below = pairs.iter().filter(apart).filter(|pair| pair.a == place).count();
    Place { rule, dense_rank: 1, low: 1 + above, high: methods - below }
}

/// Goes down the list, and begins a new dense rank with every method that differs significantly from the one that began the last.
fn dense(methods: &mut [Standing], pairs: &[RankedPair]) {
    let apart: BTreeSet<(Rule, usize, usize)> =
        pairs.iter().filter(|pair| pair.p_all <= ALPHA).map(|pair| (pair.rule, pair.a, pair.b)).collect();
    let mut heads: BTreeMap<Rule, (usize, usize)> = BTreeMap::new();
    for (place, method) in methods.iter_mut().enumerate() {
        for of in &mut method.places {
            let (head, rank) = heads.entry(of.rule).or_insert((0, 1));
            if apart.contains(&(of.rule, *head, place)) {
                (*head, *rank) = (place, *rank + 1);
            }
            of.dense_rank = *rank;
        }
    }
}
