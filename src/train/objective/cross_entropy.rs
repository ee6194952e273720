//! Classification of all base classes with a linear layer, the Baseline of Chen et al. 2019.

use super::{Loss, softmax};

/// The mean cross-entropy of items (items, dim) with these labels under the layer `weight` (classes, dim) and `bias`
/// (classes), and the gradients of weight and bias.
pub fn cross_entropy(
    features: &[f32],
    dim: usize,
    labels: &[usize],
    weight: &[f32],
    bias: &[f32],
) -> (Loss, Vec<f32>, Vec<f32>) {
    let count = labels.len() as f32;
    let mut gradient = vec![0.0; features.len()];
    let (mut weight_gradient, mut bias_gradient) = (vec![0.0; weight.len()], vec![0.0; bias.len()]);
    let (mut value, mut right) = (0.0, 0);
    let mut logits = vec![0.0; bias.len()];
    for ((x, label), gradient) in features.chunks_exact(dim).zip(labels).zip(gradient.chunks_exact_mut(dim)) {
        for ((logit, row), b) in logits.iter_mut().zip(weight.chunks_exact(dim)).zip(bias) {
            *logit = x.iter().zip(row).map(|(x, w)| x * w).sum::<f32>() + b;
        }
        let (loss, best) = softmax(&mut logits, *label);
        value += loss;
        right += usize::from(best);
        logits[*label] -= 1.0;
        let rows = weight.chunks_exact(dim).zip(weight_gradient.chunks_exact_mut(dim));
        for ((logit, (row, row_gradient)), b) in logits.iter().zip(rows).zip(&mut bias_gradient) {
            let g = logit / count;
            *b += g;
            gradient.iter_mut().zip(row).for_each(|(o, w)| *o += g * w);
            row_gradient.iter_mut().zip(x).for_each(|(o, x)| *o += g * x);
        }
    }
    let count = labels.len() as f64;
    (Loss { value: value / count, accuracy: right as f64 / count, gradient }, weight_gradient, bias_gradient)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{agrees, numbers};
    use super::*;

    #[test]
    fn the_gradients_are_those_of_the_loss() {
        let (dim, labels) = (3, [0, 2, 1, 2]);
        let (features, weight, bias) = (numbers(12), numbers(9), numbers(3));
        let (loss, weight_gradient, bias_gradient) = cross_entropy(&features, dim, &labels, &weight, &bias);
        let value = |x: &[f32], w: &[f32], b: &[f32]| cross_entropy(x, dim, &labels, w, b).0.value;
        agrees(&features, &loss.gradient, |x| value(x, &weight, &bias));
        agrees(&weight, &weight_gradient, |w| value(&features, w, &bias));
        agrees(&bias, &bias_gradient, |b| value(&features, &weight, b));
    }
}
