//! Tables in .parquet files, of features or of labels; needs the feature `parquet`.
//!
//! Columns as in a .csv table. Texts may be whole numbers or truth values; features are float, double, 16-bit floats or
//! whole numbers.

use std::fs::File;
use std::path::Path;

use half::f16;
use parquet::basic::{LogicalType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::header::{Others, Role, column_role, no_column};
use super::splits::note_split;
use super::written::{Features, Labels, Listed, Listing, Names, Written};
use crate::data::OpenOptions;
use crate::data::store::values::{Element, Values};
use crate::data::{DataError, Place};

/// The texts of a table, by role; the places are those of `TEXTS`.
const TEXTS: [Role; 5] = [Role::Class, Role::Split, Role::Part, Role::Group, Role::Id];

/// A table as it is read.
struct Table {
    roles: Vec<Role>,
    texts: [Vec<String>; TEXTS.len()],
    /// (items, dim).
    features: Vec<f32>,
    dim: usize,
    element: Element,
}

/// Features in one table.
pub(super) fn features(path: &Path, options: &OpenOptions) -> Result<Written, DataError> {
    let others = if options.labels.is_some() { Others::Unlabelled } else { Others::Features };
    let table = Table::read(path, others)?;
    let (at, dim) = (Place::file(path), table.dim);
    if dim == 0 {
        return Err(DataError::NoFeatures { at });
    }
    let labels = Labels::of_table(&table, &at)?;
    let (rows, element) = (table.features.len() / dim, table.element);
    let features = Features { at, values: Values::F32(table.features.into()), element, rows, dim };
    Ok(Written::of_file(path, features, Some(labels)))
}

/// Labels in a table of their own.
pub(super) fn labels(path: &Path) -> Result<Labels, DataError> {
    Labels::of_table(&Table::read(path, Others::Labels)?, &Place::file(path))
}

impl Labels {
    fn of_table(table: &Table, at: &Place) -> Result<Labels, DataError> {
        let [class, split, part, group, id] = &table.texts;
        let class: Names = class.iter().collect();
        let has = |role| table.roles.contains(&role);
        Ok(Labels {
            at: at.clone(),
            listing: has(Role::Split).then(|| listing(at, &class, split)).transpose()?,
            class,
            part: has(Role::Part).then(|| part.iter().collect()),
            group: has(Role::Group).then(|| group.iter().collect()),
            id: has(Role::Id).then(|| id.clone()),
        })
    }
}

impl Table {
    fn read(path: &Path, others: Others) -> Result<Table, DataError> {
        let at = Place::file(path);
        let broken = |error: ParquetError| DataError::Damaged { at: at.clone(), what: error.to_string() };
        let file = File::open(path).map_err(DataError::unreadable_named(path))?;
        let reader = SerializedFileReader::new(file).map_err(broken)?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let (names, roles) = columns(schema.columns().iter().map(AsRef::as_ref), path, others)?;
        let dim = roles.iter().filter(|role| **role == Role::Feature).count();
        let doubles = schema.columns().iter().any(|column| column.physical_type() == Type::DOUBLE);
        let element = if doubles { Element::F64 } else { Element::F32 };
        let mut table = Table { roles, texts: Default::default(), features: Vec::new(), dim, element };
        for group in 0..reader.num_row_groups() {
            let group = reader.get_row_group(group).map_err(broken)?;
            let (start, mut feature) = (table.features.len(), 0);
            for (place, role) in table.roles.iter().enumerate() {
                let column = Column { path, about: schema.columns()[place].as_ref() };
                let values = group.get_column_reader(place).map_err(broken)?;
                if let Some(text) = TEXTS.iter().position(|known| known == role) {
                    table.texts[text].extend(column.texts(values)?);
                    continue;
                }
                let numbers = column.numbers(values, start / dim)?;
                if feature == 0 {
                    table.features.resize(start + numbers.len() * dim, 0.0);
                }
                let (found, expected) = (numbers.len(), (table.features.len() - start) / dim);
                if found != expected {
                    let first = table.roles.iter().position(|r| *r == Role::Feature).unwrap_or(0);
                    let against = format!("column `{}`", names[first]);
                    return Err(DataError::RowCount { at: column.at(), found, expected, against });
                }
                let places = table.features[start + feature..].iter_mut().step_by(dim);
                places.zip(numbers).for_each(|(out, x)| *out = x);
                feature += 1;
            }
        }
        Ok(table)
    }
}

/// The names and roles of the columns of a table.
fn columns<'a>(
    columns: impl Iterator<Item = &'a ColumnDescriptor>,
    path: &Path,
    others: Others,
) -> Result<(Vec<String>, Vec<Role>), DataError> {
    let at = Place::file(path);
    let (mut names, mut roles) = (Vec::new(), Vec::new());
    for column in columns {
        let name = column.path().parts().join(".");
        // pandas writes an index that it cannot compute as such a column.
        let given = if name.starts_with("__index_level_") { "" } else { &name };
        roles.push(column_role(&names, given, others, &at)?);
        if column.max_rep_level() > 0 {
            return Err(wrong_type(column, path, "nested list", "a plain column"));
        }
        names.push(name);
    }
    let needs_class = others != Others::Unlabelled || roles.contains(&Role::Split);
    if needs_class && !roles.contains(&Role::Class) {
        return Err(no_column("class", &names, at));
    }
    Ok((names, roles))
}

