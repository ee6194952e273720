//! The support of one episode in double precision, for fits that single precision serves badly.
//!
//! That is so where the items lie far from zero and near each other, because their inner products then hold little of what
//! they differ in; and where the penalty is small beside the rounding of the products, because the fit then divides by it.
//! Weights are formed in double precision too, since large coefficients of such fits cancel, and are meant for items seen
//! from the same origin as the support.

use std::cell::OnceCell;

use super::super::error::TensorError;
use super::super::{kernel, origin};
use super::gram::Gram;
use super::host::Fit;

/// The largest rounding error of a product, as a share of the penalty, that a fit bears.
const BEARABLE: f64 = 1.0 / 64.0;

/// The inner products of one episode's support.
pub(in super::super) struct Products<'a> {
    plain: Gram<'a>,
    support: usize,
    near: bool,
    /// The largest squared norm of an item.
    largest: f64,
    precise: OnceCell<Precise>,
}

/// Weights (way × dim) and bias (way) for items seen from an origin (dim).
pub(in super::super) struct Head {
    pub(super) weights: Vec<f64>,
    pub(super) bias: Option<Vec<f64>>,
    pub(super) origin: Option<Vec<f64>>,
}

impl<'a> Products<'a> {
    /// From the inner products as single precision knows them (n × n), or from the features.
    pub(in super::super) fn of(plain: Gram<'a>, support: usize) -> Products<'a> {
        let (total, largest, common) = plain.spread();
        let near = support > 1 && origin::near(total, common);
        Products { plain, support, near, largest, precise: OnceCell::new() }
    }

    /// The largest squared norm of an item.
    pub(super) fn largest(&self) -> f64 {
        self.largest
    }

    /// What suits a fit of single precision.
    pub(super) fn plain(&self) -> &Gram<'a> {
        &self.plain
    }

    /// The support (n × dim, which `read` gives) in double precision, where a fit with this penalty asks for it.
    pub(super) fn precise(
        &self,
        penalty: Option<f64>,
        read: impl FnOnce() -> Result<Vec<f64>, TensorError>,
    ) -> Result<Option<&Precise>, TensorError> {
        let rounding = self.largest * f64::from(f32::EPSILON);
        if !self.near && penalty.is_none_or(|penalty| rounding <= BEARABLE * penalty) {
            return Ok(None);
        }
        if self.precise.get().is_none() {
            let precise = Precise::of(read()?, self.support, self.near);
            return Ok(Some(self.precise.get_or_init(|| precise)));
        }
        Ok(self.precise.get())
    }
}

/// The support of an episode in double precision.
pub(in super::super) struct Precise {
    rows: Vec<f64>,
    dim: usize,
    gram: Gram<'static>,
    moved: Option<Moved>,
}

/// The same seen from an origin.
struct Moved {
    origin: Vec<f64>,
    rows: Vec<f64>,
    gram: Gram<'static>,
}

impl Precise {
    fn of(mut rows: Vec<f64>, support: usize, near: bool) -> Precise {
        let dim = rows.len().checked_div(support).unwrap_or(0);
        if !near {
            let gram = gram(&rows, support, dim);
            return Precise { rows, dim, gram, moved: None };
        }
        make_unit(&mut rows, dim);
        let mut mean = vec![0.0f64; dim];
        rows.chunks_exact(dim).for_each(|row| mean.iter_mut().zip(row).for_each(|(m, x)| *m += x));
        // Items are seen from a point of single precision.
        let origin: Vec<f64> = mean.iter().map(|m| single(m / support as f64)).collect();
        let less = |(x, o): (&f64, &f64)| x - o;
        let seen: Vec<f64> =
            rows.chunks_exact(dim).flat_map(|row| row.iter().zip(&origin).map(less)).collect();
        let moved = gram(&seen, support, dim);
        let gram = match moved.products() {
            None => Gram::of_features(rows.clone(), support),
            Some(products) => Gram::of_products(from_zero(products, &seen, &origin), support),
        };
        let gram = gram.precise();
        Precise { rows, dim, gram, moved: Some(Moved { origin, rows: seen, gram: moved }) }
    }

    /// The inner products for a fit; of one whose bias is free, which a common part does not touch, those from the origin.
    pub(super) fn gram(&self, free_bias: bool) -> &Gram<'static> {
        self.moved.as_ref().filter(|_| free_bias).map_or(&self.gram, |moved| &moved.gram)
    }

    /// The weights and the bias of a fit to [`Precise::gram`].
    ///
    /// With `x = x' + o` a score is `w·x + b = w·x' + (w·o + b)`. What the labels' biases have in common is left out: it
    /// changes no order and no softmax, and may be so large that single precision keeps nothing else.
    pub(super) fn head(&self, fit: &Fit, way: usize, free_bias: bool) -> Head {
        let n = fit.coefficients.len().checked_div(way).unwrap_or(0);
        let by_label: Vec<f64> = (0..way * n).map(|at| fit.coefficients[at % n * way + at / n]).collect();
        let rows = self.moved.as_ref().filter(|_| free_bias).map_or(&self.rows, |moved| &moved.rows);
        let mut weights = vec![0.0; way * self.dim];
        kernel::multiply(&by_label, rows, n, self.dim, &mut weights);
        let bias = self.moved.as_ref().map_or_else(
            || fit.bias.clone(),
            |moved| {
                let mut bias = fit.bias.clone().unwrap_or_else(|| vec![0.0; way]);
                if !free_bias {
                    let of_origin = |w: &[f64]| w.iter().zip(&moved.origin).map(|(w, o)| w * o).sum();
                    let lifts: Vec<f64> = weights.chunks_exact(self.dim.max(1)).map(of_origin).collect();
                    bias.iter_mut().zip(lifts).for_each(|(b, lift)| *b += lift);
                }
                let mean = bias.iter().sum::<f64>() / way.max(1) as f64;
                bias.iter_mut().for_each(|b| *b -= mean);
                Some(bias)
            },
        );
        let origin = self.moved.as_ref().map(|moved| moved.origin.clone());
        Head { weights, bias, origin }
    }
}

