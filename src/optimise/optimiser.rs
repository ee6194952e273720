//! Steps of gradient descent whose whole state can be saved.

use serde::Deserialize;

use crate::tensor::{Rule, Step};

/// A rule for steps. Weight decay is added to the gradient, as torch's `Adam` and `SGD` do, except by AdamW.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Optimiser {
    /// Adam (Kingma and Ba 2015) with its usual moments 0.9 and 0.999.
    Adam {
        /// The rate of learning.
        rate: f64,
        /// The factor of the decay.
        #[serde(default)]
        weight_decay: f64,
    },
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    AdamW {
        /// The rate of learning.
        rate: f64,
        /// The factor of the decay.
        #[serde(default = "usual_decay")]
        weight_decay: f64,
    },
    /// Stochastic gradient descent with momentum.
    Sgd {
        /// The rate of learning.
        rate: f64,
        /// The part of the last step that is kept.
        #[serde(default)]
        momentum: f64,
        /// The factor of the decay.
        #[serde(default)]
        weight_decay: f64,
    },
}

/// What an optimiser remembers of each parameter: its gradient's running mean or velocity, and for Adam of its square.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OptimiserState {
    /// Mean or velocity, per parameter.
    pub first: Vec<Vec<f32>>,
    /// Mean square, per parameter; zeros for other rules.
    pub second: Vec<Vec<f32>>,
}

impl OptimiserState {
    /// Zeros for parameters of these sizes.
    pub fn zeros(sizes: impl Iterator<Item = usize>) -> OptimiserState {
        let zeros: Vec<Vec<f32>> = sizes.map(|size| vec![0.0; size]).collect();
        OptimiserState { first: zeros.clone(), second: zeros }
    }
}

/// The weight decay of AdamW where none is given, as in torch.
fn usual_decay() -> f64 {
    0.01
}

impl Optimiser {
    /// The rate of learning before any schedule.
    pub fn rate(&self) -> f64 {
        match self {
            Optimiser::Adam { rate, .. } | Optimiser::AdamW { rate, .. } | Optimiser::Sgd { rate, .. } => {
                *rate
            }
        }
    }

    /// The factor of the decay.
    pub fn weight_decay(&self) -> f64 {
        match self {
            Optimiser::Adam { weight_decay, .. }
            | Optimiser::AdamW { weight_decay, .. }
            | Optimiser::Sgd { weight_decay, .. } => *weight_decay,
        }
    }

    /// Moves the parameter with this number by its gradient; `step` counts from 1.
    pub fn step(
        &self,
        step: u32,
        rate: f64,
        state: &mut OptimiserState,
        number: usize,
        values: &mut [f32],
        gradient: &[f32],
    ) {
        let (first, second) = (&mut state.first[number], &mut state.second[number]);
        self.of(step, rate).on_host(values, gradient, first, second);
    }

    /// What the rule does at a rate; `step` counts from 1.
    pub fn of(&self, step: u32, rate: f64) -> Step {
        let rule = match self {
            Optimiser::Adam { .. } => Rule::Adam { decoupled: false },
            Optimiser::AdamW { .. } => Rule::Adam { decoupled: true },
            Optimiser::Sgd { momentum, .. } => Rule::Sgd { momentum: *momentum },
        };
        Step { rule, rate, decay: self.weight_decay(), number: step, factor: 1.0 }
    }
}

/// Shrinks gradients so that all together have at most the norm `most`; gives the norm that they had.
pub fn clip(gradients: &mut [Vec<f32>], most: Option<f64>) -> f64 {
    let norm = gradients.iter().flatten().map(|g| f64::from(*g) * f64::from(*g)).sum::<f64>().sqrt();
    if let Some(most) = most
        && norm > most
    {
        let factor = (most / norm) as f32;
        gradients.iter_mut().flatten().for_each(|g| *g *= factor);
    }
    norm
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(optimiser: Optimiser, gradients: &[f32]) -> f32 {
        let (mut value, mut state) = ([1.0f32], OptimiserState::zeros([1].into_iter()));
        for (step, g) in (1..).zip(gradients) {
            optimiser.step(step, optimiser.rate(), &mut state, 0, &mut value, &[*g]);
        }
        value[0]
    }

    #[test]
    fn steps_on_paper() {
        // Adam's first step is the rate, whatever the gradient.
        let adam = Optimiser::Adam { rate: 0.1, weight_decay: 0.0 };
        assert!((moved(adam, &[5.0]) - 0.9).abs() < 1e-6);
        // Second: m = 0.9·0.5 + 0.1·1 = 0.55, m̂ = 0.55/0.19; v = 0.999·0.025 + 0.001, v̂ = v/0.001999.
        let m = 0.55 / 0.19;
        let v: f32 = (0.999 * 0.025 + 0.001) / 0.001_999;
        assert!((moved(adam, &[5.0, 1.0]) - (0.9 - 0.1 * m / v.sqrt())).abs() < 1e-5);
        // AdamW shrinks first: 1·(1 − 0.1·0.5), then the rate.
        let decoupled = Optimiser::AdamW { rate: 0.1, weight_decay: 0.5 };
        assert!((moved(decoupled, &[5.0]) - 0.85).abs() < 1e-6);
        // v₁ = 2 + 0.5·1 = 2.5, x = 0.75; v₂ = 0.5·2.5 + 2 + 0.5·0.75 = 3.625
        let sgd = Optimiser::Sgd { rate: 0.1, momentum: 0.5, weight_decay: 0.5 };
        assert!((moved(sgd, &[2.0, 2.0]) - (0.75 - 0.3625)).abs() < 1e-6);
    }

    #[test]
    fn clipping_keeps_the_direction() {
        let mut gradients = vec![vec![3.0], vec![4.0]];
        assert_eq!(clip(&mut gradients, Some(1.0)), 5.0);
        assert!((gradients[0][0] - 0.6).abs() < 1e-6 && (gradients[1][0] - 0.8).abs() < 1e-6);
        assert!((clip(&mut gradients, Some(2.0)) - 1.0).abs() < 1e-6);
        assert!((gradients[0][0] - 0.6).abs() < 1e-6);
    }
}
