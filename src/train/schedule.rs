//! How the rate of learning changes from step to step.

use serde::Deserialize;

/// A schedule.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// The rate stays.
    Constant {},
    /// The rate is multiplied by a factor every so many steps.
    Step {
        /// Steps.
        every: u32,
        /// Factor.
        factor: f64,
    },
    /// The rate falls along half a cosine to zero (Loshchilov and Hutter 2017, without restarts).
    Cosine {},
}

impl Schedule {
    /// The factor on the rate at `step`, counted from 0, of `steps`.
    pub fn factor(&self, step: u32, steps: u32) -> f64 {
        match self {
            Schedule::Constant {} => 1.0,
            Schedule::Step { every, factor } => factor.powi((step / every) as i32),
            Schedule::Cosine {} => {
                0.5 * (1.0 + (std::f64::consts::PI * f64::from(step) / f64::from(steps)).cos())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_on_paper() {
        let halves = Schedule::Step { every: 2, factor: 0.5 };
        assert_eq!([0, 1, 2, 5].map(|s| halves.factor(s, 9)), [1.0, 1.0, 0.5, 0.25]);
        assert_eq!(Schedule::Constant {}.factor(7, 9), 1.0);
        let cosine = Schedule::Cosine {};
        assert!((cosine.factor(5, 10) - 0.5).abs() < 1e-12 && cosine.factor(0, 10) == 1.0);
    }
}
