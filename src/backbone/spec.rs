//! A backbone as it is asked for, `name:key=value`, checked: which network, and where its weights come from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::architecture::{Architecture, Sizes, start_stream};
use super::enrolled::{Configuration, networks};
use super::error::BackboneError;
use super::nets::{self, Asked, Pool, Preprocessing};
use super::saved::{SHIPPED_WEIGHTS, Saved};
use crate::vocab::Form;
use crate::vocab::spec::Spec;

/// The items themselves as features, without a network.
const PIXELS: &str = "pixels";
/// The sentence encoders, by the `model_type` of their configuration.
const SENTENCES: [(&str, &str); 4] = [
    (
        "bert",
        "sentence encoder of texts (Devlin et al. 2019, Reimers and Gurevych 2019); needs a build with --features text",
    ),
    ("distilbert", "sentence encoder of texts (Sanh et al. 2019); needs a build with --features text"),
    (
        "gpt2",
        "language model as an encoder of texts (Radford et al. 2019); needs a build with --features text",
    ),
    ("clip_text", "text tower of CLIP (Radford et al. 2021); needs a build with --features text"),
];
/// The key of all networks.
const WEIGHTS: &str = "weights";
/// The keys of published networks of images.
const PUBLISHED_KEYS: &[&str] = &[WEIGHTS, CUT, SIZE, RECIPE];
/// Those of transformers.
const TRANSFORMER_KEYS: &[&str] = &[WEIGHTS, CUT, SIZE, RECIPE, POOL];
const POOL: &str = "pool";
const CUT: &str = "cut";
const SIZE: &str = "size";
const RECIPE: &str = "recipe";
/// The preprocessing of torchvision's own weights.
const TORCHVISION: &str = "torchvision";
/// Sides of images that a specification may ask for.
const SIDES: std::ops::RangeInclusive<usize> = 16..=4096;
const WEIGHTS_HINT: &str = "say weights=FILE for a file as `kshot train` writes it, weights=NAME for one of `kshot list \
                            weights`, or weights=random:SEED for an untrained network";
const FOLDER_HINT: &str = "say weights=FOLDER for the folder of a sentence encoder";

/// All backbones, with a line on each.
pub fn backbones() -> Vec<(&'static str, &'static str)> {
    let mut all = vec![(PIXELS, "the pixels of images as they are")];
    all.extend(networks());
    all.extend(SENTENCES);
    all
}

/// Where the weights of a network come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeightSource {
    /// The weights of this name that ship with kshot.
    Shipped(&'static str),
    /// A file, as `kshot train` writes it.
    File(PathBuf),
    /// The folder of a sentence encoder.
    Folder(PathBuf),
    /// First values of the usual sizes with this seed, as a training begins with them.
    Random(u64),
}

impl fmt::Display for WeightSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WeightSource::Shipped(name) => f.write_str(name),
            WeightSource::File(path) | WeightSource::Folder(path) => write!(f, "{}", path.display()),
            WeightSource::Random(seed) => write!(f, "random:{seed}"),
        }
    }
}

/// A checked specification: the name is known, and it has weights if and only if it is a network.
///
/// ```
/// use kshot::backbone::{BackboneSpec, WeightSource};
///
/// let spec: BackboneSpec = "conv4:weights=random:7".parse()?;
/// assert_eq!((spec.name(), spec.weights()), ("conv4", Some(&WeightSource::Random(7))));
/// assert_eq!(spec.seed_train(), Some(7));
/// assert_eq!("pixels".parse::<BackboneSpec>()?.weights(), None);
/// # Ok::<(), kshot::backbone::BackboneError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BackboneSpec {
    name: &'static str,
    weights: Option<WeightSource>,
    asked: Asked,
}

