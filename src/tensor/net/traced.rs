//! Networks as operations of the device, with or without a tape: what is trained, and what runs on a GPU.
//!
//! The tape is handed from one operation to the next; results are kept without it, and dfdx finds their gradients by the
//! tensors themselves. A result may so be used more than once.

use dfdx::shapes::HasShape;
use dfdx::tensor::{PutTape, SplitTape, Tape};
use dfdx::tensor_ops::TryAdd;

use super::graph::{Graph, Normalise, Op, Param, Value};
use super::sweep::{Padding, Sweep};
use super::traced_ops as ops;
use crate::tensor::conv::{ConvOps, Convolution, Moments, Norm, Running, Window};
use crate::tensor::error::same;
use crate::tensor::step::{Moments as StepMoments, Slot, Step};
use crate::tensor::tape::{Gradients, Tape as Recording, trace};
use crate::tensor::{Tensor1, Tensor2, Tensor4, TensorError, device_error, to_host};

/// The part by which running moments move towards those of a batch, as in torch.
const MOMENTUM: f32 = 0.1;

/// By which moments batch normalisations normalise on a tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norms {
    /// Those of the batch, which move the running ones.
    Batch,
    /// The running ones, which stay.
    Running,
}

/// A weight on the device, in the shape in which it is used.
enum Held<D: ConvOps> {
    /// One number for each channel.
    Channels(Tensor1<D>),
    /// One row for each token.
    Tokens(Tensor2<D>),
    /// Filters; a dense layer has filters of one pixel.
    Filters(Tensor4<D>),
    /// Running moments, which no gradient changes.
    Moments(Vec<f32>),
}

/// A network whose weights lie on a device.
pub struct Learner<D: ConvOps> {
    device: D,
    graph: Graph,
    held: Vec<Held<D>>,
}

/// What normalisations do: by moments of the batch, which are returned, or by running ones.
struct Run<'a> {
    batch_moments: bool,
    seen: &'a mut Vec<(Normalise, Moments)>,
}

impl<D: ConvOps> Learner<D> {
    /// A network with the numbers of [`Graph::parameters`].
    ///
    /// # Errors
    /// When a weight has another size, or the device has no room.
    pub fn new(device: &D, graph: &Graph, values: &[Vec<f32>]) -> Result<Learner<D>, TensorError> {
        same("a network", "weights", graph.parameters.len(), values.len())?;
        let mut held = Vec::with_capacity(values.len());
        for (parameter, values) in graph.parameters.iter().zip(values) {
            let values = values.clone();
            held.push(match (parameter.learned, parameter.shape.as_slice()) {
                (false, _) => Held::Moments(values),
                (_, [channels]) => Held::Channels(device.tensor1(*channels, values)?),
                (_, [out, inside]) => Held::Filters(device.tensor4((*out, *inside, 1, 1), values)?),
                (_, [out, inside, height, width]) => {
                    Held::Filters(device.tensor4((*out, *inside, *height, *width), values)?)
                }
                (_, shape) => {
                    let channels = shape.last().copied().unwrap_or(1).max(1);
                    Held::Tokens(device.tensor2((values.len() / channels, channels), values)?)
                }
            });
        }
        Ok(Learner { device: device.clone(), graph: graph.clone(), held })
    }

    /// A result for images that lie behind each other as (channels, height, width), by running moments.
    ///
    /// # Errors
    /// When the images are not whole or too small, or the device fails.
    pub fn evaluate(
        &self,
        images: &[f32],
        image: (usize, usize),
        result: Value,
    ) -> Result<Tensor4<D>, TensorError> {
        let mut seen = Vec::new();
        let run = Run { batch_moments: false, seen: &mut seen };
        self.pass(self.upload(images, image)?, image, result, run)
    }

    /// The same on a tape; normalisations use the batch's moments and move the running ones.
    ///
    /// # Errors
    /// As [`Learner::evaluate`].
    pub fn forward(
        &mut self,
        images: &[f32],
        image: (usize, usize),
        result: Value,
    ) -> Result<Tensor4<D, Recording<D>>, TensorError> {
        self.forward_by(Norms::Batch, images, image, result)
    }

