//! Pooling on the host: the largest number or the mean of each window, channel by channel.

use rayon::prelude::*;

use super::convolve::chunk;
use super::window::{Shape, Window, filled};
use crate::numbers::with_lanes;
use crate::tensor::error::{TensorError, same};

/// The pixels of each place of a window over images of one size; pixels beyond an edge are left out.
#[derive(Clone, Debug)]
pub(super) struct Tiling {
    pub places: (usize, usize),
    /// Pixels of an image.
    pub image: usize,
    ends: Vec<usize>,
    pixels: Vec<u32>,
    /// Pixels of each place with the padding, which a mean counts as zeros.
    areas: Vec<f32>,
}

impl Tiling {
    /// The window's places over images of these sizes.
    pub fn new(operation: &'static str, window: Window, shape: Shape) -> Result<Tiling, TensorError> {
        filled(operation, shape)?;
        let image = (shape.1, shape.2);
        let places = window.places(operation, image)?;
        for (padding, kernel) in [(window.padding.0, window.kernel.0), (window.padding.1, window.kernel.1)] {
            // More would make windows that hold nothing of the image.
            let what = "a padding of at most half the window";
            same(operation, what, padding.min(kernel / 2), padding)?;
        }
        let mut tiling = Tiling {
            places,
            image: image.0 * image.1,
            ends: Vec::new(),
            pixels: Vec::new(),
            areas: Vec::new(),
        };
        for place in 0..places.0 * places.1 {
            let rows = axis(place / places.1, window.kernel.0, window.stride.0, window.padding.0, image.0);
            let columns = axis(place % places.1, window.kernel.1, window.stride.1, window.padding.1, image.1);
            for y in rows.0.clone() {
                tiling.pixels.extend(columns.0.clone().map(|x| (y * image.1 + x) as u32));
            }
            tiling.ends.push(tiling.pixels.len());
            tiling.areas.push((rows.1 * columns.1) as f32);
        }
        Ok(tiling)
    }

    /// How many places there are.
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// The pixels of a place.
    #[inline(always)]
    pub fn of(&self, place: usize) -> &[u32] {
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        &self.pixels[start..self.ends[place]]
    }
}

/// The pixels of one axis that a place covers, and how many it covers with the padding; torch counts no more of the
/// padding than there is.
fn axis(
    place: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    size: usize,
) -> (std::ops::Range<usize>, usize) {
    let (start, end) = (place * stride, (place * stride + kernel).min(size + 2 * padding));
    let inside = start.saturating_sub(padding).min(size)..end.saturating_sub(padding).min(size);
    (inside, end - start)
}

/// Channels that are compared together.
const LANES: usize = 16;

/// The largest numbers of `count ≤ LANES` channels from `first` on over `pixels` of `image` (pixels, channels), each with
/// the place of the first pixel that has it.
#[inline(always)]
fn largest(
    image: &[f32],
    channels: usize,
    pixels: &[u32],
    first: usize,
    count: usize,
) -> ([f32; LANES], [u32; LANES]) {
    let mut best = [f32::NEG_INFINITY; LANES];
    let mut at = [0; LANES];
    for (number, pixel) in (0u32..).zip(pixels) {
        let row = &image[*pixel as usize * channels + first..][..count];
        if let Ok(row) = <&[f32; LANES]>::try_from(row) {
            for lane in 0..LANES {
                let value = row[lane];
                let better = value > best[lane];
                best[lane] = if better { value } else { best[lane] };
                at[lane] = if better { number } else { at[lane] };
            }
        } else {
            for (lane, value) in row.iter().enumerate() {
                if *value > best[lane] {
                    (best[lane], at[lane]) = (*value, number);
                }
            }
        }
    }
    (best, at)
}

