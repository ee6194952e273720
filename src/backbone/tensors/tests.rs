//! Files that torch wrote, by `tests/fixtures/weights/make_fixture.py`, and damage to them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/weights").join(name)
}

fn expected(which: &str) -> BTreeMap<String, NamedTensor> {
    let text = std::fs::read_to_string(fixture("expected.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let numbers =
        |value: &Value| value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<_>>();
    let tensor = |value: &Value| NamedTensor {
        shape: numbers(&value["shape"]).iter().map(|size| *size as usize).collect(),
        values: numbers(&value["values"]).iter().map(|value| *value as f32).collect(),
    };
    all[which].as_object().unwrap().iter().map(|(name, value)| (name.clone(), tensor(value))).collect()
}

#[test]
fn every_file_of_the_same_network_gives_the_same_tensors() {
    let files =
        ["whole.safetensors", "zipped.pth", "legacy.pth", "checkpoint.pth", "model.safetensors.index.json"];
    for name in files {
        let found = read_tensors(&fixture(name)).unwrap();
        assert_eq!(found.tensors, expected("state"), "{name}");
        assert_eq!(found.integers, BTreeSet::from(["norm.num_batches_tracked".to_string()]), "{name}");
    }
    assert_eq!(read_tensors(&fixture("model.safetensors.index.json")).unwrap().files.len(), 3);
}

#[test]
fn views_of_storages_are_taken_apart() {
    for name in ["views.pth", "views-legacy.pth"] {
        assert_eq!(read_tensors(&fixture(name)).unwrap().tensors, expected("views"), "{name}");
    }
}

fn said(bytes: &[u8], name: &str) -> String {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let error = read_tensors(&path).unwrap_err().to_string();
    error.replace(&format!("{}/", place.path().display()), "")
}

#[test]
fn a_pickle_that_would_call_something_is_refused_by_its_name() {
    let error = read_tensors(&fixture("module.pth")).unwrap_err().to_string();
    assert!(error.ends_with("it would call `torch.nn.modules.container.Sequential`"), "{error}");
    let magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
    let evil = [magic.as_slice(), b"cos\nsystem\nX\x02\x00\x00\x00ls\x85R."].concat();
    assert_eq!(said(&evil, "w.pth"), "w.pth: it would call `os.system`");
    let nested = [magic.as_slice(), b"N", &[0x85; 1 << 20]].concat();
    assert_eq!(said(&nested, "w.pth"), "w.pth: it ends early");
    let long = [magic.as_slice(), b"X\xff\xff\xff\x7f"].concat();
    assert_eq!(said(&long, "w.pth"), "w.pth: it describes its tensors in more than 16777216 bytes");
}

#[test]
fn half_of_every_file_is_refused() {
    for name in ["whole.safetensors", "zipped.pth", "legacy.pth", "views.pth", "views-legacy.pth"] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        for end in [1, 9, bytes.len() / 3, bytes.len() / 2, bytes.len() - 9] {
            let error = said(&bytes[..end], name);
            assert!(error.starts_with(&format!("{name}: ")), "{name} to {end}: {error}");
        }
    }
}

#[test]
fn other_files_are_told_with_the_way_on() {
    assert_eq!(said(b"", "w.pth"), "w.pth: the file is empty");
    assert!(
        said(b"hello, this is text", "w.bin")
            .starts_with("w.bin: neither safetensors nor a file of torch.save\nhint: ")
    );
    let keras = said(b"\x89HDF\r\n\x1a\n and so on", "w.h5");
    assert!(
        keras.starts_with("w.h5: HDF5, as Keras writes weights, is not read\nhint: convert it"),
        "{keras}"
    );
    assert!(keras.contains("import h5py") && keras.contains("save_file("));
    let missing = read_tensors(Path::new("nowhere.pth")).unwrap_err().to_string();
    assert_eq!(missing, "nowhere.pth: no such file\nhint: weights are a .safetensors, .pth or .pt file");
    let index = said(br#"{"weight_map": {"a": "../b.safetensors"}}"#, "m.index.json");
    assert_eq!(
        index,
        "m.index.json: `weight_map` names \"../b.safetensors\" for `a`, expected a file beside it"
    );
}

#[test]
fn sizes_are_believed_no_further_than_the_file_reaches() {
    let header = br#"{"a":{"dtype":"F32","shape":[1000000000],"data_offsets":[0,4000000000]}}"#;
    let claim = [&(header.len() as u64).to_le_bytes(), header.as_slice()].concat();
    assert_eq!(
        said(&claim, "w.safetensors"),
        "w.safetensors: damaged or cut short: `a` ends behind the file"
    );
    let nan = br#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  "#;
    let nan = [&(nan.len() as u64).to_le_bytes(), nan.as_slice(), &f32::NAN.to_le_bytes()].concat();
    assert_eq!(said(&nan, "w.safetensors"), "w.safetensors: `a` holds NaN, weights must be finite numbers");
}
