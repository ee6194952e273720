//! From kept rows to the files of a feature set, and to those of a part of one.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::kept::Kept;
use super::photographs::Embedded;
use crate::data::{DataError, FOLDER_FILES, HeldFolder, Precision};
use crate::results::Shard;
use crate::run::error::RunError;
use crate::run::files::{self, failed};

/// What says that a folder is a part of a feature set.
pub(crate) const PART: &str = "features-part.json";
/// The rows of a part.
const ROWS: &str = "features-part.rows";
/// The files of a part.
pub(crate) const PART_FILES: [&str; 6] =
    [PART, ROWS, FOLDER_FILES[1], FOLDER_FILES[2], FOLDER_FILES[3], FOLDER_FILES[4]];

/// A part of a feature set, as its folder says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartAbout {
    /// The dataset.
    dataset: String,
    /// What all parts of one whole share.
    whole: String,
    /// What it was made of and with.
    made_of: String,
    /// The key of the rows.
    key: String,
    number: u32,
    of: u32,
    /// Items of the whole.
    total: usize,
    /// The first item of this part.
    first: usize,
    /// Items of this part.
    rows: usize,
    dim: usize,
    /// Whether features are stored in 16 bits.
    half: bool,
    /// Whether items that cannot be read are left out.
    skip_broken: bool,
    /// Items that could not be read, with what is wrong.
    broken: Vec<(usize, String)>,
    /// First frames of animations.
    animated: usize,
}

/// Items of a feature set that was written, and what a reader should know.
pub(crate) struct Finished {
    pub(crate) items: usize,
    pub(crate) dim: usize,
    pub(crate) broken: Vec<(usize, String)>,
    pub(crate) animated: usize,
}

/// Writes the feature set of all items, and removes the kept rows.
pub(crate) fn write(
    held: &HeldFolder,
    dataset: &str,
    embedded: Embedded,
    precision: Precision,
    skip_broken: bool,
) -> Result<Finished, RunError> {
    let Embedded { mut kept, total, broken, animated, tables, .. } = embedded;
    let finished =
        join(held, dataset, &tables, std::slice::from_mut(&mut kept), total, broken, precision, skip_broken)?;
    kept.discard()?;
    Ok(Finished { animated, ..finished })
}

/// Writes the folder of a part.
pub(crate) fn write_part(
    held: &HeldFolder,
    dataset: &str,
    embedded: Embedded,
    shard: Shard,
    precision: Precision,
    skip_broken: bool,
) -> Result<Finished, RunError> {
    let Embedded { kept, key, made_of, total, part, broken, animated, tables } = embedded;
    refuse_broken(dataset, part.len(), &broken, skip_broken)?;
    let dim = kept.dim();
    let about = PartAbout {
        dataset: dataset.to_string(),
        whole: whole(&tables, total, dim, &made_of),
        made_of,
        key,
        number: shard.number,
        of: shard.of,
        total,
        first: part.start,
        rows: part.len(),
        dim,
        half: precision == Precision::F16,
        skip_broken,
        broken: broken.clone(),
        animated,
    };
    kept.rename(&held.path().join(ROWS))?;
    let about = serde_json::to_vec_pretty(&about).map_err(|error| RunError::Request(error.to_string()))?;
    let mut files = tables;
    files.push((PART, about));
    let names = [PART_FILES[2], PART_FILES[3], PART_FILES[4], PART_FILES[5], PART];
    let mut grown = Vec::new();
    for (name, bytes) in &files {
        grown.push((*name, held.grown(bytes).map_err(failed(&held.path().join(name)))?));
    }
    files::persist_together(held, &names, grown)?;
    Ok(Finished { items: part.len() - broken.len(), dim, broken, animated })
}

