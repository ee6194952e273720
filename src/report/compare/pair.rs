//! Two methods on the episodes that they share.

use super::{Options, words};
use crate::metric::Metric;
use crate::results::Dealt;
use crate::results::class_level::{self, ClassRow};
use crate::stats::{
    self, Effect, Estimate, Interval, JackknifeError, LEAST_CLASSES, LEAST_WITHOUT, Members, Population,
    SeedVariance, SignFlip, SignedRank, Superiority, Verdict,
};

/// What is known of the difference between two methods.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The place of the first method among the methods of its block.
    pub a: usize,
    /// The place of the second.
    pub b: usize,
    /// The mean of a − b over the episodes (and over training seeds, where there are several), in the units of the metric.
    pub difference: f64,
    /// The mean divided by the standard deviation of an episode's difference; absent without spread.
    pub standardised: Option<f64>,
    /// What the choice of training seeds adds to the variance of the difference; absent where neither method has several.
    pub between_seeds: Option<f64>,
    /// One entry per population: sampler, items where no item repeats, classes.
    pub findings: Vec<Finding>,
    /// The sign-flip test of the studentised mean; absent where a method has several training seeds, which it knows
    /// nothing of.
    pub sign_flip: Option<SignFlip>,
    /// Its p-value, corrected by Holm over the family.
    pub sign_flip_holm: Option<f64>,
    /// The share of episodes in which a is ahead, ties counted half; for these classes and items, and these seeds.
    ///
    /// Absent for measures over classes.
    pub superiority: Option<Superiority>,
    /// Symmetry about zero, and nothing else; absent where all differences are zero, and with several seeds.
    pub signed_rank: Option<SignedRank>,
}

/// What one population says of a difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Whom the statement is about.
    pub population: Population,
    /// The statement, or why there is none.
    pub outcome: Result<Inference, String>,
}

/// Interval, tests and verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Inference {
    /// The difference, its standard error and its degrees of freedom.
    pub estimate: Estimate,
    /// The interval of the difference, not corrected for several comparisons.
    pub interval: Interval,
    /// The interval that holds for all pairs of the family at once (Bonferroni).
    pub simultaneous: Option<Interval>,
    /// The interval that the equivalence test looks at: of level 1 − 2α, within the margin exactly where the test rejects.
    /// Absent where no margin was named.
    pub equivalence_interval: Option<Interval>,
    /// The p-value of "no difference"; never below what the sign-flip test of so many episodes allows.
    pub p: f64,
    /// The same, corrected by Holm over the family.
    pub p_holm: f64,
    /// The p-value of "at least the margin", with the same bound; absent where none was named.
    pub equivalence_p: Option<f64>,
    /// The same, corrected by Holm over the family.
    pub equivalence_holm: Option<f64>,
    /// The verdict on the first method, from the corrected p-values.
    pub verdict: Verdict,
    /// What would make the interval as narrow as ± the equivalence margin.
    pub plan: Option<Plan>,
}

/// What an interval of ± the equivalence margin takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Episodes of the same classes; absent where no number of episodes will do.
    pub episodes: Option<u64>,
    /// Classes (or clusters), at as many episodes per class; for new classes only.
    pub classes: Option<u64>,
    /// Training seeds of every method that has several, on the same episodes; only where one has, and then neither
    /// episodes nor classes are planned.
    pub seeds: Option<u64>,
}

/// One method's values, and who they are from.
pub(super) struct Side<'a> {
    pub place: usize,
    /// One row of values per training seed; one row where there is a single training or none.
    pub rows: &'a [Vec<f64>],
    /// The seeds of these rows.
    pub seeds: &'a [String],
    /// The mean over seeds in every episode; nothing for a measure over classes.
    pub means: &'a [f64],
    /// Its classes over the same episodes; empty where they are not known, or there are several seeds.
    pub classes: &'a [ClassRow],
}

/// What the pairs of a block share.
pub(super) struct Setting<'a> {
    pub dealt: &'a Dealt,
    /// What is left out in turn, by episode.
    pub members: &'a Members,
    /// The equivalence margin, in the units of the metric.
    pub margin: Option<f64>,
    /// What a difference can be, where that is bounded.
    pub range: Option<(f64, f64)>,
    pub repeat: bool,
    pub level: f64,
    /// −1 where lower values are better.
    pub direction: f64,
}

