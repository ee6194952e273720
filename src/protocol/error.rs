//! What can be wrong with a rule file.

use std::{fmt, io};

use crate::vocab::UnknownWord;

/// Where a rule is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of a file.
    Line {
        /// The file.
        origin: String,
        /// The line, from 1.
        line: usize,
    },
    /// A protocol that was built or changed in memory.
    Built {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line { origin, line } => write!(f, "{origin} line {line}"),
            Place::Built { name } => write!(f, "protocol `{name}`"),
        }
    }
}

/// Why a protocol is refused.
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
    #[error("{place}: {message}{shown}")]
    Syntax {
        /// The line.
        place: Place,
        /// The parser's sentence.
        message: String,
        /// The line itself with the spot underlined; empty where the spot is a whole table.
        shown: String,
    },
    /// A value is out of its range.
    #[error("{place}: `{key}` must be {rule}, got {found}")]
    Value {
        /// The line, or the protocol.
        place: Place,
        /// The key of the value.
        key: &'static str,
        /// What would be right.
        rule: String,
        /// The value as written.
        found: String,
    },
    /// A word is none of the known ones.
    #[error("{place}: {source}")]
    Word {
        /// The line, or the protocol.
        place: Place,
        /// The word and the known ones.
        source: UnknownWord,
    },
    /// The file of a class list is not there or is no text.
    #[error("{place}: cannot read the classes in {file}: {source}")]
    Classes {
        /// The line that names it.
        place: Place,
        /// The file.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// What would make another draw of one that is frozen.
    #[error(
        "protocol `{name}` has a frozen draw, it cannot have {what}\nhint: take the line `sha256` out of the protocol, or take one of those that are for any features, such as any-5way-1shot"
    )]
    Frozen {
        /// The protocol.
        name: String,
        /// What was asked for.
        what: String,
    },
    /// Two rules, each fine alone, do not go together.
    #[error("{place}: {rule}")]
    Together {
        /// The line of one of them, or the protocol.
        place: Place,
        /// The rule that binds them.
        rule: &'static str,
    },
}
