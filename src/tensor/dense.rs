//! Kernels on rows of numbers in the host's memory, in single or in double precision, for learners that work on one
//! episode at a time.

use std::ops::{Add, Div, Mul, Sub};

use pulp::{Simd, WithSimd};

use crate::numbers::{exp_all, with_lanes};

/// Numbers that are multiplied side by side.
const LANES: usize = 8;

/// Rows of weights that are multiplied with one row at once.
const WIDTH: usize = 5;

/// Single or double precision.
pub trait Real:
    Copy + PartialOrd + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// Zero.
    const ZERO: Self;

    /// The nearest number.
    fn of(value: f64) -> Self;

    /// In double precision.
    fn wide(self) -> f64;

    /// `self · factor + summand`, rounded once.
    fn fused(self, factor: Self, summand: Self) -> Self;
}

macro_rules! real {
    ($type:ty) => {
        impl Real for $type {
            const ZERO: $type = 0.0;

            #[inline(always)]
            fn of(value: f64) -> $type {
                value as $type
            }

            #[inline(always)]
            fn wide(self) -> f64 {
                f64::from(self)
            }

            #[inline(always)]
            fn fused(self, factor: $type, summand: $type) -> $type {
                self.mul_add(factor, summand)
            }
        }
    };
}

real!(f32);
real!(f64);

/// A row against `K` weights, each sum in lanes.
#[inline(always)]
fn block<T: Real, const K: usize>(row: &[T], weights: [&[T]; K]) -> [T; K] {
    let mut sums = [[T::ZERO; LANES]; K];
    let (chunks, rest) = row.as_chunks::<LANES>();
    let split: [(&[[T; LANES]], &[T]); K] = weights.map(|w| w[..row.len()].as_chunks::<LANES>());
    for (place, x) in chunks.iter().enumerate() {
        for k in 0..K {
            let w = &split[k].0[place];
            for lane in 0..LANES {
                sums[k][lane] = x[lane].fused(w[lane], sums[k][lane]);
            }
        }
    }
    let mut out = [T::ZERO; K];
    for k in 0..K {
        let mut tail = T::ZERO;
        // A loop, not a fold: a closure that is not inlined here calls the fused operation of a processor without one.
        for (x, w) in rest.iter().zip(split[k].1) {
            tail = x.fused(*w, tail);
        }
        let s = sums[k];
        out[k] = ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7])) + tail;
    }
    out
}

struct Products<'a, T> {
    rows: &'a [T],
    weights: &'a [T],
    dim: usize,
    out: &'a mut [T],
}

impl<T: Real> WithSimd for Products<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Products { rows, weights, dim, out } = self;
        let count = weights.len() / dim;
        let weight = |k: usize| &weights[k * dim..(k + 1) * dim];
        for (row, out) in rows.chunks_exact(dim).zip(out.chunks_exact_mut(count.max(1))) {
            let mut k = 0;
            while k + WIDTH <= count {
                let five = [weight(k), weight(k + 1), weight(k + 2), weight(k + 3), weight(k + 4)];
                out[k..k + WIDTH].copy_from_slice(&block(row, five));
                k += WIDTH;
            }
            while k < count {
                out[k] = block(row, [weight(k)])[0];
                k += 1;
            }
        }
    }
}

/// Inner products of all `rows` (n × dim) with all `weights` (count × dim): `out` (n × count).
///
/// ```
/// let mut out = [0.0; 2];
/// kshot::tensor::dense::products(&[1.0, 2.0], &[3.0, 4.0, 5.0, 6.0], 2, &mut out);
/// assert_eq!(out, [11.0, 17.0]);
/// ```
pub fn products<T: Real>(rows: &[T], weights: &[T], dim: usize, out: &mut [T]) {
    if dim > 0 {
        with_lanes(Products { rows, weights, dim, out });
    }
}

struct Combine<'a, T> {
    shares: &'a [T],
    rows: &'a [T],
    dim: usize,
    out: &'a mut [T],
}

