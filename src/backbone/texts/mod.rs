//! Networks of texts as lists of operations over token numbers, so that the passes of networks of images, with a tape and without,
//! run them too: BERT, DistilBERT, GPT-2, and the text tower of CLIP.

mod config;
mod names;

use std::path::Path;

use serde_json::{Map, Value};

use super::nets::{fill, joined};
use super::tensors::{NamedTensors, read_tensors};
use super::{BackboneError, Weights, read_file};
use crate::tensor::Pooling;
use crate::tensor::net::Graph;

pub use config::{Family, TextConfig};

/// A network of texts with its weights.
///
/// It reads sequences of one length: the numbers of their tokens behind each other, as images of one channel that are `length`
/// pixels high and 1 wide.
#[derive(Clone, Debug)]
pub struct TextNet {
    config: TextConfig,
    weights: Weights,
    last: Option<u32>,
}

const CONFIG_HINT: &str = "a network of texts is a folder with config.json and model.safetensors, as the transformers library \
                           saves it";

impl TextNet {
    /// Reads `config.json` and `model.safetensors` of a folder as the transformers library saves it.
    ///
    /// # Errors
    /// When a file is missing or damaged, the network is none of [`Family`], or its weights are not those that it needs.
    pub fn read(folder: &Path, pooling: Pooling) -> Result<TextNet, BackboneError> {
        let path = folder.join("config.json");
        let bytes = read_file(&path, CONFIG_HINT)?;
        let written: Map<String, Value> = serde_json::from_slice(&bytes)
            .map_err(|error| BackboneError::Damaged { path: path.clone(), what: error.to_string() })?;
        let family = Family::of(&path, &written)?;
        let weights = folder.join("model.safetensors");
        let mut found = joined(renamed(read_tensors(&weights)?, family));
        names::transpose(&mut found, family);
        add_types(&mut found);
        let config = TextConfig::of(&path, &written, family, &found, pooling)?;
        let weights = fill(&weights, &config.graph(), &mut found)?;
        Ok(TextNet { last: family.last(&written, config.words), config, weights })
    }

    /// Its sizes.
    pub fn config(&self) -> &TextConfig {
        &self.config
    }

    /// The network, written down.
    pub fn graph(&self) -> Graph {
        self.config.graph()
    }

    /// Its numbers, in the order of [`Graph::parameters`].
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The numbers alone.
    pub fn values(&self) -> Vec<Vec<f32>> {
        self.weights.0.iter().map(|weight| weight.values.clone()).collect()
    }

    /// The token with which every text must end; nothing where any will do.
    pub fn last(&self) -> Option<u32> {
        self.last
    }
}

/// The names as the network has them, without what no pass uses.
fn renamed(found: NamedTensors, family: Family) -> NamedTensors {
    let tensors = found.tensors.into_iter();
    let tensors = tensors.filter_map(|(name, tensor)| Some((names::name(&name, family)?, tensor))).collect();
    NamedTensors { tensors, ..found }
}

/// A text alone has only tokens of the first type: that row is part of every position.
fn add_types(found: &mut NamedTensors) {
    let Some(types) = found.tensors.remove("types") else { return };
    let Some(positions) = found.tensors.get_mut("pos_embed") else { return };
    let width = positions.shape.last().copied().unwrap_or(1).max(1);
    for row in positions.values.chunks_exact_mut(width) {
        row.iter_mut().zip(&types.values).for_each(|(position, first)| *position += first);
    }
}
