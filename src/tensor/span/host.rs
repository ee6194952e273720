//! Small dense matrices on the host, in double precision, and the loop over the episodes of a batch.

use dfdx::shapes::HasShape;
use dfdx::tensor::Cpu;

use super::super::error::{TensorError, same};
use super::super::{Backend, Labels, Tensor3, ops, to_host};
use super::gram::Gram;
use super::inverse::inverse;
use super::solution::Solution;

/// One episode's fit: coefficients (support, way), bias (way) or nothing, and whether it converged.
pub(in super::super) struct Fit {
    pub(in super::super) coefficients: Vec<f64>,
    pub(in super::super) bias: Option<Vec<f64>>,
    pub(in super::super) converged: bool,
}

/// The transpose of numbers (way, support), as a fit's coefficients stand.
pub(super) fn item_by_item(by_label: &[f64], way: usize) -> Vec<f64> {
    let support = by_label.len() / way.max(1);
    (0..by_label.len()).map(|place| by_label[place % way * support + place / way]).collect()
}

/// Fits every episode by itself from its features (episodes, support, dim) and its labels.
pub(in super::super) fn each(
    device: &Cpu,
    features: &Tensor3<Cpu>,
    labels: &Labels,
    fit: impl Fn(&Gram<'_>, Task<'_>) -> Result<Fit, TensorError>,
) -> Result<Solution<Cpu>, TensorError> {
    each_numbered(device, features, labels, |_, gram, task| fit(gram, task))
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

/// As [`each`], with the place of the episode in the batch.
pub(in super::super) fn each_numbered(
    device: &Cpu,
    features: &Tensor3<Cpu>,
    labels: &Labels,
    fit: impl Fn(usize, &Gram<'_>, Task<'_>) -> Result<Fit, TensorError>,
) -> Result<Solution<Cpu>, TensorError> {
    let one = |episode: usize, gram: &Gram<'_>, task: Task<'_>| Ok(vec![fit(episode, gram, task)?]);
    let mut solutions = each_of(device, features, labels, 1, one)?;
    Ok(solutions.pop().expect("one solution was asked for"))
}

/// As [`each_numbered`], with `count` fits of every episode, which share its inner products.
pub(in super::super) fn each_of(
    device: &Cpu,
    features: &Tensor3<Cpu>,
    labels: &Labels,
    count: usize,
    fit: impl Fn(usize, &Gram<'_>, Task<'_>) -> Result<Vec<Fit>, TensorError>,
) -> Result<Vec<Solution<Cpu>>, TensorError> {
    let (episodes, slots, dim) = *features.shape();
    same("a head", "episodes", labels.episodes(), episodes)?;
    same("a head", "support", labels.slots(), slots)?;
    // Products of a support that is larger than its features have columns would only cost more.
    let (all, columns) =
        if slots <= dim { (to_host(&ops::gram(features)?)?, slots) } else { (to_host(features)?, dim) };
    let way = labels.way();
    let mut found: Vec<Found> = (0..count).map(|_| Found::zeros(episodes * slots * way)).collect();
    let mut wide = Vec::new();
    for episode in 0..episodes {
        let task = Task { labels: labels.of(episode), way };
        let support = task.support();
        let numbers = &all[episode * slots * columns..(episode + 1) * slots * columns];
        wide.clear();
        for row in numbers.chunks_exact(columns.max(1)).take(support) {
            let filled = if slots <= dim { support } else { dim };
            wide.extend(row[..filled].iter().map(|v| f64::from(*v)));
        }
        let gram =
            if slots <= dim { Gram::of_products(&wide, support) } else { Gram::of_features(&wide, support) };
        let fits = fit(episode, &gram, task)?;
        same("a head", "fits", count, fits.len())?;
        found.iter_mut().zip(fits).for_each(|(found, fit)| found.take(episode * slots * way, fit));
    }
    let solution = |found: Found| {
        Ok(Solution {
            coefficients: device.tensor3((episodes, slots, way), found.coefficients)?,
            bias: found.biases.map(|b| device.tensor2((episodes, way), b)).transpose()?,
            unconverged: found.unconverged,
        })
    };
    found.into_iter().map(solution).collect()
}

/// The fits of all episodes to one objective.
struct Found {
    coefficients: Vec<f32>,
    biases: Option<Vec<f32>>,
    unconverged: usize,
}

impl Found {
    fn zeros(numbers: usize) -> Found {
        Found { coefficients: vec![0.0; numbers], biases: None, unconverged: 0 }
    }

    fn take(&mut self, start: usize, fit: Fit) {
        let out = &mut self.coefficients[start..];
        out.iter_mut().zip(&fit.coefficients).for_each(|(o, v)| *o = *v as f32);
        if let Some(bias) = fit.bias {
            self.biases.get_or_insert_default().extend(bias.iter().map(|v| *v as f32));
        }
        self.unconverged += usize::from(!fit.converged);
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
