//! A store as one .safetensors file.
//!
//! Tensors: `features` (items, dim) of F16, F32 or F64; `class` (items) of I64, places in the list `classes`; optional
//! `class_embeddings` (classes, class_dim), rows as in `classes`. Metadata, each a string of JSON: `classes`, the list of class
//! names; optional `splits`, an object from class name to split; optional `part`, `group` and `id`, lists with one entry
//! per item. Metadata in plain text: optional `backbone`, `trained_on`, `saw_classes`, `form` as in store.toml;
//! `format`, which other tools write, is passed over.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::written::{About, Listed, Listing, Matrix, Names, Written};
use crate::data::OpenOptions;
use crate::data::place::store_name;
use crate::data::store::values::{Element, RowFile};
use crate::data::{DataError, Place};
use crate::vocab::Split;

const TENSORS: [&str; 3] = ["features", "class", "class_embeddings"];
/// What `class_embeddings` was called earlier.
const EMBEDDINGS_BEFORE: &str = "class_vectors";

const LISTS: [&str; 5] = ["classes", "splits", "part", "group", "id"];

pub(in crate::data) fn read(path: &Path, options: &OpenOptions) -> Result<Written, DataError> {
    let tensors = Tensors::open(path)?;
    tensors.refuse_unknown()?;
    let names = tensors.list("classes")?;
    let names =
        names.ok_or_else(|| tensors.missing("classes", "a JSON list of class names in the metadata"))?;
    let codes = tensors.codes()?;
    let class = Names::from_codes(&codes, &names, &tensors.at("class"))?;
    let listing = tensors.listing(names)?;
    let about = About::look_up(|key| tensors.text(key).map(str::to_string)).parse();
    let (provenance, form) =
        about.map_err(|source| DataError::UnknownWord { at: Place::file(path), source })?;
    let class_embeddings = match tensors
        .matrix("class_embeddings")
        .transpose()
        .or_else(|| tensors.matrix(EMBEDDINGS_BEFORE).transpose())
        .transpose()?
    {
        None => None,
        Some(array) => {
            let (rows, class_dim) = (array.rows, array.dim);
            let mut values: Arc<[f32]> = std::iter::repeat_n(0.0, rows * class_dim).collect();
            let out = Arc::get_mut(&mut values).expect("made one line above");
            let stored = array.open(u64::MAX).map_err(DataError::unreadable(path))?;
            stored.read_block(class_dim, 0, out).map_err(DataError::unreadable(path))?;
            Some(Matrix { at: tensors.at("class_embeddings"), values, rows, class_dim })
        }
    };
    let features = tensors.matrix("features")?;
    let features = features.ok_or_else(|| tensors.missing("features", "a tensor (items, dim)"))?;
    let (rows, dim, element) = (features.rows, features.dim, features.element);
    Ok(Written {
        name: store_name(path),
        path: Some(path.to_path_buf()),
        files: vec![(
            path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            path.to_path_buf(),
        )],
        features_at: tensors.at("features"),
        values: features.open(options.resident).map_err(DataError::unreadable(path))?,
        element,
        rows,
        dim,
        class_at: tensors.at("class"),
        class,
        listing: Some(listing),
        part: tensors.list("part")?.map(|p| p.iter().collect()),
        group: tensors.list("group")?.map(|g| g.iter().collect()),
        id: tensors.list("id")?,
        class_embeddings,
        provenance,
        form,
    })
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
        let header: Metadata =
            serde_json::from_slice(&header).map_err(|error| damaged(format!("the header: {error}")))?;
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
        let unknown = |what, found: &String, known: Vec<&str>| DataError::UnknownName {
            at: Place::file(self.path),
            what,
            found: found.clone(),
            known: known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", "),
        };
        if let Some(found) = self
            .header
            .offset_keys()
            .iter()
            .find(|name| !TENSORS.contains(&name.as_str()) && *name != EMBEDDINGS_BEFORE)
        {
            return Err(unknown("tensor", found, TENSORS.to_vec()));
        }
        let known: Vec<&str> = LISTS.into_iter().chain(About::KEYS).chain(["format"]).collect();
        // The least one, so that the message does not depend on the order of a hash table.
        match self.texts.keys().filter(|key| !known.contains(&key.as_str())).min() {
            Some(found) => Err(unknown("metadata", found, known)),
            None => Ok(()),
        }
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

    fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.header.info(name)
    }

    fn wrong_shape(&self, name: &str, tensor: &TensorInfo, expected: &str) -> DataError {
        let found = tensor.shape.iter().map(|n| *n as u64).collect();
        DataError::Shape { at: self.at(name), found, expected: expected.to_string() }
    }

    fn wrong_type(&self, name: &str, tensor: &TensorInfo, expected: &'static str) -> DataError {
        DataError::ElementType { at: self.at(name), found: format!("{:?}", tensor.dtype), expected }
    }

    fn codes(&self) -> Result<Vec<i64>, DataError> {
        let Some(tensor) = self.tensor("class") else {
            return Err(self.missing("class", "a tensor (items) of places in `classes`"));
        };
        if tensor.dtype != Dtype::I64 {
            return Err(self.wrong_type("class", tensor, "I64"));
        }
        if tensor.shape.len() != 1 {
            return Err(self.wrong_shape("class", tensor, "one axis (items)"));
        }
        let (start, end) = tensor.data_offsets;
        let mut bytes = vec![0; end - start];
        let read = self.file.read_exact_at(&mut bytes, self.start + start as u64);
        read.map_err(DataError::unreadable(self.path))?;
        Ok(bytes.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b)).collect())
    }

    fn matrix(&self, name: &str) -> Result<Option<RowFile>, DataError> {
        let Some(tensor) = self.tensor(name) else { return Ok(None) };
        let element = match tensor.dtype {
            Dtype::F16 => Element::F16,
            Dtype::F32 => Element::F32,
            Dtype::F64 => Element::F64,
            _ => return Err(self.wrong_type(name, tensor, "F16, F32 or F64")),
        };
        let &[rows, dim] = tensor.shape.as_slice() else {
            return Err(self.wrong_shape(name, tensor, "two axes (items, dim)"));
        };
        let file = self.file.try_clone().map_err(DataError::unreadable(self.path))?;
        let offset = self.start + tensor.data_offsets.0 as u64;
        Ok(Some(RowFile { file, offset, element, rows, dim }))
    }

    fn listing(&self, names: Vec<String>) -> Result<Listing, DataError> {
        let listed = |class, split| Listed { class, split, cluster: None, line: None };
        let at = self.at("splits");
        let Some(Pairs(pairs)) = self.json("splits")? else {
            let classes = names.into_iter().map(|class| listed(class, Split::Novel)).collect();
            return Ok(Listing { at: self.at("classes"), classes });
        };
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
        let known: HashSet<&String> = names.iter().collect();
        if let Some(class) = splits.keys().filter(|class| !known.contains(class)).min() {
            return Err(DataError::ClassWithoutItems { at, class: class.clone() });
        }
        let mut classes = Vec::new();
        for class in names {
            match splits.get(&class) {
                Some(split) => classes.push(listed(class, *split)),
                None => return Err(DataError::ClassWithoutSplit { at, class }),
            }
        }
        Ok(Listing { at, classes })
    }
}

/// A JSON object as written: a map would keep only the last of two equal keys.
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Pairs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object from class name to split")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Object)
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
        assert_eq!(dtype, "store.safetensors `class`: elements of type `F64`, expected I64");
        let dtype = refused(|h| h["features"]["dtype"] = json!("I32"));
        assert_eq!(dtype, "store.safetensors `features`: elements of type `I32`, expected F16, F32 or F64");
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
