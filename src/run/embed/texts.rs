//! Sentences through a sentence encoder into a feature store, with class vectors from the same encoder.

use std::path::Path;

use super::{Made, Network};
use crate::backbone::sentence::{ClassTexts, Embedded, label_words};
use crate::backbone::{BackboneError, SentenceEncoder};
use crate::data::{
    ClassEmbeddings, DATASETS, Dataset, EmbeddingSource, Holds, NewStore, Precision, Provenance, RawItem,
    files_sha256, text,
};
use crate::results::Warning;
use crate::run::device::{Device, on_device};
use crate::run::error::RunError;
use crate::run::watch::{Progress, Watch};
use crate::vocab::{Form, Split};

/// What is to be embedded, and with what.
pub(crate) struct Work {
    encoder: SentenceEncoder,
    sentences: Box<dyn Dataset>,
    listed: Vec<(String, Split, Option<String>)>,
    class_texts: ClassTexts,
    provenance: Provenance,
    warnings: Vec<Warning>,
}

/// Reads a dataset, an encoder and the texts of the classes: name, recipe and work.
pub(crate) fn plan(
    network: &Network,
    folder: &Path,
    dataset: &str,
) -> Result<(String, String, Work), RunError> {
    if folder.is_file() {
        return Err(RunError::Request(format!(
            "the weights of backbone `{}` are a folder, {} is a file\nhint: name the folder that holds config.json, model.safetensors and tokenizer.json",
            network.backbone.name(),
            folder.display()
        )));
    }
    let Some(sentences) = text::open(dataset, &network.data)? else {
        let known = DATASETS.iter().filter(|kind| kind.holds == Holds::Texts);
        let known: Vec<String> = known.map(|kind| format!("`{}`", kind.name)).collect();
        return Err(RunError::Request(format!(
            "unknown dataset of texts `{dataset}`, expected one of {}\nhint: for a table of yours write texts:FILE",
            known.join(", ")
        )));
    };
    let name = sentences.name().to_string();
    let mut warnings = Vec::new();
    if !sentences.ignored().is_empty() {
        let shown =
            |name: &String| if name.is_empty() { "one without a name".into() } else { format!("`{name}`") };
        let ignored: Vec<String> = sentences.ignored().iter().map(shown).collect();
        warnings.push(Warning::IgnoredColumns { dataset: name.clone(), columns: ignored });
    }
    let listed = sentences.items()?.listed.clone();
    let (class_texts, source) = class_texts(network, &listed, "{}")?;
    let encoder = SentenceEncoder::read(folder)?;
    if encoder.backbone() != network.backbone.name() {
        let (path, found) = (folder.to_path_buf(), encoder.backbone().to_string());
        let expected = network.backbone.name().to_string();
        return Err(BackboneError::OtherBackbone { path, expected, found }.into());
    }
    let weights = files_sha256(encoder.files())?;
    let own_name = |path: &Path| {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        path.file_name().map(|name| format!(":{}", name.to_string_lossy())).unwrap_or_default()
    };
    let provenance = Provenance {
        backbone: format!("{}{}", encoder.backbone(), own_name(folder)),
        trained_on: network.trained_on.clone(),
        saw_classes: network.saw_classes,
        saw_splits: Vec::new(),
        weights_sha256: Some(weights.clone()),
        seed_train: None,
        truncated: 0,
        preprocessing: None,
        class_embeddings: Some(source),
    };
    let texts = sentences.recipe()?;
    let recipe = format!("{name}\n{texts}\n{weights}\n{provenance:?}\n");
    Ok((name, recipe, Work { encoder, sentences, listed, class_texts, provenance, warnings }))
}

/// The texts of the classes, and where they come from.
pub(super) fn class_texts(
    network: &Network,
    listed: &[(String, Split, Option<String>)],
    template: &str,
) -> Result<(ClassTexts, EmbeddingSource), RunError> {
    let names: Vec<&str> = listed.iter().map(|(class, _, _)| class.as_str()).collect();
    let oos = listed.iter().filter(|(_, split, _)| *split == Split::Oos);
    let oos: Vec<&str> = oos.map(|(class, _, _)| class.as_str()).collect();
    let by_name = |class: &str| vec![label_words(class)];
    let (words, texts, texts_sha256) = match &network.descriptions {
        None => (names.iter().map(|class| by_name(class)).collect(), "label names".to_string(), None),
        Some(path) => {
            let mut words = text::descriptions(path, &names, &oos)?;
            // A class out of scope is no candidate; its vector only fills its row.
            let undescribed = words.iter_mut().zip(&names).filter(|(words, _)| words.is_empty());
            undescribed.for_each(|(words, class)| *words = by_name(class));
            let hash = files_sha256(&[("descriptions".to_string(), path.clone())])?;
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            (words, name.unwrap_or_default(), Some(hash))
        }
    };
    let templates = match network.templates.is_empty() {
        true => vec![template.to_string()],
        false => network.templates.clone(),
    };
    let class_texts = ClassTexts::new(&words, &templates);
    Ok((class_texts, EmbeddingSource { texts, texts_sha256, templates }))
}

/// A sentence of a dataset.
fn text_of(dataset: &dyn Dataset, item: usize) -> Result<String, RunError> {
    match dataset.read(item)? {
        RawItem::Text(text) => Ok(text),
        _ => Err(RunError::Request(format!("item {item} of dataset `{}` is no sentence", dataset.name()))),
    }
}

impl Work {
    /// Runs the encoder over sentences and classes.
    pub(crate) fn make(
        self,
        dataset: &str,
        precision: Precision,
        device: Device,
        watch: &dyn Watch,
    ) -> Result<Made, RunError> {
        let Work { encoder, sentences, listed, class_texts, mut provenance, warnings } = self;
        let workers = device.workers();
        let items = sentences.items()?;
        let texts = (0..items.ids.len()).map(|item| text_of(sentences.as_ref(), item));
        let texts = texts.collect::<Result<Vec<String>, RunError>>()?;
        let progress = Progress::of_items(watch, &format!("embedding {dataset}"), texts.len());
        let run = |texts: &[String], reach: &(dyn Fn(usize) + Sync)| {
            on_device!(device, |open, Kind| encoder.embed::<Kind>(texts, workers, open, reach))
        };
        let named = |error| match error {
            BackboneError::EmptyText { number } => {
                BackboneError::WordlessClass { class: listed[class_texts.class_of(number)].0.clone() }
            }
            other => other,
        };
        // The classes first: they are few, and what is wrong with them is told before the sentences have taken their time.
        let vectors = run(&class_texts.texts, &|_| {}).map_err(named)?;
        let rows = class_texts.mean(&vectors.features, vectors.dim);
        let Embedded { features, dim, truncated } = run(&texts, &|done| progress.reach(done as u64))?;
        drop(progress);
        provenance.truncated = truncated as u64;
        let store = NewStore {
            features: &features,
            dim,
            precision,
            classes: &items.classes,
            parts: items.parts.as_deref(),
            groups: items.groups.as_deref(),
            ids: &items.ids,
            listed: &listed,
            class_embeddings: Some(&ClassEmbeddings { rows: rows.into(), class_dim: dim }),
            provenance: &provenance,
            form: Form::Vector,
        };
        Ok(Made { files: store.files()?, items: texts.len(), dim, cut: truncated as u64, warnings })
    }
}
