//! JSON Lines of sentences: one object per line.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::{Error, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};

use super::table::{Table, Written};
use crate::data::{DataError, OpenOptions, Place};

/// One line; other keys are kept by name alone.
#[derive(Deserialize)]
struct Line {
    text: String,
    class: Option<Word>,
    part: Option<Word>,
    split: Option<String>,
    id: Option<Word>,
    #[serde(flatten)]
    others: BTreeMap<String, IgnoredAny>,
}

/// Text, or a whole number that stands for its digits, as it does in a .csv file.
struct Word(String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
        deserializer.deserialize_any(WordVisitor)
    }
}

struct WordVisitor;

impl Visitor<'_> for WordVisitor {
    type Value = Word;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a whole number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Word, E> {
        Ok(Word(text.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Word, E> {
        Ok(Word(number.to_string()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Word, E> {
        Ok(Word(number.to_string()))
    }
}

/// The lines of a file with their numbers; empty ones are passed over. Without `classes` all are of the class of items without
/// classes, whatever they say.
pub(super) fn read(path: &Path, classes: bool) -> Result<Table, DataError> {
    let bytes = std::fs::read(path).map_err(DataError::unreadable(path))?;
    let mut table = Table::default();
    // A byte order mark says nothing, as in a .csv file.
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    if text.trim_ascii_start().starts_with(b"[") {
        return Err(DataError::NotJsonLines { at: Place::file(path) });
    }
    for (bytes, number) in text.split(|b| *b == b'\n').zip(1u64..) {
        let at = || Place::line(path, number);
        let text = std::str::from_utf8(bytes).map_err(|_| DataError::NotUtf8 { at: at() })?;
        if text.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(text)
            .map_err(|error| DataError::Written { at: at(), what: sentence(&error) })?;
        let class = match (classes, line.class) {
            (false, _) => OpenOptions::UNLABELLED.to_string(),
            (true, Some(class)) => class.0,
            (true, None) => {
                return Err(DataError::Written { at: at(), what: "missing field `class`".to_string() });
            }
        };
        for (column, value) in [("text", &line.text), ("class", &class)] {
            if value.trim().is_empty() {
                return Err(DataError::EmptyName { at: at(), row: table.lines.len(), column });
            }
        }
        for name in line.others.into_keys() {
            table.ignore(name);
        }
        let word = |word: Option<Word>| word.map(|word| word.0);
        let (part, id) = (word(line.part), word(line.id));
        let written = Written { text: line.text, class, part, split: line.split, id, group: None };
        table.lines.push((number, written));
    }
    match (bytes.is_empty(), table.lines.is_empty()) {
        (true, _) => Err(DataError::Empty { at: Place::file(path) }),
        (false, true) => Err(DataError::NoItems { at: Place::file(path) }),
        (false, false) => Ok(table),
    }
}

/// What is wrong with an object, without the line that the parser counts: it is given one at a time.
fn sentence(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(what) if error.is_data() => what.to_string(),
        Some(what) => format!("{what} at column {}", error.column()),
        None => text,
    }
}
