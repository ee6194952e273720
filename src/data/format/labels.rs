//! Labels in a file of their own, for features that have none.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::column::Column;
use super::header::{Others, Reading};
use super::table;
use super::written::{Features, Labels, Names};
use crate::data::class_name::same;
use crate::data::{DataError, OpenOptions, Place, row_ids};

/// Reads labels: a `.npy` of classes, a `.txt` with one a line, or a table with a column `class`.
pub(in crate::data) fn read(path: &Path) -> Result<Labels, DataError> {
    let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    let at = Place::file(path);
    match extension.as_deref() {
        Some("npy") => {
            let file = File::open(path).map_err(DataError::unreadable_named(path))?;
            let size = file.metadata().map_err(DataError::unreadable(path))?.len();
            let file = BufReader::new(file);
            Ok(Labels::of(at.clone(), Column::read(file, size, &at)?.into_class(None, &at)?))
        }
        Some("txt") => Ok(Labels::of(at, lines(path)?)),
        Some("csv") => Ok(table::read(path, Reading::of(Others::Labels))?.labels(&at)),
        Some("tsv") => {
            let reading = Reading { delimiter: b'\t', ..Reading::of(Others::Labels) };
            Ok(table::read(path, reading)?.labels(&at))
        }
        #[cfg(feature = "parquet")]
        Some("parquet" | "feather" | "arrow") => super::shards::labels(path),
        #[cfg(not(feature = "parquet"))]
        Some("parquet" | "feather" | "arrow") => Err(DataError::NoParquet { path: path.to_path_buf() }),
        _ => Err(DataError::OtherLabels { path: path.to_path_buf() }),
    }
}

/// The lines of a text.
fn lines(path: &Path) -> Result<Names, DataError> {
    let bytes = std::fs::read(path).map_err(DataError::unreadable_named(path))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| DataError::NotUtf8 { at: Place::file(path) })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut names = Names::default();
    for (row, line) in text.lines().enumerate() {
        let label = line.trim();
        if label.is_empty() {
            let at = Place::line(path, row as u64 + 1);
            return Err(DataError::EmptyName { at, row, column: "class" });
        }
        names.push(label);
    }
    Ok(names)
}

/// The labels of features: their own, those that are given apart, or both where they agree.
///
/// Given apart, they call an item that has no id by its row.
pub(in crate::data) fn joined(
    own: Option<Labels>,
    given: Option<Labels>,
) -> Result<Option<Labels>, DataError> {
    let Some(mut given) = given else { return Ok(own) };
    if let Some(own) = own {
        let (found, expected) = (given.class.of.len(), own.class.of.len());
        // Features that say something of their items need not say their classes.
        if found != expected && expected > 0 {
            return Err(DataError::RowCount { at: given.at, found, expected, against: own.at.to_string() });
        }
        let other = (0..expected).find(|row| !same(given.class.name(*row), own.class.name(*row)));
        if let Some(row) = other {
            let (here, there) = (given.class.name(row).to_string(), own.class.name(row).to_string());
            return Err(DataError::OtherClass {
                at: given.at,
                row,
                here,
                there,
                against: own.at.to_string(),
            });
        }
        given.listing = given.listing.or(own.listing);
        given.part = given.part.or(own.part);
        given.group = given.group.or(own.group);
        given.id = given.id.or(own.id);
    }
    given.id.get_or_insert_with(|| row_ids(given.class.of.len()));
    Ok(Some(given))
}

