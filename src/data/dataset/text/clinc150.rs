//! CLINC150: intents in ten domains, with queries out of their scope.
//!
//! Larson et al. 2019, "An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction".

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use super::{Said, Sentences, TextItems, by_class};
use crate::data::dataset::kind::{Holds, Kind, Opens};
use crate::data::{DataError, Place};
use crate::vocab::Split;

/// The dataset by name.
pub(in crate::data::dataset) const KIND: Kind = Kind {
    name: "clinc150",
    usage: "clinc150",
    about: "150 intents in ten domains, and queries out of their scope (Larson et al. 2019); data_full.json",
    holds: Holds::Texts,
    opens: Opens::Read {
        home: Some("clinc150"),
        lies_at: |path| {
            path.join("data_full.json").is_file()
                || path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"))
        },
        open: |asked| TextItems::open("clinc150", "clinc150", asked, |path| clinc150(path)),
    },
};

/// Which classes are base, validation and novel: 60, 30 and 60, drawn once for kshot; the dataset itself has no such
/// split.
const SPLITS: &str = include_str!("clinc150-splits.csv");

/// The class of queries out of the scope of all intents.
const OOS: &str = "oos";

type List = Vec<(String, String)>;

#[derive(Deserialize)]
struct Lists {
    train: Option<List>,
    val: Option<List>,
    test: Option<List>,
    #[serde(default)]
    oos_train: List,
    #[serde(default)]
    oos_val: List,
    #[serde(default)]
    oos_test: List,
}

/// Reads `data_full.json` (a file, or the folder that holds it), and `domains.json` beside it as clusters.
///
/// Items are sorted by class, within a class by part (`train`, `val`, `test`); those out of scope come last, as class
/// `oos`. Their ids are list and row, such as `oos_train:0`.
///
/// # Errors
/// When a file cannot be read or is damaged, a text is empty, or a class is none of CLINC150's.
pub fn clinc150(path: impl AsRef<Path>) -> Result<Sentences, DataError> {
    let path = path.as_ref();
    let (folder, file) = match path.is_dir() {
        true => (path, path.join("data_full.json")),
        false => (path.parent().unwrap_or(Path::new("")), path.to_path_buf()),
    };
    let lists: Lists = json(&file)?;
    let missing =
        |name| DataError::NoMember { at: Place::file(&file), name, expected: "a list of [text, intent]" };
    let inside = [
        ("train", "train", lists.train.ok_or_else(|| missing("train"))?),
        ("val", "val", lists.val.ok_or_else(|| missing("val"))?),
        ("test", "test", lists.test.ok_or_else(|| missing("test"))?),
    ];
    let oos = [
        ("oos_train", "train", lists.oos_train),
        ("oos_val", "val", lists.oos_val),
        ("oos_test", "test", lists.oos_test),
    ];
    let mut sentences = by_class(said(&file, inside)?);
    if sentences.texts.is_empty() {
        return Err(DataError::NoItems { at: Place::file(&file) });
    }
    sentences.splits = Some(splits(&sentences, &file)?);
    let first = sentences.texts.len();
    for said in said(&file, oos)? {
        sentences.texts.push(said.text);
        sentences.classes.push(OOS.to_string());
        sentences.ids.push(said.id);
        sentences.parts.get_or_insert_default().push(said.part.to_string());
    }
    sentences.oos = (first..sentences.texts.len()).collect();
    let domains = folder.join("domains.json");
    sentences.files = vec![file];
    if domains.exists() {
        sentences.clusters = Some(clusters(&sentences, &domains)?);
        sentences.files.push(domains);
    }
    Ok(sentences)
}

/// The sentences of three lists.
fn said(file: &Path, lists: [(&'static str, &'static str, List); 3]) -> Result<Vec<Said>, DataError> {
    let mut all = Vec::new();
    for (name, part, list) in lists {
        for (row, (text, class)) in list.into_iter().enumerate() {
            for (column, value) in [("text", &text), ("class", &class)] {
                if value.trim().is_empty() {
                    return Err(DataError::EmptyName { at: Place::member(file, name), row, column });
                }
            }
            all.push(Said { text, class, part, id: format!("{name}:{row}") });
        }
    }
    Ok(all)
}

