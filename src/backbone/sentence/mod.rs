//! A sentence encoder: tokenizer, BERT (Devlin et al. 2019), pooling and norm, from a folder as the
//! sentence-transformers library writes it (Reimers and Gurevych 2019).
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
use crate::tensor::encoder::EncoderWeights;
use config::Plan;
use tokens::Tokens;

/// A sentence encoder on the host, ready to be put onto devices.
pub struct SentenceEncoder {
    weights: Arc<EncoderWeights>,
    plan: Plan,
    tokens: Tokens,
}

impl SentenceEncoder {
    /// Reads the folder of an encoder.
    ///
    /// # Errors
    /// When a file is missing or damaged, the network is not a BERT, or weights and tokenizer do not fit its sizes.
    pub fn read(folder: impl AsRef<Path>) -> Result<SentenceEncoder, BackboneError> {
        let plan = Plan::read(folder.as_ref())?;
        let tokens = Tokens::read(&plan)?;
        let weights = Arc::new(bert::read(&plan)?);
        Ok(SentenceEncoder { weights, plan, tokens })
    }

    /// The files that say what the encoder computes, with their names in its folder.
    pub fn files(&self) -> &[(String, PathBuf)] {
        &self.plan.files
    }

    /// Numbers per sentence.
    pub fn dim(&self) -> usize {
        self.weights.hidden()
    }

    /// The most tokens of a sentence that are read; what follows them is cut off.
    pub fn max_tokens(&self) -> usize {
        self.plan.max_tokens
    }
}
