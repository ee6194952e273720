//! What units that agree cannot rule out: a floor under intervals whose variance is zero, or nearly so.
//!
//! Where all of n episodes, or classes, give the same value, their variance is zero and t claims certainty. What is known
//! is only that at most a share r of such units can be otherwise: with k of n that deviate, the upper bound of Clopper
//! and Pearson 1934 (Biometrika 26:404), about 3/n for k = 0, the rule of three.

use statrs::distribution::{Beta, ContinuousCDF};

use super::none::rate_of_none;

/// Nearly all of a number of units share one value; how far others may be from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Floor {
    /// Units, n: episodes or classes.
    pub units: u64,
    /// Those of them that deviate from the value of the others, k.
    pub deviating: u64,
    /// The value that the others share.
    pub centre: f64,
    /// How far a deviating unit lies below it: as far as the worst that was seen, or where none was, as the range of the
    /// values allows.
    pub below: f64,
    /// The same above it.
    pub above: f64,
}

impl Floor {
    /// The ends that an interval of this level must reach; `None` for a level outside 0 and 1, and without units.
    pub(super) fn ends(&self, level: f64) -> Option<(f64, f64)> {
        let share = most(self.deviating, self.units, 0.5 + level / 2.0)?;
        Some((self.centre - share * self.below, self.centre + share * self.above))
    }

    /// The smallest error rate of an interval that need not hold `null`.
    pub(super) fn p(&self, null: f64) -> f64 {
        let holds = |p: f64| self.ends(1.0 - p).is_none_or(|(low, high)| low <= null && null <= high);
        // An interval of a level near 0.
        if holds(1.0 - 1e-12) {
            return 1.0;
        }
        let (mut inside, mut outside) = (0.0, 1.0);
        for _ in 0..100 {
            let middle = (inside + outside) / 2.0;
            if holds(middle) { inside = middle } else { outside = middle }
        }
        outside
    }
}

/// The exact upper bound of this one-sided level on a rate of which `events` were seen in `trials`.
///
/// `None` for more events than trials, no trials, and a level outside 0 and 1.
///
/// ```
/// let most = kshot::stats::most(1, 20, 0.975).unwrap();
/// assert!((most - 0.2487).abs() < 1e-4);
/// ```
pub fn most(events: u64, trials: u64, level: f64) -> Option<f64> {
    if events == 0 || trials == 0 {
        return rate_of_none(trials, level);
    }
    if events >= trials {
        return (events == trials && level > 0.0 && level < 1.0).then_some(1.0);
    }
    let beta = Beta::new((events + 1) as f64, (trials - events) as f64).ok()?;
    (level > 0.0 && level < 1.0).then(|| beta.inverse_cdf(level))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_where_so_few_events_become_unlikely() {
        // Σ_{i ≤ 2} C(20, i)·r^i·(1 − r)^(20 − i) = 0.025 at the bound of two in twenty.
        let rate = most(2, 20, 0.975).unwrap();
        let stays = 1.0 - rate;
        let tail = stays.powi(20) + 20.0 * rate * stays.powi(19) + 190.0 * rate * rate * stays.powi(18);
        assert!((tail - 0.025).abs() < 1e-9, "{tail}");
        assert_eq!((most(20, 20, 0.975), most(21, 20, 0.975), most(1, 20, 1.0)), (Some(1.0), None, None));
    }

    #[test]
    fn twenty_classes_that_agree_leave_room_for_a_sixth_that_do_not() {
        let floor = Floor { units: 20, deviating: 0, centre: 1.0, below: 1.0, above: 0.0 };
        let (low, high) = floor.ends(0.95).unwrap();
        assert!((low - 0.025_f64.powf(0.05)).abs() < 1e-12);
        assert_eq!(high, 1.0);
    }
}