    /// The same, where batch normalisations do as is said.
    ///
    /// # Errors
    /// As [`Learner::evaluate`].
    pub fn forward_by(
        &mut self,
        norms: Norms,
        images: &[f32],
        image: (usize, usize),
        result: Value,
    ) -> Result<Tensor4<D, Recording<D>>, TensorError> {
        let mut seen = Vec::new();
        let run = Run { batch_moments: norms == Norms::Batch, seen: &mut seen };
        let out = self.pass(trace(self.upload(images, image)?), image, result, run)?;
        for (norm, batch) in seen {
            let take = |held: &mut Held<D>| match held {
                Held::Moments(values) => std::mem::take(values),
                _ => Vec::new(),
            };
            let (mean, variance) = (norm.moments.0.0, norm.moments.1.0);
            let mut running =
                Running { mean: take(&mut self.held[mean]), variance: take(&mut self.held[variance]) };
            running.update(&batch, MOMENTUM);
            self.held[mean] = Held::Moments(running.mean);
            self.held[variance] = Held::Moments(running.variance);
        }
        Ok(out)
    }

    /// The gradients of the weights that are learned, in their order.
    ///
    /// # Errors
    /// When the device fails.
    pub fn gradients(&self, gradients: &mut Gradients<D>) -> Result<Vec<Vec<f32>>, TensorError> {
        let mut all = Vec::new();
        for held in &self.held {
            match held {
                Held::Channels(tensor) => all.push(gradients.of(tensor)?),
                Held::Tokens(tensor) => all.push(gradients.of(tensor)?),
                Held::Filters(tensor) => all.push(gradients.of(tensor)?),
                Held::Moments(_) => {}
            }
        }
        Ok(all)
    }

    /// The gradients of the weights that are learned, in their order, where the device has them.
    ///
    /// # Errors
    /// When the device fails.
    pub fn take_gradients(&self, gradients: &mut Gradients<D>) -> Result<Vec<Slot<D>>, TensorError> {
        let mut all = Vec::new();
        for held in &self.held {
            match held {
                Held::Channels(tensor) => all.push(D::take_gradient(gradients, tensor)?),
                Held::Tokens(tensor) => all.push(D::take_gradient(gradients, tensor)?),
                Held::Filters(tensor) => all.push(D::take_gradient(gradients, tensor)?),
                Held::Moments(_) => {}
            }
        }
        Ok(all)
    }

    /// Moves the weights that are learned by their gradients; `step` says how, by the place of each among
    /// [`Graph::parameters`].
    ///
    /// # Errors
    /// When there is not one gradient and one place for moments for each, or the device fails.
    pub fn descend(
        &mut self,
        gradients: &[Slot<D>],
        moments: &mut [StepMoments<D>],
        step: impl Fn(usize) -> Step,
    ) -> Result<(), TensorError> {
        let learned = self.graph.parameters.iter().filter(|p| p.learned).count();
        same("a step", "gradients", learned, gradients.len())?;
        same("a step", "moments", learned, moments.len())?;
        let mut parts = gradients.iter().zip(moments);
        for (place, held) in self.held.iter_mut().enumerate() {
            if let Held::Moments(_) = held {
                continue;
            }
            let Some((gradient, moments)) = parts.next() else { break };
            match held {
                Held::Channels(tensor) => D::descend(tensor, gradient, moments, &step(place))?,
                Held::Tokens(tensor) => D::descend(tensor, gradient, moments, &step(place))?,
                Held::Filters(tensor) => D::descend(tensor, gradient, moments, &step(place))?,
                Held::Moments(_) => {}
            }
        }
        Ok(())
    }

    /// The numbers of all weights, in their order.
    ///
    /// # Errors
    /// When the device fails.
    pub fn values(&self) -> Result<Vec<Vec<f32>>, TensorError> {
        let values = self.held.iter().map(|held| match held {
            Held::Channels(tensor) => to_host(tensor),
            Held::Tokens(tensor) => to_host(tensor),
            Held::Filters(tensor) => to_host(tensor),
            Held::Moments(values) => Ok(values.clone()),
        });
        values.collect()
    }

    /// Images as the operations want them: channels last.
    fn upload(&self, images: &[f32], (height, width): (usize, usize)) -> Result<Tensor4<D>, TensorError> {
        let channels = self.graph.channels;
        let (pixels, size) = (height * width, channels * height * width);
        let batch = images.len() / size.max(1);
        same("a network", "numbers of whole images", batch * size, images.len())?;
        let mut last = vec![0.0; images.len()];
        for (from, to) in images.chunks_exact(size).zip(last.chunks_exact_mut(size)) {
            for (channel, from) in from.chunks_exact(pixels).enumerate() {
                to[channel..].iter_mut().step_by(channels).zip(from).for_each(|(to, from)| *to = *from);
            }
        }
        self.device.tensor4((batch, height, width, channels), last)
    }

