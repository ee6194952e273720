//! A classifier as a folder: its support as a feature set, and beside it `classifier.toml` with all else and the hashes of the files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::classifier::Classifier;
use super::join;
use super::threshold::{Threshold, ThresholdRule};
use crate::data::{FOLDER_FILES, NewStore, OpenOptions, Precision, Store};
use crate::episode::sha256;
use crate::learner::Learners;
use crate::run::error::RunError;
use crate::run::features::Features;
use crate::run::files::{self, failed};

/// What says that a folder is a classifier.
const ABOUT: &str = "classifier.toml";
/// The files of the folder.
pub(crate) const SAVED: [&str; 7] = [
    FOLDER_FILES[0],
    FOLDER_FILES[1],
    FOLDER_FILES[2],
    FOLDER_FILES[3],
    FOLDER_FILES[4],
    FOLDER_FILES[5],
    ABOUT,
];
/// Raised when older programs would misread it.
const FORMAT: u32 = 1;

/// How items become features, as far as the support says it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Making {
    /// The network, as it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) backbone: Option<String>,
    /// Its weights, where they were named apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) weights: Option<PathBuf>,
    /// The options behind the path of a folder of images, with their commas.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) options: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u32,
    kshot: String,
    learner: String,
    seed: u64,
    rule: ThresholdRule,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<Threshold>,
    making: Making,
    /// SHA-256 of the other files.
    files: BTreeMap<String, String>,
}

/// Writes a classifier into a folder.
pub(super) fn save(
    classifier: &Classifier,
    making: &Making,
    folder: &Path,
    overwrite: bool,
) -> Result<(), RunError> {
    if classifier.learner.needs_network {
        return Err(RunError::Request(format!(
            "learner `{}` trains a network on the raw items of the support, which a saved classifier does not hold\nhint: leave out --save, and name the support again",
            classifier.learner.learner()
        )));
    }
    files::check_free(folder, &SAVED, overwrite)?;
    files::make_folder(folder)?;
    let parts = join::parts(&classifier.support.store)?;
    let listed: Vec<_> =
        parts.splits.iter().flatten().map(|(class, split)| (class.clone(), *split, None)).collect();
    let store = NewStore {
        features: &parts.values,
        dim: parts.dim,
        precision: Precision::F32,
        classes: &parts.class,
        parts: (!parts.part.is_empty()).then_some(parts.part.as_slice()),
        groups: None,
        ids: &parts.id,
        listed: &listed,
        class_embeddings: parts.class_embeddings.as_ref(),
        provenance: &parts.provenance,
        form: parts.form,
    };
    let mut all = store.files()?;
    let hashes = all.iter().map(|(name, bytes)| (name.to_string(), sha256(bytes))).collect();
    let written = Written {
        format: FORMAT,
        kshot: env!("CARGO_PKG_VERSION").to_string(),
        learner: format!("{}:{}", classifier.learner.learner(), classifier.learner),
        seed: classifier.seed,
        rule: classifier.rule,
        threshold: classifier.threshold,
        making: making.clone(),
        files: hashes,
    };
    let text = toml::to_string(&written).map_err(|error| RunError::Request(error.to_string()))?;
    all.push((ABOUT, text.into_bytes()));
    files::write_together(folder, &SAVED, &all)
}

