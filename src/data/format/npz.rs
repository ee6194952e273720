//! Features as a numpy archive: `features`, `class` (text, numbers, or codes into `classes`), and optional `part`,
//! `group`, `id`, `class_split`, `class_embeddings`; some of them go by other names as well.
//!
//! `class_split` and `class_embeddings` have one row per class, in the order of `classes`; where that is absent,
//! `class_split` is in sorted order, which must be the one in which classes first appear.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use zip::{CompressionMethod, ZipArchive};

use super::Reader;
use super::column::Column;
use super::names::{self, CLASS, CLASS_EMBEDDINGS, CLASS_SPLIT, CLASSES, FEATURES, GROUP, ID, Known, PART};
use super::npy::Header;
use super::written::{Features, Labels, Listed, Listing, Matrix, Names, Written};
use crate::data::OpenOptions;
use crate::data::store::values::{Element, RowFile, Values, load_stream};
use crate::data::{DataError, Place};
use crate::guard::guarded;
use crate::vocab::Split;

const ARRAYS: [&Known; 8] =
    [&FEATURES, &CLASS, &CLASSES, &PART, &GROUP, &ID, &CLASS_SPLIT, &CLASS_EMBEDDINGS];

/// A numpy archive.
pub(super) struct Npz;

impl Reader for Npz {
    fn extension(&self) -> Option<&'static str> {
        Some("npz")
    }

    fn about(&self) -> &'static str {
        "a .npz archive"
    }

    fn read(&self, path: &Path, options: &OpenOptions) -> Result<Written, DataError> {
        let mut archive = Archive::open(path)?;
        let labels = archive.labels(options)?;
        let class_embeddings = archive.class_embeddings()?;
        let Some(features) = archive.matrix(&FEATURES, options.resident)? else {
            return Err(archive.missing("features", "a matrix (items, dim)"));
        };
        Ok(Written { class_embeddings, ..Written::of_file(path, features, labels) })
    }
}

fn broken(at: Place, error: impl ToString) -> DataError {
    DataError::Damaged { at, what: error.to_string() }
}

struct Archive<'a> {
    path: &'a Path,
    archive: ZipArchive<BufReader<File>>,
    /// The arrays, without their ending.
    names: Vec<String>,
}

