//! When to stop drawing episodes: at a width, never at a p-value.

use super::estimate::t_quantile;
use super::variance;

/// Fewer episodes than this are never the end: the first estimates of a spread are too noisy to stop on.
pub const LEAST_EPISODES: usize = 400;

/// Episodes between two looks.
pub const LOOK_EVERY: usize = 200;

/// Draw until every learner's sampler interval is narrow enough, or no more episodes are allowed.
///
/// The rule looks after 400 episodes and then after every further 200, so that where it stops depends on the values alone
/// and not on how the work was split. It stops on the width of an interval, which says nothing about where the mean lies;
/// a rule that stops on a p-value finds a difference in the end, true or not.
///
/// The width is that of Chow and Robbins 1965 ("On the asymptotic theory of fixed-width sequential confidence intervals for
/// the mean", Ann. Math. Stat. 36:457), with s² + 1/n in place of the variance s²: a learner without a mistake in 400
/// episodes is not known exactly, and does not end there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UntilNarrow {
    /// The half-width that every interval must not exceed, in the units of the values.
    pub half_width: f64,
    /// Level of the intervals.
    pub level: f64,
    /// Episodes after which it ends whatever the widths.
    pub most: usize,
}

/// What a look at the episodes so far says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Some interval is too wide: draw on until there are so many episodes.
    Continue {
        /// Episodes at the next look.
        until: usize,
    },
    /// Every interval is narrow enough.
    Narrow,
    /// The most that is allowed was drawn, and some interval is still too wide.
    Exhausted,
}

impl UntilNarrow {
    /// Episodes at the first look.
    pub fn first_look(&self) -> usize {
        LEAST_EPISODES.min(self.most)
    }

    /// The half-width that the rule looks at, t·√((s² + 1/n)/n); `None` for fewer than two values, or one that is not finite.
    pub fn width(&self, values: &[f64]) -> Option<f64> {
        let n = values.len() as f64;
        Some(t_quantile(self.level, n - 1.0)? * ((variance(values)? + 1.0 / n) / n).sqrt())
    }

    /// Looks at the values of every learner over the same episodes, the first ones of the stream.
    ///
    /// Between two looks it says to draw on until the next, whatever the widths. A learner without an interval (fewer
    /// than two values, or one that is not finite) is never narrow.
    ///
    /// ```
    /// use kshot::stats::{Look, UntilNarrow};
    /// let rule = UntilNarrow { half_width: 0.002, level: 0.95, most: 10_000 };
    /// let wide: Vec<f64> = (0..400).map(|i| f64::from(i % 2)).collect();
    /// assert_eq!(rule.look(&[&wide]), Look::Continue { until: 600 });
    /// assert_eq!(rule.look(&[&[0.8; 400]]), Look::Continue { until: 600 });
    /// assert_eq!(rule.look(&[&[0.8; 1000]]), Look::Narrow);
    /// ```
    pub fn look(&self, learners: &[impl AsRef<[f64]>]) -> Look {
        let drawn = learners.iter().map(|values| values.as_ref().len()).min().unwrap_or(0);
        if drawn < self.first_look() {
            return Look::Continue { until: self.first_look() };
        }
        let behind = (drawn - self.first_look()) % LOOK_EVERY;
        if drawn < self.most && behind > 0 {
            return Look::Continue { until: (drawn - behind + LOOK_EVERY).min(self.most) };
        }
        let narrow =
            |values: &[f64]| self.width(&values[..drawn]).is_some_and(|width| width <= self.half_width);
        if learners.iter().all(|values| narrow(values.as_ref())) {
            Look::Narrow
        } else if drawn >= self.most {
            Look::Exhausted
        } else {
            Look::Continue { until: (drawn + LOOK_EVERY).min(self.most) }
        }
    }

    /// After how many episodes of a stream the rule ends; the last look that fits in, where the stream is too short.
    pub fn end(&self, learners: &[impl AsRef<[f64]>]) -> usize {
        let all = learners.iter().map(|values| values.as_ref().len()).min().unwrap_or(0);
        let mut drawn = self.first_look().min(all);
        loop {
            let so_far: Vec<&[f64]> = learners.iter().map(|values| &values.as_ref()[..drawn]).collect();
            match self.look(&so_far) {
                Look::Continue { until } if until > drawn && until <= all => drawn = until,
                _ => return drawn,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: UntilNarrow = UntilNarrow { half_width: 0.02, level: 0.95, most: 5_000 };

    /// Zeros and ones in turn: a spread of about one half.
    fn coins(count: usize) -> Vec<f64> {
        (0..count).map(|place| (place % 2) as f64).collect()
    }

    #[test]
    fn it_ends_at_the_first_look_that_is_narrow_enough() {
        // 1.96 · 0.5 / √M ≤ 0.02 from M = 2,404: looks are at 400 and every 200 after that.
        let values = coins(5_000);
        assert_eq!(RULE.end(&[&values]), 2_600);
        assert_eq!(RULE.look(&[&values[..2_400]]), Look::Continue { until: 2_600 });
        assert_eq!(RULE.look(&[&values[..2_600]]), Look::Narrow);
    }

    #[test]
    fn every_learner_must_be_narrow() {
        let (wide, narrow) = (coins(3_000), vec![0.5; 3_000]);
        assert_eq!(RULE.end(&[&narrow]), 400);
        // 1.96/n ≤ 0.0015 from n = 1,307: without any spread it goes on all the same.
        assert_eq!(UntilNarrow { half_width: 0.0015, ..RULE }.end(&[&narrow]), 1_400);
        assert_eq!(RULE.end(&[&narrow, &wide]), 2_600);
        let broken = vec![f64::NAN; 400];
        assert_eq!(RULE.look(&[&broken]), Look::Continue { until: 600 });
    }

    #[test]
    fn it_never_looks_before_the_least_nor_between_two_looks() {
        let same = [0.5; 450];
        assert_eq!(RULE.look(&[&same[..399]]), Look::Continue { until: 400 });
        assert_eq!(RULE.look(&[&same[..450]]), Look::Continue { until: 600 });
        assert_eq!(RULE.look(&[&same[..400]]), Look::Narrow);
    }

    #[test]
    fn the_most_ends_it_whatever_the_width() {
        let rule = UntilNarrow { most: 500, ..RULE };
        let values = coins(500);
        assert_eq!(rule.look(&[&values[..400]]), Look::Continue { until: 500 });
        assert_eq!(rule.look(&[&values]), Look::Exhausted);
        assert_eq!(rule.end(&[&values]), 500);
        assert_eq!(UntilNarrow { most: 100, ..RULE }.end(&[&values]), 100);
    }
}
