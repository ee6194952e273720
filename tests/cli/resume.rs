//! Runs that are killed, and those that go on with them.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::parts::assert_same;
use super::place::Place;

const STORE: &str = "gaussian:novel=12,base=0,validation=0,items=20,dim=16";

/// Two protocols; `count` is the number of episodes of the first.
fn place(count: usize) -> Place {
    let place = Place::new();
    place.edit("p.toml", "count = 2", &format!("count = {count}\nmost = 100000"));
    let second = place.read("p.toml").replace("\"p\"", "\"q\"");
    let second = second.replace(&format!("count = {count}"), "count = 300");
    place.write("q.toml", second.replace("way   = 5", "way   = { min = 2, max = 9 }"));
    place
}

fn run(more: &str) -> String {
    format!("evaluate p.toml q.toml --features {STORE} --queries --batch 5 {more}")
}

/// Bytes of the journal that a run keeps in its results folder; 0 where there is none.
fn journal(place: &Place, out: &str) -> u64 {
    fs::metadata(place.path(out).join(".kshot-partial/journal")).map_or(0, |file| file.len())
}

/// Runs kshot and kills it as soon as its journal has so many bytes; whether it was killed before its end.
fn killed(place: &Place, arguments: &str, out: &str, bytes: u64) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kshot"))
        .current_dir(place.path(""))
        .args(arguments.split_whitespace())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while journal(place, out) < bytes && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_micros(200));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    !place.path(out).join("run.json").exists()
}

/// Ten random shares, the same in every test run.
fn shares() -> [f64; 10] {
    let mut state = 7_u64;
    [0; 10].map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1 << 24) as f64
    })
}

/// Kills runs at ten random moments and goes on with them; in the end they must be as if never killed.
fn survives(whole: &str, resumed: &str) {
    let place = place(600);
    place.done(&run(&format!("{whole} --out whole")));
    // A run that writes no tables holds all that a journal comes to hold.
    let part = run(&format!("{} --shard 1/1 --out part", whole.split(" --until").next().unwrap()));
    place.done(&part);
    let bytes = fs::metadata(place.path("part/outcomes.part")).unwrap().len();

    let mut interrupted = 0;
    for (number, share) in shares().into_iter().enumerate() {
        let out = format!("once-{number}");
        let arguments = run(&format!("{resumed} --out {out} --resume"));
        if killed(&place, &arguments, &out, (bytes as f64 * share) as u64) {
            interrupted += 1;
            place.done(&arguments);
        }
        assert_same(&place, "whole", &out);
        fs::remove_dir_all(place.path(&out)).unwrap();
    }
    assert!(interrupted >= 5, "only {interrupted} of 10 runs were killed before their end");

    // Ten kills of one run, which comes a little further each time.
    let arguments = run(&format!("{resumed} --out often --resume"));
    let going_on = (1..=10).all(|kill| killed(&place, &arguments, "often", bytes * kill / 11));
    if going_on {
        place.done(&arguments);
    }
    assert_same(&place, "whole", "often");
}

#[test]
fn a_run_killed_at_ten_random_moments_ends_with_the_bytes_of_one_that_was_not() {
    survives(
        "--learner ridge --learner k-nn --learner svm",
        "--learner svm --learner k-nn --learner ridge --workers 2",
    );
}

#[test]
fn a_run_until_intervals_are_narrow_survives_kills_too() {
    let flags = "--learner ridge --learner prototypical --until 1.1";
    survives(flags, &format!("{flags} --workers 2"));
}

/// A place where a run was killed after it had finished some episodes into `out`.
fn interrupted(more: &str) -> Place {
    let place = place(4_000);
    let arguments = run(&format!("{more} --out out"));
    assert!(killed(&place, &arguments, "out", 100_000), "the run ended before it could be killed");
    place
}

#[test]
fn what_a_killed_run_left_is_neither_dropped_nor_used_unasked() {
    let place = interrupted("--learner ridge");
    let ran = place.run(&run("--learner ridge --out out"));
    assert_eq!(ran.code, 2);
    assert!(ran.err.starts_with("error: out holds "), "{}", ran.err);
    let hint = " finished episodes of a run that was ended before its time\n\
                hint: go on with --resume, or drop them with --overwrite\n";
    assert!(ran.err.ends_with(hint), "{}", ran.err);
    let ran = place.done(&run("--learner ridge --out out --resume"));
    assert!(ran.err.contains(" of them from the killed run\n"), "{}", ran.err);
    let record: serde_json::Value = serde_json::from_str(&place.read("out/run.json")).unwrap();
    assert!(record["resumed"].as_u64().unwrap() > 0);
    assert!(!place.path("out/.kshot-partial").exists());
}

#[test]
fn a_killed_run_without_a_named_folder_is_told_of_by_the_next() {
    let place = interrupted("--learner ridge");
    fs::create_dir(place.path("results")).unwrap();
    fs::rename(place.path("out"), place.path("results/p+q")).unwrap();
    let ran = place.done(&run("--learner k-nn"));
    let note = "note: results/p+q holds a run that was killed; --out results/p+q --resume continues it\n";
    assert!(ran.err.starts_with(note), "{}", ran.err);
    assert!(ran.out.ends_with("\nresults: results/p+q-2\n"), "{}", ran.out);
}

#[test]
fn what_a_killed_run_left_is_dropped_on_demand() {
    let place = interrupted("--learner ridge");
    place.done("evaluate p.toml --features store --learner k-nn --out out --overwrite");
    assert!(!place.path("out/.kshot-partial").exists());
}

