//! What outcomes depend on: a journal says it first, so that only what belongs together is put together.

use serde::{Deserialize, Serialize};

use super::table::Table;

/// Everything that determines the outcomes of a run, and nothing that does not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunKey {
    /// Version of kshot.
    pub kshot: String,
    /// What tells the program from others of its version.
    pub build: String,
    /// Vector instructions that the processor has.
    pub cpu_features: Vec<String>,
    /// Where it is computed.
    pub device: String,
    /// Which part of an evaluation it is; absent for the whole.
    pub shard: Option<Shard>,
    /// The half-width that ends the drawing of episodes, in points as it was written; absent for a draw of fixed length.
    pub until: Option<String>,
    /// How single queries are written: `csv` or `parquet`; absent where they are not.
    pub queries: Option<String>,
    /// The protocols, in the order of the run.
    pub protocols: Vec<ProtocolKey>,
}

/// A part of an evaluation: an equal share of the episodes of each draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Which part, from 1.
    pub number: u32,
    /// How many parts there are.
    pub of: u32,
}

/// A protocol with its draw, features and tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtocolKey {
    /// Its name.
    pub name: String,
    /// SHA-256 of its file's bytes.
    pub sha256: String,
    /// SHA-256 of the draw's bytes; absent while nobody knows how long the draw will be.
    pub draw_sha256: Option<String>,
    /// The file beside the results that holds the draw, where it was drawn in the run.
    pub draw_file: Option<String>,
    /// The number of the first episode of this part.
    pub first: u32,
    /// Episodes of this part; with `until`, at most so many.
    pub episodes: u32,
    /// The features.
    pub features: FeatureKey,
    /// The name of each class, by its number.
    pub classes: Vec<String>,
    /// The cluster of each class, where the dataset has such.
    pub clusters: Option<Vec<String>>,
    /// Whether each class is a seen one, where the candidates are seen and unseen classes.
    pub seen: Option<Vec<bool>>,
    /// The tables.
    pub tables: Vec<PlannedTable>,
}

/// A feature store, as far as it is known before all of it has been hashed.
#[derive(Default, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureKey {
    /// Its name.
    pub name: String,
    /// Items.
    pub rows: usize,
    /// Numbers per item.
    pub dim: usize,
    /// SHA-256 of all that is said of the items (split, cluster, part, group, id) and of the class embeddings: the hash of
    /// features is over their numbers alone.
    #[serde(default)]
    pub labels_sha256: String,
    /// Its files with their size in bytes and the time of their last change in nanoseconds; none for a store in memory.
    pub files: Vec<(String, u64, u64)>,
}

/// A table with the words that warnings use for its learner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedTable {
    /// What its rows share.
    pub table: Table,
    /// The learner with the parameters that differ from their defaults.
    pub learner: String,
    /// The selected temperature of its predicted probabilities, where there is one.
    pub temperature: Option<f64>,
    /// The settings among which each support set chooses; none where the parameters are fixed.
    pub among: Vec<String>,
}

/// Something in which two runs are not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs, as the subject of a sentence.
    pub what: String,
    /// What it is in the first run.
    pub one: String,
    /// What it is in the second.
    pub other: String,
}

/// How much two runs must have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compatibility {
    /// One goes on where the other stood.
    SameRun,
    /// They are parts of one evaluation, perhaps made by different builds, on different machines, from copies of the
    /// features; their shards are not looked at, and neither are their features, which have hashes by then.
    SameEvaluation,
}

