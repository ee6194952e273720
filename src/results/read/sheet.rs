//! One result file, line by line, with cells that are checked as they are read.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::error::{Flaw, ReadError};
use crate::results::{Size, TableKey};
use crate::vocab::UnknownWord;

/// A file whose header is as expected and whose last line is complete.
pub(super) struct Sheet {
    path: PathBuf,
    reader: csv::Reader<BufReader<File>>,
    columns: Vec<&'static str>,
    row: csv::StringRecord,
    /// Lines by which the reader's position stays behind: 1 where they end in CR LF, of which it leaves the LF to the next row.
    behind: u64,
}

impl Sheet {
    /// Opens a file that must have exactly these columns.
    pub fn open(path: &Path, columns: &'static str) -> Result<Sheet, ReadError> {
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
        let columns: Vec<&'static str> = columns.split(',').collect();
        let header = reader.headers().map_err(|error| broken(path, 1, error))?.clone();
        if let Some(flaw) = header_flaw(&columns, &header) {
            return Err(ReadError::Line { path: path.to_path_buf(), line: 1, flaw });
        }
        let row = csv::StringRecord::new();
        let sheet = Sheet { path: path.to_path_buf(), reader, columns, row, behind };
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
        if more && self.row.len() != self.columns.len() {
            return Err(self.flaw(Flaw::Cells { expected: self.columns.len(), found: self.row.len() }));
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

    /// A known word.
    pub fn word<T: FromStr<Err = UnknownWord>>(&self, column: usize) -> Result<T, ReadError> {
        self.cell(column).parse().map_err(|error: UnknownWord| self.flaw(error.into()))
    }

    /// A size of an episode.
    pub fn size(&self, column: usize) -> Result<Size, ReadError> {
        match self.cell(column) {
            "varied" => Ok(Size::Varied),
            "all" => Ok(Size::All),
            number => number
                .parse()
                .map(Size::Number)
                .map_err(|_| self.wrong(column, "a number, `varied` or `all`")),
        }
    }

    /// The table of the present row, whose key stands in these columns; the last one when the row is of it.
    pub fn key(
        &self,
        columns: [usize; 4],
        last: Option<(TableKey, usize)>,
        find: impl Fn(&TableKey) -> Option<usize>,
        other: &'static str,
    ) -> Result<(TableKey, usize), ReadError> {
        let [protocol, learner, parameters, shot] = columns;
        let size = self.size(shot)?;
        if let Some((key, place)) = last
            && key.protocol == self.cell(protocol)
            && key.learner == self.cell(learner)
            && key.parameters == self.cell(parameters)
            && key.shot == size
        {
            return Ok((key, place));
        }
        let key = TableKey {
            protocol: self.cell(protocol).to_string(),
            learner: self.cell(learner).to_string(),
            parameters: self.cell(parameters).to_string(),
            shot: size,
        };
        match find(&key) {
            Some(place) => Ok((key, place)),
            None => Err(self.flaw(Flaw::NoTable { key, other })),
        }
    }

    /// The error for a cell that holds something else.
    pub fn wrong(&self, column: usize, expected: &'static str) -> ReadError {
        let (column, found) = (self.columns[column].to_string(), self.cell(column).to_string());
        self.flaw(Flaw::Cell { column, expected, found })
    }
}

fn header_flaw(columns: &[&str], header: &csv::StringRecord) -> Option<Flaw> {
    if let Some(column) = columns.iter().find(|column| !header.iter().any(|found| found == **column)) {
        return Some(Flaw::NoColumn { column: column.to_string() });
    }
    let place = (0..header.len()).find(|place| columns.get(*place) != header.get(*place).as_ref())?;
    let expected = columns.get(place).unwrap_or(&"nothing").to_string();
    Some(Flaw::OtherColumn { expected, found: header[place].to_string() })
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
