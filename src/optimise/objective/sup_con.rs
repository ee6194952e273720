//! The supervised contrastive objective (Khosla et al. 2020, equation 2).

use super::{Loss, gram, normalised};
use crate::backbone::Traced;
use crate::tensor::conv::ConvOps;
use crate::tensor::dfdx::shapes::Axis;
use crate::tensor::dfdx::tensor::NoneTape;
use crate::tensor::dfdx::tensor_ops::{SumTo, TryAdd, TryMul};
use crate::tensor::{TensorError, device_error, to_host};

/// What takes an item out of its own softmax.
const NEVER: f32 = -1e9;

/// Of each item the mean over the others of its class of −log softmax(cosine / temperature) among all others; items that are
/// alone in their class count nothing.
///
/// The accuracy is the share of items whose nearest other item is of their class.
///
/// # Errors
/// When there is not one label for each row, or the device fails.
pub fn sup_con<D: ConvOps>(
    features: Traced<D>,
    labels: &[usize],
    temperature: f32,
) -> Result<Loss<D>, TensorError> {
    let error = device_error::<D>;
    let count = labels.len();
    let device = features.device().clone();
    let cosines = gram(normalised(features)?)?;
    let accuracy = nearest_is_own(&to_host(&cosines.retaped::<NoneTape>())?, labels);
    let kin = |i: usize| labels.iter().enumerate().filter(move |(j, label)| *j != i && **label == labels[i]);
    let anchors = (0..count).filter(|i| kin(*i).count() > 0).count().max(1) as f32;
    let (mut own, mut shares) = (vec![0.0; count * count], vec![0.0; count * count]);
    for i in 0..count {
        own[i * count + i] = NEVER;
        let each = -1.0 / (kin(i).count().max(1) as f32 * anchors);
        kin(i).for_each(|(j, _)| shares[i * count + j] = each);
    }
    let logits = cosines.try_mul(1.0 / temperature).map_err(error)?;
    let logits = logits.try_add(device.tensor2((count, count), own)?).map_err(error)?;
    let likely = logits.try_log_softmax::<Axis<1>>().map_err(error)?;
    let product = likely.try_mul(device.tensor2((count, count), shares)?).map_err(error)?;
    Loss::of(product.try_sum().map_err(error)?, accuracy)
}

/// The share of items whose nearest other item, by similarities (items, items), is of their class.
fn nearest_is_own(similar: &[f32], labels: &[usize]) -> f64 {
    let count = labels.len();
    let right = (0..count).filter(|i| {
        let others = (0..count).filter(|j| j != i);
        let nearest = others.max_by(|a, b| similar[i * count + a].total_cmp(&similar[i * count + b]));
        nearest.is_some_and(|nearest| labels[nearest] == labels[*i])
    });
    right.count() as f64 / count.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::super::tests::{agrees, numbers, value};
    use super::*;

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        agrees(&numbers(15), (5, 3), |x| sup_con(x, &[0, 0, 1, 1, 2], 0.5));
    }

    #[test]
    fn three_directions_on_paper() {
        // Cosines 1 with the twin and 0 with the other: −ln(e / (e + 1)) at temperature 1, for both twins.
        let rows = vec![1.0, 0.0, 2.0, 0.0, 0.0, 1.0];
        let (loss, accuracy) = value(rows, (3, 2), |x| sup_con(x, &[0, 0, 1], 1.0));
        assert!((loss - (1.0 + (-1f64).exp()).ln()).abs() < 1e-5, "{loss}");
        assert!((accuracy - 2.0 / 3.0).abs() < 1e-9);
    }
}
