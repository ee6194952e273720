//! Pieces that objectives and heads share.

use crate::backbone::Traced;
use crate::tensor::conv::ConvOps;
use crate::tensor::dfdx::shapes::{Axes2, Axis, HasShape};
use crate::tensor::dfdx::tensor::{Tape, Tensor};
use crate::tensor::dfdx::tensor_ops::{
    BroadcastTo, GatherTo, PermuteTo, SumTo, TryAdd, TryDiv, TryMatMul, TryMul,
};
use crate::tensor::tape::Tape as Recording;
use crate::tensor::{TensorError, device_error};

/// What is added to the squared length of a row before its root, which has no slope at zero.
const EPSILON: f32 = 1e-12;

/// Rows of length one.
pub(in crate::optimise) fn normalised<D: ConvOps, T: Tape<f32, D>>(
    rows: Tensor<(usize, usize), f32, D, T>,
) -> Result<Tensor<(usize, usize), f32, D, T>, TensorError> {
    let error = device_error::<D>;
    let shape = *rows.shape();
    let again = rows.retaped::<T>();
    let squares = rows.try_square().map_err(error)?.try_sum::<(usize,), Axis<1>>().map_err(error)?;
    let length = squares.try_add(EPSILON).and_then(|x| x.try_sqrt()).map_err(error)?;
    let length = length.try_broadcast_like::<_, Axis<1>>(&shape).map_err(error)?;
    again.try_div(length).map_err(error)
}

/// The inner products of all rows with each other: (rows, rows).
pub(in crate::optimise) fn gram<D: ConvOps>(rows: Traced<D>) -> Result<Traced<D>, TensorError> {
    let error = device_error::<D>;
    // A tensor and its transpose have one gradient, which a product cannot add to from both sides.
    let apart = rows.retaped::<Recording<D>>().try_mul(1.0).map_err(error)?;
    let columns: Traced<D> = apart.try_permute::<(usize, usize), Axes2<1, 0>>().map_err(error)?;
    rows.try_matmul(columns).map_err(error)
}

/// The rows with these numbers.
pub(in crate::optimise) fn picked<D: ConvOps>(
    rows: Traced<D>,
    numbers: Vec<usize>,
) -> Result<Traced<D>, TensorError> {
    let error = device_error::<D>;
    let count = numbers.len();
    let places = rows.device().try_tensor_from_vec(numbers, (count,)).map_err(error)?;
    rows.try_gather(places).map_err(error)
}
