//! From outcomes per class to episodes, and from episodes to the measures of a table.

use std::collections::BTreeMap;

use super::class_level::ClassRow;
use crate::metric::{ClassCounts, Metric};
use crate::stats::{self, Estimate, Interval, IntervalMethod, Members, Population};
use crate::vocab::ClassId;

/// How the queries of one class fared in one episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassOutcome {
    /// The class.
    pub class: ClassId,
    /// Queries labelled correctly.
    pub correct: u32,
    /// Queries of this class; 0 where an unbalanced episode has none.
    pub total: u32,
}

/// The outcome of one episode.
#[derive(Clone, Debug, PartialEq)]
pub struct EpisodeOutcome {
    /// Its number in the draw, from 0.
    pub episode: u32,
    /// One entry per class; the place is the label.
    pub classes: Vec<ClassOutcome>,
    /// By label, and for each by the metrics of [`Metric::of_classes`]: their means over its queries; nothing where it has
    /// none. Empty for scores that only rank.
    pub values: Vec<Option<f64>>,
}

/// One episode over all its classes.
#[derive(Clone, Debug, PartialEq)]
pub struct EpisodeTotals {
    /// Queries labelled correctly.
    pub correct: u64,
    /// Queries, 1 or more.
    pub total: u64,
    /// The means over the queries, by the metrics of [`Metric::of_classes`]; empty for scores that only rank.
    pub values: Vec<Option<f64>>,
}

impl EpisodeTotals {
    /// The share of queries labelled correctly.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.total as f64
    }
}

impl EpisodeOutcome {
    /// The values of a label.
    pub fn values(&self, label: usize) -> &[Option<f64>] {
        let metrics = self.values.len() / self.classes.len().max(1);
        self.values.get(label * metrics..(label + 1) * metrics).unwrap_or_default()
    }

    /// Sums over the classes, means weighted by their queries.
    ///
    /// # Errors
    /// The rule that the outcome breaks, as a sentence.
    pub fn totals(&self) -> Result<EpisodeTotals, &'static str> {
        let (mut correct, mut total) = (0, 0);
        for (label, class) in self.classes.iter().enumerate() {
            if class.correct > class.total {
                return Err("a class cannot have more correct answers than queries");
            }
            if class.total == 0 && self.values(label).iter().any(Option::is_some) {
                return Err("a class without queries has no values");
            }
            correct += u64::from(class.correct);
            total += u64::from(class.total);
        }
        if total == 0 {
            return Err("an episode needs a query or more");
        }
        if !self.values.len().is_multiple_of(self.classes.len()) {
            return Err("every class of an episode has the same metrics");
        }
        let metrics = self.values.len() / self.classes.len();
        let values = (0..metrics).map(|metric| self.weighted(total, metric)).collect::<Result<_, _>>()?;
        Ok(EpisodeTotals { correct, total, values })
    }

    /// Σ total·value / Σ total over the classes that have queries, for the metric at this place.
    fn weighted(&self, total: u64, metric: usize) -> Result<Option<f64>, &'static str> {
        let (mut sum, mut covered) = (0.0, 0);
        for (label, class) in self.classes.iter().enumerate() {
            if let Some(value) = self.values(label)[metric] {
                sum += f64::from(class.total) * value;
                covered += u64::from(class.total);
            }
        }
        if sum.is_nan() {
            return Err("the values of a class must be numbers, found NaN");
        }
        match covered {
            0 => Ok(None),
            _ if covered == total => Ok(Some(sum / total as f64)),
            _ => Err("a metric is there for all classes with queries or for none"),
        }
    }
}

/// One measure of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The metric.
    pub metric: Metric,
    /// Its value.
    pub value: f64,
    /// Its interval and what that speaks about, where there is one.
    pub interval: Option<(Population, Interval)>,
    /// How the interval was made, where there is one.
    pub method: Option<IntervalMethod>,
}

impl Measured {
    /// A value without an interval.
    pub fn plain(metric: Metric, value: f64) -> Measured {
        Measured { metric, value, interval: None, method: None }
    }

