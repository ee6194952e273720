//! Feature stores that are folders, and what is wrong with them.

use std::fs;

use super::place::{Place, npy, numbers, skipped};

const RUN: &str = "evaluate p.toml --features store --out out";

/// Refused as wrong data, with this sentence.
fn refused(place: &Place, sentence: &str) {
    place.refuses(3, RUN, sentence);
}

/// The store with one of its files replaced.
fn with(name: &str, bytes: impl AsRef<[u8]>) -> Place {
    let place = Place::new();
    place.write(&format!("store/{name}"), bytes);
    place
}

fn features(descr: &str, shape: &str, body: &[u8]) -> Place {
    with("features.npy", npy(descr, shape, body))
}

/// The store with one of its numbers replaced.
fn with_number(number: f32) -> Place {
    let mut all = numbers(108);
    all[10] = number;
    features("<f4", "(36, 3)", &all.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>())
}

fn with_splits(lines: &str) -> Place {
    with("splits.csv", format!("class,split\n{lines}"))
}

#[test]
fn a_path_that_leads_nowhere_is_refused_with_the_forms_there_are() {
    let sentence = "nowhere: no such file or folder\nhint: features are a folder with features.npy and items.csv, or with \
                    .parquet or .arrow files, a .npz archive, a .safetensors file, a .csv table, a .tsv table, a .parquet table, \
                    a .feather table, an .arrow table, a .mat file with `features` and `labels`, a .npy file with --labels FILE, or an embedded dataset: `glyphs`, `gaussian`";
    let place = Place::new();
    for verb in ["evaluate", "sample", "check"] {
        place.refuses(3, &format!("{verb} p.toml --features nowhere"), sentence);
    }
}

#[test]
fn an_empty_folder_is_refused() {
    let place = Place::new();
    fs::create_dir(place.path("empty")).unwrap();
    let sentence = "empty: cannot be read as features, the folder has no features.npy\nhint: features are a folder with …";
    place.refuses(3, "evaluate p.toml --features empty", sentence);
}

#[test]
fn a_file_of_no_known_form_is_refused() {
    let place = Place::new();
    let sentence = "p.toml: cannot be read as features, the name ends in none of the known ways\nhint: …";
    place.refuses(3, "evaluate p.toml --features p.toml", sentence);
    let sentence = "store/features.npy: a .npy file alone has no classes\nhint: …";
    place.refuses(3, "evaluate p.toml --features store/features.npy", sentence);
}

#[test]
fn empty_files_are_refused() {
    refused(&with("features.npy", ""), "store/features.npy: the file is empty");
    refused(&with("items.csv", ""), "store/items.csv: the file is empty");
    refused(&with("splits.csv", ""), "store/splits.csv: the file is empty");
}

#[test]
fn nan_is_refused_with_item_and_column() {
    let sentence =
        "store/features.npy: item 3 (class `c0`) has NaN in column 1, features must be finite 32-bit numbers";
    refused(&with_number(f32::NAN), sentence);
}

#[test]
fn infinity_is_refused_with_item_and_column() {
    let sentence = "store/features.npy: item 3 (class `c0`) has -inf in column 1, features must be finite 32-bit numbers";
    refused(&with_number(f32::NEG_INFINITY), sentence);
}

#[test]
fn a_number_beyond_32_bits_is_refused() {
    let body: Vec<u8> = (0..108).flat_map(|i| (f64::from(i) * 1e37).to_le_bytes()).collect();
    let sentence =
        "store/features.npy: item 11 (class `c1`) has a number beyond 32 bits in column 2, features …";
    refused(&features("<f8", "(36, 3)", &body), sentence);
}

#[test]
fn a_number_of_rows_that_differs_from_the_items_is_refused() {
    let place = with("items.csv", "class\nc0\nc1\n");
    refused(&place, "store/items.csv: 2 rows, expected 36 as in store/features.npy");
}

#[test]
fn a_matrix_that_ends_early_is_refused() {
    let place = features("<f4", "(36, 3)", &[1; 400]);
    let sentence =
        "store/features.npy: damaged or cut short: 528 bytes, its header promises 560 (36 rows of 3)";
    refused(&place, sentence);
}

#[test]
fn a_matrix_that_is_none_is_refused() {
    let sentence = "store/features.npy: damaged or cut short: it does not begin like a .npy file";
    refused(&with("features.npy", "1,2,3\n4,5,6\n"), sentence);
}

