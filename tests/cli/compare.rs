//! `kshot compare`: what it says and writes, and which results it refuses.

use super::place::Place;

/// Forty episodes of each of twelve classes, enough for a statement about new classes.
const FEATURES: &str = "gaussian:novel=12,base=0,validation=0,items=20,dim=4,spread=0.5";

/// A folder with the results `out` of three learners on 400 episodes.
fn compared() -> Place {
    let place = Place::new();
    place.edit("p.toml", "count = 2", "count = 400");
    place.done(&format!("evaluate p.toml --features {FEATURES} {LEARNERS} --out out"));
    place
}

const LEARNERS: &str = "--learner prototypical --learner k-nn --learner fine-tune:epochs=1,lr=0.01";

fn rows(place: &Place, name: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(place.path(name)).unwrap();
    let header = reader.headers().unwrap().clone();
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_string).collect());
    std::iter::once(header.iter().map(str::to_string).collect()).chain(rows).collect()
}

fn column(rows: &[Vec<String>], name: &str) -> Vec<String> {
    let place =
        rows[0].iter().position(|column| column == name).unwrap_or_else(|| panic!("no column {name}"));
    rows[1..].iter().map(|row| row[place].clone()).collect()
}

#[test]
fn a_comparison_is_printed_and_written_in_three_forms() {
    let place = compared();
    let out = place.done("compare out --out cmp").out;
    for part in [
        "rank  learner",
        "these classes",
        "new classes",
        "learners that share a letter cannot be told apart",
        "For these classes and items, ",
        "For new classes, ",
        "comparison: cmp",
    ] {
        assert!(out.contains(part), "{part} is not in:\n{out}");
    }
    let rows = rows(&place, "cmp/comparison.csv");
    assert_eq!(rows.len(), 1 + 3 * 2);
    assert_eq!(column(&rows, "interval")[..2], ["sampler", "classes"]);
    let verdicts = column(&rows, "verdict");
    assert!(
        verdicts.iter().all(|v| ["better", "equivalent", "undecided"].contains(&v.as_str())),
        "{verdicts:?}"
    );
    // Holm is at least the plain p-value, and the smallest of three is tripled.
    let numbers =
        |name| column(&rows, name).iter().map(|cell| cell.parse::<f64>().unwrap()).collect::<Vec<_>>();
    let (plain, holm) = (numbers("p"), numbers("p_holm"));
    assert!(plain.iter().zip(&holm).all(|(plain, holm)| holm >= plain));
    let of_sampler = |all: &[f64]| [all[0], all[2], all[4]].into_iter().fold(1.0, f64::min);
    assert!((of_sampler(&holm) - (3.0 * of_sampler(&plain)).min(1.0)).abs() < 1e-12);
    assert!(place.read("cmp/comparison.md").starts_with("# Comparison\n\n"));
    assert!(place.read("cmp/comparison.tex").contains("\\toprule"));
    assert!(!place.path("cmp/ranks.csv").exists());
    place.refuses(
        2,
        "compare out --out cmp",
        "cmp/comparison.csv is there already\nhint: name another place, or give --overwrite",
    );
    place.done("compare out --out cmp --overwrite");
}

#[test]
fn with_a_baseline_everything_is_compared_with_it() {
    let place = compared();
    let out = place.done("compare out --baseline k-nn --smallest 2 --out cmp").out;
    assert!(out.contains("differences are learner − k-nn"), "{out}");
    let rows = rows(&place, "cmp/comparison.csv");
    assert_eq!(rows.len(), 1 + 2 * 2);
    assert!(column(&rows, "learner_b").iter().all(|learner| learner == "k-nn"));
    assert!(column(&rows, "smallest").iter().all(|smallest| smallest == "0.02"));
    let sentence = "baseline `best` is not in the results, expected one of fine-tune, k-nn, prototypical";
    place.refuses(2, "compare out --baseline best --out other", sentence);
    place.refuses(
        2,
        "compare out --smallest 0 --out other",
        "the smallest difference that matters must be above 0, got 0",
    );
}

