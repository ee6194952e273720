//! How much more would be needed.

use super::estimate::{Estimate, t_quantile};
use super::jackknife::ClassJackknife;
use super::seeds::SeedVariance;

/// Episodes until the sampler interval is `half_width` wide on either side, for episodes with this standard deviation.
///
/// The smallest M of 2 or more with t·s/√M ≤ `half_width`, t with M − 1 degrees of freedom. `None` for a half-width that
/// is not positive, a deviation that is negative or not finite, or a level outside 0 and 1.
///
/// ```
/// // Accuracies spread by 10 points: ±0.2 points takes about (1.96 · 10 / 0.2)² episodes.
/// assert_eq!(kshot::stats::episodes_for(0.002, 0.1, 0.95), Some(9607));
/// ```
pub fn episodes_for(half_width: f64, deviation: f64, level: f64) -> Option<u64> {
    if !(deviation >= 0.0 && deviation.is_finite()) {
        return None;
    }
    least(2, |m| Some(t_quantile(level, m - 1.0)? * deviation / m.sqrt()), half_width)
}

/// Classes needed for an interval of ±`half_width` about new classes: C·(w/δ)², w the present half-width.
///
/// A projection that takes the spread between classes, and that between their episodes, as the C classes showed them.
/// `None` where the interval is as narrow already, for a half-width that is not positive and a level outside 0 and 1.
pub fn classes_for(jackknife: &ClassJackknife, half_width: f64, level: f64) -> Option<u64> {
    let reach = jackknife.estimate.interval(level)?.half_width();
    if !(half_width > 0.0 && half_width < reach) {
        return None;
    }
    Some((jackknife.classes as f64 * (reach / half_width).powi(2)).ceil() as u64)
}

/// Episodes of the *same* classes until the interval about new classes is ±`half_width`; more than there are.
///
/// `None` where no number of episodes will do, because the choice of classes alone reaches further, where the interval is
/// as narrow already, and for the bad arguments of [`classes_for`].
pub fn episodes_for_classes(jackknife: &ClassJackknife, half_width: f64, level: f64) -> Option<u64> {
    let (m, c) = (jackknife.episodes as f64, jackknife.classes as f64);
    let between = jackknife.between_classes;
    // With M' episodes the part of V_J that comes from them is M/M' of what it is.
    let noise = (jackknife.uncorrected - between).max(0.0) * m;
    let reach = |episodes: f64| {
        let variance = between + jackknife.of_episodes / episodes;
        let degrees = (c - 1.0) * (variance / (between + noise / episodes)).powi(2).min(1.0);
        Some(t_quantile(level, degrees).unwrap_or(f64::INFINITY) * variance.sqrt())
    };
    if t_quantile(level, c - 1.0)? * between.sqrt() >= half_width {
        return None;
    }
    least(2, reach, half_width).filter(|episodes| *episodes > jackknife.episodes as u64)
}

/// Training seeds, for every method that has several, until the interval of [`with_seeds`](super::with_seeds) is
/// ±`half_width`, on the same episodes.
///
/// A projection that takes the spread between seeds as the given ones showed it. `None` where no number of seeds will do,
/// because episodes or classes alone reach further; without seeds; and for the bad arguments of [`classes_for`].
pub fn seeds_for(of_means: &Estimate, seeds: &[SeedVariance], half_width: f64, level: f64) -> Option<u64> {
    let rest = of_means.standard_error * of_means.standard_error;
    if seeds.is_empty() || t_quantile(level, of_means.degrees)? * of_means.standard_error >= half_width {
        return None;
    }
    let reach = |count: f64| {
        let parts = seeds.iter().map(|part| part.between_seeds * part.seeds as f64 / count);
        let (sum, squares) =
            parts.fold((rest, 0.0), |(sum, squares), part| (sum + part, squares + part * part));
        let uncertainty = rest * rest / of_means.degrees + squares / (count - 1.0);
        let degrees = if uncertainty > 0.0 { sum * sum / uncertainty } else { of_means.degrees };
        Some(t_quantile(level, degrees.max(1.0))? * sum.sqrt())
    };
    least(2, reach, half_width)
}

