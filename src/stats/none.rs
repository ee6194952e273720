//! What is known of a rate of events of which none was seen.

/// The largest rate that `trials` without a single event are still likely to come from: 1 − (1 − `level`)^(1/n), the exact
/// one-sided bound of Clopper and Pearson 1934; about 3/n at 95 %, the rule of three.
///
/// A hundred right answers in a hundred do not show that all are right. `None` without trials, and for a level outside 0
/// and 1.
///
/// ```
/// let most = kshot::stats::rate_of_none(150, 0.95).unwrap();
/// assert!((most - 0.0198).abs() < 1e-4);
/// ```
pub fn rate_of_none(trials: u64, level: f64) -> Option<f64> {
    (trials > 0 && level > 0.0 && level < 1.0).then(|| 1.0 - (1.0 - level).powf(1.0 / trials as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_trials_or_a_level_nothing_is_known() {
        assert_eq!(rate_of_none(0, 0.95), None);
        assert_eq!(rate_of_none(10, 1.0), None);
        assert_eq!(rate_of_none(1, 0.95), Some(0.95));
    }
}
