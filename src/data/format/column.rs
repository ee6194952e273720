//! Columns of arrays: texts, whole numbers, truth values, or objects that are such.

use std::io::{self, Read};

use super::npy::Header;
use super::pickle::{self, Object};
use super::written::Names;
use crate::data::{DataError, Place};

/// A column of an archive.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Column {
    Text(Vec<String>),
    Numbers(Vec<i64>),
    Bools(Vec<bool>),
}

const EXPECTED: &str = "text (`<U`, `|S`), whole numbers, truth values or objects that are such; \
                        `names.astype(str)` makes text, `codes.astype(int)` whole numbers";

impl Column {
    /// Reads a whole array of one axis out of `size` bytes, which what its header says is held against before memory is
    /// taken.
    pub fn read(mut reader: impl Read, size: u64, at: &Place) -> Result<Column, DataError> {
        let header = Header::read(&mut reader, at)?;
        let wrong_type = || DataError::ElementType {
            at: at.clone(),
            found: header.descr.clone(),
            expected: EXPECTED.to_string(),
        };
        let &[count] = header.shape.as_slice() else {
            return Err(header.wrong_shape(at, "one axis"));
        };
        let failed = |error: io::Error| DataError::Damaged { at: at.clone(), what: error.to_string() };
        if header.descr.trim_start_matches('|') == "O" {
            let mut bytes = Vec::new();
            reader.take(size).read_to_end(&mut bytes).map_err(failed)?;
            return Column::of_objects(&bytes, count, at);
        }
        let layout = layout(&header.descr).ok_or_else(wrong_type)?;
        let (there, width) = (size.saturating_sub(header.length), layout.width);
        if Some(there) != count.checked_mul(width as u64) {
            let what = format!("{there} bytes of elements, expected {count} × {width}");
            return Err(DataError::Damaged { at: at.clone(), what });
        }
        if width > WIDEST {
            let what = format!("texts of {width} bytes each, at most {WIDEST} are read");
            return Err(DataError::Damaged { at: at.clone(), what });
        }
        let (mut column, mut cell) = (layout.empty(), vec![0; width]);
        for _ in 0..count {
            reader.read_exact(&mut cell).map_err(failed)?;
            let unfit = || match layout.kind {
                'U' | 'S' => DataError::NotUtf8 { at: at.clone() },
                _ => wrong_type(),
            };
            layout.push(&mut cell, &mut column).ok_or_else(unfit)?;
        }
        // Only the read that meets the end compares a checksum.
        match reader.read(&mut [0]).map_err(failed)? {
            0 => Ok(column),
            _ => Err(DataError::Damaged { at: at.clone(), what: "more bytes than it promises".to_string() }),
        }
    }

    fn of_objects(bytes: &[u8], count: u64, at: &Place) -> Result<Column, DataError> {
        let objects = pickle::objects(bytes).map_err(|what| DataError::Pickled { at: at.clone(), what })?;
        if objects.len() as u64 != count {
            let what = format!("{} objects, its header promises {count}", objects.len());
            return Err(DataError::Damaged { at: at.clone(), what });
        }
        let number = |object: &Object| match object {
            Object::Number(number) => Some(*number),
            _ => None,
        };
        if let Some(numbers) = objects.iter().map(number).collect() {
            return Ok(Column::Numbers(numbers));
        }
        let text = |object: Object| match object {
            Object::Text(text) => text.to_string(),
            Object::Number(number) => number.to_string(),
            Object::Bool(bool) => python(bool),
        };
        Ok(Column::Text(objects.into_iter().map(text).collect()))
    }

    /// The column as text: numbers in decimal, truth values as Python writes them.
    pub fn into_text(self) -> Vec<String> {
        match self {
            Column::Text(text) => text,
            Column::Numbers(numbers) => numbers.iter().map(i64::to_string).collect(),
            Column::Bools(bools) => bools.into_iter().map(python).collect(),
        }
    }

    /// The class of every item: numbers are places in the list of classes where there is one, else names themselves.
    pub fn into_class(self, listed: Option<&[String]>, at: &Place) -> Result<Names, DataError> {
        match (self, listed) {
            (Column::Numbers(codes), Some(listed)) => Names::from_codes(&codes, listed, at),
            (Column::Bools(bools), Some(listed)) => {
                let codes: Vec<i64> = bools.into_iter().map(i64::from).collect();
                Names::from_codes(&codes, listed, at)
            }
            (column, _) => Ok(column.into_text().iter().collect()),
        }
    }
}

fn python(bool: bool) -> String {
    if bool { "True" } else { "False" }.to_string()
}

/// Bytes beyond which a text names nothing.
const WIDEST: usize = 1 << 22;

/// How the elements of an array lie.
#[derive(Clone, Copy)]
struct Layout {
    big: bool,
    /// `U`, `S`, `i`, `u` or `b`.
    kind: char,
    /// Bytes of each.
    width: usize,
}

impl Layout {
    fn empty(self) -> Column {
        match self.kind {
            'U' | 'S' => Column::Text(Vec::new()),
            'b' => Column::Bools(Vec::new()),
            _ => Column::Numbers(Vec::new()),
        }
    }

