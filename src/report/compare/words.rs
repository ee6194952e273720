//! What can be claimed, in sentences.

use super::pair::{Inference, Plan};
use super::{Block, Comparison, Pair};
use crate::metric::Metric;
use crate::stats::{Population, Verdict};

/// What is left out in turn for a statement about new ones: the word for one of them, and for several.
pub(super) fn unit_words(clustered: bool) -> (&'static str, &'static str) {
    if clustered { ("cluster", "clusters") } else { ("class", "classes") }
}

/// How numbers of a metric are shown: rates in points of a percent, others as they are.
#[derive(Clone, Copy)]
pub(super) struct Unit {
    scale: f64,
    digits: usize,
    name: &'static str,
}

impl Unit {
    pub(super) fn of(metric: Metric) -> Unit {
        if metric.is_rate() {
            Unit { scale: 100.0, digits: 2, name: " points" }
        } else {
            Unit { scale: 1.0, digits: 4, name: "" }
        }
    }

    pub(super) fn number(self, value: f64) -> String {
        let text = format!("{:.*}", self.digits, value * self.scale);
        // A rounded zero has no sign, and a minus sign is no hyphen.
        let zero = text.chars().all(|c| matches!(c, '-' | '0' | '.'));
        if zero { text.trim_start_matches('-').to_string() } else { text.replace('-', "−") }
    }

    pub(super) fn with_name(self, value: f64) -> String {
        format!("{}{}", self.number(value), self.name)
    }

    /// A number that a person has chosen, without zeros at its end.
    pub(super) fn chosen(self, value: f64) -> String {
        format!("{}{}", (value * self.scale * 1e6).round() / 1e6, self.name)
    }
}

/// A level in percent.
pub(super) fn percent(level: f64) -> String {
    format!("{} %", (level * 1e6).round() / 1e4)
}

/// A p-value, short.
pub(super) fn p_words(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_string() } else { format!("p = {p:.3}") }
}

/// The sentences for one block: every learner against the baseline, or the best against every other.
///
/// The sampler's sentence comes first, because it speaks of what was measured; then the one for new items, then the one
/// for new classes, which a sentence about a method needs.
pub fn claims(comparison: &Comparison, block: &Block) -> Vec<String> {
    let mut sentences = Vec::new();
    let new = unit_words(block.clusters.is_some()).1;
    let unit = Unit::of(comparison.metric);
    let against = |pair: &&Pair| comparison.baseline.is_some() || pair.a == 0;
    for pair in block.pairs.iter().filter(against) {
        let (a, b) = (&block.learners[pair.a].name, &block.learners[pair.b].name);
        for finding in &pair.findings {
            let about = match finding.population {
                Population::Sampler => "For these classes and items".to_string(),
                Population::Items => "For new items of these classes".to_string(),
                Population::Classes => format!("For new {new}"),
            };
            let Ok(inference) = &finding.outcome else {
                continue;
            };
            let claim = claim(a, b, inference, comparison, unit);
            let plan = inference.plan.filter(|_| inference.verdict == Verdict::Undecided);
            let plan = plan.map(|plan| planned(plan, finding.population, block, comparison, unit));
            sentences.push(format!("{about}, {claim}.{}", plan.unwrap_or_default()));
        }
    }
    let mut reasons = block.pairs.iter().flat_map(|pair| &pair.findings);
    if let Some(reason) = reasons.find_map(|finding| finding.outcome.as_ref().err()) {
        sentences.push(format!("For new {new}, nothing can be said: {reason}."));
    }
    sentences.extend(counts(comparison, block));
    sentences
}

fn claim(a: &str, b: &str, inference: &Inference, comparison: &Comparison, unit: Unit) -> String {
    let interval = inference.interval;
    let (better, worse, sign) = if inference.verdict == Verdict::Worse { (b, a, -1.0) } else { (a, b, 1.0) };
    // The difference is told as better − worse, whichever the direction of the metric.
    let ends = if sign > 0.0 { (interval.low, interval.high) } else { (-interval.high, -interval.low) };
    let numbers = format!(
        "difference {}, {} interval {} to {}",
        unit.with_name(inference.estimate.value * sign),
        percent(interval.level),
        unit.number(ends.0),
        unit.number(ends.1)
    );
    let within = comparison.smallest.map(|smallest| unit.chosen(smallest)).unwrap_or_default();
    match inference.verdict {
        Verdict::Better | Verdict::Worse => {
            format!("{better} is better than {worse} ({numbers}, {})", p_words(inference.p_holm))
        }
        Verdict::Equivalent => format!(
            "{better} and {worse} are equivalent within ±{within} ({numbers}, {})",
            p_words(inference.equivalence_holm.unwrap_or(1.0))
        ),
        Verdict::Undecided => {
            format!("{better} and {worse} are undecided ({numbers}, {})", p_words(inference.p_holm))
        }
    }
}

fn planned(plan: Plan, population: Population, block: &Block, comparison: &Comparison, unit: Unit) -> String {
    let (left_out, several) =
        (block.clusters.unwrap_or(block.classes), unit_words(block.clusters.is_some()).1);
    let goal = format!("an interval of ±{}", unit.chosen(comparison.smallest.unwrap_or_default()));
    match (population, plan.episodes, plan.classes) {
        (Population::Classes, None, Some(classes)) => format!(
            " No number of episodes of these {left_out} {several} would give {goal}; about {classes} {several} would."
        ),
        (Population::Classes, Some(episodes), _) => {
            format!(" About {episodes} episodes of these {left_out} {several} would give {goal}.")
        }
        (Population::Classes, None, None) => String::new(),
        (_, Some(episodes), _) if episodes > block.episodes as u64 => {
            format!(" About {episodes} episodes would give {goal}.")
        }
        (_, Some(_), _) => format!(
            " The interval is narrower than ±{} already.",
            unit.chosen(comparison.smallest.unwrap_or_default())
        ),
        (_, None, _) => String::new(),
    }
}

/// How many pairs are told apart, for whom; whether by more than what matters is another question.
fn counts(comparison: &Comparison, block: &Block) -> Option<String> {
    let pairs = block.pairs.len();
    if comparison.baseline.is_some() || pairs < 2 {
        return None;
    }
    let apart = |pair: &&Pair, population| {
        let inference = pair.inference(population);
        inference.is_some_and(|inference| inference.p_holm <= 1.0 - inference.interval.level)
    };
    let told = || block.pairs.iter().filter(|pair| apart(pair, Population::Sampler));
    let defined = block.pairs.iter().any(|pair| pair.inference(Population::Classes).is_some());
    let new = unit_words(block.clusters.is_some()).1;
    let classes = match defined {
        true => {
            let count = told().filter(|pair| apart(pair, Population::Classes)).count();
            format!("for {count} of them new {new} would show it too")
        }
        false => format!("nothing can be said of new {new}"),
    };
    Some(format!("Of {pairs} pairs, {} differ for these classes and items; {classes}.", told().count()))
}
