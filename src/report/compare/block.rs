//! Methods on the same episodes of one data set: their means, and the pairs that were asked for.

use super::blocks::{Shared, items};
use super::methods::Method;
use super::pair::{self, Pair, Setting, Side};
use super::{Bits, Options};
use crate::metric::Metric;
use crate::report::names::Named;
use crate::results::class_level::{self, ClassRow};
use crate::results::{Dealt, Measured, Size};
use crate::stats::{self, Estimate, Population, SeedVariance};

/// Methods on the same episodes of one data set.
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
    /// SHA-256 of the draw; of the shortest, where several begin alike.
    pub draw_sha256: String,
    /// The data set.
    pub dataset: String,
    /// SHA-256 of the items' identities; empty where they are not known.
    pub items_sha256: String,
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
    /// The methods that have the metric, best first.
    pub methods: Vec<Contender>,
    /// Methods that only rank and so lack the metric.
    pub lacking: Vec<String>,
    /// The pairs that were asked for, of methods that are not identical.
    pub pairs: Vec<Pair>,
    /// What a reader should know of how its tables were paired.
    pub notes: Vec<String>,
    /// The equivalence margin, in the units of the metric.
    pub margin: Option<f64>,
    /// What identifies its items.
    pub(super) items: String,
}

/// A method of a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Contender {
    /// Its name, which no other method of the comparison has.
    pub name: String,
    /// The name of its feature set.
    pub features: String,
    /// SHA-256 of its features, one per training seed.
    pub features_sha256: Vec<String>,
    /// The name of its learner.
    pub learner: String,
    /// All parameters of its learner as one text; without the seed where there are several.
    pub parameters: String,
    /// Its training seeds; none where it has no seed.
    pub seeds: Vec<String>,
    /// The mean of the metric, over training seeds too where there are several.
    pub value: f64,
    /// The intervals of that mean: as the results have them, or crossed with training seeds.
    pub intervals: Vec<Measured>,
    /// Degrees of freedom of the interval for these classes, where there are several seeds.
    pub seed_degrees: Option<f64>,
    /// The place of the method with which it shares every outcome, and in whose place it is not tested again.
    pub same_as: Option<usize>,
    /// Letters of the groups of methods that do not differ significantly for these classes and items; only where all pairs
    /// were compared.
    pub group: Option<String>,
    /// The same for new classes; absent where any pair says nothing about them.
    pub class_group: Option<String>,
}

/// What all blocks of a comparison are asked.
pub(super) struct Asked<'a> {
    pub options: &'a Options<'a>,
    /// −1 where lower values are better.
    pub direction: f64,
    pub names: &'a [Named],
    /// The place of the baseline's name.
    pub baseline: Option<usize>,
    pub bits: &'a dyn Fn(u32) -> Bits,
}

/// A method with its values.
struct Valued<'a, 'b> {
    method: &'b Method<'a>,
    rows: Vec<Vec<f64>>,
    means: Vec<f64>,
    /// Its classes over the episodes that are compared; empty where it has several seeds, or further episodes.
    classes: Vec<ClassRow>,
    shown: Contender,
}

