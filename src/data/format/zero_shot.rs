//! The published splits of zero-shot learning (Xian et al. 2019): `res101.mat` with features and labels, and beside it
//! `att_splits.mat` with the names, attributes and splits of the classes.
//!
//! Classes with items in `test_unseen_loc` are novel, those of `val_loc` alone validation, all others base; items in
//! `test_seen_loc` and `test_unseen_loc` are of part `test`, the rest of part `train`. Without `att_splits.mat` classes are
//! the numbers of `labels`, all novel.

use std::collections::HashSet;
use std::path::Path;

use super::Reader;
use super::mat::{Variable, variables};
use super::written::{Features, Labels, Listed, Listing, Matrix, Names, Written};
use crate::data::store::values::{Element, Values};
use crate::data::{DataError, OpenOptions, Place};
use crate::vocab::Split;

/// A .mat file of features and labels.
pub(super) struct Mat;

/// What the features are called where they are published.
pub(super) const FEATURES: &str = "res101.mat";
const SPLITS: &str = "att_splits.mat";

impl Reader for Mat {
    fn extension(&self) -> Option<&'static str> {
        Some("mat")
    }

    fn about(&self) -> &'static str {
        "a .mat file with `features` and `labels`"
    }

    fn read(&self, path: &Path, options: &OpenOptions) -> Result<Written, DataError> {
        let file = File::open(path, &["features", "labels"])?;
        // MATLAB keeps (dim, items) column after column, which is item after item.
        let (dim, rows, values) = file.matrix("features")?;
        let features = Features {
            at: file.at("features"),
            values: Values::F32(values.to_vec().into()),
            element: Element::F64,
            rows,
            dim,
        };
        let labels = match options.labels {
            Some(_) => None,
            None => Some(file.whole("labels")?),
        };
        let beside = path.with_file_name(SPLITS);
        let splits = if beside.is_file() { Some(ClassSplits::read(&beside)?) } else { None };
        let labels = labels.map(|codes| of_items(&file, codes, splits.as_ref())).transpose()?;
        let mut written = Written::of_file(path, features, labels);
        if let Some(splits) = splits {
            written.files.push((SPLITS.to_string(), beside));
            written.class_embeddings = splits.embeddings;
        }
        Ok(written)
    }
}

/// What is said of the items.
fn of_items(file: &File<'_>, codes: Vec<i64>, splits: Option<&ClassSplits>) -> Result<Labels, DataError> {
    let at = file.at("labels");
    let Some(splits) = splits else {
        return Ok(Labels::of(at, codes.iter().map(i64::to_string).collect()));
    };
    let from_zero: Vec<i64> = codes.iter().map(|code| code - 1).collect();
    let class = Names::from_codes(&from_zero, &splits.names, &at)?;
    let is_in = |rows: &HashSet<usize>, row: usize| rows.contains(&(row + 1));
    let mut places = vec![(false, false, false); class.names.len()];
    for (row, place) in class.of.iter().enumerate() {
        let (unseen, validation, train) = &mut places[*place as usize];
        *unseen |= is_in(&splits.test_unseen, row);
        *validation |= is_in(&splits.validation, row);
        *train |= is_in(&splits.train, row);
    }
    let split = |(unseen, validation, train): &(bool, bool, bool)| match (unseen, validation, train) {
        (true, _, _) => Split::Novel,
        (false, true, false) => Split::Validation,
        _ => Split::Base,
    };
    let listed = class.names.iter().zip(&places).map(|(name, places)| Listed {
        class: name.clone(),
        split: split(places),
        cluster: None,
        line: None,
    });
    let part = |row: usize| is_in(&splits.test_seen, row) || is_in(&splits.test_unseen, row);
    Ok(Labels {
        listing: Some(Listing { at: splits.at.clone(), classes: listed.collect() }),
        part: Some((0..codes.len()).map(|row| if part(row) { "test" } else { "train" }).collect()),
        group: None,
        id: None,
        class,
        at,
    })
}

/// What `att_splits.mat` says; rows are counted from 1.
struct ClassSplits {
    at: Place,
    names: Vec<String>,
    train: HashSet<usize>,
    validation: HashSet<usize>,
    test_seen: HashSet<usize>,
    test_unseen: HashSet<usize>,
    embeddings: Option<Matrix>,
}

impl ClassSplits {
    fn read(path: &Path) -> Result<ClassSplits, DataError> {
        let rows = ["train_loc", "val_loc", "test_seen_loc", "test_unseen_loc"];
        let file = File::open(path, &[&rows[..], &["allclasses_names", "att"]].concat())?;
        let names = file.texts("allclasses_names")?;
        let rows_of = |name: &'static str| -> Result<HashSet<usize>, DataError> {
            let optional = !file.has(name) && name != "test_unseen_loc";
            let rows = if optional { Vec::new() } else { file.whole(name)? };
            Ok(rows.into_iter().filter_map(|row| usize::try_from(row).ok()).collect())
        };
        let embeddings = if file.has("att") {
            let (class_dim, rows, values) = file.matrix("att")?;
            let order = Some((file.at("allclasses_names"), names.clone()));
            Some(Matrix { at: file.at("att"), order, values: values.into(), rows, class_dim })
        } else {
            None
        };
        Ok(ClassSplits {
            at: Place::file(path),
            train: rows_of("train_loc")?,
            validation: rows_of("val_loc")?,
            test_seen: rows_of("test_seen_loc")?,
            test_unseen: rows_of("test_unseen_loc")?,
            names,
            embeddings,
        })
    }
}

