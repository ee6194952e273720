//! Where something is wrong: a file and a line of it, an item.

use std::fmt;
use std::path::Path;

/// A file, and a line of it where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file or folder; for an embedded dataset its name.
    pub path: Box<Path>,
    /// The array, tensor or column in the file.
    pub member: Option<Box<str>>,
    /// The line, counted from 1.
    pub line: Option<u64>,
}

impl Place {
    /// A whole file.
    pub fn file(path: &Path) -> Place {
        Place { path: path.into(), member: None, line: None }
    }

    /// A line of a file.
    pub fn line(path: &Path, line: u64) -> Place {
        Place { line: Some(line), ..Place::file(path) }
    }

    /// A named array inside a file.
    pub fn member(path: &Path, member: &str) -> Place {
        Place { member: Some(member.into()), ..Place::file(path) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(member) = &self.member {
            write!(f, " `{member}`")?;
        }
        if let Some(line) = self.line {
            write!(f, " line {line}")?;
        }
        Ok(())
    }
}

/// An item as messages name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemName {
    /// Its row, counted from 0.
    pub row: usize,
    /// The name of its class.
    pub class: String,
    /// Its id, where the store has ids.
    pub id: Option<String>,
}

impl fmt::Display for ItemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.class.is_empty() {
            // Its label stands in a file of its own.
            return write!(f, "item {}", self.row);
        }
        write!(f, "item {} (class `{}`", self.row, self.class)?;
        if let Some(id) = &self.id {
            write!(f, ", id `{id}`")?;
        }
        f.write_str(")")
    }
}

/// The name of a folder, or of a file without its ending.
pub(in crate::data) fn store_name(path: &Path) -> String {
    let name = |path: &Path| {
        let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
        name.map(|n| n.to_string_lossy().into_owned())
    };
    // `.` and `..` have a name only once they are resolved.
    name(path).or_else(|| name(&path.canonicalize().ok()?)).unwrap_or_else(|| "store".to_string())
}
