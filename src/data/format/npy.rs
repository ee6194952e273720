//! The .npy format: its header, and columns of text or whole numbers.
//!
//! Reference: NEP 1, "A simple file format for NumPy arrays", versions 1 to 3.

use std::io::{self, Read};

use crate::data::store::values::Element;
use crate::data::{DataError, Place};

/// What the header of an array says.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::data) struct Header {
    /// Byte order, kind and size, such as `<f4`.
    pub descr: String,
    /// Whether the first index varies fastest.
    pub fortran: bool,
    pub shape: Vec<u64>,
    /// Bytes before the first element.
    pub length: u64,
}

impl Header {
    /// Reads the header and leaves the reader at the first element.
    pub fn read(mut reader: impl Read, at: &Place) -> Result<Header, DataError> {
        let damaged = |what: &str| DataError::Damaged { at: at.clone(), what: what.to_string() };
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => damaged("the file ends inside the .npy header"),
            _ => DataError::Unreadable { at: at.clone(), source: error },
        };
        let mut start = [0u8; 8];
        reader.read_exact(&mut start).map_err(failed)?;
        if &start[..6] != b"\x93NUMPY" {
            return Err(damaged("it does not begin like a .npy file"));
        }
        let (size, before) = if start[6] == 1 {
            let mut size = [0; 2];
            reader.read_exact(&mut size).map_err(failed)?;
            (u64::from(u16::from_le_bytes(size)), 10)
        } else {
            let mut size = [0; 4];
            reader.read_exact(&mut size).map_err(failed)?;
            (u64::from(u32::from_le_bytes(size)), 12)
        };
        let mut text = Vec::new();
        reader.take(size).read_to_end(&mut text).map_err(failed)?;
        if text.len() as u64 != size {
            return Err(damaged("the file ends inside the .npy header"));
        }
        let text = String::from_utf8_lossy(&text);
        let parsed = || {
            let descr = match value(&text, "descr")?.strip_prefix('\'') {
                Some(quoted) => quoted.split_once('\'')?.0.to_string(),
                None => "structured".to_string(),
            };
            let fortran = value(&text, "fortran_order")?.starts_with("True");
            let shape = value(&text, "shape")?.strip_prefix('(')?.split_once(')')?.0;
            let sizes = shape.split(',').map(str::trim).filter(|s| !s.is_empty());
            let shape = sizes.map(|s| s.parse().ok()).collect::<Option<Vec<u64>>>()?;
            Some(Header { descr, fortran, shape, length: before + size })
        };
        parsed().ok_or_else(|| damaged("the .npy header is not a description of an array"))
    }

    /// Rows, columns and element type of a matrix of features, checked.
    pub fn matrix(&self, at: &Place) -> Result<(usize, usize, Element), DataError> {
        let element = match self.descr.as_str() {
            "<f2" => Element::F16,
            "<f4" => Element::F32,
            "<f8" => Element::F64,
            _ => {
                return Err(DataError::ElementType {
                    at: at.clone(),
                    found: self.descr.clone(),
                    expected: "`<f2`, `<f4` or `<f8` (float16, float32, float64)",
                });
            }
        };
        let &[rows, columns] = self.shape.as_slice() else {
            return Err(self.wrong_shape(at, "two axes (items, dim)"));
        };
        if self.fortran {
            return Err(DataError::Fortran { at: at.clone() });
        }
        let fits = rows.checked_mul(columns).and_then(|n| n.checked_mul(element.size() as u64));
        let (Some(_), Ok(rows), Ok(columns)) = (fits, usize::try_from(rows), usize::try_from(columns)) else {
            return Err(self.wrong_shape(at, "one that fits this machine's memory addresses"));
        };
        Ok((rows, columns, element))
    }

    fn wrong_shape(&self, at: &Place, expected: &str) -> DataError {
        DataError::Shape { at: at.clone(), found: self.shape.clone(), expected: expected.to_string() }
    }
}

