//! Which learner is better, and is the difference real? Comparison of results on shared episodes.
//!
//! Learners are paired by draw and episode. Each pair gets a difference with an interval for these classes and items,
//! one for new items where no item repeats, and one for new classes where that is defined; tests are corrected over all
//! pairs of one protocol and metric (Holm), over all shots and data sets. Episodes of several data sets are never
//! pooled: they get an effect each, and ranks over data sets.

pub(super) mod blocks;
mod data_sets;
mod error;
mod family;
mod groups;
mod pair;
mod table;
mod words;
mod written;

use std::collections::BTreeMap;

use super::names::{display_names, is_meant};
use crate::metric::Metric;
use crate::results::{Measured, ResultsFolder, Size};
use crate::stats::{self, Population};
use blocks::Source;
use pair::{Setting, Side};

pub use data_sets::{Ranked, Ranking};
pub use error::CompareError;
pub use groups::letters;
pub use pair::{Finding, Inference, Pair, Plan};
pub use words::claims;
pub use written::{COMPARISON_COLUMNS, RANKING_COLUMNS};

/// What is compared, and how.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The metric; one with a value per episode.
    pub metric: Metric,
    /// Compares all learners with this one, `name` or `name:key=value`, instead of all with all.
    pub baseline: Option<&'a str>,
    /// The smallest difference that matters, in the units of the metric; above 0. Without it nothing is equivalent.
    pub smallest: Option<f64>,
    /// Rounds of the sign-flip test.
    pub rounds: u64,
}

/// A comparison, complete.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The metric.
    pub metric: Metric,
    /// The smallest difference that matters, in the units of the metric.
    pub smallest: Option<f64>,
    /// The baseline's name, where all others are compared with it alone.
    pub baseline: Option<String>,
    /// One block per protocol, shot and data set.
    pub blocks: Vec<Block>,
    /// Ranks over data sets, one entry per kind of episode that several data sets have.
    pub rankings: Vec<Ranking>,
}

/// Learners on the same episodes of one data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The protocol.
    pub protocol: String,
    /// Its version.
    pub version: u32,
    /// Classes per episode.
    pub way: Size,
    /// Support items per class.
    pub shot: Size,
    /// Queries per class.
    pub query: Size,
    /// SHA-256 of the draw.
    pub draw_sha256: String,
    /// The dataset or the path of the feature store, as the run recorded it.
    pub features: String,
    /// SHA-256 of the features.
    pub features_sha256: String,
    /// Whether an item may appear in two episodes.
    pub repeat: bool,
    /// Whether episodes were drawn until intervals were narrow, so that the sampler's is sequential.
    pub sequential: bool,
    /// Level of the intervals.
    pub level: f64,
    /// Episodes.
    pub episodes: usize,
    /// Classes that occur.
    pub classes: usize,
    /// Clusters of classes that occur; absent where classes have none. What is said of new classes is then about new
    /// clusters.
    pub clusters: Option<usize>,
    /// The learners that have the metric, best first.
    pub learners: Vec<Contender>,
    /// Learners that only rank and so lack the metric.
    pub lacking: Vec<String>,
    /// The pairs that were asked for.
    pub pairs: Vec<Pair>,
}

/// A learner of a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Contender {
    /// Its name with the parameters that tell it from others.
    pub name: String,
    /// Its name alone.
    pub learner: String,
    /// All its parameters as one text.
    pub parameters: String,
    /// The mean of the metric.
    pub value: f64,
    /// The intervals of that mean, as the results have them.
    pub intervals: Vec<Measured>,
    /// Letters of the groups that the sampler cannot tell apart; only where all pairs were compared.
    pub group: Option<String>,
    /// The same for new classes; absent where any pair says nothing about them.
    pub class_group: Option<String>,
}

/// Random bits for one sign-flip test.
pub type Bits = Box<dyn FnMut() -> u64>;

/// Compares the learners of these results. `bits` makes the random bits of the pair of that number.
///
/// # Errors
/// Results that cannot be paired, saying which of draws and features differ; fewer than two learners; a metric without
/// values per episode; a baseline that is not there.
pub fn compare(
    folders: &[ResultsFolder],
    options: &Options<'_>,
    bits: &dyn Fn(u32) -> Bits,
) -> Result<Comparison, CompareError> {
    if !options.metric.is_per_episode() {
        return Err(CompareError::Metric { metric: options.metric });
    }
    if let Some(found) = options.smallest.filter(|smallest| !(*smallest > 0.0 && smallest.is_finite())) {
        return Err(CompareError::Smallest { found });
    }
    let sources = blocks::blocks(folders)?;
    let all = || sources.values().flatten().map(|source| &source.read.table);
    let names = display_names(all().map(|table| (table.learner.as_str(), &table.parameters)));
    let baseline = options.baseline.map(|asked| baseline(asked, &names)).transpose()?;
    let direction = if options.metric.is_loss() { -1.0 } else { 1.0 };

    let mut number = 0;
    let mut blocks = Vec::new();
    for sources in sources.values() {
        blocks.push(block(sources, options, direction, &names, baseline.as_deref(), &mut number, bits));
    }
    if blocks.iter().all(|block: &Block| block.pairs.is_empty()) {
        let mut found: Vec<&str> =
            blocks.iter().flat_map(|block| &block.learners).map(|learner| learner.name.as_str()).collect();
        found.sort_unstable();
        found.dedup();
        let found = if found.is_empty() { "none".to_string() } else { found.join(", ") };
        return Err(CompareError::Alone { found });
    }
    let mut families: BTreeMap<String, Vec<&mut Block>> = BTreeMap::new();
    for block in &mut blocks {
        families.entry(block.protocol.clone()).or_default().push(block);
    }
    families.values_mut().for_each(|family| family::correct(family, direction));
    if baseline.is_none() {
        blocks.iter_mut().for_each(group);
    }
    let rankings = data_sets::rankings(&blocks, direction);
    Ok(Comparison { metric: options.metric, smallest: options.smallest, baseline, blocks, rankings })
}

