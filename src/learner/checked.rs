//! A checked specification: its values, and what its learner is given and claims.

use std::collections::BTreeMap;
use std::fmt;

use super::{LearnError, Learner, Parameters};
use crate::tensor::Backend;
use crate::vocab::{Confidence, Setting, Transform};

/// A learner with parameters in their ranges, and all that a run asks of it before it is built on a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The parameters, each in its range.
    pub parameters: Parameters,
    /// What it is given, and when.
    pub setting: Setting,
    /// The transform that it takes of the features.
    pub takes: Transform,
    /// What its confidence in an answer is.
    pub confidence: Confidence,
    /// What it asks of the lengths of class embeddings and features.
    pub sizes: Sizes,
    /// Whether it is given raw items and the network behind the features, in place of features.
    pub needs_network: bool,
    /// Whether a run that names no learners leaves it out.
    pub only_by_name: bool,
    /// Whether it must be fitted on seen classes before it can answer.
    pub needs_fit: bool,
    /// Whether it draws its answers to equal numbers of queries per label.
    pub assumes_balance: bool,
}

impl Checked {
    /// Asks a learner of these parameters.
    pub(super) fn of<D: Backend>(parameters: Parameters, learner: &Learner<D>) -> Checked {
        Checked {
            parameters,
            setting: learner.setting(),
            takes: learner.takes(),
            confidence: learner.confidence(),
            sizes: learner.sizes(),
            needs_network: learner.needs_network(),
            only_by_name: learner.is_only_by_name(),
            needs_fit: learner.needs_fit(),
            assumes_balance: learner.assumes_balance(),
        }
    }

    /// The name of the learner.
    pub fn learner(&self) -> &str {
        self.parameters.learner()
    }

    /// All parameters as they are written in results, by name.
    pub fn pairs(&self) -> BTreeMap<String, String> {
        self.parameters.pairs()
    }
}

impl fmt::Display for Checked {
    /// The parameters, as in results.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parameters.fmt(f)
    }
}

/// What a learner asks of the lengths of class embeddings and features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Sizes {
    /// Nothing.
    #[default]
    Any,
    /// Class embeddings as long as the features.
    Equal {
        /// What asks for it: the learner, or a value of a parameter.
        what: &'static str,
        /// A remedy, where there is one; else empty.
        hint: &'static str,
    },
}

impl Sizes {
    /// Fails unless class embeddings of `class_dim` numbers and items of `dim` suit.
    ///
    /// # Errors
    /// The rule that the lengths break.
    pub fn check(self, class_dim: usize, dim: usize) -> Result<(), LearnError> {
        match self {
            Sizes::Equal { what, hint } if class_dim != dim => {
                let hint = if hint.is_empty() { String::new() } else { format!("\nhint: {hint}") };
                Err(LearnError::SizesDiffer { what, class_dim, dim, hint })
            }
            Sizes::Equal { .. } | Sizes::Any => Ok(()),
        }
    }
}
