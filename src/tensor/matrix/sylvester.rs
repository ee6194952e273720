//! Sylvester's equation with symmetric coefficients.

use super::Matrix;
use super::symmetric::{Tridiagonal, eigen};
use crate::tensor::error::{TensorError, same};

/// `X` (m × n) with `A·X + X·B = C` for symmetric positive semidefinite `A` (m × m) and `B` (n × n).
///
/// `A` is diagonalised, `B` only made tridiagonal, so that the larger of the two should be `B`: about m³ + n³ steps in
/// all. Where an eigenvalue of `A` and one of `B` are both zero, the equation says nothing in that direction; such sums
/// count as 1e-14 of the largest.
///
/// # Errors
/// When sizes differ or a number is not finite.
pub fn sylvester(a: &Matrix, b: &Matrix, c: &Matrix) -> Result<Matrix, TensorError> {
    same("Sylvester's equation", "rows", a.rows, c.rows)?;
    same("Sylvester's equation", "columns", b.columns, c.columns)?;
    // A = UᵀΛU and B = QTQᵀ: the rows of UXQ solve (λᵢ + T)·y = (UCQ)ᵢ each by itself.
    let left = eigen(a)?;
    let right = Tridiagonal::of(b)?;
    let mut rows = left.vectors.times(c)?;
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let least = 1e-14 * (most(&left.values) + most(&right.diagonal)).max(f64::MIN_POSITIVE);
    for (i, value) in left.values.iter().enumerate() {
        let row = rows.row_mut(i);
        right.turn(row);
        right.solve(value.max(0.0), least, row);
        right.turn_back(row);
    }
    left.vectors.transposed().times(&rows)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{distance, spd};
    use super::*;

    #[test]
    fn a_solution_satisfies_the_equation() {
        let (a, b) = (spd(5), spd(8));
        let c = Matrix::new(5, 8, (0..40).map(|i| (f64::from(i) * 0.7).cos()).collect()).unwrap();
        let x = sylvester(&a, &b, &c).unwrap();
        let again = a.times(&x).unwrap().plus(1.0, &x.times(&b).unwrap()).unwrap();
        assert!(distance(&again, &c) < 1e-10);
        let singular = Matrix::zeros(8, 8);
        let x = sylvester(&a, &singular, &c).unwrap();
        assert!(distance(&a.times(&x).unwrap(), &c) < 1e-10);
        assert!(sylvester(&b, &a, &c).is_err());
    }
}
