//! Estimates, intervals and tests: numbers in, numbers out.
//!
//! Pure functions on slices. Nothing here reads a file, draws a random number of its own, or knows what an episode is.
//! What cannot be computed (one value, no spread of classes, not a number) is `None` or an error, never NaN.
//!
//! Start with [`Estimate`]: every way of estimating a mean ends in one, and intervals, tests and verdicts are made of it.

mod datasets;
mod delete_class;
mod equivalence;
mod estimate;
mod floor;
mod hall;
mod jackknife;
mod members;
mod method;
mod multiple;
mod none;
mod paired;
mod permutation;
mod planning;
mod seeds;
mod sequential;
mod sum;
mod superiority;
mod trade_off;
mod welch;
mod wilcoxon;

pub use datasets::{Friedman, friedman, nemenyi_difference, nemenyi_p};
pub use delete_class::delete_class;
pub use equivalence::{Verdict, equivalence_p, verdict};
pub use estimate::{Estimate, Interval, Population, Test, of_mean, of_mean_within};
pub use floor::{Floor, most};
pub use jackknife::{ClassJackknife, JackknifeError, LEAST_CLASSES, LEAST_WITHOUT, over_classes};
pub use members::Members;
pub use method::IntervalMethod;
pub use multiple::{holm, holm_pairs};
pub use none::rate_of_none;
pub use paired::{Effect, differences, paired};
pub use permutation::{SignFlip, least_p, sign_flip};
pub use planning::{classes_for, episodes_for, episodes_for_classes, seeds_for};
pub use seeds::{
    SeedVariance, SeedsError, deviation_range, mean_over_seeds, over_seeds, width_factor, with_seeds,
};
pub use sequential::{LEAST_EPISODES, LOOK_EVERY, Look, UntilNarrow};
pub use sum::{mean, sum, variance};
pub use superiority::{Superiority, superiority};
pub use trade_off::{Point, Standing, TradeOff, harmonic};
pub use welch::{combined, welch};
pub use wilcoxon::{SignedRank, signed_rank};
