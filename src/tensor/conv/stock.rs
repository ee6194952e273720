//! The operations composed from stock dfdx operations: they run on every device, and are what CUDA uses.

use dfdx::shapes::{Axes3, Axes4, Axes5, Axis, HasShape};
use dfdx::tensor::{NoneTape, Tape, Tensor};
use dfdx::tensor_ops::{
    BroadcastTo, GatherTo, MaxTo, MeanTo, PermuteTo, ReshapeTo, SumTo, TryAdd, TryConcatAlong, TryMatMul,
    TryMul, TrySub,
};

use super::layer::{Block, Norm};
use super::norm::{Moments, Running};
use super::pool::Tiling;
use super::window::{Convolution, Shape, Window, filled};
use crate::tensor::error::{TensorError, same};
use crate::tensor::stock::failure;
use crate::tensor::{Backend, Tensor1, Tensor4, to_host};

type Flat<D, T> = Tensor<(usize, usize), f32, D, T>;

/// The pixels of each image as rows, with one of `edge` behind them: (batch, pixels + 1, channels).
fn rows<D: Backend, T: Tape<f32, D>>(images: Tensor4<D, T>, edge: f32) -> Result<Windows<D, T>, TensorError> {
    let (batch, height, width, channels) = *images.shape();
    let beyond = images.device().tensor3((batch, 1, channels), vec![edge; batch * channels])?;
    let rows = images.try_reshape_like(&(batch, height * width, channels)).map_err(failure::<D>)?;
    (rows, beyond).try_concat_along(Axis::<1>).map_err(failure::<D>)
}

/// Of each image the rows of `pixels`, where the number of pixels stands for the edge: (batch, pixels, channels).
fn pick<D: Backend, T: Tape<f32, D>>(
    rows: Windows<D, T>,
    pixels: Vec<usize>,
) -> Result<Windows<D, T>, TensorError> {
    let (batch, _, _) = *rows.shape();
    let count = pixels.len();
    // The same for all images, repeated by a stride of zero: a list for each would be larger than the images.
    let places = rows.device().try_tensor_from_vec(pixels, (count,)).map_err(failure::<D>)?;
    let places = places.try_broadcast_like::<_, Axis<0>>(&(batch, count)).map_err(failure::<D>)?;
    rows.try_gather(places).map_err(failure::<D>)
}

/// The pixels that each window of a convolution sees, edges as one pixel beyond the last.
fn seen(window: Window, places: (usize, usize), (height, width): (usize, usize)) -> Vec<usize> {
    let mut pixels = Vec::new();
    for place in 0..places.0 * places.1 {
        let (top, left) = (place / places.1 * window.stride.0, place % places.1 * window.stride.1);
        for tap in 0..window.kernel.0 * window.kernel.1 {
            let y = (top + tap / window.kernel.1).wrapping_sub(window.padding.0);
            let x = (left + tap % window.kernel.1).wrapping_sub(window.padding.1);
            pixels.push(if y < height && x < width { y * width + x } else { height * width });
        }
    }
    pixels
}

