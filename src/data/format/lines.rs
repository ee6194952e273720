//! On which line of its file a record of a .csv table stands.

/// The line, counted from 1, on which a record begins that was read at `position` of `bytes`.
///
/// Where lines end in CR LF the reader has a record at its CR and leaves the LF to the next one, as it does with empty
/// lines: what it says is the position before them.
pub(in crate::data) fn line_at(bytes: &[u8], position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 1 };
    let ahead = bytes.get(position.byte() as usize..).unwrap_or_default();
    let ends = ahead.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + ends.filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::line_at;

    #[test]
    fn a_record_stands_where_it_begins_whatever_ends_a_line() {
        let text = "a,b\n1,2\n\n\n3,\"x\ny\"\n4,5";
        let crlf = text.replace('\n', "\r\n");
        for text in [text, &format!("{text}\n"), &crlf, &format!("{crlf}\r\n")] {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            let records = reader.byte_records().map(|record| record.unwrap());
            let lines: Vec<u64> = records.map(|record| line_at(text.as_bytes(), record.position())).collect();
            assert_eq!(lines, [1, 2, 5, 7], "{text:?}");
        }
    }
}
