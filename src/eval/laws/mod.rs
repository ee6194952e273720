//! What every learner must keep, checked on small made-up episodes on the CPU.
//!
//! The laws say that a learner is what it claims to be: an inductive one answers each query by itself, nothing of one
//! episode reaches another, order, names and padding mean nothing, noise is chance. They hold for learners of other
//! crates too, so they are part of the library. A learner draws chance when another seed changes its scores; what only
//! the order of its chance can change is not asked of it.

mod accuracy;
mod company;
mod corners;
mod numbers;
mod order;
mod subject;
mod toy;

use std::fmt;

use crate::learner::{Learner, Parameters, Registry};
use crate::tensor::Cpu;
use crate::vocab::Setting;

pub use corners::corners;
use subject::Subject;

/// A sentence that must be true of every learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// 2-way and 20-way, unequal shots, one query, one dimension: a finite number per item and label.
    Answers,
    /// Zero, equal, tiny and huge features are answered with finite numbers.
    Finite,
    /// A NaN or an infinity is an error that names the item, or the label of a class vector.
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
    /// The easiest episodes are solved; not asked of learners that know nothing but a fit on other classes.
    FarApart,
}

impl Law {
    /// All of them, in the order in which they are checked.
    pub const ALL: [Law; 14] = [
        Law::Answers,
        Law::Finite,
        Law::Refuses,
        Law::Meaning,
        Law::QueryAlone,
        Law::QueryTogether,
        Law::EpisodeAlone,
        Law::Padding,
        Law::QueryOrder,
        Law::SupportOrder,
        Law::LabelNames,
        Law::Twice,
        Law::Noise,
        Law::FarApart,
    ];

    /// Whether it is asked of learners of this setting.
    pub fn binds(self, setting: Setting) -> bool {
        match self {
            Law::QueryAlone => setting != Setting::Transductive,
            Law::QueryTogether => setting == Setting::Transductive,
            Law::Padding | Law::SupportOrder => setting.uses_support(),
            _ => true,
        }
    }

    /// Holds a learner against it: nothing, or what was found instead.
    fn holds(self, subject: &Subject) -> Result<(), String> {
        match self {
            Law::Answers => numbers::answers(subject),
            Law::Finite => numbers::finite(subject),
            Law::Refuses => numbers::refuses(subject),
            Law::Meaning => numbers::meaning(subject),
            Law::QueryAlone => company::query_alone(subject),
            Law::QueryTogether => company::query_together(subject),
            Law::EpisodeAlone => company::episode_alone(subject),
            Law::Padding => company::padding(subject),
            Law::QueryOrder => order::query_order(subject),
            Law::SupportOrder => order::support_order(subject),
            Law::LabelNames => order::label_names(subject),
            Law::Twice => order::twice(subject),
            Law::Noise => accuracy::noise(subject),
            Law::FarApart => accuracy::far_apart(subject),
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Law::Answers => "every item gets one finite number per label, whatever the size of the episode",
            Law::Finite => "features far from ordinary never give scores that are not finite",
            Law::Refuses => "NaN and infinity are refused by an error that names the item",
            Law::Meaning => "scores mean what they say, and the same for every episode",
            Law::QueryAlone => "a learner that is not transductive scores a query alone as in company",
            Law::QueryTogether => "a transductive learner scores some query otherwise alone than in company",
            Law::EpisodeAlone => "an episode alone gets the same scores, to the last bit, as in a batch",
            Law::Padding => "padding changes nothing",
            Law::QueryOrder => "permuting the queries permutes the scores",
            Law::SupportOrder => "permuting the support changes nothing",
            Law::LabelNames => "renaming the labels renames the columns",
            Law::Twice => "twice is the same, also with another episode in between",
            Law::Noise => "noise is answered at chance, and no label is preferred",
            Law::FarApart => "classes that lie far apart are told apart without an error",
        })
    }
}

/// A learner that breaks a law.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// The learner.
    pub learner: String,
    /// All its parameters, as in results.
    pub parameters: String,
    /// What it breaks; nothing where it could not even be built.
    pub law: Option<Law>,
    /// What was found instead.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { learner, parameters, law, found } = self;
        let colon = if parameters.is_empty() { "" } else { ":" };
        match law {
            Some(law) => write!(f, "learner `{learner}{colon}{parameters}` breaks the law `{law}`: {found}"),
            None => write!(f, "learner `{learner}{colon}{parameters}` cannot be built: {found}"),
        }
    }
}

/// Holds every learner of a registry against every law, with default parameters and at the [`corners`] of their ranges.
pub fn check(registry: &Registry<Cpu>) -> Vec<Violation> {
    registry.entries().iter().flat_map(corners).flat_map(|p| check_learner(registry, &p)).collect()
}

/// Holds one learner with these parameters against every law.
///
/// One that cannot answer an ordinary episode is held against no other law.
pub fn check_learner(registry: &Registry<Cpu>, parameters: &Parameters) -> Vec<Violation> {
    let violation = |law, found| Violation {
        learner: parameters.learner().to_string(),
        parameters: parameters.to_string(),
        law,
        found,
    };
    let build = || registry.build(parameters);
    let learner: Learner<Cpu> = match build() {
        Ok(learner) => learner,
        Err(error) => return vec![violation(None, error.to_string())],
    };
    let subject = Subject::new(learner, &build);
    if let Err(found) = numbers::ordinary(&subject) {
        return vec![violation(Some(Law::Answers), found)];
    }
    let setting = subject.setting();
    // A map that was fitted on other classes is not asked to be right on these.
    let asked = |law: &Law| *law != Law::FarApart || !subject.knows_only_other_classes();
    let laws = Law::ALL.into_iter().filter(|law| law.binds(setting)).filter(asked);
    laws.filter_map(|law| Some(violation(Some(law), law.holds(&subject).err()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_has_its_own_law_of_company() {
        assert!(Law::QueryAlone.binds(Setting::Inductive) && !Law::QueryAlone.binds(Setting::Transductive));
        assert!(Law::QueryTogether.binds(Setting::Transductive) && Law::Noise.binds(Setting::Transductive));
    }

    #[test]
    fn a_violation_is_a_sentence() {
        let violation = Violation {
            learner: "ridge".to_string(),
            parameters: "alpha=1".to_string(),
            law: Some(Law::Padding),
            found: "score 3".to_string(),
        };
        let text = "learner `ridge:alpha=1` breaks the law `padding changes nothing`: score 3";
        assert_eq!(violation.to_string(), text);
    }
}
