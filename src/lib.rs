//! kshot compares few-shot and zero-shot *methods* on identical frozen episodes, with honest statistics.
//!
//! A method is a feature set with a learner on it. Episodes are drawn once, and every method gets exactly these; a learner
//! never holds the label of a query; intervals say what they are about. Start with [`run::Run`]:
//!
//! ```
//! use kshot::protocol::Protocol;
//! use kshot::run::{Features, Run};
//!
//! # fn main() -> Result<(), kshot::run::RunError> {
//! // Features as a researcher holds them: numbers, row after row, and a label a row.
//! let labels: Vec<String> = (0..240).map(|item| format!("class {}", item % 8)).collect();
//! let rows: Vec<f32> = (0..240).flat_map(|item| [(item % 8) as f32, (item / 8) as f32 * 0.2]).collect();
//!
//! let done = Run::new(Protocol::episodes().way(5).shots([1, 5]).query(15).count(200).seed(7))
//!     .features(Features::from_rows(&rows, 2, &labels)?.named("mine"))
//!     .learners(["prototypical", "linear-probe:c=10"])?
//!     .evaluate()?;
//! println!("{}", done.table());
//! # Ok(())
//! # }
//! ```
//!
//! | to | read |
//! |---|---|
//! | evaluate, rerun, verify, select, merge | [`run`] |
//! | write the rules of episodes | [`protocol`] |
//! | write a learner of your own | [`learner`], [`view`], [`tensor::ops`] |
//! | bring features, images or texts | [`data`], [`backbone`] |
//! | read result files and compare methods | [`results`], [`report`] |
//! | train networks, in a training or in an episode | [`optimise`], [`train`] |
//! | know how a number is computed | [`metric`], [`stats`] |

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod backbone;
pub mod cli;
pub mod data;
pub mod episode;
pub mod eval;
mod guard;
pub mod image;
pub mod learner;
pub mod metric;
pub mod numbers;
pub mod optimise;
pub mod protocol;
pub mod report;
pub mod results;
pub mod rng;
pub mod run;
pub mod scores;
pub mod select;
pub mod stats;
pub mod tensor;
pub mod train;
pub mod view;
pub mod vocab;
