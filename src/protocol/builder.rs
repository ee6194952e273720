//! A protocol from Rust values, under the same rules as a rule file.

use toml::Spanned;

use super::judge::{CONFIDENCE_LEVEL, judge};
use super::place::Check;
use super::written::{Written, WrittenData, WrittenDraw, WrittenEpisode, WrittenReport};
use super::{OosQuery, Parts, Protocol, ProtocolError, Query, Shot, Way};
use crate::metric::Metric;
use crate::vocab::{Duplicates, Scope, Setting, Split};

/// A protocol in the making: every key of a rule file is a method, and [`ProtocolBuilder::build`] checks them all.
///
/// Nothing need be set. The episodes are then 5-way 1-shot with 15 queries per class, 10,000 of them from seed 7, of the
/// novel classes of whatever is evaluated; the protocol is called `custom` and reports accuracy, NLL and calibration.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a builder makes nothing before `build`"]
pub struct ProtocolBuilder {
    name: String,
    version: u32,
    source: String,
    settings: Option<Vec<Setting>>,
    dataset: Option<String>,
    split: Scope,
    classes: Option<Vec<String>>,
    parts: Option<Parts>,
    oos: Option<String>,
    query_oos: Option<OosQuery>,
    threshold_part: Option<String>,
    seen_part: Option<String>,
    duplicates: Duplicates,
    way: Way,
    shot: Shot,
    query: Query,
    repeat: bool,
    shuffle_labels: bool,
    count: u32,
    first: Option<u32>,
    most: Option<u32>,
    seed: u64,
    draw_sha256: Option<String>,
    metrics: Vec<Metric>,
    confidence_level: f64,
}

impl Default for ProtocolBuilder {
    fn default() -> ProtocolBuilder {
        ProtocolBuilder {
            name: "custom".to_string(),
            version: 1,
            source: "built in memory".to_string(),
            settings: None,
            dataset: None,
            split: Scope::One(Split::Novel),
            classes: None,
            parts: None,
            oos: None,
            query_oos: None,
            threshold_part: None,
            seen_part: None,
            duplicates: Duplicates::Warn,
            way: Way::Fixed(5),
            shot: Shot::Nested(vec![1]),
            query: Query::PerClass(15),
            repeat: true,
            shuffle_labels: false,
            count: 10_000,
            first: None,
            most: None,
            seed: 7,
            draw_sha256: None,
            metrics: vec![Metric::ACCURACY, Metric::NLL, Metric::ADAPTIVE_ECE],
            confidence_level: CONFIDENCE_LEVEL,
        }
    }
}

impl Protocol {
    /// Begins a protocol.
    ///
    /// ```
    /// use kshot::protocol::Protocol;
    /// let protocol = Protocol::episodes().way(5).shots([1, 5]).query(15).count(10_000).seed(7).build()?;
    /// assert_eq!(Protocol::parse(&protocol.to_toml(), "printed.toml")?, protocol);
    /// let wrong = Protocol::episodes().way(1).build();
    /// assert_eq!(wrong.unwrap_err().to_string(), "protocol `custom`: `way` must be 2 or more, got 1");
    /// # Ok::<(), kshot::protocol::ProtocolError>(())
    /// ```
    pub fn episodes() -> ProtocolBuilder {
        ProtocolBuilder::default()
    }

