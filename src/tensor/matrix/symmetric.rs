//! Symmetric matrices: reduction to a tridiagonal matrix by reflections (Householder 1958), and eigenvalues of that one
//! by implicit QL steps (Bowdler, Martin, Reinsch and Wilkinson 1968).

use super::Matrix;
use crate::tensor::error::{TensorError, same};

/// `A = Q·T·Qᵀ` with a tridiagonal `T`; `Q` is kept as reflections.
pub(super) struct Tridiagonal {
    /// The diagonal of `T`.
    pub diagonal: Vec<f64>,
    /// Beside the diagonal: entry i couples i and i + 1.
    pub beside: Vec<f64>,
    /// Row i holds the vector of reflection i, which moves the first i coordinates.
    reflections: Matrix,
    factors: Vec<f64>,
}

impl Tridiagonal {
    /// Reduces a symmetric matrix, of which only the lower half is read.
    pub fn of(matrix: &Matrix) -> Result<Tridiagonal, TensorError> {
        same("a symmetric matrix", "columns", matrix.rows, matrix.columns)?;
        let n = matrix.rows;
        let mut a = matrix.clone();
        let (mut factors, mut beside) = (vec![0.0; n], vec![0.0; n]);
        let mut products = vec![0.0; n];
        for i in (1..n).rev() {
            let (block, rest) = a.values.split_at_mut(i * n);
            let v = &mut rest[..i];
            let last = v[i - 1];
            let others: f64 = v[..i - 1].iter().map(|x| x * x).sum();
            if others == 0.0 {
                beside[i - 1] = last;
                continue;
            }
            // v ← u ± ‖u‖·e, of the sign that cancels nothing; H = I − β·v·vᵀ takes u to ∓‖u‖·e.
            let end = -(others + last * last).sqrt().copysign(last);
            v[i - 1] = last - end;
            let factor = 2.0 / (others + v[i - 1] * v[i - 1]);
            (beside[i - 1], factors[i]) = (end, factor);
            // p = β·A·v from the lower half.
            let p = &mut products[..i];
            p.fill(0.0);
            for (j, row) in block.chunks_exact(n).enumerate() {
                let (below, vj) = (&row[..j], v[j]);
                let mut sum = row[j] * vj;
                for ((x, v), p) in below.iter().zip(&*v).zip(p.iter_mut()) {
                    sum += x * v;
                    *p += x * vj;
                }
                p[j] += sum;
            }
            p.iter_mut().for_each(|p| *p *= factor);
            // A ← H·A·H = A − v·wᵀ − w·vᵀ with w = p − (β/2)(p·v)·v.
            let share = 0.5 * factor * p.iter().zip(&*v).map(|(p, v)| p * v).sum::<f64>();
            p.iter_mut().zip(&*v).for_each(|(p, v)| *p -= share * v);
            for (j, row) in block.chunks_exact_mut(n).enumerate() {
                let (vj, wj) = (v[j], p[j]);
                for ((x, v), w) in row[..=j].iter_mut().zip(&*v).zip(&*p) {
                    *x -= vj * w + wj * v;
                }
            }
        }
        let diagonal = a.values.iter().step_by(n + 1).copied().collect();
        Ok(Tridiagonal { diagonal, beside, reflections: a, factors })
    }

    fn reflect(&self, i: usize, row: &mut [f64]) {
        let v = &self.reflections.row(i)[..i];
        let share = self.factors[i] * row.iter().zip(v).map(|(x, v)| x * v).sum::<f64>();
        row.iter_mut().zip(v).for_each(|(x, v)| *x -= share * v);
    }

    /// A row times `Q`.
    pub fn turn(&self, row: &mut [f64]) {
        (1..self.diagonal.len()).rev().for_each(|i| self.reflect(i, row));
    }

    /// A row times `Qᵀ`.
    pub fn turn_back(&self, row: &mut [f64]) {
        (1..self.diagonal.len()).for_each(|i| self.reflect(i, row));
    }

    /// `x` with `(T + shift·I)·x = right`, in place; the shifted matrix must be positive definite. Pivots below `least`
    /// count as that.
    pub fn solve(&self, shift: f64, least: f64, right: &mut [f64]) {
        let n = right.len();
        let mut pivots = vec![0.0; n];
        for i in 0..n {
            let mut pivot = self.diagonal[i] + shift;
            if i > 0 {
                let ratio = self.beside[i - 1] / pivots[i - 1];
                pivot -= ratio * self.beside[i - 1];
                right[i] -= ratio * right[i - 1];
            }
            pivots[i] = pivot.max(least);
        }
        for i in (0..n).rev() {
            let behind = if i + 1 < n { self.beside[i] * right[i + 1] } else { 0.0 };
            right[i] = (right[i] - behind) / pivots[i];
        }
    }
}