/// The labels of items without classes: one class for all of them, and the ids that their features say, else their rows.
pub(in crate::data) fn none(own: Option<Labels>, features: &Features) -> Labels {
    let id = own.and_then(|own| own.id).unwrap_or_else(|| row_ids(features.rows));
    let class = std::iter::repeat_n(OpenOptions::UNLABELLED, features.rows).collect();
    Labels { id: Some(id), ..Labels::of(features.at.clone(), class) }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::npy::tests::{array, matrix, text};
    use super::super::pickle::tests::pickled;
    use crate::data::fixtures::{archive, sample};
    use crate::data::{DataError, OpenOptions, Store};
    use crate::vocab::{ItemId, Split};

    /// A folder with `x.npy`, three items of one number, and a file of labels.
    struct Bare(tempfile::TempDir);

    impl Bare {
        fn new(name: &str, labels: &[u8]) -> (Bare, PathBuf) {
            let place = tempfile::tempdir().unwrap();
            std::fs::write(place.path().join("x.npy"), matrix(3, 1, &[1.0, 2.0, 3.0])).unwrap();
            let path = place.path().join(name);
            std::fs::write(&path, labels).unwrap();
            (Bare(place), path)
        }

        fn open(&self, features: &str, labels: PathBuf) -> Result<Store, DataError> {
            let options = OpenOptions { labels: Some(labels), ..OpenOptions::default() };
            Store::open(self.0.path().join(features), &options)
        }

        fn refusal(&self, features: &str, labels: PathBuf) -> String {
            let sentence = self.open(features, labels).unwrap_err().to_string();
            sentence.replace(&format!("{}/", self.0.path().display()), "")
        }
    }

    fn classes(store: &Store) -> String {
        let class = |item: u32| {
            let classes = store.index().classes().iter();
            classes.clone().find(|class| class.items.contains(&ItemId(item))).unwrap().name.clone()
        };
        (0..store.rows() as u32).map(class).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_bare_matrix_takes_labels_of_every_kind_and_calls_items_by_their_rows() {
        let objects = array("|O", "(3,)", false, &pickled(&["b", "a", "b"]));
        let numbers = array("<i8", "(3,)", false, &[7i64, 0, 7].map(i64::to_le_bytes).concat());
        let bools = array("|b1", "(3,)", false, &[1, 0, 1]);
        for (name, labels, expected) in [
            ("y.npy", text(&["b", "a", "b"]), "b a b"),
            ("y.npy", objects, "b a b"),
            ("y.npy", numbers, "7 0 7"),
            ("y.npy", bools, "True False True"),
            ("y.txt", b"\xef\xbb\xbfb\r\na \r\nb\r\n".to_vec(), "b a b"),
            ("y.csv", b"class\nb\na\nb\n".to_vec(), "b a b"),
        ] {
            let (place, path) = Bare::new(name, &labels);
            let store = place.open("x.npy", path).unwrap();
            assert_eq!(classes(&store), expected, "{name}");
            assert_eq!(store.ids().unwrap(), ["row:0", "row:1", "row:2"]);
            assert_eq!((store.name(), store.dim()), ("x", 1));
        }
    }

    #[test]
    fn a_table_of_labels_gives_parts_groups_ids_and_splits() {
        let table = b"id,class,split,group,part\ni1,b,novel,g,train\ni2,a,base,,test\ni3,b,novel,g,train\n";
        let (place, path) = Bare::new("y.csv", table);
        let store = place.open("x.npy", path).unwrap();
        let index = store.index();
        assert_eq!(store.ids().unwrap(), ["i1", "i2", "i3"]);
        assert_eq!((index.part(ItemId(1)), index.group(ItemId(2))), (Some("test"), 0));
        assert_eq!(index.of_split(Split::Base).count(), 1);
    }

    #[test]
    fn features_that_are_labelled_by_one_file_are_of_the_same_items() {
        let (place, path) = Bare::new("y.txt", b"b\na\nb\n");
        let at = place.0.path();
        std::fs::write(at.join("z.npy"), matrix(3, 2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])).unwrap();
        let members = [("X", matrix(3, 1, &[9.0, 8.0, 7.0])), ("y", text(&["b", "a", "b"]))];
        archive(at, true, &members);
        let one = place.open("x.npy", path.clone()).unwrap().identity().unwrap();
        for other in ["z.npy", "store.npz"] {
            assert_eq!(place.open(other, path.clone()).unwrap().identity().unwrap(), one, "{other}");
        }
    }

    #[test]
    fn labels_beside_those_of_the_features_must_be_the_same() {
        let (place, path) = Bare::new("y.txt", b"dog\ncat\ndog\nant\ncat\nowl\n");
        sample().csv(place.0.path());
        let other = "y.txt: item 5 is `owl`, and `ant` in store.csv\nhint: ";
        assert!(place.refusal("store.csv", path.clone()).starts_with(other));
        std::fs::write(&path, "dog\ncat\n").unwrap();
        assert_eq!(place.refusal("store.csv", path.clone()), "y.txt: 2 rows, expected 6 as in store.csv");
        std::fs::write(&path, "dog\ncat\ndog\nant\ncat\nant\n").unwrap();
        let store = place.open("store.csv", path).unwrap();
        assert_eq!(
            (store.ids().unwrap()[5].as_str(), store.index().of_split(Split::Base).count()),
            ("f,\"1\"", 1)
        );
    }

    #[test]
    fn items_without_classes_are_of_one_class_and_keep_their_ids() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("x.npy"), matrix(2, 1, &[1.0, 2.0])).unwrap();
        std::fs::write(place.path().join("x.csv"), "id,f0,f1\nq,1,2\nr,3,5\n").unwrap();
        sample().csv(place.path());
        let members = [("features", matrix(2, 1, &[9.0, 8.0]))];
        archive(place.path(), true, &members);
        let options = OpenOptions { unlabelled: true, ..OpenOptions::default() };
        for (name, ids) in [
            ("x.npy", ["row:0", "row:1"]),
            ("x.csv", ["q", "r"]),
            ("store.npz", ["row:0", "row:1"]),
            ("store.csv", ["a", "b"]),
        ] {
            let store = Store::open(place.path().join(name), &options).unwrap();
            assert_eq!(store.ids().unwrap()[..2], ids, "{name}");
            assert_eq!(store.index().classes().len(), 1, "{name}");
            assert_eq!(store.index().classes()[0].name, OpenOptions::UNLABELLED);
        }
    }

    #[test]
    fn labels_that_do_not_fit_are_refused() {
        let refused = |name: &str, labels: &[u8]| {
            let (place, path) = Bare::new(name, labels);
            place.refusal("x.npy", path)
        };
        assert_eq!(refused("y.txt", b"a\nb\n"), "y.txt: 2 rows, expected 3 as in x.npy");
        assert_eq!(refused("y.txt", b"a\n\nb\n"), "y.txt line 2: item 1 has an empty `class`");
        assert_eq!(refused("y.txt", b"\xff\n"), "y.txt: the text is not UTF-8");
        let kind = "y.json: labels are read from .npy, .txt, .csv, .tsv, .parquet or .feather";
        assert!(refused("y.json", b"[]").starts_with(kind));
        let column = "y.csv: unknown column `f`, expected one of `class`, `split`, `part`, `group`, `id`";
        assert_eq!(refused("y.csv", b"class,f\na,1\n"), column);
        let float = refused("y.npy", &array("<f8", "(3,)", false, &[0; 24]));
        assert!(
            float.starts_with("y.npy: elements of type `<f8`, expected text (`<U`, `|S`), whole numbers"),
            "{float}"
        );
        let (place, path) = Bare::new("y.txt", b"a\n");
        assert_eq!(place.refusal("x.npy", path.with_file_name("no.txt")), "no.txt: no such file");
        let alone =
            Store::open(place.0.path().join("x.npy"), &OpenOptions::default()).unwrap_err().to_string();
        assert!(
            alone.contains("x.npy: a .npy file alone has no classes\nhint: add --labels FILE"),
            "{alone}"
        );
    }
}
