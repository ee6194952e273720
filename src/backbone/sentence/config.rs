//! What the small files of an encoder's folder say: sizes, pooling, norm, the longest sentence.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::backbone::texts::TextNet;
use crate::backbone::{BackboneError, read_file};
use crate::tensor::encoder::{Activation, Pooling};

/// config.json of a BERT; other keys do not change what it computes.
#[derive(Debug, Deserialize)]
struct Written {
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    #[serde(default = "gelu")]
    hidden_act: String,
    #[serde(default = "least_variance")]
    layer_norm_eps: f64,
    max_position_embeddings: usize,
    #[serde(default = "two")]
    type_vocab_size: usize,
    vocab_size: usize,
    #[serde(default = "absolute")]
    position_embedding_type: String,
    #[serde(default)]
    is_decoder: bool,
}

#[derive(Debug, Deserialize)]
struct ModelType {
    #[serde(default = "bert")]
    model_type: String,
}

fn bert() -> String {
    "bert".to_string()
}

fn gelu() -> String {
    "gelu".to_string()
}

fn absolute() -> String {
    "absolute".to_string()
}

fn least_variance() -> f64 {
    1e-12
}

fn two() -> usize {
    2
}

#[derive(Debug, Deserialize)]
struct Module {
    #[serde(default)]
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Default, Deserialize)]
struct Limits {
    max_seq_length: Option<usize>,
    #[serde(default)]
    do_lower_case: bool,
}

#[derive(Debug, Default, Deserialize)]
struct ModelLength {
    model_max_length: Option<f64>,
}

/// The sizes of a BERT.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sizes {
    pub hidden: usize,
    pub layers: usize,
    pub heads: usize,
    pub middle: usize,
    pub words: usize,
    pub positions: usize,
    pub types: usize,
    pub epsilon: f32,
    pub activation: Activation,
}

/// The network of an encoder.
#[derive(Debug)]
pub(super) enum Model {
    /// BERT, of which only the sizes are read yet.
    Bert(Sizes),
    /// Another one, with its weights.
    Net(Box<TextNet>),
}

/// A checked description of an encoder.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    /// The folder of the network itself.
    pub folder: PathBuf,
    /// Words of the table.
    pub words: usize,
    /// The token with which every text must end.
    pub last: Option<u32>,
    pub pooling: Pooling,
    /// Whether the result has norm one.
    pub unit: bool,
    pub max_tokens: usize,
    pub lower_case: bool,
    /// The files that say what the encoder computes, with their names in its folder.
    pub files: Vec<(String, PathBuf)>,
}

