//! What `select` gives, and how `evaluate` uses it.

use std::collections::{BTreeMap, BTreeSet};

use super::place::{Place, npy, numbers};

const DIM: usize = 4;
const ITEMS: usize = 12;

/// Twelve classes of twelve items: c0 to c3 base, c4 to c7 validation, c8 to c11 novel. Protocol `p` is 3-way 3-shot,
/// `one` 3-way 1-shot. The numbers of novel items are multiplied by `novel`.
fn place(novel: f32) -> Place {
    let place = Place::new();
    let rows = 12 * ITEMS;
    let mut values = numbers(rows * DIM);
    for (row, values) in values.chunks_exact_mut(DIM).enumerate() {
        // Classes lie around points of their own, so that some settings do better than others.
        values[row / ITEMS % DIM] += 0.8;
        values[row / ITEMS % 3] *= 1.5;
        if row / ITEMS >= 8 {
            values.iter_mut().for_each(|value| *value *= novel);
        }
    }
    let body: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    place.write("store/features.npy", npy("<f4", &format!("({rows}, {DIM})"), &body));
    let items: String = (0..rows).map(|row| format!("c{}\n", row / ITEMS)).collect();
    place.write("store/items.csv", format!("class\n{items}"));
    let split = |class: usize| ["base", "validation", "novel"][class / 4];
    let splits: String = (0..12).map(|class| format!("c{class},{}\n", split(class))).collect();
    place.write("store/splits.csv", format!("class,split\n{splits}"));
    place.edit("p.toml", "way   = 5", "way   = 3");
    place.edit("p.toml", "count = 2", "count = 40");
    let text = place.read("p.toml").replace("\"p\"", "\"one\"");
    place.write("one.toml", text);
    place.edit("p.toml", "shot  = 1", "shot  = 3");
    place
}

const SELECT: &str = "select p.toml --features store --budget 6";
const EVALUATE: &str = "evaluate p.toml --features store";

