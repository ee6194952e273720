//! What travels with weights: preprocessing, padding, sizes, and where they come from.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::error::BackboneError;
use super::imagenet;
use crate::image::{Recipe, RecipeError};
use crate::vocab::SawClasses;

/// How a network's convolutions go beyond the edge of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// As much on both sides, as PyTorch's.
    Symmetric,
    /// The odd pixel of an uneven sum below and to the right, as TensorFlow's `SAME`.
    Same,
}

/// What a configuration beside weights says of them.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightCard {
    /// The file that says it.
    pub path: PathBuf,
    /// The name of the network there; one of timm, torchvision or transformers.
    pub architecture: Option<String>,
    /// What is done to a picture before the network.
    pub recipe: Recipe,
    /// Padding, where it is said.
    pub padding: Option<Padding>,
    /// Arguments of the network such as a width; the whole configuration where transformers wrote it.
    pub model_args: Map<String, Value>,
    /// The names of the answers, where they are listed.
    pub label_names: Vec<String>,
    /// How many answers there are.
    pub num_classes: Option<usize>,
    /// Numbers of a feature vector.
    pub num_features: Option<usize>,
    /// Their licence.
    pub licence: Option<String>,
    /// Where they come from.
    pub source: Option<String>,
    /// What they were trained on, such as `imagenet-1k`.
    pub trained_on: Option<String>,
    /// Published top-1 accuracy, a fraction.
    pub top1: Option<f64>,
}

/// A configuration as it was written.
type Config = Map<String, Value>;

/// Bytes that a configuration may have.
const LARGEST: u64 = 1 << 24;

impl WeightCard {
    /// Reads what lies beside a file of weights: `STEM.json`, else `config.json` in its folder, which may be one of timm or of
    /// transformers; the latter keeps preprocessing in `preprocessor_config.json`. Nothing where none of these is there.
    ///
    /// # Errors
    /// A file that is no such configuration, lacks a field of the preprocessing, or asks for what is not followed here.
    pub fn beside(weights: &Path) -> Result<Option<WeightCard>, BackboneError> {
        let name = weights.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let stem = name
            .strip_suffix(".safetensors.index.json")
            .map(String::from)
            .or_else(|| Some(Path::new(&name).file_stem()?.to_string_lossy().into_owned()));
        let own = stem.map(|stem| weights.with_file_name(format!("{stem}.json")));
        let candidates = own.into_iter().chain([weights.with_file_name("config.json")]);
        let Some(path) = candidates.into_iter().find(|path| path.is_file() && path != weights) else {
            return Ok(None);
        };
        WeightCard::read(&path).map(Some)
    }

    /// Reads a configuration.
    ///
    /// # Errors
    /// As [`WeightCard::beside`].
    pub fn read(path: &Path) -> Result<WeightCard, BackboneError> {
        let config = object(path)?;
        let named =
            |field: &str| refused(path, format!("`{field}` is not what it should be: {}", config[field]));
        let (recipe, cfg) = recipe(path, &config)?;
        // What stands at the top goes before what timm puts into `pretrained_cfg`.
        let get = |key: &str| config.get(key).or_else(|| cfg?.get(key)).filter(|value| !value.is_null());
        let text = |key: &str| get(key).and_then(Value::as_str).map(String::from);
        let number = |key: &str| get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let padding = match get("padding").map(|value| value.as_str().unwrap_or_default()) {
            None => None,
            Some("symmetric") => Some(Padding::Symmetric),
            Some("same") => Some(Padding::Same),
            Some(_) => {
                let rule = format!("`padding` must be `symmetric` or `same`, found {}", config["padding"]);
                return Err(refused(path, rule));
            }
        };
        let model_args = match (config.get("model_args"), cfg) {
            (Some(Value::Object(given)), _) => given.clone(),
            (None | Some(Value::Null), Some(_)) => Map::new(),
            (None | Some(Value::Null), None) => config.clone(),
            _ => return Err(named("model_args")),
        };
        let labels = get("label_names").and_then(Value::as_array).into_iter().flatten();
        let architectures = config.get("architectures").and_then(Value::as_array);
        let first = architectures.and_then(|all| all.first()?.as_str()).map(String::from);
        let num_classes = number("num_classes");
        let label_names: Vec<String> = labels.filter_map(Value::as_str).map(String::from).collect();
        if let Some(classes) = num_classes.filter(|n| !label_names.is_empty() && *n != label_names.len()) {
            let found = label_names.len();
            return Err(refused(path, format!("`num_classes` is {classes}, `label_names` has {found}")));
        }
        let top1 = get("top1").map(|value| value.as_f64().filter(|share| (0.0..=1.0).contains(share)));
        if top1 == Some(None) {
            return Err(refused(
                path,
                format!("`top1` must be a fraction from 0 to 1, found {}", config["top1"]),
            ));
        }
        Ok(WeightCard {
            path: path.to_path_buf(),
            architecture: text("architecture").or(first),
            recipe,
            padding,
            model_args,
            num_classes,
            num_features: number("num_features"),
            licence: text("licence").or_else(|| text("license")),
            source: text("source").or_else(|| text("origin_url")).or_else(|| text("hf_hub_id")),
            trained_on: text("trained_on").or_else(|| trained_on(&text("tag")?)),
            top1: top1.flatten(),
            label_names,
        })
    }