impl<'a> Archive<'a> {
    fn open(path: &'a Path) -> Result<Archive<'a>, DataError> {
        let at = || Place::file(path);
        let file = File::open(path).map_err(DataError::unreadable(path))?;
        let archive = guarded(|| ZipArchive::new(BufReader::new(file))).map_err(|what| broken(at(), what))?;
        let archive = archive.map_err(|error| broken(at(), error))?;
        let array = |member: &[u8]| {
            String::from_utf8_lossy(member.strip_suffix(b".npy").unwrap_or(member)).into_owned()
        };
        let names: Vec<String> = archive.file_names_raw().map(array).collect();
        if let Some(found) = names::unknown(&ARRAYS, names.iter().map(String::as_str)) {
            let (what, found, known) = ("array", found.to_string(), names::listed(&ARRAYS));
            return Err(DataError::UnknownName { at: at(), what, found, known });
        }
        Ok(Archive { path, archive, names })
    }

    fn at(&self, array: &str) -> Place {
        Place::member(self.path, array)
    }

    fn missing(&self, name: &'static str, expected: &'static str) -> DataError {
        DataError::NoMember { at: Place::file(self.path), name, expected }
    }

    /// The member that holds something, with the place that messages name.
    fn member(&self, known: &Known) -> Result<Option<(usize, Place)>, DataError> {
        let names = self.names.iter().map(String::as_str);
        let Some(array) = known.find(names, &Place::file(self.path))? else { return Ok(None) };
        let index = |name: &str| self.archive.index_for_name(name);
        let member = index(&format!("{array}.npy")).or_else(|| index(array));
        Ok(member.map(|member| (member, self.at(array))))
    }

    fn column(&mut self, known: &Known) -> Result<Option<(Column, Place)>, DataError> {
        let Some((member, at)) = self.member(known)? else { return Ok(None) };
        let entry = self.archive.by_index(member).map_err(|error| broken(at.clone(), error))?;
        let size = entry.size();
        honest(size, entry.compressed_size(), &at)?;
        Ok(Some((Column::read(entry, size, &at)?, at)))
    }

    fn texts(&mut self, known: &Known) -> Result<Option<Vec<String>>, DataError> {
        Ok(self.column(known)?.map(|(column, _)| column.into_text()))
    }

    /// What the archive says of its items.
    fn labels(&mut self, options: &OpenOptions) -> Result<Option<Labels>, DataError> {
        let Some((class, at)) = self.column(&CLASS)? else {
            if options.may_lack_classes() {
                return Ok(None);
            }
            return Err(self.missing(
                "class",
                "the class of every item, as text, numbers or codes into `classes`; or --labels FILE",
            ));
        };
        let listed = self.texts(&CLASSES)?;
        let class = class.into_class(listed.as_deref(), &at)?;
        Ok(Some(Labels {
            at,
            listing: self.listing(&class, listed)?,
            class,
            part: self.texts(&PART)?.map(|part| part.iter().collect()),
            group: self.texts(&GROUP)?.map(|group| group.iter().collect()),
            id: self.texts(&ID)?,
        }))
    }

    fn class_embeddings(&mut self) -> Result<Option<Matrix>, DataError> {
        let Some(Features { at, values, rows, dim, .. }) = self.matrix(&CLASS_EMBEDDINGS, u64::MAX)? else {
            return Ok(None);
        };
        let mut all: Arc<[f32]> = std::iter::repeat_n(0.0, rows * dim).collect();
        let out = Arc::get_mut(&mut all).expect("made one line above");
        values.read_block(dim, 0, out).map_err(DataError::unreadable(self.path))?;
        let order = self.texts(&CLASSES)?.map(|classes| (self.at("classes"), classes));
        Ok(Some(Matrix { at, order, values: all, rows, class_dim: dim }))
    }

    /// A matrix. It stays in the file where it is larger than `resident` bytes and not compressed.
    fn matrix(&mut self, known: &Known, resident: u64) -> Result<Option<Features>, DataError> {
        let Some((member, at)) = self.member(known)? else { return Ok(None) };
        let mut entry = self.archive.by_index(member).map_err(|error| broken(at.clone(), error))?;
        let header = Header::read(&mut entry, &at)?;
        let (rows, dim, element) = header.matrix(&at)?;
        let size = (rows * dim * element.size()) as u64;
        let found = entry.size();
        if found != header.length + size {
            let what = format!("{found} bytes, its header promises {}", header.length.saturating_add(size));
            return Err(broken(at, what));
        }
        honest(found, entry.compressed_size(), &at)?;
        let stays = size > resident && entry.compression() == CompressionMethod::Stored;
        let values = match entry.data_start().filter(|_| stays) {
            Some(start) => {
                let file = File::open(self.path).map_err(DataError::unreadable(self.path))?;
                let offset = start + header.length;
                let values = RowFile { file, offset, element, rows, dim }.open(resident);
                values.map_err(DataError::unreadable(self.path))?
            }
            None => whole(&mut entry, element, rows * dim).map_err(|error| broken(at.clone(), error))?,
        };
        Ok(Some(Features { at, values, element, rows, dim }))
    }

    fn listing(&mut self, class: &Names, listed: Option<Vec<String>>) -> Result<Option<Listing>, DataError> {
        let splits = self.texts(&CLASS_SPLIT)?;
        if listed.is_none() && splits.is_none() {
            return Ok(None);
        }
        let place = if listed.is_some() { "classes" } else { "class_split" };
        let at = self.at("class_split");
        if let (None, Some(words)) = (&listed, &splits)
            && !is_sorted(&class.names)
        {
            return Err(DataError::SplitsWithoutOrder { at, found: words.len() });
        }
        let names = listed.unwrap_or_else(|| class.names.clone());
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

/// Whether names stand in the order of their numbers, or of the alphabet where not all are numbers.
fn is_sorted(names: &[String]) -> bool {
    match names.iter().map(|name| name.parse::<i64>().ok()).collect::<Option<Vec<i64>>>() {
        Some(numbers) => numbers.is_sorted(),
        None => names.is_sorted(),
    }
}

/// Reads all numbers of a member into memory, and its checksum.
fn whole(entry: &mut impl Read, element: Element, count: usize) -> std::io::Result<Values> {
    let values = load_stream(&mut *entry, element, count)?;
    // Only the read that meets the end compares the checksum.
    match entry.read(&mut [0])? {
        0 => Ok(values),
        _ => Err(std::io::ErrorKind::InvalidData.into()),
    }
}

/// Refuses a size that no packed member can have, and that would exhaust the memory.
fn honest(size: u64, packed: u64, at: &Place) -> Result<(), DataError> {
    // Deflate cannot shrink by more than 1032.
    match size / 1100 > packed {
        true => Err(broken(at.clone(), format!("{size} bytes out of {packed} packed ones"))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::npy::tests::{array, matrix, text};
    use super::super::pickle::tests::pickled;
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
                ("class_vectors", matrix(2, 1, &[5.0, 6.0])),
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
    fn names_and_types_that_people_use_give_the_same_features() {
        let whole = |label: &str, column: Vec<u8>, more: &[(&str, Vec<u8>)]| {
            let place = tempfile::tempdir().unwrap();
            let bytes = array("|u1", "(3, 1)", false, &[1, 2, 255]);
            let members = [&[("X", bytes), (label, column)], more].concat();
            let store = open(&archive(place.path(), true, &members)).unwrap();
            assert_eq!(numbers(&store), [1.0, 2.0, 255.0]);
            let names: Vec<String> = store.index().classes().iter().map(|class| class.name.clone()).collect();
            names.join(" ")
        };
        assert_eq!(whole("y", codes(&[7, 0, 7]), &[]), "7 0");
        assert_eq!(whole("labels", text(&["b", "a", "b"]), &[]), "b a");
        assert_eq!(whole("targets", array("|b1", "(3,)", false, &[1, 0, 1]), &[]), "True False");
        assert_eq!(whole("label", array("|O", "(3,)", false, &pickled(&["b", "a", "b"])), &[]), "b a");
        // What pandas calls a categorical: codes into categories.
        let small = array("|i1", "(3,)", false, &[1, 0, 1]);
        assert_eq!(whole("codes", small, &[("categories", text(&["x", "y"]))]), "y x");
    }

    #[test]
    fn a_whole_number_that_no_float_equals_is_refused_by_its_item() {
        let exact = |value: i64| {
            let body = [0, value].map(i64::to_le_bytes).concat();
            vec![("features", array("<i8", "(2, 1)", false, &body)), ("class", text(&["a", "b"]))]
        };
        let place = tempfile::tempdir().unwrap();
        let store = open(&archive(place.path(), true, &exact(1 << 24))).unwrap();
        assert_eq!(numbers(&store), [0.0, 16_777_216.0]);
        let sentence = "store.npz `features`: item 1 (class `b`) has a whole number that 32 bits cannot hold in column 0, \
                        features must be finite 32-bit numbers";
        assert_eq!(refused(&exact((1 << 24) + 1)), sentence);
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
        let unknown = refused(&[features(), class(), ("label_names", text(&["a", "b"]))]);
        assert!(
            unknown
                .starts_with("store.npz: unknown array `label_names`, expected one of `features`, `class`")
        );
        let twice = refused(&[features(), class(), ("labels", codes(&[0, 1]))]);
        assert!(
            twice.starts_with("store.npz: `class` and `labels` are both there, each gives the class\nhint: ")
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
        let code = refused(&[features(), ("class", array("|O", "(2,)", false, b"cos\nsystem\n)R."))]);
        assert!(
            code.starts_with("store.npz `class`: pickled objects that are no list of texts, it would call"),
            "{code}"
        );
        let empty = refused(&[features(), ("class", text(&["a", ""]))]);
        assert_eq!(empty, "store.npz `class`: item 1 has an empty `class`");
    }
}
