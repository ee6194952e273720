//! Learners by name, on one kind of device: those that ship with kshot, and those of other crates.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::{Checked, Family, LearnError, Learner, Parameter, Parameters, Signature, signature};
use crate::tensor::Backend;
use crate::vocab::did_you_mean;
use crate::vocab::spec::Spec;

/// Makes a learner from checked parameters, and from other learners where it is made of such.
type Build<D> = Box<dyn Fn(&Parameters, &Peers<D>) -> Result<Learner<D>, LearnError> + Send + Sync>;

/// Makes a family from the checked parameters of its members.
type BuildFamily<D> = Box<dyn Fn(&[Parameters]) -> Result<Box<dyn Family<D>>, LearnError> + Send + Sync>;

/// What is called by a name, and how it is made.
struct Maker<D: Backend> {
    signature: Arc<Signature>,
    build: Build<D>,
}

/// The learners of a registry, of which others may be made.
pub struct Peers<D: Backend> {
    makers: RwLock<Vec<Arc<Maker<D>>>>,
}

impl<D: Backend> Peers<D> {
    /// The learner of a specification with what it declares.
    ///
    /// # Errors
    /// A name or a value that is not known or not in its range.
    pub fn learner(&self, spec: &str) -> Result<(Parameters, Learner<D>), LearnError> {
        let bad = |source| LearnError::BadSpec { spec: spec.to_string(), source };
        let Spec { name, values } = spec.parse().map_err(bad)?;
        let maker = {
            let makers = self.makers.read().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(named(&makers, &name, |maker| &maker.signature)?)
        };
        let given = given(&maker.signature, &name, &values)?;
        let parameters = with_parts(signature::check(&maker.signature, &given)?, self)?;
        let learner = (maker.build)(&parameters, self)?;
        Ok((parameters, learner))
    }
}

/// Nested specifications in the one way in which results have them.
fn with_parts<D: Backend>(mut parameters: Parameters, peers: &Peers<D>) -> Result<Parameters, LearnError> {
    for value in parameters.specs_mut() {
        *value = peers.learner(value)?.0.short().to_string();
    }
    Ok(parameters)
}

/// What was typed for a learner, by the names in results.
fn given(
    signature: &Signature,
    name: &str,
    values: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, LearnError> {
    let mut given = signature.canonical(values)?;
    for (name, value) in signature.alias_values(name) {
        given.entry(name.to_string()).or_insert_with(|| value.to_string());
    }
    Ok(given)
}

/// What has a name, or else an alias.
fn named<'a, T>(
    all: &'a [T],
    name: &str,
    signature: impl Fn(&T) -> &Arc<Signature>,
) -> Result<&'a T, LearnError> {
    let exact = all.iter().find(|one| signature(one).name() == name);
    let by_alias = || all.iter().find(|one| signature(one).aliases().any(|alias| alias == name));
    exact.or_else(by_alias).ok_or_else(|| {
        let names = all.iter().map(|one| signature(one).name());
        let aliases = all.iter().flat_map(|one| signature(one).aliases().collect::<Vec<_>>());
        LearnError::UnknownLearner {
            name: name.to_string(),
            known: names.clone().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
            hint: did_you_mean(name, names.chain(aliases)),
        }
    })
}

/// One registered learner.
pub struct Entry<D: Backend> {
    maker: Arc<Maker<D>>,
    peers: Arc<Peers<D>>,
    family: Option<BuildFamily<D>>,
}

impl<D: Backend> Entry<D> {
    /// Declares how several settings that take the same transform are answered together. Without it they are answered
    /// one by one; with it every answer must have the same bits as then.
    pub fn family(
        &mut self,
        build: impl Fn(&[Parameters]) -> Result<Box<dyn Family<D>>, LearnError> + Send + Sync + 'static,
    ) -> &mut Self {
        self.family = Some(Box::new(build));
        self
    }

    /// Its names and parameters.
    pub fn signature(&self) -> &Signature {
        &self.maker.signature
    }

    /// The name on the command line and in results.
    pub fn name(&self) -> &'static str {
        self.maker.signature.name()
    }

    /// The declared parameters.
    pub fn parameters(&self) -> &[Parameter] {
        self.maker.signature.parameters()
    }

    /// The learner with these values in place of defaults.
    ///
    /// # Errors
    /// When a name or a value is not among those declared, or the learner refuses their combination.
    pub fn check(&self, given: &BTreeMap<String, String>) -> Result<Checked, LearnError> {
        let parameters = with_parts(signature::check(&self.maker.signature, given)?, &self.peers)?;
        let learner = (self.maker.build)(&parameters, &self.peers)?;
        Ok(Checked::of(parameters, &learner))
    }

    /// A learner with these parameters.
    ///
    /// # Errors
    /// When the learner refuses their combination.
    pub fn build(&self, parameters: &Parameters) -> Result<Learner<D>, LearnError> {
        (self.maker.build)(parameters, &self.peers)
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
    peers: Arc<Peers<D>>,
}

impl<D: Backend> Default for Registry<D> {
    /// One without learners.
    fn default() -> Self {
        Registry { entries: Vec::new(), peers: Arc::new(Peers { makers: RwLock::new(Vec::new()) }) }
    }
}

impl<D: Backend> Registry<D> {
    /// Registers a learner; a later one of the same name takes the place of an earlier one.
    pub fn add(
        &mut self,
        signature: impl Into<Signature>,
        build: impl Fn(&Parameters) -> Result<Learner<D>, LearnError> + Send + Sync + 'static,
    ) -> &mut Entry<D> {
        self.add_composed(signature, move |parameters, _| build(parameters))
    }

