//! The host's operations on dfdx's tape.
//!
//! dfdx lends nobody the numbers of a tensor, so each operation copies its images once; everything else is moved.

use dfdx::shapes::HasShape;
use dfdx::tensor::{CpuError, Gradients, PutTape, SplitTape, Tape};

use super::block::{self as fused, Scaling};
use super::convolve::{self, Plan};
use super::layer::{Block, Norm};
use super::norm::{self, Affine, Moments, Running};
use super::pool::{self, Tiling};
use super::window::{Convolution, Shape, Window, filled};
use crate::tensor::error::{TensorError, same};
use crate::tensor::{Backend, Cpu, Tensor1, Tensor4, to_host};

type Grads = Gradients<f32, Cpu>;

/// A result on the tape: `back` gets its gradient and the gradients to add to.
fn record<T: Tape<f32, Cpu>>(
    device: &Cpu,
    mut tape: T,
    shape: Shape,
    values: Vec<f32>,
    back: impl FnOnce(&[f32], &mut Grads) -> Result<(), CpuError> + 'static,
) -> Result<Tensor4<Cpu, T>, TensorError> {
    let out = device.tensor4(shape, values)?;
    let ghost = out.ghost();
    tape.add_backward_op(move |grads| {
        // Taken out and put back, because dfdx lends one gradient at a time.
        let gradient = std::mem::take(&mut **grads.get_or_alloc_mut(&ghost)?);
        back(&gradient, grads)?;
        **grads.get_or_alloc_mut(&ghost)? = gradient;
        Ok(())
    });
    Ok(out.put_tape(tape))
}

fn channels_of(norm: &Norm<'_, Cpu>, channels: usize) -> Result<(Vec<f32>, Vec<f32>), TensorError> {
    same("a normalisation", "at least this many channels", 1, channels.min(1))?;
    same("a normalisation", "scales", channels, norm.scale.shape().0)?;
    same("a normalisation", "shifts", channels, norm.shift.shape().0)?;
    Ok((to_host(norm.scale)?, to_host(norm.shift)?))
}

/// Adds to the gradient of a tensor.
fn add(grads: &mut Grads, to: &Tensor1<Cpu>, values: &[f32]) -> Result<(), CpuError> {
    let gradient = grads.get_or_alloc_mut(to)?;
    gradient.iter_mut().zip(values).for_each(|(g, v)| *g += v);
    Ok(())
}

/// See [`super::ConvOps::conv2d`].
pub(super) fn conv2d<T: Tape<f32, Cpu>>(
    images: Tensor4<Cpu, T>,
    filters: &Tensor4<Cpu>,
    bias: Option<&Tensor1<Cpu>>,
    convolution: &Convolution,
) -> Result<Tensor4<Cpu, T>, TensorError> {
    let (images, tape) = images.split_tape();
    let plan = Plan::new(*images.shape(), *filters.shape(), convolution)?;
    let (x, weight) = (to_host(&images)?, to_host(filters)?);
    let terms = bias.map(to_host).transpose()?;
    if let Some(terms) = &terms {
        same("a convolution", "biases", plan.out, terms.len())?;
    }
    let out = convolve::forward(&plan, &x, &weight, terms.as_deref());
    let places = plan.layout.places;
    let shape = (plan.shape.0, places.0, places.1, plan.out);
    let (device, filters, bias) = (images.device().clone(), filters.clone(), bias.cloned());
    let ghost = images.ghost();
    record(&device, tape, shape, out, move |gradient, grads| {
        let mut weights = std::mem::take(&mut **grads.get_or_alloc_mut(&filters)?);
        let mut terms = bias.as_ref().map(|bias| vec![0.0; bias.shape().0]);
        let to = convolve::GradientSums {
            images: Some(grads.get_or_alloc_mut(&ghost)?.as_mut_slice()),
            weight: &mut weights,
            bias: terms.as_deref_mut(),
        };
        convolve::backward(&plan, &x, &weight, gradient, to);
        **grads.get_or_alloc_mut(&filters)? = weights;
        match (&bias, &terms) {
            (Some(bias), Some(terms)) => add(grads, bias, terms),
            _ => Ok(()),
        }
    })
}

