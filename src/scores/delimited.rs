//! Tables with a separator: .csv and .tsv.

use super::error::ScoresError;
use super::written::Written;

/// Reads a table whose first line names its columns.
pub(super) fn read(bytes: &[u8], separator: u8, file: &str) -> Result<Written, ScoresError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(bytes);
    let damaged = |error: csv::Error| {
        let line = error.position().map_or(String::new(), |position| format!(":{}", position.line()));
        let why = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("a row must have {expected_len} cells, as the head line has, got {len}")
            }
            csv::ErrorKind::Utf8 { .. } => "the text is not UTF-8".to_string(),
            _ => error.to_string(),
        };
        ScoresError::Damaged { place: format!("{file}{line}"), why }
    };
    let columns = reader.headers().map_err(damaged)?.iter().map(|name| name.trim().to_string()).collect();
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(damaged)?;
        lines.push(record.position().map_or(0, csv::Position::line));
        rows.push(record.iter().map(|cell| cell.trim().to_string()).collect());
    }
    Ok(Written { file: file.to_string(), columns, rows, lines, notes: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_row_is_named_with_its_line() {
        let error = read(b"a,b\n1,2\n3\n", b',', "x.csv").unwrap_err().to_string();
        assert_eq!(error, "x.csv:3: a row must have 2 cells, as the head line has, got 1");
        let written = read(b"\xef\xbb\xbfa\tb\n1\t 2\n", b'\t', "x.tsv").unwrap();
        assert_eq!(
            (written.columns, written.rows),
            (vec!["a".into(), "b".into()], vec![vec!["1".into(), "2".into()]])
        );
    }
}
