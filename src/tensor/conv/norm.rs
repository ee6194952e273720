//! Batch normalisation on the host (Ioffe and Szegedy 2015): each channel to mean zero and variance one.

use rayon::prelude::*;

use super::convolve::CHUNKS;
use crate::numbers::with_lanes;

/// Mean and variance of each channel over a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// The means.
    pub mean: Vec<f32>,
    /// The variances, divided by the count.
    pub variance: Vec<f32>,
    /// Over how many numbers per channel.
    pub count: usize,
}

/// Running means and variances, which take the place of a batch's own once training is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    /// The means.
    pub mean: Vec<f32>,
    /// The variances.
    pub variance: Vec<f32>,
}

impl Running {
    /// Mean zero and variance one.
    pub fn new(channels: usize) -> Running {
        Running { mean: vec![0.0; channels], variance: vec![1.0; channels] }
    }

    /// Moves by the part `momentum` towards a batch, whose variance counts as torch counts it: divided by count − 1.
    pub fn update(&mut self, batch: &Moments, momentum: f32) {
        let unbiased = batch.count as f32 / batch.count.saturating_sub(1).max(1) as f32;
        let pairs = self.mean.iter_mut().zip(&batch.mean);
        pairs.for_each(|(running, mean)| *running += momentum * (mean - *running));
        let pairs = self.variance.iter_mut().zip(&batch.variance);
        pairs.for_each(|(running, variance)| *running += momentum * (variance * unbiased - *running));
    }
}

/// Sums over rows (count, channels), in a form that two of can be joined without loss of digits.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    count: f64,
    mean: Vec<f64>,
    /// Squared deviations from the mean.
    squares: Vec<f64>,
}

/// Rows that are summed in single precision.
const ROWS: usize = 1024;

impl Sums {
    /// Adds rows of `channels` numbers.
    pub fn add(&mut self, rows: &[f32], channels: usize) {
        for rows in rows.chunks(ROWS * channels) {
            self.join(&Sums::of(rows, channels));
        }
    }

    fn of(rows: &[f32], channels: usize) -> Sums {
        let (mut sum, mut square) = (vec![0.0f32; channels], vec![0.0f32; channels]);
        let Some(pivot) = rows.get(..channels) else { return Sums::default() };
        // Deviations from some row are as small as those from the mean, so that nothing cancels.
        with_lanes(|| {
            for row in rows.chunks_exact(channels) {
                for (((s, q), x), p) in sum.iter_mut().zip(&mut square).zip(row).zip(pivot) {
                    let d = x - p;
                    *s += d;
                    *q += d * d;
                }
            }
        });
        let count = (rows.len() / channels) as f64;
        let wide = |v: &f32| f64::from(*v);
        Sums {
            count,
            mean: pivot.iter().zip(&sum).map(|(p, s)| wide(p) + wide(s) / count).collect(),
            squares: square.iter().zip(&sum).map(|(q, s)| wide(q) - wide(s) * wide(s) / count).collect(),
        }
    }

    /// Joins two sums (Chan, Golub and LeVeque 1979).
    pub fn join(&mut self, other: &Sums) {
        if self.count == 0.0 || other.count == 0.0 {
            if self.count == 0.0 {
                self.clone_from(other);
            }
            return;
        }
        let count = self.count + other.count;
        let means = self.mean.iter_mut().zip(&other.mean);
        for ((mean, other_mean), (squares, other_squares)) in
            means.zip(self.squares.iter_mut().zip(&other.squares))
        {
            let d = other_mean - *mean;
            *mean += d * other.count / count;
            *squares += other_squares + d * d * self.count * other.count / count;
        }
        self.count = count;
    }

    /// Mean and variance.
    pub fn moments(&self) -> Moments {
        Moments {
            mean: self.mean.iter().map(|m| *m as f32).collect(),
            variance: self.squares.iter().map(|s| (s / self.count).max(0.0) as f32).collect(),
            count: self.count as usize,
        }
    }
}

/// Mean and variance of each channel of `x` (rows, channels).
pub(super) fn moments(x: &[f32], channels: usize) -> Moments {
    let rows = (x.len() / channels).div_ceil(CHUNKS).max(1);
    let parts: Vec<Sums> = x
        .par_chunks(rows * channels)
        .map(|rows| {
            let mut sums = Sums::default();
            sums.add(rows, channels);
            sums
        })
        .collect();
    let mut all = Sums::default();
    parts.iter().for_each(|part| all.join(part));
    all.moments()
}

/// A normalisation with its scale and shift as one factor and one term per channel: `x · factor + term`.
#[derive(Clone, Debug)]
pub(super) struct Affine {
    pub factor: Vec<f32>,
    pub term: Vec<f32>,
    pub mean: Vec<f32>,
    /// One over the standard deviation.
    pub inverse: Vec<f32>,
}

impl Affine {
    pub fn new(mean: &[f32], variance: &[f32], scale: &[f32], shift: &[f32], epsilon: f32) -> Affine {
        let inverse: Vec<f32> = variance.iter().map(|v| 1.0 / (v + epsilon).sqrt()).collect();
        let factor: Vec<f32> = inverse.iter().zip(scale).map(|(i, s)| i * s).collect();
        let term = factor.iter().zip(mean).zip(shift).map(|((f, m), s)| s - m * f).collect();
        Affine { factor, term, mean: mean.to_vec(), inverse }
    }

