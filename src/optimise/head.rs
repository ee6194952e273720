//! What makes logits of features.

use super::objective::normalised;
use crate::tensor::conv::ConvOps;
use crate::tensor::dfdx::shapes::{Axes2, Axis, HasShape};
use crate::tensor::dfdx::tensor::{Tape, Tensor};
use crate::tensor::dfdx::tensor_ops::{BroadcastTo, PermuteTo, TryAdd, TryMatMul, TryMul};
use crate::tensor::tape::Gradients;
use crate::tensor::{Moments, Slot, Step, Tensor1, Tensor2, TensorError, device_error, to_host};

/// Features or logits (items, numbers), with or without a tape.
type Rows<D, T> = Tensor<(usize, usize), f32, D, T>;

/// How logits are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HeadKind {
    /// `x·W + b`, from zero.
    Linear,
    /// `scale · cos(x, w)`, from the means of the support's unit vectors.
    Cosine {
        /// The factor.
        scale: f32,
    },
    /// `−‖x − mean‖²` of each label's support (Snell et al. 2017): nothing of its own is learned.
    Prototype,
}

impl HeadKind {
    /// Numbers that are learned on features of `dim` numbers for `way` labels.
    pub fn learned(self, dim: usize, way: usize) -> usize {
        match self {
            HeadKind::Linear => (dim + 1) * way,
            HeadKind::Cosine { .. } => dim * way,
            HeadKind::Prototype => 0,
        }
    }
}

/// A head on a device.
pub struct Head<D: ConvOps> {
    kind: HeadKind,
    way: usize,
    /// (dim, way); nothing of a prototype head.
    weight: Option<Tensor2<D>>,
    /// (way), of a linear head.
    bias: Option<Tensor1<D>>,
}

impl<D: ConvOps> Head<D> {
    /// A head where it starts, given the features of the support (items, dim) and a label below `way` for each.
    ///
    /// # Errors
    /// When the device fails.
    pub fn new(
        device: &D,
        kind: HeadKind,
        support: (&[f32], usize),
        labels: &[usize],
        way: usize,
    ) -> Result<Head<D>, TensorError> {
        let dim = support.1;
        let (weight, bias) = match kind {
            HeadKind::Linear => (
                Some(device.tensor2((dim, way), vec![0.0; dim * way])?),
                Some(device.tensor1(way, vec![0.0; way])?),
            ),
            HeadKind::Cosine { .. } => {
                (Some(device.tensor2((dim, way), directions(support, labels, way))?), None)
            }
            HeadKind::Prototype => (None, None),
        };
        Ok(Head { kind, way, weight, bias })
    }

    /// How it makes logits.
    pub fn kind(&self) -> HeadKind {
        self.kind
    }

    /// What scores items once training is over: the head itself, or of a prototype head the prototypes of the support.
    ///
    /// # Errors
    /// When the device fails.
    pub fn settled(
        self,
        device: &D,
        support: (&[f32], usize),
        labels: &[usize],
    ) -> Result<Head<D>, TensorError> {
        if self.kind != HeadKind::Prototype {
            return Ok(self);
        }
        let (dim, way) = (support.1, self.way);
        let [weight, bias] = prototypes(support, labels, way);
        let (weight, bias) = (device.tensor2((dim, way), weight)?, device.tensor1(way, bias)?);
        Ok(Head { kind: HeadKind::Linear, way, weight: Some(weight), bias: Some(bias) })
    }

    /// Logits of features: (items, way). A prototype head has none before it is [`Head::settled`].
    ///
    /// # Errors
    /// When sizes do not fit, or the device fails.
    pub fn logits<T: Tape<f32, D>>(&self, features: Rows<D, T>) -> Result<Rows<D, T>, TensorError> {
        let error = device_error::<D>;
        let Some(weight) = &self.weight else { return Ok(features) };
        let shape = (features.shape().0, self.way);
        match self.kind {
            HeadKind::Cosine { scale } => {
                let directions = columns_normalised(weight.retaped::<T>())?;
                let cosines: Rows<D, T> = normalised(features)?.try_matmul(directions).map_err(error)?;
                cosines.try_mul(scale).map_err(error)
            }
            _ => {
                let products: Rows<D, T> = features.try_matmul(weight.clone()).map_err(error)?;
                let Some(bias) = &self.bias else { return Ok(products) };
                let bias = bias.retaped::<T>().try_broadcast_like::<_, Axis<0>>(&shape).map_err(error)?;
                products.try_add(bias).map_err(error)
            }
        }
    }

