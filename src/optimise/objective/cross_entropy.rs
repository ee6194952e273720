//! Classification by a softmax over logits.

use super::{Loss, accuracy};
use crate::backbone::Traced;
use crate::tensor::conv::ConvOps;
use crate::tensor::dfdx::shapes::{Axis, HasShape};
use crate::tensor::dfdx::tensor_ops::{SumTo, TryMul};
use crate::tensor::{TensorError, device_error};

/// The mean cross-entropy of `logits` (items, classes) with these labels. `smoothing` of each label's probability is shared
/// out among all classes (Szegedy et al. 2016), as torch does.
///
/// # Errors
/// When there is not one label below the number of classes for each row, or the device fails.
pub fn cross_entropy<D: ConvOps>(
    logits: Traced<D>,
    labels: &[usize],
    smoothing: f32,
) -> Result<Loss<D>, TensorError> {
    let error = device_error::<D>;
    let (items, classes) = *logits.shape();
    let accuracy = accuracy(&logits, labels)?;
    let mut shares = vec![-smoothing / (classes * items) as f32; items * classes];
    for (row, label) in shares.chunks_exact_mut(classes.max(1)).zip(labels) {
        row[*label] -= (1.0 - smoothing) / items as f32;
    }
    let shares = logits.device().tensor2((labels.len(), classes), shares)?;
    let product = logits.try_log_softmax::<Axis<1>>().map_err(error)?.try_mul(shares).map_err(error)?;
    Loss::of(product.try_sum().map_err(error)?, accuracy)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{agrees, numbers, value};
    use super::*;

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        for smoothing in [0.0, 0.1] {
            agrees(&numbers(12), (4, 3), |x| cross_entropy(x, &[0, 2, 1, 2], smoothing));
        }
    }

    #[test]
    fn on_paper() {
        // Softmax of (ln 3, 0) is (¾, ¼).
        let one =
            |label, smoothing| value(vec![3f32.ln(), 0.0], (1, 2), |x| cross_entropy(x, &[label], smoothing));
        assert!((one(0, 0.0).0 - (4.0f64 / 3.0).ln()).abs() < 1e-6 && one(0, 0.0).1 == 1.0);
        let smoothed = 0.9 * (4.0f64 / 3.0).ln() + 0.1 * 4f64.ln();
        assert!((one(0, 0.2).0 - smoothed).abs() < 1e-6 && one(1, 0.2).1 == 0.0);
    }
}