/// See [`super::ConvOps::conv2d`].
pub fn conv2d<D: Backend, T: Tape<f32, D>>(
    images: Tensor4<D, T>,
    filters: &Tensor4<D>,
    bias: Option<&Tensor1<D>>,
    convolution: &Convolution,
) -> Result<Tensor4<D, T>, TensorError> {
    let error = failure::<D>;
    let (batch, height, width, channels) = *images.shape();
    let (out, within, kernel_height, kernel_width) = *filters.shape();
    let (operation, groups) = ("a convolution", convolution.groups);
    filled(operation, *images.shape())?;
    same(operation, "channels", within * groups, channels)?;
    let per_group = out.checked_div(groups).unwrap_or(0);
    same(operation, "filters in whole groups", per_group * groups, out)?;
    let window = convolution.window((kernel_height, kernel_width));
    let (down, across) = window.places(operation, (height, width))?;
    let (area, inner) = (kernel_height * kernel_width, kernel_height * kernel_width * within);
    let pixels = seen(window, (down, across), (height, width));
    let mut columns = pick(rows(images, 0.0)?, pixels)?;
    let count = batch * down * across;
    if groups > 1 {
        let apart = columns.try_reshape_like(&(count, area, groups, within)).map_err(error)?;
        let apart = apart.try_permute::<_, Axes4<2, 0, 1, 3>>().map_err(error)?;
        columns = apart.try_reshape_like(&(groups * count, area, within)).map_err(error)?;
    }
    let columns = columns.try_reshape_like(&(groups, count, inner)).map_err(error)?;
    let matrix = filters.retaped::<T>();
    let matrix = matrix
        .try_reshape_like(&(groups, per_group, within, kernel_height, kernel_width))
        .map_err(error)?
        .try_permute::<_, Axes5<0, 3, 4, 2, 1>>()
        .map_err(error)?
        .try_reshape_like(&(groups, inner, per_group))
        .map_err(error)?;
    let product: Tensor<(usize, usize, usize), f32, D, T> = columns.try_matmul(matrix).map_err(error)?;
    let product = match groups {
        1 => product,
        _ => product.try_permute::<_, Axes3<1, 0, 2>>().map_err(error)?,
    };
    let product = product.try_reshape_like(&(batch, down, across, out)).map_err(error)?;
    match bias {
        None => Ok(product),
        Some(bias) => {
            same(operation, "biases", out, bias.shape().0)?;
            let shape = *product.shape();
            product.try_add(spread(bias.retaped::<T>(), shape)?).map_err(error)
        }
    }
}

/// One number per channel, for every pixel.
fn spread<D: Backend, T: Tape<f32, D>>(
    values: Tensor<(usize,), f32, D, T>,
    shape: Shape,
) -> Result<Tensor4<D, T>, TensorError> {
    values.try_broadcast_like::<_, Axes3<0, 1, 2>>(&shape).map_err(failure::<D>)
}

/// Windows on a tape.
type Windows<D, T> = Tensor<(usize, usize, usize), f32, D, T>;

/// The windows of a pooling: (batch · places, pixels of a window, channels).
fn windows<D: Backend, T: Tape<f32, D>>(
    images: Tensor4<D, T>,
    tiling: &Tiling,
    edge: f32,
) -> Result<Windows<D, T>, TensorError> {
    let (batch, _, _, channels) = *images.shape();
    let (pixels, widest, _) = tiling.table();
    let picked = pick(rows(images, edge)?, pixels)?;
    picked.try_reshape_like(&(batch * tiling.count(), widest, channels)).map_err(failure::<D>)
}

/// See [`super::ConvOps::max_pool`].
pub fn max_pool<D: Backend, T: Tape<f32, D>>(
    images: Tensor4<D, T>,
    window: Window,
) -> Result<Tensor4<D, T>, TensorError> {
    let (batch, _, _, channels) = *images.shape();
    let tiling = Tiling::new("max pooling", window, *images.shape())?;
    let windows = windows(images, &tiling, f32::MIN)?;
    let best: Flat<D, T> = windows.try_max::<_, Axis<1>>().map_err(failure::<D>)?;
    let (down, across) = tiling.places;
    best.try_reshape_like(&(batch, down, across, channels)).map_err(failure::<D>)
}

/// See [`super::ConvOps::average_pool`].
pub fn average_pool<D: Backend, T: Tape<f32, D>>(
    images: Tensor4<D, T>,
    window: Window,
) -> Result<Tensor4<D, T>, TensorError> {
    let error = failure::<D>;
    let (batch, _, _, channels) = *images.shape();
    let tiling = Tiling::new("average pooling", window, *images.shape())?;
    let (_, _, areas) = tiling.table();
    let shares: Vec<f32> = (0..batch).flat_map(|_| areas.iter().map(|a| 1.0 / a)).collect();
    let shares = images.device().tensor1(shares.len(), shares)?;
    let sums: Flat<D, T> = windows(images, &tiling, 0.0)?.try_sum::<_, Axis<1>>().map_err(error)?;
    let shares = shares.try_broadcast_like::<_, Axis<1>>(sums.shape()).map_err(error)?;
    let (down, across) = tiling.places;
    sums.try_mul(shares).map_err(error)?.try_reshape_like(&(batch, down, across, channels)).map_err(error)
}

