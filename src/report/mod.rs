//! Results as people read them: the table on the screen, comparisons, and the HTML report.
//!
//! Everything here is made of rows of results, and nothing of it is read back.

pub mod compare;
mod grid;
pub mod html;
mod names;
mod overview;
mod overviews;

pub use grid::Grid;
pub use names::{display_names, is_meant};
pub use overview::Overview;
pub use overviews::overviews;
