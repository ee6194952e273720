//! Training seeds as a factor: a mean over seeds × common episodes, and what new seeds would give.
//!
//! A network that is trained again with another seed is another network. One seed says what *this* network does; a
//! statement about the way of training needs several, and an interval that knows how much they differ (Bouthillier et
//! al. 2021, "Accounting for Variance in Machine Learning Benchmarks", arXiv:2103.03098).
//!
//! The model is that of two crossed random effects, seeds s = 1…S and episodes e = 1…M, with one value per cell:
//!
//! ```text
//! y_se = μ + a_s + b_e + ε_se,   variances σ_a², σ_b², σ_ε²
//! ```
//!
//! The mean over all cells has the variance σ_a²/S + σ_b²/M + σ_ε²/(SM). Its last two terms are those of the mean over
//! episodes of ȳ_e, the mean of an episode over seeds: s²/M with s² the variance of the ȳ_e, which has the expectation
//! σ_b² + σ_ε²/S. So V = σ_a²/S + s²/M, and s² comes from the episodes as it always did. For σ_a² the mean squares of
//! the analysis of variance are solved (Searle, Casella and McCulloch 1992, "Variance Components", chapter 4):
//!
//! ```text
//! MS_a = M·Σ_s (ȳ_s − ȳ)²/(S − 1)                      expectation σ_ε² + M·σ_a²
//! MS_ε = Σ_se (y_se − ȳ_s − ȳ_e + ȳ)²/((S − 1)(M − 1))   expectation σ_ε²
//! σ_a²/S = max(MS_a − MS_ε, 0)/(SM)
//! ```
//!
//! For new classes the variance of the class jackknife stands in place of s²/M: it is that of the ȳ_e with the choice of
//! classes added. What classes and seeds do together is then in both terms, so that V is a little too large, never too
//! small.
//!
//! Student's t with the degrees of freedom of Satterthwaite 1946 (Biometrics Bulletin 2:110) for a sum Σ V_i of mean
//! squares with f_i degrees: V² / Σ V_i²/f_i, where MS_a/(SM) counts in full with S − 1 degrees and MS_ε/(SM) with
//! (S − 1)(M − 1). Where seeds differ much it tends to S − 1: with three seeds t reaches 4.30 standard errors far and not
//! 1.96 ([`width_factor`]). The approximation is liberal where the few seeds of a large effect happen to lie close
//! together: simulated 95 % intervals cover 93 to 98 % with three seeds, 94 to 98 % with five, and 87 to 98 % with two.

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

use super::estimate::{Estimate, t_quantile};
use super::method::IntervalMethod;
use super::sum::{compensated, sum};

/// Why training seeds cannot be taken as a factor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedsError {
    /// Fewer than two seeds.
    #[error("an interval for new training seeds needs 2 seeds or more, found {seeds}")]
    FewSeeds {
        /// Seeds given.
        seeds: usize,
    },
    /// Seeds of which one has other episodes than another, or fewer than two.
    #[error("every training seed needs the same episodes, 2 or more; found {episodes:?}")]
    Episodes {
        /// Episodes of each seed.
        episodes: Vec<usize>,
    },
    /// A value is NaN or infinite.
    #[error("every value must be a finite number, value {place} of seed {seed} is not")]
    NotFinite {
        /// The place of the seed, from 0.
        seed: usize,
        /// The place of the value, from 0.
        place: usize,
    },
}

/// What the choice of training seeds adds to the variance of a mean over them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeedVariance {
    /// Seeds, S.
    pub seeds: usize,
    /// σ_a²/S: the part of the variance of the mean that comes from the choice of seeds; no number of episodes makes it
    /// smaller. Zero where seeds differ by no more than their episodes explain.
    pub between_seeds: f64,
    /// Σ V_i²/f_i over the mean squares of which `between_seeds` is made, for Satterthwaite's degrees of freedom.
    uncertainty: f64,
}

