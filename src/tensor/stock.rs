//! What kshot needs beyond dfdx, composed from stock dfdx operations: runs on every device, and is what CUDA uses.
//!
//! Sizes are checked before dfdx sees them, because it panics on shapes that do not fit.

use dfdx::shapes::{Axes2, Axis, HasShape};
use dfdx::tensor_ops::{
    BroadcastTo, ChooseFrom, MaxTo, PermuteTo, ReshapeTo, SumTo, TryAdd, TryConcatAlong, TryDiv, TryGt,
    TryMatMul, TryMul, TrySub,
};

use super::backend::device_error;
use super::error::{TensorError, same};
use super::{Backend, Labels, Tensor1, Tensor2, Tensor3, to_host};

/// A device's error as ours; short, because every step may fail.
pub(super) fn failure<D: Backend>(error: D::Err) -> TensorError {
    device_error::<D>(error)
}

/// The product of each episode's matrices: (episodes, a, b) · (episodes, b, c).
pub fn matmul<D: Backend>(a: &Tensor3<D>, b: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    same("a matrix product", "episodes", a.shape().0, b.shape().0)?;
    same("a matrix product", "inner size", a.shape().2, b.shape().1)?;
    a.clone().try_matmul(b.clone()).map_err(failure::<D>)
}

/// Each episode's rows times one matrix that all share: (episodes, rows, a) · (a, b) = (episodes, rows, b).
pub fn map_rows<D: Backend>(rows: &Tensor3<D>, map: &Tensor2<D>) -> Result<Tensor3<D>, TensorError> {
    same("a map of rows", "columns", map.shape().0, rows.shape().2)?;
    D::shared_product(rows, map)
}

/// Rows and columns of every episode exchanged.
pub fn transpose<D: Backend>(a: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    a.clone().try_permute::<_, dfdx::shapes::Axes3<0, 2, 1>>().map_err(failure::<D>)
}

/// All numbers times one factor.
pub fn scale<D: Backend>(a: Tensor3<D>, factor: f32) -> Result<Tensor3<D>, TensorError> {
    if factor == 1.0 { Ok(a) } else { a.try_mul(factor).map_err(failure::<D>) }
}

pub(super) fn add_scalar<D: Backend>(a: Tensor3<D>, value: f32) -> Result<Tensor3<D>, TensorError> {
    a.try_add(value).map_err(failure::<D>)
}

pub(super) fn relu<D: Backend>(a: Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    a.try_relu().map_err(failure::<D>)
}

/// Element by element.
pub(super) fn multiply<D: Backend>(a: Tensor3<D>, b: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    a.try_mul(b.clone()).map_err(failure::<D>)
}

/// Each episode's matrix divided by that episode's one number (episodes, 1, 1).
pub(super) fn divide<D: Backend>(a: Tensor3<D>, by: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    let (episodes, _, _) = *by.shape();
    let flat = by.clone().try_reshape_like(&(episodes,)).map_err(failure::<D>)?;
    let wide = flat.try_broadcast_like::<_, Axes2<1, 2>>(a.shape()).map_err(failure::<D>)?;
    a.try_div(wide).map_err(failure::<D>)
}

/// Softmax over the last axis.
pub fn softmax<D: Backend>(logits: Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    logits.try_softmax::<Axis<2>>().map_err(failure::<D>)
}

pub(super) fn zeros<D: Backend>(device: &D, shape: (usize, usize, usize)) -> Result<Tensor3<D>, TensorError> {
    device.try_zeros_like(&shape).map_err(failure::<D>)
}

/// A matrix (episodes, n) as columns (episodes, n, 1).
pub(super) fn column<D: Backend>(a: Tensor2<D>) -> Result<Tensor3<D>, TensorError> {
    let (episodes, n) = *a.shape();
    a.try_reshape_like(&(episodes, n, 1)).map_err(failure::<D>)
}

/// Columns (episodes, n, 1) repeated `count` times: (episodes, n, count).
pub(super) fn widen<D: Backend>(a: &Tensor3<D>, count: usize) -> Result<Tensor3<D>, TensorError> {
    let (episodes, n, _) = *a.shape();
    let flat = a.clone().try_reshape_like(&(episodes, n)).map_err(failure::<D>)?;
    flat.try_broadcast_like::<_, Axis<2>>(&(episodes, n, count)).map_err(failure::<D>)
}

