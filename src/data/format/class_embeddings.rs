//! Class embeddings in a table: a .csv with a row per class, such as the attributes of animals.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::header::{no_column, text};
use super::lines::line_at;

use crate::data::{ClassEmbeddings, Store, StoreWarning};
use crate::data::{DataError, Place};

impl Store {
    /// The same store with the class embeddings of a .csv file in place of its own: a column `class`, and a number per class
    /// in every other column. Rows may stand in any order, and of classes that the store does not have there may be some.
    ///
    /// # Errors
    /// A file that is no .csv or cannot be read, has no column `class` or no other, lists a class twice, leaves a class of the store out,
    /// or holds what is no finite number.
    pub fn with_class_embeddings(&self, path: impl AsRef<Path>) -> Result<Store, DataError> {
        let path = path.as_ref();
        if path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("csv")) {
            return Err(DataError::EmbeddingsNoTable { path: path.to_path_buf() });
        }
        let names: Vec<&str> = self.index.classes().iter().map(|class| class.name.as_str()).collect();
        let vectors = read(path, &names)?;
        let mut store = self.clone();
        store.warnings.retain(|warning| !matches!(warning, StoreWarning::ZeroEmbeddings { .. }));
        store.warnings.extend(StoreWarning::of_embeddings(&vectors));
        store.class_embeddings = Some(vectors);
        store.provenance.class_embeddings = None;
        Ok(store)
    }
}

/// The vectors of these classes, in their order.
fn read(path: &Path, classes: &[&str]) -> Result<ClassEmbeddings, DataError> {
    let at = || Place::file(path);
    let damaged = |_| DataError::Damaged { at: at(), what: "not a .csv file".to_string() };
    let bytes = std::fs::read(path).map_err(DataError::unreadable_named(path))?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&bytes[..]);
    let mut record = csv::ByteRecord::new();
    if !reader.read_byte_record(&mut record).map_err(damaged)? {
        return Err(DataError::Empty { at: at() });
    }
    let mut names: Vec<String> = Vec::new();
    for field in &record {
        let name = text(field, || Place::line(path, 1))?;
        if names.iter().any(|known| known == name) {
            return Err(DataError::ColumnTwice { at: at(), column: name.to_string() });
        }
        names.push(name.to_string());
    }
    let class_column =
        names.iter().position(|name| name == "class").ok_or_else(|| no_column("class", &names, at()))?;
    let class_dim = names.len() - 1;
    if class_dim == 0 {
        return Err(DataError::NoEmbeddings { at: at() });
    }
    let mut found: HashMap<String, Vec<f32>> = HashMap::new();
    while reader.read_byte_record(&mut record).map_err(damaged)? {
        let line = line_at(&bytes, record.position());
        let here = || Place::line(path, line);
        if record.len() != names.len() {
            return Err(DataError::Ragged { at: here(), expected: names.len(), found: record.len() });
        }
        let class = text(&record[class_column], here)?.to_string();
        let mut vector = Vec::with_capacity(class_dim);
        for (place, field) in record.iter().enumerate().filter(|(place, _)| *place != class_column) {
            let written = text(field, here)?.trim();
            let column = || names[place].clone();
            let value: f32 = written.parse().map_err(|_| DataError::BadNumber {
                at: here(),
                column: column(),
                found: written.to_string(),
            })?;
            if !value.is_finite() {
                return Err(DataError::EmbeddingNotFinite {
                    at: here(),
                    class,
                    column: vector.len(),
                    found: value,
                });
            }
            vector.push(value);
        }
        if found.insert(class.clone(), vector).is_some() {
            return Err(DataError::ClassTwice { at: here(), class });
        }
    }
    let mut rows = Vec::with_capacity(classes.len() * class_dim);
    for class in classes {
        let vector = found
            .get(*class)
            .ok_or_else(|| DataError::ClassWithoutEmbedding { at: at(), class: class.to_string() })?;
        rows.extend_from_slice(vector);
    }
    Ok(ClassEmbeddings { rows: Arc::from(rows), class_dim })
}

