//! The one-standard-error rule (Breiman, Friedman, Olshen and Stone 1984, "Classification and Regression Trees", section
//! 3.4.3): of all settings whose accuracy is not more than one standard error below that of the best, the simplest.
//!
//! Differs from the book: the error is that of the difference to the best, class by class, because all settings answer the
//! same items; classes are the units, as settings are chosen for other classes.

/// The place of the setting with the least `cost` among those as good as the best; of equals the first. The best is the
/// first of those with the highest mean. `accuracies` has one row per setting and in it one number per class, the same
/// classes in all; `cost(place, best)` is nothing for a setting that is not to be compared with the best.
pub(super) fn simplest(accuracies: &[Vec<f64>], cost: impl Fn(usize, usize) -> Option<f64>) -> Option<usize> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let higher = |best: Option<(usize, f64)>, place: usize| {
        let value = mean(&accuracies[place]);
        if best.is_some_and(|(_, known)| value <= known) { best } else { Some((place, value)) }
    };
    let (best, _) = (0..accuracies.len()).fold(None, higher)?;
    let as_good = |place: &usize| {
        let behind: Vec<f64> = accuracies[best].iter().zip(&accuracies[*place]).map(|(b, a)| b - a).collect();
        let gap = mean(&behind);
        let squares: f64 = behind.iter().map(|value| (value - gap).powi(2)).sum();
        let freedom = behind.len().saturating_sub(1).max(1) as f64;
        gap <= (squares / freedom / behind.len().max(1) as f64).sqrt()
    };
    let costs = (0..accuracies.len()).filter(as_good).filter_map(|place| Some((place, cost(place, best)?)));
    costs.reduce(|least, next| if next.1 < least.1 { next } else { least }).map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cheapest_setting_within_one_standard_error_of_the_best_is_taken() {
        // Behind the best by 0.1 ± 0.1 on average, by 0.2 ± 0, and not at all.
        let accuracies = [vec![0.8, 0.6], vec![0.6, 0.6], vec![0.8, 0.8], vec![0.8, 0.8]];
        let costs = [2.0, 1.0, 3.0, 3.0];
        assert_eq!(simplest(&accuracies, |place, _| Some(costs[place])), Some(0));
        assert_eq!(simplest(&accuracies[1..], |place, _| Some(costs[place + 1])), Some(1));
        assert_eq!(simplest(&[], |_, _| Some(0.0)), None);
    }

    #[test]
    fn what_is_not_to_be_compared_is_not_taken() {
        let accuracies = [vec![0.5, 0.7], vec![0.8, 0.6]];
        assert_eq!(simplest(&accuracies, |place, best| (place == best).then_some(1.0)), Some(1));
        assert_eq!(simplest(&accuracies, |place, _| Some(place as f64)), Some(0));
    }
}
