//! An evaluation in parts, and their joining.

use std::fs;

use super::place::Place;

/// Two protocols with draws of their own, one of them with unequal sizes; `run.json` is the only file that may differ.
const RUN: &str = "evaluate p.toml varied.toml --features store --queries --learner ridge --learner k-nn --learner prototypical";

fn place() -> Place {
    let place = Place::new();
    place.edit("p.toml", "count = 2", "count = 50");
    let varied = place.read("p.toml").replace("\"p\"", "\"varied\"").replace("count = 50", "count = 23");
    place.write("varied.toml", varied.replace("shot  = 1", "shot  = { min = 1, max = 2 }"));
    place
}

/// The files of a results folder with their bytes, without the record of the run.
pub fn tables(place: &Place, folder: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(place.path(folder)).unwrap();
    let mut all: Vec<(String, Vec<u8>)> = entries
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name() != "run.json")
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    all.sort();
    all
}

/// Fails unless two folders hold the same files with the same bytes.
#[track_caller]
pub fn assert_same(place: &Place, one: &str, other: &str) {
    let (one, other) = (tables(place, one), tables(place, other));
    let names = |all: &[(String, Vec<u8>)]| all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&one), names(&other));
    for ((name, a), (_, b)) in one.iter().zip(&other) {
        assert!(a == b, "{name} differs");
    }
}

/// Evaluates parts of an evaluation into `1` to `of`.
fn parts(place: &Place, run: &str, of: usize) {
    for number in 1..=of {
        let said = place.done(&format!("{run} --shard {number}/{of} --out {number}"));
        assert_eq!(said.out, format!("part {number}/{of}: {number}\n"));
    }
}

#[test]
fn four_parts_joined_are_the_bytes_of_the_single_run() {
    let place = place();
    place.done(&format!("{RUN} --out whole"));
    for number in 1..=4 {
        let (workers, batch) = (1 + number % 2, 1 + 2 * number);
        place.done(&format!(
            "{RUN} --shard {number}/4 --out part-{number} --workers {workers} --batch {batch}"
        ));
    }
    let joined = place.done("merge part-4 part-2 part-1 part-3 --out joined");
    assert_same(&place, "whole", "joined");
    assert!(tables(&place, "whole").iter().any(|(name, _)| name == "queries.csv"));
    assert!(joined.out.contains(", 50 episodes, 6 classes\n"), "{}", joined.out);
    let run: serde_json::Value = serde_json::from_str(&place.read("joined/run.json")).unwrap();
    assert_eq!(run["parts"].as_array().unwrap().len(), 4);
    assert_eq!(run["parts"][2]["folder"], "part-3");
    place.done("compare joined --baseline ridge --out compared");
}

#[test]
fn more_parts_than_episodes_join_to_the_single_run_too() {
    let place = Place::new();
    let run = "evaluate p.toml --features store --learner ridge";
    place.done(&format!("{run} --out whole"));
    parts(&place, run, 3);
    place.done("merge 1 2 3 --out joined");
    assert_same(&place, "whole", "joined");
}

#[test]
fn a_part_of_a_frozen_draw_joins_too() {
    let place = Place::new();
    let run = "evaluate p.toml --features store --draw draw.csv --learner ridge";
    place.done(&format!("{run} --out whole"));
    parts(&place, run, 2);
    place.done("merge 2 1 --out joined");
    assert_same(&place, "whole", "joined");
}

#[test]
fn a_part_is_not_taken_for_the_whole() {
    let place = place();
    place.done(&format!("{RUN} --shard 1/2 --out part"));
    place.refuses(
        3,
        "compare part",
        "part: only part 1/2 of an evaluation\nhint: join all parts with `kshot merge`",
    );
    place.done("evaluate p.toml --features store --learner ridge --out whole");
    place.refuses(
        3,
        "merge part whole --out out",
        "whole is no part of an evaluation but the whole\nhint: parts are made by `kshot evaluate --shard 1/8`",
    );
}

#[test]
fn parts_that_are_missing_or_doubled_are_refused() {
    let place = place();
    let run = "evaluate p.toml --features store --learner ridge";
    parts(&place, run, 3);
    let sentence = "part 2 of 3 is missing\nhint: name the folders of all 3 parts";
    place.refuses(3, "merge 1 3 --out out", sentence);
    let sentence = "parts 1 and 2 of 3 are missing\nhint: name the folders of all 3 parts";
    place.refuses(3, "merge 3 --out out", sentence);
    place.refuses(3, "merge 1 2 2 3 --out out", "2 and 2 are both part 2/3");
    place.refuses(3, "merge 1 2 nowhere --out out", "cannot read nowhere/run.json: No such file…");
    place.refuses(2, "merge 1 2 3", "the following required arguments were not provided:\n  --out <DIR>…");
    place.done("merge 1 2 3 --out out");
    let sentence = "out already holds results of another run (outcomes.csv)\nhint: name another folder with --out, or give --overwrite";
    place.refuses(2, "merge 1 2 3 --out out", sentence);
    place.done("merge 1 2 3 --out out --overwrite");
}

