//! Which method is better, and is the difference real? Comparison of results on shared episodes.
//!
//! Methods are paired by items, draw and episode, whatever their features and from however many results: tables go in
//! ([`Entry`]), a [`Comparison`] comes out, and text, CSV, Markdown and LaTeX are made of that. Each pair gets a
//! difference with an interval for these classes and items, one for new items where no item repeats, and one for new
//! classes where that is defined; tests are corrected over all pairs of one protocol and metric (Holm), over all shots and
//! data sets. Training seeds are a factor: rows that differ in their seed alone are one method, judged by its mean over
//! seeds. Methods with identical rows are tested once. Episodes of several data sets are never pooled: they get an effect
//! each, and ranks over data sets.

mod block;
pub(super) mod blocks;
mod data_sets;
mod entry;
mod error;
mod family;
mod groups;
mod margin;
pub(super) mod methods;
mod pair;
mod prefix;
mod table;
mod words;
mod written;

use std::collections::BTreeMap;

use super::names::{self, NotFound};
use crate::metric::Metric;
use crate::results::class_level;
use crate::stats::Population;
use blocks::Shared;
use methods::Methods;

pub use block::{Block, Contender};
pub use data_sets::{Ranked, Ranking};
pub use entry::{Entry, entries};
pub use error::{CompareError, Difference};
pub use groups::letters;
pub use margin::{EquivalenceMargin, NoMargin};
pub use pair::{Finding, Inference, Pair, Plan};
pub use words::claims;
pub use written::{RANKING_COLUMNS, comparison_columns};

/// What is compared, and how.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The metric; one with a value per episode.
    pub metric: Metric,
    /// Compares all methods with this one instead of all with all: its name, `FEATURES+LEARNER`, or a learner that only one
    /// method has; learners may have parameters, `name:key=value`.
    pub baseline: Option<&'a str>,
    /// The equivalence margin, in the units of the metric or as a share of the error; above 0. Without it nothing is
    /// equivalent.
    pub margin: Option<EquivalenceMargin>,
    /// Rounds of the sign-flip test.
    pub rounds: u64,
}

/// A comparison, complete.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The metric.
    pub metric: Metric,
    /// The baseline's name, where all others are compared with it alone.
    pub baseline: Option<String>,
    /// One block per protocol, shot and data set.
    pub blocks: Vec<Block>,
    /// Ranks over data sets, one entry per kind of episode that several data sets have.
    pub rankings: Vec<Ranking>,
}

/// Random bits for one sign-flip test.
pub type Bits = Box<dyn FnMut() -> u64>;

/// Compares the methods of these tables. `bits` makes the random bits of the pair of that number.
///
/// # Errors
/// Results that cannot be paired, naming the first difference; fewer than two methods, or episodes; a metric without values
/// per episode; a baseline that is not there.
pub fn compare(
    tables: &[Entry<'_>],
    options: &Options<'_>,
    bits: &dyn Fn(u32) -> Bits,
) -> Result<Comparison, CompareError> {
    if !options.metric.is_per_episode() && !class_level::is_of_counts(options.metric) {
        return Err(CompareError::Metric { metric: options.metric });
    }
    let number = options.margin.map(EquivalenceMargin::number);
    if let Some(found) = number.filter(|number| !(*number > 0.0 && number.is_finite())) {
        return Err(CompareError::Margin { found });
    }
    let shared = blocks::blocks(tables)?;
    let methods = Methods::of(&shared);
    let baseline = options.baseline.map(|asked| baseline(asked, &methods)).transpose()?;
    let direction = if options.metric.is_loss() { -1.0 } else { 1.0 };

    let mut number = 0;
    let mut blocks = Vec::new();
    for (shared, of_block) in shared.iter().zip(&methods.of_blocks) {
        let asked = block::Asked { options, direction, names: &methods.names, baseline, bits };
        blocks.push(block::block(shared, of_block, &asked, &mut number));
    }
    if !blocks.iter().any(Block::is_compared) {
        return Err(nothing(&blocks, &shared));
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
    let baseline = baseline.map(|place| methods.names[place].name.clone());
    Ok(Comparison { metric: options.metric, baseline, blocks, rankings })
}

/// The place of the one method that is meant.
fn baseline(asked: &str, methods: &Methods<'_>) -> Result<usize, CompareError> {
    let asked_for = asked.to_string();
    names::find(asked, &methods.names).map_err(|error| match error {
        NotFound::None { known, hint } => CompareError::NoBaseline { asked: asked_for, known, hint },
        NotFound::Several { known } => CompareError::SeveralBaselines { asked: asked_for, known },
    })
}

/// Why there is nothing to compare: too few episodes, or too few methods.
fn nothing(blocks: &[Block], shared: &[Shared<'_>]) -> CompareError {
    let few =
        blocks.iter().zip(shared).find(|(block, shared)| block.methods.len() > 1 && shared.episodes() < 2);
    if let Some((block, shared)) = few {
        return CompareError::FewEpisodes { protocol: block.protocol.clone(), episodes: shared.episodes() };
    }
    let mut found: Vec<&str> =
        blocks.iter().flat_map(|block| &block.methods).map(|method| method.name.as_str()).collect();
    found.sort_unstable();
    found.dedup();
    CompareError::Alone { found: if found.is_empty() { "none".to_string() } else { found.join(", ") } }
}

/// Gives every method the letters of its groups; identical ones have the same.
fn group(block: &mut Block) {
    let distinct: Vec<usize> =
        (0..block.methods.len()).filter(|place| block.methods[*place].same_as.is_none()).collect();
    let count = distinct.len();
    let place = |method: usize| distinct.binary_search(&method).unwrap_or(0);
    let lettered = |population| {
        let mut apart = vec![false; count * count];
        for pair in &block.pairs {
            let apart = &mut apart[place(pair.a) * count + place(pair.b)];
            match pair.inference(population) {
                Some(inference) => *apart = inference.is_significant(),
                // Without any spread for these classes nothing significant was shown; what is said of new classes is said
                // of all pairs or of none.
                None if population == Population::Sampler => {}
                None => return None,
            }
        }
        if !block.pairs.iter().any(|pair| pair.inference(population).is_some()) {
            return None;
        }
        let all = block.pairs.len() == count * count.saturating_sub(1) / 2;
        all.then(|| letters(count, |a, b| apart[a * count + b]))
    };
    let (sampler, classes) = (lettered(Population::Sampler), lettered(Population::Classes));
    for number in 0..block.methods.len() {
        let of = place(block.methods[number].same_as.unwrap_or(number));
        block.methods[number].group = sampler.as_ref().map(|letters| letters[of].clone());
        block.methods[number].class_group = classes.as_ref().map(|letters| letters[of].clone());
    }
}

#[cfg(test)]
mod tests;