/// The variables of a file that are looked at.
struct File<'a> {
    path: &'a Path,
    variables: Vec<(String, Variable)>,
}

impl<'a> File<'a> {
    fn open(path: &'a Path, wanted: &[&str]) -> Result<File<'a>, DataError> {
        let bytes = std::fs::read(path).map_err(DataError::unreadable(path))?;
        let variables =
            variables(&bytes, wanted).map_err(|what| DataError::Damaged { at: Place::file(path), what })?;
        Ok(File { path, variables })
    }

    fn at(&self, name: &str) -> Place {
        Place::member(self.path, name)
    }

    fn has(&self, name: &str) -> bool {
        self.variables.iter().any(|(own, _)| own == name)
    }

    fn find(&self, name: &'static str, expected: &'static str) -> Result<&Variable, DataError> {
        let found = self.variables.iter().find(|(own, _)| own == name);
        let missing = || DataError::NoMember { at: Place::file(self.path), name, expected };
        found.map(|(_, variable)| variable).ok_or_else(missing)
    }

    /// Rows, columns and numbers, column after column.
    fn matrix(&self, name: &'static str) -> Result<(usize, usize, &[f32]), DataError> {
        match self.find(name, "a matrix of numbers")? {
            Variable::Numbers { rows, columns, values } => Ok((*rows, *columns, values)),
            _ => Err(DataError::ElementType {
                at: self.at(name),
                found: "no numbers".to_string(),
                expected: "a matrix of numbers".to_string(),
            }),
        }
    }

    /// Whole numbers.
    fn whole(&self, name: &'static str) -> Result<Vec<i64>, DataError> {
        let (.., values) = self.matrix(name)?;
        let whole =
            |value: &f32| (value.fract() == 0.0 && value.abs() < 16_777_216.0).then_some(*value as i64);
        values.iter().map(whole).collect::<Option<_>>().ok_or_else(|| DataError::ElementType {
            at: self.at(name),
            found: "fractions".to_string(),
            expected: "whole numbers".to_string(),
        })
    }

    fn texts(&self, name: &'static str) -> Result<Vec<String>, DataError> {
        let text = |cell: &Variable| match cell {
            Variable::Text(text) => Some(text.clone()),
            _ => None,
        };
        let found = match self.find(name, "a cell of texts")? {
            Variable::Cells(cells) => cells.iter().map(text).collect(),
            _ => None,
        };
        found.ok_or_else(|| DataError::ElementType {
            at: self.at(name),
            found: "other values".to_string(),
            expected: "a cell of texts".to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::mat::tests::{cells, doubles, file};
    use crate::data::fixtures::{numbers, open, refusal};
    use crate::vocab::{ItemId, Split};

    /// Six items of three classes, as they are published.
    fn published() -> (tempfile::TempDir, std::path::PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("awa");
        std::fs::create_dir(&folder).unwrap();
        let values: Vec<f64> = (0..12).map(|value| f64::from(value * value % 7)).collect();
        let items = [doubles("features", 2, &values), doubles("labels", 6, &[2.0, 3.0, 1.0, 2.0, 1.0, 3.0])];
        std::fs::write(folder.join("res101.mat"), file(&items)).unwrap();
        let classes = [
            cells("allclasses_names", &["ape", "bee", "cow"]),
            doubles("att", 2, &[1.0, 1.5, 2.0, 2.5, 3.0, 3.5]),
            doubles("train_loc", 1, &[1.0]),
            doubles("val_loc", 1, &[3.0, 5.0]),
            doubles("test_seen_loc", 1, &[4.0]),
            doubles("test_unseen_loc", 1, &[2.0, 6.0]),
        ];
        std::fs::write(folder.join("att_splits.mat"), file(&classes)).unwrap();
        (place, folder)
    }

    #[test]
    fn published_splits_give_classes_parts_and_attributes() {
        let (_place, folder) = published();
        let store = open(&folder.join("res101.mat")).unwrap();
        assert_eq!((store.rows(), store.dim()), (6, 2));
        assert_eq!(numbers(&store)[2..4], [4.0, 2.0]);
        let index = store.index();
        let classes: Vec<_> = index.classes().iter().map(|c| (c.name.as_str(), c.split)).collect();
        assert_eq!(classes, [("bee", Split::Base), ("cow", Split::Novel), ("ape", Split::Validation)]);
        assert_eq!(&*store.class_embeddings().unwrap().rows, [2.0, 2.5, 3.0, 3.5, 1.0, 1.5]);
        let parts: Vec<_> = (0..6).map(|item| index.part(ItemId(item)).unwrap()).collect();
        assert_eq!(parts, ["train", "test", "train", "test", "train", "test"]);
        assert_eq!(numbers(&open(&folder).unwrap()), numbers(&store), "the folder is the same");
    }

    #[test]
    fn features_alone_have_numbers_for_classes_and_what_is_missing_is_named() {
        let (place, folder) = published();
        std::fs::remove_file(folder.join("att_splits.mat")).unwrap();
        let path = folder.join("res101.mat");
        assert_eq!(open(&path).unwrap().index().classes()[0].name, "2");
        std::fs::write(&path, file(&[doubles("labels", 1, &[1.0])])).unwrap();
        let missing = "awa/res101.mat: no `features`, expected a matrix of numbers";
        assert_eq!(refusal(place.path(), &path), missing);
        std::fs::write(&path, b"MATLAB 7.3 MAT-file").unwrap();
        assert!(refusal(place.path(), &path).contains("save it with `-v7`"));
    }
}
