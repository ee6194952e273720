//! Rows of small files as serde structs: the fields of a struct are the columns, the cells are text.
//!
//! Written by the csv crate. Read through a deserializer of our own, which knows the column of a cell that is wrong.

use std::cell::Cell as Place;
use std::fmt;

use csv::StringRecord;
use serde::de::value::MapDeserializer;
use serde::de::{self, Deserialize, Deserializer, IntoDeserializer, Visitor};
use serde::{Serialize, Serializer, forward_to_deserialize_any};

use super::text;

/// Appends rows, line ends included and without a header. A tuple of rows is one row.
pub(crate) fn append<T: Serialize>(out: &mut Vec<u8>, rows: impl IntoIterator<Item = T>) {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(out);
    let written = rows.into_iter().try_for_each(|row| writer.serialize(row));
    let flushed = written.and_then(|()| writer.flush().map_err(csv::Error::from));
    flushed.expect("cells are plain values, and writing into memory cannot fail");
}

/// The columns of a struct: the names of its fields, in order.
pub(crate) fn columns<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut names = Names(&[]);
    // It ends with an error as soon as the names are known.
    let _ = T::deserialize(&mut names);
    names.0
}

/// Why a cell could not be read.
#[derive(Debug, PartialEq)]
pub(crate) enum CellError {
    /// It should hold this.
    Expected(&'static str),
    /// What its type says of it, as a sentence.
    Said(String),
}

/// Reads a struct from a row with these columns; columns that are no fields are passed over.
///
/// # Errors
/// The place of the cell that is wrong, and why.
pub(crate) fn read<'a, T: Deserialize<'a>>(
    columns: &'a StringRecord,
    row: &'a StringRecord,
) -> Result<T, (usize, CellError)> {
    let place = Place::new(0);
    let cells = columns.iter().zip(row).enumerate().map(|(at, (column, cell))| {
        place.set(at);
        (column, Cell(cell))
    });
    T::deserialize(MapDeserializer::new(cells)).map_err(|error| (place.get(), error))
}

/// A number as the shortest text that reads back to the same bits.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(crate) fn number<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    optional(&Some(*number), serializer)
}

/// The same for a number of 32 bits, which is written as one of 64.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(crate) fn single<S: Serializer>(number: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    optional(&Some(f64::from(*number)), serializer)
}

/// The same; an empty cell where the number is absent.
#[expect(clippy::ref_option, reason = "serde's signature")]
pub(crate) fn optional<S: Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut cell = Vec::new();
    text::float(&mut cell, *number);
    serializer.serialize_str(&String::from_utf8_lossy(&cell))
}

/// Cells of a type that has a text form.
pub(crate) mod word {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for CellError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CellError::Expected(expected) => write!(f, "expected {expected}"),
            CellError::Said(said) => f.write_str(said),
        }
    }
}

impl std::error::Error for CellError {}

impl de::Error for CellError {
    fn custom<T: fmt::Display>(said: T) -> CellError {
        CellError::Said(said.to_string())
    }
}

/// One cell.
struct Cell<'a>(&'a str);

impl<'a> IntoDeserializer<'a, CellError> for Cell<'a> {
    type Deserializer = Cell<'a>;

    fn into_deserializer(self) -> Cell<'a> {
        self
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $number:ty, $expected:literal;)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CellError> {
            let number: $number = self.0.parse().map_err(|_| CellError::Expected($expected))?;
            visitor.$visit(number)
        }
    )+};
}

impl<'de> Deserializer<'de> for Cell<'de> {
    type Error = CellError;

    parsed! {
        deserialize_u32 visit_u32 u32, "a whole number";
        deserialize_u64 visit_u64 u64, "a whole number";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CellError> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CellError> {
        self.deserialize_f64(visitor)
    }

    /// Infinity is a number, NaN is none.
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CellError> {
        let number = self.0.parse().ok().filter(|number: &f64| !number.is_nan());
        visitor.visit_f64(number.ok_or(CellError::Expected("a number"))?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CellError> {
        if self.0.is_empty() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CellError> {
        visitor.visit_enum(IntoDeserializer::<CellError>::into_deserializer(self.0))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u128 char str string bytes byte_buf unit unit_struct newtype_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

/// Takes the names of a struct's fields, and gives it nothing.
struct Names(&'static [&'static str]);

impl<'de> Deserializer<'de> for &mut Names {
    type Error = CellError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, CellError> {
        Err(CellError::Expected("a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, CellError> {
        self.0 = fields;
        Err(CellError::Expected("a row"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Row {
        name: String,
        count: u64,
        #[serde(serialize_with = "number")]
        value: f64,
        #[serde(serialize_with = "optional")]
        low: Option<f64>,
        seed: Option<u64>,
    }

    fn record(cells: [&str; 5]) -> StringRecord {
        cells.to_vec().into()
    }

    fn error(cells: [&str; 5]) -> (usize, CellError) {
        read::<Row>(&record(["name", "count", "value", "low", "seed"]), &record(cells)).unwrap_err()
    }

    #[test]
    fn a_row_is_written_and_read_by_the_names_of_its_fields() {
        assert_eq!(columns::<Row>(), ["name", "count", "value", "low", "seed"]);
        let row = Row { name: "a, \"b\"".to_string(), count: 3, value: 1e-7, low: None, seed: None };
        let mut out = Vec::new();
        append(&mut out, [&row]);
        assert_eq!(String::from_utf8(out).unwrap(), "\"a, \"\"b\"\"\",3,0.0000001,,\n");
        // Another order, and a column that nobody asked for.
        let (columns, cells) =
            (["seed", "value", "colour", "low", "count", "name"], ["", "1e-7", "x", "", "3", "a, \"b\""]);
        assert_eq!(read::<Row>(&columns.to_vec().into(), &cells.to_vec().into()).unwrap(), row);
    }

    #[test]
    fn a_key_and_its_cells_make_one_row() {
        let row =
            |name: &str| Row { name: name.to_string(), count: 0, value: 1.0, low: Some(0.5), seed: Some(7) };
        let mut out = Vec::new();
        append(&mut out, [(row("key"), row("cells"))]);
        assert_eq!(String::from_utf8(out).unwrap(), "key,0,1,0.5,7,cells,0,1,0.5,7\n");
    }

    #[test]
    fn a_cell_that_is_wrong_is_named() {
        assert_eq!(error(["a", "-1", "0", "", ""]), (1, CellError::Expected("a whole number")));
        assert_eq!(error(["a", "1", "NaN", "", ""]), (2, CellError::Expected("a number")));
        assert_eq!(error(["a", "1", "inf", "", "7.5"]), (4, CellError::Expected("a whole number")));
        assert_eq!(error(["a", "1", "inf", "x", "7"]), (3, CellError::Expected("a number")));
    }
}
