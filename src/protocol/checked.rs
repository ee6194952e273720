//! The second step: rules that cannot be wrong.

use std::path::Path;

use super::judge::judge;
use super::place::Check;
use super::written::Written;
use super::{ProtocolError, Query, Shot, Way};
use crate::metric::{Metric, Need};
use crate::vocab::{Duplicates, Scope, Setting, Split};

/// The parts of a class that supports and queries come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The part of the supports.
    pub support: String,
    /// The part of the queries; may be the same.
    pub query: String,
}

/// Out-of-scope queries of an episode: they belong to none of its classes, nor to any other of the task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oos {
    /// The class of the dataset whose items they are; it is never a class of an episode.
    pub class: String,
    /// How many an episode has.
    pub query: OosQuery,
    /// The part whose queries set thresholds, with the supports of the draw itself; absent: thresholds are set on
    /// episodes of the validation classes.
    pub threshold_part: Option<String>,
}

/// How many out-of-scope queries an episode has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OosQuery {
    /// This many; 1 or more.
    PerEpisode(u32),
    /// All that there are.
    All,
}

impl OosQuery {
    /// As many as a class has queries; nothing where that is no single number.
    pub(super) fn beside(query: &Query) -> Option<OosQuery> {
        match query {
            Query::PerClass(query) => Some(OosQuery::PerEpisode(*query)),
            Query::All => Some(OosQuery::All),
            Query::Dirichlet { .. } | Query::MetaDataset => None,
        }
    }
}

/// The rules of an evaluation, checked: each value is in its range and all go together.
#[derive(Clone, Debug, PartialEq)]
pub struct Protocol {
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) source: String,
    pub(super) settings: Vec<Setting>,
    pub(super) dataset: Option<String>,
    pub(super) split: Scope,
    pub(super) classes: Option<Vec<String>>,
    pub(super) parts: Option<Parts>,
    pub(super) oos: Option<Oos>,
    pub(super) seen_part: Option<String>,
    pub(super) duplicates: Duplicates,
    pub(super) way: Way,
    pub(super) shot: Shot,
    pub(super) query: Query,
    pub(super) repeat: bool,
    pub(super) shuffle_labels: bool,
    pub(super) count: u32,
    pub(super) first: Option<u32>,
    pub(super) most: Option<u32>,
    pub(super) seed: u64,
    pub(super) draw_sha256: Option<String>,
    pub(super) metrics: Vec<Metric>,
    pub(super) confidence_level: f64,
}

impl Protocol {
    /// The part of seen items that is held out from fits where no rule names another.
    pub const SEEN_PART: &str = "test";

    /// Reads and checks a rule file.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, has an unknown key or lacks one, or a rule is broken.
    pub fn read(path: impl AsRef<Path>) -> Result<Protocol, ProtocolError> {
        let origin = path.as_ref().display().to_string();
        match std::fs::read_to_string(&path) {
            Ok(text) => Protocol::parse(&text, &origin),
            Err(source) => Err(ProtocolError::Unreadable { origin, source }),
        }
    }

    /// Checks the text of a rule file; `origin` names it in errors.
    ///
    /// # Errors
    /// The text is no TOML, has an unknown key or lacks one, or a rule is broken.
    ///
    /// ```
    /// use kshot::protocol::{Protocol, Shot};
    /// let text = r#"
    /// name = "five-way"
    /// version = 1
    /// source = "this page"
    /// settings = ["inductive"]
    /// [episode]
    /// way = 5
    /// shot = 1
    /// query = 15
    /// [draw]
    /// count = 600
    /// seed = 7
    /// [report]
    /// metrics = ["accuracy"]
    /// "#;
    /// let protocol = Protocol::parse(text, "five-way.toml")?;
    /// assert_eq!(protocol.shot(), &Shot::Nested(vec![1]));
    /// let wrong = Protocol::parse(&text.replace("way = 5", "way = 1"), "five-way.toml");
    /// assert_eq!(wrong.unwrap_err().to_string(), "five-way.toml line 7: `way` must be 2 or more, got 1");
    /// # Ok::<(), kshot::protocol::ProtocolError>(())
    /// ```
    pub fn parse(text: &str, origin: &str) -> Result<Protocol, ProtocolError> {
        let check = Check::File { text, origin };
        let written: Written = toml::from_str(text).map_err(|e| check.syntax(&e))?;
        judge(&check, written)
    }

