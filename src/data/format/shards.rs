//! One table in one or more files of columns, also a folder of them.
//!
//! Of a folder the files that end in `.parquet`, `.arrow` or `.feather` are one table, in the order of their names.
//! Files that are called `train-…-of-…`, and folders of a `dataset_dict.json`, are parts of these names.

use std::path::{Path, PathBuf};

use super::written::Written;
use crate::data::{DataError, OpenOptions};

#[cfg(feature = "parquet")]
pub(super) use read::{features, labels};

const ENDINGS: [&str; 3] = ["parquet", "arrow", "feather"];

/// The files of a folder that are one table, with those of the folders in it that are its parts; none where it is no such.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = tables(folder);
    let inner = ["data", "train", "validation", "valid", "test"];
    if found.is_empty() {
        found = inner.iter().flat_map(|name| tables(&folder.join(name))).collect();
    }
    found
}

fn tables(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let is_table = |path: &PathBuf| {
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with(['.', '_']));
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        !hidden && path.is_file() && ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
    };
    // The library `datasets` keeps what it has computed beside what was saved.
    let is_cache =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("cache-"));
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    found.retain(|path| is_table(path) && !is_cache(path));
    found.sort();
    found
}

#[cfg(not(feature = "parquet"))]
pub(super) fn features(path: &Path, _: &[PathBuf], _: &OpenOptions) -> Result<Written, DataError> {
    Err(DataError::NoParquet { path: path.to_path_buf() })
}

#[cfg(feature = "parquet")]
mod read {
    use std::fs::File;

    use arrow_ipc::reader::StreamDecoder;
    use arrow_schema::Schema;
    use parquet::arrow::ProjectionMask;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::super::batches::Table;
    use super::super::header::{Others, Reading};
    use super::super::written::{Labels, Names};
    use super::{DataError, OpenOptions, Path, PathBuf, Written};
    use crate::data::Place;
    use crate::guard::guarded;

    /// The features of these files, which lie at `path`.
    pub(in crate::data::format) fn features(
        path: &Path,
        files: &[PathBuf],
        options: &OpenOptions,
    ) -> Result<Written, DataError> {
        let (table, parts) = read(files, Reading::of_features(options, b','))?;
        let mut written = table.written(path)?;
        if let Some(labels) = &mut written.labels
            && parts.names.len() > 1
            && !parts.names.contains(&String::new())
        {
            labels.part = Some(parts);
        }
        let name = |file: &PathBuf| file.strip_prefix(path).unwrap_or(file).display().to_string();
        if files.len() > 1 || files.first().is_some_and(|file| file != path) {
            written.files = files.iter().map(|file| (name(file), file.clone())).collect();
        }
        Ok(written)
    }

    /// Labels in a table of their own.
    pub(in crate::data::format) fn labels(path: &Path) -> Result<Labels, DataError> {
        read(&[path.to_path_buf()], Reading::of(Others::Labels))?.0.labels()
    }

    /// The table of the files, one behind the other, and the part that the name of its file gives each item.
    fn read(files: &[PathBuf], reading: Reading<'_>) -> Result<(Table, Names), DataError> {
        let (mut table, mut parts) = (None, Names::default());
        for file in files {
            let damaged = |what: String| DataError::Damaged { at: Place::file(file), what };
            let before = table.as_ref().map_or(0, Table::rows);
            guarded(|| read_file(file, reading, &mut table)).map_err(damaged)??;
            let part = part(file);
            let rows = table.as_ref().map_or(0, Table::rows) - before;
            (0..rows).for_each(|_| parts.push(&part));
        }
        let Some(table) = table else {
            let at = Place::file(files.first().map_or(Path::new(""), PathBuf::as_path));
            return Err(DataError::NoItems { at });
        };
        let parts = if table.has_part() { Names::default() } else { parts };
        Ok((table, parts))
    }

    fn read_file(path: &Path, reading: Reading<'_>, table: &mut Option<Table>) -> Result<(), DataError> {
        match path.extension() {
            Some(ending) if ending.eq_ignore_ascii_case("parquet") => parquet(path, reading, table),
            _ => arrow(path, reading, table),
        }
    }

