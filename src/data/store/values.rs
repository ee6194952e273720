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

/// The type of the numbers in a file; little-endian but for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) enum Element {
    F16,
    /// The upper half of a 32-bit float.
    Bf16,
    F32,
    F64,
    /// Whole numbers of so many bytes.
    Int {
        bytes: u8,
        signed: bool,
    },
    /// Numbers of so many bytes whose order is turned round.
    BigEndian {
        bytes: u8,
        of: BigEndian,
    },
}

/// What numbers in big-endian order are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) enum BigEndian {
    Float,
    Int,
    Unsigned,
}

impl Element {
    pub fn size(self) -> usize {
        match self {
            Element::F16 | Element::Bf16 => 2,
            Element::F32 => 4,
            Element::F64 => 8,
            Element::Int { bytes, .. } | Element::BigEndian { bytes, .. } => usize::from(bytes),
        }
    }

    /// The type of the same numbers in little-endian order.
    pub fn little_endian(self) -> Element {
        match self {
            Element::BigEndian { bytes, of: BigEndian::Int } => Element::Int { bytes, signed: true },
            Element::BigEndian { bytes, of: BigEndian::Unsigned } => Element::Int { bytes, signed: false },
            Element::BigEndian { bytes: 2, of: BigEndian::Float } => Element::F16,
            Element::BigEndian { bytes: 4, of: BigEndian::Float } => Element::F32,
            Element::BigEndian { of: BigEndian::Float, .. } => Element::F64,
            little => little,
        }
    }

    /// Numbers of this type as f32. A number beyond its range becomes infinite, and a whole number that it does not hold
    /// exactly NaN; the check of the store refuses both.
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
            Element::Bf16 => {
                for (b, out) in bytes.as_chunks::<2>().0.iter().zip(out) {
                    *out = f32::from_bits(u32::from(u16::from_le_bytes(*b)) << 16);
                }
            }
            Element::Int { bytes: size, signed } => decode_whole(size, signed, bytes, out),
            Element::BigEndian { .. } => {
                let mut turned = bytes.to_vec();
                turned.chunks_exact_mut(self.size()).for_each(<[u8]>::reverse);
                self.little_endian().decode(&turned, out);
            }
        }
    }
}

/// Whole numbers as the floats that equal them; NaN where none does.
fn decode_whole(size: u8, signed: bool, bytes: &[u8], out: &mut [f32]) {
    macro_rules! decode {
        ($whole:ty) => {
            for (b, out) in bytes.as_chunks::<{ size_of::<$whole>() }>().0.iter().zip(out) {
                let number = <$whole>::from_le_bytes(*b);
                let float = number as f32;
                let exact = size_of::<$whole>() <= 2 || float as i128 == number as i128;
                *out = if exact { float } else { f32::NAN };
            }
        };
    }
    match (size, signed) {
        (1, false) => decode!(u8),
        (1, true) => decode!(i8),
        (2, false) => decode!(u16),
        (2, true) => decode!(i16),
        (4, false) => decode!(u32),
        (4, true) => decode!(i32),
        (_, false) => decode!(u64),
        (_, true) => decode!(i64),
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
            (Element::Bf16, numbers.iter().flat_map(|v| half::bf16::from_f32(*v).to_le_bytes()).collect()),
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
    fn whole_numbers_are_read_as_the_floats_that_equal_them() {
        let decoded = |element: Element, bytes: &[u8]| {
            let mut out = vec![0.0; bytes.len() / element.size()];
            element.decode(bytes, &mut out);
            out
        };
        let int = |bytes, signed| Element::Int { bytes, signed };
        assert_eq!(decoded(int(1, false), &[0, 7, 255]), [0.0, 7.0, 255.0]);
        assert_eq!(decoded(int(1, true), &[255, 128]), [-1.0, -128.0]);
        assert_eq!(decoded(int(2, true), &(-300i16).to_le_bytes()), [-300.0]);
        assert_eq!(decoded(int(8, false), &u64::MAX.to_le_bytes())[0].to_bits(), f32::NAN.to_bits());
        let big = |bytes, of| Element::BigEndian { bytes, of };
        assert_eq!(decoded(big(4, BigEndian::Float), &(-1.5f32).to_be_bytes()), [-1.5]);
        assert_eq!(decoded(big(8, BigEndian::Float), &0.25f64.to_be_bytes()), [0.25]);
        assert_eq!(decoded(big(2, BigEndian::Float), &f16::from_f32(3.0).to_be_bytes()), [3.0]);
        assert_eq!(decoded(big(4, BigEndian::Int), &(-7i32).to_be_bytes()), [-7.0]);
        assert_eq!(decoded(big(2, BigEndian::Unsigned), &40_000u16.to_be_bytes()), [40_000.0]);
        let edge: Vec<u8> = [1i32 << 24, (1 << 24) + 1].iter().flat_map(|n| n.to_le_bytes()).collect();
        let out = decoded(int(4, true), &edge);
        assert!(out[0] == 16_777_216.0 && out[1].is_nan());
    }

    #[test]
    fn a_file_that_ends_early_is_an_error() {
        let array = RowFile { file: file(&[0; 10]), offset: 4, element: Element::F32, rows: 4, dim: 3 };
        assert!(array.open(1 << 20).is_err());
    }
}
