//! Features as one .npy file, with labels given apart.

use std::path::Path;

use super::Reader;
use super::npy::matrix_file;
use super::written::{Features, Written};
use crate::data::{DataError, OpenOptions, Place};

/// A .npy matrix.
pub(super) struct Npy;

impl Reader for Npy {
    fn extension(&self) -> Option<&'static str> {
        Some("npy")
    }

    fn about(&self) -> &'static str {
        "a .npy file with --labels FILE"
    }

    fn read(&self, path: &Path, options: &OpenOptions) -> Result<Written, DataError> {
        if !options.may_lack_classes() {
            return Err(DataError::NoLabels {
                at: Place::file(path),
                what: "a .npy file alone has no classes",
            });
        }
        let array = matrix_file(path)?;
        let features = Features {
            at: Place::file(path),
            element: array.element,
            rows: array.rows,
            dim: array.dim,
            values: array.open(options.resident).map_err(DataError::unreadable(path))?,
        };
        Ok(Written::of_file(path, features, None))
    }
}