impl<T: Real> WithSimd for Combine<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Combine { shares, rows, dim, out } = self;
        let count = out.len() / dim;
        out.fill(T::ZERO);
        for (row, shares) in rows.chunks_exact(dim).zip(shares.chunks_exact(count.max(1))) {
            for (out, share) in out.chunks_exact_mut(dim).zip(shares) {
                if *share != T::ZERO {
                    for (o, x) in out.iter_mut().zip(row) {
                        *o = x.fused(*share, *o);
                    }
                }
            }
        }
    }
}

/// Sums of `rows` (n × dim) with `shares` (n × count): `out` (count × dim).
///
/// ```
/// let mut out = [0.0; 2];
/// kshot::tensor::dense::combine(&[2.0, 1.0], &[1.0, 2.0, 3.0, 4.0], 2, &mut out);
/// assert_eq!(out, [5.0, 8.0]);
/// ```
pub fn combine<T: Real>(shares: &[T], rows: &[T], dim: usize, out: &mut [T]) {
    if dim > 0 {
        with_lanes(Combine { shares, rows, dim, out });
    }
}

struct Norms<'a, T> {
    rows: &'a [T],
    dim: usize,
    out: &'a mut [T],
}

impl<T: Real> WithSimd for Norms<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (row, out) in self.rows.chunks_exact(self.dim).zip(self.out) {
            *out = block(row, [row])[0];
        }
    }
}

/// The squared norm of every row (n × dim).
pub fn squared_norms<T: Real>(rows: &[T], dim: usize) -> Vec<T> {
    let mut out = vec![T::ZERO; rows.len().checked_div(dim).unwrap_or(0)];
    if dim > 0 {
        with_lanes(Norms { rows, dim, out: &mut out });
    }
    out
}

/// Divides every row (n × dim) by its norm; a row of zeros stays.
pub fn normalise(rows: &mut [f64], dim: usize) {
    for row in rows.chunks_exact_mut(dim.max(1)) {
        // In two steps, because the square of a huge or a tiny number leaves even double precision.
        let largest = row.iter().fold(0.0f64, |most, x| x.abs().max(most));
        if largest > 0.0 {
            let norm = row.iter().map(|x| (x / largest).powi(2)).sum::<f64>().sqrt();
            row.iter_mut().for_each(|x| *x = *x / largest / norm);
        }
    }
}

/// The softmax of every row (n × way), in place.
pub fn softmax(values: &mut [f64], way: usize) {
    for row in values.chunks_exact_mut(way.max(1)) {
        let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        row.iter_mut().for_each(|v| *v -= most);
    }
    exp_all(values);
    for row in values.chunks_exact_mut(way.max(1)) {
        let sum: f64 = row.iter().sum();
        row.iter_mut().for_each(|v| *v /= sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_plain_sums_for_every_size() {
        for (n, count, dim) in [(3, 7, 19), (1, 1, 1), (2, 5, 8), (4, 6, 16)] {
            let number = |i: usize| ((i * 7 % 11) as f64) - 4.0;
            let rows: Vec<f64> = (0..n * dim).map(number).collect();
            let weights: Vec<f64> = (0..count * dim).map(|i| number(i + 3)).collect();
            let mut out = vec![0.0; n * count];
            products(&rows, &weights, dim, &mut out);
            let dot = |r: usize, k: usize| (0..dim).map(|d| rows[r * dim + d] * weights[k * dim + d]).sum();
            let expected: Vec<f64> = (0..n * count).map(|at| dot(at / count, at % count)).collect();
            assert_eq!(out, expected);
            let mut sums = vec![0.0; count * dim];
            combine(&expected, &rows, dim, &mut sums);
            let sum = |k: usize, d: usize| (0..n).map(|r| expected[r * count + k] * rows[r * dim + d]).sum();
            assert_eq!(sums, (0..count * dim).map(|at| sum(at / dim, at % dim)).collect::<Vec<f64>>());
        }
    }

    #[test]
    fn huge_and_tiny_rows_have_a_direction() {
        let mut rows = [3e200, 4e200, 3e-200, 4e-200, 0.0, 0.0];
        normalise(&mut rows, 2);
        assert!(rows.iter().zip([0.6, 0.8, 0.6, 0.8, 0.0, 0.0]).all(|(a, b)| (a - b).abs() < 1e-15));
    }
}
