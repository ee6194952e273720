//! Searched parameters that change nothing: a selection over them would choose at random and call it a choice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::corners::{corners, values};
use super::subject::{Sheet, Subject};
use super::toy::{Size, Toy};
use crate::learner::{Entry, Parameter};
use crate::tensor::Cpu;

/// Two settings of a searched parameter that answer alike, to the last bit, at every corner of the other parameters.
///
/// It is no failure: a learner may have a reason. Most often it has forgotten to read the parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike {
    /// The learner.
    pub learner: String,
    /// The searched parameter.
    pub parameter: String,
    /// The two values.
    pub values: [String; 2],
    /// The settings of the other parameters at which both were tried.
    pub corners: usize,
}

impl fmt::Display for Alike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Alike { learner, parameter, values: [one, other], corners } = self;
        write!(
            f,
            "learner `{learner}` answers alike with {parameter}={one} and {parameter}={other}, at each of {corners} settings \
             of its other parameters: does it read `{parameter}`?"
        )
    }
}

/// The pairs of settings of searched parameters that answer alike.
pub fn alike(entry: &Entry<Cpu>) -> Vec<Alike> {
    entry
        .parameters()
        .iter()
        .filter(|parameter| parameter.search.is_some())
        .flat_map(|p| of(entry, p))
        .collect()
}

/// The pairs of settings of one parameter.
fn of(entry: &Entry<Cpu>, parameter: &Parameter) -> Vec<Alike> {
    let mut tried = vec![parameter.default.clone()];
    tried.extend(values(parameter));
    let mut pairs: Vec<(usize, usize, usize)> =
        (0..tried.len()).flat_map(|one| (0..one).map(move |other| (other, one, 0))).collect();
    for context in contexts(entry, parameter.name) {
        if pairs.is_empty() {
            break;
        }
        let in_doubt = |place: usize| pairs.iter().any(|(one, other, _)| place == *one || place == *other);
        let answered: Vec<Option<Vec<Sheet>>> = tried
            .iter()
            .enumerate()
            .map(|(place, value)| in_doubt(place).then(|| answers(entry, &context, parameter.name, value))?)
            .collect();
        pairs.retain_mut(|(one, other, corners)| match (&answered[*one], &answered[*other]) {
            (Some(one), Some(other)) => {
                *corners += 1;
                one == other
            }
            // What the learner refuses says nothing.
            _ => true,
        });
    }
    let found = |(one, other, corners): (usize, usize, usize)| Alike {
        learner: entry.name().to_string(),
        parameter: parameter.name.to_string(),
        values: [tried[one].clone(), tried[other].clone()],
        corners,
    };
    pairs.into_iter().filter(|(_, _, corners)| *corners > 0).map(found).collect()
}

/// The corners of the other parameters, the defaults first.
fn contexts(entry: &Entry<Cpu>, parameter: &str) -> Vec<BTreeMap<String, String>> {
    let mut known = BTreeSet::new();
    let others = corners(entry).into_iter().map(|corner| {
        let mut pairs = corner.pairs();
        pairs.remove(parameter);
        pairs
    });
    others.filter(|pairs| known.insert(pairs.clone())).collect()
}

/// The scores of a setting on a few episodes; nothing where the learner refuses it or fails.
fn answers(
    entry: &Entry<Cpu>,
    context: &BTreeMap<String, String>,
    parameter: &str,
    value: &str,
) -> Option<Vec<Sheet>> {
    let mut given = context.clone();
    given.insert(parameter.to_string(), value.to_string());
    let parameters = entry.check(&given).ok()?.parameters;
    let build = || entry.build(&parameters);
    let subject = Subject::new(build().ok()?, &build);
    let shots: [&[usize]; 2] = [&[5; 5], &[1, 2, 3, 1, 2]];
    let toys =
        shots.iter().zip(0..).map(|(shots, number)| Toy::ordinary(number, Size { shots, query: 3, dim: 16 }));
    toys.map(|toy| subject.one(&toy).ok()).collect()
}
