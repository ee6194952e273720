//! Why a backbone cannot be read or run, each as one sentence.

use std::fmt::Write;
use std::io;
use std::path::PathBuf;

use crate::tensor::TensorError;
use crate::vocab::spec::SpecError;
use crate::vocab::{Form, did_you_mean};

/// A weight whose shape is not the one that the sizes of the network ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeDiffers {
    /// Its name.
    pub name: String,
    /// The shape that it must have.
    pub expected: Vec<usize>,
    /// The shape that it has.
    pub found: Vec<usize>,
}

/// An error of the backbone room.
#[derive(Debug, thiserror::Error)]
pub enum BackboneError {
    /// A file that must be there is not.
    #[error("{}: no such file\nhint: {hint}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// How to get it.
        hint: &'static str,
    },
    /// The operating system refuses.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file that breaks the rules of its format.
    #[error("{}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The parser's sentence.
        what: String,
    },
    /// A network of another kind than those that are known.
    #[error("{}: `{key}` is `{found}`, expected {known}", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The key of the file.
        key: &'static str,
        /// Its value.
        found: String,
        /// The values that are known.
        known: &'static str,
    },
    /// A size that cannot be.
    #[error("{}: {what}", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// The rule and what was found.
        what: String,
    },
    /// A weight that is not stored as floating-point numbers.
    #[error("{}: `{name}` holds {found}, expected F32, F16 or BF16", path.display())]
    ElementType {
        /// The file.
        path: PathBuf,
        /// The weight.
        name: String,
        /// The type in the words of the format.
        found: String,
    },
    /// A weight that is NaN or infinite.
    #[error("{}: `{name}` holds {value}, weights must be finite numbers", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The weight.
        name: String,
        /// The number.
        value: f32,
    },
    /// The weights are not those of the network.
    #[error(
        "{}: the weights do not fit the sizes of the network: {}\nhint: weights and sizes must be of one network; of a \
         sentence encoder the sizes stand in config.json beside the weights",
        path.display(),
        differences(missing, unexpected, shapes)
    )]
    Differ {
        /// The file.
        path: PathBuf,
        /// Weights of the network that the file lacks.
        missing: Vec<String>,
        /// Weights of the file that the network lacks.
        unexpected: Vec<String>,
        /// Weights of another shape.
        shapes: Vec<ShapeDiffers>,
    },
    /// Weights that lack what is needed to know their network.
    #[error("{}: the metadata has no `{key}`\nhint: weights of a backbone of images are written by `kshot train`", path.display())]
    NoMetadata {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
    },
    /// A configuration that asks for more than its file holds.
    #[error(
        "{}: its `configuration` asks for {asked} weights, the file holds {held}\nhint: the file is damaged, or was not written by `kshot train`",
        path.display()
    )]
    Claims {
        /// The file.
        path: PathBuf,
        /// The weights of the network.
        asked: String,
        /// Those of the file.
        held: usize,
    },
    /// Weights of another backbone.
    #[error("{}: these are weights of backbone `{found}`, expected `{expected}`", path.display())]
    OtherBackbone {
        /// The file.
        path: PathBuf,
        /// The backbone that was asked for.
        expected: String,
        /// The backbone that the weights are of.
        found: String,
    },
    /// A text that is no specification of a backbone.
    #[error("backbone `{spec}`: {source}")]
    Specification {
        /// The text.
        spec: String,
        /// What is wrong with it.
        source: SpecError,
    },
    /// A backbone that does not exist.
    #[error("unknown backbone `{found}`, expected one of {}{}", list(known), did_you_mean(found, known.iter().copied()))]
    UnknownBackbone {
        /// Its name.
        found: String,
        /// Those that exist.
        known: Vec<&'static str>,
    },
    /// Published weights of which nobody says what is done to photographs before them.
    #[error(
        "{}: nothing says what is done to photographs before this network\nhint: put timm's config.json beside it, or say it with recipe=torchvision, which is recipe=({usual})",
        path.display()
    )]
    NoPreprocessing {
        /// The file.
        path: PathBuf,
        /// What torchvision does before its own weights of this network.
        usual: String,
    },
    /// A result of a network at which it cannot be cut.
    #[error("backbone `{backbone}` has no cut `{found}`, expected one of {}{}", names(known), did_you_mean(found, known.iter().map(String::as_str)))]
    UnknownCut {
        /// The backbone.
        backbone: &'static str,
        /// The name.
        found: String,
        /// The names that it has.
        known: Vec<String>,
    },
    /// A key that a backbone does not have.
    #[error("backbone `{backbone}` has no key `{key}`, {}", keys(key, known))]
    UnknownKey {
        /// The backbone.
        backbone: &'static str,
        /// The key.
        key: String,
        /// The keys that it has.
        known: &'static [&'static str],
    },
    /// A network without weights.
    #[error("backbone `{backbone}` needs weights\nhint: {hint}")]
    NoWeights {
        /// The backbone.
        backbone: &'static str,
        /// Where it may get some.
        hint: &'static str,
    },
    /// Weights in a specification, and others beside it.
    #[error(
        "backbone `{backbone}` has the weights {}, and the weights {} are named beside it",
        own.display(),
        other.display()
    )]
    TwoWeights {
        /// The backbone.
        backbone: &'static str,
        /// Its own weights.
        own: PathBuf,
        /// The others.
        other: PathBuf,
    },
    /// Items of another form than the network reads.
    #[error("backbone `{backbone}` reads items of form `{expected}`, found `{found}`")]
    OtherForm {
        /// The backbone.
        backbone: String,
        /// What it reads.
        expected: Form,
        /// What the items are.
        found: Form,
    },
    /// A configuration that cannot be.
    #[error("backbone `{backbone}`: `{key}` must be {rule}, got {found}")]
    Configuration {
        /// The backbone.
        backbone: &'static str,
        /// The key.
        key: &'static str,
        /// What would be right.
        rule: String,
        /// What was given.
        found: String,
    },
    /// A text without anything to encode.
    #[error(
        "text {number} is empty, expected at least one character that the tokenizer knows\nhint: leave it out, or give it \
         words"
    )]
    EmptyText {
        /// Its place, counted from 0.
        number: usize,
    },
    /// A class whose name or description has nothing to encode.
    #[error(
        "class `{class}` has no words to make a class vector of\nhint: give it another name, or describe the classes with \
         --descriptions"
    )]
    WordlessClass {
        /// The class.
        class: String,
    },
    /// The tokenizer refuses a text.
    #[error("text {number} cannot be split into tokens: {what}")]
    Tokens {
        /// Its place, counted from 0.
        number: usize,
        /// The tokenizer's sentence.
        what: String,
    },
    /// The device failed.
    #[error(transparent)]
    Tensor(#[from] TensorError),
}

