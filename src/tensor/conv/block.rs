//! Convolution, batch normalisation, ReLU and max pooling as one operation on the host.
//!
//! Between its parts nothing goes through memory that can be made again in the cache: the convolution of few channels is
//! computed anew wherever it is needed, and the gradient before the pooling exists for a few images at a time.

use rayon::prelude::*;

use super::convolve::Plan;
use super::norm::{Affine, AffineGradients, Moments, Sums};
use super::pool::Tiling;
use super::pooled::{DEAD, Pool, PoolScaled, Pooled};
use super::product::Panels;
use crate::numbers::with_lanes;

/// A convolution over windows of no more numbers than this is computed again rather than kept.
const CHEAP: usize = 32;

/// What the backward pass needs of the forward pass.
pub(super) struct SavedActivations {
    affine: Affine,
    /// The convolution's result, where it is not cheap.
    convolved: Option<Vec<f32>>,
    /// Per number of the result: the place of the largest pixel in its window, or [`DEAD`].
    at: Vec<f32>,
    /// Per number of the result: the convolution's result at that pixel.
    best: Vec<f32>,
}

/// Scale and shift of a normalisation.
#[derive(Clone, Copy)]
pub(super) struct Scaling<'a> {
    pub scale: &'a [f32],
    pub shift: &'a [f32],
    pub epsilon: f32,
}

/// The block with the batch's own moments: its result (batch, places, out), and what the backward pass needs.
pub(super) fn forward(
    plan: &Plan,
    tiling: &Tiling,
    images: &[f32],
    weight: &[f32],
    scaling: Scaling<'_>,
) -> (Vec<f32>, Moments, SavedActivations) {
    let filters = plan.filters(weight, |_| 1.0);
    let (convolved, moments) = convolve(plan, images, &filters);
    let affine = Affine::new(&moments.mean, &moments.variance, scaling.scale, scaling.shift, scaling.epsilon);
    let (image, middle, chunk) = (plan.layout.image(), plan.result(), plan.chunk());
    let result = tiling.count() * plan.out;
    let numbers = plan.shape.0 * result;
    let (mut out, mut at, mut best) = (vec![0.0; numbers], vec![0.0; numbers], vec![0.0; numbers]);
    let outs = out.par_chunks_mut(chunk * result).zip(at.par_chunks_mut(chunk * result));
    let outs = outs.zip(best.par_chunks_mut(chunk * result));
    outs.zip(images.par_chunks(chunk * image)).enumerate().for_each(
        |(number, (((out, at), best), images))| {
            let mut recompute = Recompute::new(plan, &filters);
            let stored = convolved.as_ref().map(|all| &all[number * chunk * middle..]);
            let unit = plan.layout.unit;
            let outs = out.chunks_mut(unit * result).zip(at.chunks_mut(unit * result));
            let outs = outs.zip(best.chunks_mut(unit * result));
            for (place, (((out, at), best), images)) in outs.zip(images.chunks(unit * image)).enumerate() {
                let count = images.len() / image;
                let middle = match stored {
                    Some(stored) => &stored[place * unit * middle..][..count * middle],
                    None => recompute.convolve(images),
                };
                with_lanes(Pool { tiling, affine: &affine, x: middle, out, at, best });
            }
        },
    );
    (out, moments, SavedActivations { affine, convolved, at, best })
}

/// The convolution, kept where it is not cheap, and the moments of its channels.
fn convolve(plan: &Plan, images: &[f32], filters: &[Panels]) -> (Option<Vec<f32>>, Moments) {
    let (image, result, chunk) = (plan.layout.image(), plan.result(), plan.chunk());
    let unit = plan.layout.unit;
    let sums = |images: &[f32], mut stored: Option<&mut [f32]>| {
        let (mut sums, mut recompute) = (Sums::default(), Recompute::new(plan, filters));
        for (place, images) in images.chunks(unit * image).enumerate() {
            let count = images.len() / image;
            let out = stored.as_mut().map(|stored| &mut stored[place * unit * result..][..count * result]);
            match out {
                Some(out) => {
                    plan.layout.fill(images, &mut recompute.frames);
                    plan.forward(&recompute.frames, count, filters, out);
                    sums.add(out, plan.out);
                }
                None => sums.add(recompute.convolve(images), plan.out),
            }
        }
        sums
    };
    let (stored, parts): (_, Vec<Sums>) = if plan.layout.inner() <= CHEAP {
        (None, images.par_chunks(chunk * image).map(|images| sums(images, None)).collect())
    } else {
        let mut all = vec![0.0; plan.shape.0 * result];
        let chunks = all.par_chunks_mut(chunk * result).zip(images.par_chunks(chunk * image));
        let parts = chunks.map(|(stored, images)| sums(images, Some(stored))).collect();
        (Some(all), parts)
    };
    let mut all = Sums::default();
    parts.iter().for_each(|part| all.join(part));
    (stored, all.moments())
}

