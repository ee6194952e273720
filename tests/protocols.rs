//! Every protocol that ships reads, prints and builds back with the same meaning, bears its file's name and has a source.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;

use kshot::metric::Metric;
use kshot::protocol::{OosQuery, Protocol, ProtocolBuilder, Query, Shot, Way};
use kshot::vocab::{Duplicates, Scope, Setting, Split};

fn shipped() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/protocols");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_shipped_protocol_reads_prints_and_builds_back_the_same() {
    assert!(shipped().len() >= 9);
    for file in shipped() {
        let protocol = Protocol::read(&file).unwrap();
        let again = Protocol::parse(&protocol.to_toml(), "again").unwrap();
        assert_eq!(protocol, again);
        assert_eq!(protocol.to_builder().build().unwrap(), protocol);
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

/// A protocol that is built, which must print as a rule file with the same meaning.
fn built(builder: ProtocolBuilder) -> Protocol {
    let protocol = builder.build().unwrap();
    assert_eq!(Protocol::parse(&protocol.to_toml(), "printed").unwrap(), protocol);
    protocol
}

fn refused(builder: ProtocolBuilder) -> String {
    builder.build().unwrap_err().to_string()
}

#[test]
fn a_built_protocol_has_defaults_that_run_on_any_features() {
    let protocol = built(Protocol::episodes());
    assert_eq!((protocol.name(), protocol.version(), protocol.dataset()), ("custom", 1, None));
    assert_eq!((protocol.way(), protocol.shot()), (&Way::Fixed(5), &Shot::Nested(vec![1])));
    assert_eq!((protocol.query(), protocol.count(), protocol.seed()), (&Query::PerClass(15), 10_000, 7));
    assert_eq!((protocol.split(), protocol.confidence_level()), (Scope::One(Split::Novel), 0.95));
    let shipped = Protocol::read(concat!(env!("CARGO_MANIFEST_DIR"), "/protocols/quickstart.toml")).unwrap();
    assert_eq!(protocol.metrics(), shipped.metrics());
}

#[test]
fn a_built_protocol_admits_the_settings_that_fit_its_shots() {
    let settings = |shots: Shot| built(Protocol::episodes().shots(shots)).settings().to_vec();
    let without_support = |setting: &&Setting| !setting.needs_support();
    let of_no_shot: Vec<Setting> = Setting::ALL.iter().filter(without_support).copied().collect();
    assert_eq!(settings(0.into()), of_no_shot);
    assert_eq!(settings([0, 1].into()), Setting::ALL);
    for shots in [Shot::from(1), Shot::from(1..=5)] {
        assert!(settings(shots.clone()).contains(&Setting::Inductive));
        assert!(!settings(shots).contains(&Setting::ZeroShot));
    }
}

#[test]
fn every_key_of_a_rule_file_is_a_method() {
    let text = r#"
        name = "built"
        version = 2
        source = "this test"
        settings = ["inductive", "transductive"]
        [data]
        dataset = "glyphs"
        split = "all"
        support_part = "train"
        query_part = "test"
        oos = "none-of-them"
        threshold_part = "val"
        duplicates = "refuse"
        [episode]
        way = { min = 2, max = 9 }
        shot = { min = 1, max = 5 }
        query = { total = 75, alpha = 2.0 }
        query_oos = 30
        repeat = true
        [draw]
        count = 50
        first = 20
        most = 100
        seed = 8
        sha256 = "HASH"
        [report]
        metrics = ["accuracy", "auroc"]
        confidence_level = 0.9
    "#;
    let hash = "ab".repeat(32);
    let builder = Protocol::episodes()
        .name("built")
        .version(2)
        .source("this test")
        .settings([Setting::Inductive, Setting::Transductive])
        .dataset("glyphs")
        .split(Scope::All)
        .parts("train", "test")
        .oos("none-of-them")
        .query_oos(30)
        .threshold_part("val")
        .duplicates(Duplicates::Refuse)
        .way(2..=9)
        .shots(1..=5)
        .query(Query::Dirichlet { total: 75, alpha: 2.0 })
        .repeat(true)
        .count(50)
        .first(20)
        .most(100)
        .seed(8)
        .draw_sha256(&hash)
        .metrics([Metric::ACCURACY, Metric::AUROC])
        .confidence_level(0.9);
    assert_eq!(built(builder), Protocol::parse(&text.replace("HASH", &hash), "text").unwrap());

    let seen = Protocol::episodes().seen_part("test").way(Way::All).shots(0).query(Query::All);
    let protocol = built(seen.metrics([Metric::HARMONIC]).count(1));
    assert_eq!((protocol.seen_part(), protocol.repeat()), (Some("test"), true));
    let oos = built(Protocol::episodes().oos("oos").split(Split::Base));
    assert_eq!(oos.oos().unwrap().query, OosQuery::PerEpisode(15));
}

#[test]
fn what_is_built_obeys_the_rules_of_a_rule_file() {
    let one = refused(Protocol::episodes().name("mine").query(0));
    assert_eq!(one, "protocol `mine`: `query` must be 1 or more, got 0");
    let name = "protocol `My own`: `name` must be lower-case letters and digits in words joined by `-`, got `My own`";
    assert_eq!(refused(Protocol::episodes().name("My own")), name);
    let shots = "protocol `custom`: `shot` must be an increasing list of at least one number, got []";
    assert_eq!(refused(Protocol::episodes().shots([])), shots);
    let seed = "protocol `custom`: `seed` must be 9223372036854775807 or less, got 18446744073709551615";
    assert_eq!(refused(Protocol::episodes().seed(u64::MAX)), seed);
    let level = "protocol `custom`: `confidence_level` must be between 0 and 1, got 95";
    assert_eq!(refused(Protocol::episodes().confidence_level(95.0)), level);
    let twice = "protocol `custom`: `metrics` must be a list without repetition, got `nll` twice";
    assert_eq!(refused(Protocol::episodes().metrics([Metric::NLL, Metric::NLL])), twice);
    assert!(refused(Protocol::episodes().query(Query::All).repeat(false)).contains("episodes of one size"));
    assert!(refused(Protocol::episodes().way(3).shots(Shot::MetaDataset)).contains("all three or none"));
}