/// Joins a part of the usual run with a second one that was made otherwise.
fn mixed(sentence: &str, other: impl Fn(&Place) -> String) {
    let place = place();
    place.done("evaluate p.toml --features store --learner ridge --shard 1/2 --out 1");
    let run = other(&place);
    place.done(&format!("{run} --out 2"));
    let mixed = format!("1 and 2 are not parts of one evaluation: {sentence}");
    place.refuses(3, "merge 1 2 --out out", &mixed);
}

#[test]
fn parts_of_different_evaluations_are_refused_with_the_difference() {
    let run = "evaluate p.toml --features store --learner ridge";
    mixed("the number of parts is 2 in the first and 3 in the second", |_| format!("{run} --shard 2/3"));
    mixed("the learners of protocol p is ridge in the first and ridge:alpha=2 in the second", |_| {
        format!("{run}:alpha=2 --shard 2/2")
    });
    mixed("the list of protocols is p in the first and p, varied in the second", |_| {
        format!("{run} varied.toml --shard 2/2")
    });
    mixed("the way of writing queries (--queries) is none in the first and csv in the second", |_| {
        format!("{run} --queries --shard 2/2")
    });
    mixed("the text (sha256) of protocol p is …", |place| {
        place.edit("p.toml", "query = 3", "query = 2");
        format!("{run} --shard 2/2")
    });
    mixed("the draw (sha256) of protocol p is …", |_| format!("{run} --draw draw.csv --shard 2/2"));
    mixed("the items (sha256) of protocol p is …", |place| {
        let mut bytes = fs::read(place.path("store/features.npy")).unwrap();
        let last = bytes.len() - 2;
        bytes[last] ^= 1;
        place.write("store/features.npy", bytes);
        format!("{run} --shard 2/2")
    });
    mixed("the name of class 5 of protocol p is c5 in the first and other in the second", |place| {
        place.write("store/items.csv", place.read("store/items.csv").replace("c5", "other"));
        format!("{run} --shard 2/2")
    });
}

#[test]
fn parts_of_another_version_are_refused() {
    let place = place();
    parts(&place, "evaluate p.toml --features store --learner ridge", 2);
    let here = env!("CARGO_PKG_VERSION");
    let record = place.read("2/run.json").replace(&format!("\"{here}\""), "\"9.0.0\"");
    place.write("2/run.json", record);
    place.refuses(3, "merge 1 2 --out out", "2/run.json: written by kshot 9.0.0, this is kshot…");
}

#[test]
fn damaged_parts_are_refused_with_the_file_and_the_place() {
    let place = place();
    parts(&place, "evaluate p.toml --features store --learner ridge", 2);
    let whole = fs::read(place.path("2/outcomes.part")).unwrap();
    place.write("2/outcomes.part", &whole[..whole.len() - 1]);
    place.refuses(3, "merge 1 2 --out out", "2/outcomes.part is damaged at byte …");
    let mut changed = whole.clone();
    let middle = whole.len() - 500;
    changed[middle] ^= 1;
    place.write("2/outcomes.part", changed);
    place.refuses(3, "merge 1 2 --out out", "2/outcomes.part is damaged at byte …");
    place.write("2/outcomes.part", "something else");
    let sentence = "2/outcomes.part does not hold the outcomes of a part\nhint: evaluate this part again";
    place.refuses(3, "merge 1 2 --out out", sentence);
    fs::remove_file(place.path("2/outcomes.part")).unwrap();
    place.refuses(3, "merge 1 2 --out out", "2/outcomes.part does not hold the outcomes of a part…");
    place.write("2/outcomes.part", &whole);
    place.edit("1/draw.csv", "0,0,", "0,1,");
    place.refuses(3, "merge 1 2 --out out", "1/draw.csv is not the draw of its part: its sha256 is …");
}

#[test]
fn files_of_different_parts_in_one_folder_are_refused() {
    let place = place();
    parts(&place, "evaluate p.toml --features store --learner ridge", 2);
    fs::copy(place.path("1/run.json"), place.path("2/run.json")).unwrap();
    let sentence = "2 is not of one run: the part is 2/2 in outcomes.part and 1/2 in run.json";
    place.refuses(3, "merge 1 2 --out out", sentence);
}

#[test]
fn a_part_that_is_none_is_refused() {
    let place = Place::new();
    for wrong in ["0/4", "5/4", "4", "x/y", "1/0"] {
        let sentence = format!(
            "invalid value '{wrong}' for '--shard <PART/PARTS>': must be a part and the number of parts, such as 3/8…"
        );
        place.refuses(2, &format!("evaluate p.toml --features store --shard {wrong}"), &sentence);
    }
}