/// What parts of one whole agree in.
fn whole(tables: &[(&'static str, Vec<u8>)], total: usize, dim: usize, made_of: &str) -> String {
    let bytes: Vec<u8> = tables.iter().flat_map(|(_, bytes)| [bytes.as_slice(), b"\0"].concat()).collect();
    crate::episode::sha256(&[bytes, format!("{total} {dim} {made_of}").into_bytes()].concat())
}

/// Joins the parts of a feature set, in any order, into the same bytes that one run gives.
///
/// # Errors
/// Parts of different wholes, missing or doubled ones, or damage.
pub(crate) fn merge(parts: &[PathBuf], out: &Path) -> Result<Finished, RunError> {
    let mut read = parts.iter().map(|path| Ok((about(path)?, path))).collect::<Result<Vec<_>, RunError>>()?;
    read.sort_by_key(|(about, _)| about.number);
    let (first, place) = &read[0];
    let same = |of: &PartAbout| (of.whole.clone(), of.of, of.half, of.skip_broken);
    if let Some((_, other)) = read.iter().find(|(of, _)| same(of) != same(first)) {
        return Err(RunError::Request(format!(
            "{} and {} are no parts of one feature set\nhint: parts are made of the same images, with the same network and flags",
            place.display(),
            other.display()
        )));
    }
    let numbers: Vec<u32> = read.iter().map(|(of, _)| of.number).collect();
    if let Some(two) = numbers.windows(2).position(|two| two[0] == two[1]) {
        let (one, other) = (read[two].1.display(), read[two + 1].1.display());
        return Err(RunError::Request(format!(
            "{one} and {other} are both part {}/{}",
            numbers[two], first.of
        )));
    }
    if let Some(missing) = (1..=first.of).find(|number| !numbers.contains(number)) {
        return Err(RunError::Request(format!(
            "part {missing}/{} is not there\nhint: name all parts",
            first.of
        )));
    }
    let table = |name: &'static str| {
        let path = place.join(name);
        std::fs::read(&path).map(|bytes| (name, bytes)).map_err(failed(&path))
    };
    let mut tables = vec![table(PART_FILES[2])?, table(PART_FILES[3])?, table(PART_FILES[4])?];
    if place.join(PART_FILES[5]).is_file() {
        tables.push(table(PART_FILES[5])?);
    }
    if whole(&tables, first.total, first.dim, &first.made_of) != first.whole {
        return Err(RunError::Request(format!(
            "{}: its tables are not those that it was made with",
            place.display()
        )));
    }
    let mut rows = Vec::new();
    for (about, path) in &read {
        rows.push(Kept::open(&path.join(ROWS), &about.key, about.dim, about.rows)?);
    }
    let broken = read.iter().flat_map(|(about, _)| about.broken.clone()).collect();
    let precision = if first.half { Precision::F16 } else { Precision::F32 };
    let held = files::hold(out)?;
    let finished =
        join(&held, &first.dataset, &tables, &mut rows, first.total, broken, precision, first.skip_broken)?;
    Ok(Finished { animated: read.iter().map(|(about, _)| about.animated).sum(), ..finished })
}

/// Whether a folder is a part of a feature set.
pub(crate) fn is_part(folder: &Path) -> bool {
    folder.join(PART).is_file()
}

fn about(folder: &Path) -> Result<PartAbout, RunError> {
    let path = folder.join(PART);
    if !path.is_file() {
        return Err(RunError::Request(format!(
            "{} is no part of a feature set\nhint: parts are made by `kshot embed --shard 1/8`",
            folder.display()
        )));
    }
    let bytes = std::fs::read(&path).map_err(failed(&path))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| RunError::Request(format!("{}: damaged or cut short: {error}", path.display())))
}

fn refuse_broken(dataset: &str, of: usize, broken: &[(usize, String)], skip: bool) -> Result<(), RunError> {
    if broken.is_empty() || skip {
        return Ok(());
    }
    Err(RunError::Data(DataError::BrokenImages {
        dataset: dataset.to_string(),
        count: broken.len(),
        of,
        list: list(broken),
    }))
}

/// The first items that could not be read, with what is wrong.
pub(crate) fn list(broken: &[(usize, String)]) -> String {
    const FEW: usize = 5;
    let mut shown: Vec<&str> = broken.iter().take(FEW).map(|(_, what)| what.as_str()).collect();
    if broken.len() > FEW {
        shown.push("…");
    }
    shown.join("; ")
}