    /// The same rules once more, to be changed.
    pub fn to_builder(&self) -> ProtocolBuilder {
        // As many out-of-scope queries as a class has are so many after `query` has changed, too.
        let implied = self.oos.as_ref().is_some_and(|oos| OosQuery::beside(&self.query) == Some(oos.query));
        ProtocolBuilder {
            name: self.name.clone(),
            version: self.version,
            source: self.source.clone(),
            settings: Some(self.settings.clone()),
            dataset: self.dataset.clone(),
            split: self.split,
            classes: self.classes.clone(),
            parts: self.parts.clone(),
            oos: self.oos.as_ref().map(|oos| oos.class.clone()),
            query_oos: self.oos.as_ref().map(|oos| oos.query).filter(|_| !implied),
            threshold_part: self.oos.as_ref().and_then(|oos| oos.threshold_part.clone()),
            seen_part: self.seen_part.clone(),
            duplicates: self.duplicates,
            way: self.way.clone(),
            shot: self.shot.clone(),
            query: self.query.clone(),
            repeat: self.repeat,
            shuffle_labels: self.shuffle_labels,
            count: self.count,
            first: self.first,
            most: self.most,
            seed: self.seed,
            draw_sha256: self.draw_sha256.clone(),
            metrics: self.metrics.clone(),
            confidence_level: self.confidence_level,
        }
    }
}

