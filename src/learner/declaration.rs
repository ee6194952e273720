//! Parameters as learners declare them: a name, a range, a default, and the type of the value.

use std::fmt;

use super::Search;
use crate::vocab::spec::Spec;

/// What values a parameter may have.
#[derive(Clone, Debug, PartialEq)]
pub enum Range {
    /// Whole numbers, both ends included.
    Whole(u64, u64),
    /// Real numbers, both ends included.
    Real(f64, f64),
    /// One of these words.
    Choice(Vec<&'static str>),
    /// A learner, `name` or `(name:key=value,…)`.
    Learner,
}

/// A value in its range.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Whole(usize),
    Real(f64),
    /// The place of a word among those of the range.
    Word(usize),
    /// A specification.
    Spec(String),
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
            Range::Learner => f.write_str("a learner, `name` or `(name:key=value,…)`"),
        }
    }
}

impl Range {
    /// The value of a text, when it is in the range.
    pub(super) fn parse(&self, text: &str) -> Option<Value> {
        match self {
            Range::Whole(low, high) => {
                let whole = text.parse::<u64>().ok().filter(|v| (low..=high).contains(&v))?;
                usize::try_from(whole).ok().map(Value::Whole)
            }
            Range::Real(low, high) => {
                text.parse::<f64>().ok().filter(|v| (low..=high).contains(&v)).map(Value::Real)
            }
            Range::Choice(words) => words.iter().position(|word| *word == text).map(Value::Word),
            Range::Learner => text.parse::<Spec>().ok().map(|spec| Value::Spec(spec.to_string())),
        }
    }

    /// The text of a value, as it is written in results.
    pub(super) fn text(&self, value: &Value) -> String {
        match (self, value) {
            (_, Value::Whole(whole)) => whole.to_string(),
            (_, Value::Real(real)) => real.to_string(),
            (_, Value::Spec(spec)) => spec.clone(),
            (Range::Choice(words), Value::Word(place)) => words[*place].to_string(),
            (Range::Whole(..) | Range::Real(..) | Range::Learner, Value::Word(place)) => place.to_string(),
        }
    }

    /// The value of a text as it is written in results, when it is in the range.
    pub fn canonical(&self, text: &str) -> Option<String> {
        self.parse(text).map(|value| self.text(&value))
    }
}

/// What a program can ask about a declared parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name in specifications and results.
    pub name: &'static str,
    /// Other names that are read as this one.
    pub aliases: Vec<&'static str>,
    /// What values it may have.
    pub range: Range,
    /// Its value when none is given.
    pub default: String,
    /// Its value when none is given and there are base classes, none of which is under evaluation; nothing where that is the default too.
    pub default_beside_base: Option<&'static str>,
    /// What it does, in a few words.
    pub meaning: &'static str,
    /// Where a selection looks for its value; nothing where it keeps the default.
    pub search: Option<Search>,
}

/// A parameter that a learner is about to declare, with the type of its value; see [`Signature::parameter`].
///
/// [`Signature::parameter`]: super::Signature::parameter
#[derive(Clone, Debug)]
pub struct Declaration<T: 'static> {
    pub(super) parameter: Parameter,
    pub(super) read: Read<T>,
}

/// A type of values that can be searched between two ends.
pub trait Number {}

impl Number for usize {}

impl Number for f64 {}

/// How a value of the type of a parameter is taken out of what was checked.
#[derive(Debug)]
pub(super) enum Read<T: 'static> {
    Number(fn(&Value) -> Option<&T>),
    /// What each word stands for.
    Words(&'static [(&'static str, T)]),
}

// Derived ones would ask the same of `T`.
impl<T> Clone for Read<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Read<T> {}

impl Parameter {
    fn of(name: &'static str, range: Range, default: String, meaning: &'static str) -> Parameter {
        let (aliases, default_beside_base, search) = (Vec::new(), None, None);
        Parameter { name, aliases, range, default, default_beside_base, meaning, search }
    }

    /// A whole number.
    pub fn whole(
        name: &'static str,
        default: u64,
        low: u64,
        high: u64,
        meaning: &'static str,
    ) -> Declaration<usize> {
        let read = Read::Number(|value| match value {
            Value::Whole(whole) => Some(whole),
            _ => None,
        });
        let parameter = Parameter::of(name, Range::Whole(low, high), default.to_string(), meaning);
        Declaration { parameter, read }
    }

    /// A real number.
    pub fn real(
        name: &'static str,
        default: f64,
        low: f64,
        high: f64,
        meaning: &'static str,
    ) -> Declaration<f64> {
        let read = Read::Number(|value| match value {
            Value::Real(real) => Some(real),
            _ => None,
        });
        let parameter = Parameter::of(name, Range::Real(low, high), default.to_string(), meaning);
        Declaration { parameter, read }
    }

    /// Another learner, that this one is made of: its specification.
    pub fn learner(name: &'static str, default: &'static str, meaning: &'static str) -> Declaration<String> {
        let read = Read::Number(|value| match value {
            Value::Spec(spec) => Some(spec),
            _ => None,
        });
        Declaration { parameter: Parameter::of(name, Range::Learner, default.to_string(), meaning), read }
    }

    /// One of some words, each with what it stands for; the first is the default.
    ///
    /// ```
    /// use kshot::learner::{Parameter, Signature};
    ///
    /// #[derive(Clone, Copy, Debug, PartialEq)]
    /// enum Distance { Euclidean, Cosine }
    ///
    /// let mut mine = Signature::new("mine", "a learner");
    /// let words = &[("euclidean", Distance::Euclidean), ("cosine", Distance::Cosine)];
    /// let distance = mine.parameter(Parameter::choice("distance", words, "distance between items"));
    /// let parameters = mine.check(&[("distance".to_string(), "cosine".to_string())].into())?;
    /// assert_eq!(parameters[distance], Distance::Cosine);
    /// # Ok::<(), kshot::learner::LearnError>(())
    /// ```
    pub fn choice<T>(
        name: &'static str,
        words: &'static [(&'static str, T)],
        meaning: &'static str,
    ) -> Declaration<T> {
        let default = words.first().map_or("", |(word, _)| *word).to_string();
        let range = Range::Choice(words.iter().map(|(word, _)| *word).collect());
        Declaration { parameter: Parameter::of(name, range, default, meaning), read: Read::Words(words) }
    }
}

impl<T> Declaration<T> {
    /// The same with another default, in the form that a user would type.
    pub fn default(mut self, text: &str) -> Declaration<T> {
        self.parameter.default = text.to_string();
        self
    }

    /// The same with another default where there are base classes, none of which is under evaluation.
    pub fn default_beside_base(mut self, text: &'static str) -> Declaration<T> {
        self.parameter.default_beside_base = Some(text);
        self
    }

    /// The same with another name that is read as its own.
    pub fn alias(mut self, name: &'static str) -> Declaration<T> {
        self.parameter.aliases.push(name);
        self
    }

    /// The same, with a default grid as its search space. A parameter without a space keeps its default in a selection,
    /// unless the user names one for it.
    pub fn grid(mut self, values: &[&str]) -> Declaration<T> {
        self.parameter.search = Some(Search::Values(values.iter().map(ToString::to_string).collect()));
        self
    }
}
