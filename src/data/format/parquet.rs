//! Features as one .parquet table; needs the feature `parquet`.

use std::path::Path;

use super::Reader;
use super::written::Written;
use crate::data::{DataError, OpenOptions};

/// A .parquet table.
pub(super) struct Parquet;

impl Reader for Parquet {
    fn extension(&self) -> Option<&'static str> {
        Some("parquet")
    }

    fn about(&self) -> &'static str {
        "a .parquet table"
    }

    fn has_columns(&self, _: &Path) -> bool {
        true
    }

    fn read(&self, path: &Path, options: &OpenOptions) -> Result<Written, DataError> {
        super::shards::features(path, &[path.to_path_buf()], options)
    }
}

/// A table in an Arrow file: what pandas and polars call feather, or a stream as the library `datasets` writes it.
pub(super) struct Arrow(pub &'static str);

impl Reader for Arrow {
    fn extension(&self) -> Option<&'static str> {
        Some(self.0)
    }

    fn about(&self) -> &'static str {
        match self.0 {
            "arrow" => "an .arrow table",
            _ => "a .feather table",
        }
    }

    fn has_columns(&self, _: &Path) -> bool {
        true
    }

    fn read(&self, path: &Path, options: &OpenOptions) -> Result<Written, DataError> {
        super::shards::features(path, &[path.to_path_buf()], options)
    }
}
