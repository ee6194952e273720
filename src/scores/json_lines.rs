//! JSON Lines: an object a line.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::ScoresError;
use super::written::Written;

/// Reads objects of texts, numbers and truth values; the columns are all their keys, in the order of first use.
pub(super) fn read(bytes: &[u8], file: &str) -> Result<Written, ScoresError> {
    let damaged = |line: usize, why: String| ScoresError::Damaged { place: format!("{file}:{line}"), why };
    let text = std::str::from_utf8(bytes).map_err(|_| damaged(1, "the text is not UTF-8".to_string()))?;
    let mut written = Written { file: file.to_string(), ..Written::default() };
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let object: Map<String, Value> = serde_json::from_str(line)
            .map_err(|error| damaged(number + 1, format!("no JSON object: {error}")))?;
        let mut row = vec![String::new(); places.len()];
        for (key, value) in object {
            let cell = cell(value).ok_or_else(|| {
                damaged(number + 1, format!("`{key}` must be a text, a number or a truth value"))
            })?;
            let place = *places.entry(key.clone()).or_insert_with(|| {
                written.columns.push(key);
                written.columns.len() - 1
            });
            row.resize(row.len().max(place + 1), String::new());
            row[place] = cell;
        }
        written.rows.push(row);
        written.lines.push(number as u64 + 1);
    }
    let width = written.columns.len();
    written.rows.iter_mut().for_each(|row| row.resize(width, String::new()));
    Ok(written)
}

fn cell(value: Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(value) => Some(value),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_comes_later_is_empty_before() {
        let written = read(b"{\"a\":1}\n\n{\"b\":\"x\",\"a\":true}\n", "s.jsonl").unwrap();
        assert_eq!(written.columns, ["a", "b"]);
        assert_eq!(written.rows, [["1", ""], ["true", "x"]]);
        assert_eq!(written.lines, [1, 3]);
    }

    #[test]
    fn a_line_that_is_no_object_is_named() {
        let error = read(b"{\"a\":1}\n[1]\n", "s.jsonl").unwrap_err().to_string();
        assert!(error.starts_with("s.jsonl:2: no JSON object"), "{error}");
        assert!(read(b"{\"a\":[1]}\n", "s.jsonl").unwrap_err().to_string().contains("`a` must be a text"));
    }
}