/// One row (episodes, 1, n) repeated `count` times: (episodes, count, n).
pub(super) fn repeat<D: Backend>(a: &Tensor3<D>, count: usize) -> Result<Tensor3<D>, TensorError> {
    let (episodes, _, n) = *a.shape();
    flatten_row(a.clone())?.try_broadcast_like::<_, Axis<1>>(&(episodes, count, n)).map_err(failure::<D>)
}

/// One row per episode (episodes, 1, n) as a matrix (episodes, n).
pub(super) fn flatten_row<D: Backend>(a: Tensor3<D>) -> Result<Tensor2<D>, TensorError> {
    let (episodes, _, n) = *a.shape();
    a.try_reshape_like(&(episodes, n)).map_err(failure::<D>)
}

/// The rows `from..to` of every episode.
pub(super) fn rows<D: Backend>(a: &Tensor3<D>, from: usize, to: usize) -> Result<Tensor3<D>, TensorError> {
    let (episodes, _, columns) = *a.shape();
    let cut = a.clone().try_slice((0..episodes, from..to, 0..columns)).map_err(failure::<D>)?;
    cut.try_reshape_like(&(episodes, to - from, columns)).map_err(failure::<D>)
}

/// Matrices of one width on top of each other.
pub(super) fn stack_rows<D: Backend>(
    _device: &D,
    parts: &[Tensor3<D>; 3],
) -> Result<Tensor3<D>, TensorError> {
    let [a, b, c] = parts.clone();
    let joined = (a, b).try_concat_along(Axis::<1>).map_err(failure::<D>)?;
    (joined, c).try_concat_along(Axis::<1>).map_err(failure::<D>)
}

/// The largest absolute difference in each episode: (episodes).
pub(super) fn largest_difference<D: Backend>(
    a: &Tensor3<D>,
    b: &Tensor3<D>,
) -> Result<Tensor1<D>, TensorError> {
    let difference = a.clone().try_sub(b.clone()).map_err(failure::<D>)?;
    difference.try_abs().map_err(failure::<D>)?.try_max::<_, Axes2<1, 2>>().map_err(failure::<D>)
}

/// The identity of size n for every episode.
fn identity<D: Backend>(device: &D, episodes: usize, n: usize) -> Result<Tensor3<D>, TensorError> {
    let one = |place: usize| if place.is_multiple_of(n + 1) { 1.0 } else { 0.0 };
    let one = device.tensor2((n, n), (0..n * n).map(one).collect())?;
    one.try_broadcast_like::<_, Axis<0>>(&(episodes, n, n)).map_err(failure::<D>)
}

/// `K + ridge · I`.
pub(super) fn with_ridge<D: Backend>(
    device: &D,
    gram: &Tensor3<D>,
    ridge: f32,
) -> Result<Tensor3<D>, TensorError> {
    let (episodes, n, _) = *gram.shape();
    let diagonal = scale(identity(device, episodes, n)?, ridge)?;
    gram.clone().try_add(diagonal).map_err(failure::<D>)
}

/// `−‖x − c‖²` for the rows (episodes, slots, dim) and `centres` (episodes, count, dim), both seen from the mean of the
/// centres that are not zero: (episodes, slots, count).
pub fn negative_squared_distances<D: Backend>(
    rows: &Tensor3<D>,
    centres: &Tensor3<D>,
) -> Result<Tensor3<D>, TensorError> {
    let (episodes, _, dim) = *centres.shape();
    same("distances", "episodes", rows.shape().0, episodes)?;
    same("distances", "columns", rows.shape().2, dim)?;
    let error = failure::<D>;
    let filled: Tensor1<D> = filled(centres)?.try_sum::<_, Axis<1>>().map_err(error)?;
    let filled = filled.try_clamp(1.0, f32::MAX).map_err(error)?;
    let sums: Tensor2<D> = centres.clone().try_sum::<_, Axis<1>>().map_err(error)?;
    let filled = filled.try_broadcast_like::<_, Axis<1>>(&(episodes, dim)).map_err(error)?;
    let origin = sums.try_div(filled).map_err(error)?;
    let from_origin = |points: &Tensor3<D>| -> Result<Tensor3<D>, TensorError> {
        let wide = origin.clone().try_broadcast_like::<_, Axis<1>>(points.shape()).map_err(error)?;
        points.clone().try_sub(wide).map_err(error)
    };
    let (rows, centres) = (from_origin(rows)?, from_origin(centres)?);
    // −‖x − c‖² = 2·x·c − ‖c‖² − ‖x‖²
    let products = scale(matmul(&rows, &transpose(&centres)?)?, 2.0)?;
    let shape = *products.shape();
    let own = D::row_norms(&rows)?.try_broadcast_like::<_, Axis<2>>(&shape).map_err(error)?;
    let theirs = D::row_norms(&centres)?.try_broadcast_like::<_, Axis<1>>(&shape).map_err(error)?;
    products.try_sub(own).map_err(error)?.try_sub(theirs).map_err(error)
}

