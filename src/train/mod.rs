//! Training of a backbone on the base classes of a dataset of images.
//!
//! A [`TrainingConfig`] says what is trained and how, [`Training`] does it step by step. All chance of a step is a function of the seed
//! and the step's number, and a checkpoint holds the rest, so a run that was killed ends with the same weights, bit for
//! bit on the CPU and for any number of threads.

mod batch;
mod check;
mod checkpoint;
mod config;
mod error;
mod report;
mod shipped;
mod training;
mod validation;
mod written;

pub use config::{TrainingConfig, Validation};
pub use error::TrainError;
pub use report::Row;
pub use shipped::SHIPPED_CONFIGS;
pub use training::{Training, TrainingInputs};
pub use written::Objective;
