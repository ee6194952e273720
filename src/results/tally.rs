//! From outcomes per class to episodes, and from episodes to the measures of a table.

use std::collections::BTreeMap;

use crate::stats::{self, ClassSum, Estimate, Interval, Population};
use crate::vocab::{ClassId, Metric};

/// How the queries of one class fared in one episode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassOutcome {
    /// The class.
    pub class: ClassId,
    /// Queries labelled correctly.
    pub correct: u32,
    /// Queries of this class; 0 where an unbalanced episode has none.
    pub total: u32,
    /// Mean negative log-likelihood of its queries; absent without queries and for scores that only rank.
    pub nll: Option<f64>,
    /// Mean Brier score of its queries; absent likewise.
    pub brier: Option<f64>,
}

/// The outcome of one episode.
#[derive(Clone, Debug, PartialEq)]
pub struct EpisodeOutcome {
    /// Its number in the draw, from 0.
    pub episode: u32,
    /// One entry per class; the place is the label.
    pub classes: Vec<ClassOutcome>,
}

/// One episode over all its classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpisodeTotals {
    /// Queries labelled correctly.
    pub correct: u64,
    /// Queries, 1 or more.
    pub total: u64,
    /// Mean negative log-likelihood over the queries.
    pub nll: Option<f64>,
    /// Mean Brier score over the queries.
    pub brier: Option<f64>,
}

impl EpisodeTotals {
    /// The share of queries labelled correctly.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.total as f64
    }
}

impl EpisodeOutcome {
    /// Sums over the classes, means weighted by their queries.
    ///
    /// # Errors
    /// The rule that the outcome breaks, as a sentence.
    pub fn totals(&self) -> Result<EpisodeTotals, &'static str> {
        let (mut correct, mut total) = (0, 0);
        for class in &self.classes {
            if class.correct > class.total {
                return Err("a class cannot have more correct answers than queries");
            }
            if class.total == 0 && (class.nll.is_some() || class.brier.is_some()) {
                return Err("a class without queries has no nll and no brier score");
            }
            correct += u64::from(class.correct);
            total += u64::from(class.total);
        }
        if total == 0 {
            return Err("an episode needs a query or more");
        }
        let nll = self.weighted(total, |c| c.nll)?;
        Ok(EpisodeTotals { correct, total, nll, brier: self.weighted(total, |c| c.brier)? })
    }

    /// Σ total·value / Σ total over the classes that have queries.
    fn weighted(
        &self,
        total: u64,
        value: impl Fn(&ClassOutcome) -> Option<f64>,
    ) -> Result<Option<f64>, &'static str> {
        let (mut sum, mut covered) = (0.0, 0);
        for class in &self.classes {
            if let Some(value) = value(class) {
                sum += f64::from(class.total) * value;
                covered += u64::from(class.total);
            }
        }
        if sum.is_nan() {
            return Err("nll and brier must be numbers, found NaN");
        }
        match covered {
            0 => Ok(None),
            _ if covered == total => Ok(Some(sum / total as f64)),
            _ => Err("nll and brier are there for all classes with queries or for none"),
        }
    }
}

/// One measure of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Its name in the `metric` column.
    pub metric: &'static str,
    /// Its value.
    pub value: f64,
    /// Its interval and what that speaks about, where there is one.
    pub interval: Option<(Population, Interval)>,
}

/// The episodes of one table, as far as its measures need them: three numbers an episode and a few a class.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    accuracy: Vec<f64>,
    nll: Vec<f64>,
    brier: Vec<f64>,
    classes: BTreeMap<ClassId, ClassTally>,
    /// What is left out in turn for the classes interval: a class, or its cluster.
    units: BTreeMap<u32, UnitTally>,
    /// The unit of each class; none where it is the class itself.
    unit_of: Option<Vec<u32>>,
    correct: u64,
    queries: u64,
    /// The units of the last episode.
    members: Vec<u32>,
    certainty: BTreeMap<Metric, Certainty>,
}

/// One measure of certainty over the draw.
#[derive(Clone, Debug, Default)]
struct Certainty {
    values: Vec<f64>,
    units: BTreeMap<u32, ClassSum>,
}