#[cfg(test)]
mod tests {
    use crate::data::Store;
    use crate::data::fixtures::{folder_refusal, folder_with, open};

    const GOOD: &str = "stripes,class,legs\n0.5,ant,6\n1,cat,4\n0,dog,4\n0,eel,0\n";

    #[test]
    fn attributes_are_found_by_the_name_of_the_class() {
        let (place, folder) = folder_with(&[]);
        let file = place.path().join("attributes.csv");
        std::fs::write(&file, GOOD).unwrap();
        let store = open(&folder).unwrap().with_class_embeddings(&file).unwrap();
        let vectors = store.class_embeddings().unwrap();
        assert_eq!((vectors.class_dim, &*vectors.rows), (2, [0.0, 4.0, 1.0, 4.0, 0.5, 6.0].as_slice()));
        let (_place, folder) = folder_with(&[("class_embeddings.csv", GOOD.as_bytes())]);
        assert_eq!(open(&folder).unwrap().class_embeddings(), Some(vectors));
    }

    #[test]
    fn a_matrix_or_nothing_in_place_of_the_table_is_refused() {
        let (place, folder) = folder_with(&[]);
        let refused = |name: &str| {
            let path = place.path().join(name);
            let error = open(&folder).unwrap().with_class_embeddings(&path).unwrap_err();
            (error.is_request(), error.to_string().replace(&format!("{}/", place.path().display()), ""))
        };
        let (request, matrix) = refused("v.npy");
        assert!(
            request && matrix.starts_with("v.npy: class embeddings are read from a table, expected a .csv")
        );
        assert_eq!(refused("v.csv"), (false, "v.csv: no such file".to_string()));
    }

    #[test]
    fn classes_with_vectors_of_zeros_are_counted_anew_with_every_table() {
        let zeros =
            |legs: [u32; 3]| format!("class,legs\nant,{}\ncat,{}\ndog,{}\n", legs[0], legs[1], legs[2]);
        let (place, folder) = folder_with(&[("class_embeddings.csv", zeros([0, 4, 0]).as_bytes())]);
        let store = open(&folder).unwrap();
        let said = |store: &Store| store.warnings().iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(said(&store), ["the class embeddings of 2 classes are all zero"]);
        let other = place.path().join("v.csv");
        std::fs::write(&other, zeros([6, 4, 0])).unwrap();
        let store = store.with_class_embeddings(&other).unwrap();
        assert_eq!(said(&store), ["the class embedding of 1 class is all zero"]);
        std::fs::write(&other, zeros([6, 4, 4])).unwrap();
        assert!(said(&store.with_class_embeddings(&other).unwrap()).is_empty());
    }

    #[test]
    fn a_table_that_does_not_fit_is_refused() {
        let refused = |text: &str| folder_refusal(&[("class_embeddings.csv", text.as_bytes())]);
        let missing = "store/class_embeddings.csv: class `cat` has no embedding\nhint: ";
        assert!(refused("class,legs\nant,6\ndog,4\n").starts_with(missing));
        let nan = "store/class_embeddings.csv line 3: the embedding of class `cat` has NaN in column 0, class embeddings must be finite\nhint: ";
        assert!(refused("class,legs\nant,6\ncat,nan\ndog,4\n").starts_with(nan));
        let word = "store/class_embeddings.csv line 2: column `legs` must be a number, got `six`";
        assert_eq!(refused("class,legs\nant,six\n"), word);
        assert_eq!(refused("class,legs\r\nant,six\r\n"), word);
        let twice = "store/class_embeddings.csv line 3: class `ant` is listed twice";
        assert_eq!(refused("class,legs\nant,6\nant,6\n"), twice);
        assert_eq!(
            refused("class\nant\n"),
            "store/class_embeddings.csv: no numbers beside the column `class`"
        );
        assert_eq!(refused("legs\n6\n"), "store/class_embeddings.csv: no column `class`, found `legs`");
        assert_eq!(
            refused("class,legs\nant\n"),
            "store/class_embeddings.csv line 2: expected 2 fields, found 1"
        );
        assert_eq!(refused(""), "store/class_embeddings.csv: the file is empty");
    }
}
