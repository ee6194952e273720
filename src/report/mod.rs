//! Results as people read them: the table on the screen, comparisons, and the HTML report.
//!
//! Everything here is made of rows of results, and nothing of it is read back.

pub mod compare;
mod grid;
pub mod html;
mod names;
mod overview;
pub mod ranks;

pub use grid::Grid;
pub use overview::{Overview, overviews};
