//! The feature sets of a run: opened, or made by networks, once however many protocols use them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::device::Device;
use super::embed::{Behind, Network, cache, data_folder};
use super::error::RunError;
use super::watch::Watch;
use crate::backbone::BackboneSpec;
use crate::data::{self, Holds, Kind, OpenOptions, Parts, Store, images};
use crate::eval;
use crate::numbers::Values;
use crate::protocol::Protocol;
use crate::results::Inputs;
use crate::vocab::spec::labelled;
use crate::vocab::{Form, Split};

/// One representation of items: a matrix with a class per row, or the items themselves as numbers.
#[derive(Clone, Debug)]
pub struct Features {
    pub(crate) name: String,
    /// The name of the data set whose items these are, as far as it is known.
    pub(crate) dataset: String,
    pub(crate) store: Store,
    /// The network that made them and what it made them of.
    pub(crate) behind: Option<Arc<Behind>>,
}

impl Features {
    /// Features in memory: `values` holds `dim` numbers per item, `labels` a class per item; all classes are novel.
    ///
    /// # Errors
    /// Numbers that are not finite or do not fill their rows, or labels that are not as many as rows.
    pub fn from_rows<L: ToString>(values: &[f32], dim: usize, labels: &[L]) -> Result<Features, RunError> {
        let class = labels.iter().map(ToString::to_string).collect();
        Features::from_parts(Parts {
            name: "features".to_string(),
            values: values.to_vec(),
            dim,
            class,
            ..Parts::default()
        })
    }

    /// Features in memory with splits, parts, groups, ids or class embeddings.
    ///
    /// # Errors
    /// What [`Store::from_parts`] refuses.
    pub fn from_parts(parts: Parts) -> Result<Features, RunError> {
        Ok(Features::of(None, Store::from_parts(parts)?))
    }

    /// Features in memory of items without classes: `values` holds `dim` numbers per item; items are called by their rows.
    ///
    /// # Errors
    /// Numbers that are not finite or do not fill their rows.
    pub fn unlabelled(values: &[f32], dim: usize) -> Result<Features, RunError> {
        let count = values.len() / dim.max(1);
        Features::from_parts(Parts {
            name: "items".to_string(),
            values: values.to_vec(),
            dim,
            class: vec![OpenOptions::UNLABELLED.to_string(); count],
            id: data::row_ids(count),
            ..Parts::default()
        })
    }

    /// Features that lie in the memory of somebody else, or are 16-bit floats: they are not copied.
    ///
    /// # Errors
    /// What [`Store::from_parts`] refuses.
    pub fn from_values(parts: Parts<Values>) -> Result<Features, RunError> {
        Ok(Features::of(None, Store::from_values(parts)?))
    }

    /// Features from files: a folder, `.npz`, `.safetensors`, `.csv` or `.parquet`.
    ///
    /// # Errors
    /// What [`Store::open`] refuses.
    pub fn open(path: impl AsRef<Path>) -> Result<Features, RunError> {
        Ok(Features::of(None, Store::open(path, &OpenOptions::default())?))
    }

    /// The same under another name, which tells it from other feature sets of a run.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Features {
        Features { name: name.into(), ..self }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A store under its own name.
    pub(crate) fn of_store(store: Store) -> Features {
        Features::of(None, store)
    }

    /// Items that are images are called by what they hold, other features by their file.
    fn of(label: Option<&str>, store: Store) -> Features {
        let own = store.name().to_string();
        Features::named_after(label, &own, store)
    }

    /// The same where the name of the dataset or file is another one than that of the store.
    fn named_after(label: Option<&str>, own: &str, store: Store) -> Features {
        let name = label.unwrap_or(if matches!(store.form(), Form::Image { .. }) { "pixels" } else { own });
        let dataset = if matches!(store.form(), Form::Image { .. }) { own } else { name };
        Features { name: name.to_string(), dataset: dataset.to_string(), store, behind: None }
    }

