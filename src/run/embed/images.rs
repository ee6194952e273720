//! Images as features: what `embed` and `evaluate` do with a dataset of images and a backbone.

use std::path::Path;
use std::sync::Arc;

use super::{Made, Network, cache};
use crate::backbone::{Architecture, Saved, embed_all};
use crate::data::{self, DATASETS, Holds, NewStore, Precision, Provenance, Store, StoreWarning, images};
use crate::episode::sha256;
use crate::eval::{Kept, RawItems};
use crate::results::Warning;
use crate::run::device::{Device, on_device};
use crate::run::error::RunError;
use crate::run::watch::{Progress, Watch};
use crate::tensor::TensorError;
use crate::tensor::conv::ConvOps;
use crate::vocab::{Form, ItemId, SawClasses, Split};

/// A network of images and the images that it makes features of.
#[derive(Debug)]
pub(crate) struct Behind {
    pub(crate) items: RawItems,
    pub(crate) network: Arc<Saved>,
    /// What items gave that have passed a frozen part of the network.
    pub(crate) kept: Kept,
}

/// Images and a network, read and checked.
pub(crate) struct Work {
    store: Store,
    /// Nothing where the pixels themselves are the features.
    network: Option<Saved>,
    provenance: Provenance,
}

/// The store of pixels of a dataset by name: an embedded one, or one that is read from files.
pub(crate) fn store(dataset: &str, folder: &Path) -> Result<Store, RunError> {
    let store = match data::embedded(dataset) {
        Some(store) => store?,
        None => images::named(dataset, folder, &cache::home())?.ok_or_else(|| {
            let images = DATASETS.iter().filter(|kind| kind.holds == Holds::Images);
            let known: Vec<String> = images.map(|kind| format!("`{}`", kind.usage)).collect();
            let known = known.join(", ");
            RunError::Request(format!("dataset `{dataset}` has no images, expected one of {known}"))
        })?,
    };
    match store.form() {
        Form::Image { .. } => Ok(store),
        form => {
            Err(RunError::Request(format!("dataset `{dataset}` has items of form `{form}`, expected images")))
        }
    }
}

/// The name of a dataset, what its features depend on, and the work that makes them.
pub(crate) fn plan(
    network: &Network,
    dataset: &str,
    read: Option<Saved>,
) -> Result<(String, String, Work), RunError> {
    let backbone = &network.backbone;
    refuse_texts(network, backbone.name())?;
    let store = store(dataset, &network.data)?;
    let saved = match read {
        Some(read) => Some(read),
        None => backbone.untrained(store.form())?,
    };
    if let Some(saved) = saved.as_ref().filter(|saved| saved.config.form() != store.form()) {
        let (expected, found) = (saved.config.form(), store.form());
        let (dataset, backbone) = (dataset.to_string(), backbone.name().to_string());
        let hint =
            resized(&dataset, found, expected).map_or(String::new(), |to| format!("\nhint: write {to}"));
        return Err(RunError::OtherForm { dataset, found, backbone, expected, hint });
    }
    let data_sha256 = store.data_sha256()?;
    let provenance = provenance(network, saved.as_ref(), &store, &data_sha256);
    let recipe = format!("{dataset}\n{data_sha256}\n{provenance:?}\n");
    Ok((store.name().to_string(), recipe, Work { store, network: saved, provenance }))
}

/// The name by which a folder of images would have them in the form that is expected.
fn resized(dataset: &str, found: Form, expected: Form) -> Option<String> {
    let (Form::Image { channels: had, .. }, Form::Image { channels, height, width }) = (found, expected)
    else {
        return None;
    };
    let (mut folder, square) = (dataset, height == width);
    folder.starts_with("folder:").then_some(())?;
    while let Some((before, _)) = folder.rsplit_once(',').filter(|(_, option)| option.contains('=')) {
        folder = before;
    }
    let channels = if had == channels { String::new() } else { format!(",channels={channels}") };
    square.then(|| format!("{folder},side={height}{channels}"))
}

pub(crate) fn refuse_texts(network: &Network, backbone: &str) -> Result<(), RunError> {
    let given =
        [("--template", !network.templates.is_empty()), ("--descriptions", network.descriptions.is_some())];
    match given.iter().find(|(_, given)| *given) {
        Some((flag, _)) => {
            Err(RunError::Request(format!("backbone `{backbone}` is for images, {flag} is for texts")))
        }
        None => Ok(()),
    }
}

