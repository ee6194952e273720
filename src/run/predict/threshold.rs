//! The confidence score below which an answer is refused, set on items whose classes are known.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::metric::QueryGrade;
use crate::vocab::UnknownWord;

/// On which items a threshold is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThresholdFrom {
    /// On items of the support that are left out, and on classes of it that are left out in turn.
    #[default]
    CrossValidation,
    /// On the validation classes of the support's feature set.
    Validation,
    /// Nowhere: the number itself.
    Number(f32),
    /// Nothing is refused.
    None,
}

impl FromStr for ThresholdFrom {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<ThresholdFrom, UnknownWord> {
        match text {
            "cross-validation" => Ok(ThresholdFrom::CrossValidation),
            "validation" => Ok(ThresholdFrom::Validation),
            "none" => Ok(ThresholdFrom::None),
            number => {
                let number = number.parse().ok().filter(|number: &f32| number.is_finite());
                number.map(ThresholdFrom::Number).ok_or_else(|| UnknownWord {
                    what: "threshold",
                    found: text.to_string(),
                    known: "`cross-validation`, `validation`, `none`, a number".to_string(),
                })
            }
        }
    }
}

impl fmt::Display for ThresholdFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ThresholdFrom::CrossValidation => f.write_str("cross-validation inside the support"),
            ThresholdFrom::Validation => f.write_str("validation classes"),
            ThresholdFrom::Number(_) => f.write_str("the request"),
            ThresholdFrom::None => f.write_str("nothing, so that nothing is refused"),
        }
    }
}

/// How a threshold is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdRule {
    /// On which items.
    pub from: ThresholdFrom,
    /// The share of items of known classes that it keeps, at least; without it, and where items of other classes are there, the
    /// mean of the share of known items that are kept and of others that are refused is made as large as it can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<f64>,
}

/// The share that is kept where there are no items of other classes to weigh it against.
const KEEP: f64 = 0.95;

/// A threshold, and how the items on which it was set fare with it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// The least confidence score with which an answer is accepted.
    pub value: f32,
    /// Items of known classes that were left out and answered.
    pub known: usize,
    /// The share of them that are given their class, whether it is accepted or not.
    pub accuracy: Option<f64>,
    /// The share of them that are accepted.
    pub kept: Option<f64>,
    /// Items of classes that were left out.
    pub unknown: usize,
    /// The share of them that are refused.
    pub refused: Option<f64>,
}

impl Threshold {
    /// A threshold that was given.
    pub(super) fn given(value: f32) -> Threshold {
        Threshold { value, known: 0, accuracy: None, kept: None, unknown: 0, refused: None }
    }

    /// The threshold for these answers; nothing where no item of a known class is among them.
    pub(super) fn of(queries: &[QueryGrade], keep: Option<f64>) -> Option<Threshold> {
        let side = |known: bool| {
            let own = queries.iter().filter(|query| query.label.is_some() == known);
            let mut scores: Vec<f32> = own.map(|query| query.confidence_score).collect();
            scores.sort_unstable_by(f32::total_cmp);
            scores
        };
        let (known, unknown) = (side(true), side(false));
        let value = match keep {
            Some(keep) => keeping(&known, keep)?,
            None if unknown.is_empty() => keeping(&known, KEEP)?,
            None => balanced(&known, &unknown)?,
        };
        let right = queries.iter().filter(|query| query.is_correct()).count();
        let below = |scores: &[f32]| scores.partition_point(|score| *score < value);
        let share = |part: usize, of: usize| (of > 0).then(|| part as f64 / of as f64);
        Some(Threshold {
            value,
            known: known.len(),
            accuracy: share(right, known.len()),
            kept: share(known.len() - below(&known), known.len()),
            unknown: unknown.len(),
            refused: share(below(&unknown), unknown.len()),
        })
    }
}

