//! What a reader of the results should know; values, so that they can be counted, printed and stored.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::vocab::{counted, few};

/// Fewer episodes than this are warned of: Student's t leans on a mean of many, and accuracies near 1 are skewed.
pub const FEW_EPISODES: usize = 100;

/// A warning. Printed by the command line and stored in `run.json`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Warning {
    /// A table has columns that are neither text, class nor anything else that is known.
    IgnoredColumns {
        /// The dataset.
        dataset: String,
        /// The names of the columns.
        columns: Vec<String>,
    },
    /// Too few episodes for an interval that keeps its level.
    FewEpisodes {
        /// The protocol.
        protocol: String,
        /// Its episodes.
        episodes: usize,
    },
    /// The sampler interval takes classes and items as given.
    SamplerInterval {
        /// The protocol.
        protocol: String,
        /// Distinct classes in its draw.
        classes: usize,
    },
    /// Queries whose highest score was shared, so that the lower label won.
    Ties {
        /// The protocol.
        protocol: String,
        /// The learner, as it is written on the command line.
        learner: String,
        /// Queries with a tie.
        queries: u64,
        /// Queries in all.
        of: u64,
    },
    /// Episodes in which an iterative learner ran out of steps.
    NotConverged {
        /// The protocol.
        protocol: String,
        /// The learner, as it is written on the command line.
        learner: String,
        /// Episodes concerned.
        episodes: u64,
        /// Episodes in all.
        of: u64,
    },
    /// A selection that was made for another protocol or other features.
    SelectedElsewhere {
        /// The protocol that it was used for.
        protocol: String,
        /// The selection, as it was named.
        file: String,
        /// In what the two differ.
        differing: String,
    },
    /// Episodes whose support is too small to choose in, and which keep the default.
    NotCrossValidated {
        /// The protocol.
        protocol: String,
        /// The learner.
        learner: String,
        /// Episodes concerned, over all shots.
        episodes: u64,
        /// Episodes in all.
        of: u64,
    },
    /// Parameters that were chosen on the reported answers.
    Oracle {
        /// The protocol.
        protocol: String,
    },
    /// A draw made elsewhere has items of one group, or bit-identical rows, on both sides of an episode.
    Duplicates {
        /// The draw, as it was named.
        draw: String,
        /// Episodes concerned.
        episodes: u64,
        /// Episodes in all.
        of: u64,
        /// Whether the items came with groups.
        #[serde(default)]
        groups: bool,
    },
    /// Items under evaluation that stand among the classes seen before it, too.
    SharedWithSeen {
        /// The protocol.
        protocol: String,
        /// The features.
        features: String,
        /// Items that are bit for bit those of a seen class.
        items: u64,
    },
    /// A draw made elsewhere does not agree with the protocol in something that is let pass.
    OtherDraw {
        /// The draw, as it was named.
        draw: String,
        /// What does not agree.
        finding: String,
    },
    /// A draw made elsewhere does not say which items it was drawn from.
    DrawWithoutItems {
        /// The draw, as it was named.
        draw: String,
    },
    /// Episodes were drawn until the sampler interval was narrow.
    Sequential {
        /// The protocol.
        protocol: String,
        /// Episodes that were drawn.
        episodes: u64,
        /// The half-width that was asked for, in points.
        until: String,
    },
    /// All episodes that the protocol allows were drawn, and an interval is still wider than was asked for.
    StillWide {
        /// The protocol.
        protocol: String,
        /// Episodes that were drawn.
        episodes: u64,
        /// The half-width that was asked for, in points.
        until: String,
        /// The learner whose interval is widest, as it is written on the command line.
        learner: String,
        /// Its half-width in points.
        half_width: String,
    },
    /// Outcomes of one evaluation were computed on processors with other vector instructions.
    OtherProcessor {
        /// The one.
        one: String,
        /// The other.
        other: String,
    },
    /// Outcomes of one evaluation were computed by other builds of kshot.
    OtherBuild {
        /// The one.
        one: String,
        /// The other.
        other: String,
    },
    /// Learners that draw their answers to equal numbers of queries per label.
    AssumesBalance {
        /// The protocol.
        protocol: String,
        /// Their names.
        learners: Vec<String>,
        /// Whether its episodes have as many queries of one class as of another.
        balanced: bool,
    },
    /// A generalised protocol without the classes on which the calibration factor γ is chosen.
    NoCalibration {
        /// The protocol.
        protocol: String,
    },
    /// Learners that were not asked for by name, and are not given what they need.
    LeftOut {
        /// The protocol.
        protocol: String,
        /// The feature store, as it was named.
        features: String,
        /// What they need; seen classes where an earlier kshot wrote the warning.
        #[serde(default)]
        missing: MissingRequirement,
        /// The learners.
        learners: Vec<String>,
    },
    /// Items of norm zero, which no transform can normalise.
    ZeroRows {
        /// The feature store, as it was named.
        features: String,
        /// Items concerned.
        rows: u64,
    },
    /// Classes whose vectors are all zero.
    ZeroVectors {
        /// The feature store, as it was named.
        features: String,
        /// Classes concerned.
        classes: u64,
    },
    /// What is said of a feature set by what it was read from.
    Features {
        /// The feature store, as it was named.
        features: String,
        /// The sentence.
        finding: String,
    },
    /// Classes that were left out because they have too few items, as was asked for.
    SmallClasses {
        /// The protocol.
        protocol: String,
        /// Their names.
        classes: Vec<String>,
    },
    /// Items of which the network that made the features read only the beginning.
    Cut {
        /// The feature store, as it was named.
        features: String,
        /// Items concerned.
        items: u64,
    },
}

