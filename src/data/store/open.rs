//! Opening: the name tells the format, and features of every format pass the same checks.

use std::io;
use std::path::Path;

use super::check::check;
use super::class_embeddings::ClassEmbeddings;
use super::leak::leaks;
use super::options::OpenOptions;
use super::store::Store;
use super::values::{Element, Values};
use crate::data::format::written::{
    FeatureColumns, Features, Labels, Listed, Listing, Matrix, Names, Provenance, Written,
};
use crate::data::format::{labels, reader};
use crate::data::{DataError, Place};
use crate::vocab::{Form, Split};

impl Store {
    /// Opens and checks features in any format; [`crate::data`] describes the formats.
    ///
    /// Reads all numbers once, in blocks.
    ///
    /// # Errors
    /// What is broken, missing or of another form, named by file, and line, item, column or class.
    pub fn open(path: impl AsRef<Path>, options: &OpenOptions) -> Result<Store, DataError> {
        let path = path.as_ref();
        let kind = match std::fs::metadata(path) {
            Ok(kind) => kind,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(DataError::Missing { path: path.to_path_buf() });
            }
            Err(error) => return Err(DataError::unreadable(path)(error)),
        };
        if !kind.is_dir() && !kind.is_file() {
            return Err(DataError::NotAFile { path: path.to_path_buf() });
        }
        let Some(reader) = reader(path, kind.is_dir()) else {
            let why = "the name ends in none of the known ways".to_string();
            return Err(DataError::NotFeatures { path: path.to_path_buf(), why });
        };
        if kind.is_file() && kind.len() == 0 {
            return Err(DataError::Empty { at: Place::file(path) });
        }
        if !options.feature_columns.is_empty() && !reader.has_columns(path) {
            return Err(DataError::NotATable { path: path.to_path_buf() });
        }
        let mut written = reader.read(path, options)?;
        let given = options.labels.as_deref().map(labels::read).transpose()?;
        if let Some(file) = &options.labels {
            written.files.push(("labels".to_string(), file.clone()));
        }
        let joined = labels::joined(written.labels.take(), given)?;
        let mut labels = match options.unlabelled {
            true => labels::none(joined, &written.features),
            false => joined.ok_or_else(|| {
                let what = "the features have no classes";
                DataError::NoLabels { at: written.features.at.clone(), what }
            })?,
        };
        if options.unlabelled {
            (written.splits, written.class_embeddings) = (None, None);
        }
        labels.listing = labels.listing.or(written.splits.take());
        let columns = written.columns.take();
        let mut store = check(written, labels, options.unseen)?;
        if let Some(columns) = columns {
            if !options.leaks_are_read {
                refuse_leaks(&store, &columns, path)?;
            }
            store.warnings.extend(columns.warning);
        }
        if kind.is_dir() { with_table(store, path) } else { Ok(store) }
    }

    /// A store from values in memory, through the same checks as one from files.
    ///
    /// # Errors
    /// Numbers that are not finite or do not fill their rows, and whatever else files would be refused for.
    pub fn from_parts(parts: Parts) -> Result<Store, DataError> {
        Store::from_values(parts.with(Values::from))
    }

    /// As [`Store::from_parts`], of values that lie in the memory of somebody else, or are 16-bit floats: they are not copied.
    ///
    /// # Errors
    /// As [`Store::from_parts`].
    pub fn from_values(parts: Parts<Values>) -> Result<Store, DataError> {
        let Parts { name, values, dim, class, splits, part, group, id, .. } = parts;
        let Parts { class_embeddings, provenance, form, unseen, .. } = parts;
        let at = |member: &str| Place::member(Path::new(&name), member);
        if dim == 0 {
            return Err(DataError::NoFeatures { at: at("features") });
        }
        let element = if matches!(values, Values::F16(_)) { Element::F16 } else { Element::F32 };
        let numbers = values.in_memory().unwrap_or(class.len() * dim);
        let rows = numbers / dim;
        if numbers % dim != 0 {
            return Err(DataError::Ragged { at: at("features"), expected: dim, found: numbers % dim });
        }
        // In memory the order of first appearance is what the caller was told of.
        let order = match &splits {
            Some(splits) => (at("splits"), splits.iter().map(|(class, _)| class.clone()).collect()),
            None => (at("class"), class.iter().collect::<Names>().names),
        };
        let matrix = |ClassEmbeddings { rows: values, class_dim }: ClassEmbeddings| {
            let (rows, rest) = (values.len() / class_dim.max(1), values.len() % class_dim.max(1));
            match rest {
                0 => Ok(Matrix {
                    at: at("class_embeddings"),
                    order: Some(order.clone()),
                    values,
                    rows,
                    class_dim,
                }),
                found => Err(DataError::Ragged { at: at("class_embeddings"), expected: class_dim, found }),
            }
        };
        let listing = splits.map(|splits| Listing {
            at: at("splits"),
            classes: splits
                .into_iter()
                .map(|(class, split)| Listed { class, split, cluster: None, line: None })
                .collect(),
        });
        let names = |names: Vec<String>| (!names.is_empty()).then(|| names.iter().collect::<Names>());
        let written = Written {
            name: name.clone(),
            path: None,
            files: Vec::new(),
            columns: None,
            features: Features { at: at("features"), values, element, rows, dim },
            labels: None,
            splits: None,
            class_embeddings: class_embeddings.map(matrix).transpose()?,
            provenance,
            form,
        };
        let labels = Labels {
            at: at("class"),
            class: class.iter().collect(),
            listing,
            part: names(part),
            group: names(group),
            id: (!id.is_empty()).then_some(id),
        };
        check(written, labels, unseen)
    }
}

