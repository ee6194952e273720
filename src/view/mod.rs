//! What a learner may see of an episode, and what it may not.
//!
//! A batch of episodes is dealt into four things: the [`Support`] with its labels, the [`Items`] to be labelled, the
//! [`Scores`] that a learner gives them, and the [`Answers`], which only grading can read.

mod answers;
mod items;
mod scores;
mod support;

pub use answers::Answers;
pub use items::Items;
pub use scores::Scores;
pub use support::Support;
