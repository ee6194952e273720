//! Features as one .safetensors file.
//!
//! Tensors: `features` (items, dim) of floats or whole numbers; `class` (items) of whole numbers, places in the list
//! `classes` where there is one, else names; optional `class_embeddings` (classes, class_dim), rows as in `classes`; some
//! go by other names as well. Metadata, each a string of JSON: optional `classes`, the list of class names; `splits`, an
//! object from class name to split; `part`, `group` and `id`, lists with one entry per item. Metadata in plain text:
//! optional `backbone`, `trained_on`, `saw_classes`, `form`, `weights_sha256` as in store.toml; `format`, which other
//! tools write, is ignored.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde::de::Deserialize;

use super::Reader;
use super::column::{Column, whole};
use super::names::{self, CLASS, CLASS_EMBEDDINGS, FEATURES, Known};
use super::pairs::{NoTwice, Pairs};
use super::written::{About, Features, Labels, Listed, Listing, Matrix, Names, Written};
use crate::data::OpenOptions;
use crate::data::class_name::Places;
use crate::data::store::values::{Element, RowFile};
use crate::data::{DataError, Place};
use crate::vocab::Split;

const TENSORS: [&Known; 3] = [&FEATURES, &CLASS, &CLASS_EMBEDDINGS];
const LISTS: [&str; 5] = ["classes", "splits", "part", "group", "id"];

/// A .safetensors file.
pub(super) struct Safetensors;

impl Reader for Safetensors {
    fn extension(&self) -> Option<&'static str> {
        Some("safetensors")
    }

    fn about(&self) -> &'static str {
        "a .safetensors file"
    }

    fn read(&self, path: &Path, options: &OpenOptions) -> Result<Written, DataError> {
        let tensors = Tensors::open(path)?;
        tensors.refuse_unknown()?;
        let about = About::look_up(|key| tensors.text(key).map(str::to_string)).parse();
        let (provenance, form) =
            about.map_err(|source| DataError::UnknownWord { at: Place::file(path), source })?;
        let labels = tensors.labels(options)?;
        let class_embeddings = match tensors.matrix(&CLASS_EMBEDDINGS)? {
            None => None,
            Some((array, at)) => {
                let (rows, class_dim) = (array.rows, array.dim);
                let mut values: Arc<[f32]> = std::iter::repeat_n(0.0, rows * class_dim).collect();
                let out = Arc::get_mut(&mut values).expect("made one line above");
                let stored = array.open(u64::MAX).map_err(DataError::unreadable(path))?;
                stored.read_block(class_dim, 0, out).map_err(DataError::unreadable(path))?;
                let order = tensors.list("classes")?.map(|classes| (tensors.at("classes"), classes));
                Some(Matrix { at, order, values, rows, class_dim })
            }
        };
        let features = tensors.matrix(&FEATURES)?;
        let (array, at) = features.ok_or_else(|| tensors.missing("features", "a tensor (items, dim)"))?;
        let features = Features {
            at,
            element: array.element,
            rows: array.rows,
            dim: array.dim,
            values: array.open(options.resident).map_err(DataError::unreadable(path))?,
        };
        let written = Written::of_file(path, features, labels);
        Ok(Written { class_embeddings, provenance, form, ..written })
    }
}

struct Tensors<'a> {
    path: &'a Path,
    file: File,
    header: Metadata,
    texts: HashMap<String, String>,
    /// Where the first tensor begins.
    start: u64,
}

