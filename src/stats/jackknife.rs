//! What new classes would give: the delete-one-class jackknife over episodes.
//!
//! With θ the mean over all M episodes, θ₋c the mean over those without class c, and C classes, the jackknife's variance is
//!
//! ```text
//! V_J = (C − 1)/C · Σ (θ₋c − θ̄)²
//! ```
//!
//! Of it a part comes from the episodes and not from the classes: with s² the variance of a single episode and m_c the
//! episodes that hold c, B = (C − 1)/C · Σ s²·m_c/(M(M − m_c)). That part is taken away and put back in its exact form:
//!
//! ```text
//! V = max(V_J − B, 0) + s²/M
//! ```
//!
//! *Degrees of freedom.* V_J is like a χ² with C − 1 degrees, so that V varies by 2·V_J²/(C − 1), and V behaves as a χ² with
//! (C − 1)·(V/V_J)² degrees (Satterthwaite 1946, Biometrics Bulletin 2:110). Where way is large beside C or episodes are
//! few, V is a small difference of large numbers and they are far fewer than C − 1.
//!
//! *Skewness.* A few hard classes make the error of θ skewed. With x_c = (C − 1)(θ̄ − θ₋c), the influence of a class, the third
//! cumulant of θ is that of the x_c over C², without the part that episodes put into it, and with their own part κ₃/M²;
//! over V^1.5 it is the skewness that [`Estimate`] undoes by Hall's transformation.
//!
//! *Too noisy.* Where V is less than a third of V_J, the interval by V_J itself with C − 1 degrees may be the narrower one. It
//! is never too narrow, since V_J is larger than V on average, and then it stands.
//!
//! *Too quiet.* Where one or two classes, or none, account for every episode that differs from the rest, the variance says
//! nothing about classes that were not met; a [`Floor`] over classes does.
//!
//! Hoeffding 1948, Ann. Math. Stat. 19:293; Arvesen 1969, Ann. Math. Stat. 40:2076; Efron and Stein 1981, Ann. Stat. 9:586;
//! MacKinnon, Nielsen and Webb, arXiv:2406.08880; Miller, arXiv:2411.00640.

use super::estimate::{Estimate, is_other, median, t_quantile};
use super::floor::Floor;
use super::members::Members;
use super::method::IntervalMethod;
use super::sum::compensated;
use super::{mean, variance};

/// Fewer classes than this say too little about classes in general.
pub const LEAST_CLASSES: usize = 10;

/// Fewer episodes than this without some class leave what the class does too uncertain.
pub const LEAST_WITHOUT: usize = 20;

/// Why there is no statement about new classes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JackknifeError {
    /// One list of classes per value is needed.
    #[error("every episode needs its classes, found {values} values and {memberships} lists of classes")]
    Lengths {
        /// Values given.
        values: usize,
        /// Lists of classes given.
        memberships: usize,
    },
    /// A value is NaN or infinite.
    #[error("every value must be a finite number, value {place} is not")]
    NotFinite {
        /// Its place, from 0.
        place: usize,
    },
    /// Too few classes.
    #[error("an interval for new classes needs {LEAST_CLASSES} classes or more, found {classes}")]
    FewClasses {
        /// Classes that occur.
        classes: usize,
    },
    /// Too few episodes without a class.
    #[error(
        "an interval for new classes needs {LEAST_WITHOUT} episodes or more without each class, but class {class} is \
         missing from {without} of {episodes} only"
    )]
    FewWithout {
        /// The class, as given.
        class: u32,
        /// Episodes without it.
        without: usize,
        /// Episodes given.
        episodes: usize,
    },
    /// A class that cannot be left out, because every episode holds it.
    #[error(
        "an interval for new classes leaves each class out in turn, but class {class} is in every episode"
    )]
    InEveryEpisode {
        /// The class, as given.
        class: u32,
    },
}