/// Reads a classifier from a folder.
pub(super) fn load(folder: &Path, learners: &Learners) -> Result<(Classifier, Making), RunError> {
    let path = folder.join(ABOUT);
    if !path.is_file() {
        return Err(RunError::Request(format!(
            "{} is no saved classifier, it has no {ABOUT}\nhint: `kshot predict --save DIR` writes one",
            folder.display()
        )));
    }
    let damaged = |what: String| {
        RunError::Data(crate::data::DataError::Damaged { at: crate::data::Place::file(&path), what })
    };
    let text = std::fs::read_to_string(&path).map_err(failed(&path))?;
    let written: Written = toml::from_str(&text).map_err(|error| damaged(error.message().to_string()))?;
    if written.format != FORMAT {
        let found = written.format;
        return Err(damaged(format!("a classifier of format {found}, this program reads format {FORMAT}")));
    }
    for (name, expected) in &written.files {
        let file = folder.join(name);
        let found = std::fs::read(&file).map_err(failed(&file))?;
        if sha256(&found) != *expected {
            return Err(damaged(format!("{name} is not the file that was saved with it")));
        }
    }
    let store = Store::open(folder, &OpenOptions::default())?;
    let learner = learners.cpu().check(&written.learner)?;
    let (rule, threshold, seed) = (written.rule, written.threshold, written.seed);
    let support = Features::of_store(store);
    Ok((Classifier { support, learner, rule, threshold, seed, cautions: Vec::new() }, written.making))
}

impl Classifier {
    /// Writes it into a folder, from which [`Classifier::load`] reads it: the support as a feature set, and `classifier.toml`. Items must
    /// be made into features as those of the support were.
    ///
    /// # Errors
    /// A folder that holds such files already, a learner that owns a network, or files that cannot be written.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<(), RunError> {
        save(self, &Making::default(), folder.as_ref(), false)
    }

    /// Reads a classifier that was saved; its files must be those that were written.
    ///
    /// # Errors
    /// A folder that is none, files that are others or damaged, or a learner that is not known.
    pub fn load(folder: impl AsRef<Path>, learners: &Learners) -> Result<Classifier, RunError> {
        Ok(load(folder.as_ref(), learners)?.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Resources;

    fn classifier(learners: &Learners) -> Classifier {
        let values = [0.0, 0.0, 0.5, 0.0, 9.0, 9.0, 9.5, 9.0, 0.0, 9.0, 0.5, 9.0];
        let support = Features::from_rows(&values, 2, &["a", "a", "b", "b", "c", "c"]).unwrap();
        Classifier::fit(support, "linear-probe:c=10", ThresholdRule::default(), 7, &Resources::of(learners))
            .unwrap()
    }

    #[test]
    fn a_saved_classifier_answers_as_before_and_takes_more_classes() {
        let (learners, place) = (Learners::shipped(), tempfile::tempdir().unwrap());
        let with = Resources::of(&learners);
        let (before, folder) = (classifier(&learners), place.path().join("saved"));
        before.save(&folder).unwrap();
        let after = Classifier::load(&folder, &learners).unwrap();
        assert_eq!((after.threshold(), after.learner()), (before.threshold(), before.learner()));
        let items = Features::unlabelled(&[0.2, 0.1, 9.1, 9.0, 20.0, -20.0], 2).unwrap();
        assert_eq!(after.predict(&items, &with).unwrap(), before.predict(&items, &with).unwrap());
        let more = Features::from_rows(&[20.0, -20.0, 21.0, -20.0], 2, &["d", "d"]).unwrap();
        let wider = after.with(&more, &with).unwrap();
        assert_eq!(wider.classes(), ["a", "b", "c", "d"]);
        assert_eq!(wider.predict(&items, &with).unwrap().items[2].class, "d");
    }

    #[test]
    fn a_folder_that_was_changed_is_refused() {
        let (learners, place) = (Learners::shipped(), tempfile::tempdir().unwrap());
        classifier(&learners).save(place.path()).unwrap();
        let said = || Classifier::load(place.path(), &learners).unwrap_err().to_string();
        assert!(
            classifier(&learners).save(place.path()).unwrap_err().to_string().contains("is there already")
        );
        let items = place.path().join("items.csv");
        let text = std::fs::read_to_string(&items).unwrap();
        std::fs::write(&items, text.replacen("\na,", "\nb,", 1)).unwrap();
        assert!(said().contains("items.csv is not the file that was saved with it"), "{}", said());
        std::fs::write(place.path().join(ABOUT), "format = 1").unwrap();
        assert!(said().contains("missing field"), "{}", said());
        std::fs::remove_file(place.path().join(ABOUT)).unwrap();
        assert!(said().contains("is no saved classifier"), "{}", said());
    }
}