    /// The value of an estimate with its interval of a level; `None` where there is none.
    pub fn of(metric: Metric, population: Population, estimate: &Estimate, level: f64) -> Option<Measured> {
        let interval = Some((population, estimate.interval(level)?));
        let method = Some(estimate.method_at(level));
        Some(Measured { metric, value: estimate.value, interval, method })
    }
}

/// The episodes of one table, as far as its measures need them: a number per metric and episode, and a few per class.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// The metrics of classes, in the order of an episode's values.
    of_classes: Vec<Metric>,
    /// The metrics that every episode has, each with its values.
    series: Vec<(Metric, Vec<f64>)>,
    classes: BTreeMap<ClassId, ClassTally>,
    /// What is left out in turn for the classes interval, by episode: a class, or its cluster.
    members: Members,
    /// The unit of each class; none where it is the class itself.
    unit_of: Option<Vec<u32>>,
    episodes: usize,
    correct: u64,
    queries: u64,
}

/// One class over the draw.
#[derive(Clone, Copy, Debug, Default)]
struct ClassTally {
    correct: u64,
    total: u64,
    /// The last episode that held it, counted from 1.
    last: usize,
}

impl Tally {
    /// An empty tally; `clusters` holds the cluster of each class, where classes have such.
    pub fn new(clusters: Option<&[String]>) -> Tally {
        let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
        let unit_of = clusters.map(|clusters| {
            let number = |cluster| {
                let next = numbers.len() as u32;
                *numbers.entry(cluster).or_insert(next)
            };
            clusters.iter().map(String::as_str).map(number).collect()
        });
        Tally { unit_of, ..Tally::default() }
    }

    /// Takes one more episode in, with the values of metrics that are computed from all its answers.
    ///
    /// # Errors
    /// The rule that the outcome or the values break, as a sentence.
    pub fn push(
        &mut self,
        outcome: &EpisodeOutcome,
        measures: &[(Metric, f64)],
    ) -> Result<EpisodeTotals, &'static str> {
        let totals = outcome.totals()?;
        if measures.iter().any(|(_, value)| !value.is_finite()) {
            return Err("a measure of an episode must be a number");
        }
        if self.episodes == 0 {
            self.of_classes = Metric::of_classes();
        }
        let of_classes = self.of_classes.iter().zip(&totals.values);
        let mut values = vec![(Metric::ACCURACY, totals.accuracy())];
        values.extend(of_classes.filter_map(|(metric, value)| Some((*metric, (*value)?))));
        values.extend(measures);
        if self.episodes == 0 {
            self.series = values.iter().map(|(metric, _)| (*metric, Vec::new())).collect();
        }
        if self.series.iter().map(|(metric, _)| metric).ne(values.iter().map(|(metric, _)| metric)) {
            return Err("every episode of a table has the same metrics");
        }
        for ((_, series), (_, value)) in self.series.iter_mut().zip(&values) {
            series.push(*value);
        }
        self.episodes += 1;
        self.correct += totals.correct;
        self.queries += totals.total;
        for class in &outcome.classes {
            self.hold(class)?;
        }
        let unit_of = self.unit_of.as_ref();
        let unit =
            |class: ClassId| unit_of.and_then(|units| units.get(class.index())).copied().unwrap_or(class.0);
        self.members.push(outcome.classes.iter().map(|class| unit(class.class)));
        Ok(totals)
    }

    /// Notes that the last episode held a class.
    fn hold(&mut self, class: &ClassOutcome) -> Result<(), &'static str> {
        let tally = self.classes.entry(class.class).or_default();
        if std::mem::replace(&mut tally.last, self.episodes) == self.episodes {
            return Err("an episode holds a class once");
        }
        tally.correct += u64::from(class.correct);
        tally.total += u64::from(class.total);
        Ok(())
    }

    /// Episodes so far.
    pub fn episodes(&self) -> usize {
        self.episodes
    }

    /// Distinct classes that occurred, with queries or without.
    pub fn classes(&self) -> usize {
        self.classes.len()
    }

    /// The distinct classes that occurred.
    pub fn class_ids(&self) -> impl Iterator<Item = ClassId> + '_ {
        self.classes.keys().copied()
    }

    /// Correct answers over all episodes.
    pub fn correct(&self) -> u64 {
        self.correct
    }

    /// Queries over all episodes.
    pub fn queries(&self) -> u64 {
        self.queries
    }

    /// The classes that occurred, by their numbers; `seen` says which are seen ones, where the candidates have sides.
    pub fn class_counts(&self, seen: Option<&[bool]>) -> Vec<ClassCounts> {
        let is_seen =
            |class: &ClassId| seen.and_then(|seen| seen.get(class.index())).is_some_and(|seen| *seen);
        let counts = self.classes.iter().map(|(class, tally)| ClassCounts {
            correct: tally.correct,
            total: tally.total,
            seen: is_seen(class),
        });
        counts.collect()
    }

    /// The classes that occurred with what each is left out with, by their numbers.
    pub(super) fn class_rows(&self, seen: Option<&[bool]>) -> Vec<ClassRow> {
        let units = self.unit_of.as_ref();
        let unit =
            |class: &ClassId| units.and_then(|units| units.get(class.index())).copied().unwrap_or(class.0);
        let counts = self.class_counts(seen).into_iter().zip(self.classes.keys());
        counts.map(|(counts, class)| ClassRow { counts, unit: unit(class) }).collect()
    }

    /// What is left out in turn, by episode.
    pub(super) fn members(&self) -> &Members {
        &self.members
    }

    /// The means over episodes, sorted by name and then by population; a measure with several intervals comes once for each.
    ///
    /// They have the sampler interval of this level (none for a single episode), the items interval where no item repeats,
    /// and the classes interval where it is defined.
    pub fn measures(&self, level: f64, repeat: bool) -> Vec<Measured> {
        let mut measures = Vec::new();
        for (metric, values) in &self.series {
            measures.extend(over_episodes(*metric, values, &self.members, level, repeat));
        }
        measures.sort_by_key(|measured| measured.metric);
        measures
    }
}