/// Refuses columns that are functions of the class or of the row, unless they were asked for by name.
fn refuse_leaks(store: &Store, columns: &FeatureColumns, path: &Path) -> Result<(), DataError> {
    // The items of a list have no names that could be asked for.
    if columns.names.len() != store.dim || columns.listed.iter().all(|listed| *listed) {
        return Ok(());
    }
    let found = leaks(store).map_err(DataError::unreadable(path))?;
    let unasked = found.into_iter().filter(|(column, _)| !columns.listed[*column]);
    let columns: Vec<_> = unasked.map(|(column, leak)| (columns.names[column].clone(), leak)).collect();
    if columns.is_empty() {
        Ok(())
    } else {
        Err(DataError::LeakingColumns { at: Place::file(path), columns })
    }
}

/// The features of a folder with the class embeddings of its table, where it has one.
fn with_table(mut store: Store, folder: &Path) -> Result<Store, DataError> {
    // The second is what the first was called earlier.
    const TABLES: [&str; 2] = ["class_embeddings.csv", "class_vectors.csv"];
    for name in TABLES {
        let table = folder.join(name);
        if table.symlink_metadata().is_err() {
            continue;
        }
        if store.class_embeddings.is_some() {
            return Err(DataError::EmbeddingsTwice { at: Place::file(&table) });
        }
        store = store.with_class_embeddings(&table)?;
        store.files.push((name.to_string(), table));
    }
    Ok(store)
}

/// What a store in memory is made of; empty lists are absent columns.
///
/// ```
/// use kshot::data::{Parts, Store};
/// let store = Store::from_parts(Parts {
///     name: "tiny".to_string(),
///     values: vec![0.0, 1.0, 0.5, 0.5],
///     dim: 2,
///     class: vec!["cat".to_string(), "dog".to_string()],
///     ..Parts::default()
/// })
/// .unwrap();
/// assert_eq!((store.rows(), store.index().classes().len()), (2, 2));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Parts<V = Vec<f32>> {
    /// The name of the store.
    pub name: String,
    /// The features, item after item: a vector, or [`Values`] that lie elsewhere.
    pub values: V,
    /// Numbers per item.
    pub dim: usize,
    /// The class of each item.
    pub class: Vec<String>,
    /// The split of each class; absent: all classes are novel.
    pub splits: Option<Vec<(String, Split)>>,
    /// The part of each item.
    pub part: Vec<String>,
    /// The group of each item; the empty name is no group.
    pub group: Vec<String>,
    /// The id of each item.
    pub id: Vec<String>,
    /// One vector per class, in the order of `splits`, or of first appearance where that is absent.
    pub class_embeddings: Option<ClassEmbeddings>,
    /// What made the features.
    pub provenance: Provenance,
    /// How the numbers of an item are laid out.
    pub form: Form,
    /// Items of classes of this split are not looked at, see [`OpenOptions::unseen`].
    pub unseen: Option<Split>,
}

