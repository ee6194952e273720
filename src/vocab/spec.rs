//! Specifications: how anything with parameters is written, a learner or a backbone: `name:key=value,key=value`.
//!
//! A value runs to the next comma at top level. A value that has such a comma stands in parentheses, which are not part of
//! it: `stacked:inner=(k-nn:k=5),outer=(mlp:hidden=128)`. In front there may be a label of the user's own:
//! `Baseline++=fine-tune:head=cosine`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A name with the values that were given for its parameters.
///
/// ```
/// use kshot::vocab::spec::Spec;
///
/// let spec: Spec = "stacked:inner=(k-nn:k=5,distance=cosine),folds=3".parse()?;
/// assert_eq!((spec.name.as_str(), spec.values["inner"].as_str()), ("stacked", "k-nn:k=5,distance=cosine"));
/// assert_eq!(spec.to_string(), "stacked:folds=3,inner=(k-nn:k=5,distance=cosine)");
/// # Ok::<(), kshot::vocab::spec::SpecError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spec {
    /// What is specified, as it was written; may be an alias.
    pub name: String,
    /// The values as they were written, by the name of the parameter.
    pub values: BTreeMap<String, String>,
}

/// Why a text is no specification.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// Nothing stands before the colon.
    #[error("no name is given")]
    NoName,
    /// A piece between two commas without a value.
    #[error("`{piece}` is not of the form key=value")]
    NotAPair {
        /// The piece as written.
        piece: String,
    },
    /// The same parameter twice.
    #[error("`{key}` is given twice")]
    Twice {
        /// Its name.
        key: String,
    },
    /// A parenthesis that is never closed, or was never opened.
    #[error("`{piece}` has a parenthesis without its other half")]
    Unbalanced {
        /// The text from there on.
        piece: String,
    },
}

impl FromStr for Spec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Spec, SpecError> {
        let (name, rest) = text.split_once(':').map_or((text, None), |(name, rest)| (name, Some(rest)));
        if name.is_empty() {
            return Err(SpecError::NoName);
        }
        let values = rest.map_or(Ok(BTreeMap::new()), parse_values)?;
        Ok(Spec { name: name.to_string(), values })
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.values.is_empty() { Ok(()) } else { write!(f, ":{}", values_text(&self.values)) }
    }
}

/// A label and the text behind it, where the text begins with one: letters, digits and `_.+-` before an `=` that comes
/// before any `:` or `/`.
///
/// ```
/// use kshot::vocab::spec::labelled;
/// assert_eq!(labelled("Baseline++=fine-tune:head=cosine"), (Some("Baseline++"), "fine-tune:head=cosine"));
/// assert_eq!(labelled("fine-tune:head=cosine"), (None, "fine-tune:head=cosine"));
/// assert_eq!(labelled("data/a=b.npz"), (None, "data/a=b.npz"));
/// ```
pub fn labelled(text: &str) -> (Option<&str>, &str) {
    let is_label = |label: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_.+-".contains(c);
        !label.is_empty() && label.chars().all(allowed)
    };
    match text.split_once('=') {
        Some((label, rest)) if is_label(label) => (Some(label), rest),
        _ => (None, text),
    }
}

/// Reads `key=value,key=value`; an empty text has no values.
///
/// # Errors
/// A piece that is no pair, a key given twice, a parenthesis without its other half.
pub fn parse_values(text: &str) -> Result<BTreeMap<String, String>, SpecError> {
    let mut values = BTreeMap::new();
    if text.is_empty() {
        return Ok(values);
    }
    for piece in pieces(text)? {
        let (key, value) =
            piece.split_once('=').ok_or_else(|| SpecError::NotAPair { piece: piece.to_string() })?;
        let value = if is_enclosed(value) { &value[1..value.len() - 1] } else { value };
        if values.insert(key.to_string(), value.to_string()).is_some() {
            return Err(SpecError::Twice { key: key.to_string() });
        }
    }
    Ok(values)
}