/// Where the features come from, as the weights tell it where the command line does not.
fn provenance(network: &Network, saved: Option<&Saved>, store: &Store, data_sha256: &str) -> Provenance {
    let Some(saved) = saved else {
        let trained_on = network.trained_on.clone();
        let saw_classes = SawClasses::None;
        return Provenance {
            backbone: "pixels".to_string(),
            trained_on,
            saw_classes,
            ..Provenance::default()
        };
    };
    let backbone = network.backbone.name();
    let said = |key: &str| saved.metadata.get(key).cloned();
    // Trained on these very items: their splits say which classes it has seen. Of other items nobody knows.
    let same =
        network.saw_classes == SawClasses::Unknown && said("data_sha256").as_deref() == Some(data_sha256);
    let saw_splits =
        said("trained_on").filter(|_| same).and_then(|text| splits_of(&text)).unwrap_or_default();
    let provenance = Provenance {
        backbone: said("recipe").map_or(backbone.to_string(), |recipe| format!("{backbone}:{recipe}")),
        trained_on: network.trained_on.clone().or_else(|| said("trained_on")),
        // What nobody has trained has seen nothing.
        saw_classes: network.backbone.seed_train().map_or(network.saw_classes, |_| SawClasses::None),
        saw_splits,
        weights_sha256: Some(sha256(&saved.bytes())),
        // TOML, which store.toml is, has no larger numbers.
        seed_train: said("seed")
            .and_then(|seed| seed.parse().ok())
            .filter(|seed| i64::try_from(*seed).is_ok()),
        ..Provenance::default()
    };
    Provenance { saw_classes: provenance.saw(store.index(), |_| true), ..provenance }
}

/// The splits in `DATASET (base, validation)`, as trainings write down what they were trained on.
fn splits_of(trained_on: &str) -> Option<Vec<Split>> {
    let (_, words) = trained_on.strip_suffix(')')?.rsplit_once('(')?;
    words.split(", ").map(|word| word.parse().ok()).collect()
}

impl Work {
    /// What was left out of the dataset, as sentences.
    pub(crate) fn notes(&self) -> Vec<StoreWarning> {
        let notes = self.store.warnings().iter();
        notes.filter(|warning| matches!(warning, StoreWarning::Note(_))).cloned().collect()
    }

    /// The network and its items; nothing where the pixels themselves are the features.
    pub(crate) fn behind(&self) -> Option<Behind> {
        Some(Behind {
            items: RawItems::of(&self.store),
            network: Arc::new(self.network.clone()?),
            kept: Kept::default(),
        })
    }

    /// Runs the network over all images.
    pub(crate) fn make(
        self,
        dataset: &str,
        precision: Precision,
        device: Device,
        watch: &dyn Watch,
    ) -> Result<Made, RunError> {
        let Work { store, network, provenance } = self;
        let (items, size) = (store.rows(), store.dim());
        let read = |first: usize, out: &mut [f32]| store.values().read_block(size, first, out);
        let (features, dim, form) = match &network {
            None => {
                let mut pixels = vec![0.0; items * size];
                read(0, &mut pixels).map_err(|error| RunError::Data(store.unreadable(error)))?;
                (pixels, size, store.form())
            }
            Some(saved) => {
                let progress = Progress::of_items(watch, &format!("embedding {dataset}"), items);
                let reach = |done| progress.reach(done as u64);
                let (features, dim) =
                    on_device!(device, |open, Kind| run::<Kind>(saved, open, &store, read, reach))?;
                (features, dim, Form::Vector)
            }
        };
        let index = store.index();
        let mut classes = vec![String::new(); items];
        for class in index.classes() {
            class.items.iter().for_each(|item| classes[item.index()].clone_from(&class.name));
        }
        let parts: Vec<String> =
            (0..items as u32).map(|item| index.part(ItemId(item)).unwrap_or_default().to_string()).collect();
        let listed: Vec<(String, Split, Option<String>)> =
            index.classes().iter().map(|c| (c.name.clone(), c.split, c.cluster.clone())).collect();
        let ids = store.ids().map_or_else(|| data::row_ids(items), <[String]>::to_vec);
        let new = NewStore {
            features: &features,
            dim,
            precision,
            classes: &classes,
            parts: (!index.part_names().is_empty()).then_some(parts.as_slice()),
            groups: None,
            ids: &ids,
            listed: &listed,
            class_embeddings: None,
            provenance: &provenance,
            form,
        };
        let notes = store.warnings().iter().filter(|warning| matches!(warning, StoreWarning::Note(_)));
        let said = |note: &StoreWarning| Warning::Features {
            features: store.name().to_string(),
            finding: note.to_string(),
        };
        let warnings = notes.map(said).collect();
        Ok(Made { files: new.files()?, items, dim, cut: 0, warnings })
    }
}

/// All images of a store through a network: the features, and how many numbers each has.
fn run<D: ConvOps>(
    saved: &Saved,
    open: impl Fn() -> Result<D, TensorError>,
    store: &Store,
    read: impl FnMut(usize, &mut [f32]) -> std::io::Result<()>,
    reach: impl FnMut(usize),
) -> Result<(Vec<f32>, usize), RunError> {
    let network = saved.on(&open()?)?;
    Ok((embed_all(network.as_ref(), store.form(), store.rows(), read, reach)?, network.dim()))
}
