//! From a dataset and a network to a feature store: what `embed` writes, and what `evaluate` keeps in its cache.

pub(crate) mod cache;
#[cfg(feature = "text")]
mod class_tower;
pub(crate) mod images;
mod kept;
pub(crate) mod photographs;
#[cfg(feature = "text")]
mod texts;
pub(crate) mod whole;

pub(crate) use images::Behind;

use std::path::{Path, PathBuf};

use crate::backbone::BackboneSpec;
use crate::data::{FOLDER_FILES, Precision, StoreWarning, open_dataset};
use crate::results::{Shard, Warning};
use crate::run::device::Device;
use crate::run::error::RunError;
use crate::run::files;
use crate::run::watch::Watch;
use crate::vocab::{SawClasses, counted};

/// Which network makes features of what.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// The network and its weights.
    pub(crate) backbone: BackboneSpec,
    /// Folder in which datasets are looked for by name.
    pub(crate) data: PathBuf,
    /// Text around the words of a class, at `{}`, for class vectors; several are averaged.
    pub(crate) templates: Vec<String>,
    /// Descriptions of classes for class vectors, a .csv of class and description.
    pub(crate) descriptions: Option<PathBuf>,
    /// What the network was trained on, for the record.
    pub(crate) trained_on: Option<String>,
    /// Whether its training saw the classes, for the record.
    pub(crate) saw_classes: SawClasses,
}

/// The folder in which datasets are looked for: the one that was named, that of KSHOT_DATA, or `data`.
pub(crate) fn data_folder(named: Option<&Path>) -> PathBuf {
    let set = || std::env::var_os("KSHOT_DATA").filter(|value| !value.is_empty()).map(PathBuf::from);
    named.map(PathBuf::from).or_else(set).unwrap_or_else(|| PathBuf::from("data"))
}

/// A feature store that can be made: everything is read and checked, the network has not run.
pub(crate) struct Plan {
    /// The name of the dataset.
    pub(crate) dataset: String,
    /// What the features depend on, as lines.
    pub(crate) recipe: String,
    work: Work,
}

/// How a feature store is made.
pub(crate) struct How<'a> {
    pub(crate) precision: Precision,
    pub(crate) device: Device,
    /// The part of the items that is made; all of them where none is named.
    pub(crate) shard: Option<Shard>,
    /// Whether images that cannot be read are left out, not refused.
    pub(crate) skip_broken: bool,
    pub(crate) watch: &'a dyn Watch,
}

/// A feature store that was written.
pub(crate) struct Written {
    pub(crate) items: usize,
    pub(crate) dim: usize,
    /// Items that were truncated.
    pub(crate) cut: u64,
    /// What a reader should know.
    pub(crate) warnings: Vec<Warning>,
}

/// A feature store that was made in memory.
pub(crate) struct Made {
    /// The files of its folder.
    pub(crate) files: Vec<(&'static str, Vec<u8>)>,
    pub(crate) items: usize,
    pub(crate) dim: usize,
    /// Items that were truncated.
    pub(crate) cut: u64,
    /// What a reader should know.
    pub(crate) warnings: Vec<Warning>,
}

enum Work {
    Pictures(Box<images::Work>),
    Photographs(Box<photographs::Work>),
    #[cfg(feature = "text")]
    Sentences(Box<texts::Work>),
}

impl Network {
    /// Reads the dataset and the network that make a feature store.
    pub(crate) fn plan(&self, dataset: &str) -> Result<Plan, RunError> {
        match self.backbone.folder() {
            Some(folder) => self.sentences(folder, dataset),
            None => self.pictures(dataset),
        }
    }

    fn pictures(&self, dataset: &str) -> Result<Plan, RunError> {
        let mut saved = self.backbone.read()?;
        if saved.is_none() && open_dataset(dataset, &self.data)?.is_some() {
            saved = self.backbone.untrained_published()?;
        }
        let preprocessing =
            saved.as_ref().map(|saved| photographs::recipe(saved, self)).transpose()?.flatten();
        match (saved, preprocessing) {
            (Some(saved), Some(preprocessing)) => {
                self.check_texts()?;
                let (dataset, recipe, work) = photographs::plan(self, dataset, saved, preprocessing)?;
                Ok(Plan { dataset, recipe, work: Work::Photographs(Box::new(work)) })
            }
            (saved, _) => {
                let (dataset, recipe, work) = images::plan(self, dataset, saved)?;
                Ok(Plan { dataset, recipe, work: Work::Pictures(Box::new(work)) })
            }
        }
    }

