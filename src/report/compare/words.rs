//! What can be claimed, in sentences.

use super::pair::{Inference, Plan};
use super::{Block, Comparison, Contender, Finding, Pair};
use crate::metric::Metric;
use crate::stats::{self, Population, Verdict};

pub(super) use crate::vocab::counted;

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

    /// A difference, with its sign.
    pub(super) fn signed(self, value: f64) -> String {
        let number = self.number(value);
        let zero = number.chars().all(|c| matches!(c, '0' | '.'));
        if zero || number.starts_with('−') { number } else { format!("+{number}") }
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

/// The sentences for one block: every method against the baseline, or the best against every other.
///
/// The sampler's sentence comes first, because it speaks of what was measured; then the one for new items, then the one
/// for new classes, which a sentence about a method in general needs.
pub fn claims(comparison: &Comparison, block: &Block) -> Vec<String> {
    let mut sentences = Vec::new();
    let new = unit_words(block.clusters.is_some()).1;
    let unit = Unit::of(comparison.metric);
    let against = |pair: &&Pair| comparison.baseline.is_some() || pair.a == 0;
    for pair in block.pairs.iter().filter(against) {
        let (a, b) = (&block.methods[pair.a], &block.methods[pair.b]);
        for finding in &pair.findings {
            let about = about(finding, new);
            let Ok(inference) = &finding.outcome else {
                continue;
            };
            let claim = claim((&a.name, &b.name), inference, block.margin, unit);
            let plan = inference.plan.filter(|_| inference.verdict == Verdict::Inconclusive);
            let plan = plan.map(|plan| planned(plan, finding.population, block, unit));
            sentences.push(format!("{about}, {claim}.{}", plan.unwrap_or_default()));
        }
    }
    sentences.extend(chosen(comparison, block));
    for names in block.identical() {
        let all = names.join(" and ");
        sentences.push(format!("{all} are identical here: the same outcome in every episode and class."));
    }
    let findings = || block.pairs.iter().flat_map(|pair| &pair.findings);
    for population in [Population::Sampler, Population::Classes] {
        let of = findings().filter(|finding| finding.population == population);
        if let Some(finding) = of.clone().find(|finding| finding.outcome.is_err())
            && let Err(reason) = &finding.outcome
        {
            sentences.push(format!("{}, nothing can be said: {reason}.", about(finding, new)));
        }
    }
    sentences.extend(seed_words(block).into_iter().map(|note| format!("{note}.")));
    sentences.extend(counts(comparison, block));
    sentences
}

/// That the best of several was not named beforehand.
fn chosen(comparison: &Comparison, block: &Block) -> Option<String> {
    let distinct = block.methods.iter().filter(|method| method.same_as.is_none()).count();
    (comparison.baseline.is_none() && distinct > 2).then(|| {
        format!(
            "{} was chosen as the best of {distinct} after looking, so that its lead is likely to be smaller elsewhere: \
             `--baseline METHOD` compares with one that is named beforehand.",
            block.methods[0].name
        )
    })
}

fn about(finding: &Finding, new: &str) -> String {
    match finding.population {
        Population::Sampler => "For these classes and items".to_string(),
        Population::Items => "For new items of these classes".to_string(),
        Population::Classes => format!("For new {new}"),
    }
}

fn claim((a, b): (&str, &str), inference: &Inference, margin: Option<f64>, unit: Unit) -> String {
    let interval = inference.interval;
    let (better, worse, sign) = if inference.verdict == Verdict::Worse { (b, a, -1.0) } else { (a, b, 1.0) };
    // The difference is told as better − worse, whichever the direction of the metric.
    let ends = if sign > 0.0 { (interval.low, interval.high) } else { (-interval.high, -interval.low) };
    let numbers = format!(
        "difference {}, {} CI {} to {}",
        unit.with_name(inference.estimate.value * sign),
        percent(interval.level),
        unit.number(ends.0),
        unit.number(ends.1)
    );
    let within = margin.map(|margin| unit.chosen(margin)).unwrap_or_default();
    let told = |of: Option<crate::stats::Interval>| {
        of.map(|of| if sign > 0.0 { (of.low, of.high) } else { (-of.high, -of.low) })
            .map(|(low, high)| format!("{} to {}", unit.number(low), unit.number(high)))
    };
    let without_zero = ends.0 > 0.0 || ends.1 < 0.0;
    let together = told(inference.simultaneous)
        .filter(|_| without_zero && inference.verdict == Verdict::Inconclusive)
        .map(|ends| format!(", and {ends} for all pairs at once"))
        .unwrap_or_default();
    let numbers = match told(inference.equivalence_interval) {
        Some(ends) if inference.verdict == Verdict::Equivalent => {
            format!("{numbers}, {} CI of the test {ends}", percent(2.0 * interval.level - 1.0))
        }
        _ => format!("{numbers}{together}"),
    };
    match inference.verdict {
        Verdict::Better | Verdict::Worse => {
            format!("{better} is better than {worse} ({numbers}, {})", p_words(inference.p_holm))
        }
        Verdict::Equivalent => format!(
            "{better} and {worse} are equivalent within ±{within} ({numbers}, {})",
            p_words(inference.equivalence_holm.unwrap_or(1.0))
        ),
        Verdict::Inconclusive => {
            format!("{better} against {worse} is inconclusive ({numbers}, {})", p_words(inference.p_holm))
        }
    }
}

fn planned(plan: Plan, population: Population, block: &Block, unit: Unit) -> String {
    let (left_out, several) =
        (block.clusters.unwrap_or(block.classes), unit_words(block.clusters.is_some()).1);
    let goal = format!("a margin of ±{}", unit.chosen(block.margin.unwrap_or_default()));
    if let Some(seeds) = plan.seeds {
        return format!(" About {seeds} training seeds would give {goal}.");
    }
    match (population, plan.episodes, plan.classes) {
        (Population::Classes, None, Some(classes)) => format!(
            " No number of episodes of these {left_out} {several} would give {goal}; about {classes} {several} would."
        ),
        (Population::Classes, Some(episodes), _) => {
            format!(" About {episodes} episodes of these {left_out} {several} would give {goal}.")
        }
        (_, Some(episodes), _) if episodes > block.episodes as u64 => {
            format!(" About {episodes} episodes would give {goal}: add `--episodes {episodes}`.")
        }
        (_, Some(_), _) => format!(" Its interval is narrower than {goal} already."),
        (_, None, _) => String::new(),
    }
}

/// How many pairs differ, for whom; whether by more than the margin is another question.
fn counts(comparison: &Comparison, block: &Block) -> Option<String> {
    let pairs = block.pairs.len();
    if comparison.baseline.is_some() || pairs < 2 {
        return None;
    }
    let differ = |pair: &&Pair, population| pair.inference(population).is_some_and(Inference::is_significant);
    let these = || block.pairs.iter().filter(|pair| differ(pair, Population::Sampler));
    let defined = block.pairs.iter().any(|pair| pair.inference(Population::Classes).is_some());
    let new = unit_words(block.clusters.is_some()).1;
    let classes = if defined {
        let count = these().filter(|pair| differ(pair, Population::Classes)).count();
        format!("{count} of them for new {new} too")
    } else {
        format!("nothing can be said of new {new}")
    };
    let count = these().count();
    Some(format!("{count} of {pairs} pairs differ significantly for these classes and items, {classes}."))
}

/// What training seeds can and cannot tell: for methods with several, how wide few of them make a margin; for those with
/// one, that it speaks of this training alone.
pub(super) fn seed_words(block: &Block) -> Vec<String> {
    let mut alike: Vec<Vec<&Contender>> = Vec::new();
    for method in block.methods.iter().filter(|method| !method.seeds.is_empty()) {
        let same = |other: &Contender| (&other.features, &other.seeds) == (&method.features, &method.seeds);
        match alike.iter_mut().find(|methods| same(methods[0])) {
            Some(methods) => methods.push(method),
            None => alike.push(vec![method]),
        }
    }
    alike.iter().filter_map(|methods| of_seeds(block, methods)).collect()
}

/// The sentence for methods of one feature set and the same seeds, without its end.
fn of_seeds(block: &Block, methods: &[&Contender]) -> Option<String> {
    let features = &methods[0].features;
    let all = block.methods.iter().filter(|method| method.features == *features).count() == methods.len();
    let names: Vec<&str> = methods.iter().map(|method| method.name.as_str()).collect();
    let name = if all { features.clone() } else { names.join(", ") };
    if let [seed] = methods[0].seeds.as_slice() {
        return Some(format!(
            "{name}: one training (seed {seed}); nothing is said of training with another seed"
        ));
    }
    let degrees = || methods.iter().filter_map(|method| method.seed_degrees);
    let (least, most) = (degrees().fold(f64::INFINITY, f64::min), degrees().fold(0.0, f64::max));
    let count = methods[0].seeds.len();
    let factor = stats::width_factor(least, block.level)?;
    let (low, high) = stats::deviation_range(count, block.level)?;
    let [least, most] = [least, most].map(|degrees| format!("{degrees:.1}"));
    let degrees = if least == most { least } else { format!("{least} to {most}") };
    Some(format!(
        "{name}: mean over {count} training seeds ({}); margins are for new seeds too, with {degrees} degrees of freedom: \
         {factor:.1} times as wide as the same standard error from many seeds. {count} seeds cannot tell how much seeds \
         differ: the true standard deviation may be {low:.1} to {high:.1} times theirs",
        methods[0].seeds.join(", ")
    ))
}