impl BackboneSpec {
    /// Reads `name` or `name:weights=…`; `weights` are those that stand apart from it, where there are such.
    ///
    /// Weights of images are `random:SEED`, a file, or the name of some that ship with kshot (a file of that name goes
    /// before); those of sentence encoders are a folder.
    ///
    /// # Errors
    /// When the text is no specification, the backbone or a key is not known, or weights are missing, given twice, or of
    /// no use to the backbone.
    pub fn parse(text: &str, weights: Option<&Path>) -> Result<BackboneSpec, BackboneError> {
        let written: Spec =
            text.parse().map_err(|source| BackboneError::Specification { spec: text.to_string(), source })?;
        let known: Vec<&'static str> = backbones().iter().map(|(name, _)| *name).collect();
        let name = known.iter().copied().find(|name| *name == written.name);
        let name = name.ok_or_else(|| BackboneError::UnknownBackbone {
            found: written.name.clone(),
            known: known.clone(),
        })?;
        let takes: &[&'static str] = match nets::kind(name) {
            Some(kind) if kind.encoder.is_some() => TRANSFORMER_KEYS,
            Some(_) => PUBLISHED_KEYS,
            None if name == PIXELS => &[],
            None => &[WEIGHTS],
        };
        if let Some(key) = written.values.keys().find(|key| !takes.contains(&key.as_str())) {
            return Err(BackboneError::UnknownKey { backbone: name, key: key.clone(), known: takes });
        }
        let own = written.values.get(WEIGHTS).map(Path::new);
        let given = match (own, weights) {
            (Some(own), Some(other)) => {
                let (own, other) = (own.to_path_buf(), other.to_path_buf());
                return Err(BackboneError::TwoWeights { backbone: name, own, other });
            }
            (own, other) => own.or(other),
        };
        let weights = match given {
            None if name == PIXELS => None,
            None => {
                let hint = if reads_texts(name) { FOLDER_HINT } else { WEIGHTS_HINT };
                return Err(BackboneError::NoWeights { backbone: name, hint });
            }
            Some(_) if name == PIXELS => {
                return Err(BackboneError::UnknownKey {
                    backbone: name,
                    key: WEIGHTS.to_string(),
                    known: takes,
                });
            }
            Some(given) => Some(source(name, given)?),
        };
        Ok(BackboneSpec { name, weights, asked: asked(name, &written)? })
    }

    /// The name of the backbone.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where its weights come from; nothing for `pixels`.
    pub fn weights(&self) -> Option<&WeightSource> {
        self.weights.as_ref()
    }

    /// The result of a published network that becomes features; nothing for the penultimate one.
    pub fn cut(&self) -> Option<&str> {
        self.asked.cut.as_deref()
    }

    /// The seed of weights that nobody has trained.
    pub fn seed_train(&self) -> Option<u64> {
        match self.weights {
            Some(WeightSource::Random(seed)) => Some(seed),
            _ => None,
        }
    }

    /// The folder of a sentence encoder; nothing for other backbones.
    pub fn folder(&self) -> Option<&Path> {
        match &self.weights {
            Some(WeightSource::Folder(folder)) => Some(folder),
            _ => None,
        }
    }

    /// The network of images with the weights that are read; nothing where there are none to read, or for sentence encoders.
    ///
    /// # Errors
    /// When the weights cannot be read or are of another backbone.
    pub fn read(&self) -> Result<Option<Saved>, BackboneError> {
        match &self.weights {
            Some(WeightSource::Shipped(name)) => Saved::read(Path::new(name), self.name).map(Some),
            Some(WeightSource::File(path)) => self.read_file(path).map(Some),
            Some(WeightSource::Folder(_) | WeightSource::Random(_)) | None => Ok(None),
        }
    }

    /// The folder of the text tower that shares its space with the features; nothing where these are other features, or where
    /// no tokenizer lies beside the weights.
    pub fn text_tower(&self) -> Option<&Path> {
        let whole = self.asked.cut.is_none() && self.asked.pool.is_none_or(|pool| pool == Pool::Class);
        let Some(WeightSource::File(path)) = &self.weights else { return None };
        let folder = if path.is_dir() { path } else { path.parent()? };
        (whole && self.has_text_tower() && folder.join("tokenizer.json").is_file()).then_some(folder)
    }

