//! Feature stores that are one file, and what is wrong with them.

use std::fs;
use std::io::Write;

use zip::write::SimpleFileOptions;

use super::place::{Place, npy, numbers};

fn refused(name: &str, bytes: impl AsRef<[u8]>, sentence: &str) {
    let place = Place::new();
    place.write(name, bytes);
    place.refuses(3, &format!("evaluate p.toml --features {name} --out out"), sentence);
}

fn table(lines: &str, sentence: &str) {
    refused("a.csv", lines, sentence);
}

#[test]
fn an_empty_file_is_refused() {
    for name in ["a.csv", "a.npz", "a.safetensors"] {
        refused(name, "", &format!("{name}: the file is empty"));
    }
}

#[test]
fn a_field_that_is_no_number_is_refused_with_line_and_column() {
    table("class,f0,f1\na,1,2\na,x,2\n", "a.csv line 3: column `f0` must be a number, got `x`");
    table("class,f0,f1\na,1,2\na,1,\n", "a.csv line 3: column `f1` must be a number, got ``");
}

#[test]
fn a_number_in_a_table_that_is_not_finite_is_refused() {
    for (number, found) in [("nan", "nan"), ("inf", "inf"), ("1e400", "1e400")] {
        let sentence = format!(
            "a.csv line 3: item 1 (class `a`) has {found} in column `f0`, features must be finite 32-bit numbers"
        );
        table(&format!("class,f0\na,1\na,{number}\n"), &sentence);
    }
}

#[test]
fn a_ragged_line_of_a_table_is_refused() {
    table("class,f0,f1\na,1,2\na,1\n", "a.csv line 3: expected 3 fields, found 2");
}

#[test]
fn a_table_without_features_classes_or_lines_is_refused() {
    table("class,id\na,1\n", "a.csv: no features: every item needs at least one number");
    table("f0,f1\n1,2\n", "a.csv: no column `class`, found `f0`, `f1`");
    table("class,f0\n", "a.csv: no items");
}

#[test]
fn columns_of_one_name_or_of_none_are_refused() {
    table("class,f0,f0\na,1,2\n", "a.csv: column `f0` appears twice");
    table("class,,\na,1,2\n", "a.csv: column `` appears twice");
}

#[test]
fn a_class_of_a_table_in_two_splits_is_refused() {
    let sentence = "a.csv line 3: class `a` is in two splits, base and novel";
    table("class,split,f0\na,base,1\na,novel,2\n", sentence);
    let sentence =
        "a.csv line 2: unknown split `test`, expected one of `base`, `validation`, `novel`, `oos`\nhint: …";
    table("class,split,f0\na,test,1\n", sentence);
}

#[test]
fn a_table_that_is_not_utf8_is_refused() {
    refused("a.csv", b"class,f0\n\xff,1\n", "a.csv line 2: the text is not UTF-8");
}

