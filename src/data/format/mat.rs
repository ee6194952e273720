//! The variables of a MATLAB file of version 5 (saved with `-v6` or `-v7`): matrices of numbers, texts and cells of texts.
//!
//! Reference: "MAT-File Format", MathWorks, chapter 1. The crates that read such files are young and trust what sizes say.

use std::io::Read;

use flate2::read::ZlibDecoder;

/// What a variable holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Variable {
    /// Column after column, each number as 32 bits.
    Numbers {
        rows: usize,
        columns: usize,
        values: Vec<f32>,
    },
    Text(String),
    Cells(Vec<Variable>),
    /// Structures, sparse matrices, functions.
    Other,
}

/// The variables of a file by name, but only those that are `wanted`.
pub(super) fn variables(bytes: &[u8], wanted: &[&str]) -> Result<Vec<(String, Variable)>, String> {
    if bytes.starts_with(b"MATLAB 7.3") || bytes.starts_with(b"\x89HDF") {
        return Err("a MATLAB file of version 7.3, which is not read; save it with `-v7`".to_string());
    }
    match bytes.get(124..128) {
        Some([_, 1, b'I', b'M']) => {}
        Some([1, _, b'M', b'I']) => {
            return Err("a MATLAB file in big-endian order, which is not read".to_string());
        }
        _ => return Err("it does not begin like a MATLAB file of version 5".to_string()),
    }
    let (mut rest, mut found) = (&bytes[128..], Vec::new());
    while !rest.is_empty() {
        let (kind, data) = element(&mut rest)?;
        let inflated;
        let body = match kind {
            COMPRESSED => {
                inflated = inflate(data)?;
                let (kind, data) = element(&mut inflated.as_slice())?;
                if kind != MATRIX {
                    continue;
                }
                data.to_vec()
            }
            MATRIX => data.to_vec(),
            _ => continue,
        };
        let (name, variable) = matrix(&body, Some(wanted))?;
        if wanted.contains(&name.as_str()) {
            found.push((name, variable));
        }
    }
    Ok(found)
}

const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;
const CUT: &str = "the file ends inside a variable";

/// The type and bytes of the element at the start, which is taken off.
fn element<'a>(rest: &mut &'a [u8]) -> Result<(u32, &'a [u8]), String> {
    let (tag, behind) = rest.split_first_chunk::<8>().ok_or(CUT)?;
    let word = |at: usize| u32::from_le_bytes([tag[at], tag[at + 1], tag[at + 2], tag[at + 3]]);
    // An element of up to four bytes stands inside its tag.
    let short = (word(0) >> 16) as usize;
    if short > 0 {
        let data = rest.get(4..4 + short.min(4)).ok_or(CUT)?;
        *rest = behind;
        return Ok((word(0) & 0xffff, data));
    }
    let (kind, size) = (word(0), word(4) as usize);
    let data = behind.get(..size).ok_or(CUT)?;
    let padded = if kind == COMPRESSED { size } else { size.next_multiple_of(8) };
    *rest = behind.get(padded..).unwrap_or_default();
    Ok((kind, data))
}

