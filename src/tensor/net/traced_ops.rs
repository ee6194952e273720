//! The operations of networks that no window makes, composed from stock operations.

use dfdx::shapes::{Axes2, Axes3, Axes4, Axis, HasShape};
use dfdx::tensor::{PutTape, SplitTape, Tape, Tensor};
use dfdx::tensor_ops::{
    BroadcastTo, GatherTo, PermuteTo, ReshapeTo, TryAdd, TryConcatAlong, TryMatMul, TryMul, TryPReLU,
};

use super::graph::{Activation, known_word};
use super::sweep::Sweep;
use crate::tensor::conv::ConvOps;
use crate::tensor::{Tensor1, Tensor2, Tensor4, TensorError, device_error, to_host};

/// What is added to a product that a token must not see: its exponential is 0.
const UNSEEN: f32 = -1e9;

type Rows<D, T> = Tensor<(usize, usize, usize), f32, D, T>;

fn rows<D: ConvOps, T: Tape<f32, D>>(x: Tensor4<D, T>) -> Result<Rows<D, T>, TensorError> {
    let (batch, height, width, channels) = *x.shape();
    x.try_reshape_like(&(batch, height * width, channels)).map_err(device_error::<D>)
}

/// Each channel times its factor, plus its term where there is one.
pub(super) fn scaled<D: ConvOps, T: Tape<f32, D>>(
    x: Tensor4<D, T>,
    factor: &Tensor1<D>,
    term: Option<&Tensor1<D>>,
) -> Result<Tensor4<D, T>, TensorError> {
    let error = device_error::<D>;
    let shape = *x.shape();
    let spread = |values: &Tensor1<D>| {
        let values = values.retaped::<T>();
        values.try_broadcast_like::<_, Axes3<0, 1, 2>>(&shape).map_err(error)
    };
    let out = x.try_mul(spread(factor)?).map_err(error)?;
    match term {
        Some(term) => out.try_add(spread(term)?).map_err(error),
        None => Ok(out),
    }
}

/// The activation of every number.
pub(super) fn activated<D: ConvOps, T: Tape<f32, D>>(
    x: Tensor4<D, T>,
    activation: Activation,
) -> Result<Tensor4<D, T>, TensorError> {
    let error = device_error::<D>;
    let inner = |x: Tensor4<D, T>| x.try_add(3.0).and_then(|x| x.try_clamp(0.0, 6.0)).map_err(error);
    match activation {
        Activation::None => Ok(x),
        Activation::Relu => D::relu(x),
        Activation::Relu6 => x.try_clamp(0.0, 6.0).map_err(error),
        Activation::HardSigmoid => inner(x)?.try_mul(1.0 / 6.0).map_err(error),
        Activation::HardSwish => {
            let part = inner(x.retaped::<T>())?.try_mul(1.0 / 6.0).map_err(error)?;
            x.try_mul(part).map_err(error)
        }
        Activation::LeakyRelu => x.try_prelu(0.1).map_err(error),
        Activation::Gelu => gelu(x),
        Activation::GeluTanh => x.try_fast_gelu().map_err(error),
        Activation::QuickGelu => {
            let part = x.retaped::<T>().try_mul(1.702).and_then(|x| x.try_sigmoid()).map_err(error)?;
            x.try_mul(part).map_err(error)
        }
    }
}

/// x · Φ(x), with its derivative Φ(x) + x·φ(x): that of dfdx 0.13 has √2 times the second term.
fn gelu<D: ConvOps, T: Tape<f32, D>>(x: Tensor4<D, T>) -> Result<Tensor4<D, T>, TensorError> {
    let error = device_error::<D>;
    if !T::OWNS_TAPE {
        return x.try_accurate_gelu().map_err(error);
    }
    // h = exp(−x²/2) has the derivative −x·√(2π)·φ(x), and h less a copy without a tape is zero.
    let bell = x.retaped::<T>().try_square().and_then(|x| x.try_mul(-0.5)).and_then(|x| x.try_exp());
    let (bell, tape) = bell.map_err(error)?.split_tape();
    let less = bell.clone().try_mul(-1.0).map_err(error)?.retaped::<T>();
    let none = bell.put_tape(tape).try_add(less).map_err(error)?;
    let factor = (std::f32::consts::SQRT_2 - 1.0) / (2.0 * std::f32::consts::PI).sqrt();
    let mended = none.try_mul(factor).map_err(error)?;
    x.try_accurate_gelu().and_then(|out| out.try_add(mended)).map_err(error)
}

