//! From a dataset and a network to a feature store: what `embed` writes, and what `evaluate` keeps in its cache.

pub(crate) mod cache;
pub(crate) mod images;
#[cfg(feature = "text")]
mod texts;

pub(crate) use images::Behind;

use std::path::{Path, PathBuf};

use crate::backbone::BackboneSpec;
use crate::data::{Precision, StoreWarning};
use crate::results::Warning;
use crate::run::device::Device;
use crate::run::error::RunError;
use crate::run::watch::Watch;
use crate::vocab::SawClasses;

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

/// A feature store that was made.
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
        let (dataset, recipe, work) = images::plan(self, dataset)?;
        Ok(Plan { dataset, recipe, work: Work::Pictures(Box::new(work)) })
    }

    #[cfg(feature = "text")]
    fn sentences(&self, folder: &Path, dataset: &str) -> Result<Plan, RunError> {
        let (dataset, recipe, work) = texts::plan(self, folder, dataset)?;
        Ok(Plan { dataset, recipe, work: Work::Sentences(Box::new(work)) })
    }

    #[cfg(not(feature = "text"))]
    fn sentences(&self, _: &Path, _: &str) -> Result<Plan, RunError> {
        Err(RunError::Request(
            "this build has no sentence encoders, backbone `bert` needs them\nhint: build with --features text"
                .to_string(),
        ))
    }
}

impl Plan {
    /// The network and the raw items, where learners can be given both.
    pub(crate) fn behind(&self) -> Option<Behind> {
        match &self.work {
            Work::Pictures(work) => work.behind(),
            #[cfg(feature = "text")]
            Work::Sentences(_) => None,
        }
    }

    /// What was left out of the dataset, as sentences.
    pub(crate) fn notes(&self) -> Vec<StoreWarning> {
        match &self.work {
            Work::Pictures(work) => work.notes(),
            #[cfg(feature = "text")]
            Work::Sentences(_) => Vec::new(),
        }
    }

    /// Runs the network.
    pub(crate) fn make(
        self,
        precision: Precision,
        device: Device,
        watch: &dyn Watch,
    ) -> Result<Made, RunError> {
        match self.work {
            Work::Pictures(work) => work.make(&self.dataset, precision, device, watch),
            #[cfg(feature = "text")]
            Work::Sentences(work) => work.make(&self.dataset, precision, device, watch),
        }
    }
}