fn inflate(packed: &[u8]) -> Result<Vec<u8>, String> {
    // Deflate cannot shrink by more than 1032.
    let (mut bytes, most) = (Vec::new(), packed.len() as u64 * 1100);
    ZlibDecoder::new(packed).take(most).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// The name and content of an array: one of those that are wanted, else its name alone; or what stands in a cell.
fn matrix(mut rest: &[u8], wanted: Option<&[&str]>) -> Result<(String, Variable), String> {
    let (_, flags) = element(&mut rest)?;
    let class = flags.first().copied().ok_or(CUT)?;
    let (_, sizes) = element(&mut rest)?;
    let sizes: Vec<usize> =
        sizes.as_chunks::<4>().0.iter().map(|size| u32::from_le_bytes(*size) as usize).collect();
    let (_, name) = element(&mut rest)?;
    let name = String::from_utf8_lossy(name).into_owned();
    if wanted.is_some_and(|wanted| !wanted.contains(&name.as_str())) {
        return Ok((name, Variable::Other));
    }
    let count = sizes.iter().try_fold(1usize, |count, size| count.checked_mul(*size)).ok_or(CUT)?;
    let variable = match class {
        // A cell in a cell is nothing that is looked for, and so many in each other may be too deep.
        1 if wanted.is_some() => {
            let mut cells = Vec::new();
            while cells.len() < count {
                let (_, cell) = element(&mut rest)?;
                // An empty cell has no array in it.
                cells.push(if cell.is_empty() { Variable::Other } else { matrix(cell, None)?.1 });
            }
            Variable::Cells(cells)
        }
        4 => text(element(&mut rest)?)?,
        6..=15 => {
            let values = numbers(element(&mut rest)?)?;
            if values.len() != count {
                return Err(format!("`{name}` has {} numbers, its size says {count}", values.len()));
            }
            let rows = sizes.first().copied().unwrap_or(0);
            Variable::Numbers { rows, columns: count / rows.max(1), values }
        }
        _ => Variable::Other,
    };
    Ok((name, variable))
}

fn text((kind, data): (u32, &[u8])) -> Result<Variable, String> {
    let units = || data.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
    let text = match kind {
        4 | 17 => String::from_utf16(&units().collect::<Vec<_>>()).ok(),
        _ => String::from_utf8(data.to_vec()).ok(),
    };
    text.map(Variable::Text).ok_or_else(|| "a text is not Unicode".to_string())
}

/// Numbers as 32 bits; MATLAB stores them in the smallest type that holds them.
fn numbers((kind, data): (u32, &[u8])) -> Result<Vec<f32>, String> {
    macro_rules! read {
        ($number:ty) => {
            data.as_chunks::<{ size_of::<$number>() }>()
                .0
                .iter()
                .map(|bytes| <$number>::from_le_bytes(*bytes) as f32)
                .collect()
        };
    }
    Ok(match kind {
        1 => read!(i8),
        2 => read!(u8),
        3 => read!(i16),
        4 => read!(u16),
        5 => read!(i32),
        6 => read!(u32),
        7 => read!(f32),
        9 => read!(f64),
        12 => read!(i64),
        13 => read!(u64),
        other => return Err(format!("numbers of type {other}, which the format does not know")),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use super::*;

    fn tagged(kind: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    fn array(class: u8, name: &str, sizes: [u32; 2], data: &[u8]) -> Vec<u8> {
        let sizes: Vec<u8> = sizes.iter().flat_map(|size| size.to_le_bytes()).collect();
        let body = [
            tagged(6, &[class, 0, 0, 0, 0, 0, 0, 0]),
            tagged(5, &sizes),
            tagged(1, name.as_bytes()),
            data.to_vec(),
        ];
        tagged(MATRIX, &body.concat())
    }

    /// A matrix, its numbers column after column.
    pub(in crate::data::format) fn doubles(name: &str, rows: u32, values: &[f64]) -> Vec<u8> {
        let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        array(6, name, [rows, values.len() as u32 / rows], &tagged(9, &data))
    }

    /// A cell of texts.
    pub(in crate::data::format) fn cells(name: &str, words: &[&str]) -> Vec<u8> {
        let cell = |word: &&str| {
            let units: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
            array(4, "", [1, word.len() as u32], &tagged(4, &units))
        };
        let data: Vec<u8> = words.iter().flat_map(cell).collect();
        array(1, name, [words.len() as u32, 1], &data)
    }

    /// A file of these variables, each deflated as MATLAB does it.
    pub(in crate::data::format) fn file(variables: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = b"MATLAB 5.0 MAT-file".to_vec();
        bytes.resize(124, b' ');
        bytes.extend([0, 1, b'I', b'M']);
        for variable in variables {
            let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            packer.write_all(variable).unwrap();
            let packed = packer.finish().unwrap();
            bytes.extend(COMPRESSED.to_le_bytes());
            bytes.extend((packed.len() as u32).to_le_bytes());
            bytes.extend(packed);
        }
        bytes
    }

    #[test]
    fn matrices_and_cells_of_texts_are_read_by_name() {
        let whole = file(&[
            doubles("a", 2, &[1.0, 2.0, 3.0, 4.5]),
            doubles("b", 1, &[7.0]),
            cells("names", &["cat", "é"]),
        ]);
        let found = variables(&whole, &["a", "names"]).unwrap();
        let numbers = Variable::Numbers { rows: 2, columns: 2, values: vec![1.0, 2.0, 3.0, 4.5] };
        let texts = ["cat", "é"].map(|text| Variable::Text(text.to_string())).to_vec();
        assert_eq!(found, [("a".to_string(), numbers), ("names".to_string(), Variable::Cells(texts))]);
    }

    #[test]
    fn other_files_and_damaged_ones_are_refused() {
        let whole = file(&[doubles("a", 2, &[1.0, 2.0, 3.0, 4.5])]);
        for length in [0, 100, 130, whole.len() - 1] {
            assert!(variables(&whole[..length], &["a"]).is_err(), "{length}");
        }
        assert!(variables(b"MATLAB 7.3 MAT-file", &[]).unwrap_err().contains("save it with `-v7`"));
        // Sizes that no bytes stand for.
        let mut plain = whole[..128].to_vec();
        plain.extend(array(6, "a", [u32::MAX, u32::MAX], &tagged(9, &[0; 8])));
        assert!(variables(&plain, &["a"]).is_err());
        for place in 128..plain.len() {
            let mut damaged = plain.clone();
            damaged[place] ^= 0x55;
            let _ = variables(&damaged, &["a"]);
        }
    }
}