/// One class over the draw.
#[derive(Clone, Copy, Debug, Default)]
struct ClassTally {
    correct: u64,
    total: u64,
    /// The last episode that held it, counted from 1.
    last: usize,
}

/// One class or cluster over the draw: sums over the episodes that hold it, with queries of it or without.
#[derive(Clone, Copy, Debug, Default)]
struct UnitTally {
    last: usize,
    accuracy: ClassSum,
    nll: ClassSum,
    brier: ClassSum,
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

    /// Takes one more episode in.
    ///
    /// # Errors
    /// The rule that the outcome breaks, as a sentence.
    pub fn push(&mut self, outcome: &EpisodeOutcome) -> Result<EpisodeTotals, &'static str> {
        let totals = outcome.totals()?;
        let first = self.accuracy.is_empty();
        let same = |values: &[f64], value: Option<f64>| first || value.is_some() != values.is_empty();
        if !same(&self.nll, totals.nll) || !same(&self.brier, totals.brier) {
            return Err("nll and brier are there for all episodes or for none");
        }
        self.members.clear();
        let accuracy = totals.accuracy();
        self.accuracy.push(accuracy);
        self.nll.extend(totals.nll);
        self.brier.extend(totals.brier);
        self.correct += totals.correct;
        self.queries += totals.total;
        for class in &outcome.classes {
            let tally = self.classes.entry(class.class).or_default();
            if std::mem::replace(&mut tally.last, self.accuracy.len()) == self.accuracy.len() {
                return Err("an episode holds a class once");
            }
            tally.correct += u64::from(class.correct);
            tally.total += u64::from(class.total);
            let of_class = |units: &Vec<u32>| units.get(class.class.index()).copied();
            let unit = self.unit_of.as_ref().and_then(of_class).unwrap_or(class.class.0);
            let held = self.units.entry(unit).or_default();
            if std::mem::replace(&mut held.last, self.accuracy.len()) < self.accuracy.len() {
                self.members.push(unit);
                held.accuracy.push(accuracy);
                totals.nll.into_iter().for_each(|value| held.nll.push(value));
                totals.brier.into_iter().for_each(|value| held.brier.push(value));
            }
        }
        Ok(totals)
    }

    /// Takes the measures of certainty of the episode in that was pushed last; the same for every episode.
    ///
    /// # Errors
    /// The rule that the values break, as a sentence.
    pub fn push_certainty(&mut self, values: &[(Metric, f64)]) -> Result<(), &'static str> {
        let before = self.accuracy.len().checked_sub(1).ok_or("an episode comes before its certainties")?;
        let known = values.iter().all(|(metric, _)| self.certainty.contains_key(metric));
        if before > 0 && (!known || values.len() != self.certainty.len()) {
            return Err("measures of certainty are there for all episodes or for none");
        }
        for (metric, value) in values {
            let certainty = self.certainty.entry(*metric).or_default();
            if certainty.values.len() != before || !value.is_finite() {
                return Err("an episode has each measure of certainty once, as a number");
            }
            certainty.values.push(*value);
            for unit in &self.members {
                certainty.units.entry(*unit).or_default().push(*value);
            }
        }
        Ok(())
    }

    /// Episodes so far.
    pub fn episodes(&self) -> usize {
        self.accuracy.len()
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

    /// The measures, sorted by name and then by population; a measure with several intervals comes once for each.
    ///
    /// `accuracy`, `nll` and `brier` are means over episodes. They have the sampler interval of this level (none for a
    /// single episode), the items interval where no item repeats, and the classes interval where it is defined.
    /// `class-accuracy` is the mean over classes of the accuracy that each has over all its queries of the draw: every
    /// class counts alike, however often it was drawn; it has no interval, and neither has `ece`. Measures of certainty are
    /// means over episodes as `accuracy` is.
    pub fn measures(&self, level: f64, repeat: bool, ece: Option<f64>) -> Vec<Measured> {
        let by_class: Vec<f64> = self
            .classes
            .values()
            .filter(|class| class.total > 0)
            .map(|class| class.correct as f64 / class.total as f64)
            .collect();
        let plain =
            |metric, value: Option<f64>| value.map(|value| Measured { metric, value, interval: None });
        let over_episodes = |metric, values: &[f64], sum: fn(&UnitTally) -> ClassSum| {
            let sums = self.units.iter().map(move |(unit, tally)| (*unit, sum(tally)));
            over_episodes(metric, values, sums, level, repeat)
        };
        let mut measures = over_episodes("accuracy", &self.accuracy, |unit| unit.accuracy);
        measures.extend(over_episodes("brier", &self.brier, |unit| unit.brier));
        measures.extend(plain("class-accuracy", stats::mean(&by_class)));
        measures.extend(plain("ece", ece));
        measures.extend(over_episodes("nll", &self.nll, |unit| unit.nll));
        for (metric, certainty) in &self.certainty {
            let sums = certainty.units.iter().map(|(unit, sum)| (*unit, *sum));
            measures.extend(self::over_episodes(metric.word(), &certainty.values, sums, level, repeat));
        }
        measures.sort_by_key(|measured| measured.metric);
        measures
    }
}

