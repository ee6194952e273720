//! A prediction as it is asked for, and what comes of it.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;

use super::FILES;
use super::answers::{Caution, Predictions};
use super::classifier::{Classifier, Resources};
use super::saved::{self, Making, SAVED};
use super::threshold::ThresholdRule;
use crate::data::{self, FOLDER_FILES, StoreWarning, text};
use crate::results::Inputs;
use crate::run::error::RunError;
use crate::run::features::{FeatureSets, Features};
use crate::run::files;
use crate::vocab::spec::labelled;

/// The learner where none is asked for.
const LEARNER: &str = "prototypical";
/// The seed where none is asked for.
const SEED: u64 = 7;

/// What is asked for: a support, and items to be labelled by it.
#[derive(Clone, Debug, Default)]
pub struct PredictRequest {
    /// The support, in `features`, and the network that makes features of it and of the items.
    pub inputs: Inputs,
    /// The items; none where a classifier is only to be saved. A folder of images, a file of sentences or features are enough; a
    /// dataset by name will do too, whose classes are not looked at.
    pub items: Option<String>,
    /// The learner, `name:key=value,…`; `prototypical` where none is named.
    pub learner: Option<String>,
    /// How the threshold is set; by cross-validation, or as a classifier that is loaded has it, where nothing is said.
    pub threshold: Option<ThresholdRule>,
    /// The folder of a classifier to begin with; a support beside it is added.
    pub load: Option<PathBuf>,
    /// The folder that the classifier is written into.
    pub save: Option<PathBuf>,
    /// The folder of the predictions.
    pub out: Option<PathBuf>,
    /// Whether files that are there may be replaced.
    pub overwrite: bool,
    /// The seed of the learner's random numbers; that of a classifier that is loaded, else 7.
    pub seed: Option<u64>,
}

