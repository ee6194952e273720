//! A new feature set as the files of a folder: the form of a store that is read back without loss.

use super::class_embeddings::ClassEmbeddings;
use crate::data::format::folder::FILES;
use crate::data::format::npy::{matrix_bytes, matrix_header, push_numbers};
use crate::data::format::written::{About, Provenance};
use crate::data::{DataError, ItemName, Place};
use crate::vocab::{Form, Split};

/// The files of a folder that is a feature set; those that a store lacks must not be there.
pub const FOLDER_FILES: [&str; 6] = FILES;

/// How features are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 16 bits: half the size, and a relative error of at most 1/2048.
    F16,
    /// 32 bits, as they were computed.
    F32,
}

/// What a feature set is made of before it is written.
#[derive(Clone, Debug)]
pub struct NewStore<'a> {
    /// (items, dim), item after item.
    pub features: &'a [f32],
    /// Numbers per item, 1 or more.
    pub dim: usize,
    /// How the features are stored.
    pub precision: Precision,
    /// The class of each item.
    pub classes: &'a [String],
    /// The part of each item, where there are parts.
    pub parts: Option<&'a [String]>,
    /// The group of each item, empty where it is in none, where there are groups.
    pub groups: Option<&'a [String]>,
    /// The id of each item, by which other features of the same items are known.
    pub ids: &'a [String],
    /// Every class once, with its split and the cluster where it has one.
    pub listed: &'a [(String, Split, Option<String>)],
    /// One vector per listed class.
    pub class_embeddings: Option<&'a ClassEmbeddings>,
    /// What made the features.
    pub provenance: &'a Provenance,
    /// How the numbers of an item are laid out.
    pub form: Form,
}

impl NewStore<'_> {
    /// The files by name; `features.npy` is the last, and without it a folder is no store.
    ///
    /// # Errors
    /// A number that the precision cannot hold, named by item and column.
    pub fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>, DataError> {
        let features = FOLDER_FILES[0];
        let too_large = |v: &f32| !self.precision.holds(*v);
        if let Some(place) = self.features.iter().position(too_large) {
            let row = place / self.dim;
            let id = self.ids.get(row).cloned();
            return Err(DataError::NotFinite {
                at: Place::file(features.as_ref()),
                item: Box::new(ItemName { row, class: self.classes[row].clone(), id }),
                column: (place % self.dim).to_string(),
                found: format!("{}, beyond what is stored", self.features[place]),
            });
        }
        let mut files = self.tables();
        let rows = self.features.len() / self.dim;
        files.push((features, matrix_bytes(rows, self.dim, self.features, self.precision)));
        Ok(files)
    }

    /// The files that hold no features: items, classes with their splits, provenance, and class embeddings where there are some.
    pub fn tables(&self) -> Vec<(&'static str, Vec<u8>)> {
        let [_, items, splits, about, embeddings, _] = FOLDER_FILES;
        let mut tables = vec![(items, self.items()), (splits, self.splits()), (about, self.about())];
        if let Some(ClassEmbeddings { rows, class_dim }) = self.class_embeddings {
            tables.push((embeddings, matrix_bytes(rows.len() / class_dim, *class_dim, rows, Precision::F32)));
        }
        tables
    }

    fn items(&self) -> Vec<u8> {
        let mut columns = vec![("class", self.classes)];
        columns.extend(self.parts.map(|parts| ("part", parts)));
        columns.extend(self.groups.map(|groups| ("group", groups)));
        columns.push(("id", self.ids));
        let header = columns.iter().map(|(name, _)| name.to_string()).collect();
        let lines = (0..self.classes.len()).map(|row| columns.iter().map(|(_, c)| c[row].clone()).collect());
        table(std::iter::once(header).chain(lines))
    }

    fn splits(&self) -> Vec<u8> {
        let clusters = self.listed.iter().any(|(_, _, cluster)| cluster.is_some());
        let line = |class: &str, split: &str, cluster: &str| {
            let mut line = vec![class.to_string(), split.to_string()];
            line.extend(clusters.then(|| cluster.to_string()));
            line
        };
        let lines = self
            .listed
            .iter()
            .map(|(class, split, cluster)| line(class, split.word(), cluster.as_deref().unwrap_or_default()));
        table(std::iter::once(line("class", "split", "cluster")).chain(lines))
    }

    fn about(&self) -> Vec<u8> {
        let about = About::of(self.provenance, self.form);
        toml::to_string(&about).expect("texts, numbers and one table behind them are TOML").into_bytes()
    }
}

