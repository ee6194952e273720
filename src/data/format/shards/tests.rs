//! Tables in .parquet and Arrow files, written here as others write them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, Float32Builder, ListBuilder, PrimitiveBuilder};
use arrow_array::types::{Int32Type, UInt8Type};
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray,
};
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::Schema;
use parquet::arrow::ArrowWriter;
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::data::fixtures::{numbers, open, refusal};
use crate::data::{OpenOptions, Store};
use crate::vocab::{ItemId, Split};

type Columns<'a> = Vec<(&'a str, ArrayRef)>;

fn text(words: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(words.to_vec()))
}

fn floats(numbers: &[f32]) -> ArrayRef {
    Arc::new(Float32Array::from(numbers.to_vec()))
}

fn batch(columns: Columns<'_>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

/// Writes the columns as a .parquet file.
fn parquet_as(path: &Path, columns: &RecordBatch, compression: Compression) {
    let properties = WriterProperties::builder().set_compression(compression).build();
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, columns.schema(), Some(properties)).unwrap();
    writer.write(columns).unwrap();
    writer.close().unwrap();
}

fn parquet(at: &Path, columns: Columns<'_>) -> PathBuf {
    let path = at.join("s.parquet");
    parquet_as(&path, &batch(columns), Compression::UNCOMPRESSED);
    path
}

fn refused(columns: Columns<'_>) -> String {
    let place = tempfile::tempdir().unwrap();
    let path = parquet(place.path(), columns);
    refusal(place.path(), &path)
}

/// Four items of two classes with three numbers each.
fn small() -> RecordBatch {
    batch(vec![
        ("class", text(&["x", "y", "x", "y"])),
        ("f0", floats(&[1.0, 2.0, 3.0, 5.0])),
        ("f1", Arc::new(Float64Array::from(vec![0.5, 0.25, 0.0, 1.0]))),
        ("f2", Arc::new(Int64Array::from(vec![7, 8, 9, 7]))),
    ])
}

const SMALL: [f32; 12] = [1.0, 0.5, 7.0, 2.0, 0.25, 8.0, 3.0, 0.0, 9.0, 5.0, 1.0, 7.0];

#[test]
fn a_parquet_table_is_a_store_like_a_csv_table() {
    let place = tempfile::tempdir().unwrap();
    let categories: DictionaryArray<Int32Type> = vec!["x", "y", "x"].into_iter().collect();
    let path = parquet(
        place.path(),
        vec![
            ("a", floats(&[1.0, 2.0, 4.0])),
            ("class", Arc::new(categories)),
            ("group", Arc::new(Int64Array::from(vec![Some(7), None, Some(7)]))),
            ("part", Arc::new(BooleanArray::from(vec![true, false, true]))),
            ("split", text(&["base", "novel", "base"])),
            ("b", Arc::new(Float64Array::from(vec![0.5, 0.25, 0.125]))),
            ("__index_level_0__", Arc::new(Int64Array::from(vec![0, 1, 2]))),
        ],
    );
    let store = open(&path).unwrap();
    assert_eq!(numbers(&store), [1.0, 0.5, 2.0, 0.25, 4.0, 0.125]);
    let classes: Vec<_> = store.index().classes().iter().map(|c| (c.name.as_str(), c.split)).collect();
    assert_eq!(classes, [("x", Split::Base), ("y", Split::Novel)]);
    assert_eq!((store.index().group(ItemId(2)), store.index().part(ItemId(1))), (0, Some("False")));
    let said = store.warnings()[0].to_string();
    assert_eq!(said, "column `__index_level_0__` is not taken, features are the 2 columns `a` to `b`");
}

#[test]
fn every_compression_is_read_and_a_group_without_rows_adds_nothing() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("s.parquet");
    let kinds = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ];
    for compression in kinds {
        parquet_as(&path, &small(), compression);
        assert_eq!(numbers(&open(&path).unwrap()), SMALL, "{compression:?}");
    }
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), small().schema(), None).unwrap();
    for rows in [0..0, 0..2, 2..2, 2..4] {
        writer.write(&small().slice(rows.start, rows.len())).unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
    assert_eq!(numbers(&open(&path).unwrap()), SMALL);
    ArrowWriter::try_new(File::create(&path).unwrap(), small().schema(), None).unwrap().close().unwrap();
    assert_eq!(refusal(place.path(), &path), "s.parquet: no items");
}