/// A matrix as the bytes of a .npy file, version 1.0.
///
/// `values` are those of (rows, columns), row after row; as F16 they are rounded to the nearest.
pub(in crate::data) fn matrix_bytes(
    rows: usize,
    columns: usize,
    values: &[f32],
    element: Element,
) -> Vec<u8> {
    let descr = match element {
        Element::F16 => "<f2",
        Element::F32 => "<f4",
        Element::F64 => "<f8",
    };
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    // The data begin at a multiple of 64 bytes; the header ends in a line feed.
    let length = (10 + text.len() + 1).next_multiple_of(64);
    text.push_str(&" ".repeat(length - 10 - text.len() - 1));
    text.push('\n');
    let mut bytes = Vec::with_capacity(length + values.len() * element.size());
    bytes.extend_from_slice(b"\x93NUMPY\x01\x00");
    bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    match element {
        Element::F16 => {
            values.iter().for_each(|v| bytes.extend_from_slice(&half::f16::from_f32(*v).to_le_bytes()));
        }
        Element::F32 => values.iter().for_each(|v| bytes.extend_from_slice(&v.to_le_bytes())),
        Element::F64 => values.iter().for_each(|v| bytes.extend_from_slice(&f64::from(*v).to_le_bytes())),
    }
    bytes
}

fn value<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = header.split_once(&format!("'{key}'"))?;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}

/// A column of an archive.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::data) enum Column {
    Text(Vec<String>),
    Numbers(Vec<i64>),
}

impl Column {
    /// Reads a whole array of one axis: text (`<U`, `|S`) or whole numbers.
    pub fn read(mut reader: impl Read, at: &Place) -> Result<Column, DataError> {
        let header = Header::read(&mut reader, at)?;
        let wrong_type = || DataError::ElementType {
            at: at.clone(),
            found: header.descr.clone(),
            expected: "text (`<U`, `|S`) or whole numbers; numpy.array(names, dtype=\"U\") makes text",
        };
        let &[count] = header.shape.as_slice() else {
            return Err(header.wrong_shape(at, "one axis"));
        };
        let mut parts = header.descr.chars();
        let (Some(order), Some(kind), Ok(size)) =
            (parts.next(), parts.next(), parts.as_str().parse::<usize>())
        else {
            return Err(wrong_type());
        };
        let width = match kind {
            'U' => size.saturating_mul(4),
            'S' => size,
            'i' | 'u' if matches!(size, 1 | 2 | 4 | 8) => size,
            _ => return Err(wrong_type()),
        };
        if order == '>' || width == 0 {
            return Err(wrong_type());
        }
        let mut bytes = Vec::new();
        reader
            .read_to_end(&mut bytes)
            .map_err(|error| DataError::Damaged { at: at.clone(), what: error.to_string() })?;
        if Some(bytes.len() as u64) != count.checked_mul(width as u64) {
            let what = format!("{} bytes of elements, expected {count} × {width}", bytes.len());
            return Err(DataError::Damaged { at: at.clone(), what });
        }
        let cells = bytes.chunks_exact(width);
        let not_utf8 = || DataError::NotUtf8 { at: at.clone() };
        Ok(match kind {
            'U' => Column::Text(cells.map(utf32).collect::<Option<_>>().ok_or_else(not_utf8)?),
            'S' => Column::Text(cells.map(padded_utf8).collect::<Option<_>>().ok_or_else(not_utf8)?),
            kind => {
                let whole = cells.map(|cell| whole(cell, kind == 'i')).collect::<Option<_>>();
                Column::Numbers(whole.ok_or_else(wrong_type)?)
            }
        })
    }

    /// The column as text: numbers in decimal.
    pub fn into_text(self) -> Vec<String> {
        match self {
            Column::Text(text) => text,
            Column::Numbers(numbers) => numbers.iter().map(i64::to_string).collect(),
        }
    }
}

fn utf32(cell: &[u8]) -> Option<String> {
    let points = cell.chunks_exact(4).map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]]));
    let text = points.map(char::from_u32).collect::<Option<String>>()?;
    Some(text.trim_end_matches('\0').to_string())
}

fn padded_utf8(cell: &[u8]) -> Option<String> {
    std::str::from_utf8(cell).ok().map(|text| text.trim_end_matches('\0').to_string())
}

/// A little-endian whole number, or nothing where it exceeds `i64`.
fn whole(cell: &[u8], signed: bool) -> Option<i64> {
    let negative = signed && cell.last().is_some_and(|top| top & 0x80 != 0);
    let mut wide = [if negative { 0xff } else { 0 }; 16];
    wide[..cell.len()].copy_from_slice(cell);
    i64::try_from(i128::from_le_bytes(wide)).ok()
}

