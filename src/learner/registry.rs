//! Learners by name: those that ship with kshot, and those of other crates.

use std::collections::BTreeMap;

use super::{Family, LearnError, Learner, Parameter, Parameters};
use crate::tensor::Backend;

/// Makes a learner from checked parameters.
type Build<D> = Box<dyn Fn(&Parameters) -> Result<Learner<D>, LearnError> + Send + Sync>;

/// Makes a family from the checked parameters of its members.
type BuildFamily<D> = Box<dyn Fn(&[Parameters]) -> Result<Box<dyn Family<D>>, LearnError> + Send + Sync>;

/// One registered learner.
pub struct Entry<D: Backend> {
    name: &'static str,
    about: &'static str,
    parameters: Vec<Parameter>,
    presets: Vec<Preset>,
    build: Build<D>,
    family: Option<BuildFamily<D>>,
}

/// Values that a word of the parameter `preset` stands for, in place of defaults.
type Preset = (&'static str, &'static [(&'static str, &'static str)]);

impl<D: Backend> Entry<D> {
    /// One sentence for `kshot list learners`.
    pub fn about(&mut self, about: &'static str) -> &mut Self {
        self.about = about;
        self
    }

    /// Declares a parameter.
    pub fn parameter(&mut self, parameter: Parameter) -> &mut Self {
        self.parameters.push(parameter);
        self
    }

    /// Declares what a word of the parameter `preset` stands for; values given beside it still count.
    pub fn preset(
        &mut self,
        word: &'static str,
        values: &'static [(&'static str, &'static str)],
    ) -> &mut Self {
        self.presets.push((word, values));
        self
    }

    /// Declares how several settings that take the same transform are answered together. Without it they are answered
    /// one by one; with it every answer must have the same bits as then.
    pub fn family(
        &mut self,
        build: impl Fn(&[Parameters]) -> Result<Box<dyn Family<D>>, LearnError> + Send + Sync + 'static,
    ) -> &mut Self {
        self.family = Some(Box::new(build));
        self
    }

    /// The name on the command line and in results.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What [`Self::about`] was given.
    pub fn description(&self) -> &'static str {
        self.about
    }

    /// The declared parameters.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The values that a word of the parameter `preset` stands for; none for a word that is not declared.
    pub fn preset_values(&self, word: &str) -> &'static [(&'static str, &'static str)] {
        self.presets.iter().find(|preset| preset.0 == word).map_or(&[], |preset| preset.1)
    }

    /// The parameters with these values in place of defaults.
    ///
    /// # Errors
    /// When a name or a value is not among those declared, or the learner refuses their combination.
    pub fn check(&self, given: &BTreeMap<String, String>) -> Result<Parameters, LearnError> {
        let mut filled = given.clone();
        let preset = given.get("preset").map_or(&[][..], |word| self.preset_values(word));
        for (name, value) in preset {
            filled.entry(name.to_string()).or_insert_with(|| value.to_string());
        }
        let parameters = Parameters::check(self.name, &self.parameters, &filled)?;
        (self.build)(&parameters)?;
        Ok(parameters)
    }

    /// A learner with these parameters.
    ///
    /// # Errors
    /// When the learner refuses their combination.
    pub fn build(&self, parameters: &Parameters) -> Result<Learner<D>, LearnError> {
        (self.build)(parameters)
    }

    /// A family of settings that take the same transform; nothing for a learner that declares none.
    ///
    /// # Errors
    /// When the learner refuses the parameters of a member.
    pub fn build_family(&self, members: &[Parameters]) -> Result<Option<Box<dyn Family<D>>>, LearnError> {
        self.family.as_ref().map(|build| build(members)).transpose()
    }
}

/// The learners of one kind of device, in order of registration.
pub struct Registry<D: Backend> {
    entries: Vec<Entry<D>>,
}

impl<D: Backend> Default for Registry<D> {
    /// One without learners.
    fn default() -> Self {
        Registry { entries: Vec::new() }
    }
}