/// The delete-one-class jackknife of a mean over episodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassJackknife {
    /// The mean over all episodes with its standard error, degrees of freedom and skewness for new classes.
    pub estimate: Estimate,
    /// Classes (or clusters) that occur, C.
    pub classes: usize,
    /// Episodes, M.
    pub episodes: usize,
    /// The part of the variance that comes from the choice of classes; no number of episodes makes it smaller.
    pub between_classes: f64,
    /// The variance of a single episode, s²; s²/M is the other part.
    pub of_episodes: f64,
    /// V_J, the jackknife's variance before it is corrected.
    pub uncorrected: f64,
}

/// The mean over episodes with the uncertainty of which classes there are.
///
/// `values[i]` is the result of episode i, `members` the classes in it (or their clusters: then one cluster is left out at
/// a time), and `range` what a value can be, where that is bounded.
///
/// # Errors
/// Fewer than 10 classes, a class that is missing from fewer than 20 episodes (from none, in episodes of all classes),
/// lengths that differ, or a value that is not finite.
pub fn over_classes(
    values: &[f64],
    members: &Members,
    range: Option<(f64, f64)>,
) -> Result<ClassJackknife, JackknifeError> {
    if values.len() != members.episodes() {
        return Err(JackknifeError::Lengths { values: values.len(), memberships: members.episodes() });
    }
    if let Some(place) = values.iter().position(|v| !v.is_finite()) {
        return Err(JackknifeError::NotFinite { place });
    }
    let held = Held::of(values, members);
    held.check(values.len())?;
    let (Some(value), Some(of_episodes)) = (mean(values), variance(values)) else {
        return Err(JackknifeError::FewClasses { classes: held.count() });
    };
    let influences = held.influences(values.len(), value);
    let (m, c) = (values.len() as f64, influences.len() as f64);
    let central = |power| compensated(influences.iter().map(|of| of.of_class.powi(power)));
    let uncorrected = central(2) / (c * (c - 1.0));
    let sampler = (c - 1.0) / c
        * compensated(influences.iter().map(|of| of_episodes * of.share / (m * (1.0 - of.share))));
    let between_classes = (uncorrected - sampler).max(0.0);
    let variance = between_classes + of_episodes / m;

    let third_of_episodes = compensated(values.iter().map(|v| (v - value).powi(3))) / m;
    let third_of_noise = compensated(influences.iter().map(|of| {
        let (held, without) = (of.share, 1.0 - of.share);
        held * (1.0 - 2.0 * held) / (m * m * without * without) * (c - 1.0).powi(3)
    }));
    let third = central(3) / ((c - 1.0) * (c - 2.0) * c) - third_of_noise * third_of_episodes / (c * c * c)
        + third_of_episodes / (m * m);
    let corrected = Estimate {
        degrees: (c - 1.0) * (variance / uncorrected).powi(2).min(1.0),
        skewness: skewness(third, variance),
        floor: floor(values, members, &held, range),
        range,
        method: IntervalMethod::Jackknife,
        ..Estimate::student(value, variance.sqrt(), c - 1.0)
    };
    Ok(ClassJackknife {
        estimate: narrower(corrected, uncorrected, third, c - 1.0),
        classes: influences.len(),
        episodes: values.len(),
        between_classes,
        of_episodes,
        uncorrected,
    })
}

/// Per class, the episodes that hold it and the sum of their values.
struct Held {
    episodes: Vec<usize>,
    sums: Vec<f64>,
}

/// What a class does to the mean.
struct Influence {
    /// x_c, centred.
    of_class: f64,
    /// The share of episodes that hold it.
    share: f64,
}

impl Held {
    fn of(values: &[f64], members: &Members) -> Held {
        let mut held = Held { episodes: vec![0; members.bound()], sums: vec![0.0; members.bound()] };
        // Sums of deviations from a value near the mean, which lose nothing that matters.
        let near = values.first().copied().unwrap_or_default();
        for (place, value) in values.iter().enumerate() {
            for unit in members.episode(place) {
                held.episodes[*unit as usize] += 1;
                held.sums[*unit as usize] += value - near;
            }
        }
        for (sum, episodes) in held.sums.iter_mut().zip(&held.episodes) {
            *sum += near * *episodes as f64;
        }
        held
    }

