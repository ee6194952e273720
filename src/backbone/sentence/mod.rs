//! A sentence encoder: tokenizer, network (BERT, DistilBERT, GPT-2 or CLIP's text tower), pooling and norm, from a folder as the
//! sentence-transformers library writes it (Reimers and Gurevych 2019), or transformers.
//!
//! Read from the folder: `config.json`, `model.safetensors`, `tokenizer.json`; where they are there also `modules.json`
//! (without it: mean over tokens, then norm one), the pooling folder's `config.json` and `sentence_bert_config.json`.

mod bert;
mod class_texts;
mod config;
mod run;
mod tokens;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use class_texts::{ClassTexts, label_words};
pub use run::{Embedded, Encoder};

use super::BackboneError;
use super::texts::TextNet;
use crate::tensor::encoder::EncoderWeights;
use config::{Model, Plan};
use tokens::Tokens;

/// The network between tokens and pooling.
enum Network {
    /// BERT, by operations of its own.
    Bert(Arc<EncoderWeights>),
    /// A list of operations, pooling among them.
    Net(Box<TextNet>),
}

/// A sentence encoder on the host, ready to be put onto devices.
pub struct SentenceEncoder {
    weights: Network,
    plan: Plan,
    tokens: Tokens,
}

impl SentenceEncoder {
    /// Reads the folder of an encoder.
    ///
    /// # Errors
    /// When a file is missing or damaged, the network is none of those that are known, or weights and tokenizer do not fit its sizes.
    pub fn read(folder: impl AsRef<Path>) -> Result<SentenceEncoder, BackboneError> {
        let (plan, model) = Plan::read(folder.as_ref())?;
        let tokens = Tokens::read(&plan)?;
        let weights = match model {
            Model::Bert(sizes) => Network::Bert(Arc::new(bert::read(&plan, &sizes)?)),
            Model::Net(net) => Network::Net(net),
        };
        Ok(SentenceEncoder { weights, plan, tokens })
    }

    /// The name of the backbone whose weights these are.
    pub fn backbone(&self) -> &'static str {
        match &self.weights {
            Network::Bert(_) => "bert",
            Network::Net(net) => net.config().family.backbone(),
        }
    }

    /// The files that say what the encoder computes, with their names in its folder.
    pub fn files(&self) -> &[(String, PathBuf)] {
        &self.plan.files
    }

    /// Numbers per sentence.
    pub fn dim(&self) -> usize {
        match &self.weights {
            Network::Bert(weights) => weights.hidden(),
            Network::Net(net) => net.config().dim(),
        }
    }

    /// The most tokens of a sentence that are read; what follows them is cut off.
    pub fn max_tokens(&self) -> usize {
        self.plan.max_tokens
    }
}
