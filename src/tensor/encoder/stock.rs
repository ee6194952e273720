//! The encoder composed from stock dfdx operations: runs on every device, and is what CUDA uses.

use dfdx::shapes::{Axes4, Axis, HasShape};
use dfdx::tensor_ops::{
    BroadcastTo, GatherTo, MeanTo, PermuteTo, ReshapeTo, SelectTo, SumTo, TryAdd, TryDiv, TryMatMul, TryMul,
};

use super::Pooling;
use super::batch::{LEAST_NORM, TokenBatch, sequences};
use super::weights::{Activation, EncoderWeights, Linear, Norm};
use crate::tensor::error::{TensorError, same};
use crate::tensor::stock::failure;
use crate::tensor::{Backend, Tensor1, Tensor2, Tensor3, Tensor4};

struct DeviceLinear<D: Backend> {
    /// (inner, out)
    weight: Tensor2<D>,
    bias: Tensor1<D>,
}

impl<D: Backend> DeviceLinear<D> {
    fn new(device: &D, layer: &Linear) -> Result<Self, TensorError> {
        let (inner, out) = layer.shape();
        let weight = device.tensor2((inner, out), layer.weight.matrix())?;
        Ok(DeviceLinear { weight, bias: device.tensor1(out, layer.bias[..out].to_vec())? })
    }

    fn apply(&self, x: Tensor2<D>) -> Result<Tensor2<D>, TensorError> {
        same("a linear layer", "columns", self.weight.shape().0, x.shape().1)?;
        let product = x.try_matmul(self.weight.clone()).map_err(failure::<D>)?;
        let shape = *product.shape();
        let bias = self.bias.clone().try_broadcast_like::<_, Axis<0>>(&shape).map_err(failure::<D>)?;
        product.try_add(bias).map_err(failure::<D>)
    }
}

struct DeviceNorm<D: Backend> {
    scale: Tensor1<D>,
    shift: Tensor1<D>,
    epsilon: f32,
}

impl<D: Backend> DeviceNorm<D> {
    fn new(device: &D, norm: &Norm) -> Result<Self, TensorError> {
        let tensor = |values: &Vec<f32>| device.tensor1(values.len(), values.clone());
        Ok(DeviceNorm { scale: tensor(&norm.scale)?, shift: tensor(&norm.shift)?, epsilon: norm.epsilon })
    }

    fn apply(&self, x: Tensor2<D>) -> Result<Tensor2<D>, TensorError> {
        let error = failure::<D>;
        let shape = *x.shape();
        let scale = self.scale.clone().try_broadcast_like::<_, Axis<0>>(&shape).map_err(error)?;
        let shift = self.shift.clone().try_broadcast_like::<_, Axis<0>>(&shape).map_err(error)?;
        let even = x.try_normalize::<Axis<1>>(self.epsilon).map_err(error)?;
        even.try_mul(scale).map_err(error)?.try_add(shift).map_err(error)
    }
}

struct DeviceBlock<D: Backend> {
    attend: DeviceLinear<D>,
    mix: DeviceLinear<D>,
    attend_norm: DeviceNorm<D>,
    up: DeviceLinear<D>,
    down: DeviceLinear<D>,
    feed_norm: DeviceNorm<D>,
}

/// An encoder in the memory of a device.
pub struct DeviceEncoder<D: Backend> {
    device: D,
    host: std::sync::Arc<EncoderWeights>,
    words: Tensor2<D>,
    positions: Tensor2<D>,
    norm: DeviceNorm<D>,
    blocks: Vec<DeviceBlock<D>>,
}

