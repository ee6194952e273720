//! Why no draw can be made.

use crate::vocab::{Scope, Split, counted, few};

/// Why a protocol cannot be drawn from a dataset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the sentence above each field says what it is")]
pub enum SampleError {
    /// The split has fewer classes than an episode.
    #[error("split {split} has {}, an episode needs {need}", counted(u64::from(*classes), "class", "classes"))]
    TooFewClasses { split: Scope, classes: u32, need: u32 },
    /// The protocol lists fewer classes than an episode has.
    #[error(
        "the protocol lists {} of split {split} under `classes`, an episode needs {need}",
        counted(u64::from(*classes), "class", "classes")
    )]
    TooFewListed { split: Scope, classes: u32, need: u32 },
    /// Fewer seen classes than an episode has.
    #[error(
        "the dataset has {classes} seen classes, a generalised episode needs {need}\nhint: list base classes in splits.csv"
    )]
    TooFewSeen { classes: u32, need: u32 },
    /// A class has fewer items than its share of an episode; `part` is empty or names the part that is meant.
    #[error("class {class} has {}{part}, an episode needs {} (shot {shot} + query {query})", items_of(*items), shot + query)]
    ClassTooSmall { class: String, part: String, items: u32, shot: u32, query: u32 },
    /// A class has fewer items in a part than one side of an episode.
    #[error("class {class} has {}{part}, an episode needs {need} ({side} {need})", items_of(*items))]
    PartTooSmall { class: String, part: String, items: u32, need: u32, side: &'static str },
    /// Several classes have too few items.
    #[error("{first}; {} have too few, too: {}", counted(others.len() as u64, "other class", "other classes"), few(others))]
    ClassesTooSmall { first: Box<SampleError>, others: Vec<String> },
    /// Too few classes have enough items, when the others are left out.
    #[error(
        "split {split} has {} with enough items, and {small} that are left out; an episode needs {need}",
        counted(u64::from(*classes), "class", "classes")
    )]
    TooFewLarge { split: Scope, classes: u32, small: usize, need: u32 },
    /// The dataset has no such part.
    #[error("{}", no_part(part, known))]
    NoPart { part: String, known: String },
    /// The dataset has no class of a name that the protocol lists.
    #[error(
        "the dataset has no class `{class}`, which stands among the `classes` of the protocol{}\nhint: names are those of the column `class` of items.csv, letter for letter",
        others(*more)
    )]
    NoClass { class: String, more: usize },
    /// A class that the protocol lists is not of its split.
    #[error(
        "class `{class}` stands among the `classes` of the protocol, but is of split {found}, and the protocol takes {asked}{}",
        others(*more)
    )]
    ListedElsewhere { class: String, found: Split, asked: Scope, more: usize },
    /// The dataset has no class of this name, from which out-of-scope queries could come.
    #[error("the dataset has no class `{class}`, the protocol takes out-of-scope queries from it")]
    NoOosClass { class: String },
    /// The classes of an episode may have fewer items than its queries.
    #[error(
        "the {way} smallest classes of split {split} have {left} items beside shot {shot}, an episode needs {total} queries"
    )]
    TooFewQueries { split: Scope, way: u32, left: u64, shot: u32, total: u32 },
    /// Groups reach over both sides whatever is drawn.
    #[error(
        "episode {episode} found too few queries outside the groups of its support in {attempts} attempts\nhint: lower `shot` or `query`, or leave out classes with few groups"
    )]
    Groups { episode: u32, attempts: u32 },
    /// Without repetition the items do not last.
    #[error("without repetition split {split} allows {allowed} episodes, the protocol asks for {asked}")]
    TooManyEpisodes { split: Scope, allowed: u32, asked: u32 },
    /// More items than a draw can name.
    #[error("a draw can name at most 4294967295 items\nhint: lower `count`")]
    TooLarge,
}

impl SampleError {
    /// The way on, where classes are too small for an episode.
    pub fn hint(&self) -> &'static str {
        match self {
            SampleError::ClassTooSmall { .. }
            | SampleError::PartTooSmall { .. }
            | SampleError::ClassesTooSmall { .. } => {
                "\nhint: lower `shot` or `query`, or leave these classes out with `kshot evaluate --drop-small-classes`"
            }
            _ => "",
        }
    }
}

/// That a sentence is about others, too.
fn others(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" (and {more} more)") }
}

fn no_part(part: &str, known: &str) -> String {
    match known {
        "" => format!(
            "the dataset has no part `{part}`, its items are not divided into parts\nhint: add a column `part` with the part \
             of each item, or take a protocol that needs none, such as any-5way-1shot, any-5way-5shot or any-zero-shot"
        ),
        known => format!("the dataset has no part `{part}`, expected one of {known}"),
    }
}

fn items_of(number: u32) -> String {
    counted(u64::from(number), "item", "items")
}