    /// Whether networks of this name are published with a text tower.
    pub fn has_text_tower(&self) -> bool {
        self.name.starts_with("clip_vit")
    }

    fn read_file(&self, path: &Path) -> Result<Saved, BackboneError> {
        // A folder as the transformers library saves it.
        let inside = ["model.safetensors", "model.safetensors.index.json"].map(|name| path.join(name));
        let inside = if path.is_dir() { inside.into_iter().find(|file| file.is_file()) } else { None };
        let path = inside.as_deref().unwrap_or(path);
        match nets::kind(self.name) {
            Some(kind) if !Saved::is_own(path) => nets::read(path, kind, &self.asked),
            _ => Saved::read(path, self.name),
        }
    }

    /// A published network of images with random weights, and the preprocessing with which its weights were published: what a
    /// control is compared with. Nothing for other networks, and where weights are not random.
    ///
    /// # Errors
    /// When the network has no such cut, or images are too small for it.
    pub fn untrained_published(&self) -> Result<Option<Saved>, BackboneError> {
        let (Some(seed), Some(kind)) = (self.seed_train(), nets::kind(self.name)) else { return Ok(None) };
        let mut stream = start_stream(seed);
        let mut saved = nets::random(kind, &self.asked, || stream.normal())?;
        let said = [("recipe", "random".to_string()), ("seed", seed.to_string())];
        saved.metadata.extend(said.map(|(key, value)| (key.to_string(), value)));
        Ok(Some(saved))
    }

    /// The network of the usual sizes for items of `form` with the random weights that a training with this seed begins
    /// with; nothing where weights are not random.
    ///
    /// # Errors
    /// When no network of the usual sizes fits such items.
    pub fn untrained(&self, form: Form) -> Result<Option<Saved>, BackboneError> {
        let Some(seed) = self.seed_train() else { return Ok(None) };
        let config = Configuration::fit(self.name, form, &Sizes::new())?;
        let mut stream = start_stream(seed);
        let weights = config.fresh(|| stream.normal());
        let metadata = [("recipe", "random".to_string()), ("seed", seed.to_string())];
        let metadata = metadata.map(|(key, value)| (key.to_string(), value)).into();
        Ok(Some(Saved { config, weights, metadata, card: None }))
    }
}

impl FromStr for BackboneSpec {
    type Err = BackboneError;

    fn from_str(text: &str) -> Result<BackboneSpec, BackboneError> {
        BackboneSpec::parse(text, None)
    }
}

/// As [`BackboneSpec::parse`] reads it.
impl fmt::Display for BackboneSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Asked { cut, size, pool, preprocessing } = &self.asked;
        let recipe = preprocessing.as_ref().map(|preprocessing| match preprocessing {
            Preprocessing::Published => TORCHVISION.to_string(),
            Preprocessing::Given(recipe) => recipe.to_string(),
        });
        let all = [
            (WEIGHTS, self.weights.as_ref().map(WeightSource::to_string)),
            (CUT, cut.clone()),
            (SIZE, size.map(|size| size.to_string())),
            (POOL, pool.map(|pool| if pool == Pool::Class { "class" } else { "mean" }.to_string())),
            (RECIPE, recipe),
        ];
        let values = all.into_iter().filter_map(|(key, value)| Some((key.to_string(), value?)));
        write!(f, "{}", Spec { name: self.name.to_string(), values: values.collect() })
    }
}

/// Whether a backbone is a sentence encoder.
fn reads_texts(backbone: &str) -> bool {
    SENTENCES.iter().any(|(name, _)| *name == backbone)
}

