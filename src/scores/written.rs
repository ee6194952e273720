//! A table of scores as a file says it: names of columns, and cells as texts.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::error::ScoresError;
use super::{delimited, json_lines, mteb};

/// The bytes of one table at most, unpacked: a few hundred million rows are no table of scores.
const MOST: u64 = 4 << 30;

/// Names of columns, and rows of cells; nothing of it is understood yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The file, as errors name it.
    pub file: String,
    /// The columns.
    pub columns: Vec<String>,
    /// A cell a column; an absent one is empty.
    pub rows: Vec<Vec<String>>,
    /// The line of each row, counted from 1.
    pub lines: Vec<u64>,
    /// What was left out of the file, as sentences.
    pub notes: Vec<String>,
}

impl Written {
    /// Reads a table (`.csv`, `.tsv`, `.jsonl` or `.ndjson`, each also packed as `.gz`; `.parquet` with the feature) or a
    /// folder of MTEB results.
    ///
    /// # Errors
    /// A file that cannot be read, is of another kind, or is damaged.
    pub fn read(path: &Path) -> Result<Written, ScoresError> {
        if path.is_dir() {
            return mteb::read(path);
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let (stem, packed) = name.strip_suffix(".gz").map_or((name.as_str(), false), |stem| (stem, true));
        let suffix = stem.rsplit_once('.').map_or("", |(_, suffix)| suffix);
        let file = path.display().to_string();
        let wrong = || ScoresError::Kind { path: path.to_path_buf() };
        match suffix {
            "csv" => Written::from_csv(&bytes(path, packed)?, &file),
            "tsv" => delimited::read(&bytes(path, packed)?, b'\t', &file),
            "jsonl" | "ndjson" => json_lines::read(&bytes(path, packed)?, &file),
            #[cfg(feature = "parquet")]
            "parquet" if !packed => super::parquet::read(path),
            _ => Err(wrong()),
        }
    }

    /// Reads the bytes of a .csv table; `file` is how errors name it.
    ///
    /// # Errors
    /// Bytes that are no table.
    pub fn from_csv(bytes: &[u8], file: &str) -> Result<Written, ScoresError> {
        delimited::read(bytes, b',', file)
    }

    /// File and line of a row.
    pub(super) fn place(&self, row: usize) -> String {
        match self.lines.get(row) {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.clone(),
        }
    }
}

/// The bytes of a file, unpacked.
fn bytes(path: &Path, packed: bool) -> Result<Vec<u8>, ScoresError> {
    let failed = |source| ScoresError::Read { path: path.to_path_buf(), source };
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let read = if packed {
        MultiGzDecoder::new(file).take(MOST).read_to_end(&mut bytes)
    } else {
        file.take(MOST).read_to_end(&mut bytes)
    };
    read.map_err(failed)?;
    if bytes.len() as u64 == MOST {
        let why = format!("more than {} GB are no table of scores", MOST >> 30);
        return Err(ScoresError::Damaged { place: path.display().to_string(), why });
    }
    Ok(bytes)
}