#[test]
fn a_run_that_is_not_the_same_does_not_go_on_with_another() {
    let place = interrupted("--learner ridge");
    let refused = |more: &str, difference: &str| {
        let sentence = format!(
            "out holds a run that cannot be gone on with: {difference}\n\
             hint: give what it was begun with, or drop it with --overwrite"
        );
        place.refuses(2, &format!("{more} --out out --resume"), &sentence);
    };
    refused(&run("--learner svm"), "the learners of protocol p is ridge there and svm here");
    refused(&run("--learner ridge --shard 1/2"), "the part (--shard) is the whole there and 1/2 here");
    refused(&run("--learner ridge --until 1"), "the half-width (--until) is none there and 1 here");
    let alone = format!("evaluate p.toml --features {STORE} --queries --learner ridge");
    refused(&alone, "the list of protocols is p, q there and p here");
    refused(
        &run("--learner ridge").replace("dim=16", "dim=17"),
        "the size of the features of protocol p is 240 × 16 there and 240 × 17 here",
    );
    refused(
        &run("--learner ridge").replace("--queries ", ""),
        "the way of writing queries (--queries) is csv there and none here",
    );
    let rules = place.read("p.toml");
    place.edit("p.toml", "seed  = 7", "seed  = 8");
    let ran = place.run(&run("--learner ridge --out out --resume"));
    assert!(ran.err.contains("the text (sha256) of protocol p is "), "{}", ran.err);
    place.write("p.toml", rules);
    place.done(&run("--learner ridge --out out --resume"));
}

#[test]
fn features_that_were_changed_meanwhile_are_noticed() {
    let place = interrupted_on_files();
    let bytes = fs::read(place.path("store/features.npy")).unwrap();
    let mut changed = bytes.clone();
    let last = bytes.len() - 2;
    changed[last] ^= 1;
    place.write("store/features.npy", changed);
    let arguments = "evaluate p.toml --features store --learner svm --batch 5 --out out --resume";
    let sentence = "out holds a run that cannot be gone on with: file features.npy of features store is of …";
    place.refuses(2, arguments, sentence);
    // The same bytes at another time are the same features, where the killed run came to know their hash.
    place.write("store/features.npy", bytes);
    place.done(arguments);
}

fn interrupted_on_files() -> Place {
    let place = Place::new();
    place.edit("p.toml", "count = 2", "count = 20000");
    let arguments = "evaluate p.toml --features store --learner svm --batch 5 --out out";
    assert!(killed(&place, arguments, "out", 1_000_000), "the run ended before it could be killed");
    place
}

#[test]
fn a_run_killed_while_its_files_got_their_names_goes_on_too() {
    let place = interrupted("--learner ridge");
    place.done(&run("--learner ridge --out whole"));
    for file in ["bins.csv", "draw-p.csv", "outcomes.csv"] {
        fs::copy(place.path("whole").join(file), place.path("out").join(file)).unwrap();
    }
    place.done(&run("--learner ridge --out out --resume"));
    assert_same(&place, "whole", "out");
}

#[test]
fn a_part_that_was_killed_is_not_joined_and_goes_on() {
    let place = place(4_000);
    let part = |number: usize| run(&format!("--learner ridge --shard {number}/2 --out {number}"));
    assert!(killed(&place, &part(1), "1", 100_000), "the run ended before it could be killed");
    place.done(&part(2));
    let sentence = "1 holds a run that has not come to its end\nhint: go on with --resume";
    place.refuses(3, "merge 1 2 --out joined", sentence);
    place.done(&format!("{} --resume", part(1)));
    place.done("merge 1 2 --out joined");
    place.done(&run("--learner ridge --out whole"));
    assert_same(&place, "whole", "joined");
}

#[test]
fn a_torn_journal_loses_its_tail_alone() {
    let place = interrupted("--learner ridge");
    place.done(&run("--learner ridge --out whole"));
    let path = place.path("out/.kshot-partial/journal");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 37]).unwrap();
    place.done(&run("--learner ridge --out out --resume"));
    assert_same(&place, "whole", "out");
}

#[test]
fn resuming_where_nothing_was_begun_begins_and_where_all_is_done_succeeds() {
    let place = Place::new();
    let resume = "evaluate p.toml --features store --learner ridge --out out --resume";
    place.done(resume);
    let files = place.files();
    let ran = place.done(resume);
    assert!(ran.err.contains("note: out holds the results of this run already"), "{}", ran.err);
    assert!(ran.out.contains("ridge"), "{}", ran.out);
    assert_eq!(place.files(), files);
    // Another run is another matter.
    let sentence = "out already holds results of another run (outcomes.csv)…";
    place.refuses(2, "evaluate p.toml --features store --learner svm --out out --resume", sentence);
    let part = "evaluate p.toml --features store --learner ridge --shard 1/2 --out part --resume";
    place.done(part);
    assert!(place.done(part).err.contains("nothing is left to resume"));
    let sentence = "the following required arguments were not provided:\n  --out <DIR>…";
    place.refuses(2, "evaluate p.toml --features store --resume", sentence);
}

#[test]
fn a_standard_error_that_is_full_ends_no_run() {
    let Ok(full) = fs::File::options().write(true).open("/dev/full") else {
        super::place::skipped("a_standard_error_that_is_full_ends_no_run", "there is no /dev/full");
        return;
    };
    let place = Place::new();
    let run = |arguments: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kshot"));
        command.current_dir(place.path("")).args(arguments.split_whitespace());
        command.stdout(std::process::Stdio::null()).stderr(full.try_clone().unwrap());
        command.status().unwrap().code()
    };
    assert_eq!(run("evaluate p.toml --features store --learner ridge --out out"), Some(0));
    assert!(place.path("out/summary.csv").exists());
    assert_eq!(run("check nothing"), Some(2));
    assert_eq!(run("no-such-verb"), Some(2));
}
