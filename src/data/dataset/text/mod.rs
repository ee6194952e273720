//! Datasets of sentences: what a text backbone is to turn into features.
//!
//! [`clinc150`] and [`banking77`] read the files of their publishers, [`texts`] any table of sentences, [`named`] any of
//! these by name. They give plain lists; a backbone makes a feature set of them, and of [`descriptions`] vectors of
//! the classes.

mod banking77;
mod clinc150;
mod descriptions;
mod json_lines;
mod named;
mod table;

use std::collections::HashMap;
use std::path::PathBuf;

pub use banking77::banking77;
pub use clinc150::clinc150;
pub use descriptions::descriptions;
pub use named::{TEXT_DATASETS, is_named, is_place, named};
pub use table::texts;

use crate::vocab::Split;

/// Sentences with their classes, in item order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sentences {
    /// The sentences; none is empty.
    pub texts: Vec<String>,
    /// The class of each sentence.
    pub classes: Vec<String>,
    /// The part of each sentence, where the dataset has parts.
    pub parts: Option<Vec<String>>,
    /// The id of each sentence: its own, else where it stands.
    pub ids: Vec<String>,
    /// Every class in scope, with its split, in order of first appearance.
    pub splits: Option<Vec<(String, Split)>>,
    /// Classes with their clusters, in order of first appearance.
    pub clusters: Option<Vec<(String, String)>>,
    /// The items that belong to no class of the task; they share one class name.
    pub oos: Vec<usize>,
    /// Columns or keys of a table that are not read, in order of appearance; a column may have no name.
    pub ignored: Vec<String>,
    /// The files that were read.
    pub files: Vec<PathBuf>,
}

impl Sentences {
    /// The names of the classes in order of first appearance.
    pub fn class_names(&self) -> Vec<&str> {
        let mut seen = std::collections::HashSet::new();
        self.classes.iter().map(String::as_str).filter(|class| seen.insert(*class)).collect()
    }

    /// Every class in order of first appearance with its split, which is novel where the dataset names none, and its
    /// cluster where it has one.
    pub fn listed(&self) -> Vec<(String, Split, Option<String>)> {
        let oos = self.oos.first().map(|item| self.classes[*item].as_str());
        let splits: HashMap<&str, Split> =
            self.splits.iter().flatten().map(|(class, split)| (class.as_str(), *split)).collect();
        let clusters: HashMap<&str, &str> = self
            .clusters
            .iter()
            .flatten()
            .map(|(class, cluster)| (class.as_str(), cluster.as_str()))
            .collect();
        let line = |class: &str| {
            let own = splits.get(class).copied().unwrap_or(Split::Novel);
            let split = if oos == Some(class) { Split::Oos } else { own };
            (class.to_string(), split, clusters.get(class).map(|cluster| cluster.to_string()))
        };
        self.class_names().into_iter().map(line).collect()
    }
}

/// A sentence as a file says it.
struct Said {
    text: String,
    class: String,
    part: &'static str,
    id: String,
}

/// Items sorted by the names of their classes, and within a class as they were said.
fn by_class(mut said: Vec<Said>) -> Sentences {
    said.sort_by(|a, b| a.class.cmp(&b.class));
    let mut sentences = Sentences { parts: Some(Vec::with_capacity(said.len())), ..Sentences::default() };
    for Said { text, class, part, id } in said {
        sentences.texts.push(text);
        sentences.classes.push(class);
        sentences.ids.push(id);
        sentences.parts.get_or_insert_default().push(part.to_string());
    }
    sentences
}
