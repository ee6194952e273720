//! The numbers of a store as a file holds them, and how they come into memory.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use half::f16;
use half::slice::HalfFloatSliceExt;
use rayon::prelude::*;

use crate::numbers::{BLOCK, Numbers};
pub use crate::numbers::{ReadRows, Values};

/// The type of the numbers in a file; little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) enum Element {
    F16,
    F32,
    F64,
}

impl Element {
    pub fn size(self) -> usize {
        match self {
            Element::F16 => 2,
            Element::F32 => 4,
            Element::F64 => 8,
        }
    }

    /// Numbers of this type as f32. A number beyond its range becomes infinite, which the check of the store refuses.
    fn decode(self, bytes: &[u8], out: &mut [f32]) {
        match self {
            Element::F16 => {
                let mut halves = [f16::ZERO; 1024];
                for (bytes, out) in bytes.chunks(2048).zip(out.chunks_mut(1024)) {
                    let halves = &mut halves[..out.len()];
                    decode_f16(bytes, halves);
                    halves.convert_to_f32_slice(out);
                }
            }
            Element::F32 => {
                for (b, out) in bytes.as_chunks::<4>().0.iter().zip(out) {
                    *out = f32::from_le_bytes(*b);
                }
            }
            Element::F64 => {
                for (b, out) in bytes.as_chunks::<8>().0.iter().zip(out) {
                    *out = f64::from_le_bytes(*b) as f32;
                }
            }
        }
    }
}

fn decode_f16(bytes: &[u8], out: &mut [f16]) {
    for (b, out) in bytes.as_chunks::<2>().0.iter().zip(out) {
        *out = f16::from_le_bytes(*b);
    }
}

/// An array in a file, from an offset on.
#[derive(Debug)]
pub(in crate::data) struct RowFile {
    pub file: File,
    pub offset: u64,
    pub element: Element,
    pub rows: usize,
    pub dim: usize,
}

thread_local! {
    static BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl RowFile {
    /// Bytes of the array in its own type.
    pub fn size(&self) -> u64 {
        (self.rows * self.dim * self.element.size()) as u64
    }

    fn at_bytes<T>(&self, start: usize, count: usize, use_bytes: impl FnOnce(&[u8]) -> T) -> io::Result<T> {
        BYTES.with_borrow_mut(|bytes| {
            let size = self.element.size();
            bytes.resize(count * size, 0);
            self.file.read_exact_at(bytes, self.offset + (start * size) as u64)?;
            Ok(use_bytes(bytes))
        })
    }

    /// The values: in memory up to `resident` bytes of the file's own type, else left in the file.
    pub fn open(self, resident: u64) -> io::Result<Values> {
        if self.size() > resident {
            return Ok(Values::File(Arc::new(self)));
        }
        let count = self.rows * self.dim;
        if self.element == Element::F16 {
            let mut values = Numbers::<f16>::zeros(count);
            self.fill(&mut values, decode_f16)?;
            Ok(Values::F16(values))
        } else {
            let mut values = Numbers::<f32>::zeros(count);
            self.fill(&mut values, |bytes, out| self.element.decode(bytes, out))?;
            Ok(Values::F32(values))
        }
    }

    fn fill<T: bytemuck::Pod + Send>(
        &self,
        values: &mut Numbers<T>,
        decode: impl Fn(&[u8], &mut [T]) + Sync,
    ) -> io::Result<()> {
        let values = values.unshared().expect("the caller has just made it");
        values
            .par_chunks_mut(BLOCK)
            .enumerate()
            .try_for_each(|(block, out)| self.at_bytes(block * BLOCK, out.len(), |bytes| decode(bytes, out)))
    }
}

impl ReadRows for RowFile {
    fn read_block(&self, first_row: usize, out: &mut [f32]) -> io::Result<()> {
        self.at_bytes(first_row * self.dim, out.len(), |bytes| self.element.decode(bytes, out))
    }
}

/// Reads `count` numbers of a type from a stream into memory.
pub(in crate::data) fn load_stream(
    mut reader: impl Read,
    element: Element,
    count: usize,
) -> io::Result<Values> {
    let mut bytes = vec![0; BLOCK * element.size()];
    if element == Element::F16 {
        let mut values = Numbers::<f16>::zeros(count);
        for out in values.unshared().expect("made one line above").chunks_mut(BLOCK) {
            let bytes = &mut bytes[..out.len() * 2];
            reader.read_exact(bytes)?;
            decode_f16(bytes, out);
        }
        return Ok(Values::F16(values));
    }
    let mut values = Numbers::<f32>::zeros(count);
    for out in values.unshared().expect("made one line above").chunks_mut(BLOCK) {
        let bytes = &mut bytes[..out.len() * element.size()];
        reader.read_exact(bytes)?;
        element.decode(bytes, out);
    }
    Ok(Values::F32(values))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn a_file_gives_the_same_rows_from_memory_and_from_disk() {
        let numbers: Vec<f32> = (0..12).map(|i| i as f32 / 4.0).collect();
        let encoded = [
            (Element::F16, numbers.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect::<Vec<u8>>()),
            (Element::F32, numbers.iter().flat_map(|v| v.to_le_bytes()).collect()),
            (Element::F64, numbers.iter().flat_map(|v| f64::from(*v).to_le_bytes()).collect()),
        ];
        for (element, body) in encoded {
            let bytes = [b"head".as_slice(), &body].concat();
            let array = || RowFile { file: file(&bytes), offset: 4, element, rows: 4, dim: 3 };
            let (resident, on_disk) = (array().open(1 << 20).unwrap(), array().open(0).unwrap());
            assert!(matches!(on_disk, Values::File(_)));
            let streamed = load_stream(body.as_slice(), element, 12).unwrap();
            for values in [resident, on_disk, streamed] {
                let mut rows = [0.0; 6];
                values.read_block(3, 1, &mut rows).unwrap();
                assert_eq!(rows, numbers[3..9], "{element:?} {values:?}");
                let sums = values.blocks(4, 3, |first, rows| (first, rows.iter().sum::<f32>())).unwrap();
                assert_eq!(sums, [(0, 16.5)]);
            }
        }
    }

    #[test]
    fn a_file_that_ends_early_is_an_error() {
        let array = RowFile { file: file(&[0; 10]), offset: 4, element: Element::F32, rows: 4, dim: 3 };
        assert!(array.open(1 << 20).is_err());
    }
}
