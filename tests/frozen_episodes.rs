//! Every frozen draw is what its protocol draws, byte for byte.
//!
//! Draws in `episodes/` are files; the others are known by their hash. Those of datasets that are not embedded need the
//! folder `data` in the folder of the variable KSHOT_SHARED, or in `../shared`; where it is absent, the output says SKIPPED.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use kshot::protocol::Protocol;

/// The draws that were made elsewhere, which no seed draws.
const ELSEWHERE: [&str; 1] = ["omniglot-one-shot-runs"];

/// The folder of datasets, where it is there.
fn data() -> Option<PathBuf> {
    let root = std::env::var_os("KSHOT_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    Some(root.join("data")).filter(|data| data.join("omniglot").exists())
}

/// Says on the terminal itself, past the capture of tests, that something was not done.
fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: no data/omniglot for {what}; set KSHOT_SHARED");
}

/// kshot in a folder, with pixels kept where the next test run finds them.
fn kshot(folder: &Path) -> Command {
    let mut kshot = Command::new(env!("CARGO_BIN_EXE_kshot"));
    kshot.current_dir(folder).env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    kshot
}

fn protocols() -> Vec<(PathBuf, Protocol)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocols");
    let path = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().path();
    fs::read_dir(folder)
        .unwrap()
        .map(path)
        .map(|path| (path.clone(), Protocol::read(path).unwrap()))
        .collect()
}

#[test]
fn every_frozen_draw_equals_its_redraw() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = tempfile::tempdir().unwrap();
    let mut files = BTreeSet::from(ELSEWHERE.map(|name| format!("{name}.csv")));
    let mut of_data = Vec::new();
    for (path, protocol) in protocols() {
        let Some(sha256) = protocol.draw_sha256() else { continue };
        let file = format!("{}.csv", protocol.name());
        let frozen = root.join("episodes").join(&file);
        if ELSEWHERE.contains(&protocol.name()) {
            continue;
        }
        if !frozen.exists() && protocol.dataset().is_some_and(|name| name.starts_with("omniglot")) {
            of_data.push((path, protocol.count(), file, sha256.to_string()));
            continue;
        }
        let output = kshot(place.path()).arg("sample").arg(&path).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let line =
            format!("episodes/{file}: {} episodes, written\nsha256 = \"{sha256}\"\n", protocol.count());
        assert_eq!((said, output.status.code()), (line, Some(0)));
        if !frozen.exists() {
            continue;
        }
        let redrawn = fs::read(place.path().join("episodes").join(&file)).unwrap();
        assert!(redrawn == fs::read(frozen).unwrap(), "{file} differs");
        files.insert(file);
    }
    let frozen: BTreeSet<String> = fs::read_dir(root.join("episodes"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files, frozen, "a draw without a protocol that names it");

    assert_eq!(of_data.len(), 10);
    let Some(data) = data() else { return skipped("the draws of Omniglot") };
    let mut sample = kshot(place.path());
    sample.arg("sample").args(of_data.iter().map(|(path, ..)| path)).arg("--data").arg(data);
    let output = sample.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: String = of_data
        .iter()
        .map(|(_, count, file, sha256)| {
            format!("episodes/{file}: {count} episodes, written\nsha256 = \"{sha256}\"\n")
        })
        .collect();
    assert_eq!((said, output.status.code()), (lines, Some(0)));
}

#[test]
fn the_one_shot_runs_fit_their_protocol_and_the_drawings() {
    let Some(data) = data() else { return skipped("the one-shot runs") };
    let place = tempfile::tempdir().unwrap();
    let mut check = kshot(place.path());
    let output = check.args(["check", "omniglot-one-shot-runs", "--data"]).arg(data).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let start = "omniglot-one-shot-runs: protocol, draw and data agree (20 episodes, sha256 ";
    assert!(said.starts_with(start), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
