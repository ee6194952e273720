//! A training config as typed: the keys of the file, and nothing judged but their names.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Spanned, Value};

use crate::optimise::{Augmentation, Optimiser, Schedule};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub name: String,
    pub data: WrittenData,
    pub backbone: WrittenBackbone,
    pub objective: Objective,
    pub optimiser: Optimiser,
    pub training: WrittenTraining,
    #[serde(default)]
    pub augmentation: Augmentation,
    pub validation: Option<WrittenValidation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenData {
    pub dataset: String,
    pub splits: Option<Vec<String>>,
}

/// The name of a network and its sizes, which depend on it; with the place of each key in the text.
pub(super) type WrittenBackbone = BTreeMap<Spanned<String>, Value>;

/// What is made small.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Objective {
    /// Episodes: the cross-entropy of queries under distances to class means (Snell et al. 2017).
    Prototypical {
        /// Classes of an episode.
        way: usize,
        /// Support items per class.
        shot: usize,
        /// Query items per class.
        query: usize,
    },
    /// All classes with a linear layer, in mini-batches (Chen et al. 2019).
    CrossEntropy {
        /// Items of a batch.
        batch: usize,
    },
    /// The hardest triplets of a batch (Hermans et al. 2017).
    Triplet {
        /// Classes of a batch.
        classes: usize,
        /// Items per class.
        items: usize,
        /// The margin; without one its smooth form.
        margin: Option<f32>,
    },
}

impl std::fmt::Display for Objective {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Objective::Prototypical { way, shot, query } => {
                write!(f, "prototypical: way {way}, shot {shot}, query {query}")
            }
            Objective::CrossEntropy { batch } => write!(f, "cross-entropy: batch {batch}"),
            Objective::Triplet { classes, items, margin } => {
                write!(f, "triplet: classes {classes}, items {items}, ")?;
                match margin {
                    Some(margin) => write!(f, "margin {margin}"),
                    None => f.write_str("smooth margin"),
                }
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenTraining {
    pub steps: u32,
    /// With its place in the text, where another may be written.
    pub seed: Spanned<u64>,
    pub schedule: Option<Schedule>,
    pub clip: Option<f64>,
    pub report: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenValidation {
    pub way: u32,
    pub shot: u32,
    pub query: u32,
    pub episodes: u32,
    pub seed: u64,
    pub every: u32,
    pub patience: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_are_told_in_words() {
        let told = |objective: Objective| objective.to_string();
        assert_eq!(
            told(Objective::Prototypical { way: 60, shot: 1, query: 5 }),
            "prototypical: way 60, shot 1, query 5"
        );
        assert_eq!(told(Objective::CrossEntropy { batch: 256 }), "cross-entropy: batch 256");
        let triplet = |margin| told(Objective::Triplet { classes: 60, items: 5, margin });
        assert_eq!(triplet(None), "triplet: classes 60, items 5, smooth margin");
        assert_eq!(triplet(Some(0.5)), "triplet: classes 60, items 5, margin 0.5");
    }
}
