//! What a learner is called, in all its names, and which parameters it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::declaration::Declaration;
use super::{Key, LearnError, Parameter, Parameters};
use crate::vocab::did_you_mean;

/// Names of parameters with values, as a user would type them.
type Values = Vec<(&'static str, &'static str)>;

/// The name, the description and the parameters of a learner.
///
/// ```
/// use kshot::learner::{Parameter, Scale, Signature};
///
/// let mut probe = Signature::new("probe", "a linear classifier");
/// probe.alias("logreg", &[]);
/// let c = probe.parameter(Parameter::real("c", 1.0, 1e-6, 1e6, "inverse penalty").search(Scale::Log, 0.01, 100.0));
/// let parameters = probe.check(&[("c".to_string(), "1e1".to_string())].into())?;
/// assert_eq!((parameters[c], parameters.to_string()), (10.0, "c=10".to_string()));
/// # Ok::<(), kshot::learner::LearnError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Signature {
    name: &'static str,
    about: &'static str,
    aliases: Vec<(&'static str, Values)>,
    parameters: Vec<Parameter>,
    /// The parameter and the word of it that stands for values, and these.
    presets: Vec<(&'static str, &'static str, Values)>,
    /// The parameter and the word of it that may have a number behind it, and the parameter whose value that is.
    seeded: Vec<(&'static str, &'static str, &'static str)>,
    /// Whether it takes part only where it is asked for by name.
    on_request: bool,
}

impl Signature {
    /// A learner without parameters; `about` is one sentence for `kshot list learners`.
    pub fn new(name: &'static str, about: &'static str) -> Signature {
        let (aliases, parameters, presets) = (Vec::new(), Vec::new(), Vec::new());
        Signature { name, about, aliases, parameters, presets, seeded: Vec::new(), on_request: false }
    }

    /// Declares that it takes part only where it is asked for by name: it is too slow for runs of all learners, or what it is made of
    /// is for the user to say.
    pub fn on_request(&mut self) -> &mut Signature {
        self.on_request = true;
        self
    }

    /// Whether it takes part only where it is asked for by name.
    pub fn is_on_request(&self) -> bool {
        self.on_request
    }

    /// Declares a parameter, and gives the key by which its value is asked for.
    pub fn parameter<T>(&mut self, declaration: Declaration<T>) -> Key<T> {
        let Declaration { parameter, read } = declaration;
        let key = Key { place: self.parameters.len(), name: parameter.name, read };
        self.parameters.push(parameter);
        key
    }

    /// Declares what a word of a parameter stands for; values given beside it still count.
    pub fn preset<T>(
        &mut self,
        parameter: Key<T>,
        word: &'static str,
        values: &[(&'static str, &'static str)],
    ) {
        self.presets.push((parameter.name(), word, values.to_vec()));
    }

    /// Declares that `WORD:NUMBER` of a parameter is its word, and the number the value of another one.
    pub fn seeded<T, U>(&mut self, parameter: Key<T>, word: &'static str, number: Key<U>) {
        self.seeded.push((parameter.name(), word, number.name()));
    }

    /// What was given, with each `WORD:NUMBER` as the two values that it is read as.
    fn apart(&self, mut given: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, LearnError> {
        for (parameter, word, number) in &self.seeded {
            let value = given.get(*parameter).and_then(|value| value.strip_prefix(word)?.strip_prefix(':'));
            let Some(value) = value.map(str::to_string) else { continue };
            if given.insert(number.to_string(), value).is_some() {
                let problem = format!("`{number}` is given twice");
                return Err(LearnError::Conflict { learner: self.name.to_string(), problem });
            }
            given.insert(parameter.to_string(), word.to_string());
        }
        Ok(given)
    }

    /// Declares another name on the command line, which may stand for values too; results have the name alone.
    pub fn alias(&mut self, name: &'static str, values: &[(&'static str, &'static str)]) {
        self.aliases.push((name, values.to_vec()));
    }

    /// The name on the command line and in results.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// One sentence on what it does.
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// The other names.
    pub fn aliases(&self) -> impl Iterator<Item = &'static str> {
        self.aliases.iter().map(|(alias, _)| *alias)
    }

    /// The declared parameters, in the order of declaration.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The values that an alias stands for.
    pub(super) fn alias_values(&self, name: &str) -> &[(&'static str, &'static str)] {
        self.aliases.iter().find(|(alias, _)| *alias == name).map_or(&[], |(_, values)| values)
    }

    /// The values that the presets among the `given` ones stand for, by name.
    pub fn preset_values(&self, given: &BTreeMap<String, String>) -> BTreeMap<&'static str, &'static str> {
        let chosen = |(parameter, word, _): &&(&'static str, &'static str, Values)| {
            given.get(*parameter).is_some_and(|given| given == word)
        };
        self.presets.iter().filter(chosen).flat_map(|(_, _, values)| values.iter().copied()).collect()
    }

    /// The name of a parameter by one of its names; nothing for one that is not declared.
    pub fn parameter_name(&self, name: &str) -> Option<&'static str> {
        let exact = self.parameters.iter().find(|parameter| parameter.name == name);
        let found = exact.or_else(|| self.parameters.iter().find(|p| p.aliases.contains(&name)));
        found.map(|parameter| parameter.name)
    }

    /// What was given, by the names in results.
    ///
    /// # Errors
    /// A name that is not declared, or a parameter that is given by two of its names.
    pub fn canonical<T: Clone>(
        &self,
        given: &BTreeMap<String, T>,
    ) -> Result<BTreeMap<String, T>, LearnError> {
        let mut canonical = BTreeMap::new();
        for (written, value) in given {
            let name = self.parameter_name(written).ok_or_else(|| self.unknown(written))?;
            if canonical.insert(name.to_string(), value.clone()).is_some() {
                let problem = format!("`{name}` is given twice");
                return Err(LearnError::Conflict { learner: self.name.to_string(), problem });
            }
        }
        Ok(canonical)
    }

    /// The declared parameters with the `given` values in place of defaults.
    ///
    /// # Errors
    /// When a name is not declared or a value is out of its range.
    pub fn check(&self, given: &BTreeMap<String, String>) -> Result<Parameters, LearnError> {
        check(&Arc::new(self.clone()), given)
    }

    fn unknown(&self, name: &str) -> LearnError {
        let names = self.parameters.iter().map(|parameter| parameter.name);
        let known: Vec<String> = names.clone().map(|name| format!("`{name}`")).collect();
        LearnError::UnknownParameter {
            learner: self.name.to_string(),
            name: name.to_string(),
            known: if known.is_empty() { "none".to_string() } else { known.join(", ") },
            hint: did_you_mean(name, names),
        }
    }
}