/// The rows of a file by column.
fn rows(place: &Place, file: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(place.path(file)).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn column(place: &Place, file: &str, name: &str) -> BTreeSet<String> {
    rows(place, file).into_iter().map(|mut row| row.remove(name).unwrap()).collect()
}

#[test]
fn every_learner_gets_the_same_budget_and_one_choice() {
    let place = place(1.0);
    let out = place.done(&format!("{SELECT} --out chosen")).out;
    assert!(out.contains("accuracy in percent over 40 episodes of validation classes, seed 7\n"), "{out}");
    let trials = rows(&place, "chosen/trials.csv");
    let learners = column(&place, "chosen/trials.csv", "learner");
    assert_eq!(learners.len(), 12);
    for learner in &learners {
        let own: Vec<_> = trials.iter().filter(|row| row["learner"] == *learner).collect();
        let whole = match learner.as_str() {
            "prototypical" => 2,
            "nearest-centroid" => 3,
            _ => 6,
        };
        assert_eq!(own.len(), whole, "{learner}");
        let settings: BTreeSet<_> = own.iter().map(|row| &row["parameters"]).collect();
        assert_eq!(settings.len(), whole, "{learner} tries a setting twice");
        let score = |row: &BTreeMap<String, String>| row["score"].parse::<f64>().unwrap();
        let best = own.iter().map(|row| score(row)).fold(0.0, f64::max);
        let first = own.iter().find(|row| score(row) == best).unwrap();
        for row in &own {
            assert_eq!(row["chosen"] == "yes", row["trial"] == first["trial"], "{row:?}");
            assert!(row["low"].parse::<f64>().unwrap() <= score(row) && row["interval"] == "sampler");
            assert!(row["seconds"].parse::<f64>().unwrap() >= 0.0);
        }
    }
}

#[test]
fn the_selection_is_the_same_byte_for_byte_for_any_number_of_workers() {
    let place = place(1.0);
    let files = |workers: usize| {
        place.done(&format!("{SELECT} --workers {workers} --out by-{workers}"));
        ["selected.toml", "draw.csv"].map(|name| place.read(&format!("by-{workers}/{name}")))
    };
    let expected = files(1);
    assert!(expected[0].contains("\n[[learner]]\nname = \"linear-probe\"\n"), "{}", expected[0]);
    assert_eq!(files(2), expected);
    assert_eq!(files(3), expected);
    place.done(&format!("{SELECT} --seed 8 --out other"));
    assert_ne!(place.read("other/selected.toml"), expected[0]);
}

#[test]
fn selection_never_reads_a_novel_item() {
    let (place, other) = (place(f32::NAN), place(1.0));
    place.done(&format!("{SELECT} --out chosen"));
    place.refuses(
        3,
        &format!("{EVALUATE} --selected chosen/selected.toml --out out"),
        "store/features.npy: item 96 (class `c8`) has NaN in column 0, features must be finite 32-bit numbers",
    );
    // Nor does it matter what they are.
    other.done(&format!("{SELECT} --out chosen"));
    let choice = |place: &Place| {
        let text = place.read("chosen/selected.toml");
        text.lines().filter(|line| !line.starts_with("features_sha256")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(choice(&place), choice(&other));
}

#[test]
fn an_evaluation_uses_a_selection_and_says_so_in_every_file() {
    let place = place(1.0);
    place.done(&format!("{SELECT} --learner linear-probe:c=20|30 --learner ridge:alpha=7|9 --out chosen"));
    let run = format!("{EVALUATE} --selected chosen/selected.toml --learner linear-probe:c=50 --out out");
    let out = place.done(&run).out;
    assert!(out.contains("(validation)"), "{out}");
    let summary = rows(&place, "out/summary.csv");
    for row in &summary {
        let selected = row["learner"] == "ridge" || !row["parameters"].starts_with("c=50,");
        assert_eq!(row["selection"] == "validation", selected, "{row:?}");
    }
    let metrics = |learner: &str| -> BTreeSet<&str> {
        let own = summary.iter().filter(|row| row["learner"] == learner && row["selection"] == "validation");
        own.map(|row| row["metric"].as_str()).collect()
    };
    let tempered = ["adaptive-ece-ts", "nll-ts", "temperature"];
    assert!(tempered.iter().all(|metric| metrics("linear-probe").contains(metric)));
    assert!(tempered.iter().all(|metric| !metrics("ridge").contains(metric)));
    let value = |metric: &str| {
        let row = summary.iter().find(|row| row["metric"] == metric && row["selection"] == "validation");
        row.unwrap()["value"].parse::<f64>().unwrap()
    };
    let temperature = value("temperature");
    assert!(temperature > 0.0 && temperature != 1.0);
    let temperatures = column(&place, "out/bins.csv", "temperature");
    assert_eq!(temperatures, ["1".to_string(), temperature.to_string()].into());
    let nll: Vec<f64> =
        rows(&place, "out/temperature_scaled.csv").iter().map(|row| row["nll-ts"].parse().unwrap()).collect();
    assert_eq!(nll.len(), 40);
    assert!((nll.iter().sum::<f64>() / 40.0 - value("nll-ts")).abs() < 1e-12);
    let record: serde_json::Value = serde_json::from_str(&place.read("out/run.json")).unwrap();
    let selections: Vec<&str> =
        record["learners"].as_array().unwrap().iter().map(|l| l["selection"].as_str().unwrap()).collect();
    assert_eq!(selections.iter().filter(|s| **s == "validation").count(), 2);
    place.done("compare out --out comparison");
    place.done("report out --out report.html");
}

#[test]
fn the_selected_temperature_makes_claims_on_its_own_episodes_likelier() {
    let place = place(1.0);
    place.done(&format!("{SELECT} --learner fine-tune:epochs=3,lr=0.01 --out chosen"));
    place.edit("p.toml", "split = \"novel\"", "split = \"validation\"");
    let run = format!("{EVALUATE} --selected chosen/selected.toml --draw chosen/draw.csv --out out");
    place.done(&run);
    let summary = rows(&place, "out/summary.csv");
    let value = |metric: &str| {
        summary.iter().find(|row| row["metric"] == metric).unwrap()["value"].parse::<f64>().unwrap()
    };
    assert!(value("nll-ts") < value("nll"), "{} {}", value("nll-ts"), value("nll"));
    assert!(value("temperature") < 1.0, "three small steps are not confident enough");
}

#[test]
fn a_selection_for_other_things_is_refused_unless_told_otherwise() {
    let place = place(1.0);
    place.done(&format!("{SELECT} --learner ridge --out chosen"));
    let run = "evaluate one.toml --features store --selected chosen/selected.toml --out out";
    let sentence = "chosen/selected.toml was made for other things than one: protocol p, not one; shot 3, not 1\nhint: \
                    select again, or use it all the same with --selected-elsewhere";
    place.refuses(2, run, sentence);
    let err = place.done(&format!("{run} --selected-elsewhere")).err;
    assert!(
        err.contains("warning: one: chosen/selected.toml was selected for other things: protocol p"),
        "{err}"
    );
    let items = place.read("store/items.csv") + "c3\n";
    place.write("store/items.csv", items);
    let body: Vec<u8> = numbers(145 * DIM).iter().flat_map(|v| v.to_le_bytes()).collect();
    place.write("store/features.npy", npy("<f4", &format!("(145, {DIM})"), &body));
    let start = "chosen/selected.toml was made for other things than p: features …";
    place.refuses(2, &format!("{EVALUATE} --selected chosen/selected.toml --out new"), start);
}

#[test]
fn each_support_set_can_choose_for_itself_and_one_shot_keeps_the_default() {
    let place = place(1.0);
    place.edit("store/splits.csv", "c4,validation\nc5,validation\n", "c4,base\nc5,base\n");
    let start = "protocol p cannot be drawn from the validation classes: …";
    place.refuses(2, &format!("{SELECT} --out chosen"), start);
    place.done(&format!("{SELECT} --by support-cv --learner k-nn:k=1..3 --learner ridge --out chosen"));
    assert!(!place.path("chosen/draw.csv").exists());
    let ran = place.done(&format!("{EVALUATE} --selected chosen/selected.toml --workers 2 --out out"));
    assert!(!ran.err.contains("kept its default"), "{}", ran.err);
    place.done(&format!("{EVALUATE} --selected chosen/selected.toml --workers 1 --batch 3 --out again"));
    for file in ["summary.csv", "outcomes.csv"] {
        assert_eq!(place.read(&format!("out/{file}")), place.read(&format!("again/{file}")));
    }
    assert_eq!(column(&place, "out/summary.csv", "selection"), ["support-cv".to_string()].into());
    let parameters = ["alpha=cv,transform=cv", "distance=cv,k=cv"].map(String::from);
    assert_eq!(column(&place, "out/summary.csv", "parameters"), parameters.into());
    // An episode is answered as by one of the settings, and not always by the same.
    let settings = ["ridge", "k-nn"].map(|learner| {
        let own = rows(&place, "chosen/trials.csv").into_iter().filter(|row| row["learner"] == learner);
        own.map(|row| format!("--learner {learner}:{}", row["parameters"])).collect::<Vec<_>>().join(" ")
    });
    place.done(&format!("{EVALUATE} {} --out each", settings.join(" ")));
    let correct = |file: &str| -> BTreeMap<(String, String), Vec<String>> {
        let mut all = BTreeMap::new();
        for row in rows(&place, file) {
            let key = (row["learner"].clone(), row["parameters"].clone());
            all.entry(key).or_insert_with(Vec::new).push(row["correct"].clone());
        }
        all
    };
    let each = correct("each/episodes.csv");
    for ((learner, _), chosen) in correct("out/episodes.csv") {
        let own: Vec<_> = each.iter().filter(|((name, _), _)| *name == learner).map(|(_, v)| v).collect();
        assert_eq!((own.len(), chosen.len()), (6, 40));
        assert!(
            (0..40).all(|episode| own.iter().any(|setting| setting[episode] == chosen[episode])),
            "{learner}"
        );
        assert!(own.iter().all(|setting| **setting != chosen), "{learner} never chooses");
    }

    let out = place.done("select one.toml --features store --by support-cv --learner ridge --out one").out;
    assert!(out.contains("1-shot episodes keep the default"), "{out}");
    let one = "evaluate one.toml --features store";
    let ran = place.done(&format!("{one} --selected one/selected.toml --learner ridge --out one-out"));
    assert!(ran.err.contains("warning: one: ridge kept its default in 40 of 40 episodes"), "{}", ran.err);
    let summary = rows(&place, "one-out/summary.csv");
    let value = |selection: &str| {
        let row = summary.iter().find(|row| row["selection"] == selection && row["metric"] == "accuracy");
        row.unwrap()["value"].clone()
    };
    assert_eq!(value("support-cv"), value("default"));
}

#[test]
fn an_oracle_is_asked_for_by_name_labelled_everywhere_and_never_ranked() {
    let place = place(1.0);
    let learners = "--learner ridge:alpha=20|30 --learner svm --learner k-nn";
    let out = place.done(&format!("{SELECT} {learners} --oracle --out chosen")).out;
    assert!(
        out.contains("oracle: chosen on the 40 episodes that p reports; a bound, not a result\n"),
        "{out}"
    );
    assert!(!place.path("chosen/selected.toml").exists() && !place.path("chosen/trials.csv").exists());
    assert_eq!(column(&place, "chosen/oracle-trials.csv", "selection"), ["oracle".to_string()].into());
    let others = "--learner prototypical --learner matching:temperature=77";
    let ran = place.done(&format!("{EVALUATE} --selected chosen/oracle.toml {others} --out out"));
    assert!(ran.err.contains("rows with selection = oracle"), "{}", ran.err);
    let labelled = ran.out.lines().filter(|line| line.contains(" (oracle)")).count();
    assert_eq!(labelled, 3, "{}", ran.out);
    place.done("compare out --out comparison");
    let compared = place.read("comparison/comparison.csv");
    assert!(compared.contains("matching") && !compared.contains("ridge"), "{compared}");
    // No other way reaches the novel classes.
    place.refuses(
        2,
        &format!("{SELECT} --oracle --by validation --out x"),
        "the argument '--oracle' cannot be used…",
    );
    place.edit("p.toml", "split = \"novel\"", "split = \"validation\"");
    let sentence =
        "protocol `p` reports validation classes, so none are left to select on\nhint: give --by support-cv";
    place.refuses(2, &format!("{SELECT} --out x"), sentence);
}

#[test]
fn spaces_come_from_a_file_too_and_what_is_typed_counts_before_it() {
    let place = place(1.0);
    place.write(
        "space.toml",
        "[ridge]\nalpha = [1, 2, 4]\ntransform = \"none\"\n[svm]\nc = 3\ntransform = \"none\"\n",
    );
    let run = "select p.toml --features store --space space.toml --learner svm --out chosen";
    place.done(&format!("{run} --learner ridge:alpha=1|8"));
    let settings = column(&place, "chosen/trials.csv", "parameters");
    let expected =
        ["alpha=1,transform=none", "alpha=8,transform=none", "c=3,transform=none"].map(String::from);
    assert_eq!(settings, expected.into());
    let refused = |text: &str, sentence: &str| {
        place.write("space.toml", text);
        place.refuses(2, &format!("{run} --overwrite"), sentence);
    };
    refused("[svm]\nc = []\n", "search space of `svm`: `c` needs a value or more, got none…");
    refused(
        "[svm]\nc = { low = 0, high = 1, scale = \"log\" }\n",
        "search space of `svm`: `c` must be a number…",
    );
    refused("[svm]\nd = 1\n", "learner `svm` has no parameter `d`, expected one of `c`, `transform`");
    refused("[smv]\nc = 1\n", "unknown learner `smv`…");
    refused("svm = 1\n", "space.toml: TOML parse error…");
}

#[test]
fn requests_that_cannot_be_met_are_refused() {
    let place = place(1.0);
    place.refuses(
        2,
        &format!("{SELECT} --learner ridge --learner ridge:alpha=3 --out x"),
        "learner `ridge` is given twice, a selection holds each once",
    );
    let run = "select p.toml --features store --out x";
    place.refuses(2, &format!("{run} --budget 0"), "invalid value '0' for '--budget <N>'…");
    place.refuses(2, &format!("{SELECT} --space none.toml --out x"), "cannot read none.toml: No such file…");
    let run = format!("{EVALUATE} --out x --selected");
    place.refuses(2, &format!("{run} none.toml"), "cannot read none.toml: No such file…");
    place.refuses(2, &format!("{run} p.toml"), "p.toml: no `format`, so this is no selection");
    place.refuses(
        2,
        &format!("{EVALUATE} --out x --selected-elsewhere"),
        "the following required arguments…",
    );
    place.done(&format!("{SELECT} --learner prototypical --out chosen"));
    let sentence = "chosen/trials.csv is there already\nhint: name another place, or give --overwrite";
    place.refuses(2, &format!("{SELECT} --out chosen"), sentence);
}

#[test]
fn without_base_classes_nothing_is_centred_by_them() {
    let place = place(1.0);
    let splits = place.read("store/splits.csv").replace(",base", ",validation");
    place.write("store/splits.csv", splits);
    place.done(&format!("{SELECT} --learner nearest-centroid --out chosen"));
    let settings = column(&place, "chosen/trials.csv", "parameters");
    assert_eq!(settings, ["transform=l2n", "transform=none"].map(String::from).into());
}
