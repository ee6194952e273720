//! Evaluation without examples: what fits choose, who is left out, and class embeddings that do not fit.

use serde_json::Value;

use super::place::Place;

/// Eight classes of six items around corners of a cube, each with its corner as class vector.
fn place(splits: [&str; 3]) -> Place {
    let place = Place::empty();
    let mut features = "class,split,x,y,z\n".to_string();
    let mut vectors = "class,x,y,z\n".to_string();
    for class in 0..8u32 {
        let split = splits[[0, 0, 0, 1, 1, 2, 2, 2][class as usize]];
        let corner = [class & 1, class >> 1 & 1, class >> 2].map(|bit| f64::from(bit) * 2.0 - 1.0);
        vectors += &format!("c{class},{},{},{}\n", corner[0], corner[1], corner[2]);
        for item in 0..6u32 {
            let number = |axis: u32| {
                let shift = f64::from((class * 29 + item * 13 + axis * 7) % 19) / 19.0 - 0.5;
                (corner[axis as usize] + shift).to_string()
            };
            features += &format!("c{class},{split},{},{},{}\n", number(0), number(1), number(2));
        }
    }
    place.write("f.csv", features);
    place.write("v.csv", vectors);
    place
}

const SPLITS: [&str; 3] = ["base", "validation", "novel"];

fn record(place: &Place, out: &str) -> Value {
    serde_json::from_str(&place.read(&format!("{out}/run.json"))).unwrap()
}

#[test]
fn what_a_fit_chose_stands_in_the_record_and_on_the_page() {
    let place = place(SPLITS);
    let learners =
        "--learner sje --learner sje:lr=0.1,epochs=2,normalise=none --learner class-embedding-cosine";
    place.done(&format!("evaluate any-zero-shot --features f.csv --class-vectors v.csv {learners} --out r"));
    let run = record(&place, "r");
    let chosen = |wanted: &str| {
        let of = |learner: &&Value| learner["parameters"]["lr"] == wanted;
        run["learners"].as_array().unwrap().iter().find(of).unwrap()["chosen"].clone()
    };
    let entry = &chosen("0")[0];
    assert_eq!(entry["protocol"], "any-zero-shot");
    for name in ["lr", "epochs", "normalise"] {
        assert!(entry["values"][name].is_string(), "{entry}");
    }
    assert!(chosen("0.1").is_null() && run["learners"][0].get("chosen").is_none());
    place.done("report r --out page.html");
    let shown = format!("epochs={}, lr={}", entry["values"]["epochs"], entry["values"]["lr"]);
    assert!(place.read("page.html").contains(&format!("sje for any-zero-shot: {}", shown.replace('"', ""))));
}

#[test]
fn a_run_that_goes_on_or_was_joined_has_the_choices_of_one_in_one_go() {
    let place = place(SPLITS);
    let evaluate = "evaluate any-generalised-zero-shot --features f.csv --class-vectors v.csv --learner ale";
    place.done(&format!("{evaluate} --out whole"));
    place.done(&format!("{evaluate} --shard 1/1 --out part"));
    place.done("merge part --out joined");
    let choices = |out: &str| record(&place, out)["learners"][0]["chosen"].clone();
    assert!(choices("whole")[0]["values"]["lr"].is_string());
    assert_eq!(choices("joined"), choices("whole"));
}

#[test]
fn learners_that_need_seen_classes_are_left_out_where_there_are_none_unless_they_are_named() {
    let place = place(["novel"; 3]);
    let evaluate = "evaluate any-zero-shot --features f.csv --class-vectors v.csv";
    let ran = place.done(&format!("{evaluate} --out r"));
    let start = "warning: any-zero-shot: eszsl, sae, devise, ale, sje, ridge-map, prototypical-zero-shot";
    let end = "are left out, they are fitted on seen classes and f has none for this protocol\n";
    assert!(ran.err.contains(start) && ran.err.contains(end), "{}", ran.err);
    assert!(place.read("r/summary.csv").contains(",class-embedding-cosine,"));
    place.refuses(3, &format!("{evaluate} --learner sje --out s"), "learner `sje` …");
}

#[test]
fn learners_that_need_vectors_as_long_as_the_features_are_left_out_or_refused_where_they_are_not() {
    let place = place(SPLITS);
    let short: String =
        place.read("v.csv").lines().map(|l| l.rsplit_once(',').unwrap().0.to_string() + "\n").collect();
    place.write("w.csv", short);
    let evaluate = "evaluate any-zero-shot --features f.csv --class-vectors w.csv";
    let ran = place.done(&format!("{evaluate} --out r"));
    let warning = "warning: any-zero-shot: class-embedding-cosine, tip-adapter, tip-adapter-f are left out, they need class embeddings as long as the features of f\n";
    assert!(ran.err.contains(warning), "{}", ran.err);
    for learner in ["eszsl", "sae", "devise", "ale", "sje", "ridge-map", "prototypical-zero-shot"] {
        assert!(place.read("r/summary.csv").contains(&format!(",{learner},")), "{learner}");
    }
    let sizes = "needs class embeddings as long as the features, got 2 numbers per class and 3 per item…";
    let named = [
        ("any-zero-shot", "class-embedding-cosine", "a cosine"),
        ("any-zero-shot", "ale:init=identity", "init=identity"),
        ("any-zero-shot", "ridge-map:form=residual", "form=residual"),
        ("any-generalised-zero-shot", "class-embedding-cosine", "a cosine"),
        ("p.toml", "tip-adapter", "tip-adapter"),
        ("p.toml", "semantic-prototypical:map=identity", "map=identity"),
    ];
    place.write("p.toml", protocol());
    for (protocol, learner, what) in named {
        let run =
            format!("evaluate {protocol} --features f.csv --class-vectors w.csv --learner {learner} --out s");
        let name = learner.split(':').next().unwrap();
        place.refuses(2, &run, &format!("learner `{name}`: {what} {sizes}"));
    }
}

