//! Parameters of learners: declared with a range and a default, given as text, checked once.

use std::collections::BTreeMap;
use std::fmt;

use super::{LearnError, Search};

/// What values a parameter may have.
#[derive(Clone, Debug, PartialEq)]
pub enum Range {
    /// Whole numbers, both ends included.
    Whole(u64, u64),
    /// Real numbers, both ends included.
    Real(f64, f64),
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Range::Whole(low, high) => write!(f, "a whole number from {low} to {high}"),
            Range::Real(low, high) => write!(f, "a number from {low} to {high}"),
            Range::Choice(words) => {
                let words: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
                write!(f, "one of {}", words.join(", "))
            }
        }
    }
}

impl Range {
    /// The value as it is written in results, when it is in the range.
    pub fn canonical(&self, text: &str) -> Option<String> {
        match self {
            Range::Whole(low, high) => {
                text.parse::<u64>().ok().filter(|v| (low..=high).contains(&v)).map(|v| v.to_string())
            }
            Range::Real(low, high) => {
                text.parse::<f64>().ok().filter(|v| (low..=high).contains(&v)).map(|v| v.to_string())
            }
            Range::Choice(words) => words.contains(&text).then(|| text.to_string()),
        }
    }
}

/// One parameter that a learner declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name in specifications and results.
    pub name: &'static str,
    /// What values it may have.
    pub range: Range,
    /// Its value when none is given.
    pub default: String,
    /// What it does, in a few words.
    pub meaning: &'static str,
    /// Where a selection looks for its value; nothing where it keeps the default.
    pub search: Option<Search>,
}

impl Parameter {
    /// A whole number.
    pub fn whole(name: &'static str, default: u64, low: u64, high: u64, meaning: &'static str) -> Parameter {
        Parameter {
            name,
            range: Range::Whole(low, high),
            default: default.to_string(),
            meaning,
            search: None,
        }
    }

    /// A real number.
    pub fn real(name: &'static str, default: f64, low: f64, high: f64, meaning: &'static str) -> Parameter {
        Parameter { name, range: Range::Real(low, high), default: default.to_string(), meaning, search: None }
    }

    /// One of some words, the first of which is the default.
    pub fn choice(name: &'static str, words: &'static [&'static str], meaning: &'static str) -> Parameter {
        let default = words.first().copied().unwrap_or_default().to_string();
        Parameter { name, range: Range::Choice(words), default, meaning, search: None }
    }

    /// The same with another default.
    pub fn default(self, default: &str) -> Parameter {
        Parameter { default: default.to_string(), ..self }
    }
}

/// All parameters of a learner, each in its range.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Parameters {
    learner: String,
    values: BTreeMap<&'static str, String>,
}

impl Parameters {
    /// The declared parameters with the `given` values in place of defaults.
    ///
    /// # Errors
    /// When a name is not declared or a value is out of its range.
    pub fn check(
        learner: &str,
        declared: &[Parameter],
        given: &BTreeMap<String, String>,
    ) -> Result<Parameters, LearnError> {
        for name in given.keys() {
            if !declared.iter().any(|p| p.name == name) {
                let known: Vec<String> = declared.iter().map(|p| format!("`{}`", p.name)).collect();
                let known = if known.is_empty() { "none".to_string() } else { known.join(", ") };
                return Err(LearnError::UnknownParameter {
                    learner: learner.to_string(),
                    name: name.clone(),
                    known,
                });
            }
        }
        let mut values = BTreeMap::new();
        for parameter in declared {
            let text = given.get(parameter.name).unwrap_or(&parameter.default);
            let value = parameter.range.canonical(text).ok_or_else(|| LearnError::BadValue {
                learner: learner.to_string(),
                name: parameter.name.to_string(),
                rule: parameter.range.to_string(),
                found: text.clone(),
            })?;
            values.insert(parameter.name, value);
        }
        Ok(Parameters { learner: learner.to_string(), values })
    }

    /// The learner whose parameters these are.
    pub fn learner(&self) -> &str {
        &self.learner
    }

    /// All of them, by name.
    pub fn pairs(&self) -> BTreeMap<String, String> {
        self.values.iter().map(|(name, value)| (name.to_string(), value.clone())).collect()
    }

    /// The text of a parameter; empty for one that is not declared.
    pub fn word(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// A whole number; 0 for one that is not declared.
    pub fn whole(&self, name: &str) -> usize {
        self.word(name).parse().unwrap_or(0)
    }

    /// A real number; 0 for one that is not declared.
    pub fn real(&self, name: &str) -> f64 {
        self.word(name).parse().unwrap_or(0.0)
    }

    /// The error of parameters that do not go together.
    pub fn conflict(&self, problem: impl Into<String>) -> LearnError {
        LearnError::Conflict { learner: self.learner.clone(), problem: problem.into() }
    }
}

impl fmt::Display for Parameters {
    /// All of them, sorted by name, `key=value` joined by commas, as in the column `parameters` of results.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, value)) in self.values.iter().enumerate() {
            write!(f, "{}{name}={value}", if place == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &[(&str, &str)]) -> Result<Parameters, LearnError> {
        let declared = [
            Parameter::real("c", 1.0, 1e-6, 1e6, "inverse penalty"),
            Parameter::choice("transform", &["l2n", "none"], "transform"),
        ];
        let given = given.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        Parameters::check("probe", &declared, &given)
    }

    #[test]
    fn values_are_written_in_one_way() {
        assert_eq!(check(&[("c", "1e1")]).unwrap().to_string(), "c=10,transform=l2n");
        assert_eq!(check(&[]).unwrap().to_string(), "c=1,transform=l2n");
    }

    #[test]
    fn what_is_not_declared_or_out_of_range_is_refused() {
        let unknown = check(&[("C", "1")]).unwrap_err().to_string();
        assert_eq!(unknown, "learner `probe` has no parameter `C`, expected one of `c`, `transform`");
        let range = check(&[("c", "nan")]).unwrap_err().to_string();
        assert_eq!(range, "parameter `c` of `probe` must be a number from 0.000001 to 1000000, got `nan`");
        assert!(check(&[("transform", "pca")]).is_err());
    }
}
