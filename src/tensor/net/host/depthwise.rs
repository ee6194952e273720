//! Convolutions of each channel by itself, vectors of channels at a time.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::super::Activation;
use super::super::sizes::Size;
use super::super::sweep::{Placed, Sweep};
use super::activation::activate;
use super::view::{View, ViewMut};
use crate::numbers::with_widest_lanes;

/// What each channel is convolved with.
pub(super) struct Depthwise<'a> {
    pub sweep: Sweep,
    pub placed: Placed,
    /// (taps, channels)
    pub taps: &'a [f32],
    pub bias: &'a [f32],
    pub activation: Activation,
}

/// Each channel convolved, one row of places at a time.
pub(super) fn convolve(depthwise: &Depthwise<'_>, input: View<'_>, out: ViewMut<'_>) {
    let (rows, across) = depthwise.placed.places;
    let (stride, offset) = (out.stride, out.offset);
    let lines = out.values[..out.batch * rows * across * stride].par_chunks_mut(across * stride);
    lines.enumerate().with_min_len(4).for_each(|(number, line)| {
        let image = input.image(number / rows);
        let row = Row { depthwise, image, size: input.size, stride: input.stride, y: number % rows };
        with_widest_lanes(Line { row, out: line, out_stride: stride, offset });
    });
}

/// A row of places on one image.
#[derive(Clone, Copy)]
struct Row<'a> {
    depthwise: &'a Depthwise<'a>,
    image: &'a [f32],
    size: Size,
    stride: usize,
    y: usize,
}

struct Line<'a> {
    row: Row<'a>,
    out: &'a mut [f32],
    out_stride: usize,
    offset: usize,
}

impl Line<'_> {
    /// `P` places next to each other from `x` on, of the channels from `channel` on, whose windows lie on the image across.
    #[inline(always)]
    fn inside<S: Simd, const P: usize>(&mut self, simd: S, x: usize, channel: usize, width: usize) {
        let Row { depthwise: d, image, size, stride, y } = self.row;
        let (kernel, step) = (d.sweep.kernel, d.sweep.stride);
        let start = simd.partial_load_f32s(&d.bias[channel..channel + width]);
        let mut sums = [start; P];
        let first = x * step.1 - d.placed.before.1;
        for down in 0..kernel.0 {
            let at = (y * step.0 + down).wrapping_sub(d.placed.before.0);
            if at >= size.height {
                continue;
            }
            for across in 0..kernel.1 {
                let taps = &d.taps[(down * kernel.1 + across) * size.channels + channel..][..width];
                let taps = simd.partial_load_f32s(taps);
                let line = &image[(at * size.width + first + across) * stride + channel..];
                for (place, sum) in sums.iter_mut().enumerate() {
                    let pixel = simd.partial_load_f32s(&line[place * step.1 * stride..][..width]);
                    *sum = simd.mul_add_e_f32s(pixel, taps, *sum);
                }
            }
        }
        for (place, sum) in sums.into_iter().enumerate() {
            self.store(simd, x + place, channel, width, sum);
        }
    }

    /// One place whose window may lie partly beyond the edges.
    #[inline(always)]
    fn at_edge<S: Simd>(&mut self, simd: S, x: usize, channel: usize, width: usize) {
        let Row { depthwise: d, image, size, stride, y } = self.row;
        let (kernel, step) = (d.sweep.kernel, d.sweep.stride);
        let mut sum = simd.partial_load_f32s(&d.bias[channel..channel + width]);
        for down in 0..kernel.0 {
            let at = (y * step.0 + down).wrapping_sub(d.placed.before.0);
            for across in 0..kernel.1 {
                let column = (x * step.1 + across).wrapping_sub(d.placed.before.1);
                if at >= size.height || column >= size.width {
                    continue;
                }
                let taps = &d.taps[(down * kernel.1 + across) * size.channels + channel..][..width];
                let pixel = &image[(at * size.width + column) * stride + channel..][..width];
                let (taps, pixel) = (simd.partial_load_f32s(taps), simd.partial_load_f32s(pixel));
                sum = simd.mul_add_e_f32s(pixel, taps, sum);
            }
        }
        self.store(simd, x, channel, width, sum);
    }

    #[inline(always)]
    fn store<S: Simd>(&mut self, simd: S, x: usize, channel: usize, width: usize, sum: S::f32s) {
        let (zero, six) = (simd.splat_f32s(0.0), simd.splat_f32s(6.0));
        let activation = self.row.depthwise.activation;
        let sum = match activation {
            Activation::Relu => simd.max_f32s(sum, zero),
            Activation::Relu6 => simd.min_f32s(simd.max_f32s(sum, zero), six),
            _ => sum,
        };
        let out = &mut self.out[self.offset + x * self.out_stride + channel..][..width];
        simd.partial_store_f32s(out, sum);
        if !matches!(activation, Activation::None | Activation::Relu | Activation::Relu6) {
            activate(out, activation);
        }
    }

    #[inline(always)]
    fn channels<S: Simd>(&mut self, simd: S, channel: usize, width: usize) {
        let d = self.row.depthwise;
        let (places, step, kernel) = (d.placed.places.1, d.sweep.stride.1, d.sweep.kernel.1);
        let before = d.placed.before.1;
        // Places whose windows lie on the image as a whole.
        let low = before.div_ceil(step).min(places);
        let fits = (self.row.size.width + before).checked_sub(kernel).map_or(0, |span| span / step + 1);
        let high = fits.clamp(low, places);
        (0..low).for_each(|x| self.at_edge(simd, x, channel, width));
        let mut x = low;
        while x + 4 <= high {
            self.inside::<S, 4>(simd, x, channel, width);
            x += 4;
        }
        while x < high {
            self.inside::<S, 1>(simd, x, channel, width);
            x += 1;
        }
        (high..places).for_each(|x| self.at_edge(simd, x, channel, width));
    }
}

impl WithSimd for Line<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let channels = self.row.size.channels;
        let whole = channels / S::F32_LANES * S::F32_LANES;
        for channel in (0..whole).step_by(S::F32_LANES) {
            self.channels(simd, channel, S::F32_LANES);
        }
        if whole < channels {
            self.channels(simd, whole, channels - whole);
        }
    }
}
