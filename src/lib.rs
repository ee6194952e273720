//! kshot: few-shot and zero-shot evaluation on identical frozen episodes.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod backbone;
pub mod cli;
pub mod data;
pub mod episode;
pub mod eval;
pub mod learner;
pub mod metric;
pub mod numbers;
pub mod protocol;
pub mod report;
pub mod results;
pub mod rng;
pub mod run;
pub mod select;
pub mod stats;
pub mod tensor;
pub mod train;
pub mod view;
pub mod vocab;