/// As [`Signature::check`], for one that all its parameters share.
pub(super) fn check(
    signature: &Arc<Signature>,
    given: &BTreeMap<String, String>,
) -> Result<Parameters, LearnError> {
    let mut given = signature.apart(signature.canonical(given)?)?;
    for (name, value) in signature.preset_values(&given) {
        given.entry(name.to_string()).or_insert_with(|| value.to_string());
    }
    let value = |parameter: &Parameter| {
        let text = given.get(parameter.name).unwrap_or(&parameter.default);
        parameter.range.parse(text).ok_or_else(|| LearnError::BadValue {
            learner: signature.name.to_string(),
            name: parameter.name.to_string(),
            rule: parameter.range.to_string(),
            found: text.clone(),
            hint: match &parameter.range {
                super::Range::Choice(words) => did_you_mean(text, words.iter().copied()),
                _ => String::new(),
            },
        })
    };
    let values = signature.parameters.iter().map(value).collect::<Result<_, _>>()?;
    let left = signature.parameters.iter().filter(|parameter| !given.contains_key(parameter.name));
    let open = left.filter(|parameter| parameter.default_beside_base.is_some()).map(|p| p.name).collect();
    Ok(Parameters { signature: Arc::clone(signature), values, open })
}

impl From<&'static str> for Signature {
    /// A name alone.
    fn from(name: &'static str) -> Signature {
        Signature::new(name, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &[(&str, &str)]) -> Result<Parameters, LearnError> {
        let mut probe = Signature::new("probe", "");
        probe.parameter(Parameter::real("c", 1.0, 1e-6, 1e6, "inverse penalty").alias("C"));
        let words = &[("l2n", true), ("none", false)];
        probe.parameter(Parameter::choice("transform", words, "transform"));
        probe.check(&given.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect())
    }

    fn message(given: &[(&str, &str)]) -> String {
        check(given).unwrap_err().to_string()
    }

    #[test]
    fn values_are_written_in_one_way() {
        assert_eq!(check(&[("c", "1e1")]).unwrap().to_string(), "c=10,transform=l2n");
        assert_eq!(check(&[("C", "10")]).unwrap().to_string(), "c=10,transform=l2n");
        assert_eq!(check(&[]).unwrap().to_string(), "c=1,transform=l2n");
    }

    #[test]
    fn what_is_not_declared_or_out_of_range_is_refused() {
        let unknown = "learner `probe` has no parameter `d`, expected one of `c`, `transform`";
        assert_eq!(message(&[("d", "1")]), unknown);
        let range = "parameter `c` of `probe` must be a number from 0.000001 to 1000000, got `nan`";
        assert_eq!(message(&[("c", "nan")]), range);
        assert!(check(&[("transform", "pca")]).is_err());
    }

    #[test]
    fn a_hint_names_what_was_meant() {
        assert!(message(&[("tranform", "l2n")]).ends_with("\nhint: did you mean `transform`?"));
        assert!(message(&[("transform", "L2n")]).ends_with("\nhint: did you mean `l2n`?"));
        assert!(message(&[("c", "1"), ("C", "1")]).ends_with("`c` is given twice"));
    }
}