/// The cosines of unit rows (episodes, slots, dim) with `directions` (episodes, count, dim) of unit length or zero, less
/// one: (episodes, slots, count).
pub fn cosines_less_one<D: Backend>(
    rows: &Tensor3<D>,
    directions: &Tensor3<D>,
) -> Result<Tensor3<D>, TensorError> {
    let chords = scale(negative_squared_distances(rows, directions)?, 0.5)?;
    // A direction of zero is half a square away from every unit row, and its cosine is 0.
    let lack = filled(directions)?.try_sub(1.0).map_err(failure::<D>)?.try_mul(0.5).map_err(failure::<D>)?;
    let lack = lack.try_broadcast_like::<_, Axis<1>>(chords.shape()).map_err(failure::<D>)?;
    chords.try_add(lack).map_err(failure::<D>)
}

/// 1 for every row (episodes, rows) that is not zero, else 0.
fn filled<D: Backend>(rows: &Tensor3<D>) -> Result<Tensor2<D>, TensorError> {
    let (episodes, count, _) = *rows.shape();
    let numbers = |value: f32| rows.device().tensor2((episodes, count), vec![value; episodes * count]);
    let filled = D::row_norms(rows)?.try_gt(0.0).map_err(failure::<D>)?;
    filled.try_choose(numbers(1.0)?, numbers(0.0)?).map_err(failure::<D>)
}

/// The diagonal of every episode's square matrix: (episodes, n).
pub(super) fn diagonal<D: Backend>(a: &Tensor3<D>) -> Result<Tensor2<D>, TensorError> {
    let (episodes, n, _) = *a.shape();
    let unit = identity(a.device(), episodes, n)?;
    multiply(unit, a)?.try_sum::<_, Axis<2>>().map_err(failure::<D>)
}

/// +1 where a slot has the label, −1 where it has another, 0 for padding: (episodes, support, way).
pub(super) fn signs<D: Backend>(device: &D, labels: &Labels) -> Result<Tensor3<D>, TensorError> {
    let own = transpose(&labels.membership(device)?)?;
    let present = widen(&column(labels.present(device)?)?, labels.way())?;
    scale(own, 2.0)?.try_sub(present).map_err(failure::<D>)
}

/// Inverses of symmetric positive definite matrices by Newton–Schulz iteration, `X ← X(2I − AX)`.
///
/// Started from `I/‖A‖∞` it converges quadratically once `‖I − AX‖ < 1`; from a condition number κ that takes about
/// `2·log₂ κ` products, all of them over the whole batch.
pub fn spd_inverse<D: Backend>(device: &D, matrices: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    let (episodes, n, columns) = *matrices.shape();
    same("an inverse", "columns", n, columns)?;
    let absolute = matrices.clone().try_abs().map_err(failure::<D>)?;
    let row_sums: Tensor2<D> = absolute.try_sum::<_, Axis<2>>().map_err(failure::<D>)?;
    let norm: Tensor1<D> = row_sums.try_max::<_, Axis<1>>().map_err(failure::<D>)?;
    let unit = identity(device, episodes, n)?;
    let wide = norm.try_broadcast_like::<_, Axes2<1, 2>>(&(episodes, n, n)).map_err(failure::<D>)?;
    let mut x = unit.clone().try_div(wide).map_err(failure::<D>)?;
    let twice = scale(unit, 2.0)?;
    for _ in 0..40 {
        let rest = twice.clone().try_sub(matmul(matrices, &x)?).map_err(failure::<D>)?;
        x = matmul(&x, &rest)?;
    }
    Ok(x)
}