#[test]
fn results_of_two_runs_on_one_draw_are_those_of_one_run() {
    let place = compared();
    let learners: Vec<&str> = LEARNERS.split("--learner ").filter(|part| !part.is_empty()).collect();
    for (number, learner) in learners.iter().enumerate() {
        place.done(&format!(
            "evaluate p.toml --features {FEATURES} --learner {} --out part{number}",
            learner.trim()
        ));
    }
    place.done("compare out --out whole");
    place.done("compare part2 part0 part1 --out parts");
    assert_eq!(place.read("whole/comparison.csv"), place.read("parts/comparison.csv"));
}

#[test]
fn a_lower_loss_is_better_and_has_no_default_for_what_matters() {
    let place = compared();
    let out = place.done("compare out --metric nll --out cmp").out;
    assert!(out.contains(" is better than "), "{out}");
    let rows = rows(&place, "cmp/comparison.csv");
    assert!(column(&rows, "smallest").iter().all(String::is_empty));
    place.refuses(
        2,
        "compare out --metric adaptive-ece --out other",
        "adaptive-ece cannot be paired episode by episode, expected one of `accuracy`, `nll`, `brier`, `aurc`, `aurc-open-set`, `auroc`, `fpr95`, `in-scope-accuracy-at-95`, `oos-recall`, `nll-ts`",
    );
}

#[test]
fn two_episodes_say_nothing_about_new_classes_and_the_reason_is_told() {
    let place = Place::new();
    place.done("evaluate p.toml --features store --draw draw.csv --learner ridge --learner k-nn --out out");
    let out = place.done("compare out --out cmp").out;
    let reason =
        "an interval for new classes leaves each class out in turn, but class c1 is in every episode";
    assert!(out.contains(&format!("For new classes, nothing can be said: {reason}.")), "{out}");
    let rows = rows(&place, "cmp/comparison.csv");
    assert_eq!(column(&rows, "undefined")[1], reason);
    assert_eq!(column(&rows, "low")[1], "");
}

#[test]
fn clusters_travel_with_the_results_and_are_left_out_as_a_whole() {
    let place = Place::new();
    place.edit("p.toml", "count = 2", "count = 700");
    let classes = 22;
    let values: Vec<f32> = super::place::numbers(classes * 6 * 3);
    let body: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    place.write("wide/features.npy", super::place::npy("<f4", &format!("({}, 3)", classes * 6), &body));
    let items: String = (0..classes * 6).map(|row| format!("c{}\n", row / 6)).collect();
    place.write("wide/items.csv", format!("class\n{items}"));
    let split = |each: usize| {
        let rows: String = (0..classes).map(|c| format!("c{c},novel,family {}\n", c / each)).collect();
        format!("class,split,cluster\n{rows}")
    };
    place.write("wide/splits.csv", split(2));
    let evaluate = "evaluate p.toml --features wide --learner ridge --learner k-nn";
    place.done(&format!("{evaluate} --out out"));
    assert!(
        place
            .read("out/clusters.csv")
            .starts_with("protocol,dataset,class,cluster\np,wide,c0,family 0\np,wide,c1,family 0\n")
    );
    let out = place.done("compare out --out cmp").out;
    assert!(out.contains("22 classes in 11 clusters") && out.contains("For new clusters, "), "{out}");
    let rows = rows(&place, "cmp/comparison.csv");
    assert_eq!(column(&rows, "clusters"), ["11", "11"]);
    assert_eq!(column(&rows, "degrees")[1], "10");
    place.write("wide/splits.csv", split(3));
    place.done(&format!("{evaluate} --out few"));
    let out = place.done("compare few --out cmp-few").out;
    let reason = "an interval for new clusters needs 10 clusters or more, found 8";
    assert!(out.contains(&format!("For new clusters, nothing can be said: {reason}.")), "{out}");
    assert!(!place.read("few/summary.csv").contains(",classes,0."), "{}", place.read("few/summary.csv"));
    place.edit("out/clusters.csv", "p,wide,c3,family 1\n", "");
    let sentence = "out/outcomes.csv line …";
    place.refuses(3, "compare out --out other", sentence);
}

