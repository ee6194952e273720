//! Training of a backbone on the base classes of a dataset of images.
//!
//! A [`Recipe`] says what is trained and how, [`Run`] does it step by step. All chance of a step is a function of the seed
//! and the step's number, and a checkpoint holds the rest, so a run that was killed ends with the same weights, bit for
//! bit on the CPU and for any number of threads.

mod augment;
mod batch;
mod checkpoint;
mod error;
pub mod objective;
mod optimiser;
mod recipe;
mod row;
mod run;
mod schedule;
mod shipped;
mod validation;
mod written;

pub use augment::Augmentation;
pub use error::TrainError;
pub use optimiser::{Moments, Optimiser, clip};
pub use recipe::{Recipe, Validation};
pub use row::Row;
pub use run::{Run, Task};
pub use schedule::Schedule;
pub use shipped::SHIPPED_RECIPES;
pub use written::Objective;
