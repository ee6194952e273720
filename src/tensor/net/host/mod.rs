//! Networks on the processor, on buffers of their own: pixels of channels, one operation after the other.

mod activation;
mod attend;
mod convolve;
mod depthwise;
mod plan;
mod pointwise;
mod pool;
mod product;
mod view;
mod weights;

use std::sync::Mutex;

use super::graph::{Activation, Graph, Op, Value};
use super::sizes::Size;
use super::sweep::{Placed, Sweep};
use crate::tensor::TensorError;
use crate::tensor::error::same;
use plan::Plan;
use view::{View, ViewMut};
use weights::{Prepared, Source};

/// A network with its weights, ready to run without a tape up to one result.
pub struct Engine {
    graph: Graph,
    prepared: Vec<Prepared>,
    result: Value,
    /// What the last batch used, for the next one.
    idle: Mutex<Option<Workspace>>,
}

struct Workspace {
    plan: Plan,
    slots: Vec<Vec<f32>>,
}

impl Engine {
    /// A network up to a result, with the numbers of [`Graph::parameters`].
    ///
    /// # Errors
    /// When a weight has another number of numbers.
    pub fn new(graph: &Graph, values: &[Vec<f32>], result: Value) -> Result<Engine, TensorError> {
        let source = Source::new(graph, values)?;
        let needed = graph.needed(result);
        let prepare = |(op, needed): (&Op, &bool)| {
            if *needed { source.prepare(op) } else { Prepared::Nothing }
        };
        let prepared = graph.ops.iter().zip(&needed).map(prepare).collect();
        Ok(Engine { graph: graph.clone(), prepared, result, idle: Mutex::new(None) })
    }

    /// Bytes of the weights as they lie in memory.
    pub fn bytes(&self) -> usize {
        self.prepared.iter().map(Prepared::size).sum::<usize>() * size_of::<f32>()
    }

    /// Bytes that a batch needs beside the weights.
    ///
    /// # Errors
    /// When the network cannot take images of this size.
    pub fn workspace(&self, image: (usize, usize), batch: usize) -> Result<usize, TensorError> {
        let plan = Plan::new(&self.graph, self.result, image)?;
        Ok(plan.slots.iter().sum::<usize>() * batch * size_of::<f32>())
    }

    /// The size of the result for images of `image` (height, width) pixels.
    ///
    /// # Errors
    /// When the network cannot take images of this size.
    pub fn size(&self, image: (usize, usize)) -> Result<Size, TensorError> {
        self.graph.size(self.result, image)
    }

    /// The result for images that lie behind each other as (channels, height, width): (images, pixels, channels) of it.
    ///
    /// # Errors
    /// When the images are not whole, or the network cannot take images of this size.
    pub fn run(&self, images: &[f32], image: (usize, usize)) -> Result<Vec<f32>, TensorError> {
        let size = self.graph.channels * image.0 * image.1;
        let batch = images.len() / size.max(1);
        same("a network", "numbers of whole images", batch * size, images.len())?;
        same("a network", "at least this many images", 1, batch.min(1))?;
        let idle = self.idle.lock().ok().and_then(|mut idle| idle.take());
        let mut space = match idle.filter(|space| space.plan.image == image) {
            Some(space) => space,
            None => Workspace { plan: Plan::new(&self.graph, self.result, image)?, slots: Vec::new() },
        };
        space.slots.resize_with(space.plan.slots.len(), Vec::new);
        for (slot, size) in space.slots.iter_mut().zip(&space.plan.slots) {
            slot.resize(slot.len().max(size * batch), 0.0);
        }
        for place in 0..=self.result.0 {
            if !space.plan.needed[place] || space.plan.done[place] {
                continue;
            }
            self.step(place, images, batch, &mut space)?;
        }
        let view = space.view(self.result, batch);
        let out = (0..batch * view.size.pixels()).flat_map(|pixel| view.pixel(pixel)).copied().collect();
        if let Ok(mut idle) = self.idle.lock() {
            *idle = Some(space);
        }
        Ok(out)
    }

    fn step(
        &self,
        place: usize,
        images: &[f32],
        batch: usize,
        space: &mut Workspace,
    ) -> Result<(), TensorError> {
        let at = space.plan.place(Value(place));
        let mut values = std::mem::take(&mut space.slots[at.slot]);
        let size = space.plan.sizes[place];
        let out = ViewMut { values: &mut values, offset: at.offset, stride: at.stride, batch, size };
        let done = self.write(place, images, batch, space, out);
        space.slots[at.slot] = values;
        done
    }