/// What is asked of a published network beside its weights.
fn asked(backbone: &'static str, written: &Spec) -> Result<Asked, BackboneError> {
    let refused = |key, rule: String, found: &str| BackboneError::Configuration {
        backbone,
        key,
        rule,
        found: format!("`{found}`"),
    };
    let size = match written.values.get(SIZE) {
        None => None,
        Some(text) => match text.parse().ok().filter(|side| SIDES.contains(side)) {
            Some(side) => Some(side),
            None => return Err(refused(SIZE, format!("{} to {}", SIDES.start(), SIDES.end()), text)),
        },
    };
    let preprocessing = match written.values.get(RECIPE).map(String::as_str) {
        None => None,
        Some(TORCHVISION) => Some(Preprocessing::Published),
        Some(text) => match text.parse() {
            Ok(recipe) => Some(Preprocessing::Given(recipe)),
            Err(error) => {
                let rule = format!("`{TORCHVISION}` or preprocessing in parentheses ({error})");
                return Err(refused(RECIPE, rule, text));
            }
        },
    };
    let pool = match written.values.get(POOL).map(String::as_str) {
        None => None,
        Some("class") => Some(Pool::Class),
        Some("mean") => Some(Pool::Mean),
        Some(text) => return Err(refused(POOL, "`class` or `mean`".to_string(), text)),
    };
    let cut = written.values.get(CUT).cloned();
    if let (Some(cut), Some(kind)) = (&cut, nets::kind(backbone)) {
        nets::NetConfig::new(kind).cut(cut)?;
    }
    Ok(Asked { cut, size, pool, preprocessing })
}