/// A method that sets one value: `name(argument: Type) = expression`, with its documentation.
macro_rules! setters {
    ($($(#[$about:meta])* $name:ident: $field:ident($($value:ident: $type:ty),+) = $made:expr;)+) => {
        impl ProtocolBuilder {
            $($(#[$about])* pub fn $name(mut self, $($value: $type),+) -> ProtocolBuilder {
                self.$field = $made;
                self
            })+
        }
    };
}

setters! {
    /// Its name, in kebab case.
    name: name(name: &str) = name.to_string();
    /// Its version, 1 or more.
    version: version(version: u32) = version;
    /// Where the rules come from.
    source: source(source: &str) = source.to_string();
    /// The settings whose learners it admits. Default: all that can take part at one of its shots.
    settings: settings(settings: impl IntoIterator<Item = Setting>) = Some(settings.into_iter().collect());
    /// The dataset that it is for. Default: any features.
    dataset: dataset(dataset: &str) = Some(dataset.to_string());
    /// The classes that make the episodes: those of a split, or all.
    split: split(split: impl Into<Scope>) = split.into();
    /// The names of the classes of the split that make the episodes. Default: all.
    classes: classes(names: impl IntoIterator<Item = impl Into<String>>) =
        Some(names.into_iter().map(Into::into).collect());
    /// The parts that supports and queries come from. Default: every item may be either.
    parts: parts(support: &str, query: &str) =
        Some(Parts { support: support.to_string(), query: query.to_string() });
    /// The class of out-of-scope queries.
    oos: oos(class: &str) = Some(class.to_string());
    /// How many out-of-scope queries an episode has. Default: as many as a class has queries.
    query_oos: query_oos(query: impl Into<OosQuery>) = Some(query.into());
    /// The part whose queries set thresholds.
    threshold_part: threshold_part(part: &str) = Some(part.to_string());
    /// The part of seen classes' items that are queries too, see [`Protocol::seen_part`].
    seen_part: seen_part(part: &str) = Some(part.to_string());
    /// What happens when a draw made elsewhere has items of one group on both sides.
    duplicates: duplicates(duplicates: Duplicates) = duplicates;
    /// How many classes an episode has: a number, a range (`2..=9`), or a [`Way`].
    way: way(way: impl Into<Way>) = way.into();
    /// How many support items a class has: a number, nested shots (`[1, 5]`), a range (`1..=5`), or a [`Shot`].
    shots: shot(shots: impl Into<Shot>) = shots.into();
    /// How many query items a class has: a number, or a [`Query`].
    query: query(query: impl Into<Query>) = query.into();
    /// Whether an item may appear in two episodes.
    repeat: repeat(repeat: bool) = repeat;
    /// Whether the labels of each support are shuffled, see [`Protocol::shuffle_labels`].
    shuffle_labels: shuffle_labels(shuffle: bool) = shuffle;
    /// How many episodes a draw has.
    count: count(count: u32) = count;
    /// How many of its episodes are evaluated. Default: all.
    first: first(first: u32) = Some(first);
    /// How many episodes may be drawn at most until an interval is narrow.
    most: most(most: u32) = Some(most);
    /// The seed of the draw.
    seed: seed(seed: u64) = seed;
    /// The hash that the draw must have.
    draw_sha256: draw_sha256(sha256: &str) = Some(sha256.to_string());
    /// What is reported.
    metrics: metrics(metrics: impl IntoIterator<Item = Metric>) = metrics.into_iter().collect();
    /// The confidence level of intervals, above 0 and below 1.
    confidence_level: confidence_level(level: f64) = level;
}

impl ProtocolBuilder {
    /// The first so many episodes of its draw, or a longer draw, with `most` never below it.
    pub(super) fn episodes(self, episodes: u32) -> ProtocolBuilder {
        if episodes <= self.count {
            return self.first(episodes);
        }
        let most = self.most.map(|most| most.max(episodes));
        ProtocolBuilder { count: episodes, first: None, most, ..self }
    }

    /// The protocol.
    ///
    /// # Errors
    /// A value is out of its range, or two do not go together: what a rule file with these values is refused for.
    pub fn build(self) -> Result<Protocol, ProtocolError> {
        let check = Check::Built { name: &self.name };
        judge(&check, self.written(&check)?)
    }

    /// What a rule file would say.
    fn written(&self, check: &Check<'_>) -> Result<Written, ProtocolError> {
        let text = |text: &Option<String>| text.clone().map(placed);
        let seed = i64::try_from(self.seed)
            .map_err(|_| check.value("seed", format!("{} or less", i64::MAX), &placed(()), self.seed))?;
        Ok(Written {
            name: placed(self.name.clone()),
            version: placed(self.version.into()),
            source: placed(self.source.clone()),
            settings: words(&self.settings.clone().unwrap_or_else(|| fitting(&self.shot))),
            data: WrittenData {
                dataset: text(&self.dataset),
                split: Some(placed(self.split.to_string())),
                classes: self.classes.clone().map(|names| placed(names.into())),
                support_part: self.parts.as_ref().map(|parts| placed(parts.support.clone())),
                query_part: self.parts.as_ref().map(|parts| placed(parts.query.clone())),
                oos: text(&self.oos),
                threshold_part: text(&self.threshold_part),
                seen_part: text(&self.seen_part),
                duplicates: Some(placed(self.duplicates.to_string())),
            },
            episode: WrittenEpisode {
                way: placed(self.way.written()),
                shot: placed(self.shot.written()),
                query: placed(self.query.written()),
                query_oos: self.query_oos.map(|query| placed(query.written())),
                repeat: Some(placed(self.repeat)),
                shuffle_labels: self.shuffle_labels.then(|| placed(true)),
            },
            draw: WrittenDraw {
                count: placed(self.count.into()),
                first: self.first.map(|first| placed(first.into())),
                most: self.most.map(|most| placed(most.into())),
                seed: placed(seed),
                sha256: text(&self.draw_sha256),
            },
            report: WrittenReport {
                metrics: words(&self.metrics),
                confidence_level: Some(placed(self.confidence_level)),
            },
        })
    }
}

impl TryFrom<ProtocolBuilder> for Protocol {
    type Error = ProtocolError;

    fn try_from(builder: ProtocolBuilder) -> Result<Protocol, ProtocolError> {
        builder.build()
    }
}

/// The settings whose learners can take part at one of these shots.
fn fitting(shot: &Shot) -> Vec<Setting> {
    let shots: &[u32] = if let Shot::Nested(shots) = shot { shots } else { &[1] };
    let takes_part = |setting: &Setting| {
        shots.is_empty()
            || shots
                .iter()
                .any(|shot| if *shot == 0 { !setting.needs_support() } else { setting.uses_support() })
    };
    Setting::ALL.iter().copied().filter(takes_part).collect()
}

/// A value that stands in no file.
pub(super) fn placed<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

fn words<T: ToString>(words: &[T]) -> Spanned<Vec<Spanned<String>>> {
    placed(words.iter().map(|word| placed(word.to_string())).collect())
}