#[test]
fn a_matrix_in_fortran_order_is_refused_with_the_remedy() {
    let place = Place::new();
    let bytes = fs::read(place.path("store/features.npy")).unwrap();
    let text: Vec<u8> = bytes.iter().map(|b| if b.is_ascii() { *b } else { b'?' }).collect();
    let at = String::from_utf8(text).unwrap().find("False").unwrap();
    let bytes = [&bytes[..at], b"True ", &bytes[at + 5..]].concat();
    place.write("store/features.npy", bytes);
    let sentence = "store/features.npy: the array is in Fortran order, expected C order\nhint: save numpy.ascontiguousarray(features)";
    refused(&place, sentence);
}

#[test]
fn whole_numbers_are_features_where_they_are_exact() {
    let numbers = |large: i64| -> Vec<u8> {
        (0..108i64).map(|n| if n == 50 { large } else { n }).flat_map(i64::to_le_bytes).collect()
    };
    let place = features("<i8", "(36, 3)", &numbers(7));
    place.done("evaluate p.toml --features store --learner prototypical --out out");
    refused(&features("<i8", "(36, 3)", &numbers((1 << 24) + 1)), "store/features.npy: …");
}

#[test]
fn shapes_that_are_no_matrix_are_refused() {
    let cube = "store/features.npy: an array of shape (36, 1, 3), expected two axes (items, dim)";
    refused(&features("<f4", "(36, 1, 3)", &[0; 432]), cube);
    let flat = "store/features.npy: no features: every item needs at least one number";
    refused(&features("<f4", "(36, 0)", &[]), flat);
    refused(&features("<f4", "(0, 3)", &[]), "store/features.npy: no items");
    let huge = "store/features.npy: an array of shape (18446744073709551615, 9), expected one that fits this machine's \
                memory addresses";
    refused(&features("<f4", "(18446744073709551615, 9)", &[]), huge);
}

#[test]
fn a_promise_of_more_rows_than_there_are_takes_no_memory() {
    let sentence = "store/features.npy: damaged or cut short: 128 bytes, its header promises 4000000000128 (1000000000 \
                    rows of 1000)";
    refused(&features("<f4", "(1000000000, 1000)", &[]), sentence);
}

#[test]
fn items_without_classes_are_refused() {
    refused(&with("items.csv", "id,part\na,b\n"), "store/items.csv: no column `class`, found `id`, `part`");
    let sentence = "store/items.csv line 3: item 1 has an empty `class`";
    refused(&with("items.csv", "class,id\nc0,a\n,b\n"), sentence);
}

#[test]
fn a_column_that_nobody_reads_is_refused_with_the_known_ones() {
    let sentence = "store/items.csv: unknown column `video`, expected one of `class`, `part`, `group`, `id`";
    refused(&with("items.csv", "class,video\nc0,1\n"), sentence);
}

#[test]
fn text_that_is_not_utf8_is_refused_with_the_line() {
    refused(&with("items.csv", b"class\nc0\nc\xff\n"), "store/items.csv line 3: the text is not UTF-8");
    refused(&with("store.toml", b"backbone = \"\xff\""), "store/store.toml: the text is not UTF-8");
}

#[test]
fn a_ragged_line_is_refused() {
    let sentence = "store/items.csv line 3: expected 2 fields, found 1";
    refused(&with("items.csv", "class,id\nc0,a\nc0\n"), sentence);
}

#[test]
fn an_unknown_split_is_refused_with_the_known_ones() {
    let sentence = "store/splits.csv line 2: unknown split `train`, expected one of `base`, `validation`, `novel`, `oos`\nhint: a split is one of whole classes; …";
    refused(&with_splits("c0,train\n"), sentence);
}

#[test]
fn a_class_in_the_splits_that_no_item_has_is_refused() {
    refused(&with_splits("c0,base\nowl,base\n"), "store/splits.csv line 3: class `owl` has no items");
}

#[test]
fn a_class_listed_twice_is_refused() {
    refused(&with_splits("c0,base\nc0,base\n"), "store/splits.csv line 3: class `c0` is listed twice");
}

#[test]
fn a_class_in_two_splits_is_refused() {
    let sentence = "store/splits.csv line 3: class `c0` is in two splits, base and novel";
    refused(&with_splits("c0,base\nc0,novel\n"), sentence);
}

#[test]
fn a_class_without_a_split_is_refused() {
    let sentence = "store/splits.csv: class `c1` has items and no split\nhint: list every class, or leave the splits out altogether";
    refused(&with_splits("c0,novel\n"), sentence);
}

