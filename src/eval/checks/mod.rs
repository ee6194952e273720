//! What must be true of every learner, checked on small made-up episodes on the CPU.
//!
//! The checks say that a learner is what it claims to be: an inductive one answers each query by itself, nothing of one
//! episode reaches another, order, names and padding mean nothing, noise is answered at chance. They hold for learners of other
//! crates too, so they are part of the library. A learner is random when another seed changes its scores; what only
//! the order of its random numbers can change is not asked of it.

mod accuracy;
mod alike;
mod company;
mod corners;
mod invariance;
mod numbers;
mod order;
mod subject;
mod toy;

use std::fmt;

use crate::learner::{Learner, Parameters, Registry};
use crate::tensor::Cpu;
use crate::vocab::Setting;

pub use alike::{Alike, alike};
pub use corners::corners;
use subject::Subject;

/// A sentence that must be true of every learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// 2-way and 20-way, unequal shots, one query, one dimension: a finite number per item and label.
    Answers,
    /// Zero, equal, tiny and huge features are answered with finite numbers.
    Finite,
    /// A NaN or an infinity is an error that names the item, or the label of a class embedding.
    Refuses,
    /// Probabilities are such, and the meaning is the same for every episode.
    Meaning,
    /// A learner that is not transductive scores each query by itself.
    QueryAlone,
    /// A transductive learner does not.
    QueryTogether,
    /// Nothing of one episode reaches another of its batch.
    EpisodeAlone,
    /// Slots without an item have no say.
    Padding,
    /// The place of a query has no say.
    QueryOrder,
    /// The place of a support item has no say.
    SupportOrder,
    /// The number of a label has no say.
    LabelNames,
    /// The result is a function of episode and seed.
    Twice,
    /// Nothing can be learned from noise.
    Noise,
    /// A rotation of all features changes no answer of a learner that declares so.
    Rotation,
    /// A constant on a column changes none.
    Shift,
    /// A factor on all features changes none.
    Scale,
    /// The easiest episodes are solved; not asked of learners that know nothing but a fit on other classes, or say that they are weak.
    FarApart,
}

impl Check {
    /// All of them, in the order in which they are checked.
    pub const ALL: [Check; 17] = [
        Check::Answers,
        Check::Finite,
        Check::Refuses,
        Check::Meaning,
        Check::QueryAlone,
        Check::QueryTogether,
        Check::EpisodeAlone,
        Check::Padding,
        Check::QueryOrder,
        Check::SupportOrder,
        Check::LabelNames,
        Check::Twice,
        Check::Noise,
        Check::Rotation,
        Check::Shift,
        Check::Scale,
        Check::FarApart,
    ];

    /// Whether it is asked of learners of this setting.
    pub fn binds(self, setting: Setting) -> bool {
        match self {
            Check::QueryAlone => setting != Setting::Transductive,
            Check::QueryTogether => setting == Setting::Transductive,
            Check::Padding | Check::SupportOrder => setting.uses_support(),
            _ => true,
        }
    }