#[test]
fn results_of_other_episodes_are_refused_saying_what_differs() {
    let place = compared();
    let evaluate = |changes: &str, out: &str| {
        place.done(&format!("evaluate p.toml --learner ridge {changes} --out {out}"));
    };
    let short = |folder: &str, name: &str| {
        column(&rows(&place, &format!("{folder}/summary.csv")), name)[0][..12].to_string()
    };
    // The two are named in the order of their hashes.
    let differ = |what: &str, name: &str, folder: &str, hint: &str| {
        let mut two = [(short("out", name), "out"), (short(folder, name), folder)];
        two.sort();
        let [(first, one), (second, other)] = two;
        let sentence = format!(
            "protocol p (shot 1) cannot be paired, because the {what} differ: {first} in {one} and {second} in {other}\n\
             hint: {hint}"
        );
        place.refuses(3, &format!("compare out {folder} --out cmp"), &sentence);
    };
    place.edit("p.toml", "seed  = 7", "seed  = 8");
    evaluate(&format!("--features {FEATURES}"), "seed");
    let hint = "evaluate all learners on one draw: the protocol's own, or one given with --draw";
    differ("draws", "draw_sha256", "seed", hint);
    place.edit("p.toml", "seed  = 8", "seed  = 7");
    evaluate(&format!("--features {FEATURES},seed=9"), "features");
    differ("features", "features_sha256", "features", "compare learners on one feature store at a time");
    place.edit("p.toml", "version = 1", "version = 2");
    evaluate(&format!("--features {FEATURES}"), "version");
    place.refuses(
        3,
        "compare out version --out cmp",
        "protocol p cannot be paired, because its versions differ: 1 in out and 2 in version",
    );
    place.refuses(3, "compare out out --out cmp", "learner fine-tune:…");
}

#[test]
fn damaged_results_are_refused_with_file_line_and_difference() {
    let place = compared();
    let here = env!("CARGO_PKG_VERSION");
    let damaged = |name: &str, damage: &dyn Fn(String) -> String, sentence: &str| {
        let (path, whole) = (format!("out/{name}"), place.read(&format!("out/{name}")));
        place.write(&path, damage(whole.clone()));
        for verb in ["compare out --out cmp", "report out --out page.html"] {
            place.refuses(3, verb, sentence);
        }
        place.write(&path, whole);
    };
    damaged(
        "episodes.csv",
        &|text| text.replacen(",total,", ",", 1),
        "out/episodes.csv line 1: column `total` is missing",
    );
    let last = place.read("out/outcomes.csv").lines().count();
    damaged(
        "outcomes.csv",
        &|text| text[..text.len() - 5].to_string(),
        &format!(
            "out/outcomes.csv line {last}: the last line is cut off\n\
             hint: the file was not written to its end or was edited; evaluate again"
        ),
    );
    damaged(
        "run.json",
        &|text| text.replacen(&format!("\"{here}\""), "\"9.1.0\"", 1),
        &format!(
            "out/run.json: written by kshot 9.1.0, this is kshot {here}\nhint: evaluate again, or use kshot 9.1.0"
        ),
    );
    damaged(
        "summary.csv",
        &|text| text.replacen(",accuracy,0.", ",accuracy,0.0", 1),
        "out/summary.csv line 2: learner fine-tune:…",
    );
    place.done("compare out --out cmp");
}

#[test]
fn what_is_no_folder_of_results_is_refused() {
    let place = compared();
    place.refuses(
        3,
        "compare nowhere --out cmp",
        "cannot read nowhere/run.json: No such file or directory (os error 2)",
    );
    place.refuses(
        3,
        "compare store --out cmp",
        "cannot read store/run.json: No such file or directory (os error 2)",
    );
    place.done(&format!("evaluate p.toml --features {FEATURES} --learner ridge --out alone"));
    place.refuses(
        2,
        "compare alone --out cmp",
        "a comparison needs two learners on the same episodes, found ridge",
    );
}
