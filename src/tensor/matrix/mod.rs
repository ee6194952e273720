//! Dense matrices in double precision on the host, for fits that are made once in a run.

mod spd;
mod sylvester;
mod symmetric;

pub use sylvester::sylvester;
pub use symmetric::{Eigen, eigen};

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, Tensor, TensorFromVec};
use dfdx::tensor_ops::TryMatMul;

use super::error::{TensorError, same};

/// A matrix of f64, row after row.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// A matrix of these numbers.
    ///
    /// # Errors
    /// When there are not `rows × columns` of them.
    pub fn new(rows: usize, columns: usize, values: Vec<f64>) -> Result<Matrix, TensorError> {
        same("a matrix", "numbers", rows * columns, values.len())?;
        Ok(Matrix { rows, columns, values })
    }

    /// A matrix of zeros.
    pub fn zeros(rows: usize, columns: usize) -> Matrix {
        Matrix { rows, columns, values: vec![0.0; rows * columns] }
    }

    /// Single precision, row after row.
    ///
    /// # Errors
    /// When there are not `rows × columns` numbers.
    pub fn of_f32(rows: usize, columns: usize, values: &[f32]) -> Result<Matrix, TensorError> {
        Matrix::new(rows, columns, values.iter().map(|v| f64::from(*v)).collect())
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns it has.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All numbers, row after row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// One row.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// One row, to be changed.
    pub fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// The numbers in single precision.
    pub fn to_f32(&self) -> Vec<f32> {
        self.values.iter().map(|v| *v as f32).collect()
    }

    /// Every number changed.
    pub fn map(mut self, change: impl Fn(f64) -> f64) -> Matrix {
        self.values.iter_mut().for_each(|v| *v = change(*v));
        self
    }

    /// `self + factor · other`.
    ///
    /// # Errors
    /// When their sizes differ.
    pub fn plus(mut self, factor: f64, other: &Matrix) -> Result<Matrix, TensorError> {
        same("a sum of matrices", "rows", self.rows, other.rows)?;
        same("a sum of matrices", "columns", self.columns, other.columns)?;
        self.values.iter_mut().zip(&other.values).for_each(|(a, b)| *a += factor * b);
        Ok(self)
    }

    /// `self + value · I`.
    pub fn plus_diagonal(mut self, value: f64) -> Matrix {
        self.values.iter_mut().step_by(self.columns + 1).for_each(|v| *v += value);
        self
    }

    /// Each row times a number of its own.
    pub fn scale_rows(mut self, factors: &[f64]) -> Matrix {
        let rows = self.values.chunks_exact_mut(self.columns.max(1));
        rows.zip(factors).for_each(|(row, factor)| row.iter_mut().for_each(|v| *v *= factor));
        self
    }

    /// Each row divided by its Euclidean norm; a row of zeros stays.
    pub fn normalise_rows(self) -> Matrix {
        let norm = |row: &[f64]| row.iter().map(|v| v * v).sum::<f64>().sqrt().max(1e-12);
        let factors: Vec<f64> =
            self.values.chunks_exact(self.columns.max(1)).map(|r| 1.0 / norm(r)).collect();
        self.scale_rows(&factors)
    }

    /// Rows and columns exchanged.
    pub fn transposed(&self) -> Matrix {
        let mut out = Matrix::zeros(self.columns, self.rows);
        for (i, row) in self.values.chunks_exact(self.columns.max(1)).enumerate() {
            row.iter().enumerate().for_each(|(j, v)| out.values[j * self.rows + i] = *v);
        }
        out
    }

    /// The product with another matrix.
    ///
    /// # Errors
    /// When the inner sizes differ.
    pub fn times(&self, other: &Matrix) -> Result<Matrix, TensorError> {
        same("a matrix product", "inner size", self.columns, other.rows)?;
        if self.values.is_empty() || other.values.is_empty() {
            return Ok(Matrix::zeros(self.rows, other.columns));
        }
        let device = Cpu::default();
        let tensor = |m: &Matrix| -> Tensor<(usize, usize), f64, Cpu> {
            device.tensor_from_vec(m.values.clone(), (m.rows, m.columns))
        };
        let product = tensor(self).try_matmul(tensor(other)).map_err(super::backend::device_error::<Cpu>)?;
        same("a matrix product", "rows", self.rows, product.shape().0)?;
        Ok(Matrix { rows: self.rows, columns: other.columns, values: product.as_vec() })
    }

    /// `X` with `self · X = right`, where this matrix is symmetric and positive definite.
    ///
    /// # Errors
    /// When it is not, or sizes differ.
    pub fn solve(&self, right: &Matrix) -> Result<Matrix, TensorError> {
        spd::solve(self, right)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A symmetric positive definite matrix of this size.
    pub fn spd(n: usize) -> Matrix {
        let values = (0..n * n).map(|i| ((i * 31 % 23) as f64 - 11.0) / 7.0).collect();
        let b = Matrix::new(n, n, values).unwrap();
        b.times(&b.transposed()).unwrap().plus_diagonal(0.5)
    }

    pub fn distance(a: &Matrix, b: &Matrix) -> f64 {
        a.values().iter().zip(b.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn a_product_and_a_transpose_on_paper() {
        let a = Matrix::new(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        assert_eq!(a.times(&a.transposed()).unwrap().values(), [14.0, 32.0, 32.0, 77.0]);
        assert!(a.times(&a).is_err() && Matrix::new(2, 2, vec![0.0]).is_err());
        assert_eq!(a.clone().normalise_rows().row(0)[2], 3.0 / 14f64.sqrt());
    }
}
