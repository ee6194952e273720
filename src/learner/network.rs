//! The network behind a feature set, as a learner that owns it is given it.

use std::sync::Arc;

use crate::backbone::Saved;
use crate::tensor::net::{Graph, Value};

/// A network, and whether the items that come with it have passed its lower part.
#[derive(Clone, Copy, Debug)]
pub struct Network<'a> {
    saved: &'a Arc<Saved>,
    passed: bool,
}

impl<'a> Network<'a> {
    /// A network whose items are raw, or have `passed` what [`Adaptive::frozen`](super::Adaptive::frozen) names.
    pub fn new(saved: &'a Arc<Saved>, passed: bool) -> Network<'a> {
        Network { saved, passed }
    }

    /// The network with its weights, as it made the features.
    pub fn saved(&self) -> &'a Arc<Saved> {
        self.saved
    }

    /// Whether support and queries are what comes out of the frozen part, and no raw items.
    pub fn has_passed(&self) -> bool {
        self.passed
    }
}

/// The lower part of a network, which a learner leaves as it is: every item passes it once, whatever the number of episodes.
#[derive(Clone, Debug)]
pub struct Frozen {
    /// What tells it from other parts of the same network.
    pub key: String,
    /// The network that holds it.
    pub graph: Graph,
    /// The numbers of its weights.
    pub values: Vec<Vec<f32>>,
    /// What comes out.
    pub result: Value,
    /// Height and width of the images.
    pub image: (usize, usize),
}
