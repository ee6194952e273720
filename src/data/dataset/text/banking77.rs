//! BANKING77: what customers of a bank ask, in 77 intents.
//!
//! Casanueva et al. 2020, "Efficient Intent Detection with Dual Sentence Encoders".

use std::path::Path;

use super::table::{Table, Written, csv};
use super::{Said, Sentences, TextItems, by_class};
use crate::data::DataError;
use crate::data::dataset::kind::{Holds, Kind, Opens};

/// The dataset by name.
pub(in crate::data::dataset) const KIND: Kind = Kind {
    name: "banking77",
    usage: "banking77",
    about: "77 intents of customers of a bank (Casanueva et al. 2020); train.csv and test.csv",
    holds: Holds::Texts,
    opens: Opens::Read {
        home: Some("banking77"),
        lies_at: |path| path.join("train.csv").is_file() && path.join("test.csv").is_file(),
        open: |asked| TextItems::open("banking77", "banking77", asked, |path| banking77(path)),
    },
};

/// Reads `train.csv` and `test.csv` (columns `text` and `category`) of a folder.
///
/// Items are sorted by class, within a class by part (`train`, `test`); their ids are part and row, such as `train:0`. The dataset has no split of its classes.
///
/// # Errors
/// When a file cannot be read, lacks a column, or has an empty field.
pub fn banking77(folder: impl AsRef<Path>) -> Result<Sentences, DataError> {
    let (mut said, mut files, mut unread) = (Vec::new(), Vec::new(), Table::default());
    for part in ["train", "test"] {
        let file = folder.as_ref().join(format!("{part}.csv"));
        let Table { lines, ignored, .. } = csv(&file, &["text", "category"], true)?;
        ignored.into_iter().for_each(|name| unread.ignore(name));
        let rows = lines.into_iter().enumerate();
        said.extend(rows.map(|(row, (_, Written { text, class, .. }))| Said {
            text,
            class,
            part,
            id: format!("{part}:{row}"),
        }));
        files.push(file);
    }
    Ok(Sentences { files, ignored: unread.ignored, ..by_class(said) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_sorted_by_class_and_part() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("train.csv"), "text,category\nb1,b\n\"a,1\",a\n").unwrap();
        let error = banking77(place.path()).unwrap_err().to_string();
        assert!(error.contains("test.csv: no such file"), "{error}");
        std::fs::write(place.path().join("test.csv"), "text,category\nb2,b\na2,a\n").unwrap();
        let sentences = banking77(place.path()).unwrap();
        assert_eq!(sentences.texts, ["a,1", "a2", "b1", "b2"]);
        assert_eq!(sentences.parts.unwrap(), ["train", "test", "train", "test"]);
        assert_eq!(sentences.ids, ["train:1", "test:1", "train:0", "test:0"]);
        std::fs::write(place.path().join("test.csv"), "text,label\nb2,b\n").unwrap();
        let error = banking77(place.path()).unwrap_err().to_string();
        assert!(error.ends_with("test.csv: no column `category`, found `text`, `label`"), "{error}");
    }
}
