//! Two matrices as one, without a copy of either.

use std::io;
use std::sync::Arc;

use super::values::{ReadRows, Values};

/// The rows of one matrix and, behind them, those of another.
struct Joined {
    first: Values,
    first_rows: usize,
    second: Values,
    dim: usize,
}

impl Values {
    /// These `rows` rows of `dim` numbers, and behind them those of `other`.
    ///
    /// ```
    /// use kshot::numbers::Values;
    ///
    /// let (one, two) = (Values::from(vec![1.0, 2.0]), Values::from(vec![3.0, 4.0]));
    /// let mut rows = [0.0; 3];
    /// one.followed_by(2, &two, 1).read_block(1, 1, &mut rows)?;
    /// assert_eq!(rows, [2.0, 3.0, 4.0]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn followed_by(&self, rows: usize, other: &Values, dim: usize) -> Values {
        Values::File(Arc::new(Joined { first: self.clone(), first_rows: rows, second: other.clone(), dim }))
    }
}

impl ReadRows for Joined {
    fn read_block(&self, first_row: usize, out: &mut [f32]) -> io::Result<()> {
        let of_first = self.first_rows.saturating_sub(first_row) * self.dim;
        let (own, other) = out.split_at_mut(of_first.min(out.len()));
        if !own.is_empty() {
            self.first.read_block(self.dim, first_row, own)?;
        }
        if !other.is_empty() {
            self.second.read_block(self.dim, first_row.saturating_sub(self.first_rows), other)?;
        }
        Ok(())
    }
}
