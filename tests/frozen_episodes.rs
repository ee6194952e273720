//! Every draw in `episodes/` is what its protocol draws, byte for byte.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use kshot::protocol::Protocol;

#[test]
fn every_frozen_draw_equals_its_redraw() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = tempfile::tempdir().unwrap();
    let mut redrawn = BTreeSet::new();
    for entry in fs::read_dir(root.join("protocols")).unwrap() {
        let path = entry.unwrap().path();
        let protocol = Protocol::read(&path).unwrap();
        let Some(sha256) = protocol.draw_sha256() else { continue };
        let file = format!("{}.csv", protocol.name());
        let mut kshot = Command::new(env!("CARGO_BIN_EXE_kshot"));
        let output = kshot.current_dir(place.path()).arg("sample").arg(&path).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let line =
            format!("episodes/{file}: {} episodes, written\nsha256 = \"{sha256}\"\n", protocol.count());
        assert_eq!((said, output.status.code()), (line, Some(0)));
        let frozen = fs::read(root.join("episodes").join(&file)).unwrap();
        assert!(fs::read(place.path().join("episodes").join(&file)).unwrap() == frozen, "{file} differs");
        redrawn.insert(file);
    }
    let frozen: BTreeSet<String> = fs::read_dir(root.join("episodes"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(redrawn, frozen, "a draw without a protocol that names it");
}