/// The largest score that at least this share of ascending scores reach.
fn keeping(known: &[f32], keep: f64) -> Option<f32> {
    let accepted = ((keep * known.len() as f64).ceil() as usize).clamp(1, known.len().max(1));
    known.get(known.len().checked_sub(accepted)?).copied()
}

/// Half-way between the two neighbouring scores between which the kept share of the ones and the refused share of the others have
/// the largest sum; of several such places the lowest.
fn balanced(known: &[f32], unknown: &[f32]) -> Option<f32> {
    let mut all: Vec<f32> = known.iter().chain(unknown).copied().collect();
    all.sort_unstable_by(f32::total_cmp);
    all.dedup();
    let below =
        |scores: &[f32], value: f32| scores.partition_point(|s| *s < value) as f64 / scores.len() as f64;
    let gain = |value: f32| below(unknown, value) - below(known, value);
    known.first()?;
    let mut best = (*all.first()?, 0.0);
    for two in all.windows(2) {
        let middle = two[0] / 2.0 + two[1] / 2.0;
        // Neighbours so near that there is no number between them.
        let value = if middle > two[0] { middle } else { two[1] };
        if gain(value) > best.1 {
            best = (value, gain(value));
        }
    }
    Some(best.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queries(known: &[f32], unknown: &[f32]) -> Vec<QueryGrade> {
        let of = |label: Option<u16>| {
            move |score: &f32| QueryGrade { label, predicted: 0, confidence: None, confidence_score: *score }
        };
        known.iter().map(of(Some(0))).chain(unknown.iter().map(of(None))).collect()
    }

    #[test]
    fn a_threshold_parts_known_from_unknown_half_way() {
        let found = Threshold::of(&queries(&[4.0, 3.0, 1.0], &[0.0, 2.0]), None).unwrap();
        assert_eq!((found.value, found.kept, found.refused), (2.5, Some(2.0 / 3.0), Some(1.0)));
        assert_eq!((found.known, found.unknown, found.accuracy), (3, 2, Some(1.0)));
        let apart = Threshold::of(&queries(&[4.0, 3.0], &[1.0]), None).unwrap();
        assert_eq!((apart.value, apart.kept, apart.refused), (2.0, Some(1.0), Some(1.0)));
        // Where refusing helps nobody, nothing is refused.
        let none = Threshold::of(&queries(&[1.0, 2.0], &[3.0]), None).unwrap();
        assert_eq!((none.kept, none.refused), (Some(1.0), Some(0.0)));
    }

    #[test]
    fn a_share_that_is_to_be_kept_is_kept() {
        let scores: Vec<f32> = (1..=40).map(|n| n as f32).collect();
        assert_eq!(Threshold::of(&queries(&scores, &[]), None).unwrap().value, 3.0);
        let half = Threshold::of(&queries(&scores, &[100.0]), Some(0.5)).unwrap();
        assert_eq!((half.value, half.kept, half.refused), (21.0, Some(0.5), Some(0.0)));
        assert_eq!(Threshold::of(&queries(&[], &[1.0]), None), None);
        assert_eq!(Threshold::of(&queries(&[], &[1.0]), Some(0.9)), None);
    }

    #[test]
    fn equal_scores_are_parted_from_their_neighbours_alone() {
        let tied = Threshold::of(&queries(&[1.0, 1.0], &[1.0, 1.0]), None).unwrap();
        assert_eq!((tied.value, tied.kept), (1.0, Some(1.0)));
        let next = f32::from_bits(1f32.to_bits() + 1);
        assert_eq!(Threshold::of(&queries(&[next], &[1.0]), None).unwrap().value, next);
    }

    #[test]
    fn a_threshold_is_asked_for_by_word_or_number() {
        assert_eq!("validation".parse(), Ok(ThresholdFrom::Validation));
        assert_eq!("-0.5".parse(), Ok(ThresholdFrom::Number(-0.5)));
        assert!("nan".parse::<ThresholdFrom>().is_err() && "high".parse::<ThresholdFrom>().is_err());
    }
}