/// The mean of one value per episode, with its intervals; `sums` are those of the episodes that hold each class.
fn over_episodes(
    metric: &'static str,
    values: &[f64],
    sums: impl Iterator<Item = (u32, ClassSum)>,
    level: f64,
    repeat: bool,
) -> Vec<Measured> {
    let Some(value) = stats::mean(values) else {
        return Vec::new();
    };
    let measured = |interval| Measured { metric, value, interval };
    let (Some(estimate), Some(variance)) = (stats::of_mean(values), stats::variance(values)) else {
        return vec![measured(None)];
    };
    let classes = stats::from_sums(value, variance, values.len(), sums).map(|jackknife| jackknife.estimate);
    let estimates = [
        (Population::Sampler, Some(estimate)),
        (Population::Items, (!repeat).then_some(estimate)),
        (Population::Classes, classes.ok()),
    ];
    let interval = |(population, estimate): (Population, Option<Estimate>)| {
        Some(measured(Some((population, estimate?.interval(level)?))))
    };
    estimates.into_iter().filter_map(interval).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(class: u32, correct: u32, total: u32, nll: Option<f64>) -> ClassOutcome {
        ClassOutcome { class: ClassId(class), correct, total, nll, brier: nll.map(|n| n / 2.0) }
    }

    fn episode(number: u32, classes: &[ClassOutcome]) -> EpisodeOutcome {
        EpisodeOutcome { episode: number, classes: classes.to_vec() }
    }

    #[test]
    fn an_episode_weighs_its_classes_by_their_queries() {
        let outcome =
            episode(0, &[class(4, 3, 3, Some(0.5)), class(7, 0, 1, Some(2.5)), class(9, 0, 0, None)]);
        let totals = EpisodeTotals { correct: 3, total: 4, nll: Some(1.0), brier: Some(0.5) };
        assert_eq!(outcome.totals(), Ok(totals));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let rule = |classes: &[ClassOutcome]| episode(0, classes).totals().unwrap_err();
        assert_eq!(rule(&[class(0, 2, 1, None)]), "a class cannot have more correct answers than queries");
        assert_eq!(rule(&[class(0, 0, 0, None)]), "an episode needs a query or more");
        assert_eq!(rule(&[class(0, 0, 1, Some(f64::NAN))]), "nll and brier must be numbers, found NaN");
        assert_eq!(
            rule(&[class(0, 1, 1, Some(0.1)), class(1, 1, 1, None)]),
            "nll and brier are there for all classes with queries or for none"
        );
        let mut tally = Tally::default();
        let twice = tally.push(&episode(0, &[class(3, 0, 1, None), class(3, 1, 1, None)]));
        assert_eq!(twice, Err("an episode holds a class once"));
        let mut tally = Tally::default();
        tally.push(&episode(0, &[class(0, 1, 1, Some(0.1))])).unwrap();
        let error = tally.push(&episode(1, &[class(0, 1, 1, None)])).unwrap_err();
        assert_eq!(error, "nll and brier are there for all episodes or for none");
    }

    #[test]
    fn class_accuracy_counts_every_class_alike() {
        let mut tally = Tally::default();
        tally.push(&episode(0, &[class(0, 2, 2, None), class(1, 0, 2, None)])).unwrap();
        tally.push(&episode(1, &[class(0, 2, 2, None), class(2, 1, 2, None)])).unwrap();
        let measures = tally.measures(0.95, true, None);
        assert_eq!(measures.iter().map(|m| m.metric).collect::<Vec<_>>(), ["accuracy", "class-accuracy"]);
        assert_eq!(measures[0].value, 0.625);
        assert_eq!(measures[1].value, 0.5);
        assert_eq!((tally.episodes(), tally.classes(), tally.correct(), tally.queries()), (2, 3, 5, 8));
    }

    #[test]
    fn a_single_episode_has_no_interval_and_two_have_one() {
        let mut tally = Tally::default();
        tally.push(&episode(0, &[class(0, 1, 2, Some(1.0))])).unwrap();
        assert!(tally.measures(0.95, true, None).iter().all(|m| m.interval.is_none()));
        tally.push(&episode(1, &[class(0, 2, 2, Some(2.0))])).unwrap();
        let measures = tally.measures(0.95, true, Some(0.1));
        let with: Vec<_> = measures.iter().filter(|m| m.interval.is_some()).map(|m| m.metric).collect();
        assert_eq!(with, ["accuracy", "brier", "nll"]);
        assert_eq!(measures.iter().map(|m| m.metric).collect::<Vec<_>>()[2..4], ["class-accuracy", "ece"]);
    }

    #[test]
    fn an_infinite_nll_is_a_value_without_an_interval() {
        let mut tally = Tally::default();
        for nll in [0.5, f64::INFINITY] {
            tally.push(&episode(0, &[class(0, 1, 2, Some(nll))])).unwrap();
        }
        let measures = tally.measures(0.95, true, None);
        let nll = measures.iter().find(|m| m.metric == "nll").unwrap();
        assert_eq!((nll.value, nll.interval), (f64::INFINITY, None));
    }

    /// 360 episodes of 2 of 12 classes.
    fn pairs() -> (Tally, Vec<f64>, Vec<[u32; 2]>) {
        let (mut tally, mut values, mut members) = (Tally::default(), Vec::new(), Vec::new());
        for number in 0..360_u32 {
            let (a, b) = (number % 12, (number % 12 + 1 + number / 12 % 11) % 12);
            let correct = (number * 7 % 5).min(4);
            tally.push(&episode(number, &[class(a, correct, 4, None), class(b, 4, 4, None)])).unwrap();
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
            tally.push(&episode(number as u32, &classes)).unwrap();
        }
        let measures = tally.measures(0.95, true, None);
        let found = measures.iter().filter_map(|m| m.interval).find(|(p, _)| *p == Population::Classes);
        let expected = stats::over_classes(&values, &members).unwrap().estimate.interval(0.95).unwrap();
        assert_eq!(found, Some((Population::Classes, expected)));
        assert_eq!(tally.class_ids().count(), 24);
    }

    #[test]
    fn an_accuracy_has_a_row_for_every_interval_that_is_defined() {
        let (tally, values, members) = pairs();
        let rows = |repeat| {
            let measures = tally.measures(0.95, repeat, None).into_iter();
            let accuracy = measures.filter(|m| m.metric == "accuracy").filter_map(|m| m.interval);
            accuracy.map(|(population, interval)| (population.word(), interval)).collect::<Vec<_>>()
        };
        let sampler = stats::of_mean(&values).unwrap().interval(0.95).unwrap();
        let classes = stats::over_classes(&values, &members).unwrap().estimate.interval(0.95).unwrap();
        assert_eq!(rows(true), [("sampler", sampler), ("classes", classes)]);
        assert_eq!(rows(false), [("sampler", sampler), ("items", sampler), ("classes", classes)]);
    }
}