    /// Whether the training of the weights saw these classes, by their names.
    ///
    /// Classes are compared with `label_names`; where there are none, and the weights answer 1,000 classes or say that they were
    /// trained on ImageNet, with the names and wordnet ids of ILSVRC 2012. Without any match nothing is known: names differ
    /// more easily than things do.
    pub fn saw<'a>(&self, classes: impl IntoIterator<Item = &'a str>) -> SawClasses {
        let of_imagenet = self.trained_on.as_deref().is_some_and(|on| on.contains("imagenet"));
        let listed = self.label_names.iter().map(|name| imagenet::plain(name)).collect::<Vec<_>>();
        let knows = |class: &str| match listed.is_empty() {
            false => listed.contains(&imagenet::plain(class)),
            true => (of_imagenet || self.num_classes == Some(1000)) && imagenet::has(class),
        };
        let (mut seen, mut all) = (0, 0);
        for class in classes {
            (seen, all) = (seen + usize::from(knows(class)), all + 1);
        }
        match seen {
            0 => SawClasses::Unknown,
            seen if seen == all => SawClasses::All,
            _ => SawClasses::Some,
        }
    }
}

fn refused(path: &Path, what: impl ToString) -> BackboneError {
    BackboneError::Damaged { path: path.to_path_buf(), what: what.to_string() }
}

fn object(path: &Path) -> Result<Config, BackboneError> {
    let size = std::fs::metadata(path).map(|of| of.len()).unwrap_or(0);
    if size > LARGEST {
        return Err(refused(path, format!("a configuration of {size} bytes, at most {LARGEST} are read")));
    }
    let bytes = super::read_file(path, "it is the configuration beside weights")?;
    serde_json::from_slice(&bytes).map_err(|error| refused(path, format!("no JSON object: {error}")))
}

/// The recipe of a configuration, and timm's part of it where it has one.
fn recipe<'a>(path: &Path, config: &'a Config) -> Result<(Recipe, Option<&'a Config>), BackboneError> {
    const HINT: &str = "timm's `pretrained_cfg`, a `recipe` (resize=256,filter=bilinear,crop=224x224,rounding=even,mean=…/…/…,std=…/…/…,order=rgb,range=unit), or preprocessor_config.json beside it";
    let said = |path: &Path, error: RecipeError| refused(path, error);
    let cfg = config.get("pretrained_cfg").and_then(Value::as_object);
    if let Some(text) = config.get("recipe").and_then(Value::as_str) {
        return Ok((text.parse().map_err(|error| said(path, error))?, cfg));
    }
    if let Some(cfg) = cfg {
        return Ok((Recipe::from_timm(cfg).map_err(|error| said(path, error))?, Some(cfg)));
    }
    let beside = path.with_file_name("preprocessor_config.json");
    if !beside.is_file() {
        return Err(refused(path, format!("says nothing of preprocessing\nhint: it needs {HINT}")));
    }
    let beside_config = object(&beside)?;
    Ok((Recipe::from_transformers(&beside_config).map_err(|error| said(&beside, error))?, None))
}