impl<'a> Tensors<'a> {
    fn open(path: &'a Path) -> Result<Tensors<'a>, DataError> {
        let damaged = |what: String| DataError::Damaged { at: Place::file(path), what };
        let mut file = File::open(path).map_err(DataError::unreadable(path))?;
        let length = file.metadata().map_err(DataError::unreadable(path))?.len();
        let mut size = [0; 8];
        file.read_exact(&mut size).map_err(|_| damaged("the file ends inside its header".to_string()))?;
        let start = u64::from_le_bytes(size).saturating_add(8);
        if start > length {
            return Err(damaged("the file ends inside its header".to_string()));
        }
        let mut header = vec![0; (start - 8) as usize];
        file.read_exact(&mut header).map_err(DataError::unreadable(path))?;
        let broken = |error: serde_json::Error| damaged(format!("the header: {error}"));
        serde_json::from_slice::<NoTwice>(&header).map_err(broken)?;
        let header: Metadata = serde_json::from_slice(&header).map_err(broken)?;
        let expected = start + header.data_len() as u64;
        if length != expected {
            return Err(damaged(format!("{length} bytes, its header promises {expected}")));
        }
        let texts = header.metadata().clone().unwrap_or_default();
        Ok(Tensors { path, file, header, texts, start })
    }

    fn at(&self, tensor: &str) -> Place {
        Place::member(self.path, tensor)
    }

    fn missing(&self, name: &'static str, expected: &'static str) -> DataError {
        DataError::NoMember { at: Place::file(self.path), name, expected }
    }

    fn refuse_unknown(&self) -> Result<(), DataError> {
        let unknown = |what, found: &str, known| {
            let (at, found) = (Place::file(self.path), found.to_string());
            DataError::UnknownName { at, what, found, known }
        };
        let tensors = self.header.offset_keys();
        if let Some(found) = names::unknown(&TENSORS, tensors.iter().map(String::as_str)) {
            return Err(unknown("tensor", found, names::listed(&TENSORS)));
        }
        let known: Vec<&str> = LISTS.into_iter().chain(About::KEYS).chain(["format"]).collect();
        // The least one, so that the message does not depend on the order of a hash table.
        match self.texts.keys().filter(|key| !known.contains(&key.as_str())).min() {
            Some(found) => {
                let known = known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ");
                Err(unknown("metadata", found, known))
            }
            None => Ok(()),
        }
    }

    /// What the file says of its items.
    fn labels(&self, options: &OpenOptions) -> Result<Option<Labels>, DataError> {
        let Some((class, at)) = self.class()? else {
            if options.may_lack_classes() {
                return Ok(None);
            }
            let expected = "a tensor (items) of whole numbers; or --labels FILE";
            return Err(self.missing("class", expected));
        };
        let listed = self.list("classes")?;
        let class = class.into_class(listed.as_deref(), &at)?;
        Ok(Some(Labels {
            at,
            listing: self.listing(listed, &class)?,
            class,
            part: self.list("part")?.map(|part| part.iter().collect()),
            group: self.list("group")?.map(|group| group.iter().collect()),
            id: self.list("id")?,
        }))
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(String::as_str)
    }

    fn json<T: for<'de> Deserialize<'de>>(&self, key: &'static str) -> Result<Option<T>, DataError> {
        let Some(text) = self.text(key) else { return Ok(None) };
        serde_json::from_str(text).map(Some).map_err(|error| DataError::Written {
            at: self.at(key),
            what: format!("not the JSON it should be: {error}"),
        })
    }

    /// A list of names; numbers count as their decimal text.
    fn list(&self, key: &'static str) -> Result<Option<Vec<String>>, DataError> {
        let Some(entries) = self.json::<Vec<serde_json::Value>>(key)? else { return Ok(None) };
        let names = entries.into_iter().map(|entry| match entry {
            serde_json::Value::String(text) => Ok(text),
            serde_json::Value::Number(number) => Ok(number.to_string()),
            other => Err(DataError::Written {
                at: self.at(key),
                what: format!("expected a list of texts or numbers, found {other}"),
            }),
        });
        names.collect::<Result<_, _>>().map(Some)
    }

    /// A tensor with the place that messages name.
    fn tensor(&self, known: &Known) -> Result<Option<(&TensorInfo, Place)>, DataError> {
        let names = self.header.offset_keys();
        let found = known.find(names.iter().map(String::as_str), &Place::file(self.path))?;
        Ok(found.and_then(|name| Some((self.header.info(name)?, self.at(name)))))
    }

    fn wrong_shape(tensor: &TensorInfo, at: &Place, expected: &str) -> DataError {
        let found = tensor.shape.iter().map(|n| *n as u64).collect();
        DataError::Shape { at: at.clone(), found, expected: expected.to_string() }
    }

    fn wrong_type(tensor: &TensorInfo, at: &Place, expected: &str) -> DataError {
        let (found, expected) = (format!("{:?}", tensor.dtype), expected.to_string());
        DataError::ElementType { at: at.clone(), found, expected }
    }

    /// The classes of the items as numbers or truth values.
    fn class(&self) -> Result<Option<(Column, Place)>, DataError> {
        let Some((tensor, at)) = self.tensor(&CLASS)? else { return Ok(None) };
        let (size, signed) = match (tensor.dtype, element(tensor.dtype)) {
            (Dtype::BOOL, _) => (1, false),
            (_, Some(Element::Int { bytes, signed })) => (usize::from(bytes), signed),
            _ => return Err(Tensors::wrong_type(tensor, &at, "whole numbers or truth values")),
        };
        if tensor.shape.len() != 1 {
            return Err(Tensors::wrong_shape(tensor, &at, "one axis (items)"));
        }
        let (start, end) = tensor.data_offsets;
        let mut bytes = vec![0; end - start];
        let read = self.file.read_exact_at(&mut bytes, self.start + start as u64);
        read.map_err(DataError::unreadable(self.path))?;
        if tensor.dtype == Dtype::BOOL {
            return Ok(Some((Column::Bools(bytes.iter().map(|byte| *byte != 0).collect()), at)));
        }
        let codes = bytes.chunks_exact(size).map(|cell| whole(cell, signed)).collect::<Option<_>>();
        let codes = codes.ok_or_else(|| Tensors::wrong_type(tensor, &at, "whole numbers of 63 bits"))?;
        Ok(Some((Column::Numbers(codes), at)))
    }

    fn matrix(&self, known: &Known) -> Result<Option<(RowFile, Place)>, DataError> {
        let Some((tensor, at)) = self.tensor(known)? else { return Ok(None) };
        let Some(element) = element(tensor.dtype) else {
            let expected = "F16, BF16, F32, F64 or whole numbers; `features.float()` makes F32";
            return Err(Tensors::wrong_type(tensor, &at, expected));
        };
        let &[rows, dim] = tensor.shape.as_slice() else {
            return Err(Tensors::wrong_shape(tensor, &at, "two axes (items, dim)"));
        };
        let file = self.file.try_clone().map_err(DataError::unreadable(self.path))?;
        let offset = self.start + tensor.data_offsets.0 as u64;
        Ok(Some((RowFile { file, offset, element, rows, dim }, at)))
    }

    fn listing(&self, listed: Option<Vec<String>>, class: &Names) -> Result<Option<Listing>, DataError> {
        let novel = |class| Listed { class, split: Split::Novel, cluster: None, line: None };
        let at = self.at("splits");
        let Some(Pairs(pairs)) = self.json("splits")? else {
            let classes = listed.map(|names| names.into_iter().map(novel).collect());
            return Ok(classes.map(|classes| Listing { at: self.at("classes"), classes }));
        };
        let names = listed.unwrap_or_else(|| class.names.clone());
        let mut splits = HashMap::new();
        for (class, word) in pairs {
            let split: Split =
                word.parse().map_err(|source| DataError::UnknownWord { at: at.clone(), source })?;
            match splits.insert(class.clone(), split) {
                None => {}
                Some(first) if first == split => return Err(DataError::ClassTwice { at, class }),
                Some(first) => {
                    return Err(DataError::ClassInTwoSplits { at, class, first, second: split });
                }
            }
        }
        // What is not in `classes` cannot have items either.
        let known = Places::of(names.iter().map(String::as_str));
        if let Some(class) = splits.keys().filter(|class| known.find(class).is_none()).min() {
            return Err(DataError::without_items(at, class, known.alike(class)));
        }
        let (listed, words): (Vec<&String>, Vec<&Split>) = splits.iter().unzip();
        let places = Places::of(listed.into_iter().map(String::as_str));
        let mut classes = Vec::new();
        for class in &names {
            match places.find(class) {
                Some(place) => classes.push(Listed { split: *words[place], ..novel(class.clone()) }),
                None => return Err(DataError::ClassWithoutSplit { at, class: class.clone() }),
            }
        }
        Ok(Some(Listing { at, classes }))
    }
}

/// The type of the numbers of a tensor, where kshot reads it.
fn element(dtype: Dtype) -> Option<Element> {
    let int = |bytes, signed| Some(Element::Int { bytes, signed });
    match dtype {
        Dtype::F16 => Some(Element::F16),
        Dtype::BF16 => Some(Element::Bf16),
        Dtype::F32 => Some(Element::F32),
        Dtype::F64 => Some(Element::F64),
        Dtype::U8 => int(1, false),
        Dtype::I8 => int(1, true),
        Dtype::U16 => int(2, false),
        Dtype::I16 => int(2, true),
        Dtype::U32 => int(4, false),
        Dtype::I32 => int(4, true),
        Dtype::U64 => int(8, false),
        Dtype::I64 => int(8, true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::data::fixtures::{numbers, open, refusal, sample, tensors};
    use crate::data::{OpenOptions, Store, Values};
    use crate::vocab::SawClasses;

    /// Two items of two classes, with a change to the header.
    fn header(change: impl FnOnce(&mut Value)) -> (Value, Vec<u8>) {
        let mut header = json!({
            "__metadata__": { "classes": "[\"a\", \"b\"]", "format": "pt" },
            "class": { "dtype": "I64", "shape": [2], "data_offsets": [0, 16] },
            "features": { "dtype": "F32", "shape": [2, 1], "data_offsets": [16, 24] },
        });
        change(&mut header);
        let codes = [1i64, 0].iter().flat_map(|c| c.to_le_bytes());
        (header, codes.chain([1.0f32, 2.0].iter().flat_map(|v| v.to_le_bytes())).collect())
    }

    fn refused(change: impl FnOnce(&mut Value)) -> String {
        let place = tempfile::tempdir().unwrap();
        let (header, body) = header(change);
        refusal(place.path(), &tensors(place.path(), &header, &body))
    }

    fn metadata(key: &str, text: &str) -> String {
        refused(|h| h["__metadata__"][key] = json!(text))
    }

    #[test]
    fn metadata_tells_names_and_provenance() {
        let place = tempfile::tempdir().unwrap();
        let (header, body) = header(|h| {
            h["__metadata__"]["saw_classes"] = json!("none");
            h["__metadata__"]["group"] = json!("[3, 3]");
        });
        let store = open(&tensors(place.path(), &header, &body)).unwrap();
        assert_eq!(store.index().classes()[0].name, "b");
        assert_eq!(store.provenance().saw_classes, SawClasses::None);
        assert!(store.index().has_groups());
    }

    #[test]
    fn bfloat16_whole_numbers_and_classes_without_names_are_read() {
        let place = tempfile::tempdir().unwrap();
        let (header, mut body) = header(|h| {
            h.as_object_mut().unwrap().remove("__metadata__");
            h["X"] = json!({ "dtype": "BF16", "shape": [2, 2], "data_offsets": [16, 24] });
            h["y"] = h["class"].take();
            ["features", "class"].iter().for_each(|key| drop(h.as_object_mut().unwrap().remove(*key)));
        });
        body.truncate(16);
        let values = [1.0f32, -2.5, 3.0, 0.25];
        body.extend(values.iter().flat_map(|v| half::bf16::from_f32(*v).to_le_bytes()));
        let store = open(&tensors(place.path(), &header, &body)).unwrap();
        assert_eq!(numbers(&store), values);
        assert_eq!((&*store.index().classes()[0].name, &*store.index().classes()[1].name), ("1", "0"));
    }

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let (header, body) = header(|_| {});
        let path = tensors(place.path(), &header, &body);
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes[8..bytes.len() - 24]).into_owned();
        let twice = text.replace("\"format\":\"pt\"", "\"format\":\"pt\",\"format\":\"np\"");
        assert_ne!(text, twice);
        let whole = [&(twice.len() as u64).to_le_bytes(), twice.as_bytes(), &body].concat();
        std::fs::write(&path, whole).unwrap();
        let sentence = "store.safetensors: damaged or cut short: the header: `format` is there twice";
        assert!(refusal(place.path(), &path).starts_with(sentence));
    }

    #[test]
    fn a_large_file_stays_on_disk() {
        let place = tempfile::tempdir().unwrap();
        let store = Store::open(
            sample().safetensors(place.path()),
            &OpenOptions { resident: 0, ..OpenOptions::default() },
        )
        .unwrap();
        assert!(matches!(store.values(), Values::File(_)));
        assert_eq!(numbers(&store), sample().values);
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = sample().safetensors(place.path());
        let whole = std::fs::read(&path).unwrap();
        for cut in [4, 40, whole.len() - 1] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(
                refusal(place.path(), &path).starts_with("store.safetensors: damaged or cut short: "),
                "{cut}"
            );
        }
        std::fs::write(&path, u64::MAX.to_le_bytes()).unwrap();
        let sentence = "store.safetensors: damaged or cut short: the file ends inside its header";
        assert_eq!(refusal(place.path(), &path), sentence);
        let offsets = refused(|h| h["features"]["data_offsets"] = json!([16, 20]));
        assert!(offsets.starts_with("store.safetensors: damaged or cut short: the header: "), "{offsets}");
    }