    /// `x · factor + term`, row by row.
    pub fn apply(&self, x: &[f32]) -> Vec<f32> {
        let (channels, mut out) = (self.factor.len(), vec![0.0; x.len()]);
        let parts = out.par_chunks_mut(ROWS * channels).zip(x.par_chunks(ROWS * channels));
        parts.for_each(|(out, x)| {
            with_lanes(|| {
                for (out, x) in out.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
                    for (((o, x), f), t) in out.iter_mut().zip(x).zip(&self.factor).zip(&self.term) {
                        *o = x * f + t;
                    }
                }
            });
        });
        out
    }

    /// The gradients of shift and scale, `Σ g` and `Σ g·x̂` per channel, where x̂ is the normalised x.
    pub fn gradients(&self, x: &[f32], gradient: &[f32]) -> AffineGradients {
        let channels = self.factor.len();
        let rows = (x.len() / channels).div_ceil(CHUNKS).max(1);
        let parts: Vec<AffineGradients> = x
            .par_chunks(rows * channels)
            .zip(gradient.par_chunks(rows * channels))
            .map(|(x, gradient)| {
                let mut sums = AffineGradients::new(channels);
                for (x, gradient) in x.chunks(ROWS * channels).zip(gradient.chunks(ROWS * channels)) {
                    let mut part = AffineGradients::new(channels);
                    for (x, g) in x.chunks_exact(channels).zip(gradient.chunks_exact(channels)) {
                        for c in 0..channels {
                            part.shift[c] += g[c];
                            part.scale[c] += g[c] * (x[c] - self.mean[c]) * self.inverse[c];
                        }
                    }
                    sums.join(&part);
                }
                sums
            })
            .collect();
        let mut all = AffineGradients::new(channels);
        parts.iter().for_each(|part| all.join(part));
        all
    }

    /// The part of the gradient of x that passes through the batch's own moments.
    pub fn input_gradient(&self, sums: &AffineGradients, count: usize) -> InputGradient {
        // dx = factor·(g − Σg/n − x̂·Σ(g·x̂)/n), and x̂ = (x − mean)·inverse
        let n = count as f32;
        let slope: Vec<f32> =
            (0..self.factor.len()).map(|c| -self.factor[c] * self.inverse[c] * sums.scale[c] / n).collect();
        let start =
            (0..slope.len()).map(|c| -self.factor[c] * sums.shift[c] / n - slope[c] * self.mean[c]).collect();
        InputGradient { slope, start }
    }
}

/// What the gradient of a normalisation's input has beside `g · factor`: `x · slope + start`, per channel.
#[derive(Clone, Debug)]
pub(super) struct InputGradient {
    pub slope: Vec<f32>,
    pub start: Vec<f32>,
}

/// The gradients of shift and scale.
#[derive(Clone, Debug)]
pub(super) struct AffineGradients {
    pub shift: Vec<f32>,
    pub scale: Vec<f32>,
}

impl AffineGradients {
    pub fn new(channels: usize) -> AffineGradients {
        AffineGradients { shift: vec![0.0; channels], scale: vec![0.0; channels] }
    }

    pub fn join(&mut self, other: &AffineGradients) {
        self.shift.iter_mut().zip(&other.shift).for_each(|(a, b)| *a += b);
        self.scale.iter_mut().zip(&other.scale).for_each(|(a, b)| *a += b);
    }
}

/// Adds `gradient · factor + x · slope + start` to `out`, row by row; where the moments are given, only the first.
pub(super) fn add_input_gradient(
    affine: &Affine,
    input: Option<&InputGradient>,
    x: &[f32],
    gradient: &[f32],
    out: &mut [f32],
) {
    let channels = affine.factor.len();
    let zero = InputGradient { slope: vec![0.0; channels], start: vec![0.0; channels] };
    let InputGradient { slope, start } = input.unwrap_or(&zero);
    let parts = x.par_chunks(ROWS * channels).zip(gradient.par_chunks(ROWS * channels));
    out.par_chunks_mut(ROWS * channels).zip(parts).for_each(|(out, (x, gradient))| {
        with_lanes(|| {
            let rows = x.chunks_exact(channels).zip(gradient.chunks_exact(channels));
            for (out, (x, g)) in out.chunks_exact_mut(channels).zip(rows) {
                let numbers = out.iter_mut().zip(x).zip(g);
                let factors = affine.factor.iter().zip(slope).zip(start);
                for (((o, x), g), ((f, s), t)) in numbers.zip(factors) {
                    *o += g * f + x * s + t;
                }
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_far_from_zero_keep_their_digits() {
        let x: Vec<f32> = (0..40_000).map(|i| 1e4 + (i % 4) as f32).collect();
        let found = moments(&x, 1);
        assert!((found.mean[0] - 10_001.5).abs() < 1e-2 && (found.variance[0] - 1.25).abs() < 1e-5);
        assert_eq!(found.count, 40_000);
    }

    #[test]
    fn running_moments_move_towards_the_batch() {
        let mut running = Running::new(1);
        let batch = Moments { mean: vec![10.0], variance: vec![3.0], count: 4 };
        running.update(&batch, 0.1);
        assert!((running.mean[0] - 1.0).abs() < 1e-6 && (running.variance[0] - 1.3).abs() < 1e-6);
    }
}