type Names<'a> = BTreeMap<(&'a str, &'a BTreeMap<String, String>), String>;

/// The one learner that is meant.
fn baseline(asked: &str, names: &Names<'_>) -> Result<String, CompareError> {
    let fits = |((name, parameters), shown): &(&(&str, &BTreeMap<String, String>), &String)| {
        *shown == asked || is_meant(asked, name, parameters)
    };
    let meant: Vec<&str> = names.iter().filter(fits).map(|(_, shown)| shown.as_str()).collect();
    let asked = asked.to_string();
    match meant.as_slice() {
        [one] => Ok(one.to_string()),
        [] => {
            let known = names.values().cloned().collect::<Vec<_>>().join(", ");
            Err(CompareError::NoBaseline { asked, known })
        }
        several => Err(CompareError::SeveralBaselines { asked, known: several.join(", ") }),
    }
}

fn block(
    sources: &[Source<'_>],
    options: &Options<'_>,
    direction: f64,
    names: &Names<'_>,
    baseline: Option<&str>,
    number: &mut u32,
    bits: &dyn Fn(u32) -> Bits,
) -> Block {
    let (first, run) = (&sources[0].read, &sources[0].folder.run);
    let record = run.of_table(&first.key());
    let mut lacking = Vec::new();
    let mut contenders: Vec<(Contender, Vec<f64>)> = Vec::new();
    for source in sources {
        let table = &source.read.table;
        let name = names.get(&(table.learner.as_str(), &table.parameters)).cloned().unwrap_or_default();
        let values = source.read.values(options.metric);
        let Some((value, values)) = values.and_then(|values| Some((stats::mean(&values)?, values))) else {
            lacking.push(name);
            continue;
        };
        let intervals = source.read.measured.iter().filter(|m| m.metric == options.metric);
        let contender = Contender {
            name,
            learner: table.learner.clone(),
            parameters: table.parameters_text(),
            value,
            intervals: intervals.copied().collect(),
            group: None,
            class_group: None,
        };
        contenders.push((contender, values));
    }
    contenders.sort_by(|a, b| (b.0.value * direction).total_cmp(&(a.0.value * direction)));

    let setting =
        Setting { dealt: &first.dealt, repeat: first.table.repeat, level: first.table.level, direction };
    let mut pairs = Vec::new();
    for (a, (first, a_values)) in contenders.iter().enumerate() {
        for (b, (second, b_values)) in contenders.iter().enumerate() {
            // With a baseline it stands second, so that its verdicts read as those on the others.
            let asked = baseline.map_or(a < b, |baseline| second.name == baseline && first.name != baseline);
            if asked {
                *number += 1;
                let (a, b) = (Side { place: a, values: a_values }, Side { place: b, values: b_values });
                pairs.extend(pair::pair(&a, &b, &setting, options, &mut *bits(*number)));
            }
        }
    }
    Block {
        protocol: first.table.protocol.clone(),
        version: first.table.version,
        way: first.table.way,
        shot: first.table.shot,
        query: first.table.query,
        draw_sha256: first.table.draw_sha256.clone(),
        features: record.map_or(String::new(), |record| record.source.clone()),
        features_sha256: first.features_sha256.clone(),
        repeat: first.table.repeat,
        sequential: sources.iter().any(|source| source.read.table.sequential),
        level: first.table.level,
        episodes: first.dealt.episodes.len(),
        classes: first.dealt.classes.len(),
        clusters: first.dealt.is_clustered().then_some(first.dealt.units.len()),
        learners: contenders.into_iter().map(|(contender, _)| contender).collect(),
        lacking,
        pairs,
    }
}

/// Gives every learner the letters of its groups.
fn group(block: &mut Block) {
    let count = block.learners.len();
    let apart = |population| {
        let mut apart = vec![false; count * count];
        for pair in &block.pairs {
            let inference = pair.inference(population)?;
            apart[pair.a * count + pair.b] = inference.p_holm <= 1.0 - inference.interval.level;
        }
        (block.pairs.len() == count * count.saturating_sub(1) / 2).then_some(apart)
    };
    let lettered = |population| {
        let apart: Vec<bool> = apart(population)?;
        Some(letters(count, |a, b| apart[a * count + b]))
    };
    let (sampler, classes) = (lettered(Population::Sampler), lettered(Population::Classes));
    for (place, learner) in block.learners.iter_mut().enumerate() {
        learner.group = sampler.as_ref().map(|letters| letters[place].clone());
        learner.class_group = classes.as_ref().map(|letters| letters[place].clone());
    }
}

impl Block {
    /// What it is called: protocol, shot where there are several, and data set where there are several.
    pub fn title(&self) -> String {
        let shot = match self.shot {
            Size::Number(number) => format!("{number}-shot"),
            other => format!("{other} shots"),
        };
        format!("{}, {shot}, {}", self.protocol, self.features)
    }
}

#[cfg(test)]
mod tests;
