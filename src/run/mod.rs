//! What a run is: protocols, features and learners in, result files out.

pub(crate) mod admission;
pub(crate) mod answering;
pub(crate) mod candidates;
pub(crate) mod contender;
pub(crate) mod device;
pub(crate) mod draws;
pub(crate) mod embed;
mod error;
pub(crate) mod files;
pub(crate) mod filling;
pub(crate) mod fingerprints;
pub(crate) mod fitness;
pub(crate) mod merge;
pub(crate) mod record;
pub(crate) mod rules;
pub(crate) mod stacking;
pub(crate) mod stores;
pub(crate) mod tables;
pub(crate) mod terms;
pub(crate) mod thresholds;
pub(crate) mod until;
mod watch;

pub use device::Device;
pub use error::RunError;
pub use watch::{Silent, Stage, Watch};