#[test]
fn one_column_of_lists_is_the_features() {
    let place = tempfile::tempdir().unwrap();
    let rows = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]];
    let mut lists = ListBuilder::new(Float32Builder::new());
    let mut fixed = FixedSizeListBuilder::new(Float32Builder::new(), 2);
    for row in rows {
        lists.values().append_slice(&row);
        lists.append(true);
        fixed.values().append_slice(&row);
        fixed.append(true);
    }
    for list in [Arc::new(lists.finish()) as ArrayRef, Arc::new(fixed.finish())] {
        let columns =
            vec![("class", text(&["x", "y", "x"])), ("emb", list), ("size", floats(&[1.0, 2.0, 3.0]))];
        let store = open(&parquet(place.path(), columns)).unwrap();
        assert_eq!(numbers(&store), [1.0, 2.0, 3.0, 4.0, 5.0, 6.5]);
        let said = store.warnings()[0].to_string();
        assert_eq!(said, "column `size` is not taken, features are `emb` alone");
    }
    let mut ragged = ListBuilder::new(PrimitiveBuilder::<UInt8Type>::new());
    for row in [vec![1, 2], vec![3]] {
        ragged.values().append_slice(&row);
        ragged.append(true);
    }
    let refused = refused(vec![("class", text(&["x", "y"])), ("emb", Arc::new(ragged.finish()))]);
    assert_eq!(refused, "s.parquet `emb`: item 1 has a list of 1 numbers, expected 2 as in item 0");
}

#[test]
fn arrow_files_and_streams_are_read_as_pandas_and_datasets_write_them() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("s.feather");
    for compression in
        [None, Some(arrow_ipc::CompressionType::LZ4_FRAME), Some(arrow_ipc::CompressionType::ZSTD)]
    {
        let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
        let file = File::create(&path).unwrap();
        let mut writer = FileWriter::try_new_with_options(file, &small().schema(), options).unwrap();
        writer.write(&small().slice(0, 3)).unwrap();
        writer.write(&small().slice(3, 1)).unwrap();
        writer.finish().unwrap();
        assert_eq!(numbers(&open(&path).unwrap()), SMALL, "{compression:?}");
    }
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 8, 40, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(refusal(place.path(), &path).starts_with("s.feather: "), "{length}");
    }
    std::fs::write(&path, b"FEA1....").unwrap();
    assert!(refusal(place.path(), &path).contains("a .feather file of version 1, which is not read"));
}

/// Writes a stream as the library `datasets` does, with numbers for labels.
fn published(path: &Path, labels: &[i64], values: &[f32]) {
    let about = r#"{"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}"#;
    let mut lists = ListBuilder::new(Float32Builder::new());
    for row in values.chunks(2) {
        lists.values().append_slice(row);
        lists.append(true);
    }
    let columns: Columns =
        vec![("label", Arc::new(Int64Array::from(labels.to_vec()))), ("emb", Arc::new(lists.finish()))];
    let plain = batch(columns);
    let metadata = std::collections::HashMap::from([("huggingface".to_string(), about.to_string())]);
    let schema = Arc::new(Schema::new_with_metadata(plain.schema().fields().clone(), metadata));
    let batch = plain.with_schema(schema.clone()).unwrap();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer = StreamWriter::try_new(File::create(path).unwrap(), &schema).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
}