    /// Holds a learner against it: nothing, or what was found instead.
    fn holds(self, subject: &Subject) -> Result<(), String> {
        match self {
            Check::Answers => numbers::answers(subject),
            Check::Finite => numbers::finite(subject),
            Check::Refuses => numbers::refuses(subject),
            Check::Meaning => numbers::meaning(subject),
            Check::QueryAlone => company::query_alone(subject),
            Check::QueryTogether => company::query_together(subject),
            Check::EpisodeAlone => company::episode_alone(subject),
            Check::Padding => company::padding(subject),
            Check::QueryOrder => order::query_order(subject),
            Check::SupportOrder => order::support_order(subject),
            Check::LabelNames => order::label_names(subject),
            Check::Twice => order::twice(subject),
            Check::Noise => accuracy::noise(subject),
            Check::Rotation => invariance::rotation(subject),
            Check::Shift => invariance::shift(subject),
            Check::Scale => invariance::scale(subject),
            Check::FarApart => accuracy::far_apart(subject),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Check::Answers => "every item gets one finite number per label, whatever the size of the episode",
            Check::Finite => "features far from ordinary never give scores that are not finite",
            Check::Refuses => "NaN and infinity are refused by an error that names the item",
            Check::Meaning => "scores mean what they say, and the same for every episode",
            Check::QueryAlone => "a learner that is not transductive scores a query alone as in company",
            Check::QueryTogether => {
                "a transductive learner scores some query otherwise alone than in company"
            }
            Check::EpisodeAlone => "an episode alone gets the same scores, to the last bit, as in a batch",
            Check::Padding => "padding changes nothing",
            Check::QueryOrder => "permuting the queries permutes the scores",
            Check::SupportOrder => "permuting the support changes nothing",
            Check::LabelNames => "renaming the labels renames the columns",
            Check::Twice => "twice is the same, also with another episode in between",
            Check::Noise => "noise is answered at chance, and no label is preferred",
            Check::Rotation => "a rotation of all features changes no answer",
            Check::Shift => "a large constant on a column changes no answer",
            Check::Scale => "a factor on all features changes no answer",
            Check::FarApart => "classes that lie far apart are told apart without an error",
        })
    }
}

/// A check that a learner fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The learner.
    pub learner: String,
    /// All its parameters, as in results.
    pub parameters: String,
    /// Which check; nothing where it could not even be built.
    pub check: Option<Check>,
    /// What was found instead.
    pub found: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { learner, parameters, check, found } = self;
        let colon = if parameters.is_empty() { "" } else { ":" };
        match check {
            Some(check) => {
                write!(f, "learner `{learner}{colon}{parameters}` fails the check `{check}`: {found}")
            }
            None => write!(f, "learner `{learner}{colon}{parameters}` cannot be built: {found}"),
        }
    }
}

/// Holds every learner of a registry against every check, with default parameters and at the [`corners`] of their ranges.
pub fn check_all(registry: &Registry<Cpu>) -> Vec<Failure> {
    registry.entries().iter().flat_map(corners).flat_map(|p| check_learner(registry, &p)).collect()
}

/// Holds one learner with these parameters against every check.
///
/// One that cannot answer an ordinary episode is held against no other check.
pub fn check_learner(registry: &Registry<Cpu>, parameters: &Parameters) -> Vec<Failure> {
    let failure = |check, found| Failure {
        learner: parameters.learner().to_string(),
        parameters: parameters.to_string(),
        check,
        found,
    };
    let build = || registry.build(parameters);
    let learner: Learner<Cpu> = match build() {
        Ok(learner) => learner,
        Err(error) => return vec![failure(None, error.to_string())],
    };
    let subject = Subject::new(learner, &build);
    // More blocks than the network of the checks has: the learner says so before any episode.
    if subject.refuses_its_network() {
        return Vec::new();
    }
    if let Err(found) = numbers::ordinary(&subject) {
        return vec![failure(Some(Check::Answers), found)];
    }
    let setting = subject.setting();
    // A map that was fitted on other classes is not asked to be right on these.
    let excused = subject.knows_only_other_classes() || subject.is_weak();
    let asked = |check: &Check| *check != Check::FarApart || !excused;
    let checks = Check::ALL.into_iter().filter(|check| check.binds(setting)).filter(asked);
    checks.filter_map(|check| Some(failure(Some(check), check.holds(&subject).err()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_has_its_own_check_of_company() {
        assert!(
            Check::QueryAlone.binds(Setting::Inductive) && !Check::QueryAlone.binds(Setting::Transductive)
        );
        assert!(
            Check::QueryTogether.binds(Setting::Transductive) && Check::Noise.binds(Setting::Transductive)
        );
    }

    #[test]
    fn a_failure_is_a_sentence() {
        let failure = Failure {
            learner: "ridge".to_string(),
            parameters: "alpha=1".to_string(),
            check: Some(Check::Padding),
            found: "score 3".to_string(),
        };
        let text = "learner `ridge:alpha=1` fails the check `padding changes nothing`: score 3";
        assert_eq!(failure.to_string(), text);
    }
}
