//! Convolution on the host: filters over padded images, unit by unit, so that what is laid out stays in the cache.
//!
//! A batch is cut into at most [`CHUNKS`] chunks whatever the number of threads, and what is summed over the batch is
//! summed in the order of the chunks: the result is the same, bit for bit, on any number of threads.

use rayon::prelude::*;

use super::frame::{Layout, Spread};
use super::product::{self, Band, Panels};
use super::window::{Convolution, Shape, filled};
use crate::tensor::error::{TensorError, same};

/// Chunks of a batch.
pub(super) const CHUNKS: usize = 16;

/// A convolution of images of one size, ready to run.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub shape: Shape,
    pub layout: Layout,
    pub spread: Spread,
    /// Channels of the result.
    pub out: usize,
    pub groups: usize,
    kernel: (usize, usize),
}

impl Plan {
    /// A convolution of images with filters of the sizes `filters` (out, in per group, height, width).
    pub fn new(shape: Shape, filters: Shape, convolution: &Convolution) -> Result<Plan, TensorError> {
        let (_, height, width, channels) = shape;
        let (out, within, kernel, groups) =
            (filters.0, filters.1, (filters.2, filters.3), convolution.groups);
        let operation = "a convolution";
        filled(operation, shape)?;
        same(operation, "channels", within * groups, channels)?;
        same(operation, "filters in whole groups", out.checked_div(groups).unwrap_or(0) * groups, out)?;
        let window = convolution.window(kernel);
        let places = window.places(operation, (height, width))?;
        let layout = Layout::new((height, width, channels), window, places, groups);
        let spread = Spread::new((height, width), window, places, out, groups);
        Ok(Plan { shape, layout, spread, out, groups, kernel })
    }

    /// Images of a chunk.
    pub fn chunk(&self) -> usize {
        chunk(self.shape.0)
    }

    /// Numbers of the result for one image.
    pub fn result(&self) -> usize {
        self.layout.pixels() * self.out
    }

    /// Filters of a group, and channels that each sees.
    fn group(&self) -> (usize, usize) {
        (self.out / self.groups, self.shape.3 / self.groups)
    }

    /// Where the number of a filter of `group` lies in the weights (out, in, height, width), for the number `k` of a
    /// window, which goes over height, width and channels.
    fn weight_index(&self, group: usize, k: usize, filter: usize) -> usize {
        let (filters, channels) = self.group();
        let area = self.kernel.0 * self.kernel.1;
        ((group * filters + filter) * channels + k % channels) * area + k / channels
    }

    /// The filters, each group as a matrix (window, filters), filter `o` times `scale(o)`.
    pub fn filters(&self, weight: &[f32], scale: impl Fn(usize) -> f32) -> Vec<Panels> {
        let (filters, _) = self.group();
        let of = |group: usize| {
            Panels::new(self.layout.inner(), filters, |k, o| {
                weight[self.weight_index(group, k, o)] * scale(group * filters + o)
            })
        };
        (0..self.groups).map(of).collect()
    }

    /// The filters rotated by half a turn, each group as a matrix (window of the result's gradient, channels).
    pub fn rotated_filters(&self, weight: &[f32]) -> Vec<Panels> {
        let ((filters, channels), area) = (self.group(), self.kernel.0 * self.kernel.1);
        let of = |group: usize| {
            Panels::new(self.spread.layout.inner(), channels, |k, channel| {
                let (filter, tap) = (k % filters, area - 1 - k / filters);
                weight[((group * filters + filter) * channels + channel) * area + tap]
            })
        };
        (0..self.groups).map(of).collect()
    }

    /// The result for at most a unit of images that are laid out in `frames`.
    pub fn forward(&self, frames: &[f32], images: usize, filters: &[Panels], out: &mut [f32]) {
        for (group, filters) in filters.iter().enumerate() {
            let windows = self.layout.windows(frames, images, group);
            let band = Band { values: out, stride: self.out, first: group * filters.columns };
            product::apply(windows, filters, band);
        }
    }

    /// Adds the gradient of the filters for at most a unit of images, each group as a matrix (window, filters).
    pub fn add_filter_gradient(&self, frames: &[f32], images: usize, gradient: &[f32], sums: &mut [f32]) {
        let (filters, _) = self.group();
        for (group, sums) in sums.chunks_exact_mut(self.layout.inner() * filters).enumerate() {
            let windows = self.layout.windows(frames, images, group);
            product::gather(windows, gradient, self.out, group * filters, filters, sums);
        }
    }

