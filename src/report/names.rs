//! What methods are called where a reader has to tell them apart and no more.

use std::collections::{BTreeMap, BTreeSet};

use crate::vocab::did_you_mean;
use crate::vocab::spec::{Spec, values_text};

/// All parameters of a learner.
pub type Parameters = BTreeMap<String, String>;

/// A method and its name: what the user called it, or features and learner with as many parameters as tell it from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// The name, which no other method has.
    pub name: String,
    /// What the user called it.
    pub label: Option<String>,
    /// The name of its feature set.
    pub features: String,
    /// The name of its learner.
    pub learner: String,
    /// The parameters of its learner.
    pub parameters: Parameters,
    /// The results that it is from.
    pub origin: String,
}

/// Gives every method its name.
pub(super) fn tell_apart(methods: &mut [Named]) {
    let mut alike: BTreeMap<(String, String), Vec<Parameters>> = BTreeMap::new();
    for method in methods.iter().filter(|method| method.label.is_none()) {
        let of_name = alike.entry((method.features.clone(), method.learner.clone())).or_default();
        of_name.push(method.parameters.clone());
    }
    for method in methods.iter_mut() {
        method.name = match &method.label {
            Some(label) => label.clone(),
            None => {
                let all = &alike[&(method.features.clone(), method.learner.clone())];
                format!("{}+{}{}", method.features, method.learner, differing(&method.parameters, all))
            }
        };
    }
    // Feature sets of one name and different content are told apart by the results that they are from, then by number.
    let renamed: [fn(&Named, usize) -> String; 2] = [
        |method, _| format!("{} in {}", method.name, method.origin),
        |method, number| format!("{} ({number})", method.name),
    ];
    for rename in renamed {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        methods.iter().for_each(|method| *seen.entry(method.name.clone()).or_default() += 1);
        let mut number = 0;
        for method in methods.iter_mut().filter(|method| seen[&method.name] > 1) {
            number += 1;
            method.name = rename(method, number);
        }
    }
}

/// The parameters in which a learner differs from others of its name, as the end of a specification.
fn differing(parameters: &Parameters, all: &[Parameters]) -> String {
    let shown: Parameters = parameters
        .iter()
        .filter(|(key, value)| all.iter().any(|other| other.get(*key) != Some(value)))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if shown.is_empty() { String::new() } else { format!(":{}", values_text(&shown)) }
}

/// The same parameters without the learner's seed.
pub(super) fn seedless(parameters: &Parameters) -> Parameters {
    let others = parameters.iter().filter(|(key, _)| *key != "seed");
    others.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The name of a method without the learner's seed.
pub(super) fn without_seed(name: &str) -> String {
    let Ok(mut spec) = name.parse::<Spec>() else { return name.to_string() };
    if spec.values.remove("seed").is_some() { spec.to_string() } else { name.to_string() }
}

/// Why a method was not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotFound {
    /// None is called so: the names that there are, and the line of a hint or nothing.
    None { known: String, hint: String },
    /// It fits several.
    Several { known: String },
}

/// The place of the method that is meant by its name, by its column `method`, by `FEATURES+LEARNER`, or by a learner alone
/// where only one method fits. A learner may be written with parameters, `name:key=value,key=value`.
pub(super) fn find(asked: &str, methods: &[Named]) -> Result<usize, NotFound> {
    let by_features = asked.split_once('+');
    let ways: [&dyn Fn(&Named) -> bool; 3] = [
        &|method| method.name == asked,
        &|method| {
            by_features.is_some_and(|(features, learner)| {
                method.features == features && is_meant(learner, &method.learner, &method.parameters)
            })
        },
        &|method| {
            let label = method.label.as_deref().and_then(|label| label.split_once('+'));
            label.is_some_and(|(_, label)| label == asked)
                || is_meant(asked, &method.learner, &method.parameters)
        },
    ];
    for way in ways {
        let fit: Vec<usize> = (0..methods.len()).filter(|place| way(&methods[*place])).collect();
        match fit.as_slice() {
            [] => {}
            [one] => return Ok(*one),
            several => {
                let known = several.iter().map(|place| methods[*place].name.as_str()).collect::<Vec<_>>();
                return Err(NotFound::Several { known: known.join(", ") });
            }
        }
    }
    let known: Vec<&str> = methods.iter().map(|method| method.name.as_str()).collect();
    let learners: BTreeSet<&str> = methods.iter().map(|method| method.learner.as_str()).collect();
    let hint = did_you_mean(asked, known.iter().copied().chain(learners));
    Err(NotFound::None { known: known.join(", "), hint })
}

