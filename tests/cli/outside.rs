//! Programs beside kshot: a learner of another crate, and pandas.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::place::{Place, skipped};

/// The example, which `cargo test` builds beside the binary.
fn example() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_BIN_EXE_kshot")).with_file_name("examples").join("custom_learner");
    path.exists().then_some(path)
}

#[test]
fn every_verb_knows_a_learner_of_another_crate() {
    let Some(example) = example() else {
        return skipped(
            "every_verb_knows_a_learner_of_another_crate",
            "build it with `cargo build --examples`",
        );
    };
    let place = Place::new();
    let run = |arguments: &str| {
        let mut command = Command::new(&example);
        let output = command.current_dir(place.path("")).args(arguments.split_whitespace()).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{err}");
        String::from_utf8(output.stdout).unwrap()
    };
    let listed = run("list learners");
    assert!(listed.contains("shrunken-mean (inductive)\n"), "{listed}");
    assert!(listed.contains("    share = 0.1: "), "{listed}");
    let spec = "--learner shrunken-mean:share=0.3";
    let table = run(&format!("evaluate p.toml --features store --out out --learner ridge {spec}"));
    assert!(table.lines().any(|line| line.starts_with("store+shrunken-mean")), "{table}");
    assert!(place.read("out/summary.csv").contains("p,1,shrunken-mean,share=0.3,"));
    let all = run("evaluate p.toml --features store --out all");
    assert!(all.contains("\nstore+shrunken-mean ") && all.contains("\nstore+prototypical "), "{all}");
    let unknown = format!("evaluate p.toml --features store --out other {spec}");
    place.refuses(2, &unknown, "unknown learner `shrunken-mean`, expected one of `prototypical`, …");
}

/// A Python with pandas and scipy: that of `KSHOT_PYTHON`, else `python3`.
fn python() -> Option<String> {
    let python = std::env::var("KSHOT_PYTHON").unwrap_or_else(|_| "python3".to_string());
    let found = Command::new(&python).args(["-c", "import numpy, pandas, scipy"]).output();
    found.is_ok_and(|output| output.status.success()).then_some(python)
}

#[test]
fn pandas_recomputes_every_cell_of_the_summary() {
    let Some(python) = python() else {
        return skipped(
            "pandas_recomputes_every_cell_of_the_summary",
            "set KSHOT_PYTHON to a Python with pandas and scipy",
        );
    };
    let place = Place::new();
    place.write(
        "few.toml",
        place.read("p.toml").replace("\"p\"", "\"few\"").replace("count = 2", "count = 400"),
    );
    place.write(
        "once.toml",
        place
            .read("p.toml")
            .replace("\"p\"", "\"once\"")
            .replace("query = 3", "query = 3\nrepeat = false")
            .replace("count = 2", "count = 12"),
    );
    place.write(
        "lone.toml",
        place.read("p.toml").replace("\"p\"", "\"lone\"").replace("count = 2", "count = 1"),
    );
    let protocols = "few.toml once.toml lone.toml";
    place.done(&format!(
        "evaluate {protocols} --features gaussian:novel=12,base=0,validation=0,items=20,dim=4 --out out"
    ));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recompute.py");
    let recompute = || Command::new(&python).arg(&script).arg(place.path("out")).output().unwrap();
    let output = recompute();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{err}");
    place.edit("out/summary.csv", ",accuracy,0.", ",accuracy,0.0");
    assert!(!recompute().status.success(), "a changed cell passes");
}
