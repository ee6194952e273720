//! Search spaces as TOML: one table per learner, one key per parameter.
//!
//! ```toml
//! [linear-probe]
//! c = { low = 0.01, high = 1000, scale = "log" }   # or "0.01..1000"
//! transform = ["none", "l2n"]                      # or "none|l2n"
//!
//! [k-nn]
//! k = 3                                            # fixed
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::Value;

use super::{SelectError, Typed};
use crate::learner::Scale;

/// What was typed for each parameter of each learner.
pub type Spaces = BTreeMap<String, BTreeMap<String, Typed>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSpan {
    low: Value,
    high: Value,
    scale: Option<WrittenScale>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrittenScale {
    Linear,
    Log,
}

/// Reads a file of search spaces; whether the learners have such parameters is asked later.
///
/// # Errors
/// A file that cannot be read or is no TOML, or a value that is no search space.
pub fn read_spaces(path: &Path) -> Result<Spaces, SelectError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SelectError::Unreadable { path: path.to_path_buf(), source })?;
    parse(&text).map_err(|message| SelectError::SpaceFile { path: path.to_path_buf(), message })
}

fn parse(text: &str) -> Result<Spaces, String> {
    let written: BTreeMap<String, BTreeMap<String, Value>> =
        toml::from_str(text).map_err(|error| error.to_string().trim_end().to_string())?;
    let of_learner = |(learner, parameters): (String, BTreeMap<String, Value>)| {
        let of_parameter = |(name, value): (String, Value)| {
            let typed = typed(value).map_err(|rule| format!("`{name}` of [{learner}] must be {rule}"))?;
            Ok((name, typed))
        };
        let typed = parameters.into_iter().map(of_parameter).collect::<Result<_, String>>()?;
        Ok((learner, typed))
    };
    written.into_iter().map(of_learner).collect()
}

fn typed(value: Value) -> Result<Typed, &'static str> {
    const RULE: &str = "a value, a list of values, or { low, high } with scale = \"linear\" or \"log\"";
    match value {
        Value::String(text) => Ok(Typed::parse(&text)),
        Value::Array(values) => {
            let words: Option<Vec<String>> = values.iter().map(word).collect();
            words.map(Typed::Values).ok_or(RULE)
        }
        Value::Table(_) => {
            let span: WrittenSpan = value.try_into().map_err(|_| RULE)?;
            let scale = span.scale.map(|scale| match scale {
                WrittenScale::Linear => Scale::Linear,
                WrittenScale::Log => Scale::Log,
            });
            let end = |value: &Value| word(value)?.parse().ok();
            let (low, high) = (end(&span.low).ok_or(RULE)?, end(&span.high).ok_or(RULE)?);
            Ok(Typed::Span { low, high, scale })
        }
        one => word(&one).map(Typed::Fixed).ok_or(RULE),
    }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_space_is_read() {
        let text = "[ridge]\nalpha = { low = 1, high = 10.5, scale = \"log\" }\ntransform = [\"none\", \"l2n\"]\n\
                    [k-nn]\nk = 3\n[svm]\nc = \"1..9\"\n";
        let spaces = parse(text).unwrap();
        let span = Typed::Span { low: 1.0, high: 10.5, scale: Some(Scale::Log) };
        assert_eq!(spaces["ridge"]["alpha"], span);
        assert_eq!(spaces["ridge"]["transform"], Typed::Values(vec!["none".into(), "l2n".into()]));
        assert_eq!(spaces["k-nn"]["k"], Typed::Fixed("3".into()));
        assert_eq!(spaces["svm"]["c"], Typed::Span { low: 1.0, high: 9.0, scale: None });
    }

    #[test]
    fn what_is_no_space_is_refused_with_its_name() {
        let error = parse("[ridge]\nalpha = { low = 1 }\n").unwrap_err();
        assert!(error.starts_with("`alpha` of [ridge] must be a value"), "{error}");
        assert!(parse("[ridge]\nalpha = [[1]]\n").is_err() && parse("ridge").is_err());
    }
}
