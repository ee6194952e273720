//! What can be wrong with a draw's file.

use std::fmt;
use std::io;

use crate::data::DataError;

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
    /// Features of the same items in another order, for a draw that counts them by position.
    #[error(
        "{origin}: the items of features `{features}` stand in another order than those that it was drawn from{}\nhint: \
         put the rows back in order; or make the draw with the features of before and `kshot sample --ids`, which names \
         items by ids and holds for any order",
        named(first)
    )]
    OtherOrder {
        /// The file.
        origin: String,
        /// The features.
        features: String,
        /// The first item that is another one, where the draw names it.
        first: Option<Otherwise>,
    },
    /// Features of other items.
    #[error(
        "{origin}: the items of features `{features}` are not those that it was drawn from{} (items_sha256 {}, found \
         {})\nhint: {}", named(first), short(asked), short(found), hint(*has_ids)
    )]
    OtherItems {
        /// The file.
        origin: String,
        /// The features.
        features: String,
        /// The first item that is another one, where the draw names it.
        first: Option<Otherwise>,
        /// The hash of the items in the file.
        asked: String,
        /// The hash of the items of the features.
        found: String,
        /// Whether the features have ids.
        has_ids: bool,
    },
    /// A draw is to name items by ids, and they have none.
    #[error(
        "the items of features `{features}` have no ids, --ids names items by them\nhint: add a column `id`"
    )]
    NoIds {
        /// The features.
        features: String,
    },
    /// The features cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
}

/// An item that is another one than when a draw was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Otherwise {
    /// The class that the draw names.
    pub class: String,
    /// Its place in that class, from 0.
    pub place: usize,
    /// The id of the item that stands there now, where items have ids.
    pub id: Option<String>,
}

impl fmt::Display for Otherwise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "item {} of class `{}`", self.place, self.class)?;
        match &self.id {
            Some(id) => write!(f, ", here `{id}`"),
            None => Ok(()),
        }
    }
}

fn named(first: &Option<Otherwise>) -> String {
    match first {
        Some(item) => format!("; the first that differs is {item}"),
        None => "; they differ in items that the draw does not name".to_string(),
    }
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

fn hint(has_ids: bool) -> &'static str {
    match has_ids {
        true => "a draw belongs to the items that it was drawn from, whatever features are made of them",
        false => {
            "items without ids are only known by their numbers: give all features of them the same ids, in a column `id`"
        }
    }
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
    /// The head of the file says what it cannot.
    #[error("`{key}` must be {expected}, found `{found}`")]
    Head { key: &'static str, expected: &'static str, found: String },
    /// The file names items by ids, and the features have none.
    #[error(
        "the draw names items by ids, and those of features `{features}` have none\nhint: add a column `id`"
    )]
    NoIds { features: String },
    /// A word that is no id.
    #[error(
        "`{side}` holds `{found}`, in an id a % is followed by two hexadecimal digits\nhint: write %25 for a % itself"
    )]
    NotAnId { side: &'static str, found: String },
    /// The class has no item of this id.
    #[error(
        "class {class} has no item `{id}`, {side} names it\nhint: a draw belongs to the items that it was drawn from"
    )]
    NoSuchId { class: String, side: &'static str, id: String },
    /// A class stands twice in an episode.
    #[error("class {class} stands twice in episode {episode}")]
    ClassTwice { class: String, episode: u32 },
    /// An item's number is too large for its class.
    #[error(
        "class {class} has {items} items, {side} names item {number}\nhint: items count from 0 within their class"
    )]
    NoSuchItem { class: String, items: usize, side: &'static str, number: u32 },
    /// An item stands twice on one side.
    #[error("{side} names item {item} of class {class} twice")]
    ItemTwice { class: String, side: &'static str, item: String },
    /// An item stands on both sides.
    #[error("item {item} of class {class} is in support and in query")]
    OnBothSides { class: String, item: String },
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