#[test]
fn an_unknown_key_in_store_toml_is_refused_with_the_known_ones() {
    let sentence = "store/store.toml line 2: unknown field `saw`, expected one of `backbone`, `trained_on`, `saw_classes`, `saw_splits`, `form`, `weights_sha256`, `seed_train`, `truncated`, `preprocessing`, `class_embeddings`";
    refused(&with("store.toml", "backbone = \"net\"\nsaw = \"all\"\n"), sentence);
    let sentence = "store/store.toml: unknown value of saw_classes `maybe`, expected one of `none`, `some`, `all`, `unknown`";
    refused(&with("store.toml", "saw_classes = \"maybe\"\n"), sentence);
}

#[test]
fn class_vectors_that_do_not_fit_are_refused() {
    let with_order = |bytes: Vec<u8>| {
        let place = with("class_embeddings.npy", bytes);
        place.write(
            "store/splits.csv",
            "class,split\nc0,novel\nc1,novel\nc2,novel\nc3,novel\nc4,novel\nc5,novel\n",
        );
        place
    };
    let place = with_order(npy("<f4", "(2, 1)", &[0; 8]));
    refused(&place, "store/class_embeddings.npy: 2 rows, expected 6 as in store/splits.csv");
    let numbers = [1.0, 2.0, f32::NAN, 4.0, 5.0, 6.0].map(f32::to_le_bytes).concat();
    let place = with_order(npy("<f4", "(6, 1)", &numbers));
    refused(
        &place,
        "store/class_embeddings.npy: the embedding of class `c2` has NaN in column 0, class embeddings must be finite\nhint: …",
    );
    let place = with_order(npy("<f4", "(6, 0)", &[]));
    refused(
        &place,
        "store/class_embeddings.npy: class embeddings without numbers, every class needs at least one",
    );
}

#[test]
fn a_link_to_splits_that_are_not_there_is_refused() {
    let place = Place::new();
    std::os::unix::fs::symlink("nowhere", place.path("store/splits.csv")).unwrap();
    let sentence = "store/splits.csv: cannot be read: No such file or directory (os error 2)";
    refused(&place, sentence);
}

#[test]
fn a_folder_in_place_of_a_file_is_refused() {
    let place = Place::new();
    fs::create_dir(place.path("store/splits.csv")).unwrap();
    refused(&place, "store/splits.csv: cannot be read: Is a directory (os error 21)");
}

#[test]
fn a_file_without_permission_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let file = place.path("store/features.npy");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&file).is_ok() {
        return skipped("a_file_without_permission_is_refused", "this user may read every file");
    }
    refused(&place, "store/features.npy: cannot be read: Permission denied (os error 13)");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_store_and_nobody_waits_for_it() {
    let place = Place::new();
    for name in ["pipe.csv", "store/splits.csv"] {
        let made = std::process::Command::new("mkfifo").arg(place.path(name)).status();
        if !made.is_ok_and(|status| status.success()) {
            return skipped("a_pipe_is_no_store_and_nobody_waits_for_it", "this system has no mkfifo");
        }
    }
    let refused = |features: &str, sentence: &str| {
        let ran = place.run(&format!("evaluate p.toml --features {features} --out out"));
        assert_eq!((ran.code, ran.err.trim_end()), (3, sentence));
    };
    refused("pipe.csv", "error: pipe.csv is not a file, features are read from files");
    refused("store", "error: store/splits.csv is not a file, features are read from files");
}

#[test]
fn evaluated_items_that_are_base_items_are_warned_of() {
    let place = Place::empty();
    let row =
        |class: usize, item: usize| format!("{},{}", (class * 7 + item) as f32 * 0.37 % 3.0, class * item);
    let mut text = "class,split,f0,f1\n".to_string();
    for (name, split, of) in [("a", "base", 0), ("b", "base", 1), ("c", "novel", 0), ("d", "novel", 2)] {
        (1..7).for_each(|item| text += &format!("{name},{split},{}\n", row(of + 1, item)));
    }
    place.write("f.csv", text);
    let run =
        "evaluate any-5way-1shot --features f.csv --way 2 --query 2 --episodes 100 --learner k-nn --out o";
    let ran = place.done(run);
    let said = "6 items of the evaluated classes of f are bit for bit items of classes that are seen before";
    assert!(ran.err.contains(said), "{}", ran.err);
    assert!(place.read("o/run.json").contains("shared-with-seen"));
}