    fn pass<T: Tape<f32, D>>(
        &self,
        images: Tensor4<D, T>,
        image: (usize, usize),
        result: Value,
        mut run: Run<'_>,
    ) -> Result<Tensor4<D, T>, TensorError> {
        let cut = Graph { ops: self.graph.ops[..=result.0].to_vec(), ..self.graph.clone() };
        cut.sizes(image)?;
        let needed = cut.needed(result);
        let (images, mut tape) = images.split_tape();
        let mut results: Vec<Option<Tensor4<D>>> = vec![None; cut.ops.len()];
        results[0] = Some(images);
        for (place, op) in cut.ops.iter().enumerate().skip(1).filter(|(place, _)| needed[*place]) {
            let of = |value: &Value| {
                results[value.0].clone().ok_or(TensorError::Shape {
                    operation: "a network",
                    what: "results that come before they are used",
                    expected: value.0,
                    found: place,
                })
            };
            let out = self.apply(op, of, tape, &mut run)?;
            let (out, rest) = out.split_tape();
            tape = rest;
            results[place] = Some(out);
        }
        let out = results[result.0].take().ok_or(TensorError::Shape {
            operation: "a network",
            what: "results",
            expected: result.0,
            found: 0,
        })?;
        Ok(out.put_tape(tape))
    }

    fn channels(&self, param: Param) -> Result<&Tensor1<D>, TensorError> {
        match &self.held[param.0] {
            Held::Channels(tensor) => Ok(tensor),
            _ => Err(other_use()),
        }
    }

    fn filters(&self, param: Param) -> Result<&Tensor4<D>, TensorError> {
        match &self.held[param.0] {
            Held::Filters(tensor) => Ok(tensor),
            _ => Err(other_use()),
        }
    }

    fn tokens(&self, param: Param) -> Result<&Tensor2<D>, TensorError> {
        match &self.held[param.0] {
            Held::Tokens(tensor) => Ok(tensor),
            _ => Err(other_use()),
        }
    }

    fn running(&self, norm: &Normalise) -> Running {
        let of = |param: Param| match &self.held[param.0] {
            Held::Moments(values) => values.clone(),
            _ => Vec::new(),
        };
        Running { mean: of(norm.moments.0), variance: of(norm.moments.1) }
    }

    fn normalise<T: Tape<f32, D>>(
        &self,
        x: Tensor4<D, T>,
        by: &Normalise,
        run: &mut Run<'_>,
    ) -> Result<Tensor4<D, T>, TensorError> {
        let shift = self.channels(by.shift)?;
        let ones;
        let scale = match by.scale {
            Some(scale) => self.channels(scale)?,
            None => {
                ones = self.device.tensor1(shift.shape().0, vec![1.0; shift.shape().0])?;
                &ones
            }
        };
        let norm = Norm { scale, shift, epsilon: by.epsilon };
        if !run.batch_moments {
            return D::fixed_norm(x, &norm, &self.running(by));
        }
        let (out, moments) = D::batch_norm(x, &norm)?;
        run.seen.push((*by, moments));
        Ok(out)
    }

    fn convolve<T: Tape<f32, D>>(
        &self,
        x: Tensor4<D, T>,
        (weight, bias): (Param, Option<Param>),
        sweep: &Sweep,
        groups: usize,
    ) -> Result<Tensor4<D, T>, TensorError> {
        let bias = bias.map(|bias| self.channels(bias)).transpose()?;
        let (x, padding) = padded(x, sweep, 0.0)?;
        let convolution = Convolution { stride: sweep.stride, padding, groups };
        D::conv2d(x, self.filters(weight)?, bias, &convolution)
    }

