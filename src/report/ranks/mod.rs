//! Rankings of scores that other tools made: on the screen, as tables, and as a figure.

mod figure;
mod grids;
mod rows;

pub use figure::figure;
pub use grids::{markdown, text};
pub use rows::{over_data_sets, pairs, standings, survival};
