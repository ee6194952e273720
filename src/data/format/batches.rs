//! Tables that arrive as batches of columns: .parquet and Arrow files; needs the feature `parquet`.
//!
//! Columns as in a .csv table. Texts may be whole numbers or truth values; features are floats or whole numbers, in columns
//! of their own or in one column of lists.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float16Type, Float32Type, Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType, Schema};

use super::feature_columns::Cells;
use super::header::{Reading, Role, column_roles, take_features};
use super::splits::note_split;
use super::written::{FeatureColumns, Features, Labels, Listed, Listing, Names, Written};
use crate::data::store::values::{Element, Values};
use crate::data::{DataError, Place};

/// The texts of a table, by role.
const TEXTS: [Role; 5] = [Role::Class, Role::Split, Role::Part, Role::Group, Role::Id];

/// A table as far as it has been read.
pub(super) struct Table {
    at: Place,
    names: Vec<String>,
    roles: Vec<Role>,
    columns: FeatureColumns,
    /// By the places of `TEXTS`.
    texts: [Vec<String>; TEXTS.len()],
    /// The names that the numbers of the class stand for.
    class_names: Option<Vec<String>>,
    /// Item after item.
    features: Vec<f32>,
    /// Numbers per item; of lists known with the first.
    dim: Option<usize>,
    element: Element,
    rows: usize,
}

impl Table {
    /// A table of these columns, without rows.
    pub fn new(path: &Path, schema: &Schema, reading: Reading<'_>) -> Result<Table, DataError> {
        let at = Place::file(path);
        let mut names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let class_names = super::published::name_class(&mut names, schema);
        let mut roles = column_roles(&names, reading.others, &at)?;
        let kinds: Vec<Cells> = schema.fields().iter().map(|field| cells(field.data_type())).collect();
        let columns = take_features(&names, &mut roles, |place| kinds[place], reading.features, &at)?;
        let taken = |role: Role| (0..roles.len()).filter(|place| roles[*place] == role).collect::<Vec<_>>();
        let features = taken(Role::Feature);
        let lists = features.iter().any(|place| kinds[*place] == Cells::Lists);
        let doubles =
            features.iter().any(|place| *item_type(schema.field(*place).data_type()) == DataType::Float64);
        Ok(Table {
            at,
            names,
            columns,
            texts: Default::default(),
            class_names,
            features: Vec::new(),
            dim: (!lists).then_some(features.len()),
            element: if doubles { Element::F64 } else { Element::F32 },
            rows: 0,
            roles,
        })
    }

    /// Whether another file has the same columns.
    pub fn is_like(&self, other: &Table) -> bool {
        (&self.names, &self.roles) == (&other.names, &other.roles)
    }

    /// What is said of a file that has not.
    pub fn other_columns(&self, other: &Table) -> String {
        let lacking = self.names.iter().find(|name| !other.names.contains(name));
        let more = other.names.iter().find(|name| !self.names.contains(name));
        match (lacking, more) {
            (Some(name), _) => format!("no column `{name}`, which {} has", self.at),
            (None, Some(name)) => format!("column `{name}` is not in {}", self.at),
            (None, None) => format!("the columns are in another order or of other types than in {}", self.at),
        }
    }

    /// The places of the columns that are read.
    pub fn read_columns(&self) -> Vec<usize> {
        (0..self.roles.len()).filter(|place| self.roles[*place] != Role::LeftOut).collect()
    }

    /// Whether a column says the part of each item.
    pub fn has_part(&self) -> bool {
        self.roles.contains(&Role::Part)
    }