#[test]
fn a_folder_that_datasets_has_saved_is_one_table_of_named_classes() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("saved");
    published(&folder.join("data-00000-of-00002.arrow"), &[1, 0], &[1.0, 2.0, 3.0, 4.0]);
    published(&folder.join("data-00001-of-00002.arrow"), &[1], &[5.0, 6.0]);
    std::fs::write(folder.join("state.json"), "{}").unwrap();
    std::fs::write(folder.join("cache-0123.arrow"), "no table of ours").unwrap();
    let store = open(&folder).unwrap();
    assert_eq!(numbers(&store), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let names: Vec<&str> = store.index().classes().iter().map(|class| class.name.as_str()).collect();
    assert_eq!((store.name(), names), ("saved", vec!["dog", "cat"]));
    assert!(store.index().part_names().is_empty());

    let parts = place.path().join("parts");
    published(&parts.join("train/data-00000-of-00001.arrow"), &[1, 0], &[1.0, 2.0, 3.0, 4.0]);
    published(&parts.join("test/data-00000-of-00001.arrow"), &[0], &[5.0, 6.0]);
    let store = open(&parts).unwrap();
    let of = |item| store.index().part(ItemId(item));
    assert_eq!((of(0), of(1), of(2)), (Some("train"), Some("train"), Some("test")));

    let other = parts.join("test/data-00000-of-00001.arrow");
    parquet_as(&other.with_extension("parquet"), &small(), Compression::SNAPPY);
    std::fs::remove_file(other).unwrap();
    let refused = refusal(place.path(), &parts);
    assert!(
        refused.starts_with("parts/test/data-00000-of-00001.parquet: no column `emb`, which "),
        "{refused}"
    );
}

#[test]
fn a_parquet_table_that_is_no_store_is_refused() {
    let class = || ("class", text(&["x", "y"]));
    let missing = Arc::new(Float32Array::from(vec![Some(1.0), None]));
    assert_eq!(refused(vec![class(), ("f", missing)]), "s.parquet `f`: 1 of 2 values are missing");
    let unclear = refused(vec![class(), ("colour", text(&["red", "blue"])), ("f", floats(&[1.0, 2.0]))]);
    assert!(
        unclear
            .starts_with("s.parquet: which columns are features is not clear, `colour` is no number\nhint: "),
        "{unclear}"
    );
    let sentences =
        refused(vec![class(), ("text", text(&["how are you", "bye"])), ("label", floats(&[1.0, 2.0]))]);
    let words = "s.parquet: column `text` holds `how are you`, features are numbers alone\nhint: ";
    assert!(sentences.starts_with(words), "{sentences}");
    let beyond = refused(vec![class(), ("f", Arc::new(Float64Array::from(vec![1.0, 1e99])))]);
    assert!(
        beyond.starts_with("s.parquet: item 1 (class `y`) has a number beyond 32 bits in column 0"),
        "{beyond}"
    );
    let exact = refused(vec![class(), ("f", Arc::new(Int64Array::from(vec![1, (1 << 24) + 1])))]);
    assert_eq!(exact, "s.parquet `f`: item 1 has 16777217, which 32 bits cannot hold exactly");
    assert_eq!(refused(vec![class()]), "s.parquet: no features: every item needs at least one number");
    let none = refused(vec![("f", floats(&[1.0]))]);
    assert_eq!(none, "s.parquet: no column `class`, found `f`");
    let empty = refused(vec![
        ("class", Arc::new(StringArray::from(vec![Some("x"), None]))),
        ("f", floats(&[1.0, 2.0])),
    ]);
    assert_eq!(empty, "s.parquet: item 1 has an empty `class`");
    let real = refused(vec![("class", floats(&[1.0, 2.0])), ("f", floats(&[1.0, 2.0]))]);
    assert!(real.starts_with("s.parquet `class`: elements of type `Float32`, expected text"), "{real}");
}

#[test]
fn a_damaged_file_is_refused_and_never_a_panic() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("s.parquet");
    parquet_as(&path, &small(), Compression::SNAPPY);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(refusal(place.path(), &path).starts_with("s.parquet: damaged or cut short: "));
    // Whatever a changed byte makes of it, it is a store or a sentence.
    for (place, bit) in (0..whole.len()).step_by(3).zip([1u8, 0x80, 0x10].into_iter().cycle()) {
        let mut damaged = whole.clone();
        damaged[place] ^= bit;
        std::fs::write(&path, &damaged).unwrap();
        let _ = Store::open(&path, &OpenOptions::default());
    }
}
