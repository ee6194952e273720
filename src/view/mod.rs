//! What a learner may see of an episode, and what it may not.
//!
//! A batch of episodes is dealt into five things: the [`Support`] with its labels, the [`ClassEmbeddings`] of its labels, the
//! [`Items`] to be labelled, the [`Scores`] that a learner gives them, and the [`Answers`], which only grading can read.
//! Before all episodes, learners that ask for it are given the [`Seen`] classes.

mod answers;
mod class_embeddings;
mod items;
mod scores;
mod seen;
mod support;

pub use answers::Answers;
pub use class_embeddings::ClassEmbeddings;
pub use items::Items;
pub use scores::Scores;
pub use seen::Seen;
pub use support::Support;
