//! How networks are trained, whoever trains them: objectives, heads, rules for steps, schedules and changed images.
//!
//! An objective is a function of features on a tape, which gives a loss on the same tape; dfdx differentiates it. This room
//! knows no data: the training of a backbone and the learners that adapt one inside an episode bring items and labels.

mod augment;
mod error;
mod fit;
mod head;
pub mod objective;
mod optimiser;
mod schedule;

pub use augment::Augmentation;
pub use error::OptimiseError;
pub use fit::{Body, Fit, FitSettings};
pub use head::{Head, HeadKind};
pub use objective::Loss;
pub use optimiser::{Optimiser, OptimiserState, clip};
pub use schedule::Schedule;
