//! What a run leaves behind.

use std::path::{Path, PathBuf};

use super::comparing::Comparing;
use crate::report::{Overview, overviews};
use crate::results::{Shard, SummaryRow, Warning};

/// A run that is done: its summary, what a reader should know, and where the files are.
#[derive(Debug)]
pub struct Done {
    pub(crate) rows: Vec<SummaryRow>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) folder: PathBuf,
    /// Keeps a folder that nobody named until this is dropped.
    #[expect(dead_code, reason = "its drop removes the folder")]
    pub(crate) kept: Option<tempfile::TempDir>,
    pub(crate) part: Option<Shard>,
    pub(crate) finished_before: bool,
}

impl Done {
    /// The rows of `summary.csv`, in its order; none for a part of an evaluation.
    pub fn summary(&self) -> &[SummaryRow] {
        &self.rows
    }

    /// The tables for people: accuracy, and what else heads the protocols of the run.
    pub fn table(&self) -> String {
        overviews(&self.rows).iter().map(Overview::text).collect::<Vec<_>>().join("\n")
    }

    /// A comparison of the methods of this run: [`Comparing::run`] gives the verdicts, [`Comparing::page`] the report.
    pub fn compare(&self) -> Comparing {
        Comparing::of([&self.folder])
    }

    /// The folder of the files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Which part of an evaluation it is; nothing for the whole.
    pub fn part(&self) -> Option<Shard> {
        self.part
    }

    /// Whether an earlier run had ended with these results, so that nothing was left to resume.
    pub fn finished_before(&self) -> bool {
        self.finished_before
    }

    /// What a reader should know.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}
