//! Inner products of a support set, as a matrix while the support is small, as its features once it is larger than they
//! have columns.
//!
//! With S (support, dim) and `K = S·Sᵀ`, a product with K costs support² numbers, one with S and Sᵀ costs 2·support·dim; and
//! the inverse of a regularised K follows from one of dim × dim (Woodbury):
//! `(s·K + r·I)⁻¹ = (I − S(r/s·I + SᵀS)⁻¹Sᵀ)/r`.

use std::borrow::Cow;

use super::super::error::TensorError;
use super::super::kernel;
use super::super::matrix::{Eigen, Matrix, eigen};
use super::inverse::{inverse, with_ridge};

/// The matrix K of one episode.
pub(in super::super) struct Gram<'a> {
    n: usize,
    form: Form<'a>,
    /// Whether its numbers are precise enough for their directions to be told apart.
    precise: bool,
}

enum Form<'a> {
    /// K itself (n × n).
    Products(Cow<'a, [f64]>),
    /// S (n × dim) and Sᵀ (dim × n).
    Features { rows: Cow<'a, [f64]>, columns: Vec<f64>, dim: usize },
}

/// `(s·K + r·I)⁻¹`.
pub(in super::super) struct Inverse<'a> {
    gram: &'a Gram<'a>,
    /// The inverse itself, or the inverse of `r/s·I + SᵀS` (dim × dim).
    core: Core,
    ridge: f64,
}

/// The inverse of a symmetric matrix.
enum Core {
    Formed(Vec<f64>),
    /// `Vᵀ·diag(shares)·V` with the directions as rows of V, applied one after another. Where the penalty is small beside the largest product, the formed
    /// inverse has errors of the size of the smallest directions along the largest, which multiply them.
    Factored {
        vectors: Vec<f64>,
        transposed: Vec<f64>,
        shares: Vec<f64>,
    },
}

/// The largest sum of eigenvalues, in penalties, of which the inverse is formed.
const STEEP: f64 = 1e5;

impl Core {
    /// Of `scale·matrix + ridge·I` (n × n).
    fn of(
        matrix: &[f64],
        n: usize,
        (scale, ridge): (f64, f64),
        precise: bool,
        operation: &'static str,
    ) -> Result<Core, TensorError> {
        let trace: f64 = matrix.iter().step_by(n + 1).sum();
        if !precise || trace * scale <= STEEP * ridge {
            let scaled: Vec<f64> = matrix.iter().map(|v| v * scale).collect();
            return Ok(Core::Formed(inverse(&with_ridge(&scaled, n, ridge), n, operation)?));
        }
        let Eigen { values, vectors } = eigen(&Matrix::new(n, n, matrix.to_vec())?)?;
        let shares = values.iter().map(|value| 1.0 / (value.max(0.0) * scale + ridge)).collect();
        Ok(Core::Factored {
            transposed: vectors.transposed().values().to_vec(),
            vectors: vectors.values().to_vec(),
            shares,
        })
    }

    /// `out = v·inverse` for v (count × n).
    fn across(&self, v: &[f64], n: usize, out: &mut [f64]) {
        match self {
            Core::Formed(inverse) => kernel::multiply(v, inverse, n, n, out),
            Core::Factored { vectors, transposed, shares } => {
                let mut inner = vec![0.0; v.len()];
                kernel::multiply(v, transposed, n, n, &mut inner);
                let rows = inner.chunks_exact_mut(n.max(1));
                rows.for_each(|row| row.iter_mut().zip(shares).for_each(|(x, share)| *x *= share));
                kernel::multiply(&inner, vectors, n, n, out);
            }
        }
    }
}

