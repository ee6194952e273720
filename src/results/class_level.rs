//! Measures over classes from their counts, and their intervals for new classes.

use super::Measured;
use crate::metric::{ClassCounts, Confidences, Metric, Pooled};
use crate::stats::{self, Estimate, JackknifeError, Members, Population, TradeOff};

/// One class over a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassRow {
    /// Its correct answers and queries, and its side.
    pub counts: ClassCounts,
    /// What it is left out with: itself, or its cluster.
    pub unit: u32,
}

/// Whether a metric follows from the counts of classes.
pub fn is_of_counts(metric: Metric) -> bool {
    [Metric::ACCURACY, Metric::CLASS_ACCURACY, Metric::SEEN, Metric::UNSEEN, Metric::HARMONIC]
        .contains(&metric)
}

/// The metric of these classes; `None` where it is not defined.
pub fn value(metric: Metric, classes: &[ClassRow]) -> Option<f64> {
    if metric == Metric::ACCURACY {
        let sum = |of: fn(&ClassCounts) -> u64| classes.iter().map(|class| of(&class.counts)).sum::<u64>();
        let (correct, total) = (sum(|counts| counts.correct), sum(|counts| counts.total));
        return (total > 0).then(|| correct as f64 / total as f64);
    }
    let counts: Vec<ClassCounts> = classes.iter().map(|class| class.counts).collect();
    let sides = |seen: bool| counts.iter().any(|counts| counts.seen == seen);
    // The accuracies of the sides are defined where there is a curve between them; its points are not asked for.
    let curve = Some(TradeOff::of(&[])).filter(|_| sides(true) && sides(false));
    metric.of_draw(&Pooled {
        classes: &counts,
        confidences: &Confidences::default(),
        bins: &[],
        temperature: None,
        scaled_bins: &[],
        curve: curve.as_ref(),
    })
}

/// What new classes would give of a metric, or of the difference `of(classes, their places)` of two.
///
/// `None` for too few classes, and where the metric is not defined without one of them.
pub fn over_units(
    classes: &[ClassRow],
    range: Option<(f64, f64)>,
    of: impl Fn(&dyn Fn(usize) -> bool) -> Option<f64>,
) -> Option<Estimate> {
    let counted: Vec<&ClassRow> = classes.iter().filter(|class| class.counts.total > 0).collect();
    let mut units: Vec<(u32, bool)> = counted.iter().map(|class| (class.unit, class.counts.seen)).collect();
    units.sort_unstable();
    units.dedup_by_key(|(unit, _)| *unit);
    let without = units.iter().map(|(unit, seen)| {
        let value = of(&|place: usize| classes[place].unit != *unit)?;
        Some((usize::from(*seen), value))
    });
    let without: Vec<(usize, f64)> = without.collect::<Option<_>>()?;
    stats::delete_class(of(&|_| true)?, &without, range)
}

/// What new classes would give of a metric.
pub fn estimate(metric: Metric, classes: &[ClassRow]) -> Option<Estimate> {
    over_units(classes, metric.range(), |keep| value(metric, &kept(classes, keep)))
}

/// Those classes that are kept.
pub fn kept(classes: &[ClassRow], keep: &dyn Fn(usize) -> bool) -> Vec<ClassRow> {
    classes.iter().enumerate().filter(|(place, _)| keep(*place)).map(|(_, class)| *class).collect()
}

/// The measures of a metric with the interval for new classes that its classes give, where its episodes give none because
/// they hold all of them.
pub(super) fn completed(
    measures: Vec<Measured>,
    metric: Metric,
    classes: &[ClassRow],
    (members, level): (&Members, f64),
) -> Vec<Measured> {
    let found = |population| {
        let of = |measured: &Measured| measured.interval.map(|(of, _)| of) == Some(population);
        measures.iter().any(of)
    };
    if measures.is_empty() || !is_of_counts(metric) || found(Population::Classes) {
        return measures;
    }
    if metric == Metric::ACCURACY && !in_every_episode(members) {
        return measures;
    }
    let estimate = estimate(metric, classes).filter(|of| (of.value - measures[0].value).abs() < 1e-9);
    let estimate = estimate.map(|of| Estimate { value: measures[0].value, ..of });
    let made = estimate.and_then(|of| Measured::of(metric, Population::Classes, &of, level));
    let rest = measures.into_iter().filter(|of| made.is_none() || of.interval.is_some());
    rest.chain(made).collect()
}

/// Whether some class is in every episode, so that none of them can be left out.
fn in_every_episode(members: &Members) -> bool {
    let values = vec![0.0; members.episodes()];
    matches!(stats::over_classes(&values, members, None), Err(JackknifeError::InEveryEpisode { .. }))
}
