//! Fair budgets: the same number of trials for every learner, on episodes of classes that are not reported.
//!
//! A learner declares where its parameters may lie ([`Space`]); [`Trials`] are settings drawn from that space; every trial
//! of every learner is scored on the same frozen episodes ([`score`]), and the one with the highest mean accuracy is chosen
//! ([`best`]). A protocol with several shots gets one choice for all of them, by the mean over its shots. Without validation
//! classes the choice is made inside each support set ([`cross_validation`]). [`Selected`] is what a selection leaves behind.
//!
//! The highest mean wins, and of equal means the earlier trial, so the default where it is among them. No other trial within the
//! noise is preferred: on shared episodes differences between trials are much less noisy than the means themselves, and any
//! second rule would favour some region of the space.

pub mod cross_validation;
mod error;
mod score;
mod selected;
mod sequence;
mod space;
mod space_file;
mod trials;

pub use error::SelectError;
pub use score::{Scored, Task, best, score, temperatures};
pub use selected::{By, Choice, Episodes, Origin, SELECTED_FORMAT, Selected};
pub use sequence::Halton;
pub use space::{Axis, Space, Typed};
pub use space_file::{Spaces, read_spaces};
pub use trials::Trials;