impl<D: Backend> Registry<D> {
    /// Registers a learner; a later one of the same name takes the place of an earlier one.
    pub fn add(
        &mut self,
        name: &'static str,
        build: impl Fn(&Parameters) -> Result<Learner<D>, LearnError> + Send + Sync + 'static,
    ) -> &mut Entry<D> {
        self.entries.retain(|e| e.name != name);
        self.entries.push(Entry {
            name,
            about: "",
            parameters: Vec::new(),
            presets: Vec::new(),
            build: Box::new(build),
            family: None,
        });
        let last = self.entries.len() - 1;
        &mut self.entries[last]
    }

    /// All learners, in order of registration.
    pub fn entries(&self) -> &[Entry<D>] {
        &self.entries
    }

    /// The learner of a name.
    ///
    /// # Errors
    /// When there is none; the message lists the names.
    pub fn entry(&self, name: &str) -> Result<&Entry<D>, LearnError> {
        self.entries.iter().find(|e| e.name == name).ok_or_else(|| LearnError::UnknownLearner {
            name: name.to_string(),
            known: self.entries.iter().map(|e| format!("`{}`", e.name)).collect::<Vec<_>>().join(", "),
        })
    }

    /// The checked parameters of a specification, `name` or `name:key=value,key=value`.
    ///
    /// # Errors
    /// When the specification cannot be read or is refused.
    pub fn check(&self, spec: &str) -> Result<Parameters, LearnError> {
        let (entry, given) = self.read(spec)?;
        entry.check(&given)
    }

    /// A specification taken apart: the learner, and the values as they were typed.
    ///
    /// # Errors
    /// When no learner of that name is registered, a piece is not of the form `key=value`, or a key is given twice.
    pub fn read(&self, spec: &str) -> Result<(&Entry<D>, BTreeMap<String, String>), LearnError> {
        let (name, rest) = spec.split_once(':').map_or((spec, None), |(n, r)| (n, Some(r)));
        let entry = self.entry(name)?;
        let bad = |problem: String| LearnError::BadSpec { spec: spec.to_string(), problem };
        let mut given = BTreeMap::new();
        for pair in rest.map_or(Vec::new(), |r| r.split(',').collect()) {
            let (key, value) =
                pair.split_once('=').ok_or_else(|| bad(format!("`{pair}` is not of the form key=value")))?;
            if given.insert(key.to_string(), value.to_string()).is_some() {
                return Err(bad(format!("`{key}` is given twice")));
            }
        }
        Ok((entry, given))
    }

    /// The learner of checked parameters.
    ///
    /// # Errors
    /// When no learner of that name is registered.
    pub fn build(&self, parameters: &Parameters) -> Result<Learner<D>, LearnError> {
        self.entry(parameters.learner())?.build(parameters)
    }
}

#[cfg(test)]
mod tests {
    use crate::learner::Learners;

    fn message(spec: &str) -> String {
        Learners::shipped().cpu().check(spec).unwrap_err().to_string()
    }

    #[test]
    fn a_preset_fills_what_is_not_given() {
        let learners = Learners::shipped();
        let registry = learners.cpu();
        let parameters = registry.check("fine-tune:preset=closer-look,batch=8").unwrap();
        assert_eq!((parameters.whole("batch"), parameters.real("momentum")), (8, 0.9));
        assert_eq!(registry.check("fine-tune").unwrap().real("momentum"), 0.0);
    }

    #[test]
    fn a_specification_says_what_is_wrong_with_it() {
        assert!(
            message("protonet").starts_with("unknown learner `protonet`, expected one of `prototypical`")
        );
        assert!(
            message("ridge:alpha").starts_with("learner `ridge:alpha`: `alpha` is not of the form key=value")
        );
        assert!(message("ridge:alpha=1,alpha=2").contains("`alpha` is given twice"));
        assert!(message("ridge:beta=1").contains("has no parameter `beta`"));
        assert!(message("fine-tune:head=cosine").contains("init"));
    }
}