    /// The same episodes of other classes, for a selection: those of this split, so many, from this seed. The draw that ships
    /// with the protocol, being one of its own classes, does not belong to them.
    pub fn on_split(&self, split: Split, count: u32, seed: u64) -> Protocol {
        let split = split.into();
        Protocol {
            split,
            classes: None,
            count,
            first: None,
            seed,
            most: None,
            draw_sha256: None,
            ..self.clone()
        }
    }

    /// Its name, in kebab case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its version, 1 or more: raised when a rule changes meaning.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Where the rules come from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The settings whose learners it admits, at least one.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The dataset that it is for; nothing where it is for any feature store.
    pub fn dataset(&self) -> Option<&str> {
        self.dataset.as_deref()
    }

    /// The classes that make the episodes.
    pub fn split(&self) -> Scope {
        self.split
    }

    /// The names of the classes of the split that make the episodes, where it is not all of them.
    pub fn classes(&self) -> Option<&[String]> {
        self.classes.as_deref()
    }

    /// The parts that supports and queries come from, where they are restricted.
    pub fn parts(&self) -> Option<&Parts> {
        self.parts.as_ref()
    }

    /// The out-of-scope queries, where an episode has such.
    pub fn oos(&self) -> Option<&Oos> {
        self.oos.as_ref()
    }

    /// The same rules on the validation classes and without out-of-scope queries: where thresholds are set.
    pub fn on_validation(&self) -> Protocol {
        Protocol { seen_part: None, ..self.generalised_on_validation() }
    }

    /// The same rules, candidates of seen classes included, for the validation classes with the base classes as seen ones.
    pub fn generalised_on_validation(&self) -> Protocol {
        let metrics = self.metrics.iter().copied().filter(|metric| !metric.needs(Need::OosQueries)).collect();
        Protocol {
            split: Split::Validation.into(),
            classes: None,
            oos: None,
            draw_sha256: None,
            first: None,
            most: None,
            metrics,
            ..self.clone()
        }
    }

    /// The part of seen classes' items that are queries too, where the candidates are seen and unseen classes: those of
    /// the splits before [`Protocol::split`], and those of it. Of a dataset without parts it is the last ⌊n/5⌋ items of
    /// each seen class.
    pub fn seen_part(&self) -> Option<&str> {
        self.seen_part.as_deref()
    }

    /// What happens when a draw made elsewhere has items of one group on both sides.
    pub fn duplicates(&self) -> Duplicates {
        self.duplicates
    }

    /// How many classes an episode has.
    pub fn way(&self) -> &Way {
        &self.way
    }

    /// How many support items a class has.
    pub fn shot(&self) -> &Shot {
        &self.shot
    }

    /// How many query items a class has.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Whether an item may appear in two episodes.
    pub fn repeat(&self) -> bool {
        self.repeat
    }

    /// Whether the labels of each support are shuffled before a learner gets it: a control, in which every answer should be right as
    /// often as chance has it. Queries keep their labels, and the draw is that of the same protocol without it.
    pub fn shuffle_labels(&self) -> bool {
        self.shuffle_labels
    }

    /// How many episodes a draw has, 1 to 10,000,000.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// How many of these are evaluated, where it is not all of them: the first ones. The hash is that of the whole draw.
    pub fn first(&self) -> Option<u32> {
        self.first
    }

    /// How many episodes are evaluated: the first of its draw, or all.
    pub fn evaluated(&self) -> u32 {
        self.first.unwrap_or(self.count)
    }

    /// How many episodes may be drawn at most until an interval is narrow; never below `count`.
    pub fn most(&self) -> Option<u32> {
        self.most
    }

    /// The seed of the draw.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The hash of the draw that ships with it: 64 lower-case hexadecimal digits.
    pub fn draw_sha256(&self) -> Option<&str> {
        self.draw_sha256.as_deref()
    }

    /// What is reported, at least one.
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// The confidence level of intervals, above 0 and below 1.
    pub fn confidence_level(&self) -> f64 {
        self.confidence_level
    }
}