    fn count(&self) -> usize {
        self.episodes.iter().filter(|episodes| **episodes > 0).count()
    }

    fn check(&self, episodes: usize) -> Result<(), JackknifeError> {
        let most = self.episodes.iter().enumerate().max_by_key(|(place, held)| (**held, usize::MAX - place));
        let classes = self.count();
        match most {
            Some((class, held)) if *held == episodes && classes > 1 => {
                Err(JackknifeError::InEveryEpisode { class: class as u32 })
            }
            _ if classes < LEAST_CLASSES => Err(JackknifeError::FewClasses { classes }),
            Some((class, held)) if episodes - held < LEAST_WITHOUT => {
                Err(JackknifeError::FewWithout { class: class as u32, without: episodes - held, episodes })
            }
            _ => Ok(()),
        }
    }

    /// (C − 1)(θ̄ − θ₋c) of every class that occurs.
    fn influences(&self, episodes: usize, value: f64) -> Vec<Influence> {
        let (m, c) = (episodes as f64, self.count() as f64);
        let of = |(held, sum): (&usize, &f64)| {
            let held = *held as f64;
            // Deviations from the mean sum to zero, so θ₋c = θ − (Σ of the deviations with c) / (M − m_c).
            Influence { of_class: (c - 1.0) * (sum - held * value) / (m - held), share: held / m }
        };
        let all = self.episodes.iter().zip(&self.sums).filter(|(held, _)| **held > 0);
        let mut all: Vec<Influence> = all.map(of).collect();
        let centre = compensated(all.iter().map(|of| of.of_class)) / c;
        all.iter_mut().for_each(|of| of.of_class -= centre);
        all
    }
}

fn skewness(third: f64, variance: f64) -> f64 {
    if variance > 0.0 { third / variance.powf(1.5) } else { 0.0 }
}

/// The corrected estimate, or the uncorrected one where that has the narrower interval.
fn narrower(corrected: Estimate, uncorrected: f64, third: f64, degrees: f64) -> Estimate {
    let t = |degrees| t_quantile(0.95, degrees).unwrap_or(f64::INFINITY);
    let plain = t(degrees) * uncorrected.sqrt();
    let (value, standard_error) = (corrected.value, uncorrected.sqrt());
    if corrected.standard_error > 0.0 && t(corrected.degrees) * corrected.standard_error > plain {
        let method = IntervalMethod::JackknifeUncorrected;
        let skewness = skewness(third, uncorrected);
        Estimate { value, standard_error, degrees, skewness, method, ..corrected }
    } else {
        Estimate {
            degrees: if corrected.standard_error > 0.0 { corrected.degrees } else { degrees },
            ..corrected
        }
    }
}

/// The floor over classes, where one or two of them, or none, are in every episode that differs from most others.
fn floor(values: &[f64], members: &Members, held: &Held, range: Option<(f64, f64)>) -> Option<Floor> {
    let centre = median(values)?;
    let other: Vec<usize> =
        (0..values.len()).filter(|place| is_other(values[*place] - centre, centre)).collect();
    if other.len() * 2 > values.len() {
        return None;
    }
    let (deviating, units) = (responsible(&other, members)?, held.count() as f64);
    let (below, above) = match (deviating, range) {
        (0, None) => return None,
        (0, Some((least, most))) => (centre - least, most - centre),
        _ => {
            // C times what they do to the mean: x_c, were it a single class.
            let of = |sign: f64| other.iter().map(move |place| (sign * (values[*place] - centre)).max(0.0));
            let scale = units / values.len() as f64;
            (scale * compensated(of(-1.0)), scale * compensated(of(1.0)))
        }
    };
    Some(Floor { units: held.count() as u64, deviating, centre, below, above })
}

