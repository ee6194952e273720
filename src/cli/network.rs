//! From a dataset and a network to a feature store: what `embed` writes, and what `evaluate` keeps in its cache.

use std::path::PathBuf;

use clap::Args;

use super::device::Device;
use super::error::CliError;
use super::pictures;
use crate::backbone::NETWORKS;
use crate::data::Precision;
use crate::vocab::SawClasses;

/// Which network makes features of what.
#[derive(Args, Clone, Debug)]
pub(super) struct Network {
    /// Network that makes features of a dataset; see `kshot list backbones`.
    #[arg(long, value_name = "NAME")]
    pub(super) backbone: Option<String>,
    /// Its weights: for networks of images a file as `kshot train` writes it, for `bert` a folder as the
    /// sentence-transformers library saves it.
    #[arg(long, value_name = "PATH", requires = "backbone")]
    pub(super) weights: Option<PathBuf>,
    /// Folder in which datasets are looked for by name. Default: KSHOT_DATA, else `data`.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Text around the words of a class, at `{}`, for class vectors; repeat for several, which are averaged.
    #[arg(long = "template", value_name = "TEXT", requires = "backbone", value_parser = template)]
    pub(super) templates: Vec<String>,
    /// Descriptions of classes for class vectors, a .csv of class and description. Default: the names of the classes.
    #[arg(long, value_name = "FILE", requires = "backbone")]
    pub(super) descriptions: Option<PathBuf>,
    /// What the network was trained on, for the record.
    #[arg(long, value_name = "TEXT", requires = "backbone")]
    pub(super) trained_on: Option<String>,
    /// Whether its training saw the classes: none, some, all or unknown, for the record.
    #[arg(long, value_name = "WORD", requires = "backbone", default_value = "unknown")]
    pub(super) saw_classes: SawClasses,
}

/// The networks, with a line on each.
pub(super) fn backbones() -> Vec<(&'static str, &'static str)> {
    let mut all = vec![("pixels", "the pixels of images as they are")];
    all.extend(NETWORKS);
    all.push((
        "bert",
        "sentence encoder of texts (Devlin et al. 2019, Reimers and Gurevych 2019); needs a build with --features text",
    ));
    all
}

/// The folder in which datasets are looked for: the one that was named, that of KSHOT_DATA, or `data`.
pub(super) fn data_folder(named: Option<&std::path::Path>) -> PathBuf {
    let set = || std::env::var_os("KSHOT_DATA").filter(|value| !value.is_empty()).map(PathBuf::from);
    named.map(PathBuf::from).or_else(set).unwrap_or_else(|| PathBuf::from("data"))
}

/// Reads a template.
fn template(text: &str) -> Result<String, String> {
    match text.matches("{}").count() {
        1 => Ok(text.to_string()),
        count => Err(format!("must have the place of the words, {{}}, once, found it {count} times")),
    }
}

/// A feature store that can be made: everything is read and checked, the network has not run.
pub(super) struct Plan {
    /// The name of the dataset.
    pub(super) dataset: String,
    /// What the features depend on, as lines.
    pub(super) recipe: String,
    work: Work,
}

/// A feature store that was made.
pub(super) struct Made {
    /// The files of its folder.
    pub(super) files: Vec<(&'static str, Vec<u8>)>,
    pub(super) items: usize,
    pub(super) dim: usize,
    /// Items that were cut.
    pub(super) cut: u64,
}

enum Work {
    Pictures(Box<pictures::Work>),
    #[cfg(feature = "text")]
    Sentences(Box<super::sentences::Work>),
}

impl Network {
    /// Where datasets are looked for by name.
    pub(super) fn data(&self) -> PathBuf {
        data_folder(self.data.as_deref())
    }

    /// Reads the dataset and the network that make a feature store.
    pub(super) fn plan(&self, dataset: &str) -> Result<Plan, CliError> {
        let asked = self.backbone.as_deref().unwrap_or_default();
        match asked {
            "" => Err(CliError::Request(
                "no network is named\nhint: add --backbone NAME, see `kshot list backbones`".to_string(),
            )),
            "bert" => self.sentences(dataset),
            "pixels" => self.pictures(asked, dataset),
            _ if NETWORKS.iter().any(|(name, _)| *name == asked) => self.pictures(asked, dataset),
            other => {
                let known: Vec<String> = backbones().iter().map(|(name, _)| format!("`{name}`")).collect();
                Err(CliError::Request(format!(
                    "unknown backbone `{other}`, expected one of {}",
                    known.join(", ")
                )))
            }
        }
    }

    fn pictures(&self, backbone: &str, dataset: &str) -> Result<Plan, CliError> {
        let (dataset, recipe, work) = pictures::plan(self, backbone, dataset)?;
        Ok(Plan { dataset, recipe, work: Work::Pictures(Box::new(work)) })
    }

    #[cfg(feature = "text")]
    fn sentences(&self, dataset: &str) -> Result<Plan, CliError> {
        let (dataset, recipe, work) = super::sentences::plan(self, dataset)?;
        Ok(Plan { dataset, recipe, work: Work::Sentences(Box::new(work)) })
    }

    #[cfg(not(feature = "text"))]
    fn sentences(&self, _: &str) -> Result<Plan, CliError> {
        Err(CliError::Request(
            "this build has no sentence encoders, backbone `bert` needs them\nhint: build with --features text"
                .to_string(),
        ))
    }
}

impl Plan {
    /// Runs the network.
    pub(super) fn make(self, precision: Precision, device: Device) -> Result<Made, CliError> {
        match self.work {
            Work::Pictures(work) => work.make(&self.dataset, precision, device),
            #[cfg(feature = "text")]
            Work::Sentences(work) => work.make(&self.dataset, precision, device),
        }
    }
}
