//! Datasets of sentences: what a text backbone is to turn into features.
//!
//! [`clinc150()`] and [`banking77()`] read the files of their publishers, [`texts`] any table of sentences; as datasets
//! they are opened by name. [`descriptions()`] are texts of their classes.

mod banking77;
mod clinc150;
mod descriptions;
mod json_lines;
pub(in crate::data::dataset) mod table;
mod unlabelled;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

pub(super) use banking77::KIND as BANKING77;
pub use banking77::banking77;
pub(super) use clinc150::KIND as CLINC150;
pub use clinc150::clinc150;
pub use descriptions::descriptions;
pub(super) use table::KIND as TEXTS;
pub use table::texts;
pub(super) use unlabelled::KIND as SENTENCES;

use super::items::{Dataset, Items, RawItem};
use super::kind::{Asked, Holds, Opens, find, kind};
use crate::data::{DataError, files_sha256};
use crate::vocab::Split;

/// Whether `spec` names a dataset of sentences by its kind: `clinc150`, `texts:mine.csv`. A file or folder of that name
/// goes before it.
pub fn is_named(spec: &str) -> bool {
    kind(spec).is_some_and(|kind| kind.holds == Holds::Texts) && !Path::new(spec).exists()
}

/// Whether a dataset of sentences other than a table lies at `spec`, a path, or below the folder `data`.
pub fn is_place(spec: &str, data: &Path) -> bool {
    find(spec, data).is_some_and(|(kind, asked)| {
        kind.holds == Holds::Texts && kind.name != TEXTS.name && asked.rest.exists()
    })
}

/// Whether a file is a table of sentences: JSON Lines, or a .csv or .tsv with a column `text`.
pub fn is_table(path: &Path) -> bool {
    let ends_in = |ending: &str| path.extension().is_some_and(|own| own.eq_ignore_ascii_case(ending));
    let has_text = || {
        let delimiter = if ends_in("tsv") { b'\t' } else { b',' };
        let reader = csv::ReaderBuilder::new().delimiter(delimiter).from_path(path);
        let header = reader.and_then(|mut reader| reader.headers().cloned());
        header.is_ok_and(|header| header.iter().any(|column| column == "text"))
    };
    path.is_file() && (ends_in("jsonl") || ((ends_in("csv") || ends_in("tsv")) && has_text()))
}

/// Opens a dataset of sentences; nothing where `spec` is none.
///
/// `spec` is `clinc150` or `banking77`, which are looked for below the folder `data`; `clinc150:PATH`, `banking77:PATH`
/// or `texts:PATH`; or a path alone, whose files tell what it is.
///
/// # Errors
/// When the dataset is not there, or its reader refuses it.
pub fn open(spec: &str, data: &Path) -> Result<Option<Box<dyn Dataset>>, DataError> {
    match find(spec, data) {
        Some((kind, asked)) if kind.holds == Holds::Texts => match kind.opens {
            Opens::Read { open, .. } => open(&asked).map(Some),
            Opens::Made(_) => Ok(None),
        },
        _ => Ok(None),
    }
}

/// A dataset of sentences.
struct TextItems {
    name: String,
    sentences: Sentences,
    items: Items,
}

impl TextItems {
    /// The sentences that `read` gives, under a name; the dataset is called `kind` where it is not there.
    fn open(
        kind: &str,
        name: &str,
        asked: &Asked<'_>,
        read: impl Fn(&Path) -> Result<Sentences, DataError>,
    ) -> Result<Box<dyn Dataset>, DataError> {
        if !asked.rest.exists() {
            return Err(DataError::NoDataset { name: kind.to_string(), path: asked.rest.clone() });
        }
        let sentences = read(&asked.rest)?;
        let items = Items {
            ids: sentences.ids.clone(),
            classes: sentences.classes.clone(),
            parts: sentences.parts.clone(),
            groups: sentences.groups.clone(),
            listed: sentences.listed(),
        };
        Ok(Box::new(TextItems { name: name.to_string(), sentences, items }))
    }
}

impl Dataset for TextItems {
    fn name(&self) -> &str {
        &self.name
    }

    fn items(&self) -> Result<&Items, DataError> {
        Ok(&self.items)
    }

    fn read(&self, item: usize) -> Result<RawItem, DataError> {
        Ok(RawItem::Text(self.sentences.texts[item].clone()))
    }

    fn recipe(&self) -> Result<String, DataError> {
        let named = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            (name.unwrap_or_default(), path.clone())
        };
        files_sha256(&self.sentences.files.iter().map(named).collect::<Vec<_>>())
    }

    fn ignored(&self) -> &[String] {
        &self.sentences.ignored
    }
}

/// Sentences with their classes, in item order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sentences {
    /// The sentences; none is empty.
    pub texts: Vec<String>,
    /// The class of each sentence.
    pub classes: Vec<String>,
    /// The part of each sentence, where the dataset has parts.
    pub parts: Option<Vec<String>>,
    /// The group of each sentence, empty where it is in none, where the dataset has groups.
    pub groups: Option<Vec<String>>,
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
