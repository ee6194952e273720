//! Where results go, and what happens when they cannot.

use std::fs::File;

use super::place::{Place, skipped};

const RUN: &str = "evaluate p.toml --features store --learner ridge";

#[test]
fn a_folder_that_holds_results_is_refused_and_replaced_on_demand() {
    let place = Place::new();
    place.done(&format!("{RUN} --out out --queries"));
    let sentence = "out already holds results of another run (outcomes.csv)\nhint: name another folder with --out, or give --overwrite";
    place.refuses(2, &format!("{RUN} --out out"), sentence);
    place.done(&format!("{RUN} --out out --overwrite"));
    assert!(place.path("out/summary.csv").exists());
    assert!(!place.path("out/queries.csv").exists(), "a file of the earlier run is left");
}

#[test]
fn a_failed_run_leaves_the_results_that_it_was_to_overwrite() {
    let place = Place::new();
    place.done(&format!("{RUN} --out out"));
    place.write("store/items.csv", "class\n");
    let sentence = "store/items.csv: 0 rows, expected 36 as in store/features.npy";
    place.refuses(3, &format!("{RUN} --out out --overwrite"), sentence);
}

#[test]
fn a_file_in_place_of_the_results_folder_is_refused() {
    let place = Place::new();
    let sentence = "p.toml is not a folder, results need one\nhint: name another folder with --out";
    place.refuses(2, &format!("{RUN} --out p.toml"), sentence);
    place.refuses(2, &format!("{RUN} --out p.toml/deep"), sentence);
}

#[test]
fn a_folder_in_place_of_a_result_file_is_refused() {
    let place = Place::new();
    place.write("out/summary.csv/mine", "");
    let sentence = "out/summary.csv is in the way of a result file of this name and is not a file";
    place.refuses(2, &format!("{RUN} --out out"), sentence);
}

#[test]
fn a_folder_that_cannot_be_made_is_a_failure() {
    let sentence = "cannot make the folder /proc/kshot: No such file or directory (os error 2)";
    Place::new().refuses(4, &format!("{RUN} --out /proc/kshot"), sentence);
}

#[test]
fn without_a_name_results_go_into_new_folders() {
    let place = Place::new();
    for folder in ["results/p", "results/p-2", "results/p-3"] {
        let out = place.done(RUN).out;
        assert!(out.ends_with(&format!("\nresults: {folder}\n")), "{out}");
        assert!(place.path(folder).join("summary.csv").exists());
    }
}

#[test]
fn a_reader_that_has_gone_away_is_no_error() {
    let place = Place::new();
    for arguments in ["list learners", "check quickstart", &format!("{RUN} --out out")] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kshot"));
        let command = command.current_dir(place.path("")).args(arguments.split_whitespace()).stdout(writer);
        let output = command.output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{err}");
        assert!(!err.contains("error"), "{err}");
    }
    assert!(place.path("out/summary.csv").exists());
}

#[test]
fn a_standard_output_that_takes_nothing_is_a_failure() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        return skipped("a_standard_output_that_takes_nothing_is_a_failure", "this system has no /dev/full");
    };
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kshot"));
    let output = command.args(["list", "learners"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(err, "error: cannot print: No space left on device (os error 28)\n");
}

#[cfg(unix)]
#[test]
fn written_files_can_be_read_by_whom_the_system_lets() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.done(&format!("{RUN} --out out"));
    place.done("report out --out page.html");
    place.done("sample p.toml --features store --out episodes");
    File::create(place.path("plain")).unwrap();
    let mode = |name: &str| place.path(name).metadata().unwrap().permissions().mode() & 0o777;
    for name in ["out/summary.csv", "page.html", "episodes/p.csv"] {
        assert_eq!(mode(name), mode("plain"), "{name}");
    }
}
