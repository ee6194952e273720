//! Small dense matrices on the host, in double precision, and the loop over the episodes of a batch.

use std::cell::OnceCell;

use dfdx::shapes::HasShape;
use dfdx::tensor::Cpu;

use super::super::error::{TensorError, same};
use super::super::{Backend, Labels, Origins, Tensor3, ops, to_host};
use super::gram::Gram;
use super::inverse::inverse;
use super::ops::Objective;
use super::precise::{Head, Products};
use super::solution::Solution;

/// One episode's fit: coefficients (support, way), bias (way) or nothing, and whether it converged.
pub(in super::super) struct Fit {
    pub(in super::super) coefficients: Vec<f64>,
    pub(in super::super) bias: Option<Vec<f64>>,
    pub(in super::super) converged: bool,
    /// Weights and bias of double precision, where the coefficients are not precise enough.
    pub(in super::super) head: Option<Head>,
}

impl Fit {
    /// Coefficients and bias.
    pub(super) fn of(coefficients: Vec<f64>, bias: Option<Vec<f64>>, converged: bool) -> Fit {
        Fit { coefficients, bias, converged, head: None }
    }
}

/// The transpose of numbers (way, support), as a fit's coefficients stand.
pub(super) fn item_by_item(by_label: &[f64], way: usize) -> Vec<f64> {
    let support = by_label.len() / way.max(1);
    (0..by_label.len()).map(|place| by_label[place % way * support + place / way]).collect()
}

/// The labels of one episode's support.
#[derive(Clone, Copy)]
pub(in super::super) struct Task<'a> {
    pub(in super::super) labels: &'a [u16],
    pub(in super::super) way: usize,
}

impl Task<'_> {
    pub(in super::super) fn support(&self) -> usize {
        self.labels.len()
    }

    /// Whether support item `i` has label `c`.
    pub(in super::super) fn has(&self, i: usize, c: usize) -> bool {
        usize::from(self.labels[i]) == c
    }
}

