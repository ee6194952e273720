//! What can be wrong with a rule file.

use std::io;

use crate::vocab::UnknownWord;

/// Why a rule file is refused.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// The file is not there or is no text.
    #[error("cannot read protocol {origin}: {source}")]
    Unreadable {
        /// The file.
        origin: String,
        /// What the system says.
        source: io::Error,
    },
    /// No file, and no protocol that ships with kshot, has this name.
    #[error(
        "no protocol `{named}`, neither a file nor one that ships with kshot\nhint: name a file, or one of {known}"
    )]
    Unknown {
        /// The name as given.
        named: String,
        /// The shipped ones, in backticks, joined by commas.
        known: String,
    },
    /// The text is no TOML, has an unknown key, lacks one, or holds a value of another type.
    #[error("{origin} line {line}: {message}{shown}")]
    Syntax {
        /// The file.
        origin: String,
        /// The line, from 1.
        line: usize,
        /// The parser's sentence.
        message: String,
        /// The line itself with the spot underlined; empty where the spot is a whole table.
        shown: String,
    },
    /// A value is out of its range.
    #[error("{origin} line {line}: `{key}` must be {rule}, got {found}")]
    Value {
        /// The file.
        origin: String,
        /// The line, from 1.
        line: usize,
        /// The key of the value.
        key: &'static str,
        /// What would be right.
        rule: String,
        /// The value as written.
        found: String,
    },
    /// A word is none of the known ones.
    #[error("{origin} line {line}: {source}")]
    Word {
        /// The file.
        origin: String,
        /// The line, from 1.
        line: usize,
        /// The word and the known ones.
        source: UnknownWord,
    },
    /// Two rules, each fine alone, do not go together.
    #[error("{origin} line {line}: {rule}")]
    Together {
        /// The file.
        origin: String,
        /// The line of one of them, from 1.
        line: usize,
        /// The rule that binds them.
        rule: &'static str,
    },
}
