//! Sentences as token numbers.

use std::path::PathBuf;

use tokenizers::{Tokenizer, TruncationParams};

use super::config::Plan;
use crate::backbone::{BackboneError, read_file};
use crate::guard::guarded;

/// A tokenizer that cuts sentences at the longest length.
pub(super) struct Tokens {
    path: PathBuf,
    tokenizer: Tokenizer,
    lower_case: bool,
}

const HINT: &str = "save it from Python with AutoTokenizer.from_pretrained(folder).save_pretrained(folder)";

impl Tokens {
    /// Reads `tokenizer.json` of an encoder; the truncation and padding that it asks for do not count.
    pub fn read(plan: &Plan) -> Result<Tokens, BackboneError> {
        let path = plan.folder.join("tokenizer.json");
        let bytes = read_file(&path, HINT)?;
        let damaged = |error: String| {
            let what = format!("no tokenizer that can be read: {error}\nhint: {HINT}");
            BackboneError::Damaged { path: path.clone(), what }
        };
        let read = guarded(|| Tokenizer::from_bytes(bytes)).map_err(damaged)?;
        let mut tokenizer = read.map_err(|error| damaged(error.to_string()))?;
        let size = |what| Err(BackboneError::Size { path: path.clone(), what });
        let highest = tokenizer.get_vocab(true).into_values().max().map_or(0, |id| id as usize + 1);
        if highest > plan.words {
            let words = plan.words;
            return size(format!("{highest} token numbers, and the network has a table of {words} words"));
        }
        let added =
            tokenizer.get_post_processor().map_or(0, |p| tokenizers::PostProcessor::added_tokens(p, false));
        let max_length = plan.max_tokens;
        if max_length <= added {
            return size(format!(
                "a sentence has {added} special tokens, at most {max_length} tokens are allowed"
            ));
        }
        tokenizer.with_padding(None);
        let truncation = TruncationParams { max_length, ..TruncationParams::default() };
        if let Err(error) = tokenizer.with_truncation(Some(truncation)) {
            return Err(BackboneError::Damaged { path, what: error.to_string() });
        }
        // What its parts name and do not define is found when they are used first.
        let tried = guarded(|| tokenizer.encode_fast("a", true).map(drop)).map_err(damaged)?;
        tried.map_err(|error| damaged(error.to_string()))?;
        let ended = tokenizer.encode_fast("a", true).ok().and_then(|ids| ids.get_ids().last().copied());
        if let Some(last) = plan.last.filter(|last| ended != Some(*last)) {
            let found = ended.map_or("none".to_string(), |token| token.to_string());
            return size(format!(
                "texts end with token {found}, the network reads their features at token {last}"
            ));
        }
        Ok(Tokens { tokenizer, path, lower_case: plan.lower_case })
    }

    /// The tokens of text number `number`, and whether it was too long.
    pub fn of(&self, number: usize, text: &str) -> Result<(Vec<u32>, bool), BackboneError> {
        let text = text.trim();
        let lower = if self.lower_case { Some(text.to_lowercase()) } else { None };
        let encoded = guarded(|| self.tokenizer.encode_fast(lower.as_deref().unwrap_or(text), true));
        let encoded = encoded.map_err(|error| {
            let what = format!("cannot split text {number} into tokens: {error}\nhint: {HINT}");
            BackboneError::Damaged { path: self.path.clone(), what }
        })?;
        let encoded = encoded.map_err(|error| BackboneError::Tokens { number, what: error.to_string() })?;
        if text.is_empty() || encoded.is_empty() {
            return Err(BackboneError::EmptyText { number });
        }
        Ok((encoded.get_ids().to_vec(), !encoded.get_overflowing().is_empty()))
    }
}