/// The accelerated iteration of all episodes of a batch, each with its own momentum, restart and end.
pub(super) struct Accelerated<D: Backend> {
    lead: Tensor3<D>,
    last: Tensor3<D>,
    t: Tensor1<D>,
    running: Tensor1<D>,
    /// (episodes), kept because a GPU gets ones from the host.
    ones: Tensor1<D>,
    nought: Tensor1<D>,
}

impl<D: Backend> Accelerated<D> {
    pub(super) fn new(device: &D, start: Tensor3<D>) -> Result<Self, TensorError> {
        let (episodes, _, _) = *start.shape();
        let ones = device.tensor1(episodes, vec![1.0; episodes])?;
        let last = zeros(device, *start.shape())?;
        let lead = zeros(device, *start.shape())?;
        let nought = device.tensor1(episodes, vec![0.0; episodes])?;
        Ok(Accelerated { lead, last, t: ones.clone(), running: ones.clone(), ones, nought })
    }

    /// Where the next step starts from; of a converged episode, its result.
    pub(super) fn lead(&self) -> &Tensor3<D> {
        &self.lead
    }

    /// The result.
    pub(super) fn point(&self) -> &Tensor3<D> {
        &self.lead
    }

    /// How many episodes have not converged.
    pub(super) fn running(&self) -> Result<usize, TensorError> {
        Ok(to_host(&self.running)?.iter().filter(|r| **r > 0.5).count())
    }

    /// Takes the step from [`Self::lead`] to `next`; an episode whose `residual` at the lead is small stays there.
    pub(super) fn advance(
        &mut self,
        next: &Tensor3<D>,
        residual: &Tensor1<D>,
        tolerance: f32,
    ) -> Result<(), TensorError> {
        let error = failure::<D>;
        let (ones, nought) = (self.ones.clone(), self.nought.clone());
        let open = residual.try_gt(tolerance).map_err(error)?;
        let open = open.try_choose(ones.clone(), nought.clone()).map_err(error)?;
        self.running = self.running.clone().try_mul(open).map_err(error)?;

        let ahead = next.clone().try_sub(self.last.clone()).map_err(error)?;
        let back = self.lead.clone().try_sub(next.clone()).map_err(error)?;
        let turn: Tensor1<D> = multiply(back, &ahead)?.try_sum::<_, Axes2<1, 2>>().map_err(error)?;
        let t = turn.try_gt(0.0).map_err(error)?.try_choose(ones, self.t.clone()).map_err(error)?;
        let root = t.clone().try_square().map_err(error)?.try_mul(4.0).map_err(error)?;
        let root = root.try_add(1.0).map_err(error)?.try_sqrt().map_err(error)?;
        let next_t = root.try_add(1.0).map_err(error)?.try_mul(0.5).map_err(error)?;
        let factor = t.try_sub(1.0).map_err(error)?.try_div(next_t.clone()).map_err(error)?;
        self.t = next_t;

        let lead = next.clone().try_add(multiply(ahead, &self.widen(&factor)?)?).map_err(error)?;
        let running = self.widen(&self.running)?;
        self.lead = mix(&running, lead, &self.lead)?;
        self.last = mix(&running, next.clone(), &self.last)?;
        Ok(())
    }

    fn widen(&self, per_episode: &Tensor1<D>) -> Result<Tensor3<D>, TensorError> {
        per_episode.clone().try_broadcast_like::<_, Axes2<1, 2>>(self.lead.shape()).map_err(failure::<D>)
    }
}

/// `yes` where the mask is 1, `no` where it is 0.
fn mix<D: Backend>(mask: &Tensor3<D>, yes: Tensor3<D>, no: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    let change = multiply(yes.try_sub(no.clone()).map_err(failure::<D>)?, mask)?;
    no.clone().try_add(change).map_err(failure::<D>)
}