/// Compares the methods of a block; `number` counts the pairs of the whole comparison.
pub(super) fn block(
    shared: &Shared<'_>,
    methods: &[Method<'_>],
    asked: &Asked<'_>,
    number: &mut u32,
) -> Block {
    let mut lacking = Vec::new();
    let mut valued: Vec<Valued<'_, '_>> = Vec::new();
    for method in methods {
        match of_method(shared, method, asked) {
            Some(of) => valued.push(of),
            None => lacking.push(asked.names[method.name].name.clone()),
        }
    }
    let key = |of: &Valued<'_, '_>| of.shown.value * asked.direction;
    valued.sort_by(|a, b| key(b).total_cmp(&key(a)).then_with(|| a.shown.name.cmp(&b.shown.name)));
    name_identical(&mut valued, asked, shared.episodes());
    let first = &shared.entries[0].read.table;
    let margin = margin(&valued, asked);
    let pairs = pairs(shared, &valued, asked, (margin, number));
    Block {
        protocol: shared.protocol.clone(),
        version: first.version,
        way: first.way,
        shot: shared.shot,
        query: first.query,
        draw_sha256: shortest(shared),
        dataset: first.dataset.clone(),
        items_sha256: first.items_sha256.clone(),
        repeat: repeat(shared),
        sequential: shared.entries.iter().any(|entry| entry.read.table.sequential),
        level: first.level,
        episodes: shared.episodes(),
        classes: shared.dealt.classes.len(),
        clusters: shared.dealt.is_clustered().then_some(shared.dealt.units.len()),
        methods: valued.into_iter().map(|of| of.shown).collect(),
        lacking,
        pairs,
        notes: shared.notes.clone(),
        margin,
        items: items(&shared.entries[0]).to_string(),
    }
}

/// The equivalence margin, which may depend on the value of the baseline, or of the best method.
fn margin(valued: &[Valued<'_, '_>], asked: &Asked<'_>) -> Option<f64> {
    let baseline = valued.iter().find(|of| Some(of.method.name) == asked.baseline);
    let of = baseline.or_else(|| valued.first())?;
    asked.options.margin?.at(asked.options.metric, of.shown.value)
}

/// The hash of the draw that has no more than the common episodes.
fn shortest(shared: &Shared<'_>) -> String {
    let shortest = shared.entries.iter().min_by_key(|entry| entry.read.dealt.episodes.len());
    shortest.map_or(String::new(), |entry| entry.read.table.draw_sha256.clone())
}

fn repeat(shared: &Shared<'_>) -> bool {
    shared.entries.iter().any(|entry| entry.read.table.repeat)
}

/// A method with its values, mean and intervals; `None` where it lacks the metric.
fn of_method<'a, 'b>(
    shared: &Shared<'a>,
    method: &'b Method<'a>,
    asked: &Asked<'_>,
) -> Option<Valued<'a, 'b>> {
    let metric = asked.options.metric;
    let first = &method.rows[0].1;
    let whole = first.read.dealt.episodes.len() == shared.episodes();
    let alone = method.rows.len() == 1 && whole && first.read.dealt.classes == shared.dealt.classes;
    let classes = if alone { first.read.class_rows() } else { Vec::new() };
    let (rows, means) = if metric.is_per_episode() {
        let rows = method.values(metric, shared.episodes())?;
        let means = stats::mean_over_seeds(&rows)?;
        (rows, means)
    } else {
        (vec![Vec::new()], Vec::new())
    };
    let value = stats::mean(&means).or_else(|| class_level::value(metric, &classes))?;
    let named = &asked.names[method.name];
    let (intervals, seed_degrees) = if rows.len() == 1 && whole {
        let of = first.read.measured.iter().filter(|measured| measured.metric == metric);
        let mut found: Vec<Measured> = of.copied().collect();
        if found.is_empty() && (means.len() < 2 || !metric.is_per_episode()) {
            let level = shared.entries[0].read.table.level;
            let estimate = Some(()).filter(|()| class_level::is_of_counts(metric));
            let estimate = estimate.and_then(|()| class_level::estimate(metric, &classes));
            found.extend(estimate.and_then(|of| Measured::of(metric, Population::Classes, &of, level)));
        }
        (found, None)
    } else {
        intervals(shared, &rows, &means, metric)
    };
    let shown = Contender {
        name: named.name.clone(),
        features: named.features.clone(),
        features_sha256: method.rows.iter().map(|(_, entry)| entry.read.features_sha256.clone()).collect(),
        learner: named.learner.clone(),
        parameters: crate::vocab::spec::values_text(&named.parameters),
        seeds: method.seeds(),
        value,
        intervals,
        seed_degrees,
        same_as: None,
        group: None,
        class_group: None,
    };
    Some(Valued { method, rows, means, classes, shown })
}

/// The intervals of a mean over seeds and episodes, and the degrees of freedom of the one for these classes.
fn intervals(
    shared: &Shared<'_>,
    rows: &[Vec<f64>],
    means: &[f64],
    metric: Metric,
) -> (Vec<Measured>, Option<f64>) {
    let several = rows.len() > 1;
    let seeds: Vec<SeedVariance> = stats::over_seeds(rows).into_iter().collect();
    let level = shared.entries[0].read.table.level;
    let range = metric.range();
    let sampler = stats::of_mean_within(means, range).map(|estimate| stats::with_seeds(&estimate, &seeds));
    let classes = stats::over_classes(means, &shared.dealt.units_by_episode(), range).ok();
    let classes = classes.map(|jackknife| stats::with_seeds(&jackknife.estimate, &seeds));
    let items = sampler.filter(|_| !repeat(shared));
    let measured = |(population, estimate): (Population, Option<Estimate>)| {
        Measured::of(metric, population, &estimate?, level)
    };
    let all = [(Population::Sampler, sampler), (Population::Items, items), (Population::Classes, classes)];
    let degrees = sampler.filter(|_| several).map(|estimate| estimate.degrees);
    (all.into_iter().filter_map(measured).collect(), degrees)
}

/// Marks methods whose rows are those of another one; of such the baseline stands for all, else one with the learner of the
/// baseline, else the first.
fn name_identical(valued: &mut [Valued<'_, '_>], asked: &Asked<'_>, episodes: usize) {
    let mut order: Vec<usize> = (0..valued.len()).collect();
    let baseline = asked.baseline.map(|name| asked.names[name].learner.clone());
    order.sort_by_key(|place| {
        let method = valued[*place].method.name;
        (Some(method) != asked.baseline, Some(&asked.names[method].learner) != baseline.as_ref())
    });
    let mut distinct: Vec<usize> = Vec::new();
    for place in order {
        let twin = distinct.iter().copied().find(|known| {
            let (known, of) = (&valued[*known], &valued[place]);
            known.shown.value.to_bits() == of.shown.value.to_bits()
                && known.method.is_identical(of.method, asked.options.metric, episodes)
        });
        match twin {
            Some(twin) => valued[place].shown.same_as = Some(twin),
            None => distinct.push(place),
        }
    }
}

/// The pairs of distinct methods that were asked for.
fn pairs(
    shared: &Shared<'_>,
    valued: &[Valued<'_, '_>],
    asked: &Asked<'_>,
    (margin, number): (Option<f64>, &mut u32),
) -> Vec<Pair> {
    let level = shared.entries[0].read.table.level;
    let dealt: &Dealt = &shared.dealt;
    let members = dealt.units_by_episode();
    let range = asked.options.metric.range().map(|(low, high)| (low - high, high - low));
    let setting = Setting {
        dealt,
        members: &members,
        range,
        margin,
        repeat: repeat(shared),
        level,
        direction: asked.direction,
    };
    let side = |place: usize| Side {
        place,
        rows: &valued[place].rows,
        seeds: &valued[place].shown.seeds,
        means: &valued[place].means,
        classes: &valued[place].classes,
    };
    let mut pairs = Vec::new();
    let distinct: Vec<usize> =
        (0..valued.len()).filter(|place| valued[*place].shown.same_as.is_none()).collect();
    for a in &distinct {
        for b in &distinct {
            let is_baseline = |place: usize| Some(valued[place].method.name) == asked.baseline;
            // With a baseline it stands second, so that its verdicts read as those on the others.
            let wanted = if asked.baseline.is_some() { is_baseline(*b) && a != b } else { a < b };
            if wanted {
                *number += 1;
                let pair =
                    pair::pair(&side(*a), &side(*b), &setting, asked.options, &mut *(asked.bits)(*number));
                pairs.extend(pair);
            }
        }
    }
    pairs
}

impl Block {
    /// What it is called: protocol, shot, and data set.
    pub fn title(&self) -> String {
        let shot = match self.shot {
            Size::Number(number) => format!("{number}-shot"),
            other => format!("{other} shots"),
        };
        format!("{}, {shot}, {}", self.protocol, self.dataset)
    }

    /// Whether there is anything to compare in it: two methods or more, and two episodes or enough classes.
    pub fn is_compared(&self) -> bool {
        let mut findings = self.pairs.iter().flat_map(|pair| &pair.findings);
        self.methods.len() > 1 && (self.episodes > 1 || findings.any(|finding| finding.outcome.is_ok()))
    }

    /// The pair that says how a method stands to the baseline, or the best: its own, or that of the method that it is
    /// identical to.
    pub(super) fn pair_of(&self, method: usize) -> Option<&Pair> {
        let method = self.methods[method].same_as.unwrap_or(method);
        self.pairs.iter().find(|pair| pair.a == method)
    }

    /// The methods that share every outcome with one of them, each list with the one that is tested in front.
    pub(super) fn identical(&self) -> Vec<Vec<&str>> {
        let of = |place: usize| {
            let same = self.methods.iter().filter(move |other| other.same_as == Some(place));
            std::iter::once(&self.methods[place]).chain(same).map(|method| method.name.as_str()).collect()
        };
        (0..self.methods.len()).map(of).filter(|names: &Vec<&str>| names.len() > 1).collect()
    }
}
