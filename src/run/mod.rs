//! What a run is: protocols, features and learners in, result files out.

pub(crate) mod admission;
mod answering;
mod audit;
mod blame;
mod builder;
pub(crate) mod candidates;
mod comparing;
pub(crate) mod contender;
pub(crate) mod device;
mod done;
pub(crate) mod draws;
pub(crate) mod embed;
mod error;
mod evaluate;
mod execution;
pub(crate) mod features;
pub(crate) mod files;
mod filling;
mod fingerprints;
pub(crate) mod fitness;
mod hard_episode;
mod head;
mod items;
mod merge;
pub(crate) mod networks;
mod plan;
pub(crate) mod predict;
mod prepare;
mod prepared;
mod record;
mod rerun;
pub(crate) mod rules;
mod run_key;
mod sample;
pub(crate) mod select;
mod small_classes;
mod stacking;
mod tables;
mod thresholds;
pub(crate) mod until;
mod verify;
pub(crate) mod watch;
pub mod weights;

pub use crate::results::{Inputs, Queries, Request, Text};
pub use blame::Blame;
pub use builder::Run;
pub use comparing::Comparing;
pub use contender::read_selection;
pub use device::Device;
pub use done::Done;
pub use error::RunError;
pub use evaluate::evaluate;
pub use execution::Execution;
pub use features::Features;
pub use head::{Head, HeadScores};
pub use merge::merge;
pub use predict::{
    Caution, Classifier, PredictDone, PredictRequest, Prediction, Predictions, Resources, Threshold,
    ThresholdFrom, ThresholdRule, predict,
};
pub use rerun::rerun;
pub use rules::{overridden, protocol_names, read_protocol};
pub use sample::sample;
pub use select::{SelectDone, SelectRequest, select};
pub use verify::{Counts, Verified, verify, verify_published};
pub use watch::{Silent, Stage, Watch};
