//! Tables of results held against others, row by row.

use std::path::Path;

use serde::Deserialize;

use super::{Flaw, ReadError, RunRecord, SummaryRow, hash};
use crate::vocab::spec::parse_values;

/// How a row stands to that of another table.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// The same bytes.
    Same,
    /// The same texts, and numbers within the tolerance.
    Within,
    /// Neither, or no row on one side; said as a sentence.
    Different(String),
}

/// Compares two tables line by line and hands the standing of each row to `take`.
///
/// # Errors
/// A table that cannot be read.
pub fn compare_tables(
    old: &Path,
    new: &Path,
    tolerance: f64,
    mut take: impl FnMut(Standing),
) -> Result<(), ReadError> {
    let (mut ours, mut theirs) = (rows(old)?, rows(new)?);
    let name = old.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    for line in 1_u64.. {
        let (one, other) = (next(&mut ours, old)?, next(&mut theirs, new)?);
        match (one, other) {
            (None, None) => break,
            (Some(_), None) => {
                take(Standing::Different(format!("{name} line {line}: the rerun has no such row")))
            }
            (None, Some(_)) => {
                take(Standing::Different(format!("{name} line {line}: only the rerun has this row")))
            }
            (Some(one), Some(other)) if one == other => take(Standing::Same),
            (Some(one), Some(other)) => take(standing(&name, line, &one, &other, tolerance)),
        }
    }
    Ok(())
}

type Rows = csv::StringRecordsIntoIter<std::fs::File>;

fn rows(path: &Path) -> Result<Rows, ReadError> {
    let file = std::fs::File::open(path).map_err(ReadError::file(path))?;
    Ok(csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file).into_records())
}

fn next(rows: &mut Rows, path: &Path) -> Result<Option<csv::StringRecord>, ReadError> {
    rows.next().transpose().map_err(|error| ReadError::whole(path, Flaw::Record(error.to_string())))
}

/// The standing of two rows that are not the same bytes.
fn standing(
    name: &str,
    line: u64,
    one: &csv::StringRecord,
    other: &csv::StringRecord,
    tolerance: f64,
) -> Standing {
    if one.len() != other.len() {
        return Standing::Different(format!(
            "{name} line {line}: {} cells, the rerun has {}",
            one.len(),
            other.len()
        ));
    }
    let differs = |(a, b): &(&str, &str)| a != b && !near(a, b, tolerance);
    match one.iter().zip(other).find(differs) {
        None => Standing::Within,
        Some((a, b)) => Standing::Different(format!("{name} line {line}: `{a}`, the rerun gives `{b}`")),
    }
}

/// Whether two texts are numbers that differ by at most this share of the larger one.
fn near(a: &str, b: &str, tolerance: f64) -> bool {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= tolerance * a.abs().max(b.abs()),
        _ => false,
    }
}

/// A row of a table that somebody published.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// The protocol.
    pub protocol: String,
    /// The learner.
    pub learner: String,
    /// Its parameters, those that are given; the others may have any value.
    #[serde(default)]
    pub parameters: String,
    /// The feature set; absent: any.
    #[serde(default)]
    pub features: Option<String>,
    /// The shot; absent: any.
    #[serde(default)]
    pub shot: Option<String>,
    /// The metric.
    pub metric: String,
    /// The interval; absent: any.
    #[serde(default)]
    pub interval: Option<String>,
    /// The value, a fraction for rates.
    pub value: f64,
    /// The largest difference that counts as equal, in the unit of the value.
    pub tolerance: f64,
}

impl Published {
    /// Reads a table.
    ///
    /// # Errors
    /// A table that cannot be read, with other columns, or with values that are no numbers.
    pub fn read(path: &Path) -> Result<Vec<Published>, ReadError> {
        let file = std::fs::File::open(path).map_err(ReadError::file(path))?;
        let flawed = |error: csv::Error| {
            let line = error.position().map_or(1, csv::Position::line);
            ReadError::Line { path: path.to_path_buf(), line, flaw: Flaw::Record(error.to_string()) }
        };
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
        reader.deserialize().map(|row| row.map_err(flawed)).collect()
    }

    /// Whether a row of a summary is meant.
    fn means(&self, row: &SummaryRow) -> bool {
        let table = &row.table;
        let said =
            |given: &Option<String>, found: &str| given.as_ref().is_none_or(|g| g.is_empty() || g == found);
        let parameters = parse_values(&self.parameters)
            .is_ok_and(|given| given.iter().all(|(key, value)| table.parameters.get(key) == Some(value)));
        let interval = row.measured.interval.as_ref().map_or("none", |(population, _)| population.word());
        self.protocol == table.protocol
            && self.learner == table.learner
            && self.metric == row.measured.metric.name()
            && parameters
            && said(&self.features, &table.features)
            && said(&self.shot, &table.shot.to_string())
            && said(&self.interval, interval)
    }
}

/// Holds every published row against a summary.
pub fn compare_published(published: &[Published], summary: &[SummaryRow], mut take: impl FnMut(Standing)) {
    for (number, row) in published.iter().enumerate() {
        let line = number + 2;
        let mut found = summary.iter().filter(|candidate| row.means(candidate)).map(|r| r.measured.value);
        let Some(value) = found.next() else {
            take(Standing::Different(format!(
                "line {line}: the run has no {} of {} under {}",
                row.metric, row.learner, row.protocol
            )));
            continue;
        };
        let standing = if value == row.value {
            Standing::Same
        } else if (value - row.value).abs() <= row.tolerance {
            Standing::Within
        } else {
            Standing::Different(format!(
                "line {line}: {} of {} under {} is {}, the run gives {value}, the tolerance is {}",
                row.metric, row.learner, row.protocol, row.value, row.tolerance
            ))
        };
        take(standing);
    }
}

/// The files of a folder that are not as the run wrote them, as sentences.
///
/// # Errors
/// A file that cannot be read.
pub fn edited_files(folder: &Path, record: &RunRecord) -> Result<Vec<String>, ReadError> {
    let mut edited = Vec::new();
    for (name, expected) in &record.files {
        let path = folder.join(name);
        match hash::of_file(&path) {
            Ok(found) if found == *expected => {}
            Ok(_) => {
                edited.push(format!("{name} is not as the run wrote it: its hash is not that of run.json"))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                edited.push(format!("{name} is listed in run.json and is not there"));
            }
            Err(error) => return Err(ReadError::file(&path)(error)),
        }
    }
    Ok(edited)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::fixtures::Made;
    use crate::results::read_record;

    #[test]
    fn a_file_that_was_edited_or_is_gone_is_named() {
        let folder = tempfile::tempdir().unwrap();
        Made::default().write(folder.path());
        let edited = || edited_files(folder.path(), &read_record(folder.path()).unwrap()).unwrap();
        assert_eq!(edited(), Vec::<String>::new());
        let path = folder.path().join("summary.csv");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replacen('7', "8", 1)).unwrap();
        std::fs::remove_file(folder.path().join("bins.csv")).unwrap();
        assert_eq!(
            edited(),
            [
                "bins.csv is listed in run.json and is not there",
                "summary.csv is not as the run wrote it: its hash is not that of run.json"
            ]
        );
    }
}