/// What came of it.
#[derive(Debug)]
pub struct PredictDone {
    /// The classifier.
    pub classifier: Classifier,
    /// The answers, where items were named.
    pub predictions: Option<Predictions>,
    /// What a user should know, as sentences.
    pub warnings: Vec<String>,
    /// Seconds that support, threshold and answers took, reading and embedding among them.
    pub seconds: [(&'static str, f64); 3],
}

/// Makes or loads a classifier, saves it and labels items, as far as each is asked for; files appear when all is done.
///
/// # Errors
/// A wrong request, wrong data, or a computation that failed; then no file is written.
pub fn predict(request: &PredictRequest, with: &Resources<'_>) -> Result<PredictDone, RunError> {
    checked(request)?;
    let clock = Instant::now();
    let mut warnings = Vec::new();
    let support = match request.inputs.features.is_empty() {
        true => None,
        false => {
            Some(only(FeatureSets::new(&request.inputs, Vec::new(), with.device, with.watch)?.named(false)?)?)
        }
    };
    if let Some(support) = &support {
        warnings.extend(noted(support));
    }
    let read = clock.elapsed().as_secs_f64();
    let (classifier, making) = classifier(request, support, with)?;
    warnings.extend(classifier.cautions().iter().map(Caution::to_string));
    let fitted = clock.elapsed().as_secs_f64();
    let predictions = match &request.items {
        None => None,
        Some(items) => {
            let items = asked(request, items, &making, with)?;
            warnings.extend(noted(&items));
            Some(classifier.predict(&items, with)?)
        }
    };
    let answered = clock.elapsed().as_secs_f64();
    let seconds = [("support", read), ("threshold", fitted - read), ("answers", answered - fitted)];
    let cautions = predictions.iter().flat_map(|predictions| &predictions.cautions);
    warnings.extend(cautions.map(Caution::to_string));
    if let Some(folder) = &request.save {
        saved::save(&classifier, &making, folder, request.overwrite)?;
    }
    if let (Some(predictions), Some(folder)) = (&predictions, &request.out) {
        let about = json!({
            "support": request.inputs.features,
            "loaded": request.load,
            "items": request.items,
            "backbone": making.backbone,
            "seconds": seconds.iter().map(|(what, s)| (what.to_string(), json!(s))).collect::<serde_json::Map<_, _>>(),
        });
        let written = [(FILES[1], predictions.record(&classifier, &about)), (FILES[0], predictions.csv())];
        files::write_together(folder, &FILES, &written)?;
    }
    Ok(PredictDone { classifier, predictions, warnings, seconds })
}

/// Refuses what cannot be done before anything is read.
fn checked(request: &PredictRequest) -> Result<(), RunError> {
    let refused = |text: &str| Err(RunError::Request(text.to_string()));
    if request.inputs.features.is_empty() && request.load.is_none() {
        return refused(
            "no support is named\nhint: add --features with labelled items (folder:DIR, a table of texts, a feature set), or --load DIR",
        );
    }
    if request.items.is_none() && request.save.is_none() {
        return refused("there is nothing to do: name items that are to be labelled, or --save DIR");
    }
    if request.items.is_some() != request.out.is_some() {
        return refused("items go with --out DIR, the folder of their predictions");
    }
    if request.load.is_some() && request.learner.is_some() {
        return refused(
            "--load brings its learner with it, --learner names another\nhint: leave one of them out",
        );
    }
    if let Some(folder) = &request.out {
        files::check_free(folder, &FILES, request.overwrite)?;
    }
    match &request.save {
        Some(folder) => files::check_free(folder, &SAVED, request.overwrite),
        None => Ok(()),
    }
}

/// The one feature set that was named.
fn only(mut sets: Vec<Features>) -> Result<Features, RunError> {
    match sets.len() {
        1 => Ok(sets.remove(0)),
        found => Err(RunError::Request(format!(
            "{found} feature sets are named, a classifier has one\nhint: give one --features and one --backbone"
        ))),
    }
}

/// What was left out of a dataset, and other things that are worth knowing, as sentences.
fn noted(features: &Features) -> impl Iterator<Item = String> {
    let worth = |warning: &&StoreWarning| !matches!(warning, StoreWarning::IdenticalRows { .. });
    features.store.warnings().iter().filter(worth).map(|warning| format!("{}: {warning}", features.name))
}

/// The classifier that is asked for, and how items become features for it.
fn classifier(
    request: &PredictRequest,
    support: Option<Features>,
    with: &Resources<'_>,
) -> Result<(Classifier, Making), RunError> {
    let Some(folder) = &request.load else {
        let support = support.ok_or_else(|| RunError::Request("no support is named".to_string()))?;
        let (rule, seed) = (request.threshold.unwrap_or_default(), request.seed.unwrap_or(SEED));
        let spec = request.learner.as_deref().unwrap_or(LEARNER);
        let options = options(&request.inputs.features[0]);
        return Ok((Classifier::fit(support, spec, rule, seed, with)?, making(&request.inputs, options)));
    };
    let (mut loaded, mut made) = saved::load(folder, with.learners)?;
    if !request.inputs.backbones.is_empty() {
        made = making(&request.inputs, std::mem::take(&mut made.options));
    }
    loaded.seed = request.seed.unwrap_or(loaded.seed);
    loaded.rule = request.threshold.unwrap_or(loaded.rule);
    let anew = request.threshold.is_some() || request.seed.is_some();
    let classifier = match support {
        Some(more) => loaded.with(&more, with)?,
        None if anew => loaded.again(with)?,
        None => loaded,
    };
    Ok((classifier, made))
}

/// How features are made, as the request says it.
fn making(inputs: &Inputs, options: String) -> Making {
    let whole = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    let backbone = inputs.backbones.first().map(|spec| labelled(spec).1.to_string());
    Making { backbone, weights: inputs.weights.as_ref().map(whole), options }
}

/// The options behind the path of a folder of images, with their commas.
fn options(support: &str) -> String {
    let mut path = labelled(support).1;
    let whole = path;
    if !path.starts_with("folder:") {
        return String::new();
    }
    while let Some((before, _)) = path.rsplit_once(',').filter(|(_, option)| option.contains('=')) {
        path = before;
    }
    whole[path.len()..].to_string()
}

/// The items that are to be labelled, as features that are made like those of the support.
fn asked(
    request: &PredictRequest,
    items: &str,
    making: &Making,
    with: &Resources<'_>,
) -> Result<Features, RunError> {
    let inputs = Inputs {
        features: vec![named(items, making)],
        labels: None,
        backbones: making.backbone.iter().cloned().collect(),
        weights: making.weights.clone(),
        templates: Vec::new(),
        descriptions: None,
        class_embeddings: None,
        ..request.inputs.clone()
    };
    only(FeatureSets::new(&inputs, Vec::new(), with.device, with.watch)?.named(true)?)
}

/// Items by the name of their dataset: that of a folder of images, or of a file of sentences, where they are given by their path alone.
fn named(items: &str, making: &Making) -> String {
    let path = Path::new(items);
    if !path.exists() && data::kind(items).is_some() {
        return items.to_string();
    }
    if path.is_dir() && !path.join(FOLDER_FILES[0]).exists() {
        return format!("images:{items}{}", making.options);
    }
    let is_text = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("txt"));
    match making.backbone.is_some() && (is_text || text::is_table(path)) {
        true => format!("sentences:{items}"),
        false => items.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_images_is_read_as_that_of_the_support() {
        assert_eq!(options("mine=folder:a,b/c,side=28,dark=lines"), ",side=28,dark=lines");
        assert_eq!((options("folder:a"), options("f.npz")), (String::new(), String::new()));
        let place = tempfile::tempdir().unwrap();
        let at = place.path().display().to_string();
        let making =
            Making { backbone: Some("b".to_string()), weights: None, options: ",side=28".to_string() };
        assert_eq!(named(&at, &making), format!("images:{at},side=28"));
        std::fs::write(place.path().join("t.txt"), "hi").unwrap();
        std::fs::write(place.path().join("features.npy"), "").unwrap();
        assert_eq!(named(&format!("{at}/t.txt"), &making), format!("sentences:{at}/t.txt"));
        assert_eq!(named(&at, &making), at);
        assert_eq!(named("glyphs", &making), "glyphs");
    }
}
