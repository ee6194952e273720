//! Convolution, batch normalisation, ReLU and max pooling as one operation on the host.
//!
//! Between its parts nothing goes through memory that can be made again in the cache: the convolution of few channels is
//! computed anew wherever it is needed, and the gradient before the pooling exists for a few images at a time.

use pulp::Arch;
use rayon::prelude::*;

use super::convolve::Plan;
use super::norm::{Affine, Moments, Slopes, Sums};
use super::pool::Tiling;
use super::pooled::{CUT, Pool, PoolScaled, Pooled};
use super::product::Panels;

/// A convolution over windows of no more numbers than this is computed again rather than kept.
const CHEAP: usize = 32;

/// What the way back needs of the way there.
pub(super) struct Kept {
    affine: Affine,
    /// The convolution's result, where it is not cheap.
    convolved: Option<Vec<f32>>,
    /// Per number of the result: the place of the largest pixel in its window, or [`CUT`].
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

/// The block with the batch's own moments: its result (batch, places, out), and what the way back needs.
pub(super) fn forward(
    plan: &Plan,
    tiling: &Tiling,
    images: &[f32],
    weight: &[f32],
    scaling: Scaling<'_>,
) -> (Vec<f32>, Moments, Kept) {
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
            let mut again = Again::new(plan, &filters);
            let kept = convolved.as_ref().map(|all| &all[number * chunk * middle..]);
            let unit = plan.layout.unit;
            let outs = out.chunks_mut(unit * result).zip(at.chunks_mut(unit * result));
            let outs = outs.zip(best.chunks_mut(unit * result));
            for (place, (((out, at), best), images)) in outs.zip(images.chunks(unit * image)).enumerate() {
                let count = images.len() / image;
                let middle = match kept {
                    Some(kept) => &kept[place * unit * middle..][..count * middle],
                    None => again.convolve(images),
                };
                Arch::new().dispatch(Pool { tiling, affine: &affine, x: middle, out, at, best });
            }
        },
    );
    (out, moments, Kept { affine, convolved, at, best })
}

/// The convolution, kept where it is not cheap, and the moments of its channels.
fn convolve(plan: &Plan, images: &[f32], filters: &[Panels]) -> (Option<Vec<f32>>, Moments) {
    let (image, result, chunk) = (plan.layout.image(), plan.result(), plan.chunk());
    let unit = plan.layout.unit;
    let sums = |images: &[f32], mut kept: Option<&mut [f32]>| {
        let (mut sums, mut again) = (Sums::default(), Again::new(plan, filters));
        for (place, images) in images.chunks(unit * image).enumerate() {
            let count = images.len() / image;
            let room = kept.as_mut().map(|kept| &mut kept[place * unit * result..][..count * result]);
            match room {
                Some(room) => {
                    plan.layout.fill(images, &mut again.frames);
                    plan.forward(&again.frames, count, filters, room);
                    sums.add(room, plan.out);
                }
                None => sums.add(again.convolve(images), plan.out),
            }
        }
        sums
    };
    let (kept, parts): (_, Vec<Sums>) = if plan.layout.inner() <= CHEAP {
        (None, images.par_chunks(chunk * image).map(|images| sums(images, None)).collect())
    } else {
        let mut all = vec![0.0; plan.shape.0 * result];
        let chunks = all.par_chunks_mut(chunk * result).zip(images.par_chunks(chunk * image));
        let parts = chunks.map(|(kept, images)| sums(images, Some(kept))).collect();
        (Some(all), parts)
    };
    let mut all = Sums::default();
    parts.iter().for_each(|part| all.join(part));
    (kept, all.moments())
}

/// Room of one thread to convolve a unit of images anew.
struct Again<'a> {
    plan: &'a Plan,
    filters: &'a [Panels],
    frames: Vec<f32>,
    out: Vec<f32>,
}

impl<'a> Again<'a> {
    fn new(plan: &'a Plan, filters: &'a [Panels]) -> Again<'a> {
        Again { plan, filters, frames: plan.layout.frames(), out: Vec::new() }
    }

    fn convolve(&mut self, images: &[f32]) -> &[f32] {
        let count = images.len() / self.plan.layout.image();
        self.out.resize(self.plan.layout.unit * self.plan.result(), 0.0);
        self.plan.layout.fill(images, &mut self.frames);
        self.plan.forward(&self.frames, count, self.filters, &mut self.out);
        &self.out[..count * self.plan.result()]
    }
}

