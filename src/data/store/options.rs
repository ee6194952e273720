//! How features are opened.

use std::path::PathBuf;

use crate::vocab::Split;

/// How features are opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// Features of more bytes than this, in the type of their file, stay in the file and are read when needed (.npy,
    /// .safetensors and uncompressed .npz; the other formats are always read into memory).
    pub resident: u64,
    /// Items of classes of this split are not looked at: their numbers are neither checked, nor compared with others, nor
    /// used by a transform. For a selection, which must not see what will be reported.
    pub unseen: Option<Split>,
    /// A file with the class of every row, and what else is said of items: `.npy` or `.txt` of classes, `.csv` or
    /// `.parquet` with a column `class` and optionally `part`, `group`, `id` and `split`. Classes that the features have of
    /// their own must be the same. Items without ids are called by their rows then, so that all features that are opened
    /// with one such file are of the same items.
    pub labels: Option<PathBuf>,
    /// The columns of a table that are features, by name or by a pattern with `*`; none: those that a rule finds.
    pub feature_columns: Vec<String>,
    /// Whether the items have no classes, and those that features say are not looked at: for prediction. All items are of the
    /// class [`OpenOptions::UNLABELLED`] then, and called by their ids or their rows.
    pub unlabelled: bool,
    /// Whether a table is opened whose columns tell the class or the row: for drawing episodes, which looks at no numbers.
    pub leaks_are_read: bool,
}

impl Default for OpenOptions {
    fn default() -> OpenOptions {
        OpenOptions {
            resident: 768 << 20,
            unseen: None,
            labels: None,
            feature_columns: Vec::new(),
            unlabelled: false,
            leaks_are_read: false,
        }
    }
}

impl OpenOptions {
    /// The class of items without classes.
    pub const UNLABELLED: &'static str = "unlabelled";

    /// Whether features need not say the classes of their items.
    pub(in crate::data) fn may_lack_classes(&self) -> bool {
        self.labels.is_some() || self.unlabelled
    }
}
