//! What training makes small: numbers in, a loss and its gradient out.
//!
//! The gradients are worked out by hand and compared with finite differences; dfdx carries them on into the network.

mod cross_entropy;
mod prototypical;
mod triplet;

pub use cross_entropy::cross_entropy;
pub use prototypical::prototypical;
pub use triplet::triplet;

/// The value of an objective on a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// The mean loss.
    pub value: f64,
    /// The share of right answers, 0…1.
    pub accuracy: f64,
    /// The gradient of the features: (items, dim).
    pub gradient: Vec<f32>,
}

/// Softmax of `logits` in place; gives the negative log-likelihood of `label` and whether it is the likeliest.
fn softmax(logits: &mut [f32], label: usize) -> (f64, bool) {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    // The lower label wins a tie, as everywhere.
    let right = logits.iter().position(|l| *l == largest) == Some(label);
    let own = f64::from(logits[label] - largest);
    let mut sum = 0.0f64;
    for logit in logits.iter_mut() {
        *logit = (*logit - largest).exp();
        sum += f64::from(*logit);
    }
    let factor = (1.0 / sum) as f32;
    logits.iter_mut().for_each(|l| *l *= factor);
    (sum.ln() - own, right)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares a gradient with finite differences of the loss, at every number.
    pub fn agrees(values: &[f32], gradient: &[f32], loss: impl Fn(&[f32]) -> f64) {
        for place in 0..values.len() {
            let moved = |by: f32| {
                let mut values = values.to_vec();
                values[place] += by;
                loss(&values)
            };
            let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!(
                (slope - f64::from(gradient[place])).abs() < 2e-3,
                "{place}: {slope} {}",
                gradient[place]
            );
        }
    }

    pub fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 37 + 11) % 29) as f32 / 15.0 - 1.0).collect()
    }

    #[test]
    fn a_softmax_on_paper() {
        let mut logits = [3f32.ln(), 0.0];
        let (loss, right) = softmax(&mut logits, 1);
        assert!((loss - 4f64.ln()).abs() < 1e-6 && !right);
        assert!((logits[0] - 0.75).abs() < 1e-6);
    }
}
