//! Checked parameters: values in their ranges, each reached by the key that its declaration gave.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Index;
use std::sync::Arc;

use super::declaration::{Read, Value};
use super::{LearnError, Signature};
use crate::vocab::spec::{Spec, values_text};

/// What a declared parameter is asked by: only a declaration gives one, so that a name nobody declared does not compile.
pub struct Key<T: 'static> {
    pub(super) place: usize,
    pub(super) name: &'static str,
    pub(super) read: Read<T>,
}

impl<T> Key<T> {
    /// The name of the parameter.
    pub fn name(self) -> &'static str {
        self.name
    }
}

// Derived ones would ask the same of `T`.
impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

/// All parameters of a learner, each in its range, read once.
///
/// A value is asked for by the key of its declaration:
///
/// ```
/// use kshot::learner::{Parameter, Signature};
///
/// let mut mine = Signature::new("mine", "a learner");
/// let share = mine.parameter(Parameter::real("share", 0.1, 0.0, 1.0, "share of the way"));
/// let parameters = mine.check(&Default::default())?;
/// assert_eq!(parameters[share], 0.1);
/// # Ok::<(), kshot::learner::LearnError>(())
/// ```
///
/// and never by a name, which might be one that nobody declared:
///
/// ```compile_fail
/// use kshot::learner::{Parameter, Signature};
///
/// let mut mine = Signature::new("mine", "a learner");
/// let share = mine.parameter(Parameter::real("share", 0.1, 0.0, 1.0, "share of the way"));
/// let parameters = mine.check(&Default::default()).unwrap();
/// assert_eq!(parameters["shares"], 0.1);
/// ```
#[derive(Clone)]
pub struct Parameters {
    pub(super) signature: Arc<Signature>,
    /// In the order of declaration.
    pub(super) values: Vec<Value>,
    /// The names of those that were not given and have another default where there are base classes.
    pub(super) open: Vec<&'static str>,
}

impl Parameters {
    /// The learner whose parameters these are.
    pub fn learner(&self) -> &str {
        self.signature.name()
    }

    /// The value of a parameter; nothing for the key of another learner.
    pub fn get<T>(&self, key: Key<T>) -> Option<&T> {
        self.signature.parameters().get(key.place).filter(|declared| declared.name == key.name)?;
        match (key.read, self.values.get(key.place)?) {
            (Read::Number(read), value) => read(value),
            (Read::Words(words), Value::Word(place)) => words.get(*place).map(|(_, meant)| meant),
            (Read::Words(_), _) => None,
        }
    }

    /// All of them as they are written in results, by name.
    pub fn pairs(&self) -> BTreeMap<String, String> {
        let declared = self.signature.parameters().iter().zip(&self.values);
        declared.map(|(parameter, value)| (parameter.name.to_string(), parameter.range.text(value))).collect()
    }

    /// The specifications of the learners that it is made of.
    pub(super) fn specs_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.values.iter_mut().filter_map(|value| match value {
            Value::Spec(spec) => Some(spec),
            _ => None,
        })
    }

    /// The learner with the parameters that differ from their defaults, as one would type it.
    pub fn short(&self) -> Spec {
        let mut values = self.pairs();
        for parameter in self.signature.parameters() {
            // A default may be declared in another form than results have.
            let default = parameter.range.canonical(&parameter.default);
            if values.get(parameter.name) == default.as_ref() {
                values.remove(parameter.name);
            }
        }
        Spec { name: self.learner().to_string(), values }
    }

    /// The values that were not given and have another default where there are base classes, none of which is under
    /// evaluation: their names and these defaults.
    pub fn beside_base(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let declared = self.signature.parameters().iter().filter(|p| self.open.contains(&p.name));
        declared.filter_map(|parameter| Some((parameter.name, parameter.default_beside_base?)))
    }

    /// The error of parameters that do not go together.
    pub fn conflict(&self, problem: impl Into<String>) -> LearnError {
        LearnError::Conflict { learner: self.learner().to_string(), problem: problem.into() }
    }
}

impl<T> Index<Key<T>> for Parameters {
    type Output = T;

    /// The value of a parameter.
    ///
    /// # Panics
    /// On the key of another learner, which is an error in the program.
    fn index(&self, key: Key<T>) -> &T {
        match self.get(key) {
            Some(value) => value,
            None => panic!("the key of `{}` is none of learner `{}`", key.name, self.learner()),
        }
    }
}

impl PartialEq for Parameters {
    fn eq(&self, other: &Parameters) -> bool {
        self.learner() == other.learner() && self.values == other.values
    }
}

impl fmt::Display for Parameters {
    /// All of them, sorted by name, `key=value` joined by commas, as in the column `parameters` of results.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&values_text(&self.pairs()))
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{self}", self.learner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learner::Parameter;

    #[test]
    fn the_key_of_another_learner_reaches_nothing() {
        let (mut one, mut other) = (Signature::new("one", ""), Signature::new("other", ""));
        let c = one.parameter(Parameter::real("c", 1.0, 0.0, 9.0, "penalty"));
        let k = other.parameter(Parameter::whole("k", 1, 1, 9, "neighbours"));
        let parameters = one.check(&BTreeMap::new()).unwrap();
        assert_eq!((parameters.get(c), parameters.get(k)), (Some(&1.0), None));
    }

    #[test]
    fn the_short_form_leaves_defaults_out() {
        let mut one = Signature::new("one", "");
        one.parameter(Parameter::real("c", 1.0, 0.0, 9.0, "penalty"));
        one.parameter(Parameter::whole("k", 1, 1, 9, "neighbours"));
        let short = |given: &[(&str, &str)]| {
            let given = given.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
            one.check(&given).unwrap().short().to_string()
        };
        assert_eq!(short(&[("c", "1.0")]), "one");
        assert_eq!(short(&[("c", "2e0"), ("k", "1")]), "one:c=2");
    }
}