/// The smallest whole number, `from` or more, at which a falling `reach` is at most `goal`.
fn least(from: u64, reach: impl Fn(f64) -> Option<f64>, goal: f64) -> Option<u64> {
    if !(goal > 0.0 && goal.is_finite()) {
        return None;
    }
    let enough = |m: u64| reach(m as f64).map(|r| r <= goal);
    let (mut below, mut high) = (from - 1, from);
    while !enough(high)? {
        below = high;
        high = high.checked_mul(2).filter(|h| *h < 1 << 52)?;
    }
    while high - below > 1 {
        let middle = below + (high - below) / 2;
        if enough(middle)? { high = middle } else { below = middle }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Estimate;

    fn jackknife(between_classes: f64) -> ClassJackknife {
        let of_episodes = 0.01;
        let standard_error = f64::sqrt(between_classes + of_episodes / 600.0);
        let estimate = Estimate::student(0.5, standard_error, 19.0);
        // Five of twenty classes an episode: episodes put 19/3 of s²/M into V_J.
        let uncorrected = between_classes + of_episodes / 600.0 * 19.0 / 3.0;
        ClassJackknife { estimate, classes: 20, episodes: 600, between_classes, of_episodes, uncorrected }
    }

    #[test]
    fn the_planned_number_is_the_first_that_suffices() {
        for (goal, deviation) in [(0.002, 0.1), (0.01, 0.08), (0.5, 0.1)] {
            let m = episodes_for(goal, deviation, 0.95).unwrap();
            let half = |m: f64| t_quantile(0.95, m - 1.0).unwrap() * deviation / m.sqrt();
            assert!(half(m as f64) <= goal);
            assert!(m == 2 || half((m - 1) as f64) > goal, "{m} is not the first");
        }
    }

    #[test]
    fn sometimes_no_number_of_episodes_will_do_and_more_classes_would() {
        let wide = jackknife(1e-4);
        assert_eq!(episodes_for_classes(&wide, 0.02, 0.95), None);
        // 20 · (2.093 · √(1e-4 + 0.01/600) / 0.02)² = 25.6
        assert_eq!(classes_for(&wide, 0.02, 0.95), Some(26));
        let m = episodes_for_classes(&wide, 0.0215, 0.95).unwrap();
        let half = |m: f64| {
            let (v, raw) = (1e-4 + 0.01 / m, 1e-4 + 0.01 / m * 19.0 / 3.0);
            t_quantile(0.95, 19.0 * (v / raw).powi(2)).unwrap() * v.sqrt()
        };
        assert!(m > 600 && half(m as f64) <= 0.0215 && half((m - 1) as f64) > 0.0215, "{m}");
    }

    #[test]
    fn what_is_reached_already_is_not_planned() {
        let wide = jackknife(1e-4);
        assert_eq!((episodes_for_classes(&wide, 0.03, 0.95), classes_for(&wide, 0.03, 0.95)), (None, None));
    }

    #[test]
    fn more_seeds_help_until_the_episodes_alone_are_too_wide() {
        let shifts = [0.0, 0.02, -0.02];
        let rows = shifts.map(|shift| (0..600).map(|e| shift + 0.1 * f64::from(e % 2)).collect::<Vec<f64>>());
        let of_means = crate::stats::of_mean(&crate::stats::mean_over_seeds(&rows).unwrap()).unwrap();
        let seeds = [crate::stats::over_seeds(&rows).unwrap()];
        // Of a deviation of 0.02 between seeds: t·0.02/√S ≤ 0.01 from about S = 18, and some more for the episodes.
        let count = seeds_for(&of_means, &seeds, 0.01, 0.95).unwrap();
        assert!((18..=25).contains(&count), "{count}");
        assert_eq!(seeds_for(&of_means, &seeds, 0.003, 0.95), None);
        assert_eq!(seeds_for(&of_means, &[], 0.01, 0.95), None);
    }

    #[test]
    fn a_goal_of_nothing_cannot_be_planned() {
        assert_eq!(episodes_for(0.0, 0.1, 0.95), None);
        assert_eq!(episodes_for(0.01, f64::NAN, 0.95), None);
        assert_eq!(episodes_for(0.01, 0.1, 1.0), None);
        assert_eq!(classes_for(&jackknife(0.0), -1.0, 0.95), None);
    }
}
