//! The inverse of a symmetric positive definite matrix on the host.
//!
//! The sweep operator (Goodnight 1979) on the lower triangle: with pivot `d = mₖₖ` every number not in row or column k
//! becomes `mᵢⱼ − mᵢₖmₖⱼ/d`, those in one of them `mᵢₖ/d`, and the pivot `−1/d`. After all pivots the matrix is −M⁻¹. Each step
//! runs along rows, so that vector instructions do it, and is as accurate as a Cholesky factorisation.

use pulp::{Simd, WithSimd};

use super::super::error::TensorError;
use crate::numbers::with_lanes;

/// The inverse of a symmetric positive definite matrix (n × n).
pub(in super::super) fn inverse(
    matrix: &[f64],
    n: usize,
    operation: &'static str,
) -> Result<Vec<f64>, TensorError> {
    let mut out = matrix.to_vec();
    let swept = with_lanes(Sweep { matrix: &mut out, n });
    swept.then_some(out).ok_or(TensorError::NotPositiveDefinite { operation })
}

/// `matrix + ridge · I`.
pub(super) fn with_ridge(matrix: &[f64], n: usize, ridge: f64) -> Vec<f64> {
    let mut out = matrix.to_vec();
    out.iter_mut().step_by(n + 1).for_each(|v| *v += ridge);
    out
}

struct Sweep<'a> {
    matrix: &'a mut [f64],
    n: usize,
}

impl WithSimd for Sweep<'_> {
    /// Whether every pivot was positive.
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        let Sweep { matrix, n } = self;
        let mut column = vec![0.0; n];
        for k in 0..n {
            let pivot = matrix[k * n + k];
            if pivot.is_nan() || pivot <= 0.0 {
                return false;
            }
            column[..k].copy_from_slice(&matrix[k * n..k * n + k]);
            column[k] = 0.0;
            for i in k + 1..n {
                column[i] = matrix[i * n + k];
            }
            let share = 1.0 / pivot;
            for (i, row) in matrix.chunks_exact_mut(n).enumerate() {
                if i != k {
                    let factor = -column[i] * share;
                    row[..=i].iter_mut().zip(&column).for_each(|(v, c)| *v = factor.mul_add(*c, *v));
                }
            }
            matrix[k * n..k * n + k].iter_mut().zip(&column).for_each(|(v, c)| *v = c * share);
            matrix[k * n + k] = -share;
            for i in k + 1..n {
                matrix[i * n + k] = column[i] * share;
            }
        }
        for i in 0..n {
            for j in 0..=i {
                let value = -matrix[i * n + j];
                matrix[i * n + j] = value;
                matrix[j * n + i] = value;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inverse_times_its_matrix_is_the_identity() {
        for n in [1, 2, 9, 40, 97] {
            let b: Vec<f64> = (0..n * n).map(|i| ((i * 31 % 23) as f64 - 11.0) / 7.0).collect();
            let mut a = vec![0.0; n * n];
            for (place, a) in a.iter_mut().enumerate() {
                let (i, j) = (place / n, place % n);
                *a = (0..n).map(|k| b[i * n + k] * b[j * n + k]).sum::<f64>()
                    + f64::from(u8::from(i == j)) * 0.5;
            }
            let inverse = inverse(&a, n, "test").unwrap();
            for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
                let entry: f64 = (0..n).map(|k| a[i * n + k] * inverse[k * n + j]).sum();
                assert!((entry - f64::from(u8::from(i == j))).abs() < 1e-9, "{n}: {i} {j}");
            }
        }
    }

    #[test]
    fn a_matrix_with_a_negative_eigenvalue_is_refused() {
        let mut large = vec![0.0; 50 * 50];
        large.iter_mut().step_by(51).for_each(|v| *v = 1.0);
        large[49 * 50 + 49] = -1.0;
        for (matrix, n) in [(&[1.0, 2.0, 2.0, 1.0][..], 2), (&large[..], 50)] {
            let error = inverse(matrix, n, "an inverse").unwrap_err();
            assert_eq!(error.to_string(), "an inverse needs a positive definite matrix");
        }
    }
}
