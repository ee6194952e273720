//! Every protocol that ships reads, prints back with the same meaning, bears its file's name and has a source.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;

use kshot::protocol::Protocol;

fn shipped() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/protocols");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_shipped_protocol_reads_and_prints_back_the_same() {
    assert!(shipped().len() >= 9);
    for file in shipped() {
        let protocol = Protocol::read(&file).unwrap();
        let again = Protocol::parse(&protocol.to_toml(), "again").unwrap();
        assert_eq!(protocol, again);
        assert_eq!(Some(protocol.name()), file.file_stem().and_then(|s| s.to_str()));
    }
}

#[test]
fn a_protocol_named_for_any_store_names_no_dataset_and_ships_no_draw() {
    for file in shipped() {
        let protocol = Protocol::read(&file).unwrap();
        let any = protocol.name().starts_with("any-");
        assert_eq!(any, protocol.dataset().is_none(), "{}", protocol.name());
        assert!(!any || protocol.draw_sha256().is_none(), "{}", protocol.name());
    }
}

#[test]
fn every_shipped_protocol_names_a_year_of_its_source() {
    for file in shipped() {
        let protocol = Protocol::read(&file).unwrap();
        let words = protocol.source().split(|c: char| !c.is_ascii_digit());
        let year = words.filter_map(|w| w.parse::<u32>().ok()).any(|y| (1950..2100).contains(&y));
        assert!(year, "{}: {}", protocol.name(), protocol.source());
    }
}
