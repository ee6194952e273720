//! What learners are called where a reader has to tell them apart and no more.

use std::collections::BTreeMap;

use crate::vocab::spec::Spec;

/// All parameters of a learner.
pub type Parameters = BTreeMap<String, String>;

/// A name per learner: with those parameters in which it differs from another learner of the same name.
pub fn display_names<'a>(
    learners: impl Iterator<Item = (&'a str, &'a Parameters)>,
) -> BTreeMap<(&'a str, &'a Parameters), String> {
    let learners: Vec<(&str, &Parameters)> = learners.collect();
    let mut by_name: BTreeMap<&str, Vec<&Parameters>> = BTreeMap::new();
    for (name, parameters) in &learners {
        let known = by_name.entry(*name).or_default();
        if !known.contains(parameters) {
            known.push(parameters);
        }
    }
    let mut names = BTreeMap::new();
    for (name, all) in by_name {
        for parameters in &all {
            let differing = |key: &String| all.iter().any(|other| other.get(key) != parameters.get(key));
            let mut shown = (*parameters).clone();
            shown.retain(|key, _| differing(key));
            names.insert((name, *parameters), Spec { name: name.to_string(), values: shown }.to_string());
        }
    }
    names
}

/// Whether a learner is the one that was asked for as `name` or `name:key=value,key=value`.
pub fn is_meant(asked: &str, name: &str, parameters: &Parameters) -> bool {
    asked.parse().is_ok_and(|asked: Spec| {
        asked.name == name && asked.values.iter().all(|(key, value)| parameters.get(key) == Some(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_parameters_that_tell_it_apart_and_no_more() {
        let parameters =
            |k: &str| Parameters::from([("k".into(), k.into()), ("transform".into(), "none".into())]);
        let (one, three) = (parameters("1"), parameters("3"));
        let names =
            display_names([("k-nn", &one), ("ridge", &one), ("k-nn", &three), ("k-nn", &one)].into_iter());
        assert_eq!(names.into_values().collect::<Vec<_>>(), ["k-nn:k=1", "k-nn:k=3", "ridge"]);
        assert!(is_meant("k-nn", "k-nn", &one) && is_meant("k-nn:k=3", "k-nn", &three));
        assert!(!is_meant("k-nn:k=3", "k-nn", &one) && !is_meant("k-nn:k", "k-nn", &one));
    }
}