/// Compares two methods; corrections and verdicts follow when the family is complete. `None` for fewer than two
/// episodes, or values that are not finite.
pub(super) fn pair(
    a: &Side<'_>,
    b: &Side<'_>,
    setting: &Setting<'_>,
    options: &Options<'_>,
    bits: &mut dyn FnMut() -> u64,
) -> Option<Pair> {
    if a.means.len() < 2 {
        return class_pair(a, b, setting, options);
    }
    let differences = stats::differences(a.means, b.means)?;
    let effect = Effect::of(a.means, b.means)?;
    let seeds = seeds(a, b)?;
    let trained_often = !seeds.is_empty();
    let margin =
        Margin { margin: setting.margin, level: setting.level, least_p: stats::least_p(differences.len()) };
    let differences = if is_constant(&differences, a.means, b.means) {
        vec![effect.difference.value; differences.len()]
    } else {
        differences
    };
    let of_means = stats::of_mean_within(&differences, setting.range)?;
    let sampler = sampler(&of_means, differences.len(), &seeds, &margin);
    let mut findings = vec![Finding { population: Population::Sampler, outcome: sampler.clone() }];
    if !setting.repeat {
        findings.push(Finding { population: Population::Items, outcome: sampler });
    }
    let of_classes =
        || class_level_difference(options.metric, a, b, setting.range).filter(|_| !trained_often);
    let outcome = new_classes(&differences, setting, &seeds, &margin, of_classes);
    findings.push(Finding { population: Population::Classes, outcome });

    let ahead: Vec<f64> = differences.iter().map(|d| d * setting.direction).collect();
    let sign_flip = stats::sign_flip(&differences, options.rounds, bits).filter(|_| !trained_often);
    Some(Pair {
        a: a.place,
        b: b.place,
        difference: effect.difference.value,
        standardised: effect.standardised,
        between_seeds: trained_often.then(|| seeds.iter().map(|part| part.between_seeds).sum()),
        findings,
        sign_flip,
        sign_flip_holm: sign_flip.map(|test| test.p),
        superiority: stats::superiority(&ahead, setting.level),
        signed_rank: stats::signed_rank(&differences).filter(|_| !trained_often),
    })
}

/// Two methods of which only classes are replicated: a measure over classes, or a single episode.
fn class_pair(a: &Side<'_>, b: &Side<'_>, setting: &Setting<'_>, options: &Options<'_>) -> Option<Pair> {
    let of = |side: &Side<'_>| class_level::value(options.metric, side.classes);
    let difference = of(a)? - of(b)?;
    let (one, several) = words::unit_words(setting.dealt.is_clustered());
    let margin = Margin {
        margin: setting.margin,
        level: setting.level,
        least_p: stats::least_p(setting.dealt.units.len()),
    };
    let none = match a.means {
        [] => format!("{} is a measure over {several} and has no value per episode", options.metric),
        _ => "a single episode has no spread over episodes".to_string(),
    };
    let outcome = class_level_difference(options.metric, a, b, setting.range)
        .ok_or_else(|| {
            format!("an interval for new {several} leaves each {one} out in turn, and needs {LEAST_CLASSES} or more")
        })
        .and_then(|estimate| margin.inference(estimate, None));
    Some(Pair {
        a: a.place,
        b: b.place,
        difference,
        standardised: None,
        between_seeds: None,
        findings: vec![
            Finding { population: Population::Sampler, outcome: Err(none) },
            Finding { population: Population::Classes, outcome },
        ],
        sign_flip: None,
        sign_flip_holm: None,
        superiority: None,
        signed_rank: None,
    })
}

/// The difference of a metric over classes with what new classes would give; `None` where the classes of a method are not
/// known.
fn class_level_difference(
    metric: Metric,
    a: &Side<'_>,
    b: &Side<'_>,
    range: Option<(f64, f64)>,
) -> Option<Estimate> {
    if !class_level::is_of_counts(metric) || a.classes.len() != b.classes.len() {
        return None;
    }
    class_level::over_units(a.classes, range, |keep| {
        let of = |side: &Side<'_>| class_level::value(metric, &class_level::kept(side.classes, keep));
        Some(of(a)? - of(b)?)
    })
}

/// What training seeds add to the variance of a difference: from the differences per seed, where both methods were trained
/// with the same seeds or only one of them has several; else from each method by itself. `None` for values that are not
/// finite, or fewer than two episodes.
fn seeds(a: &Side<'_>, b: &Side<'_>) -> Option<Vec<SeedVariance>> {
    let between = |rows: &[Vec<f64>]| stats::over_seeds(rows).ok();
    let (several_a, several_b) = (a.rows.len() > 1, b.rows.len() > 1);
    if several_a && several_b && a.seeds != b.seeds {
        return Some(vec![between(a.rows)?, between(b.rows)?]);
    }
    if !several_a && !several_b {
        return Some(Vec::new());
    }
    let of = |side: &Side<'_>, seed: usize| side.rows[seed.min(side.rows.len() - 1)].clone();
    let all = 0..a.rows.len().max(b.rows.len());
    let differences: Option<Vec<Vec<f64>>> =
        all.map(|seed| stats::differences(&of(a, seed), &of(b, seed))).collect();
    Some(vec![between(&differences?)?])
}

/// Stands where every episode has the same difference in a metric without bounds, so that nothing is known of how much it
/// varies.
const NO_SPREAD: &str =
    "every episode has the same difference, and without any spread no interval can be given";

