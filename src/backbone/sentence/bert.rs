//! The weights of a BERT under their names in the checkpoints of the transformers library.

use std::path::Path;

use super::config::{Plan, Sizes};
use crate::backbone::{BackboneError, WeightFile};
use crate::tensor::encoder::{Block, EncoderWeights, Linear, Norm, Tables};

/// The name of a weight without what older or larger checkpoints add; nothing for parts that features do not pass.
fn name(written: &str) -> Option<String> {
    let bare = written.strip_prefix("bert.").unwrap_or(written);
    if bare.starts_with("pooler.") || bare.starts_with("cls.") || bare == "embeddings.position_ids" {
        return None;
    }
    let bare = bare.replace("LayerNorm.gamma", "LayerNorm.weight");
    Some(bare.replace("LayerNorm.beta", "LayerNorm.bias"))
}

/// All weights that a BERT of these sizes has, with their shapes.
fn network(sizes: &Sizes) -> Vec<(String, Vec<usize>)> {
    let &Sizes { hidden, middle, words, positions, types, .. } = sizes;
    let mut all = Vec::new();
    let mut table = |name: &str, rows| all.push((format!("embeddings.{name}.weight"), vec![rows, hidden]));
    table("word_embeddings", words);
    table("position_embeddings", positions);
    table("token_type_embeddings", types);
    let mut pair = |name: String, shape: Vec<usize>| {
        all.push((format!("{name}.bias"), vec![shape[0]]));
        all.push((format!("{name}.weight"), shape));
    };
    pair("embeddings.LayerNorm".to_string(), vec![hidden]);
    for layer in 0..sizes.layers {
        let mut pair = |name, shape| pair(format!("encoder.layer.{layer}.{name}"), shape);
        for part in ["self.query", "self.key", "self.value", "output.dense"] {
            pair(format!("attention.{part}"), vec![hidden, hidden]);
        }
        pair("attention.output.LayerNorm".to_string(), vec![hidden]);
        pair("intermediate.dense".to_string(), vec![middle, hidden]);
        pair("output.dense".to_string(), vec![hidden, middle]);
        pair("output.LayerNorm".to_string(), vec![hidden]);
    }
    all
}

struct Parts<'a> {
    weights: WeightFile,
    sizes: &'a Sizes,
}

impl Parts<'_> {
    fn norm(&mut self, name: &str) -> Result<Norm, BackboneError> {
        let scale = self.weights.take(&format!("{name}.weight"))?;
        let shift = self.weights.take(&format!("{name}.bias"))?;
        Ok(Norm::new(scale, shift, self.sizes.epsilon)?)
    }

    /// Layers of the same input, side by side.
    fn linear(&mut self, inner: usize, names: &[String]) -> Result<Linear, BackboneError> {
        let (mut weight, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            weight.extend(self.weights.take(&format!("{name}.weight"))?);
            bias.extend(self.weights.take(&format!("{name}.bias"))?);
        }
        Ok(Linear::new(&weight, inner, &bias)?)
    }

    fn tables(&mut self) -> Result<Tables, BackboneError> {
        let words = self.weights.take("embeddings.word_embeddings.weight")?;
        let mut positions = self.weights.take("embeddings.position_embeddings.weight")?;
        // A sentence alone has only tokens of the first type.
        let types = self.weights.take("embeddings.token_type_embeddings.weight")?;
        for row in positions.chunks_exact_mut(self.sizes.hidden) {
            row.iter_mut().zip(&types).for_each(|(p, t)| *p += t);
        }
        let norm = self.norm("embeddings.LayerNorm")?;
        Ok(Tables::new(words, positions, norm)?)
    }

    fn block(&mut self, layer: usize) -> Result<Block, BackboneError> {
        let &Sizes { hidden, middle, .. } = self.sizes;
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        let attend = ["query", "key", "value"].map(|part| name(&format!("attention.self.{part}")));
        Ok(Block {
            attend: self.linear(hidden, &attend)?,
            mix: self.linear(hidden, &[name("attention.output.dense")])?,
            attend_norm: self.norm(&name("attention.output.LayerNorm"))?,
            up: self.linear(hidden, &[name("intermediate.dense")])?,
            down: self.linear(middle, &[name("output.dense")])?,
            feed_norm: self.norm(&name("output.LayerNorm"))?,
        })
    }
}

/// Reads `model.safetensors` of the encoder's folder.
pub(super) fn read(plan: &Plan, sizes: &Sizes) -> Result<EncoderWeights, BackboneError> {
    let weights = read_named(&plan.folder.join("model.safetensors"))?;
    if sizes.layers > weights.names() {
        let what = format!(
            "`num_hidden_layers` is {}, and model.safetensors holds {} weights in all",
            sizes.layers,
            weights.names()
        );
        return Err(BackboneError::Size { path: plan.folder.join("config.json"), what });
    }
    weights.expect(&network(sizes))?;
    let mut parts = Parts { weights, sizes };
    let tables = parts.tables()?;
    let blocks = (0..sizes.layers).map(|layer| parts.block(layer)).collect::<Result<_, _>>()?;
    Ok(EncoderWeights::new(tables, blocks, sizes.heads, sizes.activation)?)
}

fn read_named(path: &Path) -> Result<WeightFile, BackboneError> {
    WeightFile::read(path, name)
}