/// An archive of arrays.
fn archive(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in members {
        archive.start_file(format!("{name}.npy"), options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn matrix(rows: usize, dim: usize) -> Vec<u8> {
    let body: Vec<u8> = numbers(rows * dim).iter().flat_map(|v| v.to_le_bytes()).collect();
    npy("<f4", &format!("({rows}, {dim})"), &body)
}

fn codes(codes: &[i64]) -> Vec<u8> {
    let body: Vec<u8> = codes.iter().flat_map(|code| code.to_le_bytes()).collect();
    npy("<i8", &format!("({},)", codes.len()), &body)
}

#[test]
fn a_damaged_archive_is_refused() {
    refused("a.npz", "hello", "a.npz: damaged or cut short: invalid Zip archive…");
    let whole = archive(&[
        ("features", matrix(2, 2)),
        ("class", codes(&[0, 0])),
        ("classes", npy("<U1", "(1,)", b"a\0\0\0")),
    ]);
    refused("a.npz", &whole[..whole.len() / 2], "a.npz: damaged or cut short: …");
    let mut changed = whole.clone();
    let body = whole.windows(4).position(|bytes| bytes == numbers(1)[0].to_le_bytes()).unwrap();
    changed[body] ^= 1;
    refused("a.npz", changed, "a.npz `features`: damaged or cut short: …");
}

#[test]
fn an_archive_without_classes_is_refused() {
    let sentence = "a.npz: no `class`, expected the class of every item, as text, numbers or codes into `classes`; or --labels FILE";
    refused("a.npz", archive(&[("features", matrix(2, 2))]), sentence);
}

#[test]
fn an_array_that_nobody_reads_is_refused() {
    let sentence = "a.npz: unknown array `mood`, expected one of `features`, `class`, `classes`, `part`, `group`, `id`, \
                    `class_split`, `class_embeddings`";
    refused("a.npz", archive(&[("mood", matrix(2, 2))]), sentence);
}

/// A .safetensors file of this header.
fn tensors(header: &str, body: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), body].concat()
}

#[test]
fn damaged_tensors_are_refused() {
    let sentence = "a.safetensors: damaged or cut short: the file ends inside its header";
    refused("a.safetensors", "hello", sentence);
    refused("a.safetensors", u64::MAX.to_le_bytes(), sentence);
    let header = r#"{"features":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}"#;
    let whole = tensors(header, &[0; 8]);
    let sentence = format!(
        "a.safetensors: damaged or cut short: {} bytes, its header promises {}",
        whole.len() - 1,
        whole.len()
    );
    refused("a.safetensors", &whole[..whole.len() - 1], &sentence);
    refused("a.safetensors", tensors("{", &[]), "a.safetensors: damaged or cut short: the header: …");
}

#[test]
fn tensors_without_class_names_are_refused() {
    let header = r#"{"features":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}"#;
    let sentence = "a.safetensors: no `class`, expected a tensor (items) of whole numbers; or --labels FILE";
    refused("a.safetensors", tensors(header, &[0; 8]), sentence);
}

#[test]
fn tensors_without_classes_of_items_are_refused() {
    let header = r#"{"__metadata__":{"classes":"[\"a\"]"},"features":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}"#;
    let sentence = "a.safetensors: no `class`, expected a tensor (items) of whole numbers; or --labels FILE";
    refused("a.safetensors", tensors(header, &[0; 8]), sentence);
}

#[test]
fn a_class_code_without_a_name_is_refused() {
    let header = r#"{"__metadata__":{"classes":"[\"a\"]"},"features":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"class":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}}"#;
    let sentence =
        "a.safetensors `class`: item 0 has class code 3, and `classes` has 1 names, counted from 0";
    refused("a.safetensors", tensors(header, &[[0; 8], 3i64.to_le_bytes()].concat()), sentence);
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_is_refused_by_a_build_without_it() {
    let place = Place::new();
    place.write("a.parquet", "PAR1");
    let sentence = "a.parquet: this kshot was built without parquet\nhint: build it with `--features parquet`, or save the table as .csv";
    place.refuses(2, "evaluate p.toml --features a.parquet", sentence);
}

#[test]
fn the_same_numbers_in_every_form_give_the_same_tables() {
    let place = Place::new();
    let numbers = numbers(108);
    let mut lines = "class,f0,f1,f2\n".to_string();
    for (row, values) in numbers.chunks(3).enumerate() {
        lines += &format!("c{},{},{},{}\n", row / 6, values[0], values[1], values[2]);
    }
    place.write("store.csv", lines);
    let of_items: Vec<i64> = (0..36).map(|row| row / 6).collect();
    let names: Vec<u8> = ["c0", "c1", "c2", "c3", "c4", "c5"]
        .iter()
        .flat_map(|name| name.chars())
        .flat_map(|c| (c as u32).to_le_bytes())
        .collect();
    let npz = archive(&[
        ("features", matrix(36, 3)),
        ("class", codes(&of_items)),
        ("classes", npy("<U2", "(6,)", &names)),
    ]);
    place.write("store.npz", npz);
    let header = r#"{"__metadata__":{"classes":"[\"c0\",\"c1\",\"c2\",\"c3\",\"c4\",\"c5\"]"},"features":{"dtype":"F32","shape":[36,3],"data_offsets":[0,432]},"class":{"dtype":"I64","shape":[36],"data_offsets":[432,720]}}"#;
    let body: Vec<u8> = numbers
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .chain(of_items.iter().flat_map(|c| c.to_le_bytes()))
        .collect();
    place.write("store.safetensors", tensors(header, &body));
    for (out, features) in
        [("a", "store"), ("b", "store.csv"), ("c", "store.npz"), ("d", "store.safetensors")]
    {
        place.done(&format!("evaluate p.toml --features {features} --out {out}"));
        for file in ["draw.csv", "outcomes.csv", "episodes.csv", "bins.csv"] {
            let (first, this) = (place.path(&format!("a/{file}")), place.path(&format!("{out}/{file}")));
            assert!(fs::read(first).unwrap() == fs::read(this).unwrap(), "{file} of {features}");
        }
    }
}