    #[test]
    fn tensors_and_metadata_that_do_not_fit_are_refused() {
        let dtype =
            refused(|h| h["class"] = json!({ "dtype": "F64", "shape": [2], "data_offsets": [0, 16] }));
        let whole =
            "store.safetensors `class`: elements of type `F64`, expected whole numbers or truth values";
        assert_eq!(dtype, whole);
        let dtype = refused(|h| {
            h["features"] = json!({ "dtype": "F8_E4M3", "shape": [8, 1], "data_offsets": [16, 24] });
        });
        let floats =
            "store.safetensors `features`: elements of type `F8_E4M3`, expected F16, BF16, F32, F64 or whole";
        assert!(dtype.starts_with(floats), "{dtype}");
        let shape = refused(|h| h["features"]["shape"] = json!([2]));
        assert_eq!(
            shape,
            "store.safetensors `features`: an array of shape (2), expected two axes (items, dim)"
        );
        let unknown = refused(|h| {
            h["feature"] = h["features"].take();
            h.as_object_mut().unwrap().remove("features");
        });
        let sentence = "store.safetensors: unknown tensor `feature`, expected one of `features`, `class`, `class_embeddings`";
        assert_eq!(unknown, sentence);
        assert!(
            metadata("names", "[]")
                .starts_with("store.safetensors: unknown metadata `names`, expected one of")
        );
        let short = metadata("part", "[\"train\"]");
        assert_eq!(short, "store.safetensors `part`: 1 rows, expected 2 as in store.safetensors `features`");
        assert!(
            metadata("part", "train").starts_with("store.safetensors `part`: not the JSON it should be: ")
        );
        let list = metadata("id", "[[1], 2]");
        assert_eq!(list, "store.safetensors `id`: expected a list of texts or numbers, found [1]");
        let code = metadata("classes", "[\"a\"]");
        assert_eq!(
            code,
            "store.safetensors `class`: item 0 has class code 1, and `classes` has 1 names, counted from 0"
        );
        let item = metadata("classes", "[\"a\", \"b\", \"c\"]");
        assert_eq!(item, "store.safetensors `classes`: class `c` has no items");
    }

    #[test]
    fn splits_that_contradict_the_classes_or_themselves_are_refused() {
        let left_out = metadata("splits", "{\"a\": \"base\"}");
        assert!(left_out.starts_with("store.safetensors `splits`: class `b` has items and no split\nhint: "));
        let both = metadata("splits", "{\"a\": \"base\", \"a\": \"novel\", \"b\": \"base\"}");
        assert_eq!(both, "store.safetensors `splits`: class `a` is in two splits, base and novel");
        let unknown = metadata("splits", "{\"a\": \"base\", \"b\": \"base\", \"c\": \"base\"}");
        assert_eq!(unknown, "store.safetensors `splits`: class `c` has no items");
        assert!(metadata("splits", "{\"a\": \"test\"}").contains("unknown split `test`"));
    }
}
