//! What is under check: turns a broken rule into an error that names the line of the file, or the protocol.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;

use toml::Spanned;

use super::written::{ALIASES, RENAMED};
use super::{Place, ProtocolError};
use crate::vocab::UnknownWord;

/// What is held against the rules.
pub(super) enum Check<'a> {
    /// The text of a file, and its name.
    File { text: &'a str, origin: &'a str },
    /// A protocol that was built in memory, by its name; nothing of it has a line.
    Built { name: &'a str },
}

impl Check<'_> {
    /// The folder that files are named from.
    pub fn folder(&self) -> &Path {
        let origin = match self {
            Check::File { origin, .. } => origin,
            Check::Built { .. } => "",
        };
        Path::new(origin).parent().unwrap_or(Path::new(""))
    }

    /// The place of a byte of the text.
    pub fn place(&self, offset: usize) -> Place {
        match self {
            Check::File { text, origin } => {
                let line = 1 + text.as_bytes().iter().take(offset).filter(|b| **b == b'\n').count();
                Place::Line { origin: (*origin).to_string(), line }
            }
            Check::Built { name } => Place::Built { name: (*name).to_string() },
        }
    }

    /// The parser's error, with the spot underlined where it lies within one line.
    pub fn syntax(&self, error: &toml::de::Error) -> ProtocolError {
        let text = match self {
            Check::File { text, .. } => *text,
            Check::Built { .. } => "",
        };
        let span = error.span().unwrap_or(0..0);
        let start = span.start.min(text.len());
        let begin = text[..start].rfind('\n').map_or(0, |n| n + 1);
        let end = text[start..].find('\n').map_or(text.len(), |n| start + n);
        let shown = if span.is_empty() || span.end > end {
            String::new()
        } else {
            let indent = text[begin..start].chars().count();
            let width = text[start..span.end].chars().count();
            format!("\n  {}\n  {}{}", &text[begin..end], " ".repeat(indent), "^".repeat(width))
        };
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        ProtocolError::Syntax { place: self.place(start), message: in_words(&message), shown }
    }

    /// A value out of its range.
    pub fn value<T>(
        &self,
        key: &'static str,
        rule: impl Display,
        at: &Spanned<T>,
        found: impl Display,
    ) -> ProtocolError {
        ProtocolError::Value {
            place: self.place(at.span().start),
            key,
            rule: rule.to_string(),
            found: found.to_string(),
        }
    }

    /// Two rules that do not go together.
    pub fn together<T>(&self, at: &Spanned<T>, rule: &'static str) -> ProtocolError {
        ProtocolError::Together { place: self.place(at.span().start), rule }
    }

    /// A whole number in a range.
    pub fn whole(
        &self,
        key: &'static str,
        written: &Spanned<i64>,
        range: RangeInclusive<u32>,
    ) -> Result<u32, ProtocolError> {
        let number = *written.get_ref();
        u32::try_from(number).ok().filter(|n| range.contains(n)).ok_or_else(|| {
            let rule = if number < i64::from(*range.start()) {
                format!("{} or more", range.start())
            } else {
                format!("{} or less", range.end())
            };
            self.value(key, rule, written, number)
        })
    }

    /// A seed: TOML knows whole numbers up to 2⁶³ − 1.
    pub fn seed(&self, written: &Spanned<i64>) -> Result<u64, ProtocolError> {
        u64::try_from(*written.get_ref())
            .map_err(|_| self.value("seed", "0 or more", written, written.get_ref()))
    }

    /// A text that says something.
    pub fn filled(&self, key: &'static str, written: &Spanned<String>) -> Result<String, ProtocolError> {
        let text = written.get_ref();
        if text.trim().is_empty() {
            return Err(self.value(key, "a text", written, "nothing"));
        }
        Ok(text.clone())
    }

    /// A name in kebab case: it becomes part of file names and table rows.
    pub fn kebab(&self, written: &Spanned<String>) -> Result<String, ProtocolError> {
        let name = written.get_ref();
        let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if !name.split('-').all(word) {
            let rule = "lower-case letters and digits in words joined by `-`";
            return Err(self.value("name", rule, written, format!("`{name}`")));
        }
        Ok(name.clone())
    }

    /// A SHA-256 in hexadecimal digits.
    pub fn hash(&self, written: &Spanned<String>) -> Result<String, ProtocolError> {
        let hash = written.get_ref();
        if hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(self.value("sha256", "64 hexadecimal digits", written, format!("`{hash}`")));
        }
        Ok(hash.to_ascii_lowercase())
    }

    /// A known word.
    pub fn word<T: FromStr<Err = UnknownWord>>(&self, written: &Spanned<String>) -> Result<T, ProtocolError> {
        written
            .get_ref()
            .parse()
            .map_err(|source| ProtocolError::Word { place: self.place(written.span().start), source })
    }

    /// Known words, at least one and none twice.
    pub fn words<T>(
        &self,
        key: &'static str,
        written: &Spanned<Vec<Spanned<String>>>,
    ) -> Result<Vec<T>, ProtocolError>
    where
        T: FromStr<Err = UnknownWord> + PartialEq + Display,
    {
        let mut words: Vec<T> = Vec::new();
        for one in written.get_ref() {
            let word = self.word(one)?;
            if words.contains(&word) {
                return Err(self.value(key, "a list without repetition", one, format!("`{word}` twice")));
            }
            words.push(word);
        }
        if words.is_empty() {
            return Err(self.value(key, "a list of at least one word", written, "none"));
        }
        Ok(words)
    }
}

/// The parser's sentence in the words of a rule file: it has keys, of which some had another name.
fn in_words(message: &str) -> String {
    let Some(unknown) = message.strip_prefix("unknown field `") else {
        return message.replacen("missing field", "missing key", 1).replacen(
            "duplicate field",
            "duplicate key",
            1,
        );
    };
    let renamed = RENAMED.iter().find(|(old, _)| unknown.starts_with(&format!("{old}`")));
    if let Some((old, new)) = renamed {
        return format!("unknown key `{old}`, it is now `{new}`");
    }
    let known = |message: String, alias: &&str| message.replace(&format!(", `{alias}`"), "");
    ALIASES.iter().fold(format!("unknown key `{unknown}"), known)
}