impl Plan {
    pub fn read(folder: &Path) -> Result<(Plan, Model), BackboneError> {
        let Modules { network, mut pooling, mut unit, mut files } = Modules::read(folder)?;
        let config = network.join("config.json");
        let kind: ModelType = required(&config, CONFIG_HINT)?;
        let (model, words, positions, last) = if kind.model_type == "bert" {
            let sizes = Sizes::read(&config)?;
            let (words, positions) = (sizes.words, sizes.positions);
            (Model::Bert(sizes), words, positions, None)
        } else {
            // CLIP has one way only: Radford et al. 2021, section 3.1.2.
            if kind.model_type.starts_with("clip") {
                (pooling, unit) = (Pooling::Last, true);
            }
            let net = TextNet::read(&network, pooling)?;
            let (words, positions, last) = (net.config().words, net.config().longest, net.last());
            (Model::Net(Box::new(net)), words, positions, last)
        };
        let limits: Limits = optional(&network.join("sentence_bert_config.json"))?.unwrap_or_default();
        let length: ModelLength = optional(&network.join("tokenizer_config.json"))?.unwrap_or_default();
        // Some tokenizers say 10³⁰ for "no limit".
        let model_length = length.model_max_length.map_or(usize::MAX, |length| length as usize);
        let max_tokens = limits.max_seq_length.unwrap_or(model_length).min(positions);
        files.extend(NETWORK_FILES.map(|name| network.join(name)));
        let named = |path: PathBuf| {
            let inside = path.strip_prefix(folder).unwrap_or(&path);
            (inside.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/"), path)
        };
        let files = files.into_iter().filter(|path| path.exists()).map(named).collect();
        let lower_case = limits.do_lower_case;
        let plan = Plan { folder: network, words, last, pooling, unit, max_tokens, lower_case, files };
        Ok((plan, model))
    }
}

const NETWORK_FILES: [&str; 5] = [
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "sentence_bert_config.json",
    "tokenizer_config.json",
];

/// What modules.json lists, in this order: the network, its pooling, and maybe the norm.
struct Modules {
    network: PathBuf,
    pooling: Pooling,
    unit: bool,
    /// The files that say so.
    files: Vec<PathBuf>,
}

impl Modules {
    fn read(folder: &Path) -> Result<Modules, BackboneError> {
        let path = folder.join("modules.json");
        let listed: Option<Vec<Module>> = optional(&path)?;
        let (network, files) = (folder.to_path_buf(), vec![path.clone()]);
        let mut modules = Modules { network, pooling: Pooling::Mean, unit: true, files };
        let Some(listed) = listed else { return Ok(modules) };
        modules.unit = false;
        for module in listed {
            match module.kind.rsplit('.').next() {
                Some("Transformer") => modules.network = folder.join(module.path),
                Some("Pooling") => {
                    let path = folder.join(module.path).join("config.json");
                    modules.pooling = pooling(&path)?;
                    modules.files.push(path);
                }
                Some("Normalize") => modules.unit = true,
                _ => {
                    return Err(BackboneError::Unknown {
                        path,
                        key: "type",
                        found: module.kind,
                        known: "`Transformer`, `Pooling` or `Normalize` of sentence_transformers",
                    });
                }
            }
        }
        Ok(modules)
    }
}

fn pooling(path: &Path) -> Result<Pooling, BackboneError> {
    let keys: serde_json::Map<String, serde_json::Value> = required(path, POOLING_HINT)?;
    let named = keys.get("pooling_mode").and_then(|mode| mode.as_str()).map(|mode| vec![mode]);
    let modes = named.unwrap_or_else(|| {
        let chosen = keys.iter().filter(|(_, value)| value.as_bool() == Some(true));
        chosen.filter_map(|(key, _)| key.strip_prefix("pooling_mode_")).collect()
    });
    match modes[..] {
        ["mean_tokens" | "mean"] => Ok(Pooling::Mean),
        ["cls_token" | "cls"] => Ok(Pooling::First),
        ["lasttoken"] => Ok(Pooling::Last),
        _ => Err(BackboneError::Unknown {
            path: path.to_path_buf(),
            key: "pooling_mode",
            found: modes.join(" + "),
            known: "`mean_tokens`, `cls_token` or `lasttoken` alone",
        }),
    }
}

const CONFIG_HINT: &str = "a sentence encoder is a folder with config.json, model.safetensors and tokenizer.json, as \
                           the sentence-transformers library saves it";
const POOLING_HINT: &str = "modules.json names this file";

impl Sizes {
    fn read(path: &Path) -> Result<Sizes, BackboneError> {
        let written: Written = required(path, CONFIG_HINT)?;
        let unknown = |key, found: &str, known| {
            Err(BackboneError::Unknown { path: path.to_path_buf(), key, found: found.to_string(), known })
        };
        if written.position_embedding_type != "absolute" {
            return unknown("position_embedding_type", &written.position_embedding_type, "`absolute`");
        }
        if written.is_decoder {
            return unknown("is_decoder", "true", "`false`");
        }
        let activation = match written.hidden_act.as_str() {
            "gelu" => Activation::Gelu,
            "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" => Activation::GeluTanh,
            "relu" => Activation::Relu,
            other => {
                return unknown(
                    "hidden_act",
                    other,
                    "`gelu`, `gelu_new`, `gelu_fast`, `gelu_pytorch_tanh` or `relu`",
                );
            }
        };
        let size = |what| Err(BackboneError::Size { path: path.to_path_buf(), what });
        let (hidden, heads) = (written.hidden_size, written.num_attention_heads);
        let named = [
            ("hidden_size", hidden),
            ("num_attention_heads", heads),
            ("intermediate_size", written.intermediate_size),
            ("max_position_embeddings", written.max_position_embeddings),
            ("type_vocab_size", written.type_vocab_size),
            ("vocab_size", written.vocab_size),
        ];
        if let Some((key, _)) = named.iter().find(|(_, size)| *size == 0) {
            return size(format!("`{key}` must be 1 or more, got 0"));
        }
        if hidden % heads != 0 {
            return size(format!(
                "`hidden_size` must be a multiple of `num_attention_heads`, got {hidden} and {heads}"
            ));
        }
        Ok(Sizes {
            hidden,
            layers: written.num_hidden_layers,
            heads,
            middle: written.intermediate_size,
            words: written.vocab_size,
            positions: written.max_position_embeddings,
            types: written.type_vocab_size,
            epsilon: written.layer_norm_eps as f32,
            activation,
        })
    }
}

fn required<T: DeserializeOwned>(path: &Path, hint: &'static str) -> Result<T, BackboneError> {
    let bytes = read_file(path, hint)?;
    serde_json::from_slice(&bytes)
        .map_err(|error| BackboneError::Damaged { path: path.to_path_buf(), what: error.to_string() })
}

fn optional<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, BackboneError> {
    match required(path, "") {
        Ok(value) => Ok(Some(value)),
        Err(BackboneError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
