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

const LEARNERS: &str =
    "--learner prototypical --learner k-nn:distance=cosine --learner fine-tune:epochs=5,lr=0.1";

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
        "rank  method",
        "± these",
        "± new",
        "± margin of error (95 % CI) of each method alone",
        "these classes: these classes and items (closed); new classes: others of their kind",
        "methods that share a letter are not significantly different",
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
        verdicts.iter().all(|v| ["better", "equivalent", "inconclusive"].contains(&v.as_str())),
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
    let out = place.done("compare out --baseline k-nn --margin 2 --out cmp").out;
    assert!(out.contains("differences are method − gaussian+k-nn, ± margin of error (95 % CI)"), "{out}");
    let rows = rows(&place, "cmp/comparison.csv");
    assert_eq!(rows.len(), 1 + 2 * 2);
    assert!(column(&rows, "learner_b").iter().all(|learner| learner == "k-nn"));
    assert!(column(&rows, "method_b").iter().all(|method| method == "gaussian+k-nn"));
    assert!(column(&rows, "margin").iter().all(|margin| margin == "0.02"));
    for asked in ["gaussian+k-nn", "gaussian+k-nn:k=1", "k-nn:k=1"] {
        place.done(&format!("compare out --baseline {asked} --margin 2 --out cmp --overwrite"));
        assert_eq!(column(&self::rows(&place, "cmp/comparison.csv"), "method_b"), column(&rows, "method_b"));
    }
    let known = "expected one of gaussian+fine-tune, gaussian+k-nn, gaussian+prototypical";
    let sentence = |asked: &str| format!("baseline `{asked}` is not in the results, {known}");
    place.refuses(2, "compare out --baseline best --out other", &sentence("best"));
    let meant = "\nhint: did you mean `gaussian+prototypical`?";
    let typo = sentence("gaussian+protoypical") + meant;
    place.refuses(2, "compare out --baseline gaussian+protoypical --out other", &typo);
    place.refuses(2, "compare out --margin 0 --out other", "the equivalence margin must be above 0, got 0");
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
    assert!(column(&rows, "margin").iter().all(String::is_empty));
    place.refuses(
        2,
        "compare out --metric adaptive-ece --out other",
        "adaptive-ece cannot be paired episode by episode, nor class by class, expected one of `accuracy`, `nll`, `brier`, `class-accuracy`, `macro-f1`, `weighted-f1`, `balanced-accuracy`, `cohen-kappa`, `matthews`, `ovr-auroc`, `average-precision`, `top-2`, `top-3`, `top-5`, `top-10`, `support-accuracy`, `aurc`, `aurc-open-set`, `auroc`, `fpr95`, `in-scope-accuracy-at-95`, `oos-recall`, `nll-ts`, `seen`, `unseen`, `harmonic`",
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
    place.edit("p.toml", "count = 2", "count = 1800");
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
    assert!(column(&rows, "degrees")[1].parse::<f64>().unwrap() <= 10.0);
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
fn results_of_other_episodes_are_refused_saying_what_differs_first() {
    let place = compared();
    let evaluate = |changes: &str, out: &str| {
        place.done(&format!("evaluate p.toml --learner ridge {changes} --out {out}"));
    };
    let short = |folder: &str, name: &str| {
        column(&rows(&place, &format!("{folder}/summary.csv")), name)[0][..12].to_string()
    };
    let differ = |folder: &str, what: &str, values: [&str; 2], hint: &str| {
        let [first, second] = values;
        let sentence = format!(
            "protocol p (shot 1) cannot be paired, because the {what} differ{}: {first} in out and {second} in {folder}\n\
             hint: {hint}",
            if what == "rules" { " in `episode.query`" } else { "" }
        );
        place.refuses(3, &format!("compare out {folder} --out cmp"), &sentence);
    };
    let draws = "evaluate all methods on one draw: the protocol's own, or one given with --draw";
    place.edit("p.toml", "seed  = 7", "seed  = 8");
    evaluate(&format!("--features {FEATURES}"), "seed");
    differ("seed", "seeds of the draws", ["7", "8"], draws);
    place.edit("p.toml", "seed  = 8", "seed  = 7");
    place.edit("p.toml", "query = 3", "query = 4");
    evaluate(&format!("--features {FEATURES}"), "query");
    differ("query", "rules", ["3", "4"], draws);
    place.edit("p.toml", "query = 4", "query = 3");
    let items = FEATURES.replace("items=20", "items=21");
    evaluate(&format!("--features {items}"), "items");
    let hashes = [short("out", "items_sha256"), short("items", "items_sha256")];
    differ("items", "items", [&hashes[0], &hashes[1]], "evaluate all methods on the same items");
    // Another version of the rules that draws the same episodes can be paired, and so can the same results twice.
    place.edit("p.toml", "version = 1", "version = 2");
    evaluate(&format!("--features {FEATURES}"), "version");
    let out = place.done("compare out version --out cmp").out;
    assert!(out.contains("p version 1 and p version 2 have one draw of the same items"), "{out}");
    assert_eq!(rows(&place, "cmp/comparison.csv").len(), 1 + 6 * 2);
    place.done("compare out --out once");
    place.done("compare out out --out twice");
    assert_eq!(place.read("once/comparison.csv"), place.read("twice/comparison.csv"));
}

#[test]
fn two_backbones_on_the_same_items_are_paired_from_one_run_or_from_two() {
    let place = Place::new();
    place.edit("p.toml", "count = 2", "count = 1800");
    let conv4 = "--backbone conv4:weights=conv4-glyphs --cache cache";
    let evaluate = "evaluate p.toml --features glyphs --learner prototypical --learner k-nn";
    place.done(&format!("{evaluate} --out pixels"));
    place.done(&format!("{evaluate} {conv4} --out conv4"));
    place.done(&format!("{evaluate} --backbone pixels {conv4} --out both"));
    let out = place.done("compare pixels conv4 --baseline pixels+prototypical --out two").out;
    for part in [
        "conv4+prototypical",
        "For these classes and items, conv4+prototypical is better than pixels+prototypical (difference ",
        "For new classes, conv4+prototypical is better than pixels+prototypical (difference ",
        "conv4: one training (seed ",
    ] {
        assert!(out.contains(part), "{part} is not in:\n{out}");
    }
    // At one shot the nearest neighbour is the nearest prototype.
    assert!(out.contains("conv4+prototypical and conv4+k-nn are identical here"), "{out}");
    assert!(out.lines().take_while(|line| !line.is_empty()).all(|line| line.chars().count() <= 80), "{out}");
    let found = rows(&place, "two/comparison.csv");
    assert_eq!(column(&found, "interval"), ["sampler", "classes"]);
    assert_eq!(
        (column(&found, "features_a")[0].as_str(), column(&found, "features_b")[0].as_str()),
        ("conv4", "pixels")
    );
    let summary = |folder: &str| {
        let rows = rows(&place, &format!("{folder}/summary.csv"));
        column(&rows, "value")[0].parse::<f64>().unwrap()
    };
    let difference: f64 = column(&found, "difference")[0].parse().unwrap();
    assert!(
        (difference - (summary("conv4") - summary("pixels"))).abs() < 0.01 || difference > 0.1,
        "{difference}"
    );
    place.done("compare both --baseline pixels+prototypical --out one");
    assert_eq!(place.read("one/comparison.csv"), place.read("two/comparison.csv"));
    let page = place.done("report pixels conv4 --baseline pixels+prototypical --out page.html").out;
    assert!(page.contains("report: page.html"), "{page}");
    assert!(place.read("page.html").contains("conv4+prototypical is better than pixels+prototypical"));
}

#[test]
fn a_longer_draw_is_paired_on_the_first_episodes_of_both() {
    let place = compared();
    place.done(&format!("evaluate p.toml --features {FEATURES} --learner ridge --episodes 100 --out short"));
    let out = place.done("compare out short --out cmp").out;
    assert!(
        out.contains("paired on the first 100 episodes: out has 400 of the same draw, short has 100"),
        "{out}"
    );
    let found = rows(&place, "cmp/comparison.csv");
    assert!(column(&found, "episodes").iter().all(|count| count == "100"));
    assert_eq!(found.len(), 1 + 6 * 2);
    place.done(&format!(
        "evaluate p.toml --features {FEATURES} {LEARNERS} --learner ridge --episodes 100 --out all"
    ));
    place.done("compare all --out expected");
    let expected = rows(&place, "expected/comparison.csv");
    for name in ["method_a", "method_b", "difference", "low", "high", "p_holm", "verdict", "draw_sha256"] {
        assert_eq!(column(&found, name), column(&expected, name), "{name}");
    }
}

#[test]
fn trainings_with_several_seeds_are_one_method() {
    let place = Place::new();
    place.edit("p.toml", "count = 2", "count = 400");
    let classes = 12;
    let store = |name: &str, seed: Option<u64>, noise: f32| {
        let values = super::place::numbers(classes * 6 * 3);
        let other = super::place::numbers(classes * 6 * 3 + 97);
        let moved = values.iter().enumerate().map(|(at, value)| {
            let class = at / 18;
            value * (1.0 + noise) + class as f32 * 0.3 + other[at + seed.unwrap_or(0) as usize * 31] * 2.0
        });
        let body: Vec<u8> = moved.flat_map(f32::to_le_bytes).collect();
        place.write(
            &format!("{name}/features.npy"),
            super::place::npy("<f4", &format!("({}, 3)", classes * 6), &body),
        );
        let items: String = (0..classes * 6).map(|row| format!("c{},item {row}\n", row / 6)).collect();
        place.write(&format!("{name}/items.csv"), format!("class,id\n{items}"));
        if let Some(seed) = seed {
            place.write(&format!("{name}/store.toml"), format!("backbone = \"net\"\nseed_train = {seed}\n"));
        }
    };
    for seed in 1..=3 {
        store(&format!("s{seed}"), Some(seed), 0.0);
    }
    store("plain", None, 1.0);
    let learners = "--learner ridge --learner k-nn";
    place.done(&format!(
        "evaluate p.toml --features c=s1 --features c=s2 --features plain {learners} --out two"
    ));
    place.done(&format!("evaluate p.toml --features c=s3 {learners} --out third"));
    let out = place.done("compare two third --baseline plain+ridge --out cmp").out;
    assert!(
        out.contains("c: mean over 3 training seeds (1, 2, 3); margins are for new seeds too, with "),
        "{out}"
    );
    assert!(out.contains("3 seeds cannot tell how much seeds differ"), "{out}");
    let found = rows(&place, "cmp/comparison.csv");
    assert_eq!(found.len(), 1 + 3 * 2);
    let seeds: Vec<String> = column(&found, "seeds_a");
    assert_eq!(seeds.iter().filter(|seeds| *seeds == "1;2;3").count(), 4);
    assert!(column(&found, "seeds_b").iter().all(String::is_empty));
    let degrees: Vec<f64> = column(&found, "degrees").iter().filter_map(|cell| cell.parse().ok()).collect();
    assert!(degrees.iter().any(|degrees| *degrees < 200.0), "{degrees:?}");
    assert!(place.done("report two third --out page.html").out.contains("report: page.html"));
    assert!(place.read("page.html").contains("c+ridge, mean over 3 seeds"));
}

#[test]
fn what_says_too_little_is_not_called_sure() {
    let place = Place::new();
    place.edit("p.toml", "count = 2", "count = 1");
    place.done(&format!("evaluate p.toml --features {FEATURES} {LEARNERS} --out one"));
    // A single episode of fewer than ten classes has neither spread over episodes nor over classes.
    let sentence = "a paired comparison needs two episodes or more, or ten classes in a single one, and protocol p has 1 episode\n\
                    hint: evaluate with more, `--episodes 600`";
    place.refuses(3, "compare one --out cmp-one", sentence);
    assert!(place.done("report one --out page.html").out.contains("report: page.html"));
    // Two episodes without an error are no proof, neither of a rate nor of equivalence.
    place.edit("p.toml", "count = 1", "count = 2");
    let easy = FEATURES.replace("spread=0.5", "spread=1000");
    let said = place
        .done(&format!("evaluate p.toml --features {easy} --learner prototypical --learner ridge --out sure"))
        .out;
    assert!(said.contains("a margin is the share of others that so many do not rule out"), "{said}");
    let out = place.done("compare sure --out cmp").out;
    assert!(out.contains("are identical here: the same outcome in every episode and class."), "{out}");
    assert!(!out.contains("equivalent within") && !out.contains("p < "), "{out}");
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
        "a comparison needs two methods on the same episodes, found gaussian+ridge",
    );
}
