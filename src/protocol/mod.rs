//! The rules of an evaluation: which classes and items, how large an episode, how many, what to report.
//!
//! A protocol is made in two steps: what is written (any TOML with the right keys, or what a [`ProtocolBuilder`] was told)
//! becomes a [`Protocol`], which cannot be wrong. A command line changes it by [`Overrides`]. This room knows no data, so whether a dataset is large enough for the rules is asked elsewhere.

mod builder;
mod checked;
mod error;
mod given;
mod judge;
mod overrides;
mod place;
mod print;
mod shipped;
mod size;
mod written;

pub use builder::ProtocolBuilder;
pub use checked::{Oos, OosQuery, Parts, Protocol};
pub use error::{Place, ProtocolError};
pub use given::SizeError;
pub use overrides::Overrides;
pub use shipped::{SHIPPED, ShippedProtocol};
pub use size::{Query, Shot, Way};
