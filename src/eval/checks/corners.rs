//! The parameters at which a learner is examined: its defaults, and each parameter once away from its default.

use std::collections::BTreeMap;

use crate::learner::{Entry, Parameter, Parameters, Range};
use crate::tensor::Cpu;

/// The default parameters, every word of every choice, and for each number one value below its default and one above.
///
/// A word that the learner refuses beside its other defaults is tried beside every word of its other choices.
pub fn corners(entry: &Entry<Cpu>) -> Vec<Parameters> {
    let mut all: Vec<Parameters> = checked(entry, &BTreeMap::new()).into_iter().collect();
    for parameter in entry.parameters() {
        for value in values(parameter) {
            let first = given(&[(parameter.name, &value)]);
            let beside = entry.parameters().iter().filter(|other| other.name != parameter.name);
            let pairs = beside.flat_map(|other| {
                words(other).iter().map(|word| given(&[(parameter.name, &value), (other.name, word)]))
            });
            let found = std::iter::once(first).chain(pairs).find_map(|given| checked(entry, &given));
            all.extend(found.into_iter().filter(|found| !all.contains(found)).collect::<Vec<_>>());
        }
    }
    all
}

fn checked(entry: &Entry<Cpu>, given: &BTreeMap<String, String>) -> Option<Parameters> {
    entry.check(given).ok().map(|checked| checked.parameters)
}

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn words(parameter: &Parameter) -> &[&'static str] {
    match &parameter.range {
        Range::Choice(words) => words,
        Range::Whole(..) | Range::Real(..) | Range::Learner => &[],
    }
}

/// The values away from the default: all words, or a tenth and the tenfold; where the default is 0, one small number.
pub(super) fn values(parameter: &Parameter) -> Vec<String> {
    let default = &parameter.default;
    let other = |value: String| if value == *default { None } else { Some(value) };
    match &parameter.range {
        Range::Choice(words) => words.iter().filter_map(|word| other(word.to_string())).collect(),
        Range::Whole(low, high) => {
            let default: u64 = default.parse().unwrap_or(*low);
            let values = if default == 0 { vec![3] } else { vec![default / 10, default * 10] };
            values.into_iter().filter_map(|v| other(v.clamp(*low, *high).to_string())).collect()
        }
        Range::Real(low, high) => {
            let default: f64 = default.parse().unwrap_or(*low);
            let values = if default == 0.0 { vec![0.5] } else { vec![default / 10.0, default * 10.0] };
            values.into_iter().filter_map(|v| other(v.clamp(*low, *high).to_string())).collect()
        }
        Range::Learner => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learner::Learners;

    fn of(name: &str) -> Vec<String> {
        corners(Learners::shipped().cpu().entry(name).unwrap()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn corners_leave_the_default_one_parameter_at_a_time() {
        assert_eq!(of("k-nn"), ["distance=euclidean,k=1", "distance=cosine,k=1", "distance=euclidean,k=10"]);
        assert_eq!(
            of("ridge"),
            [
                "alpha=1,transform=l2n",
                "alpha=0.1,transform=l2n",
                "alpha=10,transform=l2n",
                "alpha=1,transform=none",
                "alpha=1,transform=cl2n"
            ]
        );
    }

    #[test]
    fn a_word_that_needs_another_is_tried_beside_it() {
        assert!(of("fine-tune").iter().any(|p| p.contains("head=cosine,init=prototype")));
        assert!(of("fine-tune").iter().any(|p| p.contains("preset=closer-look")));
    }
}
