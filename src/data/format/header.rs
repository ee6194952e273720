//! The columns of a table with one line per item.

use std::collections::HashSet;
use std::path::Path;

use super::feature_columns::{Candidate, Cells, Chosen, choose};
use super::written::FeatureColumns;
use crate::data::{DataError, OpenOptions, Place};

/// What columns without a known name are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) enum Others {
    Features,
    /// Features, and the classes may stand in another file.
    Unlabelled,
    /// Only what is said of items, beside splits that a file of their own lists.
    Refused,
    /// Only what is said of items, with the splits of their classes.
    Labels,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) enum Role {
    Class,
    Split,
    Part,
    Group,
    Id,
    Feature,
    /// Of no role, and not a feature either.
    LeftOut,
}

impl Role {
    /// The role of a column of a store that is one table.
    pub fn of(column: &str) -> Role {
        match column {
            "class" => Role::Class,
            "split" => Role::Split,
            "part" => Role::Part,
            "group" => Role::Group,
            "id" => Role::Id,
            _ => Role::Feature,
        }
    }
}

/// What a table is read for, and how its fields are parted.
#[derive(Clone, Copy, Debug)]
pub(in crate::data) struct Reading<'a> {
    pub others: Others,
    /// The features that are asked for, by name or pattern.
    pub features: &'a [String],
    pub delimiter: u8,
}

impl<'a> Reading<'a> {
    /// A table of features.
    pub fn of_features(options: &'a OpenOptions, delimiter: u8) -> Reading<'a> {
        let others = if options.may_lack_classes() { Others::Unlabelled } else { Others::Features };
        Reading { others, features: &options.feature_columns, delimiter }
    }
}

impl Reading<'static> {
    /// A .csv table of which no features are asked for.
    pub fn of(others: Others) -> Reading<'static> {
        Reading { others, features: &[], delimiter: b',' }
    }
}

/// The header of a table: its columns, and where it stands.
pub(in crate::data) struct Header<'a> {
    pub path: &'a Path,
    pub delimiter: u8,
    pub names: Vec<String>,
    pub roles: Vec<Role>,
    /// The numbers in each cell of the one column of lists, where the features are such.
    pub list: Option<usize>,
    pub columns: FeatureColumns,
}

impl<'a> Header<'a> {
    /// The header and its length in bytes. The first line behind it tells columns of numbers from others.
    pub fn read(
        path: &'a Path,
        bytes: &[u8],
        reading: Reading<'_>,
    ) -> Result<(Header<'a>, usize), DataError> {
        let Reading { others, features, delimiter } = reading;
        let at = || Place::line(path, 1);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(bytes);
        let (mut record, mut first) = (csv::ByteRecord::new(), csv::ByteRecord::new());
        let damaged = |_| DataError::Damaged { at: at(), what: "not a .csv file".to_string() };
        reader.read_byte_record(&mut record).map_err(damaged)?;
        let length = reader.position().byte() as usize;
        reader.read_byte_record(&mut first).map_err(damaged)?;
        let names: Vec<String> =
            record.iter().map(|field| Ok(text(field, at)?.to_string())).collect::<Result<_, DataError>>()?;
        let mut roles = column_roles(&names, others, &Place::file(path))?;
        let cells = |place: usize| first.get(place).map_or(Cells::Numbers, cells_of);
        let columns = take_features(&names, &mut roles, cells, features, &Place::file(path))?;
        let is_list = |place: usize| roles[place] == Role::Feature && cells(place) == Cells::Lists;
        let list = (0..roles.len()).find(|place| is_list(*place));
        let list = list.and_then(|place| first.get(place)).map(|cell| list_items(cell).count());
        Ok((Header { path, delimiter, names, roles, list, columns }, length))
    }

    /// Numbers per item.
    pub fn dim(&self) -> usize {
        self.list.unwrap_or_else(|| self.roles.iter().filter(|role| **role == Role::Feature).count())
    }

    /// The field of a role in a record, where the table has that column.
    pub fn field<'r>(&self, role: Role, record: &'r csv::ByteRecord) -> Option<&'r [u8]> {
        record.get(self.roles.iter().position(|r| *r == role)?)
    }
}

/// What a cell of a .csv table holds; one without anything may be a number that is missing.
pub(super) fn cells_of(cell: &[u8]) -> Cells {
    let cell = cell.trim_ascii();
    match cell {
        [b'[', .., b']'] => Cells::Lists,
        [] => Cells::Numbers,
        _ if fast_float2::parse::<f64, _>(cell).is_ok() => Cells::Numbers,
        _ => Cells::Others,
    }
}

