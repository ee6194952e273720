//! The sizes of a network of texts, and the network of these sizes.

use std::path::Path;

use serde_json::{Map, Value};

use crate::backbone::BackboneError;
use crate::backbone::nets::{Blocks, activation};
use crate::backbone::tensors::NamedTensors;
use crate::tensor::Pooling;
use crate::tensor::net::{Activation, Builder, Dense, First, Graph};

/// What kind of network it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// BERT (Devlin et al. 2019): normalised behind each half of a block.
    Bert,
    /// DistilBERT (Sanh et al. 2019): the same without types of tokens.
    DistilBert,
    /// GPT-2 (Radford et al. 2019): normalised before each half, and a token sees only what stands before it.
    Gpt2,
    /// The text tower of CLIP (Radford et al. 2021): as GPT-2, projected.
    ClipText,
}

/// The configuration of CLIP's text tower.
const TOWER: &str = "text_config";

impl Family {
    const ALL: [(&'static str, Family); 5] = [
        ("bert", Family::Bert),
        ("distilbert", Family::DistilBert),
        ("gpt2", Family::Gpt2),
        ("clip", Family::ClipText),
        ("clip_text_model", Family::ClipText),
    ];

    /// The `model_type` that a configuration names.
    pub(super) fn of(path: &Path, written: &Map<String, Value>) -> Result<Family, BackboneError> {
        let found = written.get("model_type").and_then(Value::as_str).unwrap_or_default();
        let known = Family::ALL.iter().find(|(name, _)| *name == found);
        known.map(|(_, family)| *family).ok_or_else(|| BackboneError::Unknown {
            path: path.to_path_buf(),
            key: "model_type",
            found: found.to_string(),
            known: "`bert`, `distilbert`, `gpt2` or `clip`",
        })
    }

    /// The token with which every text ends, where features are read there.
    pub(super) fn last(self, written: &Map<String, Value>, words: usize) -> Option<u32> {
        let tower = written.get(TOWER).and_then(Value::as_object).unwrap_or(written);
        let end = tower.get("eos_token_id").and_then(Value::as_u64);
        // 2 stands in the first configurations whatever the vocabulary, and features are read at the highest number.
        let end = end.filter(|end| *end != 2).unwrap_or(words as u64 - 1);
        (self == Family::ClipText).then(|| u32::try_from(end).ok()).flatten()
    }

    /// The name of the backbone, as in `--backbone`.
    pub fn backbone(self) -> &'static str {
        match self {
            Family::Bert => "bert",
            Family::DistilBert => "distilbert",
            Family::Gpt2 => "gpt2",
            Family::ClipText => "clip_text",
        }
    }

    fn causal(self) -> bool {
        matches!(self, Family::Gpt2 | Family::ClipText)
    }
}

/// The sizes of a network of texts.
#[derive(Clone, Debug, PartialEq)]
pub struct TextConfig {
    /// What kind of network it is.
    pub family: Family,
    /// Numbers of a token.
    pub hidden: usize,
    /// Blocks.
    pub depth: usize,
    /// Heads of attention.
    pub heads: usize,
    /// Numbers between the two layers behind attention.
    pub middle: usize,
    /// Words of the table.
    pub words: usize,
    /// Tokens of the longest text.
    pub longest: usize,
    /// The activation between the two layers.
    pub activation: Activation,
    /// What is added to variances.
    pub epsilon: f32,
    /// Numbers onto which features are projected; 0 where they are not.
    pub projection: usize,
    /// Which tokens become features.
    pub pooling: Pooling,
}