/// Writes a feature set from tables of all items and rows in item order, without those that could not be read.
#[expect(clippy::too_many_arguments, reason = "a part and a whole say the same eight things")]
fn join(
    held: &HeldFolder,
    dataset: &str,
    tables: &[(&'static str, Vec<u8>)],
    rows: &mut [Kept],
    total: usize,
    broken: Vec<(usize, String)>,
    precision: Precision,
    skip_broken: bool,
) -> Result<Finished, RunError> {
    refuse_broken(dataset, total, &broken, skip_broken)?;
    let left_out: BTreeSet<usize> = broken.iter().map(|(item, _)| *item).collect();
    let (dim, items) = (rows[0].dim(), total - left_out.len());
    if items == 0 {
        return Err(RunError::Data(DataError::BrokenImages {
            dataset: dataset.to_string(),
            count: total,
            of: total,
            list: list(&broken),
        }));
    }
    let mut files = Vec::new();
    for (name, bytes) in without(tables, &left_out) {
        files.push((name, held.grown(&bytes).map_err(failed(&held.path().join(name)))?));
    }
    let path = held.path().join(FOLDER_FILES[0]);
    let mut features = held.grown(&precision.header(items, dim)).map_err(failed(&path))?;
    let mut bytes = Vec::new();
    for kept in rows {
        kept.read(|row, values| {
            let Some(values) = values else { return Ok(()) };
            if let Some(value) = values.iter().find(|value| !precision.holds(**value)) {
                return Err(RunError::Request(format!(
                    "the network gives {value} for image {row}, beyond what is stored\nhint: --dtype f32 holds larger numbers"
                )));
            }
            bytes.clear();
            precision.push(&mut bytes, values);
            features.write_all(&bytes).map_err(failed(&path))
        })?;
    }
    files.push((FOLDER_FILES[0], features));
    files::persist_together(held, &FOLDER_FILES, files)?;
    Ok(Finished { items, dim, broken, animated: 0 })
}

/// The tables without some items, and without classes that have no others.
fn without(tables: &[(&'static str, Vec<u8>)], left_out: &BTreeSet<usize>) -> Vec<(&'static str, Vec<u8>)> {
    let [(items_name, items), (splits_name, splits), about, embeddings @ ..] = tables else {
        return tables.to_vec();
    };
    if left_out.is_empty() {
        return tables.to_vec();
    }
    let mut classes: BTreeMap<String, bool> = BTreeMap::new();
    let items = filtered(items, |row, class| {
        let stays = !left_out.contains(&row);
        *classes.entry(class.to_string()).or_default() |= stays;
        stays
    });
    let mut listed = Vec::new();
    let splits = filtered(splits, |_, class| {
        listed.push(classes.get(class).copied().unwrap_or(true));
        listed.last() == Some(&true)
    });
    let embeddings = embeddings.iter().map(|(name, matrix)| (*name, rows_of(matrix, &listed)));
    [(*items_name, items), (*splits_name, splits), about.clone()].into_iter().chain(embeddings).collect()
}

/// A .npy matrix in 32 bits with those of its rows that are `kept`.
fn rows_of(matrix: &[u8], kept: &[bool]) -> Vec<u8> {
    // Magic and version take 8 bytes, the length of the header two more.
    let begin = 10 + usize::from(u16::from_le_bytes([matrix[8], matrix[9]]));
    let (numbers, rows) = (&matrix[begin..], kept.len().max(1));
    let width = numbers.len() / rows;
    let count = kept.iter().filter(|kept| **kept).count();
    let mut out = Precision::F32.header(count, width / size_of::<f32>());
    let rows = numbers.chunks_exact(width.max(1)).zip(kept).filter(|(_, kept)| **kept);
    rows.for_each(|(row, _)| out.extend_from_slice(row));
    out
}

/// The lines of a .csv whose number and first column are wanted, below the same header.
fn filtered(table: &[u8], mut stays: impl FnMut(usize, &str) -> bool) -> Vec<u8> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(table);
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    for (line, record) in reader.records().flatten().enumerate() {
        if line == 0 || stays(line - 1, &record[0]) {
            // Memory takes lines of one length.
            let _ = writer.write_record(&record);
        }
    }
    writer.into_inner().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_items_and_classes_of_nothing_else_are_left_out_of_the_tables() {
        let tables = [
            ("items.csv", b"class,id\na,1\nb,2\na,\"3\n,\"\n".to_vec()),
            ("splits.csv", b"class,split\na,base\nb,novel\n".to_vec()),
            ("store.toml", b"x".to_vec()),
        ];
        let left: Vec<Vec<u8>> = without(&tables, &BTreeSet::from([1])).into_iter().map(|(_, b)| b).collect();
        assert_eq!(left[0], b"class,id\na,1\na,\"3\n,\"\n");
        assert_eq!(left[1], b"class,split\na,base\n");
        assert_eq!(without(&tables, &BTreeSet::new()), tables.to_vec());
        let matrix = |rows: usize, numbers: &[f32]| {
            let mut bytes = Precision::F32.header(rows, 2);
            bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
            ("class_embeddings.npy", bytes)
        };
        let tables = [&tables[..], &[matrix(2, &[1.0, 2.0, 3.0, 4.0])]].concat();
        assert_eq!(without(&tables, &BTreeSet::from([1]))[3], matrix(1, &[1.0, 2.0]));
    }

    #[test]
    fn the_first_broken_items_are_named() {
        let broken: Vec<(usize, String)> = (0..7).map(|item| (item, format!("f{item}"))).collect();
        assert_eq!(list(&broken), "f0; f1; f2; f3; f4; …");
        let said = refuse_broken("d", 9, &broken[..2], false).unwrap_err().to_string();
        assert!(said.starts_with("2 of 9 images of dataset `d` cannot be read: f0; f1\nhint: "), "{said}");
        assert!(refuse_broken("d", 9, &broken, true).is_ok());
    }
}
