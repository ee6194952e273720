//! What a metric is.

use std::fmt;

use super::{EpisodeAnswers, Pooled};

/// A metric: what it is called, what it says, what it takes, and the function that computes it.
///
/// ```
/// use kshot::metric::{Direction, Formula, Metric, Need, Record};
///
/// static DOUBT: Record = Record {
///     name: "doubt",
///     about: "one minus the probability that the right label was given",
///     direction: Direction::Lower,
///     rate: true,
///     needs: &[Need::Probabilities],
///     with: &[],
///     formula: Formula::Query(|predicted| 1.0 - predicted.probabilities[predicted.label]),
/// };
/// let doubt = kshot::metric::add(&DOUBT)?;
/// assert_eq!("doubt".parse::<Metric>(), Ok(doubt));
/// # Ok::<(), kshot::metric::MetricError>(())
/// ```
#[derive(Debug)]
pub struct Record {
    /// Its name in protocols, files and on the command line: lower-case words joined by `-`.
    pub name: &'static str,
    /// What it says, in one sentence without its end.
    pub about: &'static str,
    /// Which values are better.
    pub direction: Direction,
    /// Whether it is a share between 0 and 1, which is shown in percent.
    pub rate: bool,
    /// What must be there for it to be defined.
    pub needs: &'static [Need],
    /// Metrics with which it is reported, although nobody asked for it by name.
    pub with: &'static [&'static str],
    /// How it is computed.
    pub formula: Formula,
}

/// Which values of a metric are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Higher ones.
    Higher,
    /// Lower ones.
    Lower,
    /// It judges nothing.
    Neither,
}

/// What a metric takes to be defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Probabilities of the labels, not just a ranking.
    Probabilities,
    /// Confidence scores, one a query.
    ConfidenceScores,
    /// Out-of-scope queries.
    OosQueries,
    /// A threshold of the confidence score that was set on validation queries.
    Threshold,
    /// Seen and unseen classes among the candidates.
    SeenAndUnseen,
    /// A temperature that was selected.
    Temperature,
    /// Answers to the items of the support, by learners that answer each item by itself.
    SupportAnswers,
}

/// What one value of a metric is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// The queries of one class in one episode; the value of the episode is the mean over its queries.
    Class,
    /// One episode.
    Episode,
    /// All episodes of a draw together.
    Pooled,
}

/// How a metric is computed.
#[derive(Clone, Copy, Debug)]
pub enum Formula {
    /// From the counts of correct answers, which every file has.
    Correct,
    /// From the predicted probabilities of one query, averaged over the queries of a class, and those of an episode.
    Query(fn(&Predicted<'_>) -> f64),
    /// From the answers of one episode; nothing where it is not defined.
    Episode(fn(&EpisodeAnswers<'_>) -> Option<f64>),
    /// From all episodes of a draw; nothing where it is not defined.
    Pooled(fn(&Pooled<'_>) -> Option<f64>),
}

/// What a learner predicted for one query.
#[derive(Clone, Copy, Debug)]
pub struct Predicted<'a> {
    /// The probability of each label.
    pub probabilities: &'a [f64],
    /// The right label.
    pub label: usize,
    /// The natural logarithm of its probability, which keeps what the probability itself would lose where it is small; at
    /// least that of 1e-300.
    pub log_probability: f64,
}

/// A metric by its record; equal where the names are.
#[derive(Clone, Copy)]
pub struct Metric(pub(super) &'static Record);

impl Metric {
    /// Its name.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// What it says.
    pub fn about(self) -> &'static str {
        self.0.about
    }

    /// Which values are better.
    pub fn direction(self) -> Direction {
        self.0.direction
    }

    /// Whether lower values are better.
    ///
    /// ```
    /// use kshot::metric::Metric;
    /// assert!(Metric::FPR95.is_loss() && !Metric::AUROC.is_loss());
    /// ```
    pub fn is_loss(self) -> bool {
        self.0.direction == Direction::Lower
    }

    /// Whether it is a share between 0 and 1, which is shown in percent.
    pub fn is_rate(self) -> bool {
        self.0.rate
    }

    /// The least and the largest value, where it has such: those of a share.
    pub fn range(self) -> Option<(f64, f64)> {
        self.0.rate.then_some((0.0, 1.0))
    }

    /// Whether this must be there for it to be defined.
    pub fn needs(self, need: Need) -> bool {
        self.0.needs.contains(&need)
    }

    /// All that must be there for it to be defined.
    pub fn all_needs(self) -> &'static [Need] {
        self.0.needs
    }

    /// How it is computed.
    pub fn formula(self) -> Formula {
        self.0.formula
    }

    /// What one value is about.
    pub fn unit(self) -> Unit {
        match self.0.formula {
            Formula::Query(_) => Unit::Class,
            Formula::Correct | Formula::Episode(_) => Unit::Episode,
            Formula::Pooled(_) => Unit::Pooled,
        }
    }

    /// Whether every episode has a value, so that methods can be compared by it.
    pub fn is_per_episode(self) -> bool {
        self.unit() != Unit::Pooled
    }

    /// Whether who asks for this one gets that one as well.
    ///
    /// ```
    /// use kshot::metric::Metric;
    /// assert!(Metric::NLL.covers(Metric::NLL_TS) && !Metric::NLL.covers(Metric::ADAPTIVE_ECE));
    /// ```
    pub fn covers(self, other: Metric) -> bool {
        self == other || other.0.with.contains(&self.0.name)
    }

    /// The value of one query; nothing for a metric of another unit.
    pub(super) fn of_query(self, predicted: &Predicted<'_>) -> Option<f64> {
        if let Formula::Query(of) = self.0.formula { Some(of(predicted)) } else { None }
    }

    /// The value of one episode, where it is defined; nothing for a metric of another unit.
    pub fn of_episode(self, answered: &EpisodeAnswers<'_>) -> Option<f64> {
        if let Formula::Episode(of) = self.0.formula { of(answered) } else { None }
    }

    /// The value of a draw, where it is defined; nothing for a metric of another unit.
    pub fn of_draw(self, pooled: &Pooled<'_>) -> Option<f64> {
        if let Formula::Pooled(of) = self.0.formula { of(pooled) } else { None }
    }
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Metric({})", self.name())
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl PartialEq for Metric {
    fn eq(&self, other: &Metric) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Metric {}

impl std::hash::Hash for Metric {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl Ord for Metric {
    fn cmp(&self, other: &Metric) -> std::cmp::Ordering {
        self.name().cmp(other.name())
    }
}

impl PartialOrd for Metric {
    fn partial_cmp(&self, other: &Metric) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Direction::Higher => "higher is better",
            Direction::Lower => "lower is better",
            Direction::Neither => "judges nothing",
        })
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Unit::Class => "class",
            Unit::Episode => "episode",
            Unit::Pooled => "pooled",
        })
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Need::Probabilities => "predicted probabilities",
            Need::ConfidenceScores => "confidence scores",
            Need::OosQueries => "out-of-scope queries",
            Need::Threshold => "a threshold",
            Need::SeenAndUnseen => "seen and unseen classes",
            Need::Temperature => "a selected temperature",
            Need::SupportAnswers => "answers of an inductive learner to its support",
        })
    }
}