/// Eigenvalues, in no order, and a matrix whose row i is the unit vector of eigenvalue i.
#[derive(Clone, Debug)]
pub struct Eigen {
    /// The eigenvalues.
    pub values: Vec<f64>,
    /// Their vectors, as rows.
    pub vectors: Matrix,
}

/// QL steps after which an eigenvalue is given up; two or three are usual.
const MOST_STEPS: usize = 60;

/// The eigenvalues and vectors of a symmetric matrix.
///
/// # Errors
/// When it is not square, or a number in it is not finite.
pub fn eigen(matrix: &Matrix) -> Result<Eigen, TensorError> {
    let form = Tridiagonal::of(matrix)?;
    let n = form.diagonal.len();
    let (mut d, mut e) = (form.diagonal.clone(), form.beside.clone());
    let mut vectors = Matrix::zeros(n, n).plus_diagonal(1.0);
    for l in 0..n {
        let mut steps = 0;
        loop {
            let small = |i: &usize| {
                let scale = d[*i].abs() + d[i + 1].abs();
                e[*i].abs() <= f64::EPSILON * scale
            };
            let m = (l..n - 1).find(small).unwrap_or(n - 1);
            if m == l {
                break;
            }
            steps += 1;
            if steps > MOST_STEPS || !d[l].is_finite() {
                return Err(TensorError::NoEigenvalues { size: n });
            }
            ql_step(&mut d, &mut e, l, m, &mut vectors);
        }
    }
    (0..n).for_each(|i| form.turn_back(vectors.row_mut(i)));
    Ok(Eigen { values: d, vectors })
}

/// One implicit step on the rows l..=m.
fn ql_step(d: &mut [f64], e: &mut [f64], l: usize, m: usize, vectors: &mut Matrix) {
    let n = vectors.columns;
    let mut g = (d[l + 1] - d[l]) / (2.0 * e[l]);
    g = d[m] - d[l] + e[l] / (g + g.hypot(1.0).copysign(g));
    let (mut sine, mut cosine, mut shift) = (1.0, 1.0, 0.0);
    for i in (l..m).rev() {
        let (f, b) = (sine * e[i], cosine * e[i]);
        let r = f.hypot(g);
        e[i + 1] = r;
        if r == 0.0 {
            d[i + 1] -= shift;
            e[m] = 0.0;
            return;
        }
        (sine, cosine) = (f / r, g / r);
        g = d[i + 1] - shift;
        let r = (d[i] - g) * sine + 2.0 * cosine * b;
        shift = sine * r;
        d[i + 1] = g + shift;
        g = cosine * r - b;
        let (upper, lower) = vectors.values[i * n..(i + 2) * n].split_at_mut(n);
        for (x, y) in upper.iter_mut().zip(lower) {
            (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
        }
    }
    d[l] -= shift;
    e[l] = g;
    e[m] = 0.0;
}

#[cfg(test)]
mod tests {
    use super::super::tests::{distance, spd};
    use super::*;

    #[test]
    fn eigenvalues_on_paper() {
        let mut found = eigen(&Matrix::new(2, 2, vec![2.0, 1.0, 1.0, 2.0]).unwrap()).unwrap().values;
        found.sort_by(f64::total_cmp);
        assert!((found[0] - 1.0).abs() < 1e-12 && (found[1] - 3.0).abs() < 1e-12);
        assert_eq!(eigen(&Matrix::new(1, 1, vec![4.0]).unwrap()).unwrap().values, [4.0]);
    }

    #[test]
    fn vectors_times_eigenvalues_give_the_matrix_again() {
        // With equal eigenvalues, and with rows of zeros, too.
        let block = Matrix::zeros(12, 12).plus_diagonal(3.0);
        let mut bordered = Matrix::zeros(15, 15);
        spd(12).values.chunks_exact(12).enumerate().for_each(|(i, row)| {
            bordered.row_mut(i)[..12].copy_from_slice(row);
        });
        for matrix in [spd(30), block, bordered, Matrix::zeros(4, 4)] {
            let Eigen { values, vectors } = eigen(&matrix).unwrap();
            let again = vectors.transposed().times(&vectors.clone().scale_rows(&values)).unwrap();
            assert!(distance(&again, &matrix) < 1e-10);
            let identity = Matrix::zeros(values.len(), values.len()).plus_diagonal(1.0);
            assert!(distance(&vectors.times(&vectors.transposed()).unwrap(), &identity) < 1e-12);
        }
    }

    #[test]
    fn a_matrix_that_is_not_finite_has_no_eigenvalues() {
        let matrix = Matrix::new(2, 2, vec![f64::NAN; 4]).unwrap();
        assert!(eigen(&matrix).is_err());
    }
}