/// What a value of `weights` means to a network.
fn source(backbone: &'static str, given: &Path) -> Result<WeightSource, BackboneError> {
    let seed = given.to_str().and_then(|text| text.strip_prefix("random:"));
    let refused = |rule: &str| BackboneError::Configuration {
        backbone,
        key: WEIGHTS,
        rule: rule.to_string(),
        found: format!("`{}`", given.display()),
    };
    match seed {
        Some(_) if reads_texts(backbone) => Err(refused("the folder of a sentence encoder")),
        // The files in which a seed stands are TOML, which has no larger numbers.
        Some(seed) => match seed.parse().ok().filter(|seed| i64::try_from(*seed).is_ok()) {
            Some(seed) => Ok(WeightSource::Random(seed)),
            None => Err(refused("`random:SEED` with a whole number from 0 to 9223372036854775807")),
        },
        None if reads_texts(backbone) => Ok(WeightSource::Folder(given.to_path_buf())),
        None => {
            let shipped = SHIPPED_WEIGHTS.iter().find(|s| Path::new(s.name) == given && !given.exists());
            Ok(shipped
                .map_or_else(|| WeightSource::File(given.to_path_buf()), |s| WeightSource::Shipped(s.name)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        text.parse::<BackboneSpec>().unwrap_err().to_string()
    }

    fn weights(text: &str) -> WeightSource {
        let spec: BackboneSpec = text.parse().unwrap();
        assert_eq!(spec.to_string().parse::<BackboneSpec>().unwrap(), spec, "{spec}");
        spec.weights().unwrap().clone()
    }

    #[test]
    fn weights_are_shipped_a_file_a_folder_or_random() {
        assert_eq!(weights("conv4:weights=conv4-glyphs"), WeightSource::Shipped("conv4-glyphs"));
        assert_eq!(
            weights("conv4:weights=a=b/c.safetensors"),
            WeightSource::File("a=b/c.safetensors".into())
        );
        assert_eq!(weights("mlp:weights=(a,b)"), WeightSource::File("a,b".into()));
        assert_eq!(weights("bert:weights=models/mini"), WeightSource::Folder("models/mini".into()));
        assert_eq!(weights("mlp:weights=random:12"), WeightSource::Random(12));
        let apart = BackboneSpec::parse("conv4", Some(Path::new("conv4-glyphs"))).unwrap();
        assert_eq!(apart, "conv4:weights=conv4-glyphs".parse().unwrap());
    }

    #[test]
    fn what_cannot_be_asked_for_is_one_sentence() {
        let names: Vec<String> = backbones().iter().map(|(name, _)| format!("`{name}`")).collect();
        let known = format!("expected one of {}", names.join(", "));
        assert_eq!(
            message("con4:weights=a"),
            format!("unknown backbone `con4`, {known}\nhint: did you mean `conv4`?")
        );
        assert_eq!(message("word2vec"), format!("unknown backbone `word2vec`, {known}"));
        assert_eq!(
            message("conv4:wieghts=a"),
            "backbone `conv4` has no key `wieghts`, expected `weights`\nhint: did you mean `weights`?"
        );
        let none = "backbone `pixels` has no key `weights`, it takes images as they are";
        assert_eq!(message("pixels:weights=a"), none);
        let apart = BackboneSpec::parse("pixels", Some(Path::new("a"))).unwrap_err();
        assert_eq!(apart.to_string(), none);
        assert_eq!(
            message("conv4:weights"),
            "backbone `conv4:weights`: `weights` is not of the form key=value"
        );
        assert!(
            message("conv4").starts_with("backbone `conv4` needs weights\nhint: "),
            "{}",
            message("conv4")
        );
        assert!(message("bert").starts_with("backbone `bert` needs weights\nhint: say weights=FOLDER"));
        let both = BackboneSpec::parse("conv4:weights=a", Some(Path::new("b"))).unwrap_err().to_string();
        assert_eq!(both, "backbone `conv4` has the weights a, and the weights b are named beside it");
    }

    #[test]
    fn a_seed_is_a_number_and_no_encoder_is_random() {
        let rule = "`random:SEED` with a whole number from 0 to 9223372036854775807";
        for seed in ["", "x", "-1", "9223372036854775808"] {
            let found = message(&format!("mlp:weights=random:{seed}"));
            assert_eq!(found, format!("backbone `mlp`: `weights` must be {rule}, got `random:{seed}`"));
        }
        let encoder = message("bert:weights=random:1");
        let rule = "the folder of a sentence encoder";
        assert_eq!(encoder, format!("backbone `bert`: `weights` must be {rule}, got `random:1`"));
    }

    #[test]
    fn random_weights_fit_the_items_and_depend_on_the_seed_alone() {
        let form = Form::Image { channels: 3, height: 20, width: 16 };
        for name in super::super::enrolled::NETWORKS.iter().map(|(name, _)| *name) {
            let network = |seed: u64, form| {
                let spec: BackboneSpec = format!("{name}:weights=random:{seed}").parse().unwrap();
                spec.untrained(form).map(|network| network.unwrap())
            };
            let (one, other) = (network(1, form).unwrap(), network(2, form).unwrap());
            assert_eq!((one.config.form(), one.metadata["seed"].as_str()), (form, "1"));
            assert_eq!(one.weights, network(1, form).unwrap().weights, "{name}");
            assert_ne!(one.weights, other.weights, "{name}");
            // It is a file like any other.
            let back = Saved::parse(&one.bytes(), Path::new("w"), Some(name)).unwrap();
            assert_eq!(back.weights, one.weights);
            assert!(network(1, Form::Vector).is_err());
        }
    }

    #[test]
    fn only_a_network_of_images_is_read_with_weights() {
        let read = |text: &str| text.parse::<BackboneSpec>().unwrap().read();
        for text in ["pixels", "bert:weights=x", "mlp:weights=random:1"] {
            assert!(read(text).unwrap().is_none(), "{text}");
        }
        assert_eq!(read("conv4:weights=conv4-glyphs").unwrap().unwrap().config.name(), "conv4");
        let other = read("mlp:weights=conv4-glyphs").unwrap_err().to_string();
        assert!(other.contains("weights of backbone `conv4`, expected `mlp`"), "{other}");
        let untrained = |text: &str| text.parse::<BackboneSpec>().unwrap().untrained(Form::Vector);
        assert!(
            untrained("pixels").unwrap().is_none()
                && untrained("conv4:weights=conv4-glyphs").unwrap().is_none()
        );
    }
}