/// See [`super::ConvOps::max_pool`].
pub(super) fn max_pool<T: Tape<f32, Cpu>>(
    images: Tensor4<Cpu, T>,
    window: Window,
) -> Result<Tensor4<Cpu, T>, TensorError> {
    let (images, tape) = images.split_tape();
    let shape = *images.shape();
    let tiling = Tiling::new("max pooling", window, shape)?;
    let (out, at) = pool::maxima(&tiling, shape, &to_host(&images)?);
    let (device, ghost, places) = (images.device().clone(), images.ghost(), tiling.places);
    record(&device, tape, (shape.0, places.0, places.1, shape.3), out, move |gradient, grads| {
        let to = grads.get_or_alloc_mut(&ghost)?;
        pool::add_maxima_gradient(&tiling, shape.3, &at, gradient, to);
        Ok(())
    })
}

/// See [`super::ConvOps::average_pool`].
pub(super) fn average_pool<T: Tape<f32, Cpu>>(
    images: Tensor4<Cpu, T>,
    window: Window,
) -> Result<Tensor4<Cpu, T>, TensorError> {
    let (images, tape) = images.split_tape();
    let shape = *images.shape();
    let tiling = Tiling::new("average pooling", window, shape)?;
    let out = pool::means(&tiling, shape, &to_host(&images)?);
    let (device, ghost, places) = (images.device().clone(), images.ghost(), tiling.places);
    record(&device, tape, (shape.0, places.0, places.1, shape.3), out, move |gradient, grads| {
        pool::add_means_gradient(&tiling, shape.3, gradient, grads.get_or_alloc_mut(&ghost)?);
        Ok(())
    })
}

/// See [`super::ConvOps::relu`].
pub(super) fn relu<T: Tape<f32, Cpu>>(images: Tensor4<Cpu, T>) -> Result<Tensor4<Cpu, T>, TensorError> {
    let (images, tape) = images.split_tape();
    let x = to_host(&images)?;
    let out: Vec<f32> = x.iter().map(|x| if *x > 0.0 { *x } else { 0.0 }).collect();
    let (device, shape, ghost) = (images.device().clone(), *images.shape(), images.ghost());
    record(&device, tape, shape, out, move |gradient, grads| {
        let to = grads.get_or_alloc_mut(&ghost)?;
        for ((to, g), x) in to.iter_mut().zip(gradient).zip(&x) {
            *to += if *x > 0.0 { *g } else { 0.0 };
        }
        Ok(())
    })
}

/// See [`super::ConvOps::batch_norm`].
pub(super) fn batch_norm<T: Tape<f32, Cpu>>(
    images: Tensor4<Cpu, T>,
    norm: &Norm<'_, Cpu>,
) -> Result<(Tensor4<Cpu, T>, Moments), TensorError> {
    let (images, tape) = images.split_tape();
    filled("a normalisation", *images.shape())?;
    let x = to_host(&images)?;
    let moments = norm::moments(&x, images.shape().3);
    let out = normalise(&images, tape, x, norm, &moments.mean, &moments.variance, Some(moments.count))?;
    Ok((out, moments))
}

/// See [`super::ConvOps::fixed_norm`].
pub(super) fn fixed_norm<T: Tape<f32, Cpu>>(
    images: Tensor4<Cpu, T>,
    norm: &Norm<'_, Cpu>,
    running: &Running,
) -> Result<Tensor4<Cpu, T>, TensorError> {
    let (images, tape) = images.split_tape();
    let x = to_host(&images)?;
    normalise(&images, tape, x, norm, &running.mean, &running.variance, None)
}