    /// Items so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Appends the columns that are read, in their order, of some rows.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), DataError> {
        let places = self.read_columns();
        let rows = batch.num_rows();
        if batch.num_columns() != places.len() {
            let (expected, found) = (places.len(), batch.num_columns());
            return Err(DataError::Ragged { at: self.at.clone(), expected, found });
        }
        let mut features = Vec::new();
        for (place, array) in places.into_iter().zip(batch.columns()) {
            let role = self.roles[place];
            let at = Place::member(&self.at.path, &self.names[place]);
            match TEXTS.iter().position(|known| *known == role) {
                Some(text) => self.texts[text].extend(texts(array, &at)?),
                None => features.push((at, array)),
            }
        }
        if self.dim == Some(features.len()) && !features.iter().any(|(_, array)| is_list(array)) {
            self.take_numbers(&features, rows)?;
        } else if let [(at, array)] = features.as_slice() {
            self.take_lists(at, array)?;
        }
        self.rows += rows;
        Ok(())
    }

    fn take_numbers(&mut self, columns: &[(Place, &ArrayRef)], rows: usize) -> Result<(), DataError> {
        let (start, dim) = (self.features.len(), columns.len());
        self.features.resize(start + rows * dim, 0.0);
        for (column, (at, array)) in columns.iter().enumerate() {
            let numbers = numbers(array, at, self.rows)?;
            // Of no rows there is no place for the column either.
            let places = self.features[start..].iter_mut().skip(column).step_by(dim);
            places.zip(numbers).for_each(|(out, number)| *out = number);
        }
        Ok(())
    }

    fn take_lists(&mut self, at: &Place, array: &ArrayRef) -> Result<(), DataError> {
        refuse_missing(array, at)?;
        for row in 0..array.len() {
            let list = match array.data_type() {
                DataType::FixedSizeList(..) => array.as_fixed_size_list().value(row),
                DataType::LargeList(_) => array.as_list::<i64>().value(row),
                _ => array.as_list::<i32>().value(row),
            };
            let numbers = numbers(&list, at, self.rows + row)?;
            let expected = *self.dim.get_or_insert(numbers.len());
            if numbers.len() != expected {
                let what = format!(
                    "item {} has a list of {} numbers, expected {expected} as in item 0",
                    self.rows + row,
                    numbers.len()
                );
                return Err(DataError::Written { at: at.clone(), what });
            }
            self.features.extend(numbers);
        }
        Ok(())
    }

    /// What the table says of its items.
    pub fn labels(&mut self) -> Result<Labels, DataError> {
        let [class, split, part, group, id] = std::mem::take(&mut self.texts);
        let class = match &self.class_names {
            None => class.iter().collect::<Names>(),
            Some(names) => {
                let code = |code: &String| code.parse().unwrap_or(-1);
                Names::from_codes(&class.iter().map(code).collect::<Vec<i64>>(), names, &self.at)?
            }
        };
        let has = |role| self.roles.contains(&role);
        Ok(Labels {
            at: self.at.clone(),
            listing: has(Role::Split).then(|| listing(&self.at, &class, &split)).transpose()?,
            class,
            part: has(Role::Part).then(|| part.iter().collect()),
            group: has(Role::Group).then(|| group.iter().collect()),
            id: has(Role::Id).then_some(id),
        })
    }

    /// The features with what is said of their items.
    pub fn written(mut self, path: &Path) -> Result<Written, DataError> {
        let (at, dim) = (self.at.clone(), self.dim.unwrap_or(0));
        if self.rows == 0 {
            return Err(DataError::NoItems { at });
        }
        if dim == 0 {
            return Err(DataError::NoFeatures { at });
        }
        let labels = self.labels()?;
        let values = Values::F32(self.features.into());
        let features = Features { at, values, element: self.element, rows: self.rows, dim };
        Ok(Written { columns: Some(self.columns), ..Written::of_file(path, features, Some(labels)) })
    }
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

fn is_list(array: &ArrayRef) -> bool {
    matches!(array.data_type(), DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..))
}

/// The type of the items of a list, or the type itself.
fn item_type(of: &DataType) -> &DataType {
    match of {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            item.data_type()
        }
        plain => plain,
    }
}

