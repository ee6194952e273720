//! Where records of a .csv table end: at line ends that no open quotation mark holds.

use memchr::{memchr, memchr2, memrchr};

/// Finds the ends of records in bytes that arrive piece by piece, as the csv crate sees them: a quotation mark opens a
/// field only at its beginning, and elsewhere stands for itself.
#[derive(Debug)]
pub(in crate::data) struct Cutter {
    delimiter: u8,
    /// Bytes that have been looked at.
    scanned: usize,
    /// The length of the longest start that ends with a record.
    end: usize,
    /// Where the quotation mark stands that is open.
    opened: Option<usize>,
}

impl Cutter {
    pub fn new(delimiter: u8) -> Cutter {
        Cutter { delimiter, scanned: 0, end: 0, opened: None }
    }

    /// Looks at what has been added to `bytes` since the last call, and gives the length of their longest start that ends
    /// with a record.
    pub fn scan(&mut self, bytes: &[u8]) -> usize {
        if self.opened.is_none() && memchr(b'"', &bytes[self.scanned..]).is_none() {
            if let Some(last) = memrchr(b'\n', &bytes[self.scanned..]) {
                self.end = self.scanned + last + 1;
            }
            self.scanned = bytes.len();
            return self.end;
        }
        while self.scanned < bytes.len() {
            let ahead = &bytes[self.scanned..];
            if self.opened.is_some() {
                match memchr(b'"', ahead) {
                    None => self.scanned = bytes.len(),
                    // Whether it is one of two, which stand for one, is seen once the next byte is there.
                    Some(mark) if mark + 1 == ahead.len() => {
                        self.scanned += mark;
                        break;
                    }
                    Some(mark) if ahead[mark + 1] == b'"' => self.scanned += mark + 2,
                    Some(mark) => {
                        self.opened = None;
                        self.scanned += mark + 1;
                    }
                }
                continue;
            }
            match memchr2(b'"', b'\n', ahead) {
                None => self.scanned = bytes.len(),
                Some(place) => {
                    let here = self.scanned + place;
                    if ahead[place] == b'\n' {
                        self.end = here + 1;
                    } else if self.begins_field(bytes, here) {
                        self.opened = Some(here);
                    }
                    self.scanned = here + 1;
                }
            }
        }
        self.end
    }

    /// The length of the longest start of whole records among the first `most` bytes, or where these hold none, of the
    /// first record; all of the bytes where they hold no end of a record.
    pub fn scan_until(&mut self, bytes: &[u8], most: usize) -> usize {
        let mut most = most.min(bytes.len());
        loop {
            match self.scan(&bytes[..most]) {
                0 if most < bytes.len() => most = (2 * most).min(bytes.len()),
                _ if most == bytes.len() => return bytes.len(),
                end => return end,
            }
        }
    }

    fn begins_field(&self, bytes: &[u8], place: usize) -> bool {
        match bytes[..place].last() {
            None => true,
            Some(before) => {
                *before == self.delimiter || matches!(before, b'\n' | b'\r') || bytes[..place] == *BOM
            }
        }
    }

    /// The place of a quotation mark that is never closed, now that all of `bytes` has been looked at.
    pub fn unclosed(&self, bytes: &[u8]) -> Option<usize> {
        // A mark at the very end closes.
        self.opened.filter(|_| self.scanned == bytes.len())
    }

    /// The same of bytes that have lost their first `length`, which end with a record.
    pub fn drain(&mut self, length: usize) {
        self.scanned -= length;
        self.end -= length;
        self.opened = self.opened.map(|place| place - length);
    }
}

/// What may stand before a text in UTF-8.
const BOM: &[u8; 3] = b"\xef\xbb\xbf";

/// The line, counted from 1, on which a quotation mark opens in a whole table that nothing closes.
pub(in crate::data) fn unclosed_line(bytes: &[u8], delimiter: u8) -> Option<u64> {
    let mut cutter = Cutter::new(delimiter);
    cutter.scan(bytes);
    cutter.unclosed(bytes).map(|place| 1 + memchr::memchr_iter(b'\n', &bytes[..place]).count() as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ends(bytes: &[u8]) -> usize {
        Cutter::new(b',').scan(bytes)
    }

    #[test]
    fn a_record_ends_where_a_line_ends_outside_quotes() {
        assert_eq!(ends(b"a,b\nc"), 4);
        assert_eq!(ends(b"a,\"b\nc"), 0);
        assert_eq!(ends(b"a\n\"b\n\"\"\"\nc"), 9);
        assert_eq!(ends(b"abc"), 0);
        assert_eq!(ends(b"3\" pipe,1\n\"a\nb\",2\nc"), 18, "an inch mark opens nothing");
        assert_eq!(ends(b"\xef\xbb\xbf\"a\nb\"\nc"), 9);
    }

    #[test]
    fn a_mark_that_nothing_closes_is_found_by_its_line() {
        assert_eq!(unclosed_line(b"a\nb,\"c\nd\n", b','), Some(2));
        assert_eq!(unclosed_line(b"a\nb,\"c\nd\"", b','), None);
        assert_eq!(unclosed_line(b"a\nb,\"c\"\"", b','), Some(2));
        assert_eq!(unclosed_line(b"a\nb\t\"c", b'\t'), Some(2));
    }

    /// The records of a table as the csv crate reads them.
    fn records(bytes: &[u8]) -> Vec<csv::ByteRecord> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        reader.byte_records().map(|record| record.unwrap()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]
        #[test]
        fn pieces_that_end_with_records_hold_the_records_of_the_whole(
            letters in proptest::collection::vec(proptest::sample::select(b"\"\"\"\n\n\r,,ab".to_vec()), 0..60),
            step in 1usize..8,
        ) {
            // Bytes arrive a few at a time, and each start that ends with a record is taken off.
            let (mut cutter, mut buffer, mut found) = (Cutter::new(b','), Vec::new(), Vec::new());
            for arrived in letters.chunks(step) {
                buffer.extend_from_slice(arrived);
                let end = cutter.scan(&buffer);
                found.extend(records(&buffer[..end]));
                cutter.drain(end);
                buffer.drain(..end);
            }
            found.extend(records(&buffer));
            prop_assert_eq!(found, records(&letters));
        }
    }
}
