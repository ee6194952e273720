//! What can be wrong with a draw's file.

use std::io;

/// Why a draw's file is refused.
#[derive(Debug, thiserror::Error)]
pub enum DrawError {
    /// The file is not there.
    #[error("cannot read draw {origin}: {source}")]
    Unreadable {
        /// The file.
        origin: String,
        /// What the system says.
        source: io::Error,
    },
    /// A line is wrong.
    #[error("{origin} line {line}: {flaw}")]
    Flawed {
        /// The file.
        origin: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        flaw: Flaw,
    },
}

/// What is wrong with a line of a draw.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the sentence above each field says what it is")]
pub enum Flaw {
    /// A column is not there.
    #[error("column `{name}` is missing, expected episode,label,class,support,query")]
    MissingColumn { name: &'static str },
    /// A column is not one of the five, or one of them again.
    #[error("unexpected column `{name}`, expected episode,label,class,support,query")]
    UnexpectedColumn { name: String },
    /// A row has more or fewer fields than the header.
    #[error("expected 5 columns, found {found}")]
    Columns { found: usize },
    /// The text ends within a line.
    #[error(
        "the last line has no line break, so the file may be cut off\nhint: end the file with a line break if it is complete"
    )]
    CutOff,
    /// The bytes are no text.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// The CSV itself is broken.
    #[error("{message}")]
    Csv { message: String },
    /// A field holds something else.
    #[error("`{column}` must hold whole numbers, found `{found}`")]
    NotANumber { column: &'static str, found: String },
    /// Episodes do not follow each other.
    #[error("expected episode {expected}, found {found}")]
    Episode { expected: String, found: u32 },
    /// Labels do not follow each other.
    #[error("expected label {expected}, found {found}")]
    Label { expected: usize, found: u32 },
    /// The dataset has no such class.
    #[error("the dataset has no class `{class}`\nhint: a draw belongs to the dataset that it was drawn from")]
    UnknownClass { class: String },
    /// A class stands twice in an episode.
    #[error("class {class} stands twice in episode {episode}")]
    ClassTwice { class: String, episode: u32 },
    /// An item's number is too large for its class.
    #[error(
        "class {class} has {items} items, {side} names item {number}\nhint: items count from 0 within their class"
    )]
    NoSuchItem { class: String, items: usize, side: &'static str, number: u32 },
    /// An item stands twice on one side.
    #[error("{side} names item {number} of class {class} twice")]
    ItemTwice { class: String, side: &'static str, number: u32 },
    /// An item stands on both sides.
    #[error("item {number} of class {class} is in support and in query")]
    OnBothSides { class: String, number: u32 },
    /// An episode with nothing to tell apart.
    #[error("episode {episode} has {way} class, an episode needs 2 or more")]
    OneClass { episode: u32, way: usize },
    /// Some classes of an episode have support and some have none.
    #[error("episode {episode} has no support for class {class} but for others")]
    SomeSupport { episode: u32, class: String },
    /// A row of out-of-scope queries that is out of place.
    #[error("{rule}")]
    OosRow { rule: &'static str },
    /// An episode that asks nothing.
    #[error("episode {episode} has no query")]
    NoQuery { episode: u32 },
    /// A file without episodes.
    #[error("the file holds no episode")]
    Empty,
    /// A file with more than can be counted.
    #[error("a draw can name at most 4294967295 items")]
    TooLarge,
}
