//! Metric learning with the hardest triplets of a batch (Hermans et al. 2017, "batch hard", equation 5).

use super::Loss;

/// A distance below this has no slope.
const LEAST: f32 = 1e-6;

/// The mean over all items of a batch of how much farther the farthest item of the own class is than the nearest of
/// another: `max(0, margin + d⁺ − d⁻)`, or without a margin its smooth form `ln(1 + exp(d⁺ − d⁻))`; Euclidean distances.
///
/// The accuracy is the share of items whose nearest other item is of their class.
pub fn triplet(features: &[f32], dim: usize, labels: &[usize], margin: Option<f32>) -> Loss {
    let count = labels.len();
    let row = |i: usize| &features[i * dim..(i + 1) * dim];
    let distance =
        |a: usize, b: usize| row(a).iter().zip(row(b)).map(|(x, y)| (x - y) * (x - y)).sum::<f32>().sqrt();
    let mut gradient = vec![0.0; features.len()];
    let (mut value, mut right) = (0.0, 0);
    for anchor in 0..count {
        let (mut far, mut near) = ((f32::NEG_INFINITY, anchor), (f32::INFINITY, anchor));
        let mut nearest_own = f32::INFINITY;
        for other in (0..count).filter(|o| *o != anchor) {
            let d = distance(anchor, other);
            if labels[other] == labels[anchor] {
                nearest_own = nearest_own.min(d);
                if d > far.0 {
                    far = (d, other);
                }
            } else if d < near.0 {
                near = (d, other);
            }
        }
        right += usize::from(nearest_own < near.0);
        let gap = far.0 - near.0;
        let (loss, slope) = match margin {
            Some(margin) => ((gap + margin).max(0.0), f32::from(gap + margin > 0.0)),
            // ln(1 + eᵍ) = max(g, 0) + ln(1 + e^−|g|)
            None => (gap.max(0.0) + (-gap.abs()).exp().ln_1p(), 1.0 / (1.0 + (-gap).exp())),
        };
        value += f64::from(loss);
        for ((d, other), sign) in [(far, 1.0), (near, -1.0)] {
            let factor = sign * slope / (d.max(LEAST) * count as f32);
            for k in 0..dim {
                let step = factor * (features[anchor * dim + k] - features[other * dim + k]);
                gradient[anchor * dim + k] += step;
                gradient[other * dim + k] -= step;
            }
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
        let features: Vec<f32> =
            numbers(18).iter().zip(0..).map(|(x, i)| x + (i * i) as f32 * 0.01).collect();
        for margin in [None, Some(0.4)] {
            let found = triplet(&features, 3, &[0, 0, 1, 1, 2, 2], margin);
            agrees(&features, &found.gradient, |x| triplet(x, 3, &[0, 0, 1, 1, 2, 2], margin).value);
        }
    }

    #[test]
    fn four_items_on_a_line() {
        // From 0 the farthest own item is 1 away, the nearest other 5; from 1 it is 1 and 4, and so on.
        let found = triplet(&[0.0, 1.0, 5.0, 6.0], 1, &[0, 0, 1, 1], Some(4.5));
        assert!((found.value - (0.5 + 1.5 + 1.5 + 0.5) / 4.0).abs() < 1e-6, "{}", found.value);
        assert_eq!(found.accuracy, 1.0);
    }
}
