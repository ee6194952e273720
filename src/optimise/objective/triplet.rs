//! Metric learning with the hardest triplets of a batch (Hermans et al. 2017, "batch hard", equation 5).

use super::{Loss, gram};
use crate::backbone::Traced;
use crate::tensor::conv::ConvOps;
use crate::tensor::dfdx::shapes::{Axis, HasShape};
use crate::tensor::dfdx::tensor::{NoneTape, Tensor};
use crate::tensor::dfdx::tensor_ops::{BroadcastTo, SumTo, TryAdd, TryMul};
use crate::tensor::tape::Tape;
use crate::tensor::{TensorError, device_error, to_host};

/// A squared distance below this has no slope.
const LEAST: f32 = 1e-12;

/// The mean over all items of a batch of how much farther the farthest item of the own class is than the nearest of
/// another: `max(0, margin + d⁺ − d⁻)`, or without a margin its smooth form `ln(1 + exp(d⁺ − d⁻))`; Euclidean distances.
///
/// The accuracy is the share of items whose nearest other item is of their class.
///
/// # Errors
/// When there is not one label for each row, or the device fails.
pub fn triplet<D: ConvOps>(
    features: Traced<D>,
    labels: &[usize],
    margin: Option<f32>,
) -> Result<Loss<D>, TensorError> {
    let error = device_error::<D>;
    let count = labels.len();
    let device = features.device().clone();
    let distances = distances(features)?;
    let (signs, accuracy) = hardest(&to_host(&distances.retaped::<NoneTape>())?, labels);
    let signs = device.tensor2((count, count), signs)?;
    let gaps: Tensor<(usize,), f32, D, Tape<D>> =
        distances.try_mul(signs).map_err(error)?.try_sum::<_, Axis<1>>().map_err(error)?;
    let losses = match margin {
        Some(margin) => gaps.try_add(margin).and_then(|x| x.try_relu()).map_err(error)?,
        // ln(1 + eᵍ) = max(g, 0) + ln(1 + e^−|g|)
        None => {
            let small = gaps.retaped::<Tape<D>>().try_abs().and_then(|x| x.try_negate()).map_err(error)?;
            let small =
                small.try_exp().and_then(|x| x.try_add(1.0)).and_then(|x| x.try_ln()).map_err(error)?;
            gaps.try_relu().map_err(error)?.try_add(small).map_err(error)?
        }
    };
    let loss = losses.try_mul(1.0 / count as f32).and_then(|x| x.try_sum()).map_err(error)?;
    Loss::of(loss, accuracy)
}

/// Distances of all rows to each other: (rows, rows).
fn distances<D: ConvOps>(features: Traced<D>) -> Result<Traced<D>, TensorError> {
    let error = device_error::<D>;
    let (count, _) = *features.shape();
    let squared = features.retaped::<Tape<D>>();
    let norms = squared.try_square().map_err(error)?.try_sum::<(usize,), Axis<1>>().map_err(error)?;
    let spread = norms.retaped::<Tape<D>>();
    let across = spread.try_broadcast_like::<_, Axis<0>>(&(count, count)).map_err(error)?;
    let down = norms.try_broadcast_like::<_, Axis<1>>(&(count, count)).map_err(error)?;
    let products = gram(features)?;
    let squares = products.try_mul(-2.0).map_err(error)?.try_add(across).map_err(error)?;
    let squares = squares.try_add(down).map_err(error)?;
    squares.try_clamp(LEAST, f32::MAX).and_then(|x| x.try_sqrt()).map_err(error)
}

/// +1 at the farthest item of the own class and −1 at the nearest of another, in each row of distances; and the share of
/// items whose nearest other one is of their class.
fn hardest(distances: &[f32], labels: &[usize]) -> (Vec<f32>, f64) {
    let count = labels.len();
    let (mut signs, mut right) = (vec![0.0; count * count], 0);
    for anchor in 0..count {
        let row = &distances[anchor * count..(anchor + 1) * count];
        let others =
            |own: bool| (0..count).filter(move |o| *o != anchor && (labels[*o] == labels[anchor]) == own);
        let nearer = |a: &usize, b: &usize| row[*a].total_cmp(&row[*b]);
        let (far, near) = (others(true).max_by(nearer), others(false).min_by(nearer));
        let own = others(true).min_by(nearer);
        right += usize::from(own.zip(near).is_some_and(|(own, near)| row[own] < row[near]));
        far.into_iter().for_each(|far| signs[anchor * count + far] = 1.0);
        near.into_iter().for_each(|near| signs[anchor * count + near] = -1.0);
    }
    (signs, right as f64 / count.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{agrees, numbers, value};
    use super::*;

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let features: Vec<f32> =
            numbers(18).iter().zip(0..).map(|(x, i)| x + (i * i) as f32 * 0.01).collect();
        for margin in [None, Some(0.4)] {
            agrees(&features, (6, 3), |x| triplet(x, &[0, 0, 1, 1, 2, 2], margin));
        }
    }

    #[test]
    fn four_items_on_a_line() {
        // From 0 the farthest own item is 1 away, the nearest other 5; from 1 it is 1 and 4, and so on.
        let line = vec![0.0, 1.0, 5.0, 6.0];
        let (loss, accuracy) = value(line, (4, 1), |x| triplet(x, &[0, 0, 1, 1], Some(4.5)));
        assert!((loss - (0.5 + 1.5 + 1.5 + 0.5) / 4.0).abs() < 1e-5 && accuracy == 1.0, "{loss}");
    }
}