/// What a learner needs and is not given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingRequirement {
    /// Classes to be fitted on.
    #[default]
    SeenClasses,
    /// Class embeddings.
    ClassEmbeddings,
    /// Class embeddings as long as the features.
    EqualSizes,
    /// The network that made the features.
    Network,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::FewEpisodes { protocol, episodes } => write!(
                f,
                "{protocol}: {episodes} episodes are few, below {FEW_EPISODES} the interval may miss its level"
            ),
            Warning::SamplerInterval { protocol, classes } => write!(
                f,
                "{protocol}: the sampler interval takes episodes as independent draws from these {classes} classes and \
                 their items; it says nothing about other classes or items"
            ),
            Warning::Ties { protocol, learner, queries, of } => write!(
                f,
                "{protocol}: {learner} gave {queries} of {of} queries a shared highest score, the lower label won"
            ),
            Warning::NotConverged { protocol, learner, episodes, of } => {
                write!(f, "{protocol}: {learner} did not converge in {episodes} of {of} episodes")
            }
            Warning::SelectedElsewhere { protocol, file, differing } => {
                write!(f, "{protocol}: {file} was selected for other things: {differing}")
            }
            Warning::NotCrossValidated { protocol, learner, episodes, of } => write!(
                f,
                "{protocol}: {learner} kept its default in {episodes} of {of} episodes, because one support item per class \
                 cannot be cross-validated"
            ),
            Warning::Oracle { protocol } => write!(
                f,
                "{protocol}: rows with selection = oracle were chosen on these very answers; they are a bound, not a result"
            ),
            Warning::Duplicates { draw, episodes, of, groups } => {
                let hold = if *episodes == 1 { "holds" } else { "hold" };
                let items = if *groups { "items of one group" } else { "bit-identical items" };
                write!(
                    f,
                    "{draw}: {episodes} of {of} episodes {hold} {items} in support and query, which makes them easier"
                )
            }
            Warning::SharedWithSeen { protocol, features, items } => write!(
                f,
                "{protocol}: {items} items of the evaluated classes of {features} are bit for bit items of classes that are seen \
                 before, so the evaluated classes are not new"
            ),
            Warning::OtherDraw { draw, finding } => write!(f, "{draw}: {finding}"),
            Warning::DrawWithoutItems { draw } => write!(
                f,
                "{draw}: no line `# items_sha256 = …` says which items it was drawn from, so nothing shows that they are \
                 these in this order"
            ),
            Warning::Sequential { protocol, episodes, until } => write!(
                f,
                "{protocol}: {episodes} episodes were drawn, until every sampler interval was within ± {until} points; \
                 such an interval is sequential and may miss its level a little"
            ),
            Warning::StillWide { protocol, episodes, until, learner, half_width } => write!(
                f,
                "{protocol}: {learner} is known to ± {half_width} points after all {episodes} episodes that the protocol \
                 allows, ± {until} was asked for"
            ),
            Warning::OtherProcessor { one, other } => write!(
                f,
                "{one} and {other} were computed on processors with other vector instructions, so that last digits may \
                 differ from those of a single run"
            ),
            Warning::OtherBuild { one, other } => write!(
                f,
                "{one} and {other} were computed by different builds of kshot, so that results may differ from those of a \
                 single run"
            ),
            Warning::AssumesBalance { protocol, learners, balanced } => {
                let assume = if learners.len() == 1 { "assumes" } else { "assume" };
                let here = if *balanced {
                    "as those of this protocol are"
                } else {
                    "which those of this protocol are not"
                };
                write!(f, "{protocol}: {} {assume} that queries are balanced, {here}", learners.join(", "))
            }
            Warning::NoCalibration { protocol } => write!(
                f,
                "{protocol}: the calibration factor stays 0, because it is chosen on validation classes among base classes and there \
                 are none to spare"
            ),
            Warning::LeftOut { protocol, features, missing, learners } => {
                let (are, they) = if learners.len() == 1 { ("is", "it") } else { ("are", "they") };
                write!(f, "{protocol}: {} {are} left out, {they} ", learners.join(", "))?;
                match missing {
                    MissingRequirement::SeenClasses => {
                        write!(f, "{are} fitted on seen classes and {features} has none for this protocol")
                    }
                    MissingRequirement::ClassEmbeddings => {
                        let need = if learners.len() == 1 { "needs" } else { "need" };
                        write!(f, "{need} class embeddings and {features} has none")
                    }
                    MissingRequirement::Network => {
                        let adapt = if learners.len() == 1 { "adapts" } else { "adapt" };
                        write!(f, "{adapt} a network and none made {features} in this run")
                    }
                    MissingRequirement::EqualSizes => {
                        let need = if learners.len() == 1 { "needs" } else { "need" };
                        write!(f, "{need} class embeddings as long as the features of {features}")
                    }
                }
            }
            Warning::ZeroRows { features, rows } => {
                write!(f, "{features}: {rows} items have norm zero and stay zero when normalised")
            }
            Warning::ZeroVectors { features, classes } => {
                let (vectors, classes) = match classes {
                    1 => ("vector of 1 class is".to_string(), "it"),
                    more => (format!("vectors of {more} classes are"), "they"),
                };
                write!(
                    f,
                    "{features}: the {vectors} all zero, {classes} cannot be told from others by a cosine"
                )
            }
            Warning::IgnoredColumns { dataset, columns } => {
                const FEW: usize = 12;
                let first = &columns[..columns.len().min(FEW)];
                write!(f, "{dataset}: columns that are not read: {}", first.join(", "))?;
                match columns.len() - first.len() {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
            Warning::Features { features, finding } => write!(f, "{features}: {finding}"),
            Warning::SmallClasses { protocol, classes } => write!(
                f,
                "{protocol}: {} left out, with too few items for an episode: {}",
                counted(classes.len() as u64, "class", "classes"),
                few(classes)
            ),
            Warning::Cut { features, items } => {
                write!(f, "{features}: {items} items were longer than the network reads, and were cut")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_a_sentence_and_a_value() {
        let warning = Warning::NotConverged {
            protocol: "quickstart".to_string(),
            learner: "svm:c=9".to_string(),
            episodes: 3,
            of: 600,
        };
        assert_eq!(warning.to_string(), "quickstart: svm:c=9 did not converge in 3 of 600 episodes");
        let json = serde_json::to_string(&warning).unwrap();
        assert_eq!(
            json,
            r#"{"kind":"not-converged","protocol":"quickstart","learner":"svm:c=9","episodes":3,"of":600}"#
        );
        assert_eq!(serde_json::from_str::<Warning>(&json).unwrap(), warning);
    }
}
