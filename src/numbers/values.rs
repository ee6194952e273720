//! A matrix of numbers, row after row: in memory as f32 or f16, or read from a file row by row.

use std::fmt;
use std::io;
use std::sync::Arc;

use half::f16;
use half::slice::HalfFloatSliceExt;
use rayon::prelude::*;

use super::Numbers;

/// Numbers that are worked on at once: 256 KiB as f32, so that a block stays in the cache between its reading and its
/// use.
pub const BLOCK: usize = 1 << 16;

/// Rows that are read when they are asked for.
///
/// Reading is positioned: threads may read at once.
pub trait ReadRows: Send + Sync {
    /// Reads as many whole rows as `out` has room for, from `first_row` on.
    ///
    /// # Errors
    /// When the file cannot be read.
    fn read_block(&self, first_row: usize, out: &mut [f32]) -> io::Result<()>;
}

/// The features of items, row after row: (items, dim).
#[derive(Clone)]
pub enum Values {
    /// 32-bit numbers in memory.
    F32(Numbers<f32>),
    /// 16-bit numbers in memory.
    F16(Numbers<f16>),
    /// Numbers in a file that is larger than the store may be in memory.
    File(Arc<dyn ReadRows>),
}

impl Default for Values {
    /// No numbers.
    fn default() -> Values {
        Values::F32(Vec::new().into())
    }
}

impl From<Vec<f32>> for Values {
    fn from(numbers: Vec<f32>) -> Values {
        Values::F32(numbers.into())
    }
}

impl From<Numbers<f32>> for Values {
    fn from(numbers: Numbers<f32>) -> Values {
        Values::F32(numbers)
    }
}

impl From<Numbers<f16>> for Values {
    fn from(numbers: Numbers<f16>) -> Values {
        Values::F16(numbers)
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Values::F32(v) => write!(f, "F32({} numbers)", v.len()),
            Values::F16(v) => write!(f, "F16({} numbers)", v.len()),
            Values::File(_) => f.write_str("File"),
        }
    }
}

impl Values {
    /// How many numbers lie in memory; nothing for a file.
    pub fn in_memory(&self) -> Option<usize> {
        match self {
            Values::F32(values) => Some(values.len()),
            Values::F16(values) => Some(values.len()),
            Values::File(_) => None,
        }
    }

    /// Copies as many whole rows of `dim` numbers as `out` has room for, from `first_row` on.
    ///
    /// The rows must exist.
    ///
    /// # Errors
    /// Only where a file is read, and cannot be.
    ///
    /// ```
    /// use kshot::numbers::Values;
    ///
    /// let values = Values::F32(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0].into());
    /// let mut row = [0.0; 2];
    /// values.read_block(2, 1, &mut row)?;
    /// assert_eq!(row, [3.0, 4.0]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read_block(&self, dim: usize, first_row: usize, out: &mut [f32]) -> io::Result<()> {
        let range = first_row * dim..first_row * dim + out.len();
        match self {
            Values::F32(values) => out.copy_from_slice(&values[range]),
            Values::F16(values) => values[range].convert_to_f32_slice(out),
            Values::File(file) => return file.read_block(first_row, out),
        }
        Ok(())
    }

    /// Calls `visit(first_row, rows)` for blocks of rows, in parallel, and gives the results in row order.
    ///
    /// The blocks depend on `rows` and `dim` alone, so a sum over the results does not depend on the threads.
    ///
    /// # Errors
    /// Only where a file is read, and cannot be.
    pub fn blocks<T: Send>(
        &self,
        rows: usize,
        dim: usize,
        visit: impl Fn(usize, &[f32]) -> T + Sync,
    ) -> io::Result<Vec<T>> {
        let step = (BLOCK / dim.max(1)).max(1);
        (0..rows.div_ceil(step))
            .into_par_iter()
            .map_init(Vec::new, |scratch, block| {
                let first = block * step;
                let count = step.min(rows - first);
                if let Values::F32(values) = self {
                    return Ok(visit(first, &values[first * dim..(first + count) * dim]));
                }
                scratch.resize(count * dim, 0.0);
                self.read_block(dim, first, scratch)?;
                Ok(visit(first, scratch))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;

    impl ReadRows for Counting {
        fn read_block(&self, first_row: usize, out: &mut [f32]) -> io::Result<()> {
            out.iter_mut().enumerate().for_each(|(i, v)| *v = (first_row * 3 + i) as f32);
            Ok(())
        }
    }

    #[test]
    fn rows_are_the_same_in_memory_in_half_precision_and_from_a_reader() {
        let numbers: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let halves: Vec<f16> = numbers.iter().map(|v| f16::from_f32(*v)).collect();
        let all = [
            Values::F32(numbers.clone().into()),
            Values::F16(halves.into()),
            Values::File(Arc::new(Counting)),
        ];
        for values in all {
            let mut rows = [0.0; 6];
            values.read_block(3, 1, &mut rows).unwrap();
            assert_eq!(rows, numbers[3..9], "{values:?}");
            let sums = values.blocks(4, 3, |first, rows| (first, rows.iter().sum::<f32>())).unwrap();
            assert_eq!(sums, [(0, 66.0)], "{values:?}");
        }
    }
}