/// Of each image the pixels with these numbers, as many as (height, width) says.
pub(super) fn picked<D: ConvOps, T: Tape<f32, D>>(
    x: Tensor4<D, T>,
    pixels: Vec<usize>,
    (height, width): (usize, usize),
) -> Result<Tensor4<D, T>, TensorError> {
    let error = device_error::<D>;
    let (batch, _, _, channels) = *x.shape();
    let count = pixels.len();
    let places = x.device().try_tensor_from_vec(pixels, (count,)).map_err(error)?;
    let places = places.try_broadcast_like::<_, Axis<0>>(&(batch, count)).map_err(error)?;
    let picked = rows(x)?.try_gather(places).map_err(error)?;
    picked.try_reshape_like(&(batch, height, width, channels)).map_err(error)
}

/// Images with pixels of `edge` beyond their edges: (above, left) and (below, right).
pub(super) fn framed<D: ConvOps, T: Tape<f32, D>>(
    x: Tensor4<D, T>,
    before: (usize, usize),
    after: (usize, usize),
    edge: f32,
) -> Result<Tensor4<D, T>, TensorError> {
    let error = device_error::<D>;
    if before == (0, 0) && after == (0, 0) {
        return Ok(x);
    }
    let (batch, height, width, channels) = *x.shape();
    let beyond = x.device().tensor3((batch, 1, channels), vec![edge; batch * channels])?;
    let whole = (rows(x)?, beyond).try_concat_along(Axis::<1>).map_err(error)?;
    let whole = whole.try_reshape_like(&(batch, 1, height * width + 1, channels)).map_err(error)?;
    let (down, across) = (height + before.0 + after.0, width + before.1 + after.1);
    let pixels = (0..down * across).map(|place| {
        let (y, x) = ((place / across).wrapping_sub(before.0), (place % across).wrapping_sub(before.1));
        if y < height && x < width { y * width + x } else { height * width }
    });
    picked(whole, pixels.collect(), (down, across))
}

/// Sums of pixels: `weights` says (cells, pixels) how much each counts.
fn mixed<D: ConvOps, T: Tape<f32, D>>(
    x: Tensor4<D, T>,
    weights: Vec<f32>,
    (height, width): (usize, usize),
) -> Result<Tensor4<D, T>, TensorError> {
    let error = device_error::<D>;
    let (batch, down, across, channels) = *x.shape();
    let cells = height * width;
    let weights = x.device().tensor2((cells, down * across), weights)?.retaped::<T>();
    let weights = weights.try_broadcast_like::<_, Axis<0>>(&(batch, cells, down * across)).map_err(error)?;
    let mixed: Rows<D, T> = weights.try_matmul(rows(x)?).map_err(error)?;
    mixed.try_reshape_like(&(batch, height, width, channels)).map_err(error)
}

/// The mean of each window; padding counts as zeros where it `counts`.
pub(super) fn means<D: ConvOps, T: Tape<f32, D>>(
    x: Tensor4<D, T>,
    sweep: &Sweep,
    counts: bool,
) -> Result<Tensor4<D, T>, TensorError> {
    let (_, height, width, _) = *x.shape();
    let placed = sweep.on("mean pooling", (height, width))?;
    let mut weights = vec![0.0; placed.places.0 * placed.places.1 * height * width];
    for (place, weights) in weights.chunks_exact_mut(height * width).enumerate() {
        let (y, x) = (place / placed.places.1 * sweep.stride.0, place % placed.places.1 * sweep.stride.1);
        let rows = y.saturating_sub(placed.before.0)
            ..(y + sweep.kernel.0).saturating_sub(placed.before.0).min(height);
        let columns = x.saturating_sub(placed.before.1)
            ..(x + sweep.kernel.1).saturating_sub(placed.before.1).min(width);
        let reach = |start: usize, kernel: usize, size: usize| (start + kernel).min(size) - start;
        let area = if counts {
            reach(y, sweep.kernel.0, placed.before.0 + height + placed.after.0)
                * reach(x, sweep.kernel.1, placed.before.1 + width + placed.after.1)
        } else {
            rows.len() * columns.len()
        };
        for row in rows {
            weights[row * width..][columns.clone()].fill(1.0 / area as f32);
        }
    }
    mixed(x, weights, placed.places)
}

