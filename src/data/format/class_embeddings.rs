//! Class embeddings in a table: a .csv with a row per class, such as the attributes of animals.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::cut::unclosed_line;
use super::feature_columns::{Cells, choose_attributes};
use super::header::{Others, Role, column_roles, take, text};
use super::lines::line_at;
use super::written::FeatureColumns;
use crate::data::class_name::Places;
use crate::data::store::ordered_columns;
use crate::data::{ClassEmbeddings, Leak, Store, StoreWarning};
use crate::data::{DataError, Place};

impl Store {
    /// The same store with the class embeddings of a .csv or .tsv file in place of its own: a column `class`, and a number
    /// per class in the columns of one numbered prefix, else in every other column whose name does not say that it is none. Rows may stand in any order, and of classes that the store does not have there may be some.
    ///
    /// # Errors
    /// A file that is no such table or cannot be read, has no column `class` or no other, lists a class twice, leaves a class of the store out,
    /// or holds what is no finite number.
    pub fn with_class_embeddings(&self, path: impl AsRef<Path>) -> Result<Store, DataError> {
        let path = path.as_ref();
        let Some(delimiter) = delimiter(path) else {
            return Err(DataError::EmbeddingsNoTable { path: path.to_path_buf() });
        };
        let names: Vec<&str> = self.index.classes().iter().map(|class| class.name.as_str()).collect();
        let (vectors, warning) = read(path, delimiter, &names)?;
        let mut store = self.clone();
        store.warnings.retain(|warning| !warning.is_of_embeddings());
        store.warnings.extend(warning);
        store.warnings.extend(StoreWarning::of_embeddings(&vectors));
        store.class_embeddings = Some(vectors);
        store.provenance.class_embeddings = None;
        Ok(store)
    }
}

/// The delimiter of a table of class embeddings, by its ending.
fn delimiter(path: &Path) -> Option<u8> {
    let ends_in = |ending: &str| path.extension().is_some_and(|own| own.eq_ignore_ascii_case(ending));
    [("csv", b','), ("tsv", b'\t')].into_iter().find_map(|(ending, mark)| ends_in(ending).then_some(mark))
}

/// The vectors of these classes, in their order, with what there is to say of the columns.
fn read(
    path: &Path,
    delimiter: u8,
    classes: &[&str],
) -> Result<(ClassEmbeddings, Option<StoreWarning>), DataError> {
    let bytes = std::fs::read(path).map_err(DataError::unreadable_named(path))?;
    let table = Table::parse(path, &bytes, delimiter)?;
    let class_dim = table.columns.names.len();
    let ordered = ordered_columns(&table.values, class_dim);
    if !ordered.is_empty() {
        let named = |column: usize| (table.columns.names[column].clone(), Leak::Row);
        let columns = ordered.into_iter().map(named).collect();
        return Err(DataError::LeakingColumns { at: Place::file(path), columns });
    }
    let places = Places::of(table.classes.iter().map(String::as_str));
    let mut rows = Vec::with_capacity(classes.len() * class_dim);
    for class in classes {
        let missing = || DataError::without_embedding(Place::file(path), class, places.alike(class));
        let row = places.find(class).ok_or_else(missing)?;
        rows.extend_from_slice(&table.values[row * class_dim..(row + 1) * class_dim]);
    }
    let warning = table.columns.warning.map(|warning| warning.of_embedding_columns());
    Ok((ClassEmbeddings { rows: Arc::from(rows), class_dim }, warning))
}

/// A table of class embeddings as it is written.
struct Table {
    columns: FeatureColumns,
    classes: Vec<String>,
    /// A row of numbers per class.
    values: Vec<f32>,
}

impl Table {
    fn parse(path: &Path, bytes: &[u8], delimiter: u8) -> Result<Table, DataError> {
        let records = records(path, bytes, delimiter)?;
        let Some(((_, header), rows)) = records.split_first() else {
            return Err(DataError::Empty { at: Place::file(path) });
        };
        let first = Place::line(path, 1);
        let names: Vec<String> = header
            .iter()
            .map(|field| Ok(text(field, || first.clone())?.to_string()))
            .collect::<Result<_, DataError>>()?;
        let mut roles = column_roles(&names, Others::Features, &Place::file(path))?;
        for role in roles.iter_mut().filter(|role| **role != Role::Class) {
            // An attribute may well be called `group`, or `part`.
            *role = Role::Feature;
        }
        if roles.len() == 1 {
            return Err(DataError::NoEmbeddings { at: Place::file(path) });
        }
        let columns = take(&names, &mut roles, |_| Cells::Numbers, |all| Ok(choose_attributes(all)))?;
        let mut table = Table { columns, classes: Vec::new(), values: Vec::new() };
        let mut seen = HashSet::new();
        for (line, record) in rows {
            let at = Place::line(path, *line);
            if record.len() != names.len() {
                return Err(DataError::Ragged { at, expected: names.len(), found: record.len() });
            }
            table.take(record, &names, &roles, &at)?;
            if let Some(class) = table.classes.last().filter(|class| !seen.insert(class.to_string())) {
                return Err(DataError::ClassTwice { at, class: class.clone() });
            }
        }
        Ok(table)
    }

