//! What was fetched when it was first asked for, so that nothing else takes its place later.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::data::{HeldFolder, file_sha256};
use crate::run::error::RunError;
use crate::run::files::{self, failed};

/// The file of the pins, beside what they pin.
const PINS: &str = "pinned.json";

/// The source, the commit and the checksums of fetched files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pins {
    pub source: String,
    /// The commit of the repository; absent where the source is none.
    pub commit: Option<String>,
    /// SHA-256 by file; absent until it is known.
    pub files: BTreeMap<String, Option<String>>,
    /// The file of the weights.
    pub weights: String,
}

impl Pins {
    /// The pins of a folder; nothing where nothing was fetched.
    pub fn read(folder: &Path) -> Result<Option<Pins>, RunError> {
        let path = folder.join(PINS);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&path)(error)),
        };
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            let text = format!(
                "{}: damaged: {error}\nhint: remove the folder, and fetch the weights again",
                path.display()
            );
            RunError::Request(text)
        })
    }

    pub fn write(&self, held: &HeldFolder) -> Result<(), RunError> {
        let text = serde_json::to_vec_pretty(self).map_err(|error| RunError::Request(error.to_string()))?;
        files::write_held(held, &[], &[(PINS, text)])
    }

    /// Whether a file is there as it was pinned.
    pub fn holds(&self, folder: &Path, name: &str) -> Result<bool, RunError> {
        let path = folder.join(name);
        match self.files.get(name) {
            Some(Some(sha256)) if path.is_file() => Ok(file_sha256(&path)? == *sha256),
            _ => Ok(false),
        }
    }

    /// Whether all files are there as they were pinned.
    pub fn is_whole(&self, folder: &Path) -> Result<bool, RunError> {
        for name in self.files.keys() {
            if !self.holds(folder, name)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