/// The largest number of each window, and at which of its pixels it is: (batch, places, channels).
pub(super) fn maxima(tiling: &Tiling, shape: Shape, x: &[f32]) -> (Vec<f32>, Vec<u32>) {
    let (batch, channels) = (shape.0, shape.3);
    let (image, result) = (tiling.image * channels, tiling.count() * channels);
    let mut out = (vec![0.0; batch * result], vec![0; batch * result]);
    let parts = out.0.par_chunks_mut(result).zip(out.1.par_chunks_mut(result));
    parts.zip(x.par_chunks(image)).with_min_len(chunk(batch)).for_each(|((out, at), x)| {
        with_lanes(|| {
            let rows = out.chunks_exact_mut(channels).zip(at.chunks_exact_mut(channels));
            for (place, (out, at)) in rows.enumerate() {
                let pixels = tiling.of(place);
                for first in (0..channels).step_by(LANES) {
                    let count = LANES.min(channels - first);
                    let (best, places) = largest(x, channels, pixels, first, count);
                    out[first..first + count].copy_from_slice(&best[..count]);
                    at[first..first + count].copy_from_slice(&places[..count]);
                }
            }
        });
    });
    out
}

/// Adds the gradient of [`maxima`] to that of the images: each goes to the pixel that was the largest.
pub(super) fn add_maxima_gradient(
    tiling: &Tiling,
    channels: usize,
    at: &[u32],
    gradient: &[f32],
    out: &mut [f32],
) {
    let (image, result) = (tiling.image * channels, tiling.count() * channels);
    let parts = out.par_chunks_mut(image).zip(gradient.par_chunks(result)).zip(at.par_chunks(result));
    parts.for_each(|((out, gradient), at)| {
        let rows = gradient.chunks_exact(channels).zip(at.chunks_exact(channels));
        for (place, (gradient, at)) in rows.enumerate() {
            let pixels = tiling.of(place);
            for (channel, (g, at)) in gradient.iter().zip(at).enumerate() {
                out[pixels[*at as usize] as usize * channels + channel] += g;
            }
        }
    });
}

/// The mean of each window: (batch, places, channels).
pub(super) fn means(tiling: &Tiling, shape: Shape, x: &[f32]) -> Vec<f32> {
    let (batch, channels) = (shape.0, shape.3);
    let (image, result) = (tiling.image * channels, tiling.count() * channels);
    let mut out = vec![0.0; batch * result];
    out.par_chunks_mut(result).zip(x.par_chunks(image)).for_each(|(out, x)| {
        for (place, out) in out.chunks_exact_mut(channels).enumerate() {
            for pixel in tiling.of(place) {
                let row = &x[*pixel as usize * channels..][..channels];
                out.iter_mut().zip(row).for_each(|(o, x)| *o += x);
            }
            out.iter_mut().for_each(|o| *o /= tiling.areas[place]);
        }
    });
    out
}

/// Adds the gradient of [`means`] to that of the images.
pub(super) fn add_means_gradient(tiling: &Tiling, channels: usize, gradient: &[f32], out: &mut [f32]) {
    let (image, result) = (tiling.image * channels, tiling.count() * channels);
    out.par_chunks_mut(image).zip(gradient.par_chunks(result)).for_each(|(out, gradient)| {
        for (place, gradient) in gradient.chunks_exact(channels).enumerate() {
            let share = 1.0 / tiling.areas[place];
            for pixel in tiling.of(place) {
                let row = &mut out[*pixel as usize * channels..][..channels];
                row.iter_mut().zip(gradient).for_each(|(o, g)| *o += g * share);
            }
        }
    });
}

impl Tiling {
    /// Which pixels each window has, padded with one beyond the last to `widest`, and the area of each: for devices that
    /// gather.
    pub fn table(&self) -> (Vec<usize>, usize, &[f32]) {
        let widest = (0..self.count()).map(|p| self.of(p).len()).max().unwrap_or(0);
        let row = |place: usize| {
            let pixels = self.of(place).iter().map(|p| *p as usize);
            let missing = widest - self.of(place).len();
            pixels.chain(std::iter::repeat_n(self.image, missing))
        };
        ((0..self.count()).flat_map(row).collect(), widest, &self.areas)
    }
}