    /// Appends the element of a cell; nothing where it is none.
    fn push(self, cell: &mut [u8], column: &mut Column) -> Option<()> {
        if self.big {
            let unit = if self.kind == 'U' { 4 } else { self.width };
            cell.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
        }
        match column {
            Column::Text(texts) if self.kind == 'U' => texts.push(utf32(cell)?),
            Column::Text(texts) => texts.push(padded_utf8(cell)?),
            Column::Bools(bools) => bools.push(cell[0] != 0),
            Column::Numbers(numbers) => numbers.push(whole(cell, self.kind == 'i')?),
        }
        Some(())
    }
}

/// The layout of a type.
fn layout(descr: &str) -> Option<Layout> {
    let mut parts = descr.chars();
    let (order, kind, size) = (parts.next()?, parts.next()?, parts.as_str().parse::<usize>().ok()?);
    let width = match kind {
        'U' => size.saturating_mul(4),
        'S' => size,
        'i' | 'u' if matches!(size, 1 | 2 | 4 | 8) => size,
        'b' if size == 1 => size,
        _ => return None,
    };
    (width > 0).then_some(Layout { big: order == '>', kind, width })
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
pub(super) fn whole(cell: &[u8], signed: bool) -> Option<i64> {
    let negative = signed && cell.last().is_some_and(|top| top & 0x80 != 0);
    let mut wide = [if negative { 0xff } else { 0 }; 16];
    wide[..cell.len()].copy_from_slice(cell);
    i64::try_from(i128::from_le_bytes(wide)).ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::npy::tests::{array, text};
    use super::super::pickle::tests::pickled;
    use super::*;

    fn at() -> Place {
        Place::file(Path::new("a.npy"))
    }

    fn read(bytes: Vec<u8>) -> Result<Column, DataError> {
        Column::read(bytes.as_slice(), bytes.len() as u64, &at())
    }

    #[test]
    fn columns_hold_text_of_both_kinds_and_numbers_of_every_size() {
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
        assert!(matches!(read(array("<f8", "(1,)", false, &[0; 8])), Err(DataError::ElementType { .. })));
        assert!(matches!(read(array("|S3", "(2,)", false, b"abcde")), Err(DataError::Damaged { .. })));
        assert!(matches!(read(array("|S1", "(1,)", false, &[0xff])), Err(DataError::NotUtf8 { .. })));
    }

    #[test]
    fn sizes_that_the_bytes_cannot_hold_are_refused_before_memory_is_taken() {
        let refused = |descr: &str, shape: &str, size: u64| {
            let bytes = array(descr, shape, false, &[0; 8]);
            let endless = bytes.as_slice().chain(std::io::repeat(0));
            Column::read(endless, bytes.len() as u64 + size, &at()).unwrap_err().to_string()
        };
        let huge = refused("<U250000000000", "(1000000,)", 0);
        assert!(huge.ends_with("8 bytes of elements, expected 1000000 × 1000000000000"), "{huge}");
        let wide = refused("<U2000000", "(1,)", 8_000_000 - 8);
        assert!(wide.ends_with("texts of 8000000 bytes each, at most 4194304 are read"), "{wide}");
        assert!(refused("<U1", "(2,)", 0).ends_with("more bytes than it promises"));
    }

    #[test]
    fn columns_in_big_endian_order_and_of_truth_values_are_read() {
        let numbers = read(array(">i4", "(2,)", false, &[0, 0, 1, 0, 255, 255, 255, 255])).unwrap();
        assert_eq!(numbers, Column::Numbers(vec![256, -1]));
        let text = read(array(">U2", "(1,)", false, &[0, 0, 0, b'o', 0, 0, 0, b'k'])).unwrap();
        assert_eq!(text, Column::Text(vec!["ok".into()]));
        let bools = read(array("|b1", "(2,)", false, &[1, 0])).unwrap();
        assert_eq!(bools, Column::Bools(vec![true, false]));
        assert_eq!(bools.into_text(), ["True", "False"]);
    }

    #[test]
    fn objects_that_are_texts_are_read_and_others_are_refused_with_a_hint() {
        let column = |body: &[u8], shape: &str| read(array("|O", shape, false, body));
        let words = pickled(&["b", "a", "b"]);
        let expected = ["b", "a", "b"].map(String::from).to_vec();
        assert_eq!(column(&words, "(3,)").unwrap(), Column::Text(expected));
        let refused = |body: &[u8], shape: &str| column(body, shape).unwrap_err().to_string();
        let counted = "a.npy: damaged or cut short: 3 objects, its header promises 4";
        assert_eq!(refused(&words, "(4,)"), counted);
        let run = "a.npy: pickled objects that are no list of texts, it would call `os.system`\nhint: ";
        assert!(refused(b"cos\nsystem\n)R.", "(1,)").starts_with(run));
    }

    #[test]
    fn codes_are_places_in_a_list_of_classes_and_names_without_one() {
        let numbers = || Column::Numbers(vec![1, 0, 1]);
        let listed = ["x", "y"].map(String::from);
        let names = |names: Names| names.names.join(" ");
        assert_eq!(names(numbers().into_class(Some(&listed), &at()).unwrap()), "y x");
        assert_eq!(names(numbers().into_class(None, &at()).unwrap()), "1 0");
        assert_eq!(names(Column::Bools(vec![false, true]).into_class(Some(&listed), &at()).unwrap()), "x y");
        let error = Column::Numbers(vec![-1]).into_class(Some(&listed), &at()).unwrap_err().to_string();
        assert!(error.contains("class code -1") && error.contains("pandas"), "{error}");
    }
}