/// Analyses the values of several seeds on common episodes: `values[s][e]` is that of seed s in episode e.
///
/// # Errors
/// Fewer than two seeds, seeds with different numbers of episodes or fewer than two, and a value that is not finite.
///
/// ```
/// let seeds = kshot::stats::over_seeds(&[[0.6, 0.8], [0.7, 0.9]]).unwrap();
/// // The seeds differ by 0.1 in every episode: a variance of 0.005, divided by two seeds.
/// assert!((seeds.between_seeds - 0.0025).abs() < 1e-12);
/// ```
pub fn over_seeds(values: &[impl AsRef<[f64]>]) -> Result<SeedVariance, SeedsError> {
    let rows: Vec<&[f64]> = values.iter().map(AsRef::as_ref).collect();
    if rows.len() < 2 {
        return Err(SeedsError::FewSeeds { seeds: rows.len() });
    }
    let episodes = rows[0].len();
    if episodes < 2 || rows.iter().any(|row| row.len() != episodes) {
        return Err(SeedsError::Episodes { episodes: rows.iter().map(|row| row.len()).collect() });
    }
    for (seed, row) in rows.iter().enumerate() {
        if let Some(place) = row.iter().position(|value| !value.is_finite()) {
            return Err(SeedsError::NotFinite { seed, place });
        }
    }
    let (s, m) = (rows.len() as f64, episodes as f64);
    let of_seeds: Vec<f64> = rows.iter().map(|row| sum(row) / m).collect();
    let of_episodes = columns(&rows);
    let centre = sum(&of_seeds) / s;
    let degrees = (s - 1.0) * (m - 1.0);
    let seeds = compensated(of_seeds.iter().map(|of| (of - centre) * (of - centre))) / (s - 1.0) / s;
    let rest = compensated(rows.iter().zip(&of_seeds).flat_map(|(row, of_seed)| {
        let residual =
            move |(value, of_episode): (&f64, &f64)| (value - of_seed - of_episode + centre).powi(2);
        row.iter().zip(&of_episodes).map(residual)
    }));
    // MS_a/(SM) and MS_ε/(SM).
    let rest = rest / degrees / (s * m);
    Ok(SeedVariance {
        seeds: rows.len(),
        between_seeds: (seeds - rest).max(0.0),
        uncertainty: seeds * seeds / (s - 1.0) + rest * rest / degrees,
    })
}

/// The mean over seeds in every episode: the values whose mean is the method's, and whose spread over episodes and
/// classes is judged as that of a single network.
///
/// `None` without seeds, and where they have different numbers of episodes.
pub fn mean_over_seeds(values: &[impl AsRef<[f64]>]) -> Option<Vec<f64>> {
    let rows: Vec<&[f64]> = values.iter().map(AsRef::as_ref).collect();
    let episodes = rows.first()?.len();
    rows.iter().all(|row| row.len() == episodes).then(|| columns(&rows))
}

/// The mean of every column of rows of one length.
fn columns(rows: &[&[f64]]) -> Vec<f64> {
    let column = |place: usize| compensated(rows.iter().map(|row| row[place])) / rows.len() as f64;
    (0..rows[0].len()).map(column).collect()
}

/// Adds what training seeds contribute to the estimate of a mean over seeds.
///
/// `of_means` is the estimate from the episodes' means over seeds, for these classes ([`of_mean`](super::of_mean)) or for
/// new ones ([`over_classes`](super::over_classes)). `seeds` has one entry per set of seeds drawn by itself: one for a
/// method, and one for a difference of two methods whose seeds are paired (from the differences per seed); two for a
/// difference of methods with seeds of their own, which are independent. Without any the estimate stays as it is.
pub fn with_seeds(of_means: &Estimate, seeds: &[SeedVariance]) -> Estimate {
    if seeds.is_empty() {
        return *of_means;
    }
    let rest = of_means.standard_error * of_means.standard_error;
    let variance = rest + compensated(seeds.iter().map(|part| part.between_seeds));
    let uncertainty = rest * rest / of_means.degrees + compensated(seeds.iter().map(|part| part.uncertainty));
    let degrees = if uncertainty > 0.0 { variance * variance / uncertainty } else { of_means.degrees };
    // The third cumulants add, and seeds are taken as symmetric.
    let skewness = if variance > 0.0 { of_means.skewness * (rest / variance).powf(1.5) } else { 0.0 };
    let (standard_error, degrees) = (variance.sqrt(), degrees.max(1.0));
    Estimate { standard_error, degrees, skewness, method: IntervalMethod::CrossedSeeds, ..*of_means }
}

/// How many times as wide an interval is as one with the same standard error and no end of degrees of freedom: what few
/// seeds cost, however small the error is.
///
/// `None` for a level outside 0 and 1.
///
/// ```
/// // Three seeds that differ much: 4.30 standard errors in place of 1.96.
/// let factor = kshot::stats::width_factor(2.0, 0.95).unwrap();
/// assert!((factor - 2.195).abs() < 0.001);
/// ```
pub fn width_factor(degrees: f64, level: f64) -> Option<f64> {
    Some(t_quantile(level, degrees)? / Normal::standard().inverse_cdf(0.5 + level / 2.0))
}