impl<D: Backend> DeviceEncoder<D> {
    /// Copies an encoder to the device.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn new(device: &D, weights: &std::sync::Arc<EncoderWeights>) -> Result<Self, TensorError> {
        let (hidden, (words, positions)) = (weights.hidden(), weights.table_sizes());
        let (word_table, position_table) = weights.tables.all();
        let blocks = weights.blocks.iter().map(|block| {
            Ok(DeviceBlock {
                attend: DeviceLinear::new(device, &block.attend)?,
                mix: DeviceLinear::new(device, &block.mix)?,
                attend_norm: DeviceNorm::new(device, &block.attend_norm)?,
                up: DeviceLinear::new(device, &block.up)?,
                down: DeviceLinear::new(device, &block.down)?,
                feed_norm: DeviceNorm::new(device, &block.feed_norm)?,
            })
        });
        Ok(DeviceEncoder {
            device: device.clone(),
            words: device.tensor2((words, hidden), word_table.to_vec())?,
            positions: device.tensor2((positions, hidden), position_table.to_vec())?,
            norm: DeviceNorm::new(device, &weights.tables.norm)?,
            blocks: blocks.collect::<Result<_, TensorError>>()?,
            host: std::sync::Arc::clone(weights),
        })
    }

    /// As [`super::EncoderOps::look_up`].
    pub fn look_up(&self, tokens: &TokenBatch) -> Result<Tensor2<D>, TensorError> {
        tokens.within(&self.host.tables)?;
        let count = tokens.ids().len();
        let gather = |table: &Tensor2<D>, places: Vec<usize>| -> Result<Tensor2<D>, TensorError> {
            let places = self.device.try_tensor_from_vec(places, (count,)).map_err(failure::<D>)?;
            table.clone().try_gather(places).map_err(failure::<D>)
        };
        let words = gather(&self.words, tokens.ids().iter().map(|id| *id as usize).collect())?;
        let positions = gather(&self.positions, (0..count).map(|i| i % tokens.length()).collect())?;
        self.norm.apply(words.try_add(positions).map_err(failure::<D>)?)
    }

    /// As [`super::EncoderOps::block`].
    pub fn block(&self, number: usize, x: Tensor2<D>, length: usize) -> Result<Tensor2<D>, TensorError> {
        sequences(&x, self.host.hidden(), length)?;
        self.host.block(number)?;
        let block = &self.blocks[number];
        let joint = block.attend.apply(x.clone())?;
        let change = block.mix.apply(attend(&joint, self.host.heads, length)?)?;
        let x = block.attend_norm.apply(x.try_add(change).map_err(failure::<D>)?)?;
        let wide = activate(block.up.apply(x.clone())?, self.host.activation)?;
        let change = block.down.apply(wide)?;
        block.feed_norm.apply(x.try_add(change).map_err(failure::<D>)?)
    }
}

fn activate<D: Backend>(x: Tensor2<D>, activation: Activation) -> Result<Tensor2<D>, TensorError> {
    match activation {
        Activation::Gelu => x.try_accurate_gelu(),
        Activation::GeluTanh => x.try_fast_gelu(),
        Activation::Relu => x.try_relu(),
    }
    .map_err(failure::<D>)
}

fn attend<D: Backend>(joint: &Tensor2<D>, heads: usize, length: usize) -> Result<Tensor2<D>, TensorError> {
    let error = failure::<D>;
    let (tokens, columns) = *joint.shape();
    let (count, hidden) = (tokens / length, columns / 3);
    let size = hidden / heads;
    // (sequences, heads, length, size)
    let third = |from: usize| -> Result<Tensor4<D>, TensorError> {
        let part = joint.clone().try_slice((0..tokens, from..from + hidden)).map_err(error)?;
        let part = part.try_reshape_like(&(count, length, heads, size)).map_err(error)?;
        part.try_permute::<_, Axes4<0, 2, 1, 3>>().map_err(error)
    };
    let (queries, keys, values) = (third(0)?, third(hidden)?, third(2 * hidden)?);
    let keys = keys.try_permute::<_, Axes4<0, 1, 3, 2>>().map_err(error)?;
    let likeness = queries.try_matmul(keys).map_err(error)?;
    let likeness = likeness.try_mul(1.0 / (size as f32).sqrt()).map_err(error)?;
    let weights = likeness.try_softmax::<Axis<3>>().map_err(error)?;
    let gathered: Tensor4<D> = weights.try_matmul(values).map_err(error)?;
    let gathered = gathered.try_permute::<_, Axes4<0, 2, 1, 3>>().map_err(error)?;
    gathered.try_reshape_like(&(tokens, hidden)).map_err(error)
}

/// As [`super::EncoderOps::pool`].
pub fn pool<D: Backend>(
    x: &Tensor2<D>,
    length: usize,
    pooling: Pooling,
    unit: bool,
) -> Result<Tensor2<D>, TensorError> {
    let error = failure::<D>;
    let (_, hidden) = *x.shape();
    let count = sequences(x, hidden, length)?;
    let x: Tensor3<D> = x.clone().try_reshape_like(&(count, length, hidden)).map_err(error)?;
    let pooled: Tensor2<D> = match pooling {
        Pooling::Mean => x.try_mean::<_, Axis<1>>().map_err(error)?,
        Pooling::First | Pooling::Last => {
            let place = if pooling == Pooling::First { 0 } else { length - 1 };
            let places = x.device().try_tensor_from_vec(vec![place; count], (count,)).map_err(error)?;
            x.try_select(places).map_err(error)?
        }
    };
    if !unit {
        return Ok(pooled);
    }
    let squares: Tensor1<D> =
        pooled.clone().try_square().map_err(error)?.try_sum::<_, Axis<1>>().map_err(error)?;
    let norms = squares.try_sqrt().map_err(error)?.try_clamp(LEAST_NORM, f32::MAX).map_err(error)?;
    let norms = norms.try_broadcast_like::<_, Axis<1>>(pooled.shape()).map_err(error)?;
    pooled.try_div(norms).map_err(error)
}