    /// The gradients of what is learned.
    ///
    /// # Errors
    /// When the device fails.
    pub(super) fn take_gradients(&self, gradients: &mut Gradients<D>) -> Result<Vec<Slot<D>>, TensorError> {
        let mut all = Vec::new();
        if let Some(weight) = &self.weight {
            all.push(D::take_gradient(gradients, weight)?);
        }
        if let Some(bias) = &self.bias {
            all.push(D::take_gradient(gradients, bias)?);
        }
        Ok(all)
    }

    /// The same as numbers.
    ///
    /// # Errors
    /// When the device fails.
    pub fn gradients(&self, gradients: &mut Gradients<D>) -> Result<Vec<Vec<f32>>, TensorError> {
        self.take_gradients(gradients)?.iter().map(Slot::to_host).collect()
    }

    /// Moves what is learned.
    ///
    /// # Errors
    /// When the device fails.
    pub(super) fn descend(
        &mut self,
        gradients: &[Slot<D>],
        moments: &mut [Moments<D>],
        step: &Step,
    ) -> Result<(), TensorError> {
        let mut parts = gradients.iter().zip(moments);
        if let (Some(weight), Some((gradient, moments))) = (&mut self.weight, parts.next()) {
            D::descend(weight, gradient, moments, step)?;
        }
        if let (Some(bias), Some((gradient, moments))) = (&mut self.bias, parts.next()) {
            D::descend(bias, gradient, moments, step)?;
        }
        Ok(())
    }

    /// The numbers that are learned: weight (dim, way) and bias.
    ///
    /// # Errors
    /// When the device fails.
    pub fn values(&self) -> Result<Vec<Vec<f32>>, TensorError> {
        let weight = self.weight.as_ref().map(to_host).transpose()?;
        let bias = self.bias.as_ref().map(to_host).transpose()?;
        Ok(weight.into_iter().chain(bias).collect())
    }

    /// Takes over numbers that [`Head::values`] gave.
    ///
    /// # Errors
    /// When the device fails.
    pub fn load(&mut self, values: &[Vec<f32>]) -> Result<(), TensorError> {
        if let (Some(weight), Some(values)) = (&mut self.weight, values.first()) {
            let shape = *weight.shape();
            *weight = weight.device().tensor2(shape, values.clone())?;
        }
        if let (Some(bias), Some(values)) = (&mut self.bias, values.get(1)) {
            *bias = bias.device().tensor1(values.len(), values.clone())?;
        }
        Ok(())
    }
}

/// Columns of length one.
fn columns_normalised<D: ConvOps, T: Tape<f32, D>>(columns: Rows<D, T>) -> Result<Rows<D, T>, TensorError> {
    let error = device_error::<D>;
    let rows = columns.try_permute::<(usize, usize), Axes2<1, 0>>().map_err(error)?;
    normalised(rows)?.try_permute::<(usize, usize), Axes2<1, 0>>().map_err(error)
}

/// The mean direction of each label's items: (dim, way).
fn directions((support, dim): (&[f32], usize), labels: &[usize], way: usize) -> Vec<f32> {
    let mut sums = vec![0.0f32; dim * way];
    for (row, label) in support.chunks_exact(dim.max(1)).zip(labels) {
        let length = row.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        row.iter().enumerate().for_each(|(place, x)| sums[place * way + label] += x / length);
    }
    sums
}

/// The prototypes of a support as the numbers that score queries: `2·x·mean − ‖mean‖²` as weight (dim, way) and bias.
fn prototypes((support, dim): (&[f32], usize), labels: &[usize], way: usize) -> [Vec<f32>; 2] {
    let mut counts = vec![0usize; way];
    labels.iter().for_each(|label| counts[*label] += 1);
    let mut weight = vec![0.0f32; dim * way];
    for (row, label) in support.chunks_exact(dim.max(1)).zip(labels) {
        let share = 1.0 / counts[*label] as f32;
        row.iter().enumerate().for_each(|(place, x)| weight[place * way + label] += share * x);
    }
    let norm = |label: usize| -(0..dim).map(|place| weight[place * way + label].powi(2)).sum::<f32>();
    let bias = (0..way).map(norm).collect();
    weight.iter_mut().for_each(|x| *x *= 2.0);
    [weight, bias]
}
