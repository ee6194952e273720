//! One protocol with one feature set, ready to be evaluated.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::contender::Contender;
use super::device::Device;
use super::draws::Dealer;
use super::embed::Behind;
use super::rules::Rules;
use super::watch::Watch;
use crate::data::Store;
use crate::eval::{self, Choices, Gammas};
use crate::learner::Learners;

/// One protocol with one feature set, ready to be evaluated.
pub(crate) struct Prepared {
    pub(crate) rules: Rules,
    /// The name of the feature set.
    pub(crate) features: String,
    /// The name of the data set whose items they describe.
    pub(crate) dataset: String,
    /// The identity of the items.
    pub(crate) items_sha256: String,
    /// What tells it from the other feature sets of the run.
    pub(crate) key: String,
    /// Whether it is the only one of its protocol.
    pub(crate) alone: bool,
    /// Whether it is the first one of its protocol, beside which the draw is kept.
    pub(crate) first: bool,
    pub(crate) store: Store,
    /// The network that made the features and what it made them of.
    pub(crate) behind: Option<Arc<Behind>>,
    pub(crate) dealer: Arc<Dealer>,
    pub(crate) learners: Vec<Contender>,
    pub(crate) shots: Vec<Option<usize>>,
    /// The tables to be filled.
    pub(crate) tables: Vec<Place>,
    /// The least confidence score with which a learner accepts an answer, by the same places, where the protocol asks for it.
    pub(crate) thresholds: BTreeMap<(usize, usize), f32>,
    /// What is subtracted from the scores of seen classes, by the same places, where they are candidates.
    pub(crate) gammas: Gammas,
    /// What the fits chose, by learner; known once episodes have been answered.
    pub(crate) choices: Choices,
}

impl Prepared {
    /// What learners that own a network are given.
    pub(crate) fn behind(&self) -> Option<eval::Behind<'_>> {
        let behind = self.behind.as_ref()?;
        Some(eval::Behind { items: &behind.items, network: &behind.network, kept: &behind.kept })
    }

    /// What progress is reported under.
    pub(crate) fn title(&self) -> String {
        if self.alone {
            self.rules.protocol.name().to_string()
        } else {
            format!("{}, {}", self.rules.protocol.name(), self.key)
        }
    }
}

/// A table of a protocol: places among the learners and among the shots, and whether γ is subtracted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) learner: usize,
    pub(crate) shot: usize,
    pub(crate) stacked: bool,
}

/// How the work is done; results do not depend on it.
pub(crate) struct Work<'a> {
    pub(crate) learners: &'a Learners,
    pub(crate) device: Device,
    pub(crate) workers: usize,
    pub(crate) batch: Option<usize>,
    /// Whether single queries are written.
    pub(crate) queries: bool,
    pub(crate) watch: &'a dyn Watch,
}