/// Whether a learner is the one that was asked for as `name` or `name:key=value,key=value`.
pub fn is_meant(asked: &str, name: &str, parameters: &Parameters) -> bool {
    let Ok(Spec { name: asked, values }) = asked.parse::<Spec>() else { return false };
    asked == name && values.iter().all(|(key, value)| parameters.get(key) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(label: Option<&str>, features: &str, learner: &str, k: &str) -> Named {
        let parameters = [("k", k), ("transform", "none")].map(|(key, value)| (key.into(), value.into()));
        Named {
            name: String::new(),
            label: label.map(String::from),
            features: features.into(),
            learner: learner.into(),
            parameters: parameters.into(),
            origin: format!("run-{k}"),
        }
    }

    fn named(mut methods: Vec<Named>) -> Vec<Named> {
        tell_apart(&mut methods);
        methods
    }

    #[test]
    fn a_name_has_the_parameters_that_tell_it_apart_and_no_more() {
        let methods = named(vec![
            method(None, "pixels", "k-nn", "1"),
            method(None, "pixels", "ridge", "1"),
            method(None, "pixels", "k-nn", "3"),
            method(None, "conv4", "k-nn", "3"),
            method(Some("mine"), "conv4", "k-nn", "3"),
        ]);
        let names: Vec<&str> = methods.iter().map(|method| method.name.as_str()).collect();
        assert_eq!(names, ["pixels+k-nn:k=1", "pixels+ridge", "pixels+k-nn:k=3", "conv4+k-nn", "mine"]);
    }

    #[test]
    fn feature_sets_of_one_name_are_told_apart_by_their_results() {
        let mut methods = vec![method(None, "f", "ridge", "1"), method(None, "f", "ridge", "1")];
        methods[1].origin = "other".to_string();
        tell_apart(&mut methods);
        assert_eq!([&methods[0].name, &methods[1].name], ["f+ridge in run-1", "f+ridge in other"]);
        methods[1].origin = "run-1".to_string();
        tell_apart(&mut methods);
        assert_eq!([&methods[0].name, &methods[1].name], ["f+ridge in run-1 (1)", "f+ridge in run-1 (2)"]);
    }

    #[test]
    fn a_method_is_found_by_name_features_and_learner_or_a_learner_that_is_alone() {
        let methods = named(vec![
            method(None, "pixels", "k-nn", "1"),
            method(None, "pixels", "k-nn", "3"),
            method(None, "conv4", "ridge", "1"),
            method(Some("conv4+Mine++"), "conv4", "k-nn", "9"),
        ]);
        for (asked, place) in [
            ("pixels+k-nn:k=3", 1),
            ("k-nn:k=1", 0),
            ("k-nn:k=1,transform=none", 0),
            ("ridge", 2),
            ("conv4+ridge", 2),
            ("conv4+k-nn", 3),
            ("conv4+Mine++", 3),
            ("Mine++", 3),
        ] {
            assert_eq!(find(asked, &methods), Ok(place), "{asked}");
        }
        let several = |known: &str| Err(NotFound::Several { known: known.to_string() });
        assert_eq!(find("pixels+k-nn", &methods), several("pixels+k-nn:k=1, pixels+k-nn:k=3"));
        assert_eq!(find("k-nn", &methods), several("pixels+k-nn:k=1, pixels+k-nn:k=3, conv4+Mine++"));
        let Err(NotFound::None { hint, .. }) = find("conv4+rigde", &methods) else { panic!("it is there") };
        assert_eq!(hint, "\nhint: did you mean `conv4+ridge`?");
        let Err(NotFound::None { hint, known }) = find("best", &methods) else { panic!("it is there") };
        assert_eq!((hint.as_str(), known.matches(", ").count()), ("", 3));
    }

    #[test]
    fn a_specification_fits_where_all_that_it_names_agrees() {
        let of = method(None, "f", "k-nn", "1");
        let fits = |asked: &str| is_meant(asked, &of.learner, &of.parameters);
        assert!(fits("k-nn") && fits("k-nn:k=1") && !fits("k-nn:k=3") && !fits("k-nn:k") && !fits("ridge"));
    }
}