/// What a tag of timm says of the training: `a1_in1k` is ImageNet-1k, `in21k_ft_in1k` both.
fn trained_on(tag: &str) -> Option<String> {
    let has = |part: &str| tag.split('_').any(|piece| piece == part);
    let large = ["in21k", "in22k"].iter().any(|part| has(part));
    match (large, has("in12k"), has("in1k")) {
        (true, _, true) => Some("imagenet-21k, imagenet-1k".to_string()),
        (true, _, false) => Some("imagenet-21k".to_string()),
        (false, true, true) => Some("imagenet-12k, imagenet-1k".to_string()),
        (false, true, false) => Some("imagenet-12k".to_string()),
        (false, false, true) => Some("imagenet-1k".to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Filter, Resize};

    const CFG: &str = r#"{"tag": "tv_in1k", "input_size": [3, 224, 224], "interpolation": "bilinear", "crop_pct": 0.875,
        "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "license": "bsd-3-clause"}"#;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        files.iter().for_each(|(name, text)| std::fs::write(place.path().join(name), text).unwrap());
        place
    }

    fn said(files: &[(&str, &str)]) -> String {
        let place = folder(files);
        let error = WeightCard::beside(&place.path().join("w.safetensors")).unwrap_err().to_string();
        error.replace(&format!("{}/", place.path().display()), "")
    }

    #[test]
    fn a_file_of_the_weights_name_goes_before_that_of_the_folder() {
        let top = format!(
            r#"{{"architecture": "mobilenetv1_075", "num_classes": 1000, "num_features": 768, "padding": "same",
                "model_args": {{"channel_multiplier": 0.75}}, "top1": 0.7, "pretrained_cfg": {CFG}}}"#
        );
        let other = format!(r#"{{"architecture": "vgg16", "pretrained_cfg": {CFG}}}"#);
        let place = folder(&[("w.json", &top), ("config.json", &other)]);
        let card = WeightCard::beside(&place.path().join("w.safetensors")).unwrap().unwrap();
        assert_eq!(card.recipe, Recipe::imagenet(256, 224, Filter::Bilinear));
        assert_eq!((card.padding, card.num_features, card.top1), (Some(Padding::Same), Some(768), Some(0.7)));
        assert_eq!(
            (card.trained_on.as_deref(), card.licence.as_deref()),
            (Some("imagenet-1k"), Some("bsd-3-clause"))
        );
        assert_eq!(card.model_args["channel_multiplier"], 0.75);
        let second = WeightCard::beside(&place.path().join("model.safetensors.index.json")).unwrap().unwrap();
        assert_eq!((second.architecture.as_deref(), second.model_args.len()), (Some("vgg16"), 0));
        let none = folder(&[]);
        assert_eq!(WeightCard::beside(&none.path().join("w.safetensors")).unwrap(), None);
    }

    #[test]
    fn transformers_keep_preprocessing_in_a_file_of_its_own() {
        let config = r#"{"architectures": ["ViTModel"], "hidden_size": 768}"#;
        let images = r#"{"size": 224, "resample": 2, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_center_crop": false}"#;
        let exact = images.replace(r#""size": 224"#, r#""size": {"height": 224, "width": 224}"#);
        let place = folder(&[("config.json", config), ("preprocessor_config.json", &exact)]);
        let card = WeightCard::beside(&place.path().join("model.safetensors")).unwrap().unwrap();
        assert_eq!(
            (card.architecture.as_deref(), card.recipe.resize),
            (Some("ViTModel"), Resize::Exact(224, 224))
        );
        assert_eq!(card.model_args["hidden_size"], 768);
        let told = said(&[("config.json", config), ("preprocessor_config.json", images)]);
        assert_eq!(told, "preprocessor_config.json: preprocessing needs `crop_size`, which is not there");
        let told = said(&[("config.json", config)]);
        assert!(told.starts_with("config.json: says nothing of preprocessing\nhint: "), "{told}");
    }

    #[test]
    fn what_cannot_be_followed_is_named_with_its_file() {
        let with = |top: &str| said(&[("w.json", &format!(r#"{{{top}, "pretrained_cfg": {CFG}}}"#))]);
        assert_eq!(
            with(r#""padding": "valid""#),
            "w.json: `padding` must be `symmetric` or `same`, found \"valid\""
        );
        assert_eq!(with(r#""top1": 77.5"#), "w.json: `top1` must be a fraction from 0 to 1, found 77.5");
        assert_eq!(
            with(r#""num_classes": 2, "label_names": ["a"]"#),
            "w.json: `num_classes` is 2, `label_names` has 1"
        );
        assert!(said(&[("w.json", "[1]")]).starts_with("w.json: no JSON object: "));
        let without = CFG.replace("\"std\"", "\"dev\"");
        let told = said(&[("w.json", &format!(r#"{{"pretrained_cfg": {without}}}"#))]);
        assert_eq!(told, "w.json: preprocessing needs `pretrained_cfg.std`, which is not there");
    }

    #[test]
    fn classes_are_seen_by_wordnet_id_and_by_any_of_their_names() {
        let place = folder(&[("w.json", &format!(r#"{{"num_classes": 1000, "pretrained_cfg": {CFG}}}"#))]);
        let card = WeightCard::beside(&place.path().join("w.safetensors")).unwrap().unwrap();
        assert_eq!(card.saw(["n01440764", "Golden_Retriever", "n02123045_tabby"]), SawClasses::All);
        assert_eq!(card.saw(["tench", "Greek/character12"]), SawClasses::Some);
        assert_eq!(card.saw(["Greek/character12"]), SawClasses::Unknown);
        let cifar =
            WeightCard { label_names: vec!["ship".into(), "frog".into()], num_classes: Some(2), ..card };
        assert_eq!((cifar.saw(["Frog"]), cifar.saw(["tench"])), (SawClasses::All, SawClasses::Unknown));
    }
}