    /// The part that the name of a file gives its items: `train-00000-of-00002.parquet`, `train/data-00000-of-00001.arrow`.
    fn part(file: &Path) -> String {
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let own = stem
            .split_once('-')
            .filter(|(_, rest)| rest.contains("-of-"))
            .map_or(stem.as_str(), |(own, _)| own);
        let folder = file.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let known = |name: &str| ["train", "validation", "valid", "dev", "test"].contains(&name);
        match folder {
            Some(folder) if known(&folder) => folder,
            _ if known(own) => own.to_string(),
            _ => String::new(),
        }
    }

    /// The table as the first of its files describes it.
    fn known<'t>(
        table: &'t mut Option<Table>,
        path: &Path,
        schema: &Schema,
        reading: Reading<'_>,
    ) -> Result<&'t mut Table, DataError> {
        let own = Table::new(path, schema, reading)?;
        match table {
            Some(first) if !first.is_like(&own) => {
                Err(DataError::Written { at: Place::file(path), what: first.other_columns(&own) })
            }
            _ => Ok(table.get_or_insert(own)),
        }
    }

    fn parquet(path: &Path, reading: Reading<'_>, table: &mut Option<Table>) -> Result<(), DataError> {
        let broken = |error: String| DataError::Damaged { at: Place::file(path), what: error };
        let file = File::open(path).map_err(DataError::unreadable_named(path))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| broken(e.to_string()))?;
        let table = known(table, path, builder.schema(), reading)?;
        let columns = ProjectionMask::roots(builder.parquet_schema(), table.read_columns());
        let batches = builder.with_projection(columns).with_batch_size(1 << 13).build();
        for batch in batches.map_err(|error| broken(error.to_string()))? {
            table.push(&batch.map_err(|error| broken(error.to_string()))?)?;
        }
        Ok(())
    }

    /// An Arrow file, or a stream of batches, which an Arrow file is a wrapping of.
    fn arrow(path: &Path, reading: Reading<'_>, table: &mut Option<Table>) -> Result<(), DataError> {
        let broken = |error: String| DataError::Damaged { at: Place::file(path), what: error };
        let bytes = std::fs::read(path).map_err(DataError::unreadable_named(path))?;
        if bytes.starts_with(b"FEA1") {
            let what = "a .feather file of version 1, which is not read; pandas writes version 2".to_string();
            return Err(DataError::Written { at: Place::file(path), what });
        }
        let stream = stream(&bytes).ok_or_else(|| broken("the file ends inside".to_string()))?;
        let mut rest = arrow_buffer::Buffer::from(stream);
        let mut decoder = StreamDecoder::new();
        let mut known = false;
        loop {
            let batch = decoder.decode(&mut rest).map_err(|error| broken(error.to_string()))?;
            if !known && let Some(schema) = decoder.schema() {
                self::known(table, path, &schema, reading)?;
                known = true;
            }
            let (Some(batch), Some(table)) = (batch, table.as_mut()) else { break };
            let taken = batch.project(&table.read_columns()).map_err(|error| broken(error.to_string()))?;
            table.push(&taken)?;
        }
        decoder.finish().map_err(|error| broken(error.to_string()))
    }

    /// The stream in the bytes of an Arrow file: what lies between its beginning, which zeros fill up, and its footer.
    fn stream(bytes: &[u8]) -> Option<&[u8]> {
        const MAGIC: &[u8] = b"ARROW1";
        if !bytes.starts_with(MAGIC) {
            return Some(bytes);
        }
        let (before, length) = bytes.strip_suffix(MAGIC)?.split_last_chunk::<4>()?;
        let footer = usize::try_from(i32::from_le_bytes(*length)).ok()?;
        let stream = before.get(MAGIC.len()..before.len().checked_sub(footer)?)?;
        let zeros = stream.iter().take_while(|byte| **byte == 0).count();
        Some(&stream[zeros..])
    }
}

#[cfg(all(test, feature = "parquet"))]
mod tests;