    /// Refuses texts for classes where no tower makes embeddings of them.
    fn check_texts(&self) -> Result<(), RunError> {
        if !self.backbone.has_text_tower() || (self.templates.is_empty() && self.descriptions.is_none()) {
            return images::refuse_texts(self, self.backbone.name());
        }
        let name = self.backbone.name();
        if !cfg!(feature = "text") {
            return Err(RunError::Request(format!(
                "this build cannot read texts, the text tower of `{name}` needs that\nhint: build with --features text"
            )));
        }
        match self.backbone.text_tower() {
            Some(_) => Ok(()),
            None => Err(RunError::Request(format!(
                "backbone `{}` has no text tower: it needs tokenizer.json beside its weights, and features without `cut` and `pool=mean`",
                self.backbone
            ))),
        }
    }

    #[cfg(feature = "text")]
    fn sentences(&self, folder: &Path, dataset: &str) -> Result<Plan, RunError> {
        let (dataset, recipe, work) = texts::plan(self, folder, dataset)?;
        Ok(Plan { dataset, recipe, work: Work::Sentences(Box::new(work)) })
    }

    #[cfg(not(feature = "text"))]
    fn sentences(&self, _: &Path, _: &str) -> Result<Plan, RunError> {
        Err(RunError::Request(
            "this build has no sentence encoders, which texts need\nhint: build with --features text"
                .to_string(),
        ))
    }
}

impl Plan {
    /// The network and the raw items, where learners can be given both.
    pub(crate) fn behind(&self) -> Option<Behind> {
        match &self.work {
            Work::Pictures(work) => work.behind(),
            Work::Photographs(work) => work.behind(),
            #[cfg(feature = "text")]
            Work::Sentences(_) => None,
        }
    }

    /// What was left out of the dataset, as sentences.
    pub(crate) fn notes(&self) -> Vec<StoreWarning> {
        match &self.work {
            Work::Pictures(work) => work.notes(),
            Work::Photographs(work) => work.notes().iter().cloned().map(StoreWarning::Note).collect(),
            #[cfg(feature = "text")]
            Work::Sentences(_) => Vec::new(),
        }
    }

    /// Runs the network, and writes what it gives into a folder.
    pub(crate) fn write(self, folder: &Path, how: &How<'_>) -> Result<Written, RunError> {
        let made = match self.work {
            Work::Photographs(work) => return photographs_into(&work, &self.dataset, folder, how),
            Work::Pictures(_) if how.shard.is_some() || how.skip_broken => return Err(only_photographs(how)),
            #[cfg(feature = "text")]
            Work::Sentences(_) if how.shard.is_some() || how.skip_broken => {
                return Err(only_photographs(how));
            }
            Work::Pictures(work) => work.make(&self.dataset, how.precision, how.device, how.watch)?,
            #[cfg(feature = "text")]
            Work::Sentences(work) => work.make(&self.dataset, how.precision, how.device, how.watch)?,
        };
        files::write_together(folder, &FOLDER_FILES, &made.files)?;
        let Made { items, dim, cut, warnings, .. } = made;
        Ok(Written { items, dim, cut, warnings })
    }
}

fn only_photographs(how: &How<'_>) -> RunError {
    let flag = if how.shard.is_some() { "--shard" } else { "--skip-broken" };
    RunError::Request(format!(
        "{flag} is for photographs, which a network with preprocessing of its own reads one by one\nhint: leave {flag} out"
    ))
}

/// Embeds photographs into a folder, which is this run's until they are done.
fn photographs_into(
    work: &photographs::Work,
    dataset: &str,
    folder: &Path,
    how: &How<'_>,
) -> Result<Written, RunError> {
    let held = files::hold(folder)?;
    let embedded = work.embed(folder, how.shard, how.device, how.watch)?;
    let of = embedded.part.len();
    let finished = match how.shard {
        None => whole::write(&held, dataset, embedded, how.precision, how.skip_broken)?,
        Some(shard) => whole::write_part(&held, dataset, embedded, shard, how.precision, how.skip_broken)?,
    };
    let mut warnings = finished.warnings(dataset, of);
    let notes = work.notes().iter();
    warnings
        .extend(notes.map(|note| Warning::Features { features: dataset.to_string(), finding: note.clone() }));
    Ok(Written { items: finished.items, dim: finished.dim, cut: 0, warnings })
}

impl whole::Finished {
    /// What a reader should know of `of` photographs.
    pub(crate) fn warnings(&self, dataset: &str, of: usize) -> Vec<Warning> {
        let mut findings = Vec::new();
        if !self.broken.is_empty() {
            let (count, list) = (self.broken.len(), whole::list(&self.broken));
            findings.push(format!("{count} of {of} images cannot be read and are left out: {list}"));
        }
        if self.animated > 0 {
            let images = counted(self.animated as u64, "image is animated", "images are animated");
            findings.push(format!("{images}, the first frame is read"));
        }
        let warning = |finding| Warning::Features { features: dataset.to_string(), finding };
        findings.into_iter().map(warning).collect()
    }
}
