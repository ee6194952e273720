//! Features that a run has made so far, in a hidden file, so that a killed run goes on where it stopped.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::run::error::RunError;
use crate::run::files::{failed, remove};

/// How the names of such files begin.
const PREFIX: &str = ".kshot-features-";
/// The first bytes of one.
const MAGIC: &[u8; 16] = b"kshot features 1";
/// Bytes before the first row: the above, a key of 64 digits, and the numbers of a row.
const HEADER: u64 = 16 + 64 + 8;

/// The first number of the row of an image that could not be read, a NaN that no network computes.
const BROKEN: u32 = 0x7fc0_b0b0;

/// Rows of features, as many as were made.
#[derive(Debug)]
pub(crate) struct Kept {
    path: PathBuf,
    file: File,
    dim: usize,
    rows: usize,
}

impl Kept {
    /// Takes up what an earlier run with the same `key` has left in `folder`, down to whole batches, or begins. What other keys
    /// have left there goes.
    pub(crate) fn begin(
        folder: &Path,
        key: &str,
        dim: usize,
        batch: usize,
        total: usize,
    ) -> Result<Kept, RunError> {
        let path = folder.join(format!("{PREFIX}{}", &key[..16]));
        for entry in std::fs::read_dir(folder).map_err(failed(folder))?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(PREFIX) && entry.path() != path {
                remove(&entry.path())?;
            }
        }
        if std::fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
            remove(&path)?;
        }
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut kept = Kept { file: file.map_err(failed(&path))?, path, dim, rows: 0 };
        kept.take_up(key, batch, total).map_err(failed(&kept.path))?;
        Ok(kept)
    }

    fn take_up(&mut self, key: &str, batch: usize, total: usize) -> io::Result<()> {
        let header = [MAGIC.as_slice(), key.as_bytes(), &(self.dim as u64).to_le_bytes()].concat();
        let mut found = Vec::new();
        (&mut self.file).take(HEADER).read_to_end(&mut found)?;
        if found != header {
            self.file.set_len(0)?;
            self.file.seek(SeekFrom::Start(0))?;
            return self.file.write_all(&header);
        }
        let rows = (self.file.metadata()?.len() - HEADER) / (4 * self.dim as u64);
        self.rows = usize::try_from(rows).unwrap_or(total).min(total);
        if self.rows < total {
            self.rows -= self.rows % batch;
        }
        self.file.set_len(HEADER + 4 * (self.dim * self.rows) as u64)?;
        self.file.seek(SeekFrom::End(0)).map(drop)
    }

    /// Rows that are there.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Numbers of a row.
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// Adds rows; those that `broken` names stand for images that could not be read.
    pub(crate) fn push(&mut self, rows: &mut [f32], broken: &[usize]) -> Result<(), RunError> {
        broken.iter().for_each(|row| rows[row * self.dim] = f32::from_bits(BROKEN));
        let bytes: Vec<u8> = rows.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.file.write_all(&bytes).map_err(failed(&self.path))?;
        self.rows += rows.len() / self.dim;
        Ok(())
    }

    /// Reads the rows from the first on, some thousand at a time; nothing stands in for those that could not be read.
    pub(crate) fn read(
        &mut self,
        mut each: impl FnMut(usize, Option<&[f32]>) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        self.file.seek(SeekFrom::Start(HEADER)).map_err(failed(&self.path))?;
        let block = (1 << 20) / self.dim.max(1) + 1;
        for first in (0..self.rows).step_by(block) {
            let mut bytes = vec![0; 4 * self.dim * block.min(self.rows - first)];
            self.file.read_exact(&mut bytes).map_err(failed(&self.path))?;
            for (row, bytes) in (first..).zip(bytes.chunks_exact(4 * self.dim)) {
                let values: Vec<f32> =
                    bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
                each(row, Some(values.as_slice()).filter(|values| values[0].to_bits() != BROKEN))?;
            }
        }
        self.file.seek(SeekFrom::End(0)).map(drop).map_err(failed(&self.path))
    }

    /// Opens rows that a part holds under the name `path`.
    pub(crate) fn open(path: &Path, key: &str, dim: usize, rows: usize) -> Result<Kept, RunError> {
        let file = File::open(path).map_err(failed(path))?;
        let mut kept = Kept { file, path: path.to_path_buf(), dim, rows };
        let header = [MAGIC.as_slice(), key.as_bytes(), &(dim as u64).to_le_bytes()].concat();
        let mut found = Vec::new();
        (&mut kept.file).take(HEADER).read_to_end(&mut found).map_err(failed(path))?;
        let length = kept.file.metadata().map_err(failed(path))?.len();
        let expected = (4 * dim as u64).checked_mul(rows as u64).and_then(|bytes| bytes.checked_add(HEADER));
        if found == header && Some(length) == expected {
            return Ok(kept);
        }
        let text = format!(
            "{}: damaged or cut short, expected {rows} rows of {dim} numbers\nhint: embed this part again",
            path.display()
        );
        Err(RunError::Request(text))
    }

    /// Gives the file another name beside it.
    pub(crate) fn rename(self, to: &Path) -> Result<(), RunError> {
        std::fs::rename(&self.path, to).map_err(failed(to))
    }

    /// Removes the file.
    pub(crate) fn discard(self) -> Result<(), RunError> {
        remove(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn all(kept: &mut Kept) -> Vec<Option<Vec<f32>>> {
        let mut rows = Vec::new();
        kept.read(|row, values| {
            assert_eq!(row, rows.len());
            rows.push(values.map(<[f32]>::to_vec));
            Ok(())
        })
        .unwrap();
        rows
    }

    #[test]
    fn rows_are_taken_up_to_the_last_whole_batch_and_only_under_their_key() {
        let place = tempfile::tempdir().unwrap();
        let begin = |key: &str| Kept::begin(place.path(), key, 2, 2, 5).unwrap();
        let mut kept = begin(KEY);
        kept.push(&mut [1.0, 2.0, 3.0, 4.0], &[1]).unwrap();
        kept.push(&mut [5.0, 6.0], &[]).unwrap();
        kept.file.write_all(&[7; 3]).unwrap();
        let mut kept = begin(KEY);
        assert_eq!(kept.rows(), 2);
        assert_eq!(all(&mut kept), [Some(vec![1.0, 2.0]), None]);
        kept.push(&mut [5.0, 6.0, 7.0, 8.0], &[]).unwrap();
        kept.push(&mut [9.0, 10.0], &[]).unwrap();
        // All rows are there, though the last batch is not whole.
        assert_eq!(begin(KEY).rows(), 5);
        let other = KEY.replace('0', "f");
        assert_eq!(begin(&other).rows(), 0);
        assert_eq!(begin(KEY).rows(), 0);
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_part_is_opened_where_its_rows_are_whole() {
        let place = tempfile::tempdir().unwrap();
        let mut kept = Kept::begin(place.path(), KEY, 1, 1, 2).unwrap();
        kept.push(&mut [1.0, 2.0], &[]).unwrap();
        let path = place.path().join("part");
        kept.rename(&path).unwrap();
        assert_eq!(all(&mut Kept::open(&path, KEY, 1, 2).unwrap()), [Some(vec![1.0]), Some(vec![2.0])]);
        for (key, rows) in [(KEY.replace('0', "f"), 2), (KEY.to_string(), 3)] {
            let said = Kept::open(&path, &key, 1, rows).unwrap_err().to_string();
            assert!(said.contains("part: damaged or cut short"), "{said}");
        }
    }
}