impl Shard {
    /// This part of `length` episodes: the first and the one behind the last. The parts are consecutive, and their lengths
    /// differ by one at most.
    ///
    /// ```
    /// use kshot::results::Shard;
    /// let parts = [1, 2, 3].map(|number| Shard { number, of: 3 }.of_draw(10));
    /// assert_eq!(parts, [0..3, 3..6, 6..10]);
    /// ```
    pub fn of_draw(self, length: usize) -> std::ops::Range<usize> {
        let end = |number: u32| (length as u128 * u128::from(number) / u128::from(self.of)) as usize;
        end(self.number - 1)..end(self.number)
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl RunKey {
    /// The first thing in which another run differs so that the two do not belong together.
    pub fn difference(&self, other: &RunKey, compatibility: Compatibility) -> Option<Difference> {
        let same_run = compatibility == Compatibility::SameRun;
        let shard = |key: &RunKey| key.shard.map_or("the whole".to_string(), |shard| shard.to_string());
        let text = |text: &Option<String>, absent: &str| text.clone().unwrap_or_else(|| absent.to_string());
        let names =
            |key: &RunKey| key.protocols.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
        unlike("the version of kshot", &self.kshot, &other.kshot)
            .or_else(|| same_run.then(|| unlike("the build of kshot", &self.build, &other.build))?)
            .or_else(|| unlike("the device", &self.device, &other.device))
            .or_else(|| same_run.then(|| unlike("the part (--shard)", shard(self), shard(other)))?)
            .or_else(|| {
                unlike("the half-width (--until)", text(&self.until, "none"), text(&other.until, "none"))
            })
            .or_else(|| {
                unlike(
                    "the way of writing queries (--queries)",
                    text(&self.queries, "none"),
                    text(&other.queries, "none"),
                )
            })
            .or_else(|| unlike("the list of protocols", names(self), names(other)))
            .or_else(|| {
                self.protocols.iter().zip(&other.protocols).find_map(|(a, b)| a.difference(b, compatibility))
            })
    }
}

impl ProtocolKey {
    fn difference(&self, other: &ProtocolKey, compatibility: Compatibility) -> Option<Difference> {
        let of = |what: &str| format!("{what} of protocol {}", self.name);
        let same_run = compatibility == Compatibility::SameRun;
        let hash = |key: &ProtocolKey| key.draw_sha256.clone().unwrap_or("still open".to_string());
        let learners = |key: &ProtocolKey| {
            let mut learners: Vec<&str> = key.tables.iter().map(|table| table.learner.as_str()).collect();
            learners.dedup();
            learners.join(", ")
        };
        let shape = |key: &ProtocolKey| format!("{} × {}", key.features.rows, key.features.dim);
        unlike(&of("the text (sha256)"), &self.sha256, &other.sha256)
            .or_else(|| unlike(&of("the learners"), learners(self), learners(other)))
            .or_else(|| {
                same_run
                    .then(|| unlike(&of("the feature store"), &self.features.name, &other.features.name))?
            })
            .or_else(|| unlike(&of("the size of the features"), shape(self), shape(other)))
            .or_else(|| {
                let pairs = self.classes.iter().zip(&other.classes).enumerate();
                let found = pairs
                    .filter(|(_, (a, b))| a != b)
                    .map(|(place, (a, b))| unlike(&of(&format!("the name of class {place}")), a, b));
                found.flatten().next()
            })
            .or_else(|| unlike(&of("the number of classes"), self.classes.len(), other.classes.len()))
            .or_else(|| {
                (self.clusters != other.clusters).then(|| Difference {
                    what: of("the clusters of classes"),
                    one: format!("{:?}", self.clusters),
                    other: format!("{:?}", other.clusters),
                })
            })
            .or_else(|| unlike(&of("the draw (sha256)"), hash(self), hash(other)))
            .or_else(|| {
                same_run.then(|| unlike(&of("the number of episodes"), self.episodes, other.episodes))?
            })
            .or_else(|| {
                let items = |key: &ProtocolKey| {
                    key.tables.first().map_or(String::new(), |planned| planned.table.items_sha256.clone())
                };
                unlike(&of("the items (sha256)"), items(self), items(other))
            })
            .or_else(|| {
                let (one, other) = (&self.features.labels_sha256, &other.features.labels_sha256);
                unlike(&of("splits, clusters, ids or class embeddings (sha256)"), one, other)
            })
            .or_else(|| {
                // What is left of a table is what the store says of its backbone.
                let differs = |(a, b): &(&PlannedTable, &PlannedTable)| !a.is_like(b, compatibility);
                let pairs = self.tables.iter().zip(&other.tables).find(differs)?;
                unlike(&of("the description of a table"), format!("{:?}", pairs.0), format!("{:?}", pairs.1))
            })
    }
}

impl PlannedTable {
    /// Whether two are the same; copies of features may go by other names.
    fn is_like(&self, other: &PlannedTable, compatibility: Compatibility) -> bool {
        if compatibility == Compatibility::SameRun {
            return self == other;
        }
        let mut other = other.clone();
        let (there, here) = (&mut other.table, &self.table);
        there.features.clone_from(&here.features);
        there.dataset.clone_from(&here.dataset);
        there.method.clone_from(&here.method);
        *self == other
    }
}

fn unlike(what: &str, one: impl ToString, other: impl ToString) -> Option<Difference> {
    let (one, other) = (one.to_string(), other.to_string());
    (one != other).then(|| Difference { what: what.to_string(), one, other })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::results::fixtures::Made;

    /// The key of a run of two learners on 20 episodes.
    pub fn run_key() -> RunKey {
        let table = |learner: &str| PlannedTable {
            table: Made::default().table(learner, "1", 1),
            learner: learner.to_string(),
            temperature: None,
            among: Vec::new(),
        };
        RunKey {
            kshot: env!("CARGO_PKG_VERSION").to_string(),
            build: "b".to_string(),
            cpu_features: vec!["avx".to_string()],
            device: "cpu".to_string(),
            shard: None,
            until: None,
            queries: None,
            protocols: vec![ProtocolKey {
                name: "small".to_string(),
                sha256: "rules".to_string(),
                draw_sha256: Some("draw-one".to_string()),
                draw_file: None,
                first: 0,
                episodes: 20,
                features: FeatureKey { name: "f".to_string(), rows: 12, dim: 3, ..FeatureKey::default() },
                classes: (0..12).map(|class| format!("class {class}")).collect(),
                clusters: None,
                seen: None,
                tables: vec![table("good"), table("bad")],
            }],
        }
    }

    fn told(change: impl Fn(&mut RunKey), compatibility: Compatibility) -> Option<String> {
        let mut other = run_key();
        change(&mut other);
        run_key().difference(&other, compatibility).map(|d| format!("{}: {} / {}", d.what, d.one, d.other))
    }

    #[test]
    fn terms_come_back_from_their_text() {
        let mut there = run_key();
        there.protocols[0].tables[0].table.level = 0.123_456_789_012_345_67;
        let text = serde_json::to_string(&there).unwrap();
        assert_eq!(serde_json::from_str::<RunKey>(&text).unwrap(), there);
    }

    #[test]
    fn parts_are_consecutive_and_of_almost_one_length() {
        for (length, of) in [(0, 3), (1, 4), (10, 3), (1000, 7), (4_294_967_295, 100_000)] {
            let mut end = 0;
            for number in 1..=of {
                let part = Shard { number, of }.of_draw(length);
                assert_eq!(part.start, end);
                assert!(part.len() == length / of as usize || part.len() == length / of as usize + 1);
                end = part.end;
            }
            assert_eq!(end, length);
        }
    }

    #[test]
    fn a_run_that_goes_on_must_be_the_same_in_everything() {
        assert_eq!(told(|_| {}, Compatibility::SameRun), None);
        let said = |change: fn(&mut RunKey)| told(change, Compatibility::SameRun).unwrap();
        assert_eq!(said(|t| t.build = "c".to_string()), "the build of kshot: b / c");
        assert_eq!(said(|t| t.until = Some("0.2".to_string())), "the half-width (--until): none / 0.2");
        assert_eq!(
            said(|t| t.shard = Some(Shard { number: 3, of: 8 })),
            "the part (--shard): the whole / 3/8"
        );
        assert_eq!(
            said(|t| t.protocols[0].tables.truncate(1)),
            "the learners of protocol small: good, bad / good"
        );
        assert_eq!(
            said(|t| t.protocols[0].classes[3] = "other".to_string()),
            "the name of class 3 of protocol small: class 3 / other"
        );
        assert_eq!(
            said(|t| t.protocols[0].draw_sha256 = Some("draw-two".to_string())),
            "the draw (sha256) of protocol small: draw-one / draw-two"
        );
        assert!(
            said(|t| t.protocols[0].tables[1].table.backbone = Some("net".to_string()))
                .starts_with("the description of a table of protocol small: ")
        );
    }

    #[test]
    fn parts_may_come_from_other_builds_and_copies_of_the_features() {
        let change = |t: &mut RunKey| {
            t.build = "c".to_string();
            t.cpu_features.clear();
            t.shard = Some(Shard { number: 1, of: 2 });
            t.protocols[0].episodes = 10;
            t.protocols[0].features.name = "copy".to_string();
            t.protocols[0].tables.iter_mut().for_each(|key| key.table.features = "copy".to_string());
        };
        assert_eq!(told(change, Compatibility::SameEvaluation), None);
        let other = |t: &mut RunKey| t.kshot = "9.0.0".to_string();
        assert!(told(other, Compatibility::SameEvaluation).unwrap().starts_with("the version of kshot: "));
    }
}