/// Whether all differences are one number, but for the rounding of the values that they were taken of.
fn is_constant(differences: &[f64], a: &[f64], b: &[f64]) -> bool {
    let largest = a.iter().chain(b).fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let least = differences.iter().copied().fold(f64::INFINITY, f64::min);
    let most = differences.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    most - least <= 8.0 * f64::EPSILON * largest
}

/// How narrow an interval should be, of which level, and what the differences allow to be said.
struct Margin {
    margin: Option<f64>,
    level: f64,
    /// No p-value is below it.
    least_p: f64,
}

impl Margin {
    /// What an interval takes with several training seeds.
    fn of_seeds(&self, of_means: &Estimate, seeds: &[SeedVariance]) -> Option<Plan> {
        let needed = stats::seeds_for(of_means, seeds, self.margin?, self.level);
        Some(Plan { episodes: None, classes: None, seeds: needed })
    }

    fn inference(&self, estimate: Estimate, plan: Option<Plan>) -> Result<Inference, String> {
        if estimate.standard_error == 0.0 && estimate.floor.is_none() {
            return Err(NO_SPREAD.to_string());
        }
        let equivalence_p = self.margin.and_then(|margin| stats::equivalence_p(&estimate, margin));
        let equivalence_p = equivalence_p.map(|p| p.max(self.least_p));
        let p = estimate.test(0.0).p.max(self.least_p);
        let of_test = self.margin.and_then(|_| estimate.interval(2.0 * self.level - 1.0));
        Ok(Inference {
            simultaneous: None,
            equivalence_interval: of_test,
            estimate,
            interval: estimate.interval(self.level).ok_or("the level of the interval is not one")?,
            p,
            p_holm: p,
            equivalence_p,
            equivalence_holm: equivalence_p,
            verdict: Verdict::Inconclusive,
            plan,
        })
    }
}

/// The statement about these classes and items, from so many episodes.
fn sampler(
    of_means: &Estimate,
    episodes: usize,
    seeds: &[SeedVariance],
    margin: &Margin,
) -> Result<Inference, String> {
    let plan = if seeds.is_empty() {
        let spread = of_means.standard_error * (episodes as f64).sqrt();
        margin.margin.map(|goal| Plan {
            episodes: stats::episodes_for(goal, spread, margin.level),
            classes: None,
            seeds: None,
        })
    } else {
        margin.of_seeds(of_means, seeds)
    };
    margin.inference(stats::with_seeds(of_means, seeds), plan)
}

/// The statement about new classes, or why there is none.
fn new_classes(
    differences: &[f64],
    setting: &Setting<'_>,
    seeds: &[SeedVariance],
    margin: &Margin,
    of_classes: impl Fn() -> Option<Estimate>,
) -> Result<Inference, String> {
    let jackknife = match stats::over_classes(differences, setting.members, setting.range) {
        Ok(jackknife) => jackknife,
        Err(error @ JackknifeError::InEveryEpisode { .. }) => {
            let estimate = of_classes().ok_or_else(|| reason(error, setting.dealt))?;
            return margin.inference(estimate, None);
        }
        Err(error) => return Err(reason(error, setting.dealt)),
    };
    let plan = if seeds.is_empty() {
        margin.margin.map(|goal| Plan {
            episodes: stats::episodes_for_classes(&jackknife, goal, margin.level),
            classes: stats::classes_for(&jackknife, goal, margin.level),
            seeds: None,
        })
    } else {
        margin.of_seeds(&jackknife.estimate, seeds)
    };
    margin.inference(stats::with_seeds(&jackknife.estimate, seeds), plan)
}

/// Why there is no statement about new classes, with the name of the class; or of the clusters that are left out.
fn reason(error: JackknifeError, dealt: &Dealt) -> String {
    let (one, several) = words::unit_words(dealt.is_clustered());
    match error {
        JackknifeError::InEveryEpisode { class } => {
            // With as many classes an episode of fewer leaves each of them out often enough.
            let hint = match dealt.units.len() {
                0..=LEAST_CLASSES => "",
                _ => ": evaluate episodes of fewer classes, `--way 5`",
            };
            let name = &dealt.units[class as usize];
            format!(
                "an interval for new {several} leaves each {one} out in turn, but {one} {name} is in every episode{hint}"
            )
        }
        JackknifeError::FewClasses { classes } => {
            format!("an interval for new {several} needs {LEAST_CLASSES} {several} or more, found {classes}")
        }
        JackknifeError::FewWithout { class, without, episodes } => format!(
            "an interval for new {several} needs {LEAST_WITHOUT} episodes or more without each {one}, but {one} {} is \
             missing from {without} of {episodes} only: evaluate with `--episodes {}`",
            dealt.units[class as usize],
            enough(without, episodes)
        ),
        other => other.to_string(),
    }
}

/// Episodes of which enough will not hold a class, in round numbers.
fn enough(without: usize, episodes: usize) -> usize {
    let needed = (LEAST_WITHOUT * episodes).div_ceil(without.max(1)) * 5 / 4;
    needed.next_multiple_of(100)
}