/// How many times the standard deviation of so many values the true one may be, from and to: what few seeds cannot tell of
/// how much seeds differ, however many episodes there are.
///
/// The interval of a variance from the χ² distribution, for values that are normal. `None` below two values, and for a
/// level outside 0 and 1.
///
/// ```
/// let (low, high) = kshot::stats::deviation_range(3, 0.95).unwrap();
/// assert!((low - 0.52).abs() < 0.01 && (high - 6.28).abs() < 0.01);
/// ```
pub fn deviation_range(values: usize, level: f64) -> Option<(f64, f64)> {
    if values < 2 || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let degrees = values as f64 - 1.0;
    let chi_squared = ChiSquared::new(degrees).ok()?;
    let end = |p: f64| (degrees / chi_squared.inverse_cdf(p)).sqrt();
    Some((end(0.5 + level / 2.0), end(0.5 - level / 2.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Members, of_mean, over_classes};

    /// Random numbers for made worlds: SplitMix64 and the method of Box and Muller.
    struct Dice(u64);

    impl Dice {
        fn uniform(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (((z ^ (z >> 31)) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
        }

        fn normal(&mut self) -> f64 {
            (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
        }
    }

    /// A world whose truth is 0, with seeds of this deviation on these episodes.
    fn world(dice: &mut Dice, seeds: usize, episodes: &[f64], deviation: f64, rest: f64) -> Vec<Vec<f64>> {
        let row = |dice: &mut Dice| {
            let seed = deviation * dice.normal();
            episodes.iter().map(|episode| seed + episode + rest * dice.normal()).collect()
        };
        (0..seeds).map(|_| row(dice)).collect()
    }

    #[test]
    fn three_seeds_of_three_episodes_by_hand() {
        let values = [[0.0, 2.0, 4.0], [3.0, 5.0, 4.0], [3.0, 2.0, 4.0]];
        // Means of seeds 2, 4, 3, of episodes 2, 3, 4, of all 3. MS_a = 3·2/2 = 3; the residuals are −1 0 1, 0 1 −1,
        // 1 −1 0, so MS_ε = 6/4 = 1.5. σ_a²/S = (3 − 1.5)/9 = 1/6.
        let seeds = over_seeds(&values).unwrap();
        assert!((seeds.between_seeds - 1.0 / 6.0).abs() < 1e-15);
        let means = mean_over_seeds(&values).unwrap();
        assert_eq!(means, [2.0, 3.0, 4.0]);
        // s²/M = 1/3, so V = 1/2; Satterthwaite: (1/2)² / ((3/9)²/2 + (1.5/9)²/4 + (1/3)²/2) = 36/17.
        let estimate = with_seeds(&of_mean(&means).unwrap(), &[seeds]);
        assert_eq!(estimate.value, 3.0);
        assert!((estimate.standard_error - 0.5_f64.sqrt()).abs() < 1e-15);
        assert!((estimate.degrees - 36.0 / 17.0).abs() < 1e-12);
    }

    #[test]
    fn seeds_that_agree_leave_the_interval_of_the_episodes() {
        let episodes: Vec<f64> = (0..50).map(|e| f64::from(e % 7)).collect();
        let seeds = over_seeds(&[&episodes, &episodes, &episodes]).unwrap();
        assert_eq!(seeds.between_seeds, 0.0);
        let plain = of_mean(&episodes).unwrap();
        let estimate = with_seeds(&plain, &[seeds]);
        assert_eq!(estimate.value, plain.value);
        assert!((estimate.standard_error - plain.standard_error).abs() < 1e-15);
        assert!((estimate.degrees - 49.0).abs() < 1e-6);
        assert_eq!(with_seeds(&plain, &[]), plain);
    }

    #[test]
    fn seeds_that_differ_much_leave_as_many_degrees_as_seeds_less_one() {
        let episodes: Vec<f64> = (0..600).map(|e| f64::from(e * 37 % 101) / 100.0).collect();
        let of = |shift: f64| episodes.iter().map(|e| e + shift).collect::<Vec<f64>>();
        let values = [of(0.0), of(1.0), of(-1.0)];
        let means = mean_over_seeds(&values).unwrap();
        let estimate = with_seeds(&of_mean(&means).unwrap(), &[over_seeds(&values).unwrap()]);
        assert!(estimate.degrees > 2.0 && estimate.degrees < 2.01, "{}", estimate.degrees);
        // The standard deviation of −1, 0 and 1 is 1.
        assert!((estimate.standard_error - (1.0_f64 / 3.0).sqrt()).abs() < 1e-3);
    }

    #[test]
    fn what_is_no_table_of_seeds_and_episodes_is_refused() {
        let error = |values: &[Vec<f64>]| over_seeds(values).unwrap_err().to_string();
        let none: &[Vec<f64>] = &[];
        assert_eq!(
            error(&[vec![1.0, 2.0]]),
            "an interval for new training seeds needs 2 seeds or more, found 1"
        );
        assert_eq!(error(none), "an interval for new training seeds needs 2 seeds or more, found 0");
        assert_eq!(
            error(&[vec![1.0, 2.0], vec![1.0]]),
            "every training seed needs the same episodes, 2 or more; found [2, 1]"
        );
        assert_eq!(
            error(&[vec![1.0, 2.0], vec![1.0, f64::NAN]]),
            "every value must be a finite number, value 1 of seed 1 is not"
        );
        assert_eq!(mean_over_seeds(none), None);
        assert_eq!(mean_over_seeds(&[vec![1.0, 2.0], vec![1.0]]), None);
    }

    /// What 400 repetitions may show of 95 %: three Monte-Carlo standard errors on either side.
    const HOLDS: std::ops::RangeInclusive<f64> = 0.917..=0.983;

    /// How often 95 % intervals cover zero: without seeds in them, and with.
    fn coverage(estimates: impl Iterator<Item = (Estimate, Estimate)>) -> (f64, f64) {
        let (mut of, mut plain, mut crossed) = (0.0, 0.0, 0.0);
        for (without, with) in estimates {
            let covers = |estimate: &Estimate| estimate.interval(0.95).is_some_and(|i| i.contains(0.0));
            of += 1.0;
            plain += f64::from(u8::from(covers(&without)));
            crossed += f64::from(u8::from(covers(&with)));
        }
        (plain / of, crossed / of)
    }

    #[test]
    fn an_interval_over_five_seeds_covers_and_one_over_episodes_alone_does_not() {
        let mut dice = Dice(3);
        let (plain, crossed) = coverage((0..400).map(|_| {
            let episodes: Vec<f64> = (0..60).map(|_| 0.1 * dice.normal()).collect();
            let values = world(&mut dice, 5, &episodes, 0.05, 0.08);
            let means = of_mean(&mean_over_seeds(&values).unwrap()).unwrap();
            (means, with_seeds(&means, &[over_seeds(&values).unwrap()]))
        }));
        assert!(HOLDS.contains(&crossed), "{crossed}");
        assert!(plain < 0.8, "{plain}");
    }

    #[test]
    fn a_difference_of_methods_with_seeds_of_their_own_covers() {
        let mut dice = Dice(4);
        let (plain, crossed) = coverage((0..400).map(|_| {
            let episodes: Vec<f64> = (0..60).map(|_| 0.1 * dice.normal()).collect();
            let (a, b) =
                (world(&mut dice, 4, &episodes, 0.05, 0.08), world(&mut dice, 6, &episodes, 0.03, 0.05));
            let means = |values: &[Vec<f64>]| mean_over_seeds(values).unwrap();
            let without = crate::stats::paired(&means(&a), &means(&b)).unwrap();
            (without, with_seeds(&without, &[over_seeds(&a).unwrap(), over_seeds(&b).unwrap()]))
        }));
        assert!(HOLDS.contains(&crossed), "{crossed}");
        assert!(plain < 0.75, "{plain}");
    }

    #[test]
    fn for_new_classes_and_new_seeds_both_must_be_in_the_interval() {
        let mut dice = Dice(5);
        let (plain, crossed) = coverage((0..400).map(|_| {
            let classes: Vec<f64> = (0..20).map(|_| 0.1 * dice.normal()).collect();
            // Every pair of classes four times.
            let pairs = || (0..4).flat_map(|_| (0..20_u32).flat_map(|a| (0..a).map(move |b| [a, b])));
            let effect = |[a, b]: [u32; 2]| (classes[a as usize] + classes[b as usize]) / 2.0;
            let episodes: Vec<f64> = pairs().map(|pair| effect(pair) + 0.1 * dice.normal()).collect();
            let members: Vec<[u32; 2]> = pairs().collect();
            let values = world(&mut dice, 5, &episodes, 0.07, 0.05);
            let means = over_classes(&mean_over_seeds(&values).unwrap(), &Members::of(&members), None)
                .unwrap()
                .estimate;
            (means, with_seeds(&means, &[over_seeds(&values).unwrap()]))
        }));
        assert!(HOLDS.contains(&crossed), "{crossed}");
        assert!(plain < 0.85, "{plain}");
    }
}