    /// What learners that own a network are given.
    pub(crate) fn behind(&self) -> Option<eval::Behind<'_>> {
        let behind = self.behind.as_ref()?;
        Some(eval::Behind { items: &behind.items, network: &behind.network, kept: &behind.kept })
    }

    /// What tells it from the others of a run: name, and the seed of the training where only that differs.
    pub(crate) fn key(&self) -> String {
        match self.store.provenance().seed_train {
            Some(seed) => format!("{} (training seed {seed})", self.name),
            None => self.name.clone(),
        }
    }
}

/// The name of a dataset in front of its options and its place.
fn kind_of(dataset: &str) -> &str {
    let kind = dataset.split_once(':').map_or(dataset, |(kind, _)| kind);
    if matches!(kind, "folder" | "texts" | "csv" | "images" | "sentences") { dataset } else { kind }
}

/// The feature sets of a run.
pub(crate) struct FeatureSets<'a> {
    given: Vec<Features>,
    inputs: Inputs,
    networks: Vec<(Option<String>, Network)>,
    options: OpenOptions,
    device: Device,
    watch: &'a dyn Watch,
    /// What was opened, by how it was asked for.
    open: Vec<(String, Features)>,
}

impl<'a> FeatureSets<'a> {
    /// The feature sets that are asked for, none of them read yet; `given` are in memory.
    ///
    /// # Errors
    /// A backbone that is not known, or weights that fit to none or to several.
    pub(crate) fn new(
        inputs: &Inputs,
        given: Vec<Features>,
        device: Device,
        watch: &'a dyn Watch,
    ) -> Result<FeatureSets<'a>, RunError> {
        let default = OpenOptions::default();
        let options = OpenOptions {
            resident: inputs.memory.unwrap_or(default.resident),
            labels: inputs.labels.clone(),
            feature_columns: inputs.feature_columns.clone(),
            ..default
        };
        let networks = networks(inputs)?;
        Ok(FeatureSets { given, inputs: inputs.clone(), networks, options, device, watch, open: Vec::new() })
    }

    /// The same, with the items of a split left unseen in every feature set that is opened from now on.
    pub(crate) fn without(self, split: Split) -> FeatureSets<'a> {
        FeatureSets { options: OpenOptions { unseen: Some(split), ..self.options }, ..self }
    }

    /// The same for drawing episodes, which looks at no numbers.
    pub(crate) fn for_draws(self) -> FeatureSets<'a> {
        FeatureSets { options: OpenOptions { leaks_are_read: true, ..self.options }, ..self }
    }

    /// The feature sets of a protocol: those that were named, else those of its dataset.
    pub(crate) fn of(&mut self, protocol: &Protocol) -> Result<Vec<Features>, RunError> {
        let mut sets = self.given.clone();
        let mut named: Vec<String> = self.inputs.features.clone();
        if named.is_empty() && sets.is_empty() {
            named.extend(protocol.dataset().map(String::from));
        }
        if named.is_empty() && sets.is_empty() {
            return Err(RunError::Request(format!(
                "protocol `{}` is for any features, but none are named\nhint: add --features PATH (or `glyphs`)",
                protocol.name()
            )));
        }
        self.can_embed(&named)?;
        for asked in &named {
            self.opened(asked, protocol.name(), &mut sets)?;
        }
        different(&sets)?;
        Ok(sets)
    }

    /// That networks which are named have something to read among what is named.
    fn can_embed(&self, named: &[String]) -> Result<(), RunError> {
        let features = |named: &str| Path::new(named).exists() && !self.is_dataset(named);
        let all = !self.inputs.features.is_empty() && named.iter().all(|asked| features(labelled(asked).1));
        match self.networks.first().filter(|_| all) {
            None => Ok(()),
            Some((_, network)) => Err(RunError::Request(format!(
                "--backbone {} has nothing to embed: `{}` holds features, not images or sentences\nhint: name a dataset too (see `kshot list datasets`), or leave --backbone out",
                network.backbone.name(),
                named.join("`, `")
            ))),
        }
    }

    /// The feature sets that were named, for verbs without a protocol; their items have no classes where `unlabelled` says so.
    pub(crate) fn named(mut self, unlabelled: bool) -> Result<Vec<Features>, RunError> {
        self.options.unlabelled = unlabelled;
        let mut sets = self.given.clone();
        let named = self.inputs.features.clone();
        self.can_embed(&named)?;
        for asked in &named {
            self.opened(asked, "", &mut sets)?;
        }
        Ok(sets)
    }

    /// The one feature set of a protocol, for verbs that work on one at a time.
    pub(crate) fn only(&mut self, protocol: &Protocol) -> Result<Features, RunError> {
        let mut sets = self.of(protocol)?;
        match sets.len() {
            1 => Ok(sets.remove(0)),
            found => Err(RunError::Request(format!(
                "{found} feature sets are named, this verb works on one\nhint: call it once for each"
            ))),
        }
    }

    /// Adds what one `--features` gives: itself, or what each network makes of it.
    fn opened(&mut self, asked: &str, protocol: &str, sets: &mut Vec<Features>) -> Result<(), RunError> {
        let (label, named) = labelled(asked);
        if self.inputs.labels.is_some() && self.is_dataset(named) {
            return Err(RunError::Request(format!(
                "`{named}` is a dataset with labels of its own, --labels is for features from files"
            )));
        }
        if !self.inputs.feature_columns.is_empty() && self.is_dataset(named) {
            return Err(RunError::Request(format!(
                "`{named}` is a dataset of items, --feature-columns is for tables of features"
            )));
        }
        if self.is_dataset(named) && !self.networks.is_empty() {
            for place in 0..self.networks.len() {
                let set = self.embedded(place, named)?;
                sets.push(set);
            }
            return Ok(());
        }
        if let Some((_, known)) = self.open.iter().find(|(key, _)| key == asked) {
            sets.push(known.clone());
            return Ok(());
        }
        let store = self.with_embeddings(self.store(named, protocol)?)?;
        let set = if self.is_dataset(named) {
            Features::named_after(label, kind_of(named), store)
        } else {
            Features::of(label, store)
        };
        self.open.push((asked.to_string(), set.clone()));
        sets.push(set);
        Ok(())
    }

    /// What a network makes of a dataset.
    fn embedded(&mut self, place: usize, dataset: &str) -> Result<Features, RunError> {
        let (own, network) = &self.networks[place];
        let key = format!("{dataset}\n{place}");
        if let Some((_, known)) = self.open.iter().find(|(known, _)| *known == key) {
            return Ok(known.clone());
        }
        let (folder, behind, notes) =
            cache::store(network, dataset, self.inputs.cache.as_deref(), self.device, self.watch)?;
        let store =
            Store::open(&folder, &self.options).map_err(|error| error.in_cache(&folder))?.with_notes(notes);
        let name = own.as_deref().unwrap_or(network.backbone.name()).to_string();
        let set = Features {
            name,
            dataset: kind_of(dataset).to_string(),
            store: self.with_embeddings(store)?,
            behind: behind.map(Arc::new),
        };
        self.open.push((key, set.clone()));
        Ok(set)
    }

    fn with_embeddings(&self, store: Store) -> Result<Store, RunError> {
        match &self.inputs.class_embeddings {
            Some(path) => Ok(store.with_class_embeddings(path)?),
            None => Ok(store),
        }
    }

    /// Where datasets are looked for by name.
    fn data(&self) -> PathBuf {
        data_folder(self.inputs.data.as_deref())
    }

    /// Whether a name stands for items that a network can read, and not for features.
    fn is_dataset(&self, named: &str) -> bool {
        let kind = data::kind(named);
        let embedded = kind.is_some_and(Kind::is_made);
        let images = kind.is_some_and(|kind| kind.holds == Holds::Images && !kind.is_made());
        let there = !self.inputs.features.is_empty() && Path::new(named).exists();
        let texts = data::text::is_named(named) || data::text::is_place(named, &self.data());
        let table = !self.networks.is_empty() && data::text::is_table(Path::new(named));
        embedded || (images && !there) || texts || table
    }

    /// The items of a dataset as they are, or features from files.
    fn store(&self, named: &str, protocol: &str) -> Result<Store, RunError> {
        let asked = !self.inputs.features.is_empty();
        // A folder of that name is meant only where it was asked for, and not where a protocol names its dataset.
        let images = match asked && Path::new(named).exists() {
            true => None,
            false => images::named(named, &self.data(), &cache::home())?,
        };
        match data::embedded(named).transpose()?.or(images) {
            Some(store) => Ok(store),
            None if data::text::is_named(named) => Err(RunError::Request(format!(
                "`{named}` is a dataset of texts, and no network is named that makes features of them\nhint: add --backbone bert:weights=FOLDER, or make them once with `kshot embed`"
            ))),
            None if !asked => Err(RunError::Request(format!(
                "protocol `{}` is for dataset `{named}`, which is not embedded\nhint: name its features with --features PATH, or make them with --backbone",
                protocol
            ))),
            None => Ok(Store::open(named, &self.options)?),
        }
    }
}

