//! Tables of features: which columns are taken, what is left out or refused, and how rules meet records.

use super::place::Place;

/// Eight classes of twenty items with three columns of noise, and what `more` says of the row and the class.
fn table(header: &str, more: impl Fn(u32, u32) -> String) -> String {
    let mut text = format!("class,f0,f1,f2{header}\n");
    for row in 0..160u32 {
        let noise =
            |axis: u32| f64::from(row.wrapping_mul(2_654_435_761).rotate_left(axis * 9) % 1000) / 500.0;
        let class = row / 20;
        text += &format!("c{class},{},{},{}{}\n", noise(1), noise(2), noise(3), more(row, class));
    }
    text
}

const RUN: &str = "evaluate any-5way-1shot --episodes 40 --learner prototypical";

#[test]
fn columns_that_are_no_features_are_left_out_with_a_warning_that_names_them() {
    let place = Place::empty();
    place.write("plain.csv", table("", |_, _| String::new()));
    place.write(
        "more.csv",
        table(",Unnamed: 0,label,fold", |row, class| format!(",{row},{class},{}", row % 5)),
    );
    place.done(&format!("{RUN} --features plain.csv --out plain"));
    let ran = place.done(&format!("{RUN} --features f=more.csv --out more"));
    let sentence =
        "columns `Unnamed: 0`, `label`, `fold` are not taken, features are the 3 columns `f0` to `f2`";
    assert!(ran.err.contains(sentence), "{}", ran.err);
    let accuracy = |out: &str| -> Vec<String> {
        let text = place.read(&format!("{out}/summary.csv"));
        let mut lines = text.lines();
        let column = lines.next().unwrap().split(',').position(|name| name == "value").unwrap();
        lines.map(|line| line.split(',').nth(column).unwrap().to_string()).collect()
    };
    assert_eq!(accuracy("plain"), accuracy("more"));
}

#[test]
fn columns_that_are_listed_are_taken_and_recorded() {
    let place = Place::empty();
    place.write("f.csv", table(",code,time", |_, class| format!(",{class},{class}")));
    // By name what is a function of the class is taken; by rule it would be left out.
    place.done(&format!("{RUN} --features f.csv --feature-columns code,f1 --out listed"));
    let record: serde_json::Value = serde_json::from_str(&place.read("listed/run.json")).unwrap();
    assert_eq!(record["request"]["inputs"]["feature_columns"], serde_json::json!(["code", "f1"]));
    place.done("rerun listed --out again");
    assert_eq!(place.read("listed/summary.csv"), place.read("again/summary.csv"));
    let none =
        "f.csv: --feature-columns `g*` matches none of the columns that can be features, found `f0`, …";
    place.refuses(2, &format!("{RUN} --features f.csv --feature-columns g* --out out"), none);
    let matrix = "`glyphs` is a dataset of items, --feature-columns is for tables of features";
    place.refuses(2, &format!("{RUN} --features glyphs --feature-columns f0 --out out"), matrix);
}

#[test]
fn a_column_that_tells_the_class_is_refused_and_found_by_check_in_every_format() {
    let place = Place::empty();
    let text = table("", |_, _| String::new()).replace("f0,f1,f2", "a,b,c");
    let told: String = text
        .lines()
        .enumerate()
        .map(|(line, text)| match line {
            0 => format!("{text},code\n"),
            line => format!("{text},{}\n", (line - 1) / 20),
        })
        .collect();
    place.write("f.csv", &told);
    let sentence = "f.csv: column `code` is the same in all items of a class, and so a label\nhint: leave such columns out …";
    place.refuses(3, &format!("{RUN} --features f.csv --out out"), sentence);
    place.done("sample any-5way-1shot --episodes 3 --features f.csv --out draws");
    // Points of so few dimensions are near others, which is another finding.
    let ran = place.run("check any-5way-1shot --features f.csv --feature-columns a,b,c,code");
    let warning =
        "warning: f: feature 3 (counted from 0) is the same in all items of a class, and so a label";
    assert!(ran.out.contains(warning), "{}", ran.out);
    let clear = place.run("check any-5way-1shot --features f.csv --feature-columns a,b,c");
    assert!(!clear.out.contains("the same in all items"), "{}", clear.out);
}

#[test]
fn class_embeddings_without_an_order_are_refused() {
    let place = Place::new();
    let embeddings: Vec<u8> = (0..12u8).flat_map(|value| f32::from(value).to_le_bytes()).collect();
    place.write("store/class_embeddings.npy", super::place::npy("<f4", "(6, 2)", &embeddings));
    let sentence = "store/class_embeddings.npy: nothing says which class each of the 6 class embeddings belongs to\nhint: \
                    add splits.csv …";
    place.refuses(3, "evaluate any-zero-shot --features store --out out", sentence);
}

#[test]
fn names_that_look_alike_are_warned_of() {
    let place = Place::empty();
    place.write("f.csv", table("", |_, _| String::new()).replace("\nc1,", "\nC0,"));
    let ran = place.done(&format!("{RUN} --features f.csv --out out"));
    assert!(
        ran.err.contains("classes \"c0\" and \"C0\" are two, their names differ only in space, case"),
        "{}",
        ran.err
    );
}