impl Precision {
    /// What stands before the numbers in `features.npy`, for those who write it row by row.
    pub fn header(self, rows: usize, dim: usize) -> Vec<u8> {
        matrix_header(rows, dim, self)
    }

    /// Adds numbers as `features.npy` holds them.
    pub fn push(self, bytes: &mut Vec<u8>, values: &[f32]) {
        push_numbers(bytes, values, self);
    }

    /// Whether a number stays finite in this precision.
    pub fn holds(self, value: f32) -> bool {
        match self {
            Precision::F16 => half::f16::from_f32(value).is_finite(),
            Precision::F32 => value.is_finite(),
        }
    }
}

/// Lines as .csv.
fn table(lines: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    lines.for_each(|line| writer.write_record(line).expect("memory takes lines of one length"));
    writer.into_inner().expect("memory can be flushed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixtures::{numbers, open};
    use crate::data::{EmbeddingSource, StoreWarning};
    use crate::vocab::{ItemId, SawClasses};

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| word.to_string()).collect()
    }

    #[test]
    fn what_is_written_is_read_back_in_both_precisions() {
        let place = tempfile::tempdir().unwrap();
        let (classes, parts, ids) = (
            words(&["b", "a,1", "b", "oos"]),
            words(&["train", "train", "test", "test"]),
            words(&["1", "b", "3", "4"]),
        );
        let listed = [
            ("b".to_string(), Split::Base, Some("x".to_string())),
            ("a,1".to_string(), Split::Novel, None),
            ("oos".to_string(), Split::Oos, None),
        ];
        let vectors = ClassEmbeddings { rows: vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6].into(), class_dim: 2 };
        let source = EmbeddingSource {
            texts: "label names".to_string(),
            texts_sha256: None,
            templates: words(&["{}", "a {}"]),
        };
        let provenance = Provenance {
            backbone: "net".to_string(),
            trained_on: Some("much \"text\"".to_string()),
            saw_classes: SawClasses::Some,
            saw_splits: vec![Split::Base, Split::Validation],
            weights_sha256: Some("ab".repeat(32)),
            seed_train: Some(3),
            truncated: 2,
            preprocessing: Some("resize=96".to_string()),
            class_embeddings: Some(source),
        };
        for precision in [Precision::F16, Precision::F32] {
            let store = NewStore {
                features: &[0.5, -1.0, 2.0, 3.25, 0.25, 0.125, 1e-3, 7.0],
                dim: 2,
                precision,
                classes: &classes,
                parts: Some(&parts),
                groups: None,
                ids: &ids,
                listed: &listed,
                class_embeddings: Some(&vectors),
                provenance: &provenance,
                form: Form::Vector,
            };
            let files = store.files().unwrap();
            assert_eq!(files.last().unwrap().0, "features.npy");
            for (name, bytes) in &files {
                std::fs::write(place.path().join(name), bytes).unwrap();
            }
            let back = open(place.path()).unwrap();
            let far =
                numbers(&back).iter().zip(store.features).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(if precision == Precision::F32 { far == 0.0 } else { far > 0.0 && far < 1e-6 }, "{far}");
            assert_eq!(back.provenance(), &provenance);
            assert_eq!(back.class_embeddings(), Some(&vectors));
            assert_eq!((back.index().part(ItemId(2)), back.ids().unwrap()), (Some("test"), ids.as_slice()));
            let classes = back.index().classes().iter().map(|c| (c.name.clone(), c.split, c.cluster.clone()));
            assert_eq!(classes.collect::<Vec<_>>(), listed);
            assert_eq!(back.warnings(), [StoreWarning::Truncated { count: 2 }]);
        }
    }

    #[test]
    fn a_number_that_sixteen_bits_cannot_hold_is_named() {
        let classes = words(&["a", "b"]);
        let store = NewStore {
            features: &[1.0, 70000.0],
            dim: 1,
            precision: Precision::F16,
            classes: &classes,
            parts: None,
            groups: None,
            ids: &words(&["x", "y"]),
            listed: &[],
            class_embeddings: None,
            provenance: &Provenance::default(),
            form: Form::Vector,
        };
        let error = store.files().unwrap_err().to_string();
        assert!(
            error.starts_with("features.npy: item 1 (class `b`, id `y`) has 70000, beyond what is stored"),
            "{error}"
        );
        assert!(NewStore { precision: Precision::F32, ..store }.files().is_ok());
    }
}
