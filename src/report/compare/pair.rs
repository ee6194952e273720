//! Two learners on the episodes that they share.

use super::{Options, words};
use crate::results::Dealt;
use crate::stats::{
    self, ClassJackknife, ClassSum, Effect, Estimate, Interval, JackknifeError, LEAST_CLASSES,
    LEAST_EPISODES_PER_CLASS, Population, SignFlip, SignedRank, Superiority, Verdict,
};

/// What is known of the difference between two learners.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The place of the first learner among the learners of its block.
    pub a: usize,
    /// The place of the second.
    pub b: usize,
    /// The mean of a − b over the episodes, in the units of the metric.
    pub difference: f64,
    /// The mean divided by the standard deviation of an episode's difference; absent without spread.
    pub standardised: Option<f64>,
    /// One entry per population: sampler, items where no item repeats, classes.
    pub findings: Vec<Finding>,
    /// The sign-flip test of the studentised mean.
    pub sign_flip: SignFlip,
    /// Its p-value, corrected by Holm over the family.
    pub sign_flip_holm: f64,
    /// The share of episodes in which a is ahead, ties counted half; for these classes and items.
    pub superiority: Superiority,
    /// Symmetry about zero, and nothing else; absent where all differences are zero.
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
    /// The p-value of "no difference".
    pub p: f64,
    /// The same, corrected by Holm over the family.
    pub p_holm: f64,
    /// The p-value of "at least the smallest difference that matters"; absent where none was named.
    pub equivalence_p: Option<f64>,
    /// The same, corrected by Holm over the family.
    pub equivalence_holm: Option<f64>,
    /// The verdict on the first learner, from the corrected p-values.
    pub verdict: Verdict,
    /// What would make the interval as narrow as ± the smallest difference that matters.
    pub plan: Option<Plan>,
}

/// What an interval of ± the smallest difference takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Episodes of the same classes; absent where no number of episodes will do.
    pub episodes: Option<u64>,
    /// Classes (or clusters), at as many episodes per class; for new classes only.
    pub classes: Option<u64>,
}

/// One learner's values, and who they are from.
pub(super) struct Side<'a> {
    pub place: usize,
    pub values: &'a [f64],
}

/// What the pairs of a block share.
pub(super) struct Setting<'a> {
    pub dealt: &'a Dealt,
    pub repeat: bool,
    pub level: f64,
    /// −1 where lower values are better.
    pub direction: f64,
}

/// Compares two learners; corrections and verdicts follow when the family is complete. `None` for fewer than two
/// episodes, or values that are not finite.
pub(super) fn pair(
    a: &Side<'_>,
    b: &Side<'_>,
    setting: &Setting<'_>,
    options: &Options<'_>,
    bits: &mut dyn FnMut() -> u64,
) -> Option<Pair> {
    let differences = stats::differences(a.values, b.values)?;
    let effect = Effect::of(a.values, b.values)?;
    let sampler = inference(effect.difference, setting, options)?;
    let spread = effect.difference.standard_error * (differences.len() as f64).sqrt();
    let plan =
        |smallest| Plan { episodes: stats::episodes_for(smallest, spread, setting.level), classes: None };
    let sampler = Inference { plan: options.smallest.map(plan), ..sampler };
    let mut findings = vec![Finding { population: Population::Sampler, outcome: Ok(sampler.clone()) }];
    if !setting.repeat {
        findings.push(Finding { population: Population::Items, outcome: Ok(sampler) });
    }
    let classes = jackknife(&differences, setting.dealt);
    let classes = classes.map_err(|error| reason(error, setting.dealt)).and_then(|jackknife| {
        let inference = inference(jackknife.estimate, setting, options).ok_or("the level is not one")?;
        let plan = options.smallest.map(|smallest| Plan {
            episodes: stats::episodes_for_classes(&jackknife, smallest, setting.level),
            classes: stats::classes_for(&jackknife, smallest, setting.level),
        });
        Ok(Inference { plan, ..inference })
    });
    findings.push(Finding { population: Population::Classes, outcome: classes });

    let ahead: Vec<f64> = differences.iter().map(|d| d * setting.direction).collect();
    let sign_flip = stats::sign_flip(&differences, options.rounds, bits)?;
    Some(Pair {
        a: a.place,
        b: b.place,
        difference: effect.difference.value,
        standardised: effect.standardised,
        findings,
        sign_flip,
        sign_flip_holm: sign_flip.p,
        superiority: stats::superiority(&ahead, setting.level)?,
        signed_rank: stats::signed_rank(&differences),
    })
}

fn inference(estimate: Estimate, setting: &Setting<'_>, options: &Options<'_>) -> Option<Inference> {
    let equivalence_p = options.smallest.and_then(|smallest| stats::equivalence_p(&estimate, smallest));
    let p = estimate.test(0.0).p;
    Some(Inference {
        estimate,
        interval: estimate.interval(setting.level)?,
        p,
        p_holm: p,
        equivalence_p,
        equivalence_holm: equivalence_p,
        verdict: Verdict::Undecided,
        plan: None,
    })
}

fn jackknife(values: &[f64], dealt: &Dealt) -> Result<ClassJackknife, JackknifeError> {
    let mut sums = vec![ClassSum::default(); dealt.units.len()];
    let mut last = vec![0; sums.len()];
    for (place, value) in values.iter().enumerate() {
        for class in dealt.members(place) {
            let unit = dealt.unit_of[*class as usize] as usize;
            // A cluster with several classes in an episode counts once.
            if std::mem::replace(&mut last[unit], place + 1) <= place {
                sums[unit].push(*value);
            }
        }
    }
    let (mean, variance) = (stats::mean(values).unwrap_or(0.0), stats::variance(values).unwrap_or(0.0));
    let sums = sums.into_iter().enumerate().map(|(class, sum)| (class as u32, sum));
    stats::from_sums(mean, variance, values.len(), sums)
}

/// Why there is no statement about new classes, with the name of the class; or of the clusters that are left out.
fn reason(error: JackknifeError, dealt: &Dealt) -> String {
    let (one, several) = words::unit_words(dealt.is_clustered());
    match error {
        JackknifeError::InEveryEpisode { class } => format!(
            "an interval for new {several} leaves each {one} out in turn, but {one} {} is in every episode",
            dealt.units[class as usize]
        ),
        JackknifeError::FewClasses { classes } => {
            format!("an interval for new {several} needs {LEAST_CLASSES} {several} or more, found {classes}")
        }
        JackknifeError::FewEpisodes { episodes, classes } => format!(
            "an interval for new {several} needs {LEAST_EPISODES_PER_CLASS} episodes per {one} or more, \
             found {episodes} episodes of {classes} {several}"
        ),
        other => other.to_string(),
    }
}
