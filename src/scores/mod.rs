//! Scores that other tools made: read from tidy tables, ranked, and asked whether the ranks are real.
//!
//! A table has a row per data set, method and draw. [`Written`] is what a file says, [`Scores`] what it means, and
//! [`Ranking`] the answer: which adjacent ranks differ significantly, and how far each rank is known.
//!
//! ```
//! use kshot::scores::{Options, Ranking, Scores, Written};
//!
//! # fn main() -> Result<(), kshot::scores::ScoresError> {
//! let text = "dataset,method,seed,score\nd,a,0,0.91\nd,a,1,0.93\nd,a,2,0.92\nd,b,0,0.71\nd,b,1,0.74\nd,b,2,0.70\n";
//! let scores = Scores::checked(&Written::from_csv(text.as_bytes(), "mine.csv")?, &Options::default())?;
//! let ranking = Ranking::of(&scores);
//! assert_eq!(ranking.data_sets[0].methods[0].name, "a");
//! # Ok(())
//! # }
//! ```

mod across;
mod checked;
mod columns;
mod delimited;
mod error;
mod json_lines;
mod mteb;
mod pair;
#[cfg(feature = "parquet")]
mod parquet;
mod ranking;
mod scale;
mod shares;
mod written;

pub use across::{Across, Placed};
pub use checked::{DataSet, Method, Options, Pairing, Scores};
pub use error::ScoresError;
pub use pair::{Difference, Rule};
pub use ranking::{Place, RankedPair, RankedSet, Ranking, Standing};
pub use scale::Scale;
pub use shares::{Share, Survival};
pub use written::Written;