impl<V> Parts<V> {
    /// The same with other values.
    fn with<W>(self, change: impl FnOnce(V) -> W) -> Parts<W> {
        Parts {
            values: change(self.values),
            name: self.name,
            dim: self.dim,
            class: self.class,
            splits: self.splits,
            part: self.part,
            group: self.group,
            id: self.id,
            class_embeddings: self.class_embeddings,
            provenance: self.provenance,
            form: self.form,
            unseen: self.unseen,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::StoreWarning;
    use crate::data::fixtures::{Sample, numbers, open, sample};
    use crate::vocab::ItemId;

    /// Everything of a store that a form may not change.
    fn content(store: &Store) -> String {
        let index = store.index();
        let items: Vec<_> =
            (0..store.rows() as u32).map(|i| (index.part(ItemId(i)), index.group(ItemId(i)))).collect();
        format!(
            "{:?} {items:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            index.classes(),
            store.ids(),
            store.duplicates(),
            store.warnings(),
            numbers(store),
            store.identity().unwrap(),
            store.features_sha256().unwrap()
        )
    }

    fn parts(sample: &Sample) -> Parts {
        let splits = sample.splits.iter().map(|(class, split)| (class.clone(), split.parse().unwrap()));
        Parts {
            name: "store".to_string(),
            values: sample.values.clone(),
            dim: sample.dim,
            class: sample.class.clone(),
            splits: Some(splits.collect()),
            part: sample.part.clone(),
            group: sample.group.clone(),
            id: sample.id.clone(),
            ..Parts::default()
        }
    }

    fn samples() -> impl Strategy<Value = Sample> {
        let value =
            prop_oneof![Just(0.0f32), Just(1.5), any::<f32>().prop_filter("finite", |v| v.is_finite())];
        (1usize..12, 1usize..4).prop_flat_map(move |(rows, dim)| {
            let column = |words: &'static str| proptest::collection::vec(words, rows);
            let optional = |words| prop_oneof![Just(Vec::new()), column(words)];
            let splits = proptest::collection::vec(proptest::sample::select(Split::ALL), rows);
            let values = proptest::collection::vec(value.clone(), rows * dim);
            let columns =
                (column("[a-cé,\"]{1,2}"), optional("[xy]"), optional("[g-i]?"), optional("[0-9 ]{0,3}x"));
            (values, columns, splits).prop_map(move |(values, (class, part, group, id), words)| {
                let id = id.iter().enumerate().map(|(row, id)| format!("{id}{row}")).collect();
                let mut splits: Vec<(String, String)> = Vec::new();
                for (class, split) in class.iter().zip(words) {
                    if !splits.iter().any(|(known, _)| known == class) {
                        splits.push((class.clone(), split.to_string()));
                    }
                }
                Sample { values, dim, class, splits, part, group, id }
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
        #[test]
        fn every_form_of_the_same_data_gives_the_same_store(sample in samples()) {
            let place = tempfile::tempdir().unwrap();
            let at = place.path();
            let expected = content(&Store::from_parts(parts(&sample)).unwrap());
            for path in [sample.folder(at), sample.npz(at, false), sample.safetensors(at)] {
                prop_assert_eq!(&content(&open(&path).unwrap()), &expected, "{}", path.display());
            }
            prop_assert_eq!(&content(&open(&sample.npz(at, true)).unwrap()), &expected);
            // By name, as chance may well make a column that looks like a label.
            let feature_columns = (0..sample.dim).map(|column| format!("f{column}")).collect();
            let options = OpenOptions { feature_columns, ..OpenOptions::default() };
            prop_assert_eq!(&content(&Store::open(sample.csv(at), &options).unwrap()), &expected);
        }
    }

    #[test]
    fn identical_items_of_two_classes_form_one_group_and_a_warning() {
        let values = vec![1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0];
        let store = Store::from_parts(Parts { values, ..parts(&sample()) }).unwrap();
        assert_eq!(store.duplicates(), [(ItemId(0), ItemId(2))]);
        let values = vec![1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0];
        let store = Store::from_parts(Parts { values, group: vec![], ..parts(&sample()) }).unwrap();
        assert_eq!((0..6).map(|i| store.index().group(ItemId(i))).collect::<Vec<_>>(), [0, 0, 0, 3, 4, 5]);
        let warnings: Vec<String> = store.warnings().iter().map(StoreWarning::to_string).collect();
        let expected = [
            "2 items have only zeros as features",
            "2 items repeat the features of an earlier item, 1 across classes; such items form a group",
        ];
        assert_eq!(warnings, expected);
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let refused = |parts: Parts| Store::from_parts(parts).unwrap_err().to_string();
        let whole = || parts(&sample());
        let ragged = refused(Parts { values: vec![0.0; 11], ..whole() });
        assert_eq!(ragged, "store `features`: expected 2 fields, found 1");
        let rows = refused(Parts { class: vec!["a".to_string(); 5], ..whole() });
        assert_eq!(rows, "store `class`: 5 rows, expected 6 as in store `features`");
        let vectors = ClassEmbeddings { rows: [0.0; 5].as_slice().into(), class_dim: 2 };
        let vectors = refused(Parts { class_embeddings: Some(vectors), ..whole() });
        assert_eq!(vectors, "store `class_embeddings`: expected 2 fields, found 1");
        assert!(refused(Parts { dim: 0, ..whole() }).contains("no features"));
    }
}
