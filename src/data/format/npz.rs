//! A store as a numpy archive: `features`, `class` (text, or codes into `classes`), and optional `part`, `group`,
//! `id`, `class_split`, `class_embeddings`.
//!
//! `class_split` and `class_embeddings` have one row per class: in the order of `classes`, or where that is absent in the
//! order in which classes first appear in `class`.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use zip::{CompressionMethod, ZipArchive};

use super::npy::{Column, Header};
use super::written::{Listed, Listing, Matrix, Names, Written};
use crate::data::OpenOptions;
use crate::data::place::store_name;
use crate::data::store::values::{Element, RowFile, Values, load_stream};
use crate::data::{DataError, Place};
use crate::vocab::{Form, Split};

const ARRAYS: [&str; 8] =
    ["features", "class", "classes", "part", "group", "id", "class_split", "class_embeddings"];

/// What `class_embeddings` was called earlier.
const EMBEDDINGS_BEFORE: &str = "class_vectors";

pub(in crate::data) fn read(path: &Path, options: &OpenOptions) -> Result<Written, DataError> {
    let file = File::open(path).map_err(DataError::unreadable(path))?;
    let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| broken(Place::file(path), error))?;
    let mut archive = Archive { path, archive };
    archive.refuse_unknown()?;

    let Some(class) = archive.column("class")? else {
        return Err(archive.missing("class", "the class of every item, as text or as codes into `classes`"));
    };
    let listed = archive.column("classes")?.map(Column::into_text);
    let class = match (class, &listed) {
        (Column::Text(names), _) => names.iter().collect(),
        (Column::Numbers(codes), Some(names)) => Names::from_codes(&codes, names, &archive.at("class"))?,
        (Column::Numbers(_), None) => {
            return Err(archive.missing("classes", "the names that the codes of `class` stand for"));
        }
    };
    let listing = archive.listing(&class, listed)?;
    let mut names = |name| archive.column(name).map(|c| c.map(Column::into_text));
    let (part, group, id) = (names("part")?, names("group")?, names("id")?);
    let class_embeddings = match archive.matrix(archive.embeddings(), u64::MAX)? {
        None => None,
        Some((values, rows, class_dim, _)) => {
            let mut all: Arc<[f32]> = std::iter::repeat_n(0.0, rows * class_dim).collect();
            let out = Arc::get_mut(&mut all).expect("made one line above");
            values.read_block(class_dim, 0, out).map_err(DataError::unreadable(path))?;
            Some(Matrix { at: archive.at("class_embeddings"), values: all, rows, class_dim })
        }
    };
    let Some((values, rows, dim, element)) = archive.matrix("features", options.resident)? else {
        return Err(archive.missing("features", "a matrix (items, dim)"));
    };
    Ok(Written {
        name: store_name(path),
        path: Some(path.to_path_buf()),
        files: vec![(
            path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            path.to_path_buf(),
        )],
        features_at: archive.at("features"),
        values,
        element,
        rows,
        dim,
        class_at: archive.at("class"),
        class,
        listing,
        part: part.map(|p| p.iter().collect()),
        group: group.map(|g| g.iter().collect()),
        id,
        class_embeddings,
        provenance: Default::default(),
        form: Form::Vector,
    })
}

fn broken(at: Place, error: impl ToString) -> DataError {
    DataError::Damaged { at, what: error.to_string() }
}

struct Archive<'a> {
    path: &'a Path,
    archive: ZipArchive<BufReader<File>>,
}