/// Writes `key=value,key=value`, sorted by key, as [`parse_values`] reads it.
pub fn values_text<K: AsRef<str>, V: AsRef<str>>(values: &BTreeMap<K, V>) -> String {
    let pair = |(key, value): (&K, &V)| {
        let (key, value) = (key.as_ref(), value.as_ref());
        if needs_parentheses(value) { format!("{key}=({value})") } else { format!("{key}={value}") }
    };
    values.iter().map(pair).collect::<Vec<_>>().join(",")
}

/// The text between commas that stand in no parentheses.
fn pieces(text: &str) -> Result<Vec<&str>, SpecError> {
    let unbalanced = |place: usize| SpecError::Unbalanced { piece: text[place..].to_string() };
    let (mut pieces, mut start, mut open) = (Vec::new(), 0, Vec::new());
    for (place, c) in text.char_indices() {
        match c {
            '(' => open.push(place),
            ')' => {
                open.pop().ok_or_else(|| unbalanced(place))?;
            }
            ',' if open.is_empty() => {
                pieces.push(&text[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    match open.first() {
        Some(place) => Err(unbalanced(*place)),
        None => {
            pieces.push(&text[start..]);
            Ok(pieces)
        }
    }
}

/// Whether a text is one pair of parentheses with something in it.
fn is_enclosed(value: &str) -> bool {
    let mut depth = 0usize;
    let closes = |(place, c): (usize, char)| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        (depth == 0).then_some(place)
    };
    value.starts_with('(') && value.char_indices().find_map(closes) == Some(value.len() - 1)
}

/// Whether a value would be read back as another one without parentheses.
fn needs_parentheses(value: &str) -> bool {
    is_enclosed(value) || pieces(value).is_ok_and(|pieces| pieces.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(String, String)> {
        text.parse::<Spec>().unwrap().values.into_iter().collect()
    }

    fn message(text: &str) -> String {
        text.parse::<Spec>().unwrap_err().to_string()
    }

    #[test]
    fn a_value_runs_to_the_next_comma_at_top_level() {
        assert_eq!(values("x:init=random:1"), [("init".into(), "random:1".into())]);
        assert_eq!(values("x:a=f(1,2),b=3"), [("a".into(), "f(1,2)".into()), ("b".into(), "3".into())]);
        assert_eq!(values("x:path=/a=b:c"), [("path".into(), "/a=b:c".into())]);
        assert_eq!(values("x"), []);
        assert_eq!(values("x:"), []);
    }

    #[test]
    fn nested_specifications_read_back_as_they_were_written() {
        let text = "stacked:inner=(bagged:of=(k-nn:k=5,distance=cosine),times=3),outer=mlp:hidden=128";
        let spec: Spec = text.parse().unwrap();
        assert_eq!(spec.values["inner"], "bagged:of=(k-nn:k=5,distance=cosine),times=3");
        assert_eq!(spec.to_string(), text);
        let inner: Spec = spec.values["inner"].parse().unwrap();
        assert_eq!(inner.values["of"], "k-nn:k=5,distance=cosine");
    }

    #[test]
    fn parentheses_that_belong_to_a_value_are_kept() {
        for value in ["(a,b)", "((a))", "(a)(b)", "a,(b)", "(a),b", "()"] {
            let written = Spec { name: "x".into(), values: [("v".to_string(), value.to_string())].into() };
            assert_eq!(written.to_string().parse::<Spec>().as_ref(), Ok(&written), "{written}");
        }
    }

    #[test]
    fn what_is_no_specification_says_why() {
        assert_eq!(message("ridge:alpha"), "`alpha` is not of the form key=value");
        assert_eq!(message("ridge:alpha=1,alpha=2"), "`alpha` is given twice");
        assert_eq!(message("x:a=(b,c"), "`(b,c` has a parenthesis without its other half");
        assert_eq!(message("x:a=b),c=1"), "`),c=1` has a parenthesis without its other half");
        assert_eq!(message(":a=1"), "no name is given");
    }

    #[test]
    fn a_label_stands_before_any_colon_or_slash() {
        assert_eq!(labelled("my.net_2=conv4:weights=a"), (Some("my.net_2"), "conv4:weights=a"));
        for plain in ["conv4:weights=a", "./a=b", "a b=c", "=c", "features"] {
            assert_eq!(labelled(plain), (None, plain), "{plain}");
        }
    }
}