/// See [`super::ConvOps::relu`].
pub fn relu<D: Backend, T: Tape<f32, D>>(images: Tensor4<D, T>) -> Result<Tensor4<D, T>, TensorError> {
    images.try_relu().map_err(failure::<D>)
}

/// See [`super::ConvOps::batch_norm`].
pub fn batch_norm<D: Backend, T: Tape<f32, D>>(
    images: Tensor4<D, T>,
    norm: &Norm<'_, D>,
) -> Result<(Tensor4<D, T>, Moments), TensorError> {
    let error = failure::<D>;
    let shape = *images.shape();
    fits(norm, shape)?;
    let mean: Tensor<(usize,), f32, D, T> =
        images.retaped::<T>().try_mean::<_, Axes3<0, 1, 2>>().map_err(error)?;
    let mean_host = to_host(&mean.retaped::<NoneTape>())?;
    let centred = images.try_sub(spread(mean, shape)?).map_err(error)?;
    let squares = centred.retaped::<T>().try_square().map_err(error)?;
    let variance: Tensor<(usize,), f32, D, T> = squares.try_mean::<_, Axes3<0, 1, 2>>().map_err(error)?;
    let moments = Moments {
        mean: mean_host,
        variance: to_host(&variance.retaped::<NoneTape>())?,
        count: shape.0 * shape.1 * shape.2,
    };
    let inverse = variance.try_add(norm.epsilon).map_err(error)?.try_sqrt().map_err(error)?;
    let inverse = inverse.try_recip().map_err(error)?;
    let even = centred.try_mul(spread(inverse, shape)?).map_err(error)?;
    Ok((scaled(even, norm)?, moments))
}

/// See [`super::ConvOps::fixed_norm`].
pub fn fixed_norm<D: Backend, T: Tape<f32, D>>(
    images: Tensor4<D, T>,
    norm: &Norm<'_, D>,
    running: &Running,
) -> Result<Tensor4<D, T>, TensorError> {
    let error = failure::<D>;
    let shape = *images.shape();
    fits(norm, shape)?;
    same("a normalisation", "means", shape.3, running.mean.len())?;
    let device = images.device().clone();
    let inverse: Vec<f32> = running.variance.iter().map(|v| 1.0 / (v + norm.epsilon).sqrt()).collect();
    let mean = device.tensor1(shape.3, running.mean.clone())?;
    let inverse = device.tensor1(inverse.len(), inverse)?;
    let centred = images.try_sub(spread(mean, shape)?).map_err(error)?;
    let even = centred.try_mul(spread(inverse, shape)?).map_err(error)?;
    scaled(even, norm)
}

fn fits<D: Backend>(norm: &Norm<'_, D>, shape: Shape) -> Result<(), TensorError> {
    filled("a normalisation", shape)?;
    same("a normalisation", "scales", shape.3, norm.scale.shape().0)?;
    same("a normalisation", "shifts", shape.3, norm.shift.shape().0)
}

fn scaled<D: Backend, T: Tape<f32, D>>(
    even: Tensor4<D, T>,
    norm: &Norm<'_, D>,
) -> Result<Tensor4<D, T>, TensorError> {
    let shape = *even.shape();
    let scale = spread(norm.scale.retaped::<T>(), shape)?;
    let shift = spread(norm.shift.retaped::<T>(), shape)?;
    even.try_mul(scale).map_err(failure::<D>)?.try_add(shift).map_err(failure::<D>)
}

/// See [`super::ConvOps::block`].
pub fn block<D: Backend, T: Tape<f32, D>>(
    images: Tensor4<D, T>,
    block: &Block<'_, D>,
) -> Result<(Tensor4<D, T>, Moments), TensorError> {
    let convolved = conv2d(images, block.filters, None, &block.convolution)?;
    let (even, moments) = batch_norm(convolved, &block.norm)?;
    Ok((max_pool(relu(even)?, block.pool)?, moments))
}

/// See [`super::ConvOps::fixed_block`].
pub fn fixed_block<D: Backend>(
    images: Tensor4<D>,
    block: &Block<'_, D>,
    running: &Running,
) -> Result<Tensor4<D>, TensorError> {
    let convolved = conv2d(images, block.filters, None, &block.convolution)?;
    max_pool(relu(fixed_norm(convolved, &block.norm, running)?)?, block.pool)
}