/// The items of a list in a cell, as Python or NumPy writes it: `[0.5, 1]`, `[0.5 1. ]`.
pub(in crate::data) fn list_items(cell: &[u8]) -> impl Iterator<Item = &[u8]> {
    let cell = cell.trim_ascii();
    let inner = cell.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or(cell);
    inner.split(|byte| *byte == b',' || byte.is_ascii_whitespace()).filter(|item| !item.is_empty())
}

/// Leaves the role of a feature to the columns that are chosen, and takes it from the others.
pub(super) fn take_features(
    names: &[String],
    roles: &mut [Role],
    cells: impl Fn(usize) -> Cells,
    asked: &[String],
    at: &Place,
) -> Result<FeatureColumns, DataError> {
    take(names, roles, cells, |candidates| {
        let sentences = |column: &Candidate<'_>| column.name == "text" && column.cells == Cells::Others;
        match (choose(candidates, asked, at), candidates.iter().position(sentences)) {
            // Where sentences keep a rule from fitting, their column is taken, to be refused with the way on.
            (Err(DataError::NoFeatureRule { .. }), Some(place)) => {
                Ok(Chosen { places: vec![place], warning: None })
            }
            (chosen, _) => chosen,
        }
    })
    .map(|columns| {
        let listed = columns.names.iter().map(|name| asked.contains(name)).collect();
        FeatureColumns { listed, ..columns }
    })
}

/// The same with a rule of its own.
pub(super) fn take(
    names: &[String],
    roles: &mut [Role],
    cells: impl Fn(usize) -> Cells,
    rule: impl FnOnce(&[Candidate<'_>]) -> Result<Chosen, DataError>,
) -> Result<FeatureColumns, DataError> {
    let places: Vec<usize> = (0..roles.len()).filter(|place| roles[*place] == Role::Feature).collect();
    let candidates: Vec<Candidate<'_>> =
        places.iter().map(|place| Candidate { name: &names[*place], cells: cells(*place) }).collect();
    let chosen = rule(&candidates)?;
    let mut taken = vec![false; roles.len()];
    chosen.places.iter().for_each(|place| taken[places[*place]] = true);
    for place in places.iter().filter(|place| !taken[**place]) {
        roles[*place] = Role::LeftOut;
    }
    let names: Vec<String> = chosen.places.iter().map(|place| candidates[*place].name.to_string()).collect();
    Ok(FeatureColumns { listed: vec![false; names.len()], names, warning: chosen.warning })
}

/// The roles of the columns of a table by their names, of which none stands twice.
pub(in crate::data) fn column_roles(
    names: &[String],
    others: Others,
    at: &Place,
) -> Result<Vec<Role>, DataError> {
    let mut before = HashSet::with_capacity(names.len());
    let mut roles = Vec::with_capacity(names.len());
    for (place, name) in names.iter().enumerate() {
        let role = Role::of(name);
        if name.is_empty() && matches!(others, Others::Refused | Others::Labels) {
            return Err(DataError::ColumnUnnamed { at: at.clone(), place: place + 1 });
        }
        if !before.insert(name.as_str()) {
            return Err(DataError::ColumnTwice { at: at.clone(), column: name.clone() });
        }
        let known = match others {
            Others::Refused if matches!(role, Role::Feature | Role::Split) => {
                "`class`, `part`, `group`, `id`"
            }
            Others::Labels if role == Role::Feature => "`class`, `split`, `part`, `group`, `id`",
            _ => "",
        };
        if !known.is_empty() {
            let (at, found, known) = (at.clone(), name.clone(), known.to_string());
            return Err(DataError::UnknownName { at, what: "column", found, known });
        }
        roles.push(role);
    }
    let needs_class = others != Others::Unlabelled || roles.contains(&Role::Split);
    if needs_class && !roles.contains(&Role::Class) {
        return Err(no_column("class", names, at.clone()));
    }
    Ok(roles)
}

/// A column that must be there is not.
pub(in crate::data) fn no_column(column: &'static str, names: &[String], at: Place) -> DataError {
    let mut found = names.iter().take(4).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    if names.len() > 4 {
        found.push_str(", …");
    }
    DataError::NoColumn { at, column, found }
}

/// A field as text.
pub(in crate::data) fn text(field: &[u8], at: impl FnOnce() -> Place) -> Result<&str, DataError> {
    std::str::from_utf8(field).map_err(|_| DataError::NotUtf8 { at: at() })
}
