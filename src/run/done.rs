//! What a run leaves behind.

use std::path::PathBuf;

use crate::report::{Shard, SummaryRow, Warning};

/// A run that is done: its summary, what a reader should know, and where the files are.
#[derive(Debug)]
pub struct Done {
    pub(crate) rows: Vec<SummaryRow>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) folder: PathBuf,
    pub(crate) part: Option<Shard>,
}

impl Done {
    /// The rows of `summary.csv`, in its order; none for a part of an evaluation.
    pub fn summary(&self) -> &[SummaryRow] {
        &self.rows
    }

    /// What a reader should know.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}