impl TextConfig {
    /// The sizes that the weights have, with heads, activation and epsilon of the configuration.
    pub(super) fn of(
        path: &Path,
        written: &Map<String, Value>,
        family: Family,
        found: &NamedTensors,
        pooling: Pooling,
    ) -> Result<TextConfig, BackboneError> {
        let tower = written.get(TOWER).and_then(Value::as_object).unwrap_or(written);
        let refused = |what: String| BackboneError::Size { path: path.to_path_buf(), what };
        for (key, usual) in UNUSUAL {
            if let Some(other) = tower.get(key).filter(|value| **value != usual.clone() && !value.is_null()) {
                return Err(refused(format!("`{key}` must be {usual}, got {other}")));
            }
        }
        let first = |keys: &[&str]| keys.iter().find_map(|key| tower.get(*key));
        let size = |name: &str, axis: usize| {
            let size = found.tensors.get(name).and_then(|tensor| tensor.shape.get(axis)).copied();
            size.filter(|size| *size > 0)
        };
        let hidden = size("words", 1).unwrap_or(1);
        let heads = first(&["num_attention_heads", "n_heads", "n_head"]).and_then(Value::as_u64);
        let heads = heads.and_then(|heads| usize::try_from(heads).ok()).filter(|heads| *heads > 0);
        let heads = heads.ok_or_else(|| refused("`num_attention_heads` must be 1 or more".to_string()))?;
        if hidden % heads != 0 {
            return Err(refused(format!(
                "{heads} heads of attention do not divide the {hidden} numbers of a token"
            )));
        }
        let named = first(&["hidden_act", "activation_function", "activation"]);
        let usual = if family == Family::Gpt2 { Activation::GeluTanh } else { Activation::Gelu };
        let usual = if family == Family::ClipText { Activation::QuickGelu } else { usual };
        let numbers = found.tensors.keys().filter_map(|name| name.strip_prefix("blocks.")?.split_once('.'));
        let depth = numbers.filter_map(|(number, _)| number.parse::<usize>().ok()?.checked_add(1)).max();
        let epsilon = first(&["layer_norm_eps", "layer_norm_epsilon"]).and_then(Value::as_f64);
        let usual_epsilon = if family.causal() { 1e-5 } else { 1e-12 };
        Ok(TextConfig {
            family,
            hidden,
            depth: depth.unwrap_or(0).min(found.tensors.len()),
            heads,
            middle: size("blocks.0.mlp.fc1.weight", 0).unwrap_or(4 * hidden),
            words: size("words", 0).unwrap_or(1),
            longest: size("pos_embed", 0).unwrap_or(1),
            activation: activation(named, usual).map_err(refused)?,
            epsilon: epsilon.unwrap_or(usual_epsilon) as f32,
            projection: size("text_projection.weight", 0).unwrap_or(0),
            pooling,
        })
    }

    /// Numbers of a feature vector.
    pub fn dim(&self) -> usize {
        if self.projection > 0 { self.projection } else { self.hidden }
    }

    /// The network, written down.
    pub fn graph(&self) -> Graph {
        let &TextConfig { family, hidden, heads, middle, activation, epsilon, .. } = self;
        let (mut net, numbers) = Builder::new(1);
        let words = net.parameter("words", &[1, self.words, hidden], First::Normal(0.02), true);
        let positions = net.parameter("pos_embed", &[1, self.longest, hidden], First::Normal(0.02), true);
        let mut x = net.words(numbers, words, positions, hidden);
        let causal = family.causal();
        if !causal {
            x = net.layer_norm(x, "norm_pre", epsilon);
        }
        net.cut("tokens", x);
        let blocks = Blocks { heads, middle, activation, epsilon, causal, scaled: false };
        for number in 0..self.depth {
            let at = format!("blocks.{number}");
            x = if causal { blocks.before(&mut net, x, &at) } else { blocks.behind(&mut net, x, &at) };
            net.cut(at, x);
        }
        if causal {
            x = net.layer_norm(x, "norm", epsilon);
        }
        let mut features = match self.pooling {
            Pooling::Mean => net.mean(x, 0),
            Pooling::First => net.token(x, 0),
            Pooling::Last => net.last_token(x),
        };
        if self.projection > 0 {
            let projection = Dense::new(self.projection).without_bias();
            features = net.dense(features, "text_projection", projection);
        }
        net.finish(features, None)
    }
}

/// What a configuration may not ask for otherwise.
const UNUSUAL: [(&str, Value); 4] = [
    ("is_decoder", Value::Bool(false)),
    ("scale_attn_by_inverse_layer_idx", Value::Bool(false)),
    ("scale_attn_weights", Value::Bool(true)),
    ("add_cross_attention", Value::Bool(false)),
];