fn splits(sentences: &Sentences, file: &Path) -> Result<Vec<(String, Split)>, DataError> {
    let lines = SPLITS.lines().skip(1).filter_map(|line| line.split_once(','));
    let known: HashMap<&str, Split> =
        lines.filter_map(|(class, split)| Some((class, split.parse().ok()?))).collect();
    let of = |class: &str| match known.get(class) {
        Some(split) => Ok((class.to_string(), *split)),
        None => Err(DataError::ClassWithoutSplit { at: Place::file(file), class: class.to_string() }),
    };
    sentences.class_names().into_iter().map(of).collect()
}

/// The domain of each class that has one.
fn clusters(sentences: &Sentences, file: &Path) -> Result<Vec<(String, String)>, DataError> {
    let domains: HashMap<String, Vec<String>> = json(file)?;
    let mut domain_of = HashMap::new();
    for (domain, classes) in &domains {
        for class in classes {
            if domain_of.insert(class.as_str(), domain.as_str()).is_some() {
                return Err(DataError::ClassTwice { at: Place::file(file), class: class.clone() });
            }
        }
    }
    let named = sentences.class_names().into_iter();
    Ok(named.filter_map(|class| Some((class.to_string(), domain_of.get(class)?.to_string()))).collect())
}

fn json<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T, DataError> {
    let bytes =
        std::fs::read(file).map_err(|source| DataError::Unreadable { at: Place::file(file), source })?;
    serde_json::from_slice(&bytes).map_err(|error| DataError::Damaged {
        at: Place::line(file, error.line() as u64),
        what: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        files.iter().for_each(|(name, text)| std::fs::write(place.path().join(name), text).unwrap());
        place
    }

    fn refusal(place: &tempfile::TempDir) -> String {
        let error = clinc150(place.path()).unwrap_err().to_string();
        error.replace(&format!("{}/", place.path().display()), "")
    }

    const DATA: &str = r#"{"val": [["book a table", "restaurant_reservation"]], "oos_test": [["why", "oos"]],
        "train": [["hello", "greeting"], ["a table", "restaurant_reservation"], ["hi", "greeting"]],
        "test": [["good day", "greeting"]]}"#;

    #[test]
    fn items_are_sorted_by_class_and_part_and_those_outside_come_last() {
        let place = folder(&[("data_full.json", DATA), ("domains.json", r#"{"small_talk": ["greeting"]}"#)]);
        let sentences = clinc150(place.path()).unwrap();
        assert_eq!(sentences.texts, ["hello", "hi", "good day", "a table", "book a table", "why"]);
        assert_eq!(sentences.parts.as_ref().unwrap(), &["train", "train", "test", "train", "val", "test"]);
        assert_eq!(sentences.class_names(), ["greeting", "restaurant_reservation", "oos"]);
        assert_eq!(sentences.oos, [5]);
        let splits = sentences.splits.as_ref().unwrap();
        assert_eq!(
            splits.iter().map(|(class, _)| class).collect::<Vec<_>>(),
            ["greeting", "restaurant_reservation"]
        );
        let cluster = ("greeting".to_string(), "small_talk".to_string());
        assert_eq!(sentences.clusters.as_deref(), Some([cluster].as_slice()));
        assert_eq!(clinc150(place.path().join("data_full.json")).unwrap(), sentences);
    }

    #[test]
    fn the_shipped_splits_are_sixty_thirty_sixty() {
        let count = |split: Split| SPLITS.lines().filter(|line| line.ends_with(&format!(",{split}"))).count();
        assert_eq!(Split::ALL.iter().map(|s| count(*s)).collect::<Vec<_>>(), [60, 30, 60, 0]);
    }

    #[test]
    fn damaged_files_are_refused() {
        assert!(refusal(&folder(&[])).starts_with("data_full.json: cannot be read: "));
        let place = folder(&[("data_full.json", r#"{"train": [], "val": []}"#)]);
        assert_eq!(refusal(&place), "data_full.json: no `test`, expected a list of [text, intent]");
        let place = folder(&[("data_full.json", &DATA.replace("hello", " "))]);
        assert!(refusal(&place).starts_with("data_full.json `train`: item 0 has an empty `text`\nhint: "));
        let place = folder(&[("data_full.json", &DATA.replace("greeting", "grating"))]);
        assert!(refusal(&place).starts_with("data_full.json: class `grating` has items and no split"));
        let place = folder(&[("data_full.json", "{\n\"train\": [[\"a\"]]}")]);
        assert!(refusal(&place).starts_with("data_full.json line 2: damaged or cut short: "));
    }
}
