//! A classifier of one support that stays, and the items that it labels: no episodes and no answers, but classes that people have.

mod answers;
mod classifier;
mod join;
mod request;
mod saved;
mod threshold;

pub use answers::{Caution, Prediction, Predictions};
pub use classifier::{Classifier, Resources};
pub use request::{PredictDone, PredictRequest, predict};
pub use threshold::{Threshold, ThresholdFrom, ThresholdRule};

pub(crate) use answers::FILES;
