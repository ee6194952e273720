//! The episodic objective of prototypical networks (Snell et al. 2017, equations 1 and 2).

use super::{Loss, softmax};

/// The mean cross-entropy of an episode's queries under a softmax of −‖x − mean‖².
///
/// `features` (way · (shot + query), dim) holds the supports of all labels, label by label, then the queries likewise.
pub fn prototypical(features: &[f32], dim: usize, (way, shot, query): (usize, usize, usize)) -> Loss {
    let (support, queries) = features.split_at(way * shot * dim);
    let mut means = vec![0.0; way * dim];
    for (mean, items) in means.chunks_exact_mut(dim).zip(support.chunks_exact(shot * dim)) {
        for item in items.chunks_exact(dim) {
            mean.iter_mut().zip(item).for_each(|(m, x)| *m += x / shot as f32);
        }
    }
    let count = way * query;
    let mut gradient = vec![0.0; features.len()];
    let (support_gradient, query_gradient) = gradient.split_at_mut(way * shot * dim);
    let mut mean_gradients = vec![0.0; way * dim];
    let (mut value, mut right) = (0.0, 0);
    let mut logits = vec![0.0; way];
    for (number, (x, gradient)) in
        queries.chunks_exact(dim).zip(query_gradient.chunks_exact_mut(dim)).enumerate()
    {
        let label = number / query;
        for (logit, mean) in logits.iter_mut().zip(means.chunks_exact(dim)) {
            *logit = -x.iter().zip(mean).map(|(x, m)| (x - m) * (x - m)).sum::<f32>();
        }
        let (loss, best) = softmax(&mut logits, label);
        value += loss;
        right += usize::from(best);
        logits[label] -= 1.0;
        // With g = p − y the logits' gradient sums to zero: dx = 2·Σ g·mean, dmean = 2·g·(x − mean)
        for ((g, mean), mean_gradient) in
            logits.iter().zip(means.chunks_exact(dim)).zip(mean_gradients.chunks_exact_mut(dim))
        {
            let factor = 2.0 * g / count as f32;
            gradient.iter_mut().zip(mean).for_each(|(o, m)| *o += factor * m);
            mean_gradient.iter_mut().zip(x).zip(mean).for_each(|((o, x), m)| *o += factor * (x - m));
        }
    }
    for (items, mean_gradient) in
        support_gradient.chunks_exact_mut(shot * dim).zip(mean_gradients.chunks_exact(dim))
    {
        for item in items.chunks_exact_mut(dim) {
            item.iter_mut().zip(mean_gradient).for_each(|(o, t)| *o = t / shot as f32);
        }
    }
    Loss { value: value / count as f64, accuracy: right as f64 / count as f64, gradient }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{agrees, numbers};
    use super::*;

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let (dim, sizes) = (4, (3, 2, 2));
        let features = numbers(3 * 4 * dim);
        let found = prototypical(&features, dim, sizes);
        agrees(&features, &found.gradient, |x| prototypical(x, dim, sizes).value);
    }

    #[test]
    fn two_labels_on_a_line() {
        // Means 0 and 2; the queries at 0 and 2 are at squared distances 0 and 4.
        let found = prototypical(&[0.0, 2.0, 0.0, 2.0], 1, (2, 1, 1));
        assert!((found.value - (1.0 + (-4f64).exp()).ln()).abs() < 1e-6);
        assert_eq!(found.accuracy, 1.0);
    }
}