impl BackboneError {
    /// Whether what was asked for is wrong, rather than a file.
    pub fn is_request(&self) -> bool {
        matches!(
            self,
            BackboneError::Specification { .. }
                | BackboneError::UnknownBackbone { .. }
                | BackboneError::UnknownKey { .. }
                | BackboneError::NoWeights { .. }
                | BackboneError::TwoWeights { .. }
                | BackboneError::Configuration { .. }
        )
    }
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn names(known: &[String]) -> String {
    list(&known.iter().map(String::as_str).collect::<Vec<_>>())
}

fn keys(key: &str, known: &[&'static str]) -> String {
    if known.is_empty() {
        return "it takes images as they are".to_string();
    }
    format!("expected {}{}", list(known), did_you_mean(key, known.iter().copied()))
}

fn differences(missing: &[String], unexpected: &[String], shapes: &[ShapeDiffers]) -> String {
    let mut parts = Vec::new();
    if !missing.is_empty() {
        parts.push(format!("{} missing ({})", missing.len(), few(missing)));
    }
    if !unexpected.is_empty() {
        parts.push(format!("{} unexpected ({})", unexpected.len(), few(unexpected)));
    }
    if let Some(first) = shapes.first() {
        let mut part = format!("{} of another shape (", shapes.len());
        let shape = |sizes: &[usize]| sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        let (found, expected) = (shape(&first.found), shape(&first.expected));
        let _ = write!(part, "`{}` is ({found}), expected ({expected})", first.name);
        part.push_str(if shapes.len() > 1 { ", …)" } else { ")" });
        parts.push(part);
    }
    parts.join("; ")
}

fn few(names: &[String]) -> String {
    let mut list = names.iter().take(3).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    if names.len() > 3 {
        list.push_str(", …");
    }
    list
}
