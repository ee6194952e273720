//! The search space of one learner: what it declares, and what the user puts in its place.

use std::collections::BTreeMap;

use super::SelectError;
use crate::learner::{Entry, Parameter, Range, Scale, Search};
use crate::tensor::Backend;

/// What a user wrote for a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Typed {
    /// One value: not searched.
    Fixed(String),
    /// These values.
    Values(Vec<String>),
    /// Numbers between two ends; without a scale on the declared one, else on a log scale where both ends are above 0.
    Span {
        /// The lower end.
        low: f64,
        /// The upper end.
        high: f64,
        /// How they spread.
        scale: Option<Scale>,
    },
}

impl Typed {
    /// Reads `value`, `low..high` or `one|another`.
    pub fn parse(text: &str) -> Typed {
        let ends =
            text.split_once("..").and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?)));
        match ends {
            Some((low, high)) => Typed::Span { low, high, scale: None },
            None if text.contains('|') => Typed::Values(text.split('|').map(str::to_string).collect()),
            None => Typed::Fixed(text.to_string()),
        }
    }
}

/// A parameter that is searched.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Its name.
    pub name: &'static str,
    /// The values that the learner takes.
    pub range: Range,
    /// Those among which is chosen.
    pub search: Search,
}

/// The search space of one learner, every value of which is in its range.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    pub(super) learner: &'static str,
    pub(super) fixed: BTreeMap<String, String>,
    pub(super) axes: Vec<Axis>,
}

impl Space {
    /// The declared space of a learner, with what was typed in place of it.
    ///
    /// # Errors
    /// A parameter that the learner does not have, a value out of its range, ends that are no range.
    pub fn new<D: Backend>(entry: &Entry<D>, typed: &BTreeMap<String, Typed>) -> Result<Space, SelectError> {
        let typed = entry.signature().canonical(typed)?;
        let fixed: BTreeMap<String, String> = typed
            .iter()
            .filter_map(|(name, typed)| match typed {
                Typed::Fixed(value) => Some((name.clone(), value.clone())),
                _ => None,
            })
            .collect();
        let base = entry.check(&fixed)?;
        let by_preset = entry.signature().preset_values(&fixed);
        let mut axes = Vec::new();
        for parameter in entry.parameters() {
            let preset = by_preset.contains_key(parameter.name);
            let search = match typed.get(parameter.name) {
                Some(Typed::Fixed(_)) => None,
                Some(typed) => Some(searched(base.learner(), parameter, typed)?),
                None if preset => None,
                None => parameter.search.clone(),
            };
            if let Some(search) = search {
                axes.push(Axis { name: parameter.name, range: parameter.range.clone(), search });
            }
        }
        Ok(Space { learner: entry.name(), fixed, axes })
    }

    /// The learner.
    pub fn learner(&self) -> &'static str {
        self.learner
    }

    /// The parameters that are searched, in the order of declaration: another name for one changes no trial.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }
}

/// The search of a parameter as typed.
fn searched(learner: &str, parameter: &Parameter, typed: &Typed) -> Result<Search, SelectError> {
    let bad = |problem: String| SelectError::Space { learner: learner.to_string(), problem };
    let (name, range) = (parameter.name, &parameter.range);
    let canonical = |text: &str| {
        range.canonical(text).ok_or_else(|| bad(format!("`{name}` must be {range}, got `{text}`")))
    };
    match typed {
        Typed::Fixed(value) => Ok(Search::Values(vec![canonical(value)?])),
        Typed::Values(values) => {
            let values = values.iter().map(|v| canonical(v)).collect::<Result<Vec<_>, _>>()?;
            if values.is_empty() {
                return Err(bad(format!("`{name}` needs a value or more, got none")));
            }
            Ok(Search::Values(values))
        }
        Typed::Span { low, high, scale } => {
            if let Range::Choice(_) = range {
                return Err(bad(format!("`{name}` must be {range}, got the range {low}..{high}")));
            }
            canonical(&low.to_string())?;
            canonical(&high.to_string())?;
            if low > high {
                return Err(bad(format!(
                    "`{name}` must rise from its first end to its second, got {low}..{high}"
                )));
            }
            let declared = match &parameter.search {
                Some(Search::Span { scale, .. }) if *scale == Scale::Linear || *low > 0.0 => Some(*scale),
                _ => None,
            };
            let natural = if *low > 0.0 { Scale::Log } else { Scale::Linear };
            let scale = scale.or(declared).unwrap_or(natural);
            if scale == Scale::Log && *low <= 0.0 {
                return Err(bad(format!("`{name}` must be above 0 on a log scale, got {low}..{high}")));
            }
            Ok(Search::Span { scale, low: *low, high: *high })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learner::Learners;

    pub(in crate::select) fn space(spec: &str) -> Result<Space, SelectError> {
        let learners = Learners::shipped();
        let registry = learners.cpu();
        let (entry, given) = registry.read(spec)?;
        Space::new(entry, &given.iter().map(|(k, v)| (k.clone(), Typed::parse(v))).collect())
    }

    #[test]
    fn what_is_typed_takes_the_place_of_what_is_declared() {
        let names = |spec| space(spec).unwrap().axes().iter().map(|a| a.name).collect::<Vec<_>>();
        assert_eq!(names("linear-probe"), ["c", "transform"]);
        assert_eq!(names("linear-probe:transform=none"), ["c"]);
        assert_eq!(names("matching:temperature=3"), [""; 0]);
        let space = space("linear-probe:c=1..10,transform=none|l2n").unwrap();
        assert_eq!(space.axes()[0].search, Search::Span { scale: Scale::Log, low: 1.0, high: 10.0 });
        assert_eq!(space.axes()[1].search, Search::Values(vec!["none".into(), "l2n".into()]));
    }

    #[test]
    fn a_preset_is_not_searched_over() {
        let space = space("fine-tune:preset=closer-look").unwrap();
        assert_eq!(space.axes().iter().map(|a| a.name).collect::<Vec<_>>(), [""; 0]);
    }

    #[test]
    fn a_space_that_the_learner_cannot_take_is_refused() {
        let message = |spec| space(spec).unwrap_err().to_string();
        assert!(message("ridge:beta=1..2").starts_with("learner `ridge` has no parameter `beta`"));
        let start = "search space of `ridge`: `alpha` must";
        assert!(message("ridge:alpha=0..2").starts_with(&format!("{start} be a number from 0.000001")));
        assert!(message("ridge:alpha=2..1").starts_with(&format!("{start} rise")));
        assert!(message("ridge:transform=1..2").contains("got the range 1..2"));
        assert!(message("ridge:transform=l2n|pca").contains("got `pca`"));
    }
}