/// The mean of one value per episode, with its intervals; `members` are the classes of each episode.
pub(super) fn over_episodes(
    metric: Metric,
    values: &[f64],
    members: &Members,
    level: f64,
    repeat: bool,
) -> Vec<Measured> {
    let Some(value) = stats::mean(values) else {
        return Vec::new();
    };
    let Some(estimate) = stats::of_mean_within(values, metric.range()) else {
        return vec![Measured::plain(metric, value)];
    };
    let classes = stats::over_classes(values, members, metric.range()).map(|jackknife| jackknife.estimate);
    let estimates = [
        (Population::Sampler, Some(estimate)),
        (Population::Items, (!repeat).then_some(estimate)),
        (Population::Classes, classes.ok()),
    ];
    let measured = |(population, estimate): (Population, Option<Estimate>)| {
        Measured::of(metric, population, &estimate?, level)
    };
    let found: Vec<Measured> = estimates.into_iter().filter_map(measured).collect();
    if found.is_empty() { vec![Measured::plain(metric, value)] } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Confidences, Pooled};

    type Class = (ClassOutcome, Option<f64>);

    fn class(class: u32, correct: u32, total: u32, nll: Option<f64>) -> Class {
        (ClassOutcome { class: ClassId(class), correct, total }, nll)
    }

    /// An episode whose Brier scores are half of its likelihoods; one without likelihoods only ranks.
    fn episode(number: u32, classes: &[Class]) -> EpisodeOutcome {
        let ranks = classes.iter().all(|(_, nll)| nll.is_none());
        let values = classes.iter().flat_map(|(_, nll)| [*nll, nll.map(|nll| nll / 2.0)]);
        EpisodeOutcome {
            episode: number,
            classes: classes.iter().map(|(class, _)| *class).collect(),
            values: if ranks { Vec::new() } else { values.collect() },
        }
    }

    fn pushed(tally: &mut Tally, number: u32, classes: &[Class]) -> Result<EpisodeTotals, &'static str> {
        tally.push(&episode(number, classes), &[])
    }

    #[test]
    fn an_episode_weighs_its_classes_by_their_queries() {
        let outcome =
            episode(0, &[class(4, 3, 3, Some(0.5)), class(7, 0, 1, Some(2.5)), class(9, 0, 0, None)]);
        let totals = EpisodeTotals { correct: 3, total: 4, values: vec![Some(1.0), Some(0.5)] };
        assert_eq!(outcome.totals(), Ok(totals));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let rule = |classes: &[Class]| episode(0, classes).totals().unwrap_err();
        assert_eq!(rule(&[class(0, 2, 1, None)]), "a class cannot have more correct answers than queries");
        assert_eq!(rule(&[class(0, 0, 0, None)]), "an episode needs a query or more");
        assert_eq!(
            rule(&[class(0, 0, 1, Some(f64::NAN))]),
            "the values of a class must be numbers, found NaN"
        );
        assert_eq!(
            rule(&[class(0, 1, 1, Some(0.1)), class(1, 1, 1, None)]),
            "a metric is there for all classes with queries or for none"
        );
        let mut tally = Tally::default();
        let twice = pushed(&mut tally, 0, &[class(3, 0, 1, None), class(3, 1, 1, None)]);
        assert_eq!(twice, Err("an episode holds a class once"));
        let mut tally = Tally::default();
        pushed(&mut tally, 0, &[class(0, 1, 1, Some(0.1))]).unwrap();
        let error = pushed(&mut tally, 1, &[class(0, 1, 1, None)]).unwrap_err();
        assert_eq!(error, "every episode of a table has the same metrics");
    }

    #[test]
    fn class_accuracy_counts_every_class_alike() {
        let mut tally = Tally::default();
        pushed(&mut tally, 0, &[class(0, 2, 2, None), class(1, 0, 2, None)]).unwrap();
        pushed(&mut tally, 1, &[class(0, 2, 2, None), class(2, 1, 2, None)]).unwrap();
        let measures = tally.measures(0.95, true);
        assert_eq!(measures.iter().map(|m| m.metric).collect::<Vec<_>>(), [Metric::ACCURACY]);
        assert_eq!(measures[0].value, 0.625);
        let (classes, confidences) = (tally.class_counts(None), Confidences::default());
        let (bins, scaled_bins) = (&[], &[]);
        let pooled = Pooled {
            classes: &classes,
            confidences: &confidences,
            bins,
            temperature: None,
            scaled_bins,
            curve: None,
        };
        assert_eq!(Metric::CLASS_ACCURACY.of_draw(&pooled), Some(0.5));
        assert_eq!((tally.episodes(), tally.classes(), tally.correct(), tally.queries()), (2, 3, 5, 8));
    }

    #[test]
    fn measures_of_episodes_are_means_with_intervals_like_any_other() {
        let mut tally = Tally::default();
        for (number, value) in [0.25, 0.75].into_iter().enumerate() {
            let outcome = episode(number as u32, &[class(0, 1, 2, None)]);
            tally.push(&outcome, &[(Metric::AURC, value)]).unwrap();
        }
        let outcome = episode(2, &[class(0, 1, 2, None)]);
        assert_eq!(tally.push(&outcome, &[]), Err("every episode of a table has the same metrics"));
        let nan = [(Metric::AURC, f64::NAN)];
        assert_eq!(tally.push(&outcome, &nan), Err("a measure of an episode must be a number"));
        let measures = tally.measures(0.95, true);
        let aurc = measures.iter().find(|m| m.metric == Metric::AURC).unwrap();
        let expected =
            stats::of_mean_within(&[0.25, 0.75], Some((0.0, 1.0))).unwrap().interval(0.95).unwrap();
        assert_eq!((aurc.value, aurc.interval), (0.5, Some((Population::Sampler, expected))));
    }

    #[test]
    fn a_single_episode_has_no_interval_and_two_have_one() {
        let mut tally = Tally::default();
        pushed(&mut tally, 0, &[class(0, 1, 2, Some(1.0))]).unwrap();
        assert!(tally.measures(0.95, true).iter().all(|m| m.interval.is_none()));
        pushed(&mut tally, 1, &[class(0, 2, 2, Some(2.0))]).unwrap();
        let measures = tally.measures(0.95, true);
        let with: Vec<_> = measures.iter().filter(|m| m.interval.is_some()).map(|m| m.metric).collect();
        assert_eq!(with, [Metric::ACCURACY, Metric::BRIER, Metric::NLL]);
    }

    #[test]
    fn an_infinite_nll_is_a_value_without_an_interval() {
        let mut tally = Tally::default();
        for nll in [0.5, f64::INFINITY] {
            pushed(&mut tally, 0, &[class(0, 1, 2, Some(nll))]).unwrap();
        }
        let measures = tally.measures(0.95, true);
        let nll = measures.iter().find(|m| m.metric == Metric::NLL).unwrap();
        assert_eq!((nll.value, nll.interval), (f64::INFINITY, None));
    }

    /// 360 episodes of 2 of 12 classes.
    fn pairs() -> (Tally, Vec<f64>, Vec<[u32; 2]>) {
        let (mut tally, mut values, mut members) = (Tally::default(), Vec::new(), Vec::new());
        for number in 0..360_u32 {
            let (a, b) = (number % 12, (number % 12 + 1 + number / 12 % 11) % 12);
            let correct = (number * 7 % 5).min(4);
            pushed(&mut tally, number, &[class(a, correct, 4, None), class(b, 4, 4, None)]).unwrap();
            values.push(f64::from(correct + 4) / 8.0);
            members.push([a, b]);
        }
        (tally, values, members)
    }

    #[test]
    fn a_cluster_is_left_out_as_a_whole() {
        let (_, values, members) = pairs();
        // Classes 12 to 23 are twins of 0 to 11; both stand in an episode, and count once.
        let clusters: Vec<String> = (0..24).map(|class| format!("cluster {}", class % 12)).collect();
        let mut tally = Tally::new(Some(&clusters));
        for (number, (value, [a, b])) in values.iter().zip(&members).enumerate() {
            let (correct, twin) = ((value * 8.0) as u32 - 4, number as u32 / 12 % 2 * 12);
            let twins = [class(a + twin, correct, 4, None), class(a + 12 - twin, 0, 0, None)];
            let classes = [twins[0], twins[1], class(*b, 4, 4, None)];
            pushed(&mut tally, number as u32, &classes).unwrap();
        }
        let measures = tally.measures(0.95, true);
        let found = measures.iter().filter_map(|m| m.interval).find(|(p, _)| *p == Population::Classes);
        let expected = stats::over_classes(&values, &Members::of(&members), Some((0.0, 1.0)))
            .unwrap()
            .estimate
            .interval(0.95)
            .unwrap();
        assert_eq!(found, Some((Population::Classes, expected)));
        assert_eq!(tally.class_ids().count(), 24);
    }

    #[test]
    fn an_accuracy_has_a_row_for_every_interval_that_is_defined() {
        let (tally, values, members) = pairs();
        let rows = |repeat| {
            let measures = tally.measures(0.95, repeat).into_iter();
            let accuracy = measures.filter(|m| m.metric == Metric::ACCURACY).filter_map(|m| m.interval);
            accuracy.map(|(population, interval)| (population.word(), interval)).collect::<Vec<_>>()
        };
        let sampler = stats::of_mean_within(&values, Some((0.0, 1.0))).unwrap().interval(0.95).unwrap();
        let classes = stats::over_classes(&values, &Members::of(&members), Some((0.0, 1.0)))
            .unwrap()
            .estimate
            .interval(0.95)
            .unwrap();
        assert_eq!(rows(true), [("sampler", sampler), ("classes", classes)]);
        assert_eq!(rows(false), [("sampler", sampler), ("items", sampler), ("classes", classes)]);
    }
}