/// The mean of each cell.
pub(super) fn adaptive<D: ConvOps, T: Tape<f32, D>>(
    x: Tensor4<D, T>,
    to: (usize, usize),
) -> Result<Tensor4<D, T>, TensorError> {
    let (_, height, width, _) = *x.shape();
    if (height, width) == to {
        return Ok(x);
    }
    let cell = |i: usize, size: usize, cells: usize| i * size / cells..((i + 1) * size).div_ceil(cells);
    let mut weights = vec![0.0; to.0 * to.1 * height * width];
    for (place, weights) in weights.chunks_exact_mut(height * width).enumerate() {
        let (rows, columns) = (cell(place / to.1, height, to.0), cell(place % to.1, width, to.1));
        let share = 1.0 / (rows.len() * columns.len()) as f32;
        for row in rows {
            weights[row * width..][columns.clone()].fill(share);
        }
    }
    mixed(x, weights, to)
}

/// The mean of each channel over pixels from `first` on.
pub(super) fn mean<D: ConvOps, T: Tape<f32, D>>(
    x: Tensor4<D, T>,
    first: usize,
) -> Result<Tensor4<D, T>, TensorError> {
    if first == 0 {
        return D::global_average_pool(x);
    }
    let (_, height, width, _) = *x.shape();
    let count = height * width;
    let share = 1.0 / (count - first) as f32;
    mixed(x, (0..count).map(|pixel| if pixel < first { 0.0 } else { share }).collect(), (1, 1))
}

/// All numbers of an image: channels, then rows.
pub(super) fn flatten<D: ConvOps, T: Tape<f32, D>>(x: Tensor4<D, T>) -> Result<Tensor4<D, T>, TensorError> {
    let error = device_error::<D>;
    let (batch, height, width, channels) = *x.shape();
    let x = x.try_permute::<_, Axes4<0, 3, 1, 2>>().map_err(error)?;
    x.try_reshape_like(&(batch, 1, 1, height * width * channels)).map_err(error)
}

/// Channels of two results behind each other.
pub(super) fn joined<D: ConvOps, T: Tape<f32, D>>(
    left: Tensor4<D, T>,
    right: Tensor4<D>,
) -> Result<Tensor4<D, T>, TensorError> {
    (left, right).try_concat_along(Axis::<3>).map_err(device_error::<D>)
}

/// Each channel of an image times one number.
pub(super) fn gated<D: ConvOps, T: Tape<f32, D>>(
    x: Tensor4<D, T>,
    gate: Tensor4<D>,
) -> Result<Tensor4<D, T>, TensorError> {
    let error = device_error::<D>;
    let shape = *x.shape();
    let gate = gate.retaped::<T>().try_reshape_like(&(shape.0, shape.3)).map_err(error)?;
    let gate = gate.try_broadcast_like::<_, Axes2<1, 2>>(&shape).map_err(error)?;
    x.try_mul(gate).map_err(error)
}

/// Every `stride`-th pixel, with channels of zeros before and behind.
pub(super) fn subsample<D: ConvOps, T: Tape<f32, D>>(
    x: Tensor4<D, T>,
    stride: usize,
    zeros: (usize, usize),
) -> Result<Tensor4<D, T>, TensorError> {
    let error = device_error::<D>;
    let (batch, height, width, _) = *x.shape();
    let (down, across) = (height.div_ceil(stride), width.div_ceil(stride));
    let pixels = (0..down * across).map(|p| p / across * stride * width + p % across * stride).collect();
    let mut out = picked(x, pixels, (down, across))?;
    let zero = |channels: usize, out: &Tensor4<D, T>| {
        let shape = (batch, down, across, channels);
        out.device().tensor4(shape, vec![0.0; batch * down * across * channels])
    };
    if zeros.0 > 0 {
        let before = zero(zeros.0, &out)?.retaped::<T>();
        out = (before, out).try_concat_along(Axis::<3>).map_err(error)?;
    }
    if zeros.1 > 0 {
        let behind = zero(zeros.1, &out)?;
        out = joined(out, behind)?;
    }
    Ok(out)
}

/// Patches behind a class token where there is one, plus positions.
pub(super) fn tokens<D: ConvOps, T: Tape<f32, D>>(
    x: Tensor4<D, T>,
    class: Option<&Tensor2<D>>,
    positions: &Tensor2<D>,
) -> Result<Tensor4<D, T>, TensorError> {
    let error = device_error::<D>;
    let (batch, height, width, channels) = *x.shape();
    let mut out = rows(x)?;
    if let Some(class) = class {
        let class = class.retaped::<T>().try_reshape_like(&(1, channels)).map_err(error)?;
        let class = class.try_broadcast_like::<_, Axis<0>>(&(batch, 1, channels)).map_err(error)?;
        out = (class, out).try_concat_along(Axis::<1>).map_err(error)?;
    }
    let count = height * width + usize::from(class.is_some());
    let positions = positions.retaped::<T>();
    let positions = positions.try_broadcast_like::<_, Axis<0>>(&(batch, count, channels)).map_err(error)?;
    let out = out.try_add(positions).map_err(error)?;
    out.try_reshape_like(&(batch, count, 1, channels)).map_err(error)
}