#[test]
fn learners_that_need_class_vectors_are_left_out_where_there_are_none_unless_they_are_named() {
    let place = place(SPLITS);
    place.write("p.toml", protocol());
    let warning = "warning: p: semantic-prototypical, tip-adapter, tip-adapter-f are left out, they need class embeddings and f has none\n";
    let ran = place.done("evaluate p.toml --features f.csv --out r");
    assert!(ran.err.contains(warning), "{}", ran.err);
    assert!(place.read("r/summary.csv").contains(",prototypical,"));
    let ran = place.done("select p.toml --features f.csv --budget 2 --episodes 2 --by support-cv --out c");
    assert!(ran.err.contains(warning), "{}", ran.err);
    assert!(!place.read("c/selected.toml").contains("tip-adapter"));
    let named = "evaluate p.toml --features f.csv --learner tip-adapter --out s";
    place.refuses(3, named, "learner `tip-adapter` needs class embeddings, store `f` has none\nhint: …");
}

/// Episodes of a few items for learners with and without class embeddings.
fn protocol() -> &'static str {
    r#"name = "p"
version = 1
source = "a test, 2026"
settings = ["inductive", "semantic"]
[data]
split = "novel"
[episode]
way = 2
shot = 2
query = 2
[draw]
count = 100
seed = 7
[report]
metrics = ["accuracy"]
"#
}

#[test]
fn class_vectors_that_do_not_fit_are_refused() {
    let place = place(SPLITS);
    let evaluate = "evaluate any-zero-shot --features f.csv --learner class-embedding-cosine --out r";
    place.refuses(3, evaluate, "learner `class-embedding-cosine` …");
    let named = |file: &str| evaluate.replace("f.csv", &format!("f.csv --class-vectors {file}"));
    place.refuses(3, &named("none.csv"), "none.csv: no such file");
    let table = "v.npy: class embeddings are read from a table, expected a .csv with a column `class` and a number per class …";
    place.refuses(2, &named("v.npy"), table);
    let all = place.read("v.csv");
    let with = |text: String| place.write("w.csv", text);
    let evaluate = format!("{evaluate} --class-vectors w.csv");
    with(all.lines().filter(|line| !line.starts_with("c3,")).map(|line| format!("{line}\n")).collect());
    place.refuses(3, &evaluate, "w.csv: class `c3` has no embedding\nhint: …");
    with(all.replacen("c2,-1,1,-1", "c2,-1,NaN,-1", 1));
    place.refuses(
        3,
        &evaluate,
        "w.csv line 4: the embedding of class `c2` has NaN in column 1, class embeddings must be finite\nhint: …",
    );
    with(all.replacen("c2,-1,1,-1", "c2,-1,,-1", 1));
    place.refuses(3, &evaluate, "w.csv line 4: column `y` must be a number, got ``");
}

#[test]
fn a_single_validation_class_is_too_few_for_stacking() {
    let place = place(SPLITS);
    place.write("f.csv", place.read("f.csv").replace("c4,validation", "c4,base"));
    let evaluate =
        "evaluate any-generalised-zero-shot --features f.csv --class-vectors v.csv --learner eszsl";
    let sentence = "protocol any-generalised-zero-shot: the calibration factor is chosen on validation classes, and split validation has \
                    1 class, an episode needs 2\nhint: list more classes as validation, or none: the factor then stays 0";
    place.refuses(3, &format!("{evaluate} --out r"), sentence);
}

#[test]
fn classes_with_vectors_of_zeros_are_warned_of() {
    let place = place(SPLITS);
    place.edit("v.csv", "c7,1,1,1", "c7,0,0,0");
    let ran =
        place.done("evaluate any-zero-shot --features f.csv --class-vectors v.csv --learner eszsl --out r");
    let warning =
        "warning: f: the vector of 1 class is all zero, it cannot be told from others by a cosine\n";
    assert!(ran.err.contains(warning), "{}", ran.err);
}

#[test]
fn intents_take_class_vectors_beside_the_sentences_where_there_are_some() {
    let place = place(SPLITS);
    // Six items of a class: five to learn from, one to answer.
    let with_part = |(number, line): (usize, &str)| {
        let part = if number == 0 { "part" } else { ["test", "train"][usize::from(number % 6 != 0)] };
        format!("{line},{part}\n")
    };
    let table: String = place.read("f.csv").lines().enumerate().map(with_part).collect();
    place.write("f.csv", table);
    let evaluate = "evaluate any-intents-5shot --features f.csv";
    let ran = place.done(&format!("{evaluate} --out r"));
    let none = "any-intents-5shot: semantic-prototypical, tip-adapter, tip-adapter-f are left out, they need class embeddings and f has none\n";
    assert!(ran.err.contains(none), "{}", ran.err);
    let ran = place.done(&format!("{evaluate} --class-vectors v.csv --out s"));
    let unfitted = "any-intents-5shot: semantic-prototypical is left out, it is fitted on seen classes and f has none for this protocol\n";
    assert!(ran.err.contains(unfitted) && !ran.err.contains("tip-adapter"), "{}", ran.err);
    assert!(place.read("s/summary.csv").contains(",tip-adapter,"));
    let named = "--class-vectors v.csv --learner semantic-prototypical:map=identity";
    place.done(&format!("{evaluate} {named} --out t"));
    assert!(place.read("t/summary.csv").contains(",semantic-prototypical,"));
}