impl Archive<'_> {
    fn at(&self, array: &str) -> Place {
        Place::member(self.path, array)
    }

    fn missing(&self, name: &'static str, expected: &'static str) -> DataError {
        DataError::NoMember { at: Place::file(self.path), name, expected }
    }

    fn refuse_unknown(&self) -> Result<(), DataError> {
        for member in self.archive.file_names_raw() {
            let array = member.strip_suffix(b".npy").unwrap_or(member);
            let known = ARRAYS.iter().chain([&EMBEDDINGS_BEFORE]);
            if !known.into_iter().any(|known| known.as_bytes() == array) {
                return Err(DataError::UnknownName {
                    at: Place::file(self.path),
                    what: "array",
                    found: String::from_utf8_lossy(array).into_owned(),
                    known: ARRAYS.map(|known| format!("`{known}`")).join(", "),
                });
            }
        }
        Ok(())
    }

    /// The name under which class embeddings are looked for.
    fn embeddings(&self) -> &'static str {
        let before = self.archive.index_for_name(&format!("{EMBEDDINGS_BEFORE}.npy")).is_some();
        if before { EMBEDDINGS_BEFORE } else { "class_embeddings" }
    }

    fn member(&mut self, array: &str) -> Option<usize> {
        self.archive.index_for_name(&format!("{array}.npy")).or_else(|| self.archive.index_for_name(array))
    }

    fn column(&mut self, array: &str) -> Result<Option<Column>, DataError> {
        let at = self.at(array);
        let Some(member) = self.member(array) else { return Ok(None) };
        let entry = self.archive.by_index(member).map_err(|error| broken(at.clone(), error))?;
        Column::read(entry, &at).map(Some)
    }

    /// A matrix with its rows, columns and element type. It stays in the file where it is larger than `resident` bytes
    /// and not compressed.
    fn matrix(
        &mut self,
        array: &str,
        resident: u64,
    ) -> Result<Option<(Values, usize, usize, Element)>, DataError> {
        let at = self.at(array);
        let Some(member) = self.member(array) else { return Ok(None) };
        let mut entry = self.archive.by_index(member).map_err(|error| broken(at.clone(), error))?;
        let header = Header::read(&mut entry, &at)?;
        let (rows, columns, element) = header.matrix(&at)?;
        let size = (rows * columns * element.size()) as u64;
        let (found, packed) = (entry.size(), entry.compressed_size());
        // Deflate cannot shrink by more than 1032, so a greater promise is a lie that would exhaust the memory.
        if found != header.length + size || found / 1100 > packed {
            let what = format!("{found} bytes, its header promises {}", header.length.saturating_add(size));
            return Err(broken(at, what));
        }
        let stays = size > resident && entry.compression() == CompressionMethod::Stored;
        if let Some(start) = entry.data_start().filter(|_| stays) {
            let file = File::open(self.path).map_err(DataError::unreadable(self.path))?;
            let offset = start + header.length;
            let values = RowFile { file, offset, element, rows, dim: columns }.open(resident);
            let values = values.map_err(DataError::unreadable(self.path))?;
            return Ok(Some((values, rows, columns, element)));
        }
        let values = load_stream(&mut entry, element, rows * columns);
        let values = values.map_err(|error| broken(at.clone(), error))?;
        // Only the read that meets the end compares the checksum.
        entry.read(&mut [0]).map_err(|error| broken(at, error))?;
        Ok(Some((values, rows, columns, element)))
    }

    fn listing(&mut self, class: &Names, listed: Option<Vec<String>>) -> Result<Option<Listing>, DataError> {
        let splits = self.column("class_split")?.map(Column::into_text);
        if listed.is_none() && splits.is_none() {
            return Ok(None);
        }
        let place = if listed.is_some() { "classes" } else { "class_split" };
        let names = listed.unwrap_or_else(|| class.names.clone());
        let at = self.at("class_split");
        let splits = match splits {
            None => vec![Split::Novel; names.len()],
            Some(words) if words.len() != names.len() => {
                let against = self.at(if place == "classes" { "classes" } else { "class" }).to_string();
                return Err(DataError::RowCount { at, found: words.len(), expected: names.len(), against });
            }
            Some(words) => words
                .iter()
                .map(|word| word.parse())
                .collect::<Result<_, _>>()
                .map_err(|source| DataError::UnknownWord { at, source })?,
        };
        let listed = names.into_iter().zip(splits);
        let classes =
            listed.map(|(class, split)| Listed { class, split, cluster: None, line: None }).collect();
        Ok(Some(Listing { at: self.at(place), classes }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::npy::tests::{array, matrix, text};
    use crate::data::Values;
    use crate::data::fixtures::{archive, numbers, open, refusal, sample};
    use crate::data::{OpenOptions, Store};
    use crate::vocab::{ClassId, Split};

    fn refused(members: &[(&str, Vec<u8>)]) -> String {
        let place = tempfile::tempdir().unwrap();
        let path = archive(place.path(), true, members);
        refusal(place.path(), &path)
    }

    fn codes(codes: &[i64]) -> Vec<u8> {
        let body: Vec<u8> = codes.iter().flat_map(|c| c.to_le_bytes()).collect();
        array("<i8", &format!("({},)", codes.len()), false, &body)
    }

    #[test]
    fn codes_and_classes_give_names_splits_and_vectors() {
        let place = tempfile::tempdir().unwrap();
        let path = archive(
            place.path(),
            false,
            &[
                ("features", matrix(3, 1, &[1.0, 2.0, 3.0])),
                ("class", codes(&[1, 0, 1])),
                ("classes", text(&["x", "y"])),
                ("class_split", text(&["novel", "base"])),
                ("class_embeddings", matrix(2, 1, &[5.0, 6.0])),
                ("group", codes(&[7, 8, 7])),
            ],
        );
        let store = open(&path).unwrap();
        let index = store.index();
        assert_eq!(
            (index.class(ClassId(0)).name.as_str(), index.class(ClassId(0)).split),
            ("y", Split::Base)
        );
        assert_eq!(&*store.class_embeddings().unwrap().rows, [6.0, 5.0]);
        assert_eq!(index.group(crate::vocab::ItemId(2)), 0);
        assert_eq!(store.name(), "store");
    }

    #[test]
    fn a_large_archive_without_compression_stays_in_its_file() {
        let place = tempfile::tempdir().unwrap();
        let path = sample().npz(place.path(), false);
        let store = Store::open(&path, &OpenOptions { resident: 0, ..OpenOptions::default() }).unwrap();
        assert!(matches!(store.values(), Values::File(_)));
        assert_eq!(numbers(&store), sample().values);
    }

    #[test]
    fn a_damaged_archive_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = sample().npz(place.path(), false);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(refusal(place.path(), &path).starts_with("store.npz: damaged or cut short: "));
        let mut flipped = whole.clone();
        let number = 2.0f32.to_le_bytes();
        let at = flipped.windows(4).position(|w| w == number).unwrap();
        flipped[at] ^= 1;
        std::fs::write(&path, &flipped).unwrap();
        let sentence = refusal(place.path(), &path);
        assert!(sentence.starts_with("store.npz `features`: damaged or cut short: "), "{sentence}");
    }

    #[test]
    fn arrays_that_are_missing_unknown_or_do_not_fit_are_refused() {
        let features = || ("features", matrix(2, 1, &[1.0, 2.0]));
        let class = || ("class", text(&["a", "b"]));
        assert_eq!(refused(&[class()]), "store.npz: no `features`, expected a matrix (items, dim)");
        assert!(
            refused(&[features()]).starts_with("store.npz: no `class`, expected the class of every item")
        );
        let names = refused(&[features(), ("class", codes(&[0, 1]))]);
        assert_eq!(names, "store.npz: no `classes`, expected the names that the codes of `class` stand for");
        let unknown = refused(&[features(), class(), ("labels", codes(&[0, 1]))]);
        assert!(
            unknown.starts_with("store.npz: unknown array `labels`, expected one of `features`, `class`")
        );
        let code = refused(&[features(), ("class", codes(&[0, 2])), ("classes", text(&["a", "b"]))]);
        assert_eq!(
            code,
            "store.npz `class`: item 1 has class code 2, and `classes` has 2 names, counted from 0"
        );
        let group = refused(&[features(), class(), ("group", codes(&[0]))]);
        assert_eq!(group, "store.npz `group`: 1 rows, expected 2 as in store.npz `features`");
        let split = refused(&[features(), class(), ("class_split", text(&["base"]))]);
        assert_eq!(split, "store.npz `class_split`: 1 rows, expected 2 as in store.npz `class`");
        let word = refused(&[features(), class(), ("class_split", text(&["base", "test"]))]);
        assert!(word.starts_with("store.npz `class_split`: unknown split `test`, expected one of"), "{word}");
        let twice = refused(&[features(), class(), ("classes", text(&["a", "b", "a"]))]);
        assert_eq!(twice, "store.npz `classes`: class `a` is listed twice");
        let pickled = refused(&[features(), ("class", array("|O", "(2,)", false, &[0; 16]))]);
        assert!(pickled.starts_with("store.npz `class`: elements of type `|O`, expected text"), "{pickled}");
        let empty = refused(&[features(), ("class", text(&["a", ""]))]);
        assert_eq!(empty, "store.npz `class`: item 1 has an empty `class`");
    }
}