/// The networks that are asked for, each with its label.
fn networks(inputs: &Inputs) -> Result<Vec<(Option<String>, Network)>, RunError> {
    if inputs.weights.is_some() && inputs.backbones.len() != 1 {
        return Err(RunError::Request(format!(
            "--weights goes with exactly one --backbone, {} are given\nhint: write --backbone NAME:weights=PATH",
            inputs.backbones.len()
        )));
    }
    inputs.backbones.iter().map(|spec| network(inputs, spec)).collect()
}

/// The one network of a request.
pub(crate) fn only_network(inputs: &Inputs) -> Result<Network, RunError> {
    let mut networks = networks(inputs)?;
    match networks.len() {
        1 => Ok(networks.remove(0).1),
        0 => Err(RunError::Request(
            "no network is named\nhint: add --backbone NAME, see `kshot list backbones`".to_string(),
        )),
        found => Err(RunError::Request(format!(
            "{found} networks are named, this verb works with one\nhint: call it once for each"
        ))),
    }
}

/// One network: `[LABEL=]SPEC`.
fn network(inputs: &Inputs, spec: &str) -> Result<(Option<String>, Network), RunError> {
    let (label, spec) = labelled(spec);
    let network = Network {
        backbone: BackboneSpec::parse(spec, inputs.weights.as_deref())?,
        data: data_folder(inputs.data.as_deref()),
        templates: inputs.templates.clone(),
        descriptions: inputs.descriptions.clone(),
        trained_on: inputs.trained_on.clone(),
        saw_classes: inputs.saw_classes,
    };
    Ok((label.map(String::from), network))
}

/// Refuses two feature sets of one name, unless they are trainings of one network with different seeds.
fn different(sets: &[Features]) -> Result<(), RunError> {
    for (place, set) in sets.iter().enumerate() {
        let Some(twin) = sets[..place].iter().find(|other| other.name == set.name) else { continue };
        let (one, other) = (twin.store.provenance(), set.store.provenance());
        let seeds =
            one.seed_train.is_some() && other.seed_train.is_some() && one.seed_train != other.seed_train;
        if !seeds {
            return Err(RunError::Request(format!(
                "two feature sets are called `{}`\nhint: name one of them, NAME=…; only trainings of one network with \
                 different seeds share a name",
                set.name
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_feature_sets_of_one_name_are_refused() {
        let set = || Features::from_rows(&[0.0, 1.0], 1, &["a", "b"]).unwrap();
        assert!(different(&[set().named("a"), set().named("b")]).is_ok());
        let refused = different(&[set(), set()]).unwrap_err().to_string();
        assert!(refused.starts_with("two feature sets are called `features`"), "{refused}");
    }
}