    fn apply<T: Tape<f32, D>>(
        &self,
        op: &Op,
        of: impl Fn(&Value) -> Result<Tensor4<D>, TensorError>,
        tape: T,
        run: &mut Run<'_>,
    ) -> Result<Tensor4<D, T>, TensorError> {
        let error = device_error::<D>;
        let inputs = op.inputs();
        let x = match inputs.first() {
            Some(first) => of(first)?.put_tape(tape),
            None => return Err(other_use()),
        };
        Ok(match op {
            Op::Images => x,
            Op::Rescale { factor, term, .. } => {
                let factor = self.device.tensor1(factor.len(), factor.clone())?;
                let term = self.device.tensor1(term.len(), term.clone())?;
                ops::scaled(x, &factor, Some(&term))?
            }
            Op::Convolve { weight, sweep, groups, bias, norm, activation, .. } => {
                let mut out = self.convolve(x, (*weight, *bias), sweep, *groups)?;
                if let Some(norm) = norm {
                    out = self.normalise(out, norm, run)?;
                }
                ops::activated(out, *activation)?
            }
            Op::Dense { weight, bias, activation, .. } => {
                let out = self.convolve(x, (*weight, *bias), &Sweep::square(1, 1, 0), 1)?;
                ops::activated(out, *activation)?
            }
            Op::Normalise { norm, activation, .. } => {
                ops::activated(self.normalise(x, norm, run)?, *activation)?
            }
            Op::MaxPool { sweep, .. } => {
                // What was activated is never less than the padding; before that it may be.
                let (x, padding) = padded(x, sweep, f32::MIN)?;
                D::max_pool(x, window(sweep, padding))?
            }
            Op::MeanPool { sweep, counts_padding, .. } => ops::means(x, sweep, *counts_padding)?,
            Op::AdaptiveMean { to, .. } => ops::adaptive(x, *to)?,
            Op::Mean { first, .. } => ops::mean(x, *first)?,
            Op::Flatten { .. } => ops::flatten(x)?,
            Op::Concatenate { parts } => {
                let mut out = x;
                for part in &parts[1..] {
                    out = ops::joined(out, of(part)?)?;
                }
                out
            }
            Op::Add { right, activation, .. } => {
                ops::activated(x.try_add(of(right)?).map_err(error)?, *activation)?
            }
            Op::Gate { gate, .. } => ops::gated(x, of(gate)?)?,
            Op::Subsample { stride, zeros, .. } => ops::subsample(x, *stride, *zeros)?,
            Op::Tokens { class, positions, .. } => {
                let class = class.map(|class| self.tokens(class)).transpose()?;
                ops::tokens(x, class, self.tokens(*positions)?)?
            }
            Op::LayerNorm { scale, shift, epsilon, .. } => {
                ops::layer_norm(x, self.channels(*scale)?, self.channels(*shift)?, *epsilon)?
            }
            Op::LayerScale { factor, .. } => ops::scaled(x, self.channels(*factor)?, None)?,
            Op::Words { words, positions, .. } => {
                ops::words(x, self.tokens(*words)?, self.tokens(*positions)?)?
            }
            Op::Attend { heads, causal, .. } => ops::attend(x, *heads, *causal)?,
            Op::Token { index, .. } => ops::picked(x, vec![*index], (1, 1))?,
            Op::LastToken { .. } => {
                let (_, height, width, _) = *x.shape();
                ops::picked(x, vec![height * width - 1], (1, 1))?
            }
        })
    }
}

/// A weight that is used as something else than its shape allows.
fn other_use() -> TensorError {
    TensorError::Shape {
        operation: "a network",
        what: "weights of the shape that they are used in",
        expected: 1,
        found: 0,
    }
}

fn window(sweep: &Sweep, padding: (usize, usize)) -> Window {
    Window { kernel: sweep.kernel, stride: sweep.stride, padding, ceil: sweep.ceil }
}

/// Images, and the padding that is left to a window.
type Padded<D, T> = (Tensor4<D, T>, (usize, usize));

/// The images with the padding that no window can have, and the padding that is left to the window.
fn padded<D: ConvOps, T: Tape<f32, D>>(
    x: Tensor4<D, T>,
    sweep: &Sweep,
    edge: f32,
) -> Result<Padded<D, T>, TensorError> {
    let (_, height, width, _) = *x.shape();
    match sweep.padding {
        Padding::Symmetric(vertical, horizontal) => Ok((x, (vertical, horizontal))),
        Padding::Same => {
            let placed = sweep.on("a window", (height, width))?;
            Ok((ops::framed(x, placed.before, placed.after, edge)?, (0, 0)))
        }
    }
}
