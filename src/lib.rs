//! kshot: few-shot and zero-shot evaluation on identical frozen episodes.

pub mod data;
pub mod learner;
pub mod metric;
pub mod rng;
pub mod tensor;
pub mod view;
pub mod vocab;
