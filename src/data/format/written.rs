//! Features as their files say them, before anything is checked: what every reader hands to the check.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::data::index::ClassIndex;
use crate::data::place::store_name;
use crate::data::store::values::{Element, Values};
use crate::data::{DataError, Place, StoreWarning};
use crate::vocab::{Form, SawClasses, Split, UnknownWord};

/// Where the features of a store come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The network that made them; `unknown` where nobody wrote it down.
    pub backbone: String,
    /// What that network was trained on, where known.
    pub trained_on: Option<String>,
    /// Whether its training saw the classes of the store.
    pub saw_classes: SawClasses,
    /// The splits of the store whose classes its training saw, all of them; empty where only
    /// [`Provenance::saw_classes`] is known.
    pub saw_splits: Vec<Split>,
    /// SHA-256 over the files of its weights, where kshot made the features with it.
    pub weights_sha256: Option<String>,
    /// Seed of the network's training, where kshot trained it.
    pub seed_train: Option<u64>,
    /// Items that were longer than the network reads, and were truncated.
    pub truncated: u64,
    /// What was done to pictures before the network, where it says so itself.
    pub preprocessing: Option<String>,
    /// What the class embeddings were made of, where kshot made them.
    pub class_embeddings: Option<EmbeddingSource>,
}

/// What class embeddings were made of.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingSource {
    /// The texts of the classes: `label names`, or the name of a file of descriptions.
    pub texts: String,
    /// SHA-256 of that file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub texts_sha256: Option<String>,
    /// What each text was set into at `{}`.
    pub templates: Vec<String>,
}

impl Provenance {
    /// Whether the training saw the classes of those splits that `holds` picks: more than
    /// [`Provenance::saw_classes`] says where it is known which splits it saw.
    pub fn saw(&self, index: &ClassIndex, holds: impl Fn(Split) -> bool) -> SawClasses {
        if self.saw_splits.is_empty() {
            return self.saw_classes;
        }
        let picked = index.classes().iter().filter(|class| holds(class.split));
        let (seen, unseen): (Vec<_>, Vec<_>) =
            picked.partition(|class| self.saw_splits.contains(&class.split));
        match (seen.is_empty(), unseen.is_empty()) {
            (true, _) => SawClasses::None,
            (false, false) => SawClasses::Some,
            (false, true) => SawClasses::All,
        }
    }
}

impl Default for Provenance {
    fn default() -> Provenance {
        Provenance {
            backbone: "unknown".to_string(),
            trained_on: None,
            saw_classes: SawClasses::Unknown,
            saw_splits: Vec::new(),
            weights_sha256: None,
            seed_train: None,
            truncated: 0,
            preprocessing: None,
            class_embeddings: None,
        }
    }
}

/// What store.toml, or the metadata of a .safetensors file, may say of a store as a whole.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::data) struct About {
    backbone: Option<String>,
    trained_on: Option<String>,
    saw_classes: Option<String>,
    saw_splits: Option<Vec<String>>,
    form: Option<String>,
    weights_sha256: Option<String>,
    seed_train: Option<u64>,
    truncated: Option<u64>,
    preprocessing: Option<String>,
    class_embeddings: Option<EmbeddingSource>,
}

impl About {
    /// The keys in a list for messages.
    pub const KEYS: [&str; 5] = ["backbone", "trained_on", "saw_classes", "form", "weights_sha256"];

    /// The values of [`About::KEYS`], looked up one by one.
    pub fn look_up(get: impl Fn(&str) -> Option<String>) -> About {
        let [backbone, trained_on, saw_classes, form, weights_sha256] = About::KEYS.map(get);
        About { backbone, trained_on, saw_classes, form, weights_sha256, ..About::default() }
    }

