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

    #[cfg(feature = "parquet")]
    fn read(&self, path: &Path, options: &OpenOptions) -> Result<Written, DataError> {
        super::columns::features(path, options)
    }

    #[cfg(not(feature = "parquet"))]
    fn read(&self, path: &Path, _: &OpenOptions) -> Result<Written, DataError> {
        Err(DataError::NoParquet { path: path.to_path_buf() })
    }
}
