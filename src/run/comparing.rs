//! Results compared, and told on one page.

use std::path::{Path, PathBuf};

use super::error::RunError;
use super::hard_episode;
use crate::metric::Metric;
use crate::report::compare::{self, Bits, Comparison, EquivalenceMargin, Options};
use crate::report::html::{self, Page};
use crate::results::ResultsFolder;
use crate::rng::{Purpose, Stream};

/// Rounds of the sign-flip test: its p-value moves by at most 0.005 around 0.05 from seed to seed.
const ROUNDS: u64 = 9_999;

/// A comparison of methods on the episodes that they share, put together step by step.
///
/// Without a baseline all methods are compared with all.
#[derive(Clone, Debug)]
pub struct Comparing {
    folders: Vec<PathBuf>,
    metric: Metric,
    baseline: Option<String>,
    margin: Option<EquivalenceMargin>,
}

impl Comparing {
    /// Of the results in these folders.
    pub fn of<P: AsRef<Path>>(folders: impl IntoIterator<Item = P>) -> Comparing {
        let folders = folders.into_iter().map(|folder| folder.as_ref().to_path_buf()).collect();
        Comparing { folders, metric: Metric::ACCURACY, baseline: None, margin: None }
    }

    /// By a metric with a value per episode; by default accuracy.
    #[must_use]
    pub fn metric(self, metric: Metric) -> Comparing {
        Comparing { metric, ..self }
    }

    /// With one method: its name, `FEATURES+LEARNER`, or a learner that only one method has.
    #[must_use]
    pub fn baseline(self, method: impl Into<String>) -> Comparing {
        Comparing { baseline: Some(method.into()), ..self }
    }

    /// With an equivalence margin, the smallest difference that matters: points of accuracy and of other rates, the metric's
    /// own unit otherwise, or a share of the error. Without one nothing is equivalent.
    #[must_use]
    pub fn margin(self, margin: impl Into<EquivalenceMargin>) -> Comparing {
        Comparing { margin: Some(margin.into()), ..self }
    }

    /// Compares.
    ///
    /// # Errors
    /// Results that cannot be read, or cannot be paired; a baseline that is not there.
    pub fn run(&self) -> Result<Comparison, RunError> {
        self.compared(&self.read()?)
    }

    /// The page of these results: tables, plots, and what can be claimed. `features` are those of a hard episode in pictures,
    /// by default those that the run found, if they are still there.
    ///
    /// # Errors
    /// As [`Comparing::run`], but that a single method has a page as well; pictures of features that were named and are not
    /// to be had.
    pub fn page(&self, features: Option<&str>) -> Result<Page, RunError> {
        let folders = self.read()?;
        let comparison = match self.compared(&folders) {
            Ok(comparison) => Some(comparison),
            Err(RunError::Compare(error)) if error.is_nothing_to_compare() && self.baseline.is_none() => None,
            Err(error) => return Err(error),
        };
        let hard = hard_episode::find(features, &folders)?;
        let request = html::Request { folders: &folders, comparison: comparison.as_ref(), hard: &hard };
        Ok(html::page(&request)?)
    }

    fn read(&self) -> Result<Vec<ResultsFolder>, RunError> {
        self.folders.iter().map(|path| Ok(ResultsFolder::read(path)?)).collect()
    }

    fn compared(&self, folders: &[ResultsFolder]) -> Result<Comparison, RunError> {
        let options = Options {
            metric: self.metric,
            baseline: self.baseline.as_deref(),
            margin: self.margin_of_metric(),
            rounds: ROUNDS,
        };
        Ok(compare::compare(&compare::entries(folders), &options, &bits)?)
    }

    /// The equivalence margin in the units of the metric.
    fn margin_of_metric(&self) -> Option<EquivalenceMargin> {
        match self.margin? {
            EquivalenceMargin::Difference(points) if self.metric.is_rate() => {
                Some(EquivalenceMargin::Difference(points / 100.0))
            }
            margin => Some(margin),
        }
    }
}

/// The random signs of one pair; the same in every run, so that a comparison can be made again byte for byte.
fn bits(pair: u32) -> Bits {
    let mut stream = Stream::new(0, Purpose::Resampling, pair);
    Box::new(move || stream.bits())
}