    /// What store.toml says of features of this provenance and form.
    pub fn of(provenance: &Provenance, form: Form) -> About {
        let Provenance {
            backbone,
            trained_on,
            saw_classes,
            saw_splits,
            weights_sha256,
            seed_train,
            truncated,
            preprocessing,
            class_embeddings,
        } = provenance.clone();
        About {
            backbone: Some(backbone),
            trained_on,
            saw_classes: Some(saw_classes.to_string()),
            saw_splits: (!saw_splits.is_empty())
                .then(|| saw_splits.iter().map(|split| split.word().to_string()).collect()),
            form: (form != Form::Vector).then(|| form.to_string()),
            weights_sha256,
            seed_train,
            truncated: (truncated > 0).then_some(truncated),
            preprocessing,
            class_embeddings,
        }
    }

    /// The words as types.
    pub fn parse(self) -> Result<(Provenance, Form), UnknownWord> {
        let unknown = Provenance::default();
        let provenance = Provenance {
            backbone: self.backbone.unwrap_or(unknown.backbone),
            trained_on: self.trained_on,
            saw_classes: self.saw_classes.map_or(Ok(SawClasses::Unknown), |word| word.parse())?,
            saw_splits: self
                .saw_splits
                .unwrap_or_default()
                .iter()
                .map(|word| word.parse())
                .collect::<Result<_, UnknownWord>>()?,
            weights_sha256: self.weights_sha256,
            seed_train: self.seed_train,
            truncated: self.truncated.unwrap_or(0),
            preprocessing: self.preprocessing,
            class_embeddings: self.class_embeddings,
        };
        Ok((provenance, self.form.map_or(Ok(Form::Vector), |word| word.parse())?))
    }
}

/// One name per item, each different name kept once, in order of first appearance.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::data) struct Names {
    pub names: Vec<String>,
    /// Per item, a place in `names`.
    pub of: Vec<u32>,
    places: HashMap<String, u32>,
}

impl Names {
    pub fn push(&mut self, name: &str) {
        // Items mostly lie class by class.
        if let Some(last) = self.of.last().copied().filter(|last| self.names[*last as usize] == name) {
            return self.of.push(last);
        }
        let place = self.place(name);
        self.of.push(place);
    }

    /// The place of a name, which becomes known.
    pub fn place(&mut self, name: &str) -> u32 {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = self.names.len() as u32;
        self.names.push(name.to_string());
        self.places.insert(name.to_string(), place);
        place
    }

    /// Appends the items of another column.
    pub fn append(&mut self, other: &Names) {
        let places: Vec<u32> = other.names.iter().map(|name| self.place(name)).collect();
        self.of.extend(other.of.iter().map(|code| places[*code as usize]));
    }

    /// The name of an item.
    pub fn name(&self, row: usize) -> &str {
        &self.names[self.of[row] as usize]
    }
}

impl<S: AsRef<str>> FromIterator<S> for Names {
    fn from_iter<I: IntoIterator<Item = S>>(all: I) -> Names {
        let mut names = Names::default();
        all.into_iter().for_each(|name| names.push(name.as_ref()));
        names
    }
}

impl Names {
    /// Items given as numbers into a list of names.
    pub fn from_codes(codes: &[i64], names: &[String], at: &Place) -> Result<Names, DataError> {
        let mut found = Names::default();
        let mut places = vec![None; names.len()];
        for (row, code) in codes.iter().enumerate() {
            let listed = usize::try_from(*code).ok().filter(|c| *c < names.len());
            let Some(listed) = listed else {
                return Err(DataError::BadCode { at: at.clone(), row, code: *code, names: names.len() });
            };
            let place = *places[listed].get_or_insert_with(|| found.place(&names[listed]));
            found.of.push(place);
        }
        Ok(found)
    }
}

/// A class in a list of classes.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::data) struct Listed {
    pub class: String,
    pub split: Split,
    pub cluster: Option<String>,
    /// The line of the list, where it stands in lines.
    pub line: Option<u64>,
}

/// The classes with their splits, as listed.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::data) struct Listing {
    pub at: Place,
    pub classes: Vec<Listed>,
}

