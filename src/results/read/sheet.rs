//! One result file, line by line, with cells that are checked as they are read.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use super::ReadTable;
use super::error::{Flaw, ReadError};
use crate::metric::Metric;
use crate::results::TableKey;
use crate::results::cells::{self, CellError};

/// Columns of the key of a table.
const KEYS: usize = 7;

/// A file whose columns are those expected, in any order, and whose last line is complete.
pub(super) struct Sheet {
    path: PathBuf,
    reader: csv::Reader<BufReader<File>>,
    header: csv::StringRecord,
    row: csv::StringRecord,
    /// Where the columns of a table's key stand, in files that have them.
    key: Option<[usize; KEYS]>,
    /// The key of the last row by its cells, and which table it is.
    last: Option<([String; KEYS], usize)>,
    /// Lines by which the reader's position stays behind: 1 where they end in CR LF, of which it leaves the LF to the next row.
    behind: u64,
}

impl Sheet {
    /// Opens a file that must have exactly these columns.
    pub fn open(path: &Path, columns: &str) -> Result<Sheet, ReadError> {
        let mut file = File::open(path).map_err(ReadError::file(path))?;
        let mut last = [b'\n'];
        if file.seek(SeekFrom::End(-1)).is_ok() {
            file.read_exact(&mut last).map_err(ReadError::file(path))?;
        }
        file.rewind().map_err(ReadError::file(path))?;
        let cut_off = last != [b'\n'];
        let mut file = BufReader::with_capacity(1 << 18, file);
        let start = file.fill_buf().map_err(ReadError::file(path))?;
        let header = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let behind = u64::from(header.ends_with(b"\r"));
        let mut reader = csv::ReaderBuilder::new().has_headers(true).flexible(true).from_reader(file);
        let header = reader.headers().map_err(|error| broken(path, 1, error))?.clone();
        if let Some(flaw) = header_flaw(columns, &header) {
            return Err(ReadError::Line { path: path.to_path_buf(), line: 1, flaw });
        }
        let row = csv::StringRecord::new();
        let mut sheet =
            Sheet { path: path.to_path_buf(), reader, header, row, key: None, last: None, behind };
        let key = cells::columns::<TableKey>();
        sheet.key = key.try_into().ok().and_then(|key| sheet.columns(key).ok());
        if cut_off {
            return Err(sheet.cut_off());
        }
        Ok(sheet)
    }

    /// The error for a file without a line end, at its last line.
    fn cut_off(mut self) -> ReadError {
        let mut line = 1;
        while let Ok(true) = self.reader.read_record(&mut self.row) {
            line = self.line();
        }
        ReadError::Line { path: self.path, line, flaw: Flaw::CutOff }
    }

    /// Goes to the next row; false at the end.
    pub fn next(&mut self) -> Result<bool, ReadError> {
        let found = self.reader.read_record(&mut self.row);
        let more = found.map_err(|error| broken(&self.path, self.line(), error))?;
        if more && self.row.len() != self.header.len() {
            return Err(self.flaw(Flaw::Cells { expected: self.header.len(), found: self.row.len() }));
        }
        Ok(more)
    }

    /// An error at the present row.
    pub fn flaw(&self, flaw: Flaw) -> ReadError {
        ReadError::Line { path: self.path.clone(), line: self.line(), flaw }
    }

    /// The line of the present row, from 1.
    pub fn line(&self) -> u64 {
        self.row.position().map_or(1, |position| position.line() + self.behind)
    }

    /// Where columns stand, by their names.
    pub fn columns<const N: usize>(&self, names: [&str; N]) -> Result<[usize; N], ReadError> {
        let mut places = [0; N];
        for (place, name) in places.iter_mut().zip(names) {
            let found = self.header.iter().position(|column| column == name);
            *place = found.ok_or_else(|| self.flaw(Flaw::NoColumn { column: name.to_string() }))?;
        }
        Ok(places)
    }

    /// Metrics with the columns of their names.
    pub fn of_metrics(&self, metrics: &[Metric]) -> Result<Vec<(Metric, usize)>, ReadError> {
        metrics.iter().map(|metric| Ok((*metric, self.columns([metric.name()])?[0]))).collect()
    }

