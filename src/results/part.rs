//! A growing piece of a result file, kept in the staging folder until all pieces are put together.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use super::ResultsError;

/// Bytes held in memory before they go to the file.
const HELD: usize = 1 << 18;

/// Bytes in memory and behind them a file, which is open only while it is written to: there may be hundreds of parts.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    held: Vec<u8>,
    spilled: bool,
}

impl Part {
    /// An empty part; its file is made when memory no longer suffices.
    pub(super) fn new(path: PathBuf) -> Part {
        Part { path, held: Vec::new(), spilled: false }
    }

    /// Lets `write` append bytes.
    pub(super) fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), ResultsError> {
        write(&mut self.held);
        if self.held.len() >= HELD { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<(), ResultsError> {
        let open = OpenOptions::new().append(true).create(true).open(&self.path);
        let written = open.and_then(|mut file| file.write_all(&self.held));
        written.map_err(ResultsError::file("write", &self.path))?;
        self.held.clear();
        self.spilled = true;
        Ok(())
    }

    /// Whether nothing was appended.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && !self.spilled
    }

    /// Moves all bytes to the end of `target`, and removes the file.
    pub(super) fn pour(self, target: &mut impl Write) -> io::Result<()> {
        if self.spilled {
            io::copy(&mut File::open(&self.path)?, target)?;
            std::fs::remove_file(&self.path)?;
        }
        target.write_all(&self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_in_comes_out_in_order_with_the_file_or_without() {
        let folder = tempfile::tempdir().unwrap();
        for rows in [3, 100_000] {
            let path = folder.path().join("part");
            let mut part = Part::new(path.clone());
            assert!(part.is_empty());
            let mut expected = Vec::new();
            for row in 0..rows {
                part.append(|out| writeln!(out, "row {row}").unwrap()).unwrap();
                writeln!(expected, "row {row}").unwrap();
            }
            assert_eq!(path.exists(), rows == 100_000);
            assert!(!part.is_empty());
            let mut poured = Vec::new();
            part.pour(&mut poured).unwrap();
            assert!(poured == expected && !path.exists());
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        let mut part = Part::new("/dev/full".into());
        let error = part.append(|out| out.resize(HELD, b'x')).unwrap_err();
        assert!(error.to_string().starts_with("cannot write /dev/full: No space left on device"), "{error}");
    }
}
