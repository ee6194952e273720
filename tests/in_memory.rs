//! What a program evaluates in memory is byte for byte what the command line writes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use kshot::data::Parts;
use kshot::protocol::Protocol;
use kshot::run::{Features, Run};

const ITEMS: usize = 60;
const DIM: usize = 3;

fn rows() -> Vec<f32> {
    (0..ITEMS * DIM).map(|n| ((n * 37) as f32 * 0.7).sin() + (n / DIM % 6) as f32 * 0.4).collect()
}

fn labels() -> Vec<String> {
    (0..ITEMS).map(|item| format!("class {}", item % 6)).collect()
}

fn ids() -> Vec<String> {
    (0..ITEMS).map(|item| format!("row:{item}")).collect()
}

/// The same features as files.
fn write(folder: &Path) {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({ITEMS}, {DIM}), }}");
    let header = format!("{header:<117}\n");
    let mut npy = b"\x93NUMPY\x01\x00".to_vec();
    npy.extend((header.len() as u16).to_le_bytes());
    npy.extend(header.as_bytes());
    rows().iter().for_each(|value| npy.extend(value.to_le_bytes()));
    fs::create_dir(folder).unwrap();
    fs::write(folder.join("features.npy"), npy).unwrap();
    let items: String = labels().iter().zip(ids()).map(|(class, id)| format!("{class},{id}\n")).collect();
    fs::write(folder.join("items.csv"), format!("class,id\n{items}")).unwrap();
}

fn protocol() -> Protocol {
    Protocol::episodes().name("mine").way(5).shots([1, 3]).query(4).count(50).seed(7).build().unwrap()
}

#[test]
fn a_run_in_memory_writes_the_bytes_of_the_command_line() {
    let place = tempfile::tempdir().unwrap();
    write(&place.path().join("features"));
    fs::write(place.path().join("mine.toml"), protocol().to_toml()).unwrap();
    let command = std::process::Command::new(env!("CARGO_BIN_EXE_kshot"))
        .current_dir(place.path())
        .args(
            "evaluate mine.toml --features features --learner ridge --learner Near=k-nn:k=3 --out line"
                .split(' '),
        )
        .output()
        .unwrap();
    assert!(command.status.success(), "{}", String::from_utf8_lossy(&command.stderr));

    let parts = Parts {
        name: "features".to_string(),
        values: rows(),
        dim: DIM,
        class: labels(),
        id: ids(),
        ..Parts::default()
    };
    let run = || {
        let features = Features::from_parts(parts.clone()).unwrap();
        Run::new(protocol()).features(features).learners(["ridge", "Near=k-nn:k=3"]).unwrap()
    };
    let out = place.path().join("memory");
    let written = run().write(&out).evaluate().unwrap();
    let mut names: Vec<String> = fs::read_dir(place.path().join("line"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "run.json" && !name.starts_with('.'))
        .collect();
    names.sort();
    assert!(
        names.contains(&"summary.csv".to_string()) && names.contains(&"draw.csv".to_string()),
        "{names:?}"
    );
    for name in names {
        let read = |folder: &str| fs::read(place.path().join(folder).join(&name)).unwrap();
        assert!(read("line") == read("memory"), "{name} differs");
    }
    // Without a folder the same numbers, and nothing is left behind.
    let done = run().evaluate().unwrap();
    assert_eq!(done.summary(), written.summary());
    assert!(String::from_utf8_lossy(&command.stdout).starts_with(&done.table()));
    let comparison = done.compare().baseline("Near").margin(1.0).run().unwrap();
    assert!(comparison.text().contains("features+ridge"), "{}", comparison.text());
    assert!(done.compare().page(None).unwrap().html.starts_with("<!DOCTYPE html>"));
    let folder = done.folder().to_path_buf();
    assert!(folder.exists());
    drop(done);
    assert!(!folder.exists());
}