/// Each channel of `x` normalised; the moments are those of `own` rows of x itself, or given.
fn normalise<T: Tape<f32, Cpu>>(
    images: &Tensor4<Cpu>,
    tape: T,
    x: Vec<f32>,
    norm: &Norm<'_, Cpu>,
    mean: &[f32],
    variance: &[f32],
    own: Option<usize>,
) -> Result<Tensor4<Cpu, T>, TensorError> {
    let shape = *images.shape();
    same("a normalisation", "means", shape.3, mean.len())?;
    let (scale, shift) = channels_of(norm, shape.3)?;
    let affine = Affine::new(mean, variance, &scale, &shift, norm.epsilon);
    let out = affine.apply(&x);
    let (ghost, scale, shift) = (images.ghost(), norm.scale.clone(), norm.shift.clone());
    record(images.device(), tape, shape, out, move |gradient, grads| {
        let sums = affine.gradients(&x, gradient);
        let input = own.map(|count| affine.input_gradient(&sums, count));
        norm::add_input_gradient(&affine, input.as_ref(), &x, gradient, grads.get_or_alloc_mut(&ghost)?);
        add(grads, &scale, &sums.scale)?;
        add(grads, &shift, &sums.shift)
    })
}

/// The parts of a block, checked to fit.
fn prepared(shape: Shape, block: &Block<'_, Cpu>) -> Result<(Plan, Tiling), TensorError> {
    let plan = Plan::new(shape, *block.filters.shape(), &block.convolution)?;
    let (height, width) = plan.layout.places;
    let tiling = Tiling::new("max pooling", block.pool, (shape.0, height, width, plan.out))?;
    Ok((plan, tiling))
}

/// See [`super::ConvOps::block`].
pub(super) fn block<T: Tape<f32, Cpu>>(
    images: Tensor4<Cpu, T>,
    block: &Block<'_, Cpu>,
) -> Result<(Tensor4<Cpu, T>, Moments), TensorError> {
    let (images, tape) = images.split_tape();
    let (plan, tiling) = prepared(*images.shape(), block)?;
    let (x, weight) = (to_host(&images)?, to_host(block.filters)?);
    let (scale, shift) = channels_of(&block.norm, plan.out)?;
    let scaling = Scaling { scale: &scale, shift: &shift, epsilon: block.norm.epsilon };
    let (out, moments, saved) = fused::forward(&plan, &tiling, &x, &weight, scaling);
    let shape = (plan.shape.0, tiling.places.0, tiling.places.1, plan.out);
    let (device, ghost, through) = (images.device().clone(), images.ghost(), block.through);
    let (filters, scale, shift) = (block.filters.clone(), block.norm.scale.clone(), block.norm.shift.clone());
    let out = record(&device, tape, shape, out, move |gradient, grads| {
        let mut weights = std::mem::take(&mut **grads.get_or_alloc_mut(&filters)?);
        let images = if through { Some(grads.get_or_alloc_mut(&ghost)?.as_mut_slice()) } else { None };
        let to = fused::GradientSums { images, weight: &mut weights };
        let (scales, shifts) = fused::backward(&plan, &tiling, &x, &weight, &saved, gradient, to);
        **grads.get_or_alloc_mut(&filters)? = weights;
        add(grads, &scale, &scales)?;
        add(grads, &shift, &shifts)
    })?;
    Ok((out, moments))
}

/// See [`super::ConvOps::fixed_block`].
pub(super) fn fixed_block(
    images: Tensor4<Cpu>,
    block: &Block<'_, Cpu>,
    running: &Running,
) -> Result<Tensor4<Cpu>, TensorError> {
    let (plan, tiling) = prepared(*images.shape(), block)?;
    same("a normalisation", "means", plan.out, running.mean.len())?;
    let (scale, shift) = channels_of(&block.norm, plan.out)?;
    let affine = Affine::new(&running.mean, &running.variance, &scale, &shift, block.norm.epsilon);
    let out = fused::evaluate(&plan, &tiling, &to_host(&images)?, &to_host(block.filters)?, &affine);
    let shape = (plan.shape.0, tiling.places.0, tiling.places.1, plan.out);
    images.device().tensor4(shape, out)
}
