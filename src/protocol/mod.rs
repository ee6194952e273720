//! The rules of an evaluation: which classes and items, how large an episode, how many, what to report.
//!
//! A rule file is read in two steps: what is written (any TOML with the right keys) becomes a [`Protocol`], which cannot
//! be wrong. This room knows no data, so whether a dataset is large enough for the rules is asked elsewhere.

mod checked;
mod error;
mod judge;
mod place;
mod print;
mod shipped;
mod size;
mod written;

pub use checked::{Outside, OutsideQuery, Parts, Protocol};
pub use error::ProtocolError;
pub use shipped::{SHIPPED, ShippedProtocol};
pub use size::{Query, Shot, Way};