fn cells(of: &DataType) -> Cells {
    let item = item_type(of);
    match item.is_integer() || item.is_floating() {
        false => Cells::Others,
        true if item == of => Cells::Numbers,
        true => Cells::Lists,
    }
}

fn refuse_missing(array: &dyn Array, at: &Place) -> Result<(), DataError> {
    match array.logical_null_count() {
        0 => Ok(()),
        missing => Err(DataError::Written {
            at: at.clone(),
            what: format!("{missing} of {} values are missing", array.len()),
        }),
    }
}

fn cast(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    cast_with_options(array, to, &CastOptions { safe: false, ..CastOptions::default() })
}

fn wrong_type(array: &ArrayRef, at: &Place, expected: &str) -> DataError {
    let (found, expected) = (array.data_type().to_string(), expected.to_string());
    DataError::ElementType { at: at.clone(), found, expected }
}

/// A column as text; what is missing is empty.
fn texts(array: &ArrayRef, at: &Place) -> Result<Vec<String>, DataError> {
    if let Some(truths) = array.as_boolean_opt() {
        let python = |truth: Option<bool>| match truth {
            Some(true) => "True".to_string(),
            Some(false) => "False".to_string(),
            None => String::new(),
        };
        return Ok(truths.iter().map(python).collect());
    }
    let inner = match array.data_type() {
        DataType::Dictionary(_, values) => values.as_ref(),
        plain => plain,
    };
    let reads = inner.is_integer() || inner.is_string() || inner.is_binary() || inner.is_null();
    if !reads {
        return Err(wrong_type(array, at, "text, whole numbers or truth values"));
    }
    let text = cast(array, &DataType::LargeUtf8).map_err(|_| DataError::NotUtf8 { at: at.clone() })?;
    Ok(text.as_string::<i64>().iter().map(|text| text.unwrap_or_default().to_string()).collect())
}

/// A column, or a list, of numbers; `first` is the item that it begins with.
fn numbers(array: &ArrayRef, at: &Place, first: usize) -> Result<Vec<f32>, DataError> {
    refuse_missing(array, at)?;
    let floats = |array: &ArrayRef| -> Option<Vec<f32>> {
        match array.data_type() {
            DataType::Float16 => Some(values::<Float16Type>(array).iter().map(|x| x.to_f32()).collect()),
            DataType::Float32 => Some(values::<Float32Type>(array).to_vec()),
            DataType::Float64 => Some(values::<Float64Type>(array).iter().map(|x| *x as f32).collect()),
            _ => None,
        }
    };
    if let Some(floats) = floats(array) {
        return Ok(floats);
    }
    if !array.data_type().is_integer() {
        let sentence = texts(array, at).ok().and_then(|texts| texts.into_iter().next());
        return Err(match (at.member.as_deref(), sentence) {
            (Some("text"), Some(text)) => {
                let at = Place::file(&at.path);
                DataError::TextsNotFeatures { at, found: text.chars().take(20).collect() }
            }
            _ => wrong_type(array, at, "numbers"),
        });
    }
    let wide = |row: usize, number: i128| match number as f32 {
        float if float as i128 == number => Ok(float),
        _ => Err(DataError::Written {
            at: at.clone(),
            what: format!("item {} has {number}, which 32 bits cannot hold exactly", first + row),
        }),
    };
    if *array.data_type() == DataType::UInt64 {
        let numbers = values::<UInt64Type>(array).iter().enumerate();
        return numbers.map(|(row, number)| wide(row, i128::from(*number))).collect();
    }
    let long = cast(array, &DataType::Int64).map_err(|_| wrong_type(array, at, "numbers"))?;
    let numbers = values::<Int64Type>(&long).iter().enumerate();
    numbers.map(|(row, number)| wide(row, i128::from(*number))).collect()
}

fn values<T: ArrowPrimitiveType>(array: &ArrayRef) -> &[T::Native] {
    array.as_primitive::<T>().values()
}
