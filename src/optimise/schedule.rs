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
    Cosine {
        /// Steps over which it rises linearly first.
        #[serde(default)]
        warm_up: u32,
    },
    /// The rate rises linearly, and then stays.
    WarmUp {
        /// Steps over which it rises.
        steps: u32,
    },
}

impl Schedule {
    /// The factor on the rate at `step`, counted from 0, of `steps`.
    pub fn factor(&self, step: u32, steps: u32) -> f64 {
        let rising = |over: u32| f64::from(step + 1) / f64::from(over);
        match *self {
            Schedule::Constant {} => 1.0,
            Schedule::Step { every, factor } => factor.powi((step / every) as i32),
            Schedule::Cosine { warm_up } | Schedule::WarmUp { steps: warm_up } if step < warm_up => {
                rising(warm_up)
            }
            Schedule::Cosine { warm_up } => {
                let (done, all) = (step - warm_up, steps.saturating_sub(warm_up).max(1));
                0.5 * (1.0 + (std::f64::consts::PI * f64::from(done) / f64::from(all)).cos())
            }
            Schedule::WarmUp { .. } => 1.0,
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
        let cosine = Schedule::Cosine { warm_up: 0 };
        assert!((cosine.factor(5, 10) - 0.5).abs() < 1e-12 && cosine.factor(0, 10) == 1.0);
    }

    #[test]
    fn a_warm_up_rises_to_the_rate() {
        let warm = Schedule::WarmUp { steps: 4 };
        assert_eq!([0, 1, 3, 4, 90].map(|s| warm.factor(s, 99)), [0.25, 0.5, 1.0, 1.0, 1.0]);
        let cosine = Schedule::Cosine { warm_up: 2 };
        assert_eq!([0, 1, 2].map(|s| cosine.factor(s, 12)), [0.5, 1.0, 1.0]);
        assert!((cosine.factor(7, 12) - 0.5).abs() < 1e-12);
    }
}
