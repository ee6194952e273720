//! Runs made again from their results folder, and results held against them.

use super::parts::assert_same;
use super::place::Place;

fn rerun_gives_the_same(place: &Place, folder: &str) {
    place.done(&format!("rerun {folder} --out again"));
    assert_same(place, folder, "again");
    let verified = place.done(&format!("verify {folder}"));
    assert!(!verified.out.contains("different") && !verified.out.contains("tolerance"), "{}", verified.out);
}

#[test]
fn a_run_is_made_again_from_its_record_alone() {
    let place = Place::new();
    place.done("evaluate p.toml --features mine=store --learner B=k-nn:k=1 --learner ridge --out first");
    // The record holds the text of the protocol.
    place.write("p.toml", "gone");
    rerun_gives_the_same(&place, "first");
    let record: serde_json::Value = serde_json::from_str(&place.read("again/run.json")).unwrap();
    assert_eq!(record["request"]["learners"][0], "B=k-nn:k=1");
}

#[test]
fn overridden_sizes_and_a_draw_of_ones_own_are_made_again() {
    let place = Place::new();
    place.done("evaluate p.toml --features store --way 4 --shot 1,2 --seed 3 --episodes 5 --learner ridge --out first");
    rerun_gives_the_same(&place, "first");
    place.done("evaluate p.toml --features store --draw draw.csv --learner ridge --out drawn");
    place.done("rerun drawn");
    assert_same(&place, "drawn", "drawn-rerun");
}

#[test]
fn a_sequential_run_is_made_again() {
    let place = Place::new();
    place.edit("p.toml", "count = 2", "count = 20\nmost = 3000");
    let store = "gaussian:novel=12,base=0,validation=0,items=20,dim=4";
    place.done(&format!("evaluate p.toml --features {store} --learner ridge --until 1.5 --out first"));
    rerun_gives_the_same(&place, "first");
}

#[test]
fn merged_parts_are_made_again_in_one_piece_and_a_part_is_not() {
    let place = Place::new();
    let run = |shard: &str| {
        format!("evaluate p.toml --features store --learner ridge --shard {shard}/2 --out part-{shard}")
    };
    place.done(&run("1"));
    place.done(&run("2"));
    place.done("merge part-1 part-2 --out whole");
    rerun_gives_the_same(&place, "whole");
    place.refuses(2, "rerun part-1", "part-1 holds part 1/2 of an evaluation…");
}

#[test]
fn a_selected_run_is_made_again_without_its_selection() {
    let place = Place::new();
    let store = "gaussian:novel=8,base=5,validation=8,items=20,dim=4";
    place.done(&format!(
        "select p.toml --features {store} --learner ridge --budget 3 --episodes 20 --out selection"
    ));
    place.done(&format!("evaluate p.toml --features {store} --selected selection/selected.toml --out first"));
    place.write("selection/selected.toml", "gone");
    rerun_gives_the_same(&place, "first");
}

#[test]
fn one_edited_digit_is_found() {
    let place = Place::new();
    place.done("evaluate p.toml --features store --learner ridge --out first");
    let text = place.read("first/episodes.csv");
    let line = text.lines().nth(1).unwrap();
    let edited = line.replacen(",15,", ",16,", 1);
    assert_ne!(line, edited);
    place.write("first/episodes.csv", text.replacen(line, &edited, 1));
    let ran = place.run("verify first");
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("episodes.csv line 2: `16`, the rerun gives `15`"), "{}", ran.out);
}

#[test]
fn a_published_table_is_held_against_the_run() {
    let place = Place::new();
    place.done("evaluate p.toml --features store --learner ridge --learner k-nn --out first");
    let columns = "protocol,learner,parameters,metric,value,tolerance\n";
    let value = accuracy(&place.read("first/summary.csv"));
    place.write("right.csv", format!("{columns}p,ridge,alpha=1,accuracy,{},0.01\n", value + 0.005));
    assert!(place.done("verify first --table right.csv").out.contains("1 same within tolerance"));
    place.write("wrong.csv", format!("{columns}p,ridge,,accuracy,{},0.01\n", value + 0.05));
    let ran = place.run("verify first --table wrong.csv");
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("line 2: accuracy of ridge under p is"), "{}", ran.out);
    place.write("absent.csv", format!("{columns}p,svm,,accuracy,0.5,0.01\n"));
    assert!(
        place.run("verify first --table absent.csv").out.contains("the run has no accuracy of svm under p")
    );
    place.write("other.csv", "protocol,learner\np,ridge\n");
    place.refuses(3, "verify first --table other.csv", "other.csv line …");
}

/// The accuracy of ridge.
fn accuracy(summary: &str) -> f64 {
    let mut reader = csv::Reader::from_reader(summary.as_bytes());
    let columns = reader.headers().unwrap().clone();
    let place = |name: &str| columns.iter().position(|column| column == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let row =
        rows.iter().find(|row| &row[place("learner")] == "ridge" && &row[place("metric")] == "accuracy");
    row.unwrap()[place("value")].parse().unwrap()
}