impl Listing {
    /// The classes in their order, as that of class embeddings.
    pub fn order(&self) -> (Place, Vec<String>) {
        (self.at.clone(), self.classes.iter().map(|listed| listed.class.clone()).collect())
    }
}

/// Class embeddings as written.
#[derive(Debug)]
pub(in crate::data) struct Matrix {
    pub at: Place,
    /// The class of each row, with the place that says it.
    pub order: Option<(Place, Vec<String>)>,
    pub values: Arc<[f32]>,
    pub rows: usize,
    pub class_dim: usize,
}

/// A file of a store, with the name under which its fingerprint counts.
pub(in crate::data) type NamedFile = (String, PathBuf);

/// Features as written.
#[derive(Debug)]
pub(in crate::data) struct Features {
    /// The file or array.
    pub at: Place,
    pub values: Values,
    /// The type of the numbers as they are written.
    pub element: Element,
    pub rows: usize,
    pub dim: usize,
}

/// What is said of each item.
#[derive(Debug)]
pub(in crate::data) struct Labels {
    /// The file or array of the classes.
    pub at: Place,
    pub class: Names,
    /// Absent: all classes are novel.
    pub listing: Option<Listing>,
    pub part: Option<Names>,
    pub group: Option<Names>,
    pub id: Option<Vec<String>>,
}

impl Labels {
    /// Classes of which nothing else is said.
    pub fn of(at: Place, class: Names) -> Labels {
        Labels { at, class, listing: None, part: None, group: None, id: None }
    }
}

/// The columns of a table that are its features.
#[derive(Clone, Debug, Default)]
pub(in crate::data) struct FeatureColumns {
    /// By place among the features; a column of lists alone.
    pub names: Vec<String>,
    /// Whether each was asked for by its very name.
    pub listed: Vec<bool>,
    pub warning: Option<StoreWarning>,
}

/// What the files of features say.
#[derive(Debug)]
pub(in crate::data) struct Written {
    pub name: String,
    pub path: Option<PathBuf>,
    pub files: Vec<NamedFile>,
    pub features: Features,
    /// The columns that the features are, where they stand in a table.
    pub columns: Option<FeatureColumns>,
    /// Absent, or without classes, only where labels are given apart.
    pub labels: Option<Labels>,
    /// The splits that a file of their own lists.
    pub splits: Option<Listing>,
    pub class_embeddings: Option<Matrix>,
    pub provenance: Provenance,
    pub form: Form,
}

impl Written {
    /// What one file says, which knows neither class embeddings nor where its features come from.
    pub fn of_file(path: &Path, features: Features, labels: Option<Labels>) -> Written {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Written {
            name: store_name(path),
            path: Some(path.to_path_buf()),
            files: vec![(name, path.to_path_buf())],
            features,
            columns: None,
            labels,
            splits: None,
            class_embeddings: None,
            provenance: Provenance::default(),
            form: Form::Vector,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_once_in_order_of_first_appearance() {
        let mut names: Names = ["b", "b", "a", "b"].iter().collect();
        names.append(&["c", "a"].iter().collect());
        assert_eq!((names.names.join(""), names.of), ("bac".to_string(), vec![0, 0, 1, 0, 2, 1]));
    }

    #[test]
    fn codes_are_renumbered_by_first_appearance() {
        let list = ["x", "y", "z"].map(String::from);
        let at = Place::file(Path::new("a.npz"));
        let names = Names::from_codes(&[2, 0, 2], &list, &at).unwrap();
        assert_eq!((names.names.join(""), names.of), ("zx".to_string(), vec![0, 1, 0]));
        for code in [4, 3] {
            let error = Names::from_codes(&[0, code], &list, &at).unwrap_err().to_string();
            let text =
                format!("a.npz: item 1 has class code {code}, and `classes` has 3 names, counted from 0");
            assert_eq!(error, text);
        }
    }
}
