//! Normalisation, ReLU and max pooling of a block as one pass over its convolution, forward and backward.
//!
//! Every loop runs over the channels of one pixel, a vector at a time. Pixels of a window are numbered in single
//! precision, so that one comparison chooses numbers and values alike.

use pulp::{Simd, WithSimd};

use super::norm::{Affine, InputGradient};
use super::pool::Tiling;
use crate::numbers::with_lanes;

/// In place of the number of a window's largest pixel: the ReLU behind it is dead, so no gradient passes.
pub(super) const DEAD: f32 = -1.0;

/// `max(0, max over the window of x·factor + term)` for images of a unit, which pixel it is, and x there.
pub(super) struct Pool<'a> {
    pub tiling: &'a Tiling,
    pub affine: &'a Affine,
    pub x: &'a [f32],
    pub out: &'a mut [f32],
    pub at: &'a mut [f32],
    pub best: &'a mut [f32],
}

/// The largest value of one vector of channels, cut off at zero, with the number of its pixel and x there.
#[inline(always)]
fn largest<S: Simd>(
    simd: S,
    pixels: &[u32],
    (factor, term): (S::f32s, S::f32s),
    x: impl Fn(u32) -> S::f32s,
) -> [S::f32s; 3] {
    let (zero, mut at, mut raw) = (simd.splat_f32s(0.0), simd.splat_f32s(DEAD), simd.splat_f32s(0.0));
    let mut best = simd.splat_f32s(f32::NEG_INFINITY);
    for (number, pixel) in pixels.iter().enumerate() {
        let x = x(*pixel);
        let value = simd.add_f32s(simd.mul_f32s(x, factor), term);
        let better = simd.greater_than_f32s(value, best);
        best = simd.select_f32s(better, value, best);
        raw = simd.select_f32s(better, x, raw);
        at = simd.select_f32s(better, simd.splat_f32s(number as f32), at);
    }
    let positive = simd.greater_than_f32s(best, zero);
    [simd.select_f32s(positive, best, zero), simd.select_f32s(positive, at, simd.splat_f32s(DEAD)), raw]
}

impl WithSimd for Pool<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Pool { tiling, affine, x, out, at, best } = self;
        let channels = affine.factor.len();
        let (factors, last_factors) = S::as_simd_f32s(&affine.factor);
        let (terms, last_terms) = S::as_simd_f32s(&affine.term);
        let (image, result) = (tiling.image * channels, tiling.count() * channels);
        let outs = out.chunks_exact_mut(result).zip(at.chunks_exact_mut(result));
        let outs = outs.zip(best.chunks_exact_mut(result));
        for (x, ((out, at), best)) in x.chunks_exact(image).zip(outs) {
            let row = |pixel: u32| S::as_simd_f32s(&x[pixel as usize * channels..][..channels]);
            let outs = out.chunks_exact_mut(channels).zip(at.chunks_exact_mut(channels));
            let outs = outs.zip(best.chunks_exact_mut(channels));
            for (place, ((out, at), best)) in outs.enumerate() {
                let pixels = tiling.of(place);
                let (out, last_out) = S::as_mut_simd_f32s(out);
                let (at, last_at) = S::as_mut_simd_f32s(at);
                let (best, last_best) = S::as_mut_simd_f32s(best);
                let outs = out.iter_mut().zip(at).zip(best);
                for (place, ((out, at), best)) in outs.enumerate() {
                    let affine = (factors[place], terms[place]);
                    [*out, *at, *best] = largest(simd, pixels, affine, |pixel| row(pixel).0[place]);
                }
                if !last_out.is_empty() {
                    let load = |values: &[f32]| simd.partial_load_f32s(values);
                    let affine = (load(last_factors), load(last_terms));
                    let found = largest(simd, pixels, affine, |pixel| load(row(pixel).1));
                    for (to, found) in [last_out, last_at, last_best].into_iter().zip(found) {
                        simd.partial_store_f32s(to, found);
                    }
                }
            }
        }
    }
}

/// `max(0, max over the window of x + term)` for one image whose factor is in the filters.
pub(super) struct PoolScaled<'a> {
    pub tiling: &'a Tiling,
    pub term: &'a [f32],
    pub x: &'a [f32],
    pub out: &'a mut [f32],
}

impl WithSimd for PoolScaled<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let PoolScaled { tiling, term, x, out } = self;
        let channels = term.len();
        for (place, out) in out.chunks_exact_mut(channels).enumerate() {
            out.fill(f32::NEG_INFINITY);
            for pixel in tiling.of(place) {
                let row = &x[*pixel as usize * channels..][..channels];
                out.iter_mut().zip(row).for_each(|(o, x)| *o = if *x > *o { *x } else { *o });
            }
            for (o, t) in out.iter_mut().zip(term) {
                let sum = *o + t;
                *o = if sum > 0.0 { sum } else { 0.0 };
            }
        }
    }
}

/// What turns the gradient of a unit's result into that of its convolution.
pub(super) struct Pooled<'a> {
    pub tiling: &'a Tiling,
    pub affine: &'a Affine,
    pub input: &'a InputGradient,
    pub at: &'a [f32],
}

impl Pooled<'_> {
    /// The gradient of the convolution `x` (images, pixels, channels), into `out`.
    pub fn unpool(&self, x: &[f32], gradient: &[f32], out: &mut [f32]) {
        with_lanes(Unpool { pooled: self, x, gradient, out });
    }
}

struct Unpool<'a> {
    pooled: &'a Pooled<'a>,
    x: &'a [f32],
    gradient: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Unpool<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Unpool {
            pooled: Pooled { tiling, affine, input: InputGradient { slope, start }, at },
            x,
            gradient,
            out,
        } = self;
        let channels = slope.len();
        for (out, x) in out.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
            for (((o, x), s), t) in out.iter_mut().zip(x).zip(slope).zip(start) {
                *o = x * s + t;
            }
        }
        let result = tiling.count() * channels;
        let images = out.chunks_exact_mut(tiling.image * channels);
        let parts = gradient.chunks_exact(result).zip(at.chunks_exact(result));
        for (out, (gradient, at)) in images.zip(parts) {
            let rows = gradient.chunks_exact(channels).zip(at.chunks_exact(channels));
            for (place, (gradient, at)) in rows.enumerate() {
                for (number, pixel) in tiling.of(place).iter().enumerate() {
                    let (number, out) = (number as f32, &mut out[*pixel as usize * channels..][..channels]);
                    let numbers = gradient.iter().zip(at).zip(&affine.factor);
                    for (out, ((g, at), factor)) in out.iter_mut().zip(numbers) {
                        *out += if *at == number { g * factor } else { 0.0 };
                    }
                }
            }
        }
    }
}