    fn write(
        &self,
        place: usize,
        images: &[f32],
        batch: usize,
        space: &Workspace,
        out: ViewMut<'_>,
    ) -> Result<(), TensorError> {
        let of = |value: &Value| space.view(*value, batch);
        let placed = |from: &Value, sweep: &Sweep| -> Result<Placed, TensorError> {
            let size = space.plan.sizes[from.0];
            sweep.on("a window", (size.height, size.width))
        };
        let (factor, term): (&[f32], &[f32]) = match &self.prepared[place] {
            Prepared::Affine { factor, term } => (factor, term),
            _ => (&[], &[]),
        };
        match &self.graph.ops[place] {
            Op::Images => read_images(images, out),
            Op::Convolve { from, sweep, activation, .. } => {
                self.convolve(place, *sweep, placed(from, sweep)?, *activation, (*from, batch, space), out);
            }
            Op::Dense { from, activation, .. } => {
                let (sweep, size) = (Sweep::square(1, 1, 0), space.plan.sizes[from.0]);
                let placed = Placed { places: (size.height, size.width), before: (0, 0), after: (0, 0) };
                self.convolve(place, sweep, placed, *activation, (*from, batch, space), out);
            }
            Op::MaxPool { from, sweep } => pool::maxima(*sweep, placed(from, sweep)?, of(from), out),
            Op::MeanPool { from, sweep, counts_padding } => {
                pool::means(*sweep, placed(from, sweep)?, *counts_padding, of(from), out);
            }
            Op::AdaptiveMean { from, .. } => pool::adaptive(of(from), out),
            Op::Mean { from, first } => pool::whole(*first, of(from), out),
            Op::Flatten { from } => pointwise::flatten(of(from), out),
            Op::Concatenate { parts } => concatenate(place, parts, batch, space, out),
            Op::Add { left, right, activation } => pointwise::add(of(left), of(right), *activation, out),
            Op::Normalise { from, activation, .. } => {
                pointwise::affine(of(from), factor, term, *activation, out);
            }
            Op::Rescale { from, .. } | Op::LayerScale { from, .. } => {
                pointwise::affine(of(from), factor, term, Activation::None, out);
            }
            Op::Gate { from, gate } => pointwise::gate(of(from), of(gate), out),
            Op::Subsample { from, stride, zeros } => pointwise::subsample(of(from), *stride, zeros.0, out),
            Op::Tokens { from, .. } => pointwise::tokens(of(from), factor, term, out),
            Op::LayerNorm { from, epsilon, .. } => {
                pointwise::layer_norm(of(from), factor, term, *epsilon, out);
            }
            Op::Words { from, .. } => pointwise::words(of(from), factor, term, out)?,
            Op::Attend { from, heads, causal } => attend::attend(of(from), *heads, *causal, out),
            Op::Token { from, index } => pointwise::token(of(from), *index, out),
            Op::LastToken { from } => {
                let from = of(from);
                pointwise::token(from, from.size.pixels() - 1, out);
            }
        }
        Ok(())
    }

    fn convolve(
        &self,
        place: usize,
        sweep: Sweep,
        placed: Placed,
        activation: Activation,
        (from, batch, space): (Value, usize, &Workspace),
        out: ViewMut<'_>,
    ) {
        let fused = space.plan.fused[place];
        let activation = fused.map_or(activation, |fused| fused.activation);
        let residual = fused.map(|fused| space.view(fused.residual, batch));
        match &self.prepared[place] {
            Prepared::Depthwise { taps, bias } => {
                let depthwise = depthwise::Depthwise { sweep, placed, taps, bias, activation };
                depthwise::convolve(&depthwise, space.view(from, batch), out);
            }
            Prepared::Product { groups, bias } => {
                let convolution = convolve::Convolution { sweep, placed, groups, bias };
                convolve::convolve(&convolution, space.view(from, batch), residual, activation, out);
            }
            _ => {}
        }
    }
}

impl Workspace {
    fn view(&self, value: Value, batch: usize) -> View<'_> {
        let at = self.plan.place(value);
        let size = self.plan.sizes[value.0];
        View { values: &self.slots[at.slot], offset: at.offset, stride: at.stride, batch, size }
    }
}

/// Images of channels become pixels of channels.
fn read_images(images: &[f32], out: ViewMut<'_>) {
    let (pixels, channels) = (out.size.pixels(), out.size.channels);
    for (image, from) in images.chunks_exact(pixels * channels).enumerate() {
        for (channel, from) in from.chunks_exact(pixels).enumerate() {
            let to = &mut out.values[out.offset + image * pixels * out.stride + channel..];
            to.iter_mut().step_by(out.stride).zip(from).for_each(|(to, from)| *to = *from);
        }
    }
}

/// The parts that do not lie in the result yet.
fn concatenate(place: usize, parts: &[Value], batch: usize, space: &Workspace, out: ViewMut<'_>) {
    let ViewMut { values, mut offset, stride, .. } = out;
    let home = space.plan.place(Value(place)).slot;
    for part in parts {
        let (at, size) = (space.plan.place(*part), space.plan.sizes[part.0]);
        if at.slot != home || at.offset != offset {
            let out = ViewMut { values: &mut *values, offset, stride, batch, size };
            pointwise::copy(space.view(*part, batch), out);
        }
        offset += size.channels;
    }
}