/// The workspace of one thread to convolve a unit of images again.
struct Recompute<'a> {
    plan: &'a Plan,
    filters: &'a [Panels],
    frames: Vec<f32>,
    out: Vec<f32>,
}

impl<'a> Recompute<'a> {
    fn new(plan: &'a Plan, filters: &'a [Panels]) -> Recompute<'a> {
        Recompute { plan, filters, frames: plan.layout.frames(), out: Vec::new() }
    }

    fn convolve(&mut self, images: &[f32]) -> &[f32] {
        let count = images.len() / self.plan.layout.image();
        self.out.resize(self.plan.layout.unit * self.plan.result(), 0.0);
        self.plan.layout.fill(images, &mut self.frames);
        self.plan.forward(&self.frames, count, self.filters, &mut self.out);
        &self.out[..count * self.plan.result()]
    }
}

/// The gradients of the block's inputs, which are added to.
pub(super) struct GradientSums<'a> {
    pub images: Option<&'a mut [f32]>,
    /// (out, in per group, height, width)
    pub weight: &'a mut [f32],
}

/// The gradients of the block from that of its result; those of scale and shift are returned.
pub(super) fn backward(
    plan: &Plan,
    tiling: &Tiling,
    images: &[f32],
    weight: &[f32],
    saved: &SavedActivations,
    gradient: &[f32],
    to: GradientSums<'_>,
) -> (Vec<f32>, Vec<f32>) {
    let affine = affine_gradients(plan, tiling, saved, gradient);
    let input = saved.affine.input_gradient(&affine, plan.shape.0 * plan.layout.pixels());
    let (image, middle, chunk) = (plan.layout.image(), plan.result(), plan.chunk());
    let result = tiling.count() * plan.out;
    let (filters, rotated) = (plan.filters(weight, |_| 1.0), plan.rotated_filters(weight));
    let work = |number: usize, images: &[f32], mut out: Option<&mut [f32]>| {
        let mut workspace = Workspace::new(plan, &filters, out.is_some());
        for (place, unit) in images.chunks(plan.layout.unit * image).enumerate() {
            let first = place * plan.layout.unit;
            let out = out.as_mut().map(|out| &mut out[first * image..][..unit.len()]);
            let from = number * chunk + first;
            let count = unit.len() / image;
            let convolved = saved.convolved.as_ref().map(|all| &all[from * middle..][..count * middle]);
            let range = from * result..(from + count) * result;
            let pooled =
                Pooled { tiling, affine: &saved.affine, input: &input, at: &saved.at[range.clone()] };
            workspace.run(unit, convolved, &pooled, &gradient[range], &rotated, out);
        }
        workspace.sums
    };
    let chunks = images.par_chunks(chunk * image).enumerate();
    let sums: Vec<Vec<f32>> = match to.images {
        Some(out) => {
            let outs = out.par_chunks_mut(chunk * image);
            chunks.zip(outs).map(|((number, images), out)| work(number, images, Some(out))).collect()
        }
        None => chunks.map(|(number, images)| work(number, images, None)).collect(),
    };
    plan.add_filters(&sums, to.weight);
    (affine.scale, affine.shift)
}

