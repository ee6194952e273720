//! Whether results are what their run gives when it is made again, row by row.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::done::Done;
use super::error::RunError;
use super::execution::Execution;
use super::rerun::rerun;
use super::watch::Watch;
use crate::learner::Learners;
use crate::results::{Published, Standing, compare_published, compare_tables, edited_files, read_record};

/// What became of the rows of a folder of results when its run was made again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verified {
    /// Rows of each file by their standing.
    pub files: BTreeMap<String, Counts>,
    /// The first rows that differ, as sentences.
    pub differences: Vec<String>,
}

/// Rows by their standing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows of the same bytes.
    pub same: u64,
    /// Rows whose numbers agree within the tolerance.
    pub within: u64,
    /// Rows that differ, or stand on one side alone.
    pub different: u64,
}

/// Differences that are told in words.
const TOLD: usize = 10;

impl Verified {
    /// Whether no row and no file differs.
    pub fn holds(&self) -> bool {
        self.differences.is_empty() && self.files.values().all(|counts| counts.different == 0)
    }

    fn take(&mut self, file: &str, standing: Standing) {
        let counts = self.files.entry(file.to_string()).or_default();
        match standing {
            Standing::Same => counts.same += 1,
            Standing::Within => counts.within += 1,
            Standing::Different(sentence) => {
                counts.different += 1;
                if self.differences.len() < TOLD {
                    self.differences.push(sentence);
                }
            }
        }
    }
}

/// Makes the run of a folder again and compares every row of its tables; `tolerance` is the largest relative difference of
/// numbers that count as equal. Files that are not as the run wrote them are named first.
///
/// # Errors
/// What [`rerun`] refuses, or results that cannot be read.
pub fn verify(
    folder: &Path,
    tolerance: f64,
    execution: &Execution,
    learners: &Learners,
    watch: &dyn Watch,
) -> Result<Verified, RunError> {
    let mut verified = Verified::default();
    let record = read_record(folder)?;
    verified.differences.extend(edited_files(folder, &record)?);
    let done = made_again(folder, execution, learners, watch)?;
    let there = |name: &&String| name.ends_with(".csv") && folder.join(name.as_str()).exists();
    for name in record.files.keys().filter(there) {
        let (old, new) = (folder.join(name), done.folder().join(name));
        compare_tables(&old, &new, tolerance, |standing| verified.take(name, standing))?;
    }
    Ok(verified)
}

/// Makes the run of a folder again and compares its summary with the rows of a published table.
///
/// # Errors
/// What [`rerun`] refuses, or a table that cannot be read.
pub fn verify_published(
    folder: &Path,
    table: &Path,
    execution: &Execution,
    learners: &Learners,
    watch: &dyn Watch,
) -> Result<Verified, RunError> {
    let published = Published::read(table)?;
    let done = made_again(folder, execution, learners, watch)?;
    let mut verified = Verified::default();
    let name = table.display().to_string();
    compare_published(&published, done.summary(), |standing| verified.take(&name, standing));
    Ok(verified)
}

/// The run of a folder once more, in a folder that is gone when what comes back is dropped.
fn made_again(
    folder: &Path,
    execution: &Execution,
    learners: &Learners,
    watch: &dyn Watch,
) -> Result<Done, RunError> {
    let nowhere: Option<PathBuf> = None;
    rerun(folder, &Execution { out: nowhere, shard: None, ..execution.clone() }, learners, watch)
}