    /// The present row, or what a struct has of it.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ReadError> {
        cells::read(&self.header, &self.row).map_err(|(place, error)| match error {
            CellError::Expected(expected) => self.wrong(place, expected),
            CellError::Said(said) => self.flaw(Flaw::Said(said)),
        })
    }

    /// A cell as text.
    pub fn cell(&self, column: usize) -> &str {
        &self.row[column]
    }

    /// A whole number.
    pub fn whole<T: FromStr>(&self, column: usize) -> Result<T, ReadError> {
        self.cell(column).parse().map_err(|_| self.wrong(column, "a whole number"))
    }

    /// A number; infinity is one, NaN is none.
    pub fn number(&self, column: usize) -> Result<f64, ReadError> {
        let number = self.cell(column).parse().ok().filter(|number: &f64| !number.is_nan());
        number.ok_or_else(|| self.wrong(column, "a number"))
    }

    /// A number, or nothing.
    pub fn optional(&self, column: usize) -> Result<Option<f64>, ReadError> {
        if self.cell(column).is_empty() { Ok(None) } else { self.number(column).map(Some) }
    }

    /// Whether the present row belongs to the table whose key has these cells.
    pub fn is_of(&self, cells: &[String; KEYS]) -> bool {
        self.key.is_some_and(|key| cells.iter().zip(key).all(|(cell, at)| *cell == self.row[at]))
    }

    /// The table of the present row, by its key; `other` is the file that should have it.
    pub fn table(
        &mut self,
        places: &HashMap<TableKey, usize>,
        other: &'static str,
    ) -> Result<usize, ReadError> {
        let Some(key) = self.key else {
            let column = cells::columns::<TableKey>()[0].to_string();
            return Err(self.flaw(Flaw::NoColumn { column }));
        };
        // Rows of one table stand together.
        if let Some((_, place)) = self.last.as_ref().filter(|(cells, _)| self.is_of(cells)) {
            return Ok(*place);
        }
        let found: TableKey = self.read()?;
        let place = places.get(&found).copied();
        let place = place.ok_or_else(|| self.flaw(Flaw::NoTable { key: found, other }))?;
        self.last = Some((key.map(|at| self.row[at].to_string()), place));
        Ok(place)
    }

    /// The error for a cell that holds something else.
    pub fn wrong(&self, column: usize, expected: &'static str) -> ReadError {
        let (column, found) = (self.header[column].to_string(), self.cell(column).to_string());
        self.flaw(Flaw::Cell { column, expected, found })
    }
}

fn header_flaw(columns: &str, header: &csv::StringRecord) -> Option<Flaw> {
    let columns: Vec<&str> = columns.split(',').collect();
    if let Some(column) = columns.iter().find(|column| !header.iter().any(|found| found == **column)) {
        return Some(Flaw::NoColumn { column: column.to_string() });
    }
    let twice = |place: usize| header.iter().take(place).any(|before| before == &header[place]);
    let other = (0..header.len()).find(|place| !columns.contains(&&header[*place]) || twice(*place))?;
    Some(Flaw::OtherColumn { column: header[other].to_string() })
}

fn broken(path: &Path, line: u64, error: csv::Error) -> ReadError {
    match error.into_kind() {
        csv::ErrorKind::Io(source) => ReadError::File { path: path.to_path_buf(), source },
        csv::ErrorKind::Utf8 { err, .. } => {
            ReadError::Line { path: path.to_path_buf(), line, flaw: Flaw::Text(err.to_string()) }
        }
        kind => ReadError::Line { path: path.to_path_buf(), line, flaw: Flaw::Text(format!("{kind:?}")) },
    }
}

/// Whether two numbers that should be equal differ by more than rounding; a NaN differs from everything.
pub(super) fn differ(found: f64, expected: f64) -> bool {
    let most = 1e-9 * expected.abs().max(1.0);
    found != expected && (found - expected).abs().partial_cmp(&most).is_none_or(|order| order.is_gt())
}

/// The places of tables by key.
pub(super) fn places(tables: &[ReadTable]) -> HashMap<TableKey, usize> {
    tables.iter().enumerate().map(|(place, table)| (table.key(), place)).collect()
}

/// Refuses a cell that contradicts what another file says.
pub(super) fn same(
    sheet: &Sheet,
    column: &'static str,
    found: &str,
    other: &'static str,
    expected: &str,
) -> Result<(), ReadError> {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (found.to_string(), expected.to_string());
    Err(sheet.flaw(Flaw::Differs { column, found, other, expected }))
}