fn listing(at: &Place, class: &Names, words: &[String]) -> Result<Listing, DataError> {
    let mut splits = Vec::new();
    for (row, (class_place, word)) in class.of.iter().zip(words).enumerate() {
        let split = word.parse().map_err(|source| DataError::UnknownWord { at: at.clone(), source })?;
        note_split(&mut splits, *class_place, split, 0, || (class.name(row).to_string(), at.clone()))?;
    }
    let listed = class.names.iter().zip(splits);
    let classes =
        listed.map(|(class, (split, _))| Listed { class: class.clone(), split, cluster: None, line: None });
    Ok(Listing { at: at.clone(), classes: classes.collect() })
}

fn wrong_type(about: &ColumnDescriptor, path: &Path, found: &str, expected: &str) -> DataError {
    let at = Place::member(path, &about.path().parts().join("."));
    DataError::ElementType { at, found: found.to_string(), expected: expected.to_string() }
}

/// A column of one group of rows.
struct Column<'a> {
    path: &'a Path,
    about: &'a ColumnDescriptor,
}

impl Column<'_> {
    fn at(&self) -> Place {
        Place::member(self.path, &self.about.path().parts().join("."))
    }

    fn values<T: DataType>(&self, mut reader: ColumnReaderImpl<T>) -> Result<Vec<T::T>, DataError> {
        let (mut values, mut levels, mut rows) = (Vec::new(), Vec::new(), 0);
        loop {
            let levels = (self.about.max_def_level() > 0).then_some(&mut levels);
            let read = reader.read_records(1 << 16, levels, None, &mut values);
            match read.map_err(|error| DataError::Damaged { at: self.at(), what: error.to_string() })? {
                (0, _, _) => break,
                (records, _, _) => rows += records,
            }
        }
        match rows - values.len() {
            0 => Ok(values),
            missing => Err(DataError::Written {
                at: self.at(),
                what: format!("{missing} of {rows} values are missing"),
            }),
        }
    }

    fn texts(&self, reader: ColumnReader) -> Result<Vec<String>, DataError> {
        match reader {
            ColumnReader::ByteArrayColumnReader(reader) => {
                let text = |bytes: parquet::data_type::ByteArray| match bytes.as_utf8() {
                    Ok(text) => Ok(text.to_string()),
                    Err(_) => Err(DataError::NotUtf8 { at: self.at() }),
                };
                self.values(reader)?.into_iter().map(text).collect()
            }
            ColumnReader::Int32ColumnReader(reader) => Ok(decimal(self.values(reader)?)),
            ColumnReader::Int64ColumnReader(reader) => Ok(decimal(self.values(reader)?)),
            ColumnReader::BoolColumnReader(reader) => {
                let python = |truth: bool| if truth { "True" } else { "False" }.to_string();
                Ok(self.values(reader)?.into_iter().map(python).collect())
            }
            _ => Err(self.wrong("text, whole numbers or truth values")),
        }
    }

    /// The numbers of a group of rows that begins at item `first`.
    fn numbers(&self, reader: ColumnReader, first: usize) -> Result<Vec<f32>, DataError> {
        Ok(match reader {
            ColumnReader::FloatColumnReader(reader) => self.values(reader)?,
            ColumnReader::DoubleColumnReader(reader) => {
                self.values(reader)?.iter().map(|x| *x as f32).collect()
            }
            ColumnReader::Int32ColumnReader(reader) => self.exact(self.values(reader)?, first)?,
            ColumnReader::Int64ColumnReader(reader) => self.exact(self.values(reader)?, first)?,
            ColumnReader::FixedLenByteArrayColumnReader(reader)
                if self.about.logical_type_ref() == Some(&LogicalType::Float16) =>
            {
                let half = |bytes: &[u8]| bytes.try_into().ok().map(|b| f16::from_le_bytes(b).to_f32());
                let halves = self.values(reader)?.iter().map(|x| half(x.data())).collect::<Option<_>>();
                halves.ok_or_else(|| self.wrong("16-bit floats of two bytes"))?
            }
            _ => {
                return Err(
                    self.wrong("numbers: every column but class, split, part, group and id is a feature")
                );
            }
        })
    }

    /// Whole numbers as the floats that equal them.
    fn exact(&self, numbers: Vec<impl Into<i64>>, first: usize) -> Result<Vec<f32>, DataError> {
        let exact = |(row, number): (usize, i64)| match number as f32 {
            float if float as i128 == i128::from(number) => Ok(float),
            _ => Err(DataError::Written {
                at: self.at(),
                what: format!("item {} has {number}, which 32 bits cannot hold exactly", first + row),
            }),
        };
        numbers.into_iter().map(Into::into).enumerate().map(exact).collect()
    }

    fn wrong(&self, expected: &'static str) -> DataError {
        wrong_type(self.about, self.path, &self.about.physical_type().to_string(), expected)
    }
}

