//! The .npy format: its header, and matrices of features.
//!
//! Reference: NEP 1, "A simple file format for NumPy arrays", versions 1 to 3.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::data::store::values::{BigEndian, Element, RowFile};
use crate::data::{DataError, Place, Precision};

/// Bytes beyond which no header of an array is; numpy itself reads ten thousand.
const LONGEST: u64 = 1 << 20;

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
        if !(1..=3).contains(&start[6]) {
            return Err(damaged(&format!(
                "version {}.{} of the .npy format, known are 1 to 3",
                start[6], start[7]
            )));
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
        if size > LONGEST {
            return Err(damaged(&format!("a .npy header of {size} bytes, at most {LONGEST} are read")));
        }
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
            // Python 2 wrote long numbers as 160L.
            let shape =
                sizes.map(|s| s.strip_suffix('L').unwrap_or(s).parse().ok()).collect::<Option<Vec<u64>>>()?;
            Some(Header { descr, fortran, shape, length: before + size })
        };
        parsed().ok_or_else(|| damaged("the .npy header is not a description of an array"))
    }

    /// Rows, columns and element type of a matrix of features, checked.
    pub fn matrix(&self, at: &Place) -> Result<(usize, usize, Element), DataError> {
        let element = element(&self.descr).ok_or_else(|| DataError::ElementType {
            at: at.clone(),
            found: self.descr.clone(),
            expected: "`<f2`, `<f4`, `<f8` (float16, float32, float64) or whole numbers; \
                       `features.astype(\"float32\")` makes such"
                .to_string(),
        })?;
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

    pub fn wrong_shape(&self, at: &Place, expected: &str) -> DataError {
        DataError::Shape { at: at.clone(), found: self.shape.clone(), expected: expected.to_string() }
    }
}

/// A matrix in a .npy file, whose length agrees with its header.
pub(super) fn matrix_file(path: &Path) -> Result<RowFile, DataError> {
    let at = Place::file(path);
    let file = File::open(path).map_err(DataError::unreadable(path))?;
    let length = file.metadata().map_err(DataError::unreadable(path))?.len();
    if length == 0 {
        return Err(DataError::Empty { at });
    }
    let header = Header::read(&file, &at)?;
    let (rows, dim, element) = header.matrix(&at)?;
    let array = RowFile { file, offset: header.length, element, rows, dim };
    let expected = header.length.saturating_add(array.size());
    if length != expected {
        let what = format!("{length} bytes, its header promises {expected} ({rows} rows of {dim})");
        return Err(DataError::Damaged { at, what });
    }
    Ok(array)
}

/// The type of the numbers of a matrix, where kshot reads it.
fn element(descr: &str) -> Option<Element> {
    match descr {
        "<f2" => return Some(Element::F16),
        "<f4" => return Some(Element::F32),
        "<f8" => return Some(Element::F64),
        ">f2" => return Some(Element::BigEndian { bytes: 2, of: BigEndian::Float }),
        ">f4" => return Some(Element::BigEndian { bytes: 4, of: BigEndian::Float }),
        ">f8" => return Some(Element::BigEndian { bytes: 8, of: BigEndian::Float }),
        _ => {}
    }
    let (order, rest) = descr.split_at_checked(1)?;
    let (kind, size) = rest.split_at_checked(1)?;
    let bytes = size.parse().ok().filter(|bytes| matches!(bytes, 1 | 2 | 4 | 8))?;
    let signed = match kind {
        "i" => true,
        "u" => false,
        _ => return None,
    };
    match order {
        ">" if bytes > 1 => {
            let of = if signed { BigEndian::Int } else { BigEndian::Unsigned };
            Some(Element::BigEndian { bytes, of })
        }
        "<" | "|" | ">" => Some(Element::Int { bytes, signed }),
        _ => None,
    }
}

/// A matrix as the bytes of a .npy file, version 1.0.
///
/// `values` are those of (rows, columns), row after row; with 16 bits they are rounded to the nearest.
pub(in crate::data) fn matrix_bytes(
    rows: usize,
    columns: usize,
    values: &[f32],
    precision: Precision,
) -> Vec<u8> {
    let mut bytes = matrix_header(rows, columns, precision);
    push_numbers(&mut bytes, values, precision);
    bytes
}

/// What stands before the numbers of a matrix.
pub(in crate::data) fn matrix_header(rows: usize, columns: usize, precision: Precision) -> Vec<u8> {
    let descr = match precision {
        Precision::F16 => "<f2",
        Precision::F32 => "<f4",
    };
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    // The data begin at a multiple of 64 bytes; the header ends in a line feed.
    let length = (10 + text.len() + 1).next_multiple_of(64);
    text.push_str(&" ".repeat(length - 10 - text.len() - 1));
    text.push('\n');
    let mut bytes = Vec::with_capacity(length);
    bytes.extend_from_slice(b"\x93NUMPY\x01\x00");
    bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// Adds numbers as a matrix of this precision holds them.
pub(in crate::data) fn push_numbers(bytes: &mut Vec<u8>, values: &[f32], precision: Precision) {
    match precision {
        Precision::F16 => {
            values.iter().for_each(|v| bytes.extend_from_slice(&half::f16::from_f32(*v).to_le_bytes()));
        }
        Precision::F32 => values.iter().for_each(|v| bytes.extend_from_slice(&v.to_le_bytes())),
    }
}

fn value<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = header.split_once(&format!("'{key}'"))?;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}

#[cfg(test)]
pub(in crate::data) mod tests {
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
    fn a_header_that_claims_more_than_any_has_is_refused_before_it_is_read() {
        let mut bytes = b"\x93NUMPY\x03\x00".to_vec();
        bytes.extend(u32::MAX.to_le_bytes());
        let error = Header::read(bytes.as_slice().chain(io::repeat(b' ')), &at()).unwrap_err().to_string();
        assert!(error.ends_with("a .npy header of 4294967295 bytes, at most 1048576 are read"), "{error}");
    }

    #[test]
    fn a_header_of_python_2_is_read_and_a_version_that_nobody_knows_is_not() {
        let bytes = array("<f4", "(160L, 6L)", false, &[]);
        assert_eq!(Header::read(bytes.as_slice(), &at()).unwrap().shape, [160, 6]);
        let mut later = bytes;
        later[6] = 9;
        let error = Header::read(later.as_slice(), &at()).unwrap_err().to_string();
        assert!(
            error.ends_with("damaged or cut short: version 9.0 of the .npy format, known are 1 to 3"),
            "{error}"
        );
    }

    #[test]
    fn floats_and_whole_numbers_are_features_and_others_are_refused_with_a_hint() {
        for (descr, size) in [
            ("<f2", 2),
            ("<f8", 8),
            ("|u1", 1),
            ("|i1", 1),
            ("<i2", 2),
            ("<u4", 4),
            ("<i8", 8),
            (">f4", 4),
            (">i2", 2),
        ] {
            assert_eq!(element(descr).map(Element::size), Some(size), "{descr}");
        }
        for descr in ["=f4", "|b1", "<c8", "|O", "<i3", "", "f"] {
            assert_eq!(element(descr), None, "{descr}");
        }
        let header = Header { descr: "<c8".into(), fortran: false, shape: vec![1, 1], length: 128 };
        let error = header.matrix(&at()).unwrap_err().to_string();
        assert!(error.contains("or whole numbers") && error.contains("astype(\"float32\")"), "{error}");
    }
}