impl<'a> Gram<'a> {
    /// From the inner products (n × n).
    pub(in super::super) fn of_products(products: impl Into<Cow<'a, [f64]>>, n: usize) -> Gram<'a> {
        Gram { n, form: Form::Products(products.into()), precise: false }
    }

    /// From the features (n × dim).
    pub(in super::super) fn of_features(rows: impl Into<Cow<'a, [f64]>>, n: usize) -> Gram<'a> {
        let rows = rows.into();
        let dim = rows.len().checked_div(n).unwrap_or(0);
        let columns = (0..dim * n).map(|at| rows[at % n * dim + at / n]).collect();
        Gram { n, form: Form::Features { rows, columns, dim }, precise: false }
    }

    /// The same, whose numbers double precision has from the beginning.
    pub(super) fn precise(self) -> Gram<'a> {
        Gram { precise: true, ..self }
    }

    /// The inner products (n × n), where they are kept.
    pub(super) fn products(&self) -> Option<&[f64]> {
        match &self.form {
            Form::Products(products) => Some(products),
            Form::Features { .. } => None,
        }
    }

    /// The sum and the largest of the items' squared norms, and the squared norm of their mean, once for each item.
    pub(super) fn spread(&self) -> (f64, f64, f64) {
        let n = self.n;
        let (norms, squared): (Vec<f64>, f64) = match &self.form {
            Form::Products(products) => {
                (products.iter().step_by(n + 1).copied().collect(), products.iter().sum())
            }
            Form::Features { rows, columns, dim } => {
                let norms = rows.chunks_exact(*dim).map(|row| row.iter().map(|x| x * x).sum());
                let sums = columns.chunks_exact(n.max(1)).map(|column| column.iter().sum::<f64>());
                (norms.collect(), sums.map(|sum| sum * sum).sum())
            }
        };
        let largest = norms.iter().copied().fold(0.0, f64::max);
        (norms.iter().sum(), largest, squared / n.max(1) as f64)
    }

    /// The inner product of items `i` and `j`.
    pub(super) fn entry(&self, i: usize, j: usize) -> f64 {
        match &self.form {
            Form::Products(products) => products[i * self.n + j],
            Form::Features { rows, dim, .. } => {
                let row = |i: usize| &rows[i * dim..(i + 1) * dim];
                row(i).iter().zip(row(j)).map(|(a, b)| a * b).sum()
            }
        }
    }

    /// `out = K·v` for v (n × width).
    pub(super) fn times(&self, v: &[f64], width: usize, out: &mut [f64]) {
        match &self.form {
            Form::Products(products) => kernel::multiply(products, v, self.n, width, out),
            Form::Features { rows, columns, dim } => {
                let mut inner = vec![0.0; dim * width];
                kernel::multiply(columns, v, self.n, width, &mut inner);
                kernel::multiply(rows, &inner, *dim, width, out);
            }
        }
    }

    /// `out = v·K` for v (count × n).
    pub(super) fn across(&self, v: &[f64], out: &mut [f64]) {
        match &self.form {
            Form::Products(products) => kernel::multiply(v, products, self.n, self.n, out),
            Form::Features { rows, columns, dim } => {
                let mut inner = vec![0.0; v.len() / self.n.max(1) * dim];
                kernel::multiply(v, rows, self.n, *dim, &mut inner);
                kernel::multiply(&inner, columns, *dim, self.n, out);
            }
        }
    }

    /// Row `i` of `K·v`.
    pub(super) fn row_times(&self, i: usize, v: &[f64], width: usize, out: &mut [f64]) {
        match &self.form {
            Form::Products(products) => {
                kernel::multiply(&products[i * self.n..(i + 1) * self.n], v, self.n, width, out);
            }
            Form::Features { .. } => {
                let row: Vec<f64> = (0..self.n).map(|j| self.entry(i, j)).collect();
                kernel::multiply(&row, v, self.n, width, out);
            }
        }
    }

    /// `(scale·K + ridge·I)⁻¹`.
    pub(super) fn inverse(
        &'a self,
        scale: f64,
        ridge: f64,
        operation: &'static str,
    ) -> Result<Inverse<'a>, TensorError> {
        let core = match &self.form {
            Form::Products(products) => Core::of(products, self.n, (scale, ridge), self.precise, operation)?,
            Form::Features { rows, columns, dim } => {
                let mut inner = vec![0.0; dim * dim];
                kernel::multiply(columns, rows, self.n, *dim, &mut inner);
                Core::of(&inner, *dim, (1.0, ridge / scale), self.precise, operation)?
            }
        };
        Ok(Inverse { gram: self, core, ridge })
    }
}

impl Inverse<'_> {
    /// `out = v·(s·K + r·I)⁻¹` for v (count × n).
    pub(super) fn across(&self, v: &[f64], out: &mut [f64]) {
        let n = self.gram.n;
        match &self.gram.form {
            Form::Products(_) => self.core.across(v, n, out),
            Form::Features { rows, columns, dim } => {
                let count = v.len() / n.max(1);
                let (mut inner, mut solved) = (vec![0.0; count * dim], vec![0.0; count * dim]);
                kernel::multiply(v, rows, n, *dim, &mut inner);
                self.core.across(&inner, *dim, &mut solved);
                kernel::multiply(&solved, columns, *dim, n, out);
                out.iter_mut().zip(v).for_each(|(o, v)| *o = (v - *o) / self.ridge);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_features_are_two_ways_to_the_same_matrix() {
        let (n, dim, width) = (9, 3, 2);
        let rows: Vec<f64> = (0..n * dim).map(|i| ((i * 29 % 17) as f64 - 8.0) / 5.0).collect();
        let by_features = Gram::of_features(&rows, n);
        let mut products = vec![0.0; n * n];
        for (place, product) in products.iter_mut().enumerate() {
            *product = by_features.entry(place / n, place % n);
        }
        let by_products = Gram::of_products(&products, n);
        let v: Vec<f64> = (0..n * width).map(|i| (i as f64).sin()).collect();
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9);
        let (mut a, mut b) = (vec![0.0; n * width], vec![0.0; n * width]);
        by_features.times(&v, width, &mut a);
        by_products.times(&v, width, &mut b);
        assert!(close(&a, &b));
        by_features.inverse(0.7, 0.3, "test").unwrap().across(&v, &mut a);
        by_products.inverse(0.7, 0.3, "test").unwrap().across(&v, &mut b);
        assert!(close(&a, &b), "{a:?} {b:?}");
        let transposed: Vec<f64> = (0..width * n).map(|i| v[i % n * width + i / n]).collect();
        let (mut across, mut down) = (vec![0.0; width * n], vec![0.0; n * width]);
        for gram in [&by_features, &by_products] {
            let same = |across: &[f64], down: &[f64]| {
                (0..n * width).all(|i| (down[i] - across[i % width * n + i / width]).abs() < 1e-9)
            };
            gram.times(&v, width, &mut down);
            gram.across(&transposed, &mut across);
            assert!(same(&across, &down));
        }
        by_features.row_times(4, &v, width, &mut a[..width]);
        by_products.row_times(4, &v, width, &mut b[..width]);
        assert!(close(&a[..width], &b[..width]));
    }
}