/// Makes rows that single precision has for unit vectors such: near each other, they differ by less than their lengths
/// were rounded by.
fn make_unit(rows: &mut [f64], dim: usize) {
    let norm = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>().sqrt();
    let norms: Vec<f64> = rows.chunks_exact(dim.max(1)).map(norm).collect();
    if norms.iter().all(|norm| (norm - 1.0).abs() < 1e-6) {
        let rows = rows.chunks_exact_mut(dim.max(1)).zip(norms);
        rows.for_each(|(row, norm)| row.iter_mut().for_each(|x| *x /= norm));
    }
}

/// The number with the digits that single precision keeps, however large or small it is.
fn single(x: f64) -> f64 {
    f64::from_bits((x.to_bits() + (1 << 28)) & !((1 << 29) - 1))
}

/// The inner products of `rows` (n × dim), as a matrix while it is small.
fn gram(rows: &[f64], n: usize, dim: usize) -> Gram<'static> {
    if n > dim {
        return Gram::of_features(rows.to_vec(), n).precise();
    }
    let columns: Vec<f64> = (0..dim * n).map(|at| rows[at % n * dim + at / n]).collect();
    let mut products = vec![0.0; n * n];
    kernel::multiply(rows, &columns, dim, n, &mut products);
    Gram::of_products(products, n).precise()
}

/// The inner products of `s + o` from those of `s`: `(s + o)·(t + o) = s·t + s·o + o·t + o·o`.
fn from_zero(products: &[f64], seen: &[f64], origin: &[f64]) -> Vec<f64> {
    let dot = |row: &[f64]| row.iter().zip(origin).map(|(x, o)| x * o).sum::<f64>();
    let along: Vec<f64> = seen.chunks_exact(origin.len().max(1)).map(dot).collect();
    let squared: f64 = origin.iter().map(|o| o * o).sum();
    let n = along.len();
    (0..n * n).map(|at| products[at] + along[at / n] + along[at % n] + squared).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three items of two columns with a large common part, or none.
    fn rows(common: f64) -> Vec<f64> {
        [common + 1.0, 0.5, common - 1.0, -0.25, common, 2.0].to_vec()
    }

    #[test]
    fn a_common_part_or_a_small_penalty_asks_for_double_precision() {
        let asks = |common: f64, penalty: Option<f64>| {
            let products = Products::of(Gram::of_features(rows(common), 3), 3);
            products.precise(penalty, || Ok(rows(common))).unwrap().is_some()
        };
        assert!(asks(1000.0, None) && asks(1000.0, Some(1e9)) && asks(1.0, Some(1e-6)));
        assert!(!asks(1.0, Some(1.0)) && !asks(1.0, None));
    }

    #[test]
    fn a_head_from_the_origin_scores_as_the_plain_one_but_for_what_labels_share() {
        for n_above_dim in [true, false] {
            let rows = if n_above_dim { rows(1000.0) } else { vec![1000.0, 3.0, 1.0, 1001.0, 2.0, -1.0] };
            let support = if n_above_dim { 3 } else { 2 };
            let dim = rows.len() / support;
            let precise = Precise::of(rows.clone(), support, true);
            let coefficients: Vec<f64> = (0..support * 2).map(|i| i as f64 - 1.5).collect();
            let fit = Fit::of(coefficients, None, true);
            let head = precise.head(&fit, 2, false);
            let (bias, origin) = (head.bias.unwrap(), head.origin.unwrap());
            let x: Vec<f64> = (0..dim).map(|j| origin[j] + j as f64).collect();
            let score = |c: usize| {
                let w = &head.weights[c * dim..(c + 1) * dim];
                bias[c] + (0..dim).map(|j| w[j] * (x[j] - origin[j])).sum::<f64>()
            };
            let plain = |c: usize| {
                let weight = |j: usize| -> f64 {
                    (0..support).map(|i| fit.coefficients[i * 2 + c] * rows[i * dim + j]).sum()
                };
                (0..dim).map(|j| weight(j) * x[j]).sum::<f64>()
            };
            assert!((score(1) - score(0) - (plain(1) - plain(0))).abs() < 1e-3);
            let mut entries = vec![0.0; support * support];
            let unit: Vec<f64> = (0..support * support).map(|i| f64::from(i % (support + 1) == 0)).collect();
            precise.gram(false).times(&unit, support, &mut entries);
            for (at, found) in entries.iter().enumerate() {
                let row = |i: usize| &rows[i * dim..(i + 1) * dim];
                let expected: f64 = row(at / support).iter().zip(row(at % support)).map(|(a, b)| a * b).sum();
                assert!((found - expected).abs() < 1e-6 * expected.abs());
            }
        }
    }
}