/// Layer normalisation of each token.
pub(super) fn layer_norm<D: ConvOps, T: Tape<f32, D>>(
    x: Tensor4<D, T>,
    scale: &Tensor1<D>,
    shift: &Tensor1<D>,
    epsilon: f32,
) -> Result<Tensor4<D, T>, TensorError> {
    let even = x.try_normalize::<Axis<3>>(epsilon).map_err(device_error::<D>)?;
    scaled(even, scale, Some(shift))
}

/// Rows of a table of words for numbers of one channel, plus positions.
pub(super) fn words<D: ConvOps, T: Tape<f32, D>>(
    x: Tensor4<D, T>,
    words: &Tensor2<D>,
    positions: &Tensor2<D>,
) -> Result<Tensor4<D, T>, TensorError> {
    let error = device_error::<D>;
    let (batch, height, width, _) = *x.shape();
    let (length, (rows, channels)) = (height * width, *words.shape());
    let (x, tape) = x.split_tape();
    let numbers = to_host(&x)?.into_iter().map(|number| known_word(number, rows));
    let numbers = numbers.collect::<Result<Vec<usize>, TensorError>>()?;
    let numbers = x.device().try_tensor_from_vec(numbers, (batch, length)).map_err(error)?;
    let looked_up: Rows<D, T> = words.clone().put_tape(tape).try_gather(numbers).map_err(error)?;
    let places = x.device().try_tensor_from_vec((0..length).collect(), (length,)).map_err(error)?;
    let positions = positions.retaped::<T>().try_gather(places).map_err(error)?;
    let positions = positions.try_broadcast_like::<_, Axis<0>>(&(batch, length, channels)).map_err(error)?;
    let out = looked_up.try_add(positions).map_err(error)?;
    out.try_reshape_like(&(batch, length, 1, channels)).map_err(error)
}

/// softmax(q·kᵀ/√size)·v of each head, of queries, keys and values behind each other (Vaswani et al. 2017, equation 1);
/// where it is `causal`, a token sees nothing that stands behind it.
pub(super) fn attend<D: ConvOps, T: Tape<f32, D>>(
    x: Tensor4<D, T>,
    heads: usize,
    causal: bool,
) -> Result<Tensor4<D, T>, TensorError> {
    let error = device_error::<D>;
    let (batch, height, width, triple) = *x.shape();
    let (tokens, channels) = (height * width, triple / 3);
    let size = channels / heads;
    let (x, tape) = rows(x)?.split_tape();
    let head = |x: Rows<D, T>, part: usize| -> Result<Rows<D, T>, TensorError> {
        let part = part * channels..(part + 1) * channels;
        let x = x.try_slice((0..batch, 0..tokens, part)).map_err(error)?;
        let x = x.try_reshape_like(&(batch, tokens, heads, size)).map_err(error)?;
        let x = x.try_permute::<_, Axes4<0, 2, 1, 3>>().map_err(error)?;
        x.try_reshape_like(&(batch * heads, tokens, size)).map_err(error)
    };
    let (keys, values) = (head(x.retaped::<T>(), 1)?, head(x.retaped::<T>(), 2)?);
    let queries = head(x.put_tape(tape), 0)?;
    let keys = keys.try_permute::<_, Axes3<0, 2, 1>>().map_err(error)?;
    let products: Rows<D, T> = queries.try_matmul(keys).map_err(error)?;
    let mut products = products.try_mul(1.0 / (size as f32).sqrt()).map_err(error)?;
    if causal {
        let hidden = |place: usize| if place % tokens > place / tokens { UNSEEN } else { 0.0 };
        let mask = products.device().tensor2((tokens, tokens), (0..tokens * tokens).map(hidden).collect())?;
        let mask = mask.retaped::<T>();
        let mask = mask.try_broadcast_like::<_, Axis<0>>(products.shape()).map_err(error)?;
        products = products.try_add(mask).map_err(error)?;
    }
    let weights = products.try_softmax::<Axis<2>>().map_err(error)?;
    let out: Rows<D, T> = weights.try_matmul(values).map_err(error)?;
    let out = out.try_reshape_like(&(batch, heads, tokens, size)).map_err(error)?;
    let out = out.try_permute::<_, Axes4<0, 2, 1, 3>>().map_err(error)?;
    out.try_reshape_like(&(batch, height, width, channels)).map_err(error)
}