/// How few units there are such that each of these episodes holds one of them; `None` for more than two.
fn responsible(episodes: &[usize], members: &Members) -> Option<u64> {
    let holds = |place: usize, unit: u32| members.episode(place).binary_search(&unit).is_ok();
    // Whether some unit is in all of them but for those that hold `known`.
    let shared = |known: Option<u32>| {
        let mut left = episodes.iter().filter(|place| known.is_none_or(|known| !holds(**place, known)));
        let Some(first) = left.next() else { return true };
        let mut common = members.episode(*first).to_vec();
        left.take_while(|place| {
            common.retain(|unit| holds(**place, *unit));
            !common.is_empty()
        })
        .for_each(drop);
        !common.is_empty()
    };
    let Some(first) = episodes.first() else { return Some(0) };
    if shared(None) {
        return Some(1);
    }
    members.episode(*first).iter().any(|unit| shared(Some(*unit))).then_some(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 12 classes, every pair of them in six episodes; the value of an episode is the sum of its classes' effects.
    fn pairs(effect: impl Fn(u32) -> f64) -> (Vec<f64>, Vec<[u32; 2]>) {
        let mut episodes = Vec::new();
        for _ in 0..6 {
            for a in 0..12 {
                episodes.extend((0..a).map(|b| [a, b]));
            }
        }
        (episodes.iter().map(|[a, b]| effect(*a) + effect(*b)).collect(), episodes)
    }

    fn of(values: &[f64], classes: &[impl AsRef<[u32]>]) -> Result<ClassJackknife, JackknifeError> {
        over_classes(values, &Members::of(classes), None)
    }

    #[test]
    fn class_effects_widen_the_interval_beyond_the_samplers() {
        let (values, classes) = pairs(f64::from);
        let jackknife = of(&values, &classes).unwrap();
        assert_eq!((jackknife.classes, jackknife.episodes), (12, 396));
        assert!((jackknife.estimate.value - 11.0).abs() < 1e-12);
        // By hand: without class c the mean is 2·(66 − c)/11, so V_J = 11/12 · 4/121 · Σ(c − 5.5)² = 143·11·4/(12·121),
        // s² = (Σ over all episodes of (a + b − 11)²)/395 = 6·1430/395, m_c = 66.
        let raw = 11.0 / 12.0 * 4.0 / 121.0 * 143.0;
        let s2 = 6.0 * 1430.0 / 395.0;
        let sampler = 11.0 / 12.0 * 12.0 * s2 * 66.0 / (396.0 * 330.0);
        assert!((jackknife.of_episodes - s2).abs() < 1e-9);
        assert!((jackknife.uncorrected - raw).abs() < 1e-9);
        assert!((jackknife.between_classes - (raw - sampler)).abs() < 1e-9);
        let expected = raw - sampler + s2 / 396.0;
        assert!((jackknife.estimate.standard_error - expected.sqrt()).abs() < 1e-9);
        // Satterthwaite, and effects that lie symmetrically about their mean.
        assert!((jackknife.estimate.degrees - 11.0 * (expected / raw).powi(2)).abs() < 1e-9);
        assert!(jackknife.estimate.skewness.abs() < 1e-9);
    }

    #[test]
    fn one_hard_class_in_twelve_skews_the_error_to_its_side() {
        let (values, classes) = pairs(|class| f64::from(class) / 100.0 - if class == 7 { 0.5 } else { 0.0 });
        let estimate = of(&values, &classes).unwrap().estimate;
        let interval = estimate.interval(0.95).unwrap();
        assert!(estimate.skewness < -0.3, "{}", estimate.skewness);
        assert!(estimate.value - interval.low > 1.3 * (interval.high - estimate.value));
    }

    #[test]
    fn without_class_effects_the_jackknife_without_correction_is_the_surer_one() {
        let (mut values, classes) = pairs(|_| 0.0);
        values.iter_mut().enumerate().for_each(|(i, v)| *v = f64::from(i as u32 * 7919 % 13));
        let jackknife = of(&values, &classes).unwrap();
        assert_eq!(jackknife.between_classes, 0.0);
        assert_eq!(jackknife.estimate.method, IntervalMethod::JackknifeUncorrected);
        assert_eq!(jackknife.estimate.standard_error, jackknife.uncorrected.sqrt());
    }

    #[test]
    fn what_all_classes_share_is_not_certain_for_others() {
        let (values, classes) = pairs(|_| 0.5);
        let members = Members::of(&classes);
        let of = |range| over_classes(&values, &members, range).unwrap().estimate;
        assert_eq!(of(None).interval(0.95), None);
        let estimate = of(Some((0.0, 1.0)));
        let interval = estimate.interval(0.95).unwrap();
        assert!((interval.low - 0.025_f64.powf(1.0 / 12.0)).abs() < 1e-12 && interval.high == 1.0);
        assert_eq!(estimate.test(1.0).p, 1.0);
        assert!((estimate.test(0.9).p - 2.0 * 0.9_f64.powi(12)).abs() < 1e-12);
        assert_eq!(estimate.method_at(0.95), IntervalMethod::ClopperPearson);
    }

    #[test]
    fn a_single_class_that_errs_leaves_room_for_five_in_twenty() {
        let (mut values, classes) = pairs(|_| 0.5);
        for (value, members) in values.iter_mut().zip(&classes) {
            *value -= if members.contains(&3) { 0.1 } else { 0.0 };
        }
        let estimate = over_classes(&values, &Members::of(&classes), Some((0.0, 1.0))).unwrap().estimate;
        // 66 of 396 episodes lie 0.1 lower: x_c = 12·0.1/6 = 0.2; Clopper and Pearson: up to 38.5 % of such classes.
        let floor = estimate.floor.unwrap();
        assert_eq!((floor.units, floor.deviating), (12, 1));
        assert!((floor.below - 0.2).abs() < 1e-12);
        assert!(estimate.interval(0.95).unwrap().low <= 1.0 - 0.384 * 0.2);
    }

    #[test]
    fn a_class_named_twice_in_an_episode_counts_once() {
        let (values, classes) = pairs(f64::from);
        let doubled: Vec<[u32; 3]> = classes.iter().map(|[a, b]| [*a, *b, *a]).collect();
        assert_eq!(of(&values, &classes), of(&values, &doubled));
    }

    #[test]
    fn what_says_nothing_about_new_classes_is_refused() {
        let (values, classes) = pairs(f64::from);
        let error = |v: &[f64], c: &[[u32; 2]]| of(v, c).unwrap_err().to_string();
        // The first 22 episodes hold pairs of the classes up to 7.
        let few: Vec<[u32; 2]> = classes.iter().map(|[a, b]| [a % 9, b % 9]).collect();
        assert_eq!(error(&values, &few), "an interval for new classes needs 10 classes or more, found 9");
        let often: Vec<[u32; 2]> =
            classes.iter().enumerate().map(|(i, [a, b])| [*a, if i < 390 { 99 } else { *b }]).collect();
        assert_eq!(
            error(&values, &often),
            "an interval for new classes needs 20 episodes or more without each class, but class 99 is missing from 6 \
             of 396 only"
        );
        let everywhere: Vec<[u32; 2]> = classes.iter().map(|[a, _]| [*a, 99]).collect();
        assert_eq!(
            error(&values, &everywhere),
            "an interval for new classes leaves each class out in turn, but class 99 is in every episode"
        );
        assert_eq!(
            error(&values, &classes[..10]),
            "every episode needs its classes, found 396 values and 10 lists of classes"
        );
        let mut broken = values.clone();
        broken[3] = f64::NAN;
        assert_eq!(error(&broken, &classes), "every value must be a finite number, value 3 is not");
    }
}
