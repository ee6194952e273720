//! Features larger than memory: read from their file, with the same results.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const PROTOCOL: &str = r#"name = "five-way"
version = 1
source = "a test"
settings = ["inductive"]
[data]
split = "novel"
[episode]
way = 5
shot = 1
query = 15
[draw]
count = 8
seed = 7
[report]
metrics = ["accuracy", "nll"]
"#;

const ITEMS: usize = 32;

/// A store whose features have holes: four numbers in each of about 4096 rows, which tell its class and the item.
fn sparse(folder: &Path, rows: usize, dim: usize) {
    fs::write(folder.join("p.toml"), PROTOCOL).unwrap();
    let store = folder.join("store");
    fs::create_dir(&store).unwrap();
    let file = File::create(store.join("features.npy")).unwrap();
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dim}), }}");
    let header = format!("{header:<117}\n");
    let start =
        [b"\x93NUMPY\x01\x00".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes()].concat();
    file.set_len((start.len() + rows * dim * 4) as u64).unwrap();
    file.write_all_at(&start, 0).unwrap();
    let mut items = "class\n".to_string();
    for row in 0..rows {
        let class = row / ITEMS;
        items += &format!("c{class}\n");
        if row % (rows / 4096).max(1) != 0 {
            continue;
        }
        let numbers =
            [(class * 37 % dim, 1.0), (row * 101 % dim, 1.0), (dim / 2, row as f32 / 1e4), (dim - 1, 0.5)];
        for (column, number) in numbers {
            let place = start.len() + (row * dim + column) * 4;
            file.write_all_at(&f32::to_le_bytes(number), place as u64).unwrap();
        }
    }
    fs::write(store.join("items.csv"), items).unwrap();
}

/// Evaluates three learners; the most memory that was resident at once, in MiB.
fn peak(folder: &Path, out: &str, flags: &str) -> u64 {
    let arguments = format!(
        "evaluate p.toml --features store --learner prototypical --learner k-nn --learner ridge --workers 2 --out {out} {flags}"
    );
    let mut kshot = Command::new(env!("CARGO_BIN_EXE_kshot"));
    let mut child = kshot
        .current_dir(folder)
        .args(arguments.split_whitespace())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        // The highest mark so far; it is gone once the process has ended.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak = kilobytes.unwrap_or(peak).max(peak);
        match child.try_wait().unwrap() {
            Some(ended) => break ended,
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let said = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    assert!(ended.success(), "{said}");
    peak / 1024
}

#[test]
fn features_that_stay_in_their_file_give_the_same_results_in_less_memory() {
    let place = tempfile::tempdir().unwrap();
    sparse(place.path(), 1024, 32_768);
    let whole = 1024 * 32_768 * 4 / (1 << 20);
    let in_memory = peak(place.path(), "in-memory", "--memory 1G");
    let from_file = peak(place.path(), "from-file", "--memory 1M");
    assert!(in_memory > whole, "{in_memory} MiB with {whole} MiB of features");
    assert!(from_file < whole, "{from_file} MiB with {whole} MiB of features");
    for table in ["summary.csv", "episodes.csv", "outcomes.csv", "bins.csv", "draw.csv"] {
        let of = |out: &str| fs::read(place.path().join(out).join(table)).unwrap();
        assert!(of("in-memory") == of("from-file"), "{table} differs");
    }
}

#[test]
fn four_gigabytes_are_evaluated_in_less_than_one() {
    if std::env::var_os("KSHOT_SLOW").is_none() {
        use std::io::Write;
        let line = "SKIPPED: four_gigabytes_are_evaluated_in_less_than_one: set KSHOT_SLOW=1\n";
        return std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    for (rows, dim) in [(4096, 262_144), (1_600_000, 640)] {
        let place = tempfile::tempdir().unwrap();
        sparse(place.path(), rows, dim);
        let peak = peak(place.path(), "out", "");
        assert!(peak < 1024, "{peak} MiB for {rows} rows of {dim}");
    }
}