/// The gradients of scale and shift: only the largest pixel of each window counts.
fn affine_gradients(
    plan: &Plan,
    tiling: &Tiling,
    saved: &SavedActivations,
    gradient: &[f32],
) -> AffineGradients {
    let channels = plan.out;
    let chunk = plan.chunk() * tiling.count() * channels;
    let parts = gradient.par_chunks(chunk).zip(saved.at.par_chunks(chunk)).zip(saved.best.par_chunks(chunk));
    let parts: Vec<AffineGradients> = parts
        .map(|((gradient, at), best)| {
            let mut part = AffineGradients::new(channels);
            let AffineGradients { shift, scale } = &mut part;
            let Affine { mean, inverse, .. } = &saved.affine;
            with_lanes(
                #[inline(always)]
                || {
                    let rows = gradient.chunks_exact(channels).zip(at.chunks_exact(channels));
                    for ((gradient, at), best) in rows.zip(best.chunks_exact(channels)) {
                        let sums = shift.iter_mut().zip(scale.iter_mut());
                        let numbers = gradient.iter().zip(at).zip(best);
                        for (((shift, scale), ((g, at), x)), (m, i)) in
                            sums.zip(numbers).zip(mean.iter().zip(inverse))
                        {
                            let g = if *at == DEAD { 0.0 } else { *g };
                            *shift += g;
                            *scale += g * (x - m) * i;
                        }
                    }
                },
            );
            part
        })
        .collect();
    let mut all = AffineGradients::new(channels);
    parts.iter().for_each(|part| all.join(part));
    all
}

/// The workspace of one thread for the backward pass.
struct Workspace<'a> {
    plan: &'a Plan,
    recompute: Recompute<'a>,
    /// The gradient of the convolution for a unit.
    middle: Vec<f32>,
    spread: Vec<f32>,
    images: Vec<f32>,
    sums: Vec<f32>,
}

impl<'a> Workspace<'a> {
    fn new(plan: &'a Plan, filters: &'a [Panels], through: bool) -> Workspace<'a> {
        let unit = plan.layout.unit;
        let (per_spread, image) = (plan.spread.layout.unit, plan.layout.image());
        Workspace {
            plan,
            recompute: Recompute::new(plan, filters),
            middle: vec![0.0; unit * plan.result()],
            spread: if through { plan.spread.layout.frames() } else { Vec::new() },
            images: if through { vec![0.0; per_spread * image] } else { Vec::new() },
            sums: vec![0.0; plan.weights()],
        }
    }

    fn run(
        &mut self,
        images: &[f32],
        convolved: Option<&[f32]>,
        pooled: &Pooled<'_>,
        gradient: &[f32],
        rotated: &[Panels],
        out: Option<&mut [f32]>,
    ) {
        let (plan, image) = (self.plan, self.plan.layout.image());
        let count = images.len() / image;
        let middle = &mut self.middle[..count * plan.result()];
        match convolved {
            Some(convolved) => {
                pooled.unpool(convolved, gradient, middle);
                plan.layout.fill(images, &mut self.recompute.frames);
            }
            None => pooled.unpool(self.recompute.convolve(images), gradient, middle),
        }
        plan.add_filter_gradient(&self.recompute.frames, count, middle, &mut self.sums);
        let Some(out) = out else { return };
        let unit = plan.spread.layout.unit;
        for (out, middle) in out.chunks_mut(unit * image).zip(middle.chunks(unit * plan.result())) {
            plan.spread.fill(middle, &mut self.spread);
            let sums = &mut self.images[..out.len()];
            plan.image_gradient(&self.spread, out.len() / image, rotated, sums);
            out.iter_mut().zip(sums).for_each(|(o, s)| *o += *s);
        }
    }
}

/// The block with given moments, as one pass: the scale is part of the filters.
pub(super) fn evaluate(
    plan: &Plan,
    tiling: &Tiling,
    images: &[f32],
    weight: &[f32],
    affine: &Affine,
) -> Vec<f32> {
    let filters = plan.filters(weight, |o| affine.factor[o]);
    let (image, chunk, channels) = (plan.layout.image(), plan.chunk(), plan.out);
    let (middle, result) = (plan.result(), tiling.count() * channels);
    let mut out = vec![0.0; plan.shape.0 * result];
    out.par_chunks_mut(chunk * result).zip(images.par_chunks(chunk * image)).for_each(|(out, images)| {
        let mut recompute = Recompute::new(plan, &filters);
        let unit = plan.layout.unit;
        for (out, images) in out.chunks_mut(unit * result).zip(images.chunks(unit * image)) {
            let convolved = recompute.convolve(images);
            for (out, x) in out.chunks_exact_mut(result).zip(convolved.chunks_exact(middle)) {
                with_lanes(PoolScaled { tiling, term: &affine.term, x, out });
            }
        }
    });
    out
}
