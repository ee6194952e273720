//! What new classes would give: the delete-one-class jackknife over episodes.

use std::collections::{BTreeMap, BTreeSet};

use super::estimate::Estimate;
use super::sum::{Compensated, compensated};
use super::{mean, variance};

/// Fewer classes than this say too little about classes in general.
pub const LEAST_CLASSES: usize = 10;

/// Fewer episodes per class than this leave the correction for the sampler too noisy.
pub const LEAST_EPISODES_PER_CLASS: usize = 30;

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
    /// Too few episodes for the number of classes.
    #[error(
        "an interval for new classes needs {LEAST_EPISODES_PER_CLASS} episodes per class or more, \
         found {episodes} episodes of {classes} classes"
    )]
    FewEpisodes {
        /// Episodes given.
        episodes: usize,
        /// Classes that occur.
        classes: usize,
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
    /// The mean over all episodes, the corrected standard error, and C − 1 degrees of freedom.
    pub estimate: Estimate,
    /// Classes (or clusters) that occur, C.
    pub classes: usize,
    /// Episodes, M.
    pub episodes: usize,
    /// The part of the variance that comes from the choice of classes; no number of episodes makes it smaller.
    pub between_classes: f64,
    /// The variance of a single episode, s²; s²/M is the other part.
    pub of_episodes: f64,
}

/// The mean over episodes with the uncertainty of which classes there are.
///
/// `values[i]` is the result of episode i and `classes[i]` the classes in it (or their clusters: then one cluster is left
/// out at a time); a class named twice in one episode counts once. With θ₋c the mean over the episodes without class c:
/// V_J = (C − 1)/C · Σ (θ₋c − θ̄)², from which the share of the sampler is taken away and put back in its exact form:
/// V = max(V_J − (C − 1)/C · Σ s²·m_c/(M(M − m_c)), 0) + s²/M, with m_c the episodes that hold c.
/// Hoeffding 1948, Ann. Math. Stat. 19:293; Arvesen 1969, Ann. Math. Stat. 40:2076; MacKinnon, Nielsen and Webb,
/// arXiv:2406.08880; Miller, arXiv:2411.00640.
///
/// # Errors
/// Fewer than 10 classes, fewer than 30 episodes per class, a class that is in every episode (as in episodes of all
/// classes), lengths that differ, or a value that is not finite.
pub fn over_classes(values: &[f64], classes: &[impl AsRef<[u32]>]) -> Result<ClassJackknife, JackknifeError> {
    if values.len() != classes.len() {
        return Err(JackknifeError::Lengths { values: values.len(), memberships: classes.len() });
    }
    if let Some(place) = values.iter().position(|v| !v.is_finite()) {
        return Err(JackknifeError::NotFinite { place });
    }
    let (Some(value), Some(of_episodes)) = (mean(values), variance(values)) else {
        let named: BTreeSet<u32> =
            classes.iter().flat_map(|members| members.as_ref().iter().copied()).collect();
        return Err(JackknifeError::FewEpisodes { episodes: values.len(), classes: named.len() });
    };
    let mut with: BTreeMap<u32, ClassSum> = BTreeMap::new();
    let mut distinct = Vec::new();
    for (value, members) in values.iter().zip(classes) {
        distinct.clear();
        distinct.extend_from_slice(members.as_ref());
        distinct.sort_unstable();
        distinct.dedup();
        for class in &distinct {
            with.entry(*class).or_default().push(*value);
        }
    }
    from_sums(value, of_episodes, values.len(), with.iter().map(|(class, sum)| (*class, *sum)))
}

/// What the jackknife needs to know of one class: how many episodes held it, and the sum of their values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClassSum {
    episodes: usize,
    sum: Compensated,
}

impl ClassSum {
    /// Takes one more episode that holds the class in.
    pub fn push(&mut self, value: f64) {
        self.episodes += 1;
        self.sum.add(value);
    }
}