#[cfg(test)]
pub(in crate::data) mod tests {
    use std::path::Path;

    use super::*;

    /// The bytes of an array of version 1.
    pub(crate) fn array(descr: &str, shape: &str, fortran: bool, body: &[u8]) -> Vec<u8> {
        let fortran = if fortran { "True" } else { "False" };
        let mut header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
        header.push_str(&" ".repeat(63 - (header.len() + 10) % 64));
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(body);
        bytes
    }

    /// The bytes of a matrix of f32.
    pub(crate) fn matrix(rows: usize, columns: usize, values: &[f32]) -> Vec<u8> {
        let body: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        array("<f4", &format!("({rows}, {columns})"), false, &body)
    }

    /// The bytes of a column of text as numpy writes it.
    pub(crate) fn text(words: &[&str]) -> Vec<u8> {
        let width = words.iter().map(|w| w.chars().count()).max().unwrap_or(0).max(1);
        let body: Vec<u8> = words
            .iter()
            .flat_map(|word| {
                let points = word.chars().map(u32::from).chain(std::iter::repeat(0)).take(width);
                points.flat_map(u32::to_le_bytes).collect::<Vec<_>>()
            })
            .collect();
        array(&format!("<U{width}"), &format!("({},)", words.len()), false, &body)
    }

    fn at() -> Place {
        Place::file(Path::new("a.npy"))
    }

    #[test]
    fn the_header_gives_shape_order_and_type() {
        let bytes = array("<f2", "(3, 4)", true, &[]);
        let header = Header::read(bytes.as_slice(), &at()).unwrap();
        let expected =
            Header { descr: "<f2".into(), fortran: true, shape: vec![3, 4], length: bytes.len() as u64 };
        assert_eq!(header, expected);
        assert!(matches!(header.matrix(&at()), Err(DataError::Fortran { .. })));
    }

    #[test]
    fn a_header_that_is_cut_or_foreign_is_refused() {
        let bytes = array("<f4", "(1, 1)", false, &[0; 4]);
        for cut in [0, 5, 9, 40] {
            assert!(matches!(Header::read(&bytes[..cut], &at()), Err(DataError::Damaged { .. })), "{cut}");
        }
        assert!(Header::read(&b"PK\x03\x04aaaaaaaaaaaaaaaaa"[..], &at()).is_err());
    }

    #[test]
    fn a_shape_beyond_the_address_space_is_refused() {
        let bytes = array("<f8", "(9223372036854775807, 3)", false, &[]);
        let header = Header::read(bytes.as_slice(), &at()).unwrap();
        assert!(matches!(header.matrix(&at()), Err(DataError::Shape { .. })));
    }

    #[test]
    fn columns_hold_text_of_both_kinds_and_numbers_of_every_size() {
        let read = |bytes: Vec<u8>| Column::read(bytes.as_slice(), &at());
        assert_eq!(read(text(&["é", "abc"])).unwrap(), Column::Text(vec!["é".into(), "abc".into()]));
        assert_eq!(
            read(array("|S3", "(2,)", false, b"ab\0cde")).unwrap(),
            Column::Text(vec!["ab".into(), "cde".into()])
        );
        assert_eq!(read(array("|i1", "(2,)", false, &[1, 255])).unwrap(), Column::Numbers(vec![1, -1]));
        assert_eq!(read(array("|u1", "(2,)", false, &[1, 255])).unwrap(), Column::Numbers(vec![1, 255]));
        assert_eq!(
            read(array("<i8", "(1,)", false, &(-5i64).to_le_bytes())).unwrap(),
            Column::Numbers(vec![-5])
        );
        assert!(read(array("<u8", "(1,)", false, &u64::MAX.to_le_bytes())).is_err());
        assert!(matches!(read(array("|O", "(1,)", false, &[0; 8])), Err(DataError::ElementType { .. })));
        assert!(matches!(read(array("|S3", "(2,)", false, b"abcde")), Err(DataError::Damaged { .. })));
        assert!(matches!(read(array("|S1", "(1,)", false, &[0xff])), Err(DataError::NotUtf8 { .. })));
    }
}
