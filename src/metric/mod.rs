//! Scores and answers in; counts, measures and confidences out.
//!
//! The only room that reads [`Answers`](crate::view::Answers), and it gives back nothing but counts and measures. A metric is
//! a [`Record`]: its name, what it says, and the function that computes it, from a query, an episode or a draw. The files
//! of `measure` hold one each, `list` names them.

mod calibration;
mod episode_answers;
mod grade;
mod list;
mod measure;
mod pooled;
mod record;
mod stacking;
mod temperature;

pub use calibration::{BINS, Bin, Confidences};
pub use episode_answers::{EpisodeAnswers, threshold};
pub use grade::{ClassGrade, EpisodeGrade, QueryGrade, accuracy_of, grade, grade_at};
pub use list::{MetricError, add};
pub use pooled::{ClassCounts, Pooled};
pub use record::{Direction, Formula, Metric, Need, Predicted, Record, Unit};
pub use stacking::{QueryMargin, Standing, best_gamma, stack, standing};
pub use temperature::{COLDEST, HOTTEST, Margins, Scaled, best_temperature, margins};