/// Fits every episode by itself from its features (episodes, support, dim) and its labels: one fit for each of the
/// solutions that an objective has, all from the same inner products.
pub(in super::super) fn each(
    device: &Cpu,
    features: &Tensor3<Cpu>,
    labels: &Labels,
    objectives: &[Objective<'_>],
    unit: f64,
) -> Result<Vec<Solution<Cpu>>, TensorError> {
    let (episodes, slots, dim) = *features.shape();
    same("a head", "episodes", labels.episodes(), episodes)?;
    same("a head", "support", labels.slots(), slots)?;
    // Products of a support that is larger than its features have columns would only cost more.
    let (all, columns) =
        if slots <= dim { (to_host(&ops::gram(features)?)?, slots) } else { (to_host(features)?, dim) };
    let (way, count) = (labels.way(), objectives.iter().map(Objective::solutions).sum());
    let mut found: Vec<Found> = (0..count).map(|_| Found::zeros((episodes, slots, way), dim)).collect();
    let mut wide = Vec::new();
    let lazy = OnceCell::new();
    for episode in 0..episodes {
        let task = Task { labels: labels.of(episode), way };
        let support = task.support();
        let numbers = &all[episode * slots * columns..(episode + 1) * slots * columns];
        wide.clear();
        for row in numbers.chunks_exact(columns.max(1)).take(support) {
            let filled = if slots <= dim { support } else { dim };
            wide.extend(row[..filled].iter().map(|v| f64::from(*v)));
        }
        if unit != 1.0 {
            let factor = if slots <= dim { unit * unit } else { unit };
            wide.iter_mut().for_each(|v| *v *= factor);
        }
        let gram = match slots <= dim {
            true => Gram::of_products(&wide[..], support),
            false => Gram::of_features(&wide[..], support),
        };
        let products = Products::of(gram, support);
        let read = || {
            if lazy.get().is_none() {
                let _ = lazy.set(to_host(features)?);
            }
            let all = lazy.get().map_or(&[][..], Vec::as_slice);
            let own = &all[episode * slots * dim..][..support * dim];
            Ok(own.iter().map(|v| f64::from(*v) * unit).collect())
        };
        let mut place = 0;
        for objective in objectives {
            for fit in fits(objective, episode, &products, task, read)? {
                found[place].take(episode, fit, unit);
                place += 1;
            }
        }
    }
    found.into_iter().map(|found| found.solution(device)).collect()
}

/// The fits of one objective to one episode.
fn fits(
    objective: &Objective<'_>,
    episode: usize,
    products: &Products<'_>,
    task: Task<'_>,
    read: impl FnOnce() -> Result<Vec<f64>, TensorError>,
) -> Result<Vec<Fit>, TensorError> {
    let Some(precise) = products.precise(objective.penalty(), read)? else {
        return objective.within(products.largest()).fits(episode, products.plain(), task);
    };
    let free_bias = objective.has_free_bias();
    let gram = precise.gram(free_bias);
    let mut fits = objective.within(gram.spread().1).fits(episode, gram, task)?;
    fits.iter_mut().for_each(|fit| fit.head = Some(precise.head(fit, task.way, free_bias)));
    Ok(fits)
}

/// The fits of all episodes to one objective.
struct Found {
    shape: (usize, usize, usize),
    dim: usize,
    coefficients: Vec<f32>,
    biases: Option<Vec<f32>>,
    weights: Vec<(usize, Vec<f32>)>,
    origins: Vec<(usize, Vec<f32>)>,
    unconverged: usize,
}

impl Found {
    /// For (episodes, support, way).
    fn zeros(shape: (usize, usize, usize), dim: usize) -> Found {
        let coefficients = vec![0.0; shape.0 * shape.1 * shape.2];
        let (weights, origins) = (Vec::new(), Vec::new());
        Found { shape, dim, coefficients, biases: None, weights, origins, unconverged: 0 }
    }

    /// Takes in what is for items in this unit.
    fn take(&mut self, episode: usize, fit: Fit, unit: f64) {
        let (episodes, slots, way) = self.shape;
        let out = &mut self.coefficients[episode * slots * way..];
        // A score is `a·(s·x)` of supports and items that both are multiples of the unit.
        let squared = unit * unit;
        out.iter_mut().zip(&fit.coefficients).for_each(|(o, v)| *o = (*v * squared) as f32);
        let mut bias = fit.bias;
        if let Some(head) = fit.head {
            bias = head.bias;
            self.weights.push((episode, head.weights.iter().map(|w| (w * unit) as f32).collect()));
            let in_unit = |origin: Vec<f64>| origin.iter().map(|o| (o / unit) as f32).collect();
            self.origins.extend(head.origin.map(|origin| (episode, in_unit(origin))));
        }
        if let Some(bias) = bias {
            let all = self.biases.get_or_insert_with(|| vec![0.0; episodes * way]);
            all[episode * way..].iter_mut().zip(bias).for_each(|(o, b)| *o = b as f32);
        }
        self.unconverged += usize::from(!fit.converged);
    }

    fn solution(self, device: &Cpu) -> Result<Solution<Cpu>, TensorError> {
        let (episodes, _, way) = self.shape;
        Ok(Solution {
            coefficients: device.tensor3(self.shape, self.coefficients)?,
            bias: self.biases.map(|b| device.tensor2((episodes, way), b)).transpose()?,
            weights: self.weights,
            origins: Origins::of_some(episodes, self.dim, &self.origins),
            unconverged: self.unconverged,
        })
    }
}

/// The lower Cholesky factor of `matrix` (n × n), in place; the upper half is left as it is.
pub(in super::super) fn cholesky(
    matrix: &mut [f64],
    n: usize,
    operation: &'static str,
) -> Result<(), TensorError> {
    for i in 0..n {
        let (above, rest) = matrix.split_at_mut(i * n);
        let row = &mut rest[..n];
        for (j, other) in above.chunks_exact(n).enumerate() {
            row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
        }
        let pivot = row[i] - dot(&row[..i], &row[..i]);
        if pivot.is_nan() || pivot <= 0.0 {
            return Err(TensorError::NotPositiveDefinite { operation });
        }
        row[i] = pivot.sqrt();
    }
    Ok(())
}

/// An inner product with four partial sums, which the compiler can keep in vector registers.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a_head, a_tail) = a.split_at(a.len() / 4 * 4);
    let (b_head, b_tail) = b.split_at(a_head.len());
    for (a, b) in a_head.chunks_exact(4).zip(b_head.chunks_exact(4)) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let tail: f64 = a_tail.iter().zip(b_tail).map(|(a, b)| a * b).sum();
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + tail
}

/// Inverses of a batch of symmetric positive definite matrices.
pub(in super::super) fn spd_inverse(
    device: &Cpu,
    matrices: &Tensor3<Cpu>,
) -> Result<Tensor3<Cpu>, TensorError> {
    let (episodes, n, columns) = *matrices.shape();
    same("an inverse", "columns", n, columns)?;
    let all = to_host(matrices)?;
    let mut out = Vec::with_capacity(all.len());
    for matrix in all.chunks_exact((n * n).max(1)) {
        let wide: Vec<f64> = matrix.iter().map(|v| f64::from(*v)).collect();
        out.extend(inverse(&wide, n, "an inverse")?.iter().map(|v| *v as f32));
    }
    device.tensor3((episodes, n, n), out)
}

/// Softmax of every row (way), in place.
pub(in super::super) fn softmax_rows(values: &mut [f64], way: usize) {
    for row in values.chunks_exact_mut(way) {
        let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        for v in row.iter_mut() {
            *v = (*v - most).exp();
            sum += *v;
        }
        row.iter_mut().for_each(|v| *v /= sum);
    }
}