    /// Reads a class with its numbers.
    fn take(
        &mut self,
        record: &csv::ByteRecord,
        names: &[String],
        roles: &[Role],
        at: &Place,
    ) -> Result<(), DataError> {
        let place = roles.iter().position(|role| *role == Role::Class).unwrap_or(0);
        let class = text(&record[place], || at.clone())?.to_string();
        let taken = (0..roles.len()).filter(|place| roles[*place] == Role::Feature);
        for (column, place) in taken.enumerate() {
            let (field, name) = (&record[place], &names[place]);
            let written = text(field, || at.clone())?.trim();
            let value: f32 = written.parse().map_err(|_| DataError::BadNumber {
                at: at.clone(),
                column: name.clone(),
                found: written.to_string(),
            })?;
            if !value.is_finite() {
                return Err(DataError::EmbeddingNotFinite { at: at.clone(), class, column, found: value });
            }
            self.values.push(value);
        }
        self.classes.push(class);
        Ok(())
    }
}

/// The records of a table, each with its line.
fn records(path: &Path, bytes: &[u8], delimiter: u8) -> Result<Vec<(u64, csv::ByteRecord)>, DataError> {
    if let Some(line) = unclosed_line(bytes, delimiter) {
        return Err(DataError::OpenQuote { at: Place::line(path, line) });
    }
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
    let (mut all, mut record) = (Vec::new(), csv::ByteRecord::new());
    let damaged = |_| DataError::Damaged { at: Place::file(path), what: "not a .csv file".to_string() };
    while reader.read_byte_record(&mut record).map_err(damaged)? {
        all.push((line_at(bytes, record.position()), record.clone()));
    }
    Ok(all)
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
    fn columns_that_are_no_attributes_are_left_out_and_named() {
        let table = "Unnamed: 0,class,legs,wings\n0,dog,4,0\n1,cat,4,0\n2,ant,6,1\n";
        let (place, folder) = folder_with(&[]);
        let file = place.path().join("attributes.csv");
        std::fs::write(&file, table).unwrap();
        let store = open(&folder).unwrap().with_class_embeddings(&file).unwrap();
        assert_eq!(store.class_embeddings().unwrap().class_dim, 2);
        let said = |store: &Store| store.warnings().iter().map(ToString::to_string).collect::<Vec<_>>();
        let sentence =
            "column `Unnamed: 0` is not taken, class embeddings are the 2 columns `legs` to `wings`";
        assert_eq!(said(&store), [sentence]);
        let tsv = place.path().join("attributes.tsv");
        std::fs::write(&tsv, "class\tlegs\ndog\t4\ncat\t4\nant\t6\n").unwrap();
        let store = store.with_class_embeddings(&tsv).unwrap();
        assert_eq!(said(&store), [""; 0], "the warning is that of the table before");
        let numbers: String = (0..12).map(|row| format!("c{row},{},{}\n", row * 3, row % 2)).collect();
        std::fs::write(&file, format!("class,number,legs\n{numbers}")).unwrap();
        let error = store.with_class_embeddings(&file).unwrap_err().to_string();
        assert!(
            error.contains("column `number` is in the order of the rows, and so a row number\nhint: "),
            "{error}"
        );
    }

    #[test]
    fn a_class_is_found_in_whatever_form_its_accents_are_written() {
        let items = "class\ncafe\u{301}\nb\ncafe\u{301}\nant\nb\nant\n";
        let splits = "class,split\ncaf\u{e9},base\nb,base\nant,novel\n";
        let table = "class,legs\nb,4\ncaf\u{e9},4\nant,6\n";
        let files = [("items.csv", items), ("splits.csv", splits), ("class_embeddings.csv", table)];
        let (_place, folder) = folder_with(&files.map(|(name, text)| (name, text.as_bytes())));
        let store = open(&folder).unwrap();
        assert_eq!(&*store.class_embeddings().unwrap().rows, [4.0, 4.0, 6.0]);
        let other = splits.replace("ant", "Ant ");
        let files = [("items.csv", items), ("splits.csv", &other)];
        let refused = folder_refusal(&files.map(|(name, text)| (name, text.as_bytes())));
        let sentence = "store/splits.csv line 4: class \"Ant \" has no items, \"ant\" has\nhint: ";
        assert!(refused.starts_with(sentence), "{refused}");
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