/// What the block gives back of a gradient; everything is added to.
pub(super) struct Gradients<'a> {
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
    kept: &Kept,
    gradient: &[f32],
    to: Gradients<'_>,
) -> (Vec<f32>, Vec<f32>) {
    let slopes = slopes(plan, tiling, kept, gradient);
    let bend = kept.affine.bend(&slopes, plan.shape.0 * plan.layout.pixels());
    let (image, middle, chunk) = (plan.layout.image(), plan.result(), plan.chunk());
    let result = tiling.count() * plan.out;
    let (filters, turned) = (plan.filters(weight, |_| 1.0), plan.turned(weight));
    let work = |number: usize, images: &[f32], mut out: Option<&mut [f32]>| {
        let mut room = Room::new(plan, &filters, out.is_some());
        for (place, unit) in images.chunks(plan.layout.unit * image).enumerate() {
            let first = place * plan.layout.unit;
            let out = out.as_mut().map(|out| &mut out[first * image..][..unit.len()]);
            let from = number * chunk + first;
            let count = unit.len() / image;
            let convolved = kept.convolved.as_ref().map(|all| &all[from * middle..][..count * middle]);
            let range = from * result..(from + count) * result;
            let pooled = Pooled { tiling, affine: &kept.affine, bend: &bend, at: &kept.at[range.clone()] };
            room.run(unit, convolved, &pooled, &gradient[range], &turned, out);
        }
        room.sums
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
    (slopes.scale, slopes.shift)
}

/// The gradients of scale and shift: only the largest pixel of each window counts.
fn slopes(plan: &Plan, tiling: &Tiling, kept: &Kept, gradient: &[f32]) -> Slopes {
    let channels = plan.out;
    let chunk = plan.chunk() * tiling.count() * channels;
    let parts = gradient.par_chunks(chunk).zip(kept.at.par_chunks(chunk)).zip(kept.best.par_chunks(chunk));
    let parts: Vec<Slopes> = parts
        .map(|((gradient, at), best)| {
            let mut part = Slopes::new(channels);
            let Slopes { shift, scale } = &mut part;
            let Affine { mean, inverse, .. } = &kept.affine;
            Arch::new().dispatch(
                #[inline(always)]
                || {
                    let rows = gradient.chunks_exact(channels).zip(at.chunks_exact(channels));
                    for ((gradient, at), best) in rows.zip(best.chunks_exact(channels)) {
                        let sums = shift.iter_mut().zip(scale.iter_mut());
                        let numbers = gradient.iter().zip(at).zip(best);
                        for (((shift, scale), ((g, at), x)), (m, i)) in
                            sums.zip(numbers).zip(mean.iter().zip(inverse))
                        {
                            let g = if *at == CUT { 0.0 } else { *g };
                            *shift += g;
                            *scale += g * (x - m) * i;
                        }
                    }
                },
            );
            part
        })
        .collect();
    let mut all = Slopes::new(channels);
    parts.iter().for_each(|part| all.join(part));
    all
}

/// Room of one thread for the way back.
struct Room<'a> {
    plan: &'a Plan,
    again: Again<'a>,
    /// The gradient of the convolution for a unit.
    middle: Vec<f32>,
    spread: Vec<f32>,
    images: Vec<f32>,
    sums: Vec<f32>,
}

impl<'a> Room<'a> {
    fn new(plan: &'a Plan, filters: &'a [Panels], through: bool) -> Room<'a> {
        let unit = plan.layout.unit;
        let (per_spread, image) = (plan.spread.layout.unit, plan.layout.image());
        Room {
            plan,
            again: Again::new(plan, filters),
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
        turned: &[Panels],
        out: Option<&mut [f32]>,
    ) {
        let (plan, image) = (self.plan, self.plan.layout.image());
        let count = images.len() / image;
        let middle = &mut self.middle[..count * plan.result()];
        match convolved {
            Some(convolved) => {
                pooled.unpool(convolved, gradient, middle);
                plan.layout.fill(images, &mut self.again.frames);
            }
            None => pooled.unpool(self.again.convolve(images), gradient, middle),
        }
        plan.toward_filters(&self.again.frames, count, middle, &mut self.sums);
        let Some(out) = out else { return };
        let unit = plan.spread.layout.unit;
        for (out, middle) in out.chunks_mut(unit * image).zip(middle.chunks(unit * plan.result())) {
            plan.spread.fill(middle, &mut self.spread);
            let sums = &mut self.images[..out.len()];
            plan.toward_images(&self.spread, out.len() / image, turned, sums);
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
        let mut again = Again::new(plan, &filters);
        let unit = plan.layout.unit;
        for (out, images) in out.chunks_mut(unit * result).zip(images.chunks(unit * image)) {
            let convolved = again.convolve(images);
            for (out, x) in out.chunks_exact_mut(result).zip(convolved.chunks_exact(middle)) {
                Arch::new().dispatch(PoolScaled { tiling, term: &affine.term, x, out });
            }
        }
    });
    out
}