    /// The gradient of at most a unit of images, from that of the result as [`Spread`] lays it out.
    pub fn image_gradient(&self, frames: &[f32], images: usize, rotated: &[Panels], out: &mut [f32]) {
        for (group, rotated) in rotated.iter().enumerate() {
            let windows = self.spread.layout.windows(frames, images, group);
            let band = Band { values: out, stride: self.shape.3, first: group * rotated.columns };
            product::apply(windows, rotated, band);
        }
    }

    /// Numbers of the gradient of the filters.
    pub fn weights(&self) -> usize {
        self.layout.inner() * self.out
    }

    /// Adds what the chunks have for the filters, in order, to a gradient (out, in, height, width).
    pub fn add_filters(&self, chunks: &[Vec<f32>], gradient: &mut [f32]) {
        let mut total = vec![0.0; self.weights()];
        for chunk in chunks {
            total.iter_mut().zip(chunk).for_each(|(t, c)| *t += c);
        }
        let (filters, _) = self.group();
        for (group, total) in total.chunks_exact(self.layout.inner() * filters).enumerate() {
            for (k, row) in total.chunks_exact(filters).enumerate() {
                row.iter().enumerate().for_each(|(o, t)| gradient[self.weight_index(group, k, o)] += t);
            }
        }
    }
}

/// Images of a chunk of a batch.
pub(super) fn chunk(batch: usize) -> usize {
    batch.div_ceil(CHUNKS).max(1)
}

/// `images` convolved with `weight` (out, in per group, height, width), then `bias` added: (batch, places, out).
pub(super) fn forward(plan: &Plan, images: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    let filters = plan.filters(weight, |_| 1.0);
    let (image, result, chunk) = (plan.layout.image(), plan.result(), plan.chunk());
    let mut out = vec![0.0; plan.shape.0 * result];
    out.par_chunks_mut(chunk * result).zip(images.par_chunks(chunk * image)).for_each(|(out, images)| {
        let mut frames = plan.layout.frames();
        let units = images.chunks(plan.layout.unit * image).zip(out.chunks_mut(plan.layout.unit * result));
        for (images, out) in units {
            plan.layout.fill(images, &mut frames);
            plan.forward(&frames, images.len() / image, &filters, out);
            if let Some(bias) = bias {
                out.chunks_exact_mut(plan.out)
                    .for_each(|row| row.iter_mut().zip(bias).for_each(|(o, b)| *o += b));
            }
        }
    });
    out
}

/// The gradients of a convolution's inputs, which are added to.
pub(super) struct GradientSums<'a> {
    /// Added to where the images need one.
    pub images: Option<&'a mut [f32]>,
    /// Added to: (out, in per group, height, width).
    pub weight: &'a mut [f32],
    /// Added to where there is a bias.
    pub bias: Option<&'a mut [f32]>,
}

/// The gradients of a convolution, from that of its result (batch, places, out).
pub(super) fn backward(plan: &Plan, images: &[f32], weight: &[f32], gradient: &[f32], to: GradientSums<'_>) {
    let (image, result, chunk) = (plan.layout.image(), plan.result(), plan.chunk());
    let chunks: Vec<Vec<f32>> = images
        .par_chunks(chunk * image)
        .zip(gradient.par_chunks(chunk * result))
        .map(|(images, gradient)| {
            let (mut frames, mut sums) = (plan.layout.frames(), vec![0.0; plan.weights()]);
            let unit = plan.layout.unit;
            for (images, gradient) in images.chunks(unit * image).zip(gradient.chunks(unit * result)) {
                plan.layout.fill(images, &mut frames);
                plan.add_filter_gradient(&frames, images.len() / image, gradient, &mut sums);
            }
            sums
        })
        .collect();
    plan.add_filters(&chunks, to.weight);
    if let Some(bias) = to.bias {
        for row in gradient.chunks_exact(plan.out) {
            bias.iter_mut().zip(row).for_each(|(b, g)| *b += g);
        }
    }
    if let Some(out) = to.images {
        let rotated = plan.rotated_filters(weight);
        out.par_chunks_mut(chunk * image).zip(gradient.par_chunks(chunk * result)).for_each(
            |(out, gradient)| {
                let (layout, unit) = (&plan.spread.layout, plan.spread.layout.unit);
                let (mut frames, mut sums) = (layout.frames(), vec![0.0; unit * image]);
                for (out, gradient) in out.chunks_mut(unit * image).zip(gradient.chunks(unit * result)) {
                    plan.spread.fill(gradient, &mut frames);
                    plan.image_gradient(&frames, out.len() / image, &rotated, &mut sums);
                    out.iter_mut().zip(&sums).for_each(|(o, s)| *o += s);
                }
            },
        );
    }
}
