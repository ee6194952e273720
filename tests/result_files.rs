//! The same request gives the same bytes, whatever the workers, the batches and the order of learners.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

const LEARNERS: [&str; 9] = [
    "prototypical",
    "nearest-centroid:transform=cl2n",
    "k-nn:k=3,distance=cosine",
    "matching",
    "linear-probe",
    "ridge",
    "svm",
    "fine-tune",
    "fine-tune:preset=closer-look,epochs=20",
];

/// Shipped protocols, each with fewer episodes; more than a batch of 64 in the first.
const PROTOCOLS: [(&str, u32); 4] =
    [("quickstart", 70), ("any-variable", 6), ("any-unbalanced", 20), ("any-dirichlet", 20)];

const TABLES: [&str; 9] = [
    "summary.csv",
    "episodes.csv",
    "outcomes.csv",
    "bins.csv",
    "queries.csv",
    "draw-quickstart.csv",
    "draw-any-variable.csv",
    "draw-any-unbalanced.csv",
    "draw-any-dirichlet.csv",
];

/// Writes a copy of a shipped protocol with this many episodes and no draw.
fn shorter(name: &str, count: u32, folder: &Path) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("protocols/{name}.toml"));
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("sha256")).map(|line| match line {
        line if line.starts_with("count") => format!("count = {count}\n"),
        line => format!("{line}\n"),
    });
    fs::write(folder.join(format!("{name}.toml")), lines.collect::<String>()).unwrap();
}

#[test]
fn workers_batches_repetition_and_the_order_of_learners_change_no_byte() {
    let place = tempfile::tempdir().unwrap();
    PROTOCOLS.iter().for_each(|(name, count)| shorter(name, *count, place.path()));
    let run = |out: &str, flags: &str, learners: &[&str]| {
        let mut kshot = Command::new(env!("CARGO_BIN_EXE_kshot"));
        kshot
            .current_dir(place.path())
            .arg("evaluate")
            .args(PROTOCOLS.map(|(name, _)| format!("{name}.toml")));
        kshot.args(["--features", "glyphs", "--queries", "--out", out]).args(flags.split_whitespace());
        kshot.args(learners.iter().flat_map(|learner| ["--learner", learner]));
        let output = kshot.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        TABLES.map(|table| fs::read(place.path().join(out).join(table)).unwrap())
    };
    let first = run("first", "--workers 1", &LEARNERS);
    let mut reversed = LEARNERS;
    reversed.reverse();
    for (out, flags, learners) in [
        ("again", "--workers 1", LEARNERS),
        ("two-workers", "--workers 2", LEARNERS),
        ("batch-of-1", "--workers 2 --batch 1", LEARNERS),
        ("batch-of-7", "--workers 1 --batch 7", LEARNERS),
        ("batch-of-64", "--workers 2 --batch 64", LEARNERS),
        ("reversed", "--workers 2", reversed),
    ] {
        for (table, (expected, found)) in TABLES.iter().zip(first.iter().zip(run(out, flags, &learners))) {
            assert!(!expected.is_empty() && *expected == found, "{table} differs: {out}");
        }
    }
}
