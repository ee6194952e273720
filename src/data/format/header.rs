//! The columns of a table with one line per item.

use std::path::Path;

use crate::data::{DataError, Place};

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

/// The header of a table: its columns, and where it stands.
pub(in crate::data) struct Header<'a> {
    pub path: &'a Path,
    pub names: Vec<String>,
    pub roles: Vec<Role>,
}

impl<'a> Header<'a> {
    /// The header and its length in bytes.
    pub fn read(path: &'a Path, bytes: &[u8], others: Others) -> Result<(Header<'a>, usize), DataError> {
        let at = || Place::line(path, 1);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
        let mut record = csv::ByteRecord::new();
        let found = reader.read_byte_record(&mut record);
        found.map_err(|_| DataError::Damaged { at: at(), what: "not a .csv file".to_string() })?;
        let mut header = Header { path, names: Vec::new(), roles: Vec::new() };
        for field in &record {
            let name = text(field, at)?;
            header.roles.push(column_role(&header.names, name, others, &Place::file(path))?);
            header.names.push(name.to_string());
        }
        let needs_class = others != Others::Unlabelled || header.roles.contains(&Role::Split);
        if needs_class && !header.roles.contains(&Role::Class) {
            return Err(no_column("class", &header.names, Place::file(path)));
        }
        Ok((header, reader.position().byte() as usize))
    }

    /// Numbers per item.
    pub fn dim(&self) -> usize {
        self.roles.iter().filter(|role| **role == Role::Feature).count()
    }

    /// The field of a role in a record, where the table has that column.
    pub fn field<'r>(&self, role: Role, record: &'r csv::ByteRecord) -> Option<&'r [u8]> {
        record.get(self.roles.iter().position(|r| *r == role)?)
    }
}

/// The role of the column that follows the columns `before`.
pub(in crate::data) fn column_role(
    before: &[String],
    name: &str,
    others: Others,
    at: &Place,
) -> Result<Role, DataError> {
    if name.is_empty() {
        return Err(DataError::ColumnUnnamed { at: at.clone(), place: before.len() + 1 });
    }
    if before.iter().any(|other| other == name) {
        return Err(DataError::ColumnTwice { at: at.clone(), column: name.to_string() });
    }
    let role = Role::of(name);
    let known = match others {
        Others::Features | Others::Unlabelled => "",
        Others::Refused if matches!(role, Role::Feature | Role::Split) => "`class`, `part`, `group`, `id`",
        Others::Labels if role == Role::Feature => "`class`, `split`, `part`, `group`, `id`",
        Others::Refused | Others::Labels => "",
    };
    if !known.is_empty() {
        let known = known.to_string();
        return Err(DataError::UnknownName {
            at: at.clone(),
            what: "column",
            found: name.to_string(),
            known,
        });
    }
    Ok(role)
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