fn decimal(numbers: Vec<impl ToString>) -> Vec<String> {
    numbers.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType, Int64Type};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;
    use crate::data::fixtures::{numbers, open, refusal};
    use crate::vocab::{ItemId, Split};

    enum Cells<'a> {
        Text(&'a [&'a str]),
        Whole(&'a [i64]),
        Float(&'a [Option<f32>]),
        Double(&'a [f64]),
    }

    /// Writes the columns twice, as two groups of rows.
    fn write(at: &Path, schema: &str, columns: &[Cells]) -> PathBuf {
        let path = at.join("s.parquet");
        let schema = Arc::new(parse_message_type(&format!("message s {{ {schema} }}")).unwrap());
        let mut writer =
            SerializedFileWriter::new(File::create(&path).unwrap(), schema, Default::default()).unwrap();
        for _ in 0..2 {
            let mut group = writer.next_row_group().unwrap();
            for cells in columns {
                let mut column = group.next_column().unwrap().unwrap();
                match cells {
                    Cells::Text(text) => {
                        let text: Vec<ByteArray> = text.iter().map(|t| ByteArray::from(*t)).collect();
                        column.typed::<ByteArrayType>().write_batch(&text, None, None).unwrap();
                    }
                    Cells::Whole(whole) => {
                        column.typed::<Int64Type>().write_batch(whole, None, None).unwrap();
                    }
                    Cells::Float(floats) => {
                        let levels: Vec<i16> = floats.iter().map(|f| i16::from(f.is_some())).collect();
                        let floats: Vec<f32> = floats.iter().flatten().copied().collect();
                        column.typed::<FloatType>().write_batch(&floats, Some(&levels), None).unwrap();
                    }
                    Cells::Double(doubles) => {
                        column.typed::<DoubleType>().write_batch(doubles, None, None).unwrap();
                    }
                }
                column.close().unwrap();
            }
            group.close().unwrap();
        }
        writer.close().unwrap();
        path
    }

    fn refused(schema: &str, columns: &[Cells]) -> String {
        let place = tempfile::tempdir().unwrap();
        let path = write(place.path(), schema, columns);
        refusal(place.path(), &path)
    }

    const CLASS: &str = "required binary class (UTF8);";

    #[test]
    fn a_parquet_table_is_a_store_like_a_csv_table() {
        let place = tempfile::tempdir().unwrap();
        let schema = "optional float a; required binary class (UTF8); required int64 group; required double b; \
                      required binary split (UTF8);";
        let path = write(
            place.path(),
            schema,
            &[
                Cells::Float(&[Some(1.0), Some(2.0)]),
                Cells::Text(&["x", "y"]),
                Cells::Whole(&[7, 8]),
                Cells::Double(&[0.5, 0.25]),
                Cells::Text(&["base", "novel"]),
            ],
        );
        let store = open(&path).unwrap();
        assert_eq!(numbers(&store), [1.0, 0.5, 2.0, 0.25, 1.0, 0.5, 2.0, 0.25]);
        let classes: Vec<_> = store.index().classes().iter().map(|c| (c.name.as_str(), c.split)).collect();
        assert_eq!(classes, [("x", Split::Base), ("y", Split::Novel)]);
        assert_eq!(store.index().group(ItemId(3)), 1);
    }

    #[test]
    fn a_parquet_table_that_is_no_store_is_refused() {
        let class = || Cells::Text(&["x", "y"]);
        let missing =
            refused(&format!("{CLASS} optional float f;"), &[class(), Cells::Float(&[Some(1.0), None])]);
        assert_eq!(missing, "s.parquet `f`: 1 of 2 values are missing");
        let text = refused(&format!("{CLASS} required binary label (UTF8);"), &[class(), class()]);
        assert!(
            text.starts_with("s.parquet `label`: elements of type `BYTE_ARRAY`, expected numbers"),
            "{text}"
        );
        let index = format!("{CLASS} required int64 __index_level_0__;");
        assert!(
            refused(&index, &[class(), Cells::Whole(&[0, 1])])
                .starts_with("s.parquet: column 2 has no name\nhint")
        );
        let beyond = refused(&format!("{CLASS} required double f;"), &[class(), Cells::Double(&[1.0, 1e99])]);
        assert!(
            beyond.starts_with("s.parquet: item 1 (class `y`) has a number beyond 32 bits in column 0"),
            "{beyond}"
        );
        assert_eq!(
            refused(CLASS, &[class()]),
            "s.parquet: no features: every item needs at least one number"
        );
        let none = refused("required double f;", &[Cells::Double(&[1.0])]);
        assert_eq!(none, "s.parquet: no column `class`, found `f`");
    }

    #[test]
    fn a_damaged_parquet_file_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = write(
            place.path(),
            &format!("{CLASS} required double f;"),
            &[Cells::Text(&["x"]), Cells::Double(&[1.0])],
        );
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(refusal(place.path(), &path).starts_with("s.parquet: damaged or cut short: "));
    }
}
