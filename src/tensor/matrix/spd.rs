//! Symmetric positive definite systems by Cholesky's factor.

use super::Matrix;
use crate::tensor::error::{TensorError, same};
use crate::tensor::span::host::cholesky;

pub(super) fn solve(matrix: &Matrix, right: &Matrix) -> Result<Matrix, TensorError> {
    const OPERATION: &str = "a symmetric system";
    let n = matrix.rows;
    same(OPERATION, "columns", n, matrix.columns)?;
    same(OPERATION, "rows of the right side", n, right.rows)?;
    let mut factor = matrix.values.clone();
    cholesky(&mut factor, n, OPERATION)?;
    let mut out = right.clone();
    let width = out.columns;
    // L·Z = B from the top, then Lᵀ·X = Z from the bottom; whole rows of the right side at a time.
    for i in 0..n {
        let (above, rest) = out.values.split_at_mut(i * width);
        let row = &mut rest[..width];
        for (j, other) in above.chunks_exact(width.max(1)).enumerate() {
            let l = factor[i * n + j];
            row.iter_mut().zip(other).for_each(|(x, z)| *x -= l * z);
        }
        let pivot = factor[i * n + i];
        row.iter_mut().for_each(|x| *x /= pivot);
    }
    for i in (0..n).rev() {
        let (above, rest) = out.values.split_at_mut(i * width);
        let row = &mut rest[..width];
        let pivot = factor[i * n + i];
        row.iter_mut().for_each(|x| *x /= pivot);
        for (j, other) in above.chunks_exact_mut(width.max(1)).enumerate() {
            let l = factor[i * n + j];
            other.iter_mut().zip(&*row).for_each(|(x, z)| *x -= l * z);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{distance, spd};
    use super::*;

    #[test]
    fn a_solution_gives_the_right_side_again() {
        let a = spd(9);
        let b = Matrix::new(9, 2, (0..18).map(|i| (i as f64).sin()).collect()).unwrap();
        let x = a.solve(&b).unwrap();
        assert!(distance(&a.times(&x).unwrap(), &b) < 1e-10);
        let error = Matrix::zeros(2, 2).solve(&Matrix::zeros(2, 1)).unwrap_err().to_string();
        assert_eq!(error, "a symmetric system needs a positive definite matrix");
    }
}