/// [`over_classes`] from what a reader of episodes has gathered on the way: the mean and the variance of the values of
/// all `episodes`, and one sum per class.
///
/// # Errors
/// As [`over_classes`].
pub fn from_sums(
    value: f64,
    of_episodes: f64,
    episodes: usize,
    classes: impl Iterator<Item = (u32, ClassSum)>,
) -> Result<ClassJackknife, JackknifeError> {
    let m = episodes as f64;
    let (mut left_out, mut sampler) = (Vec::new(), Compensated::default());
    for (class, with) in classes {
        if with.episodes >= episodes {
            return Err(JackknifeError::InEveryEpisode { class });
        }
        let held = with.episodes as f64;
        // Deviations from the mean sum to zero, so θ₋c = θ − (Σ of the deviations with c) / (M − m_c).
        left_out.push(value - (with.sum.total() - held * value) / (m - held));
        sampler.add(of_episodes * held / (m * (m - held)));
    }
    let count = left_out.len();
    if count < LEAST_CLASSES {
        return Err(JackknifeError::FewClasses { classes: count });
    }
    if episodes < LEAST_EPISODES_PER_CLASS * count {
        return Err(JackknifeError::FewEpisodes { episodes, classes: count });
    }

    let c = count as f64;
    let centre = compensated(left_out.iter().copied()) / c;
    let jackknife = (c - 1.0) / c * compensated(left_out.iter().map(|l| (l - centre) * (l - centre)));
    let between_classes = (jackknife - (c - 1.0) / c * sampler.total()).max(0.0);
    let standard_error = (between_classes + of_episodes / m).sqrt();
    let estimate = Estimate { value, standard_error, degrees: c - 1.0 };
    Ok(ClassJackknife { estimate, classes: count, episodes, between_classes, of_episodes })
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

    #[test]
    fn class_effects_widen_the_interval_beyond_the_samplers() {
        let (values, classes) = pairs(f64::from);
        let jackknife = over_classes(&values, &classes).unwrap();
        assert_eq!((jackknife.classes, jackknife.episodes), (12, 396));
        assert_eq!(jackknife.estimate.degrees, 11.0);
        assert!((jackknife.estimate.value - 11.0).abs() < 1e-12);
        // By hand: without class c the mean is 2·(66 − c)/11, so V_J = 11/12 · 4/121 · Σ(c − 5.5)² = 143·11·4/(12·121),
        // s² = (Σ over all episodes of (a + b − 11)²)/395 = 6·1430/395, m_c = 66.
        let raw = 11.0 / 12.0 * 4.0 / 121.0 * 143.0;
        let s2 = 6.0 * 1430.0 / 395.0;
        let sampler = 11.0 / 12.0 * 12.0 * s2 * 66.0 / (396.0 * 330.0);
        assert!((jackknife.of_episodes - s2).abs() < 1e-9);
        assert!((jackknife.between_classes - (raw - sampler)).abs() < 1e-9);
        let expected = (raw - sampler + s2 / 396.0).sqrt();
        assert!((jackknife.estimate.standard_error - expected).abs() < 1e-9);
    }

    #[test]
    fn without_class_effects_only_the_sampler_remains() {
        let (mut values, classes) = pairs(|_| 0.0);
        values.iter_mut().enumerate().for_each(|(i, v)| *v = if i < 198 { 1.0 } else { -1.0 });
        let jackknife = over_classes(&values, &classes).unwrap();
        assert_eq!(jackknife.between_classes, 0.0);
        assert!((jackknife.estimate.standard_error - (jackknife.of_episodes / 396.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn a_class_named_twice_in_an_episode_counts_once() {
        let (values, classes) = pairs(f64::from);
        let doubled: Vec<[u32; 3]> = classes.iter().map(|[a, b]| [*a, *b, *a]).collect();
        assert_eq!(over_classes(&values, &classes), over_classes(&values, &doubled));
    }

    #[test]
    fn what_says_nothing_about_new_classes_is_refused() {
        let (values, classes) = pairs(f64::from);
        let error = |v: &[f64], c: &[[u32; 2]]| over_classes(v, c).unwrap_err().to_string();
        assert_eq!(
            error(&values[..300], &classes[..300]),
            "an interval for new classes needs 30 episodes per class or more, found 300 episodes of 12 classes"
        );
        let few: Vec<[u32; 2]> = classes.iter().map(|[a, b]| [a % 9, b % 9]).collect();
        assert_eq!(error(&values, &few), "an interval for new classes needs 10 classes or more, found 9");
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