    /// Registers a learner that is made of others: `build` is given the learners of the registry, those that are added later among them.
    pub fn add_composed(
        &mut self,
        signature: impl Into<Signature>,
        build: impl Fn(&Parameters, &Peers<D>) -> Result<Learner<D>, LearnError> + Send + Sync + 'static,
    ) -> &mut Entry<D> {
        let signature = Arc::new(signature.into());
        let name = signature.name();
        self.entries.retain(|e| e.name() != name);
        let maker = Arc::new(Maker { signature, build: Box::new(build) });
        let mut makers = self.peers.makers.write().unwrap_or_else(PoisonError::into_inner);
        makers.retain(|maker| maker.signature.name() != name);
        makers.push(Arc::clone(&maker));
        drop(makers);
        self.entries.push(Entry { maker, peers: Arc::clone(&self.peers), family: None });
        let last = self.entries.len() - 1;
        &mut self.entries[last]
    }

    /// All learners, in order of registration.
    pub fn entries(&self) -> &[Entry<D>] {
        &self.entries
    }

    /// The learner of a name or of an alias.
    ///
    /// # Errors
    /// When there is none; the message lists the names.
    pub fn entry(&self, name: &str) -> Result<&Entry<D>, LearnError> {
        named(&self.entries, name, |entry| &entry.maker.signature)
    }

    /// The checked learner of a specification, `name` or `name:key=value,key=value`.
    ///
    /// # Errors
    /// When the specification cannot be read or is refused.
    pub fn check(&self, spec: &str) -> Result<Checked, LearnError> {
        let (entry, given) = self.read(spec)?;
        entry.check(&given)
    }

    /// The learner with the defaults that it has where there are base classes, none of which is under evaluation.
    ///
    /// # Errors
    /// When the learner refuses their combination.
    pub fn beside_base(&self, checked: &Checked) -> Result<Checked, LearnError> {
        let mut given = checked.pairs();
        given.extend(checked.parameters.beside_base().map(|(name, value)| (name.into(), value.into())));
        match given == checked.pairs() {
            true => Ok(checked.clone()),
            false => self.entry(checked.learner())?.check(&given),
        }
    }

    /// A specification taken apart: the learner, and the values as they were typed, by the names in results.
    ///
    /// # Errors
    /// When no learner of that name is registered, the specification has not its form, or a parameter is not declared.
    pub fn read(&self, spec: &str) -> Result<(&Entry<D>, BTreeMap<String, String>), LearnError> {
        let bad = |source| LearnError::BadSpec { spec: spec.to_string(), source };
        let Spec { name, values } = spec.parse().map_err(bad)?;
        let entry = self.entry(&name)?;
        let given = given(&entry.maker.signature, &name, &values)?;
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

    fn text(spec: &str) -> String {
        let checked = Learners::shipped().cpu().check(spec).unwrap();
        format!("{}:{checked}", checked.learner())
    }

    #[test]
    fn nested_learners_are_written_in_one_way_and_refused_like_others() {
        let same =
            ["stacked:inner=(knn:k=5),outer=(logreg:C=2)", "stacked:inner=k-nn:k=5,outer=linear-probe:c=2.0"];
        assert_eq!(text(same[0]), text(same[1]));
        assert!(text(same[0]).contains("inner=k-nn:k=5,outer=linear-probe:c=2"), "{}", text(same[0]));
        let deep = text("stacked:inner=(stacked:inner=(k-nn:k=3,distance=cosine),outer=ridge)");
        assert!(deep.contains("inner=(stacked:inner=(k-nn:distance=cosine,k=3),outer=ridge)"), "{deep}");
        assert!(message("stacked:inner=nobody").starts_with("unknown learner `nobody`"));
        assert!(message("stacked:inner=(k-nn:k=0)").contains("parameter `k` of `k-nn`"));
        assert!(message("stacked:inner=bd-cspn").contains("`inner` is `bd-cspn`"));
        assert!(message("stacked:outer=(ridge:transform=cl2n)").contains("cl2n"));
    }

    fn message(spec: &str) -> String {
        Learners::shipped().cpu().check(spec).unwrap_err().to_string()
    }

    #[test]
    fn a_preset_fills_what_is_not_given() {
        let parameters = text("fine-tune:preset=closer-look,batch=8");
        assert!(parameters.contains("batch=8") && parameters.contains("momentum=0.9"), "{parameters}");
        assert!(text("fine-tune").contains("momentum=0,"));
    }

    #[test]
    fn results_have_one_name_whatever_was_typed() {
        assert_eq!(text("protonet"), text("prototypical"));
        assert_eq!(text("knn:k=3"), text("k-nn:k=3"));
        assert_eq!(text("logreg:C=2"), text("linear-probe:c=2"));
        assert_eq!(text("simpleshot"), "nearest-centroid:transform=cl2n");
        assert_eq!(text("simpleshot:transform=l2n"), "nearest-centroid:transform=l2n");
    }

    #[test]
    fn a_specification_says_what_is_wrong_with_it() {
        let unknown = message("prototipical");
        assert!(unknown.starts_with("unknown learner `prototipical`, expected one of `prototypical`"));
        assert!(unknown.ends_with("\nhint: did you mean `prototypical`?"), "{unknown}");
        assert!(
            message("ridge:alpha").starts_with("learner `ridge:alpha`: `alpha` is not of the form key=value")
        );
        assert!(message("ridge:alpha=1,alpha=2").contains("`alpha` is given twice"));
        assert!(message("ridge:beta=1").contains("has no parameter `beta`"));
        assert!(message("fine-tune:head=cosine").contains("init"));
        assert!(message("k-nn:distance=cos").ends_with("hint: did you mean `cosine`?"));
        assert!(message("fine-tune:steps=3").ends_with("hint: `steps` is called `epochs` now"));
    }
}
