//! By which method an interval was made.

use std::fmt;

/// What made an interval: the word of the column `interval_method`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IntervalMethod {
    /// Student's t over episodes.
    StudentT,
    /// The delete-one-class jackknife, corrected for the episodes' own noise, with Satterthwaite's degrees of freedom and
    /// Hall's skewness correction.
    Jackknife,
    /// The same jackknife without the correction: it is too wide rather than too narrow, and stands where episodes are so
    /// noisy that the corrected variance is hardly known.
    JackknifeUncorrected,
    /// Nearly all episodes, or classes, agree: the exact bound of Clopper and Pearson on how many others may not.
    ClopperPearson,
    /// The jackknife of a measure over classes, which leaves out one class with all its queries.
    DeleteClass,
    /// Effects of training seeds and episodes or classes, crossed, with Satterthwaite's degrees of freedom.
    CrossedSeeds,
}

impl IntervalMethod {
    /// All of them.
    pub const ALL: [IntervalMethod; 6] = [
        IntervalMethod::StudentT,
        IntervalMethod::Jackknife,
        IntervalMethod::JackknifeUncorrected,
        IntervalMethod::ClopperPearson,
        IntervalMethod::DeleteClass,
        IntervalMethod::CrossedSeeds,
    ];

    /// The word in result files.
    pub fn word(self) -> &'static str {
        match self {
            IntervalMethod::StudentT => "student-t",
            IntervalMethod::Jackknife => "jackknife-hall",
            IntervalMethod::JackknifeUncorrected => "jackknife-uncorrected",
            IntervalMethod::ClopperPearson => "clopper-pearson",
            IntervalMethod::DeleteClass => "delete-class",
            IntervalMethod::CrossedSeeds => "crossed-seeds",
        }
    }
}

impl fmt::Display for IntervalMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
