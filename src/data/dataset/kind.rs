//! Datasets by name: `glyphs`, `omniglot`, `folder:DIR`, `texts:mine.csv`, or a path whose files tell what they are.

use std::path::{Path, PathBuf};

use super::DATASETS;
use super::items::Dataset;
use super::made::Made;
use crate::data::{DataError, Store};

/// What the items of a dataset are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Vectors of numbers.
    Vectors,
    /// Images.
    Images,
    /// Sentences.
    Texts,
}

/// A dataset that is known by name.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// How it is asked for, where that is more than its name: `folder:DIR`.
    pub usage: &'static str,
    /// A line on it.
    pub about: &'static str,
    /// What its items are.
    pub holds: Holds,
    pub(super) opens: Opens,
}

/// How a dataset is opened.
#[derive(Clone, Copy)]
pub(super) enum Opens {
    /// Made from the text as it was asked for, and what stands behind its colon.
    Made(fn(&str, Option<&str>) -> Result<Store, DataError>),
    /// Read from files.
    Read {
        /// Its folder below that of all datasets; nothing where a path must be given.
        home: Option<&'static str>,
        /// Whether a path that is given alone is one of these.
        lies_at: fn(&Path) -> bool,
        open: fn(&Asked<'_>) -> Result<Box<dyn Dataset>, DataError>,
    },
}

/// A dataset of files as it was asked for.
pub(super) struct Asked<'a> {
    /// The whole text.
    pub spec: &'a str,
    /// Where it lies, with options behind where the kind has some.
    pub rest: PathBuf,
    /// Whether only its name was given, so that it lies among all datasets.
    pub by_name: bool,
}

impl Kind {
    /// Whether it needs no files.
    pub fn is_made(&self) -> bool {
        matches!(self.opens, Opens::Made(_))
    }
}

/// The kind of a name, or of what stands before the colon of a longer text.
pub fn kind(spec: &str) -> Option<&'static Kind> {
    let name = spec.split_once(':').map_or(spec, |(name, _)| name);
    DATASETS.iter().find(|kind| kind.name == name)
}

/// Where a dataset of files lies; nothing where `spec` is none.
pub(super) fn find<'a>(spec: &'a str, data: &Path) -> Option<(&'static Kind, Asked<'a>)> {
    let asked = |rest: PathBuf, by_name| Asked { spec, rest, by_name };
    let rest = spec.split_once(':').map(|(_, rest)| rest);
    if let Some(kind) = kind(spec).filter(|kind| !kind.is_made()) {
        match (rest, kind.opens) {
            (Some(rest), _) => return Some((kind, asked(PathBuf::from(rest), false))),
            (None, Opens::Read { home: Some(home), .. }) => {
                return Some((kind, asked(data.join(home), true)));
            }
            _ => {}
        }
    }
    let path = Path::new(spec);
    let lies = |kind: &&Kind| matches!(kind.opens, Opens::Read { lies_at, .. } if lies_at(path));
    DATASETS.iter().find(lies).map(|kind| (kind, asked(path.to_path_buf(), false)))
}

/// Opens a dataset; nothing where `spec` is none.
///
/// `spec` is a name of [`DATASETS`], where files are looked for below the folder `data`; a name and a path behind a
/// colon; or a path alone, whose files tell what it is.
///
/// # Errors
/// When the dataset is not there, or its files are broken.
pub fn open_dataset(spec: &str, data: &Path) -> Result<Option<Box<dyn Dataset>>, DataError> {
    if let Some(store) = super::embedded(spec) {
        return Ok(Some(Box::new(Made::new(store?)?)));
    }
    let Some((kind, asked)) = find(spec, data) else { return Ok(None) };
    match kind.opens {
        Opens::Read { open, .. } => open(&asked).map(Some),
        Opens::Made(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::items::RawItem;
    use super::*;

    #[test]
    fn a_dataset_is_found_by_name_by_kind_and_by_its_files() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("banking77");
        std::fs::create_dir(&folder).unwrap();
        for (part, text) in [("train", "t1"), ("test", "t2")] {
            std::fs::write(folder.join(format!("{part}.csv")), format!("text,category\n{text},a\n")).unwrap();
        }
        let file = place.path().join("mine.csv");
        std::fs::write(&file, "text,class\nhello,a\n").unwrap();
        let read = |spec: &str| {
            let dataset = open_dataset(spec, place.path()).unwrap()?;
            Some((dataset.name().to_string(), dataset.items().unwrap().ids.len()))
        };
        let shown = folder.display();
        for spec in ["banking77".to_string(), format!("banking77:{shown}"), shown.to_string()] {
            assert_eq!(read(&spec), Some(("banking77".to_string(), 2)), "{spec}");
        }
        for spec in [format!("texts:{}", file.display()), file.display().to_string()] {
            assert_eq!(read(&spec), Some(("mine".to_string(), 1)), "{spec}");
        }
        assert_eq!((read("texts"), read("folder"), read("features.npz")), (None, None, None));
        let error = open_dataset("clinc150", place.path()).err().unwrap().to_string();
        assert!(error.contains("clinc150: no such file or folder") && error.contains("--data"), "{error}");
    }

    #[test]
    fn every_dataset_has_a_name_of_its_own_and_what_is_made_opens_by_it() {
        for (place, kind) in DATASETS.iter().enumerate() {
            assert!(DATASETS[..place].iter().all(|other| other.name != kind.name), "{}", kind.name);
            if kind.is_made() {
                let dataset = open_dataset(kind.name, Path::new("")).unwrap().unwrap();
                assert_eq!(dataset.name(), kind.name);
                let is_image = matches!(dataset.read(3).unwrap(), RawItem::Image { .. });
                assert_eq!(is_image, kind.holds == Holds::Images, "{}", kind.name);
            }
        }
    }
}
