//! Queries outside the task: in draws, in result files, and never in accuracy.

use std::collections::BTreeMap;

use super::place::Place;

const PROTOCOL: &str = r#"name = "open"
version = 1
source = "a test, 2026"
settings = ["inductive"]
[data]
oos = "oos"
[episode]
way = 3
shot = 2
query = 4
[draw]
count = 6
seed = 7
[report]
metrics = ["accuracy", "auroc", "fpr95", "aurc", "aurc-open-set", "in-scope-accuracy-at-95", "oos-recall"]
"#;

/// Ten classes of eight items on a circle and a class outside around its middle.
fn place() -> Place {
    let place = Place::empty();
    place.write("open.toml", PROTOCOL);
    let mut table = "class,split,x,y\n".to_string();
    for class in 0..10u32 {
        let split = if class < 5 { "novel" } else { "validation" };
        let angle = f64::from(class) * 0.628;
        for item in 0..8u32 {
            let shift = |salt: u32| f64::from((class * 31 + item * 17 + salt) % 23) / 23.0 - 0.5;
            table += &format!(
                "c{class},{split},{},{}\n",
                2.0 * angle.cos() + shift(0),
                2.0 * angle.sin() + shift(7)
            );
        }
    }
    for item in 0..12u32 {
        let shift = |salt: u32| f64::from((item * 13 + salt) % 29) / 14.5 - 1.0;
        table += &format!("oos,outside,{},{}\n", shift(0), shift(11));
    }
    place.write("f.csv", table);
    place
}

const EVALUATE: &str =
    "evaluate open.toml --features f.csv --learner prototypical --learner linear-probe --learner svm";

fn rows(place: &Place, file: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(place.path(file)).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}

#[test]
fn every_measure_can_be_computed_again_from_the_queries() {
    let place = place();
    let ran = place.done(&format!("{EVALUATE} --queries --out r"));
    assert!(ran.err.contains("open thresholds: 6 episodes\n"), "{}", ran.err);
    assert!(ran.out.contains(": auroc in percent, ") && ran.out.contains(": oos-recall in percent, "));
    let draw = place.read("r/draw.csv");
    assert_eq!(draw.lines().filter(|line| line.contains(",oos,oos,,")).count(), 6);
    assert!(rows(&place, "r/episodes.csv").iter().all(|row| row["total"] == "12"));
    assert!(rows(&place, "r/outcomes.csv").iter().all(|row| row["class"] != "oos"));

    let (queries, open_set) = (rows(&place, "r/queries.csv"), rows(&place, "r/open_set.csv"));
    assert_eq!((queries.len(), open_set.len()), (3 * 6 * 16, 3 * 6));
    for row in &open_set {
        assert_eq!((row["in_scope"].as_str(), row["oos"].as_str()), ("12", "4"));
        let number = |row: &BTreeMap<String, String>, name: &str| row[name].parse::<f64>().unwrap();
        let of_row = |query: &&BTreeMap<String, String>| {
            ["learner", "episode"].iter().all(|column| query[*column] == row[*column])
        };
        let (outside, inside): (Vec<_>, Vec<_>) =
            queries.iter().filter(of_row).partition(|query| query["class"] == "oos");
        let mut won = 0.0;
        for query in &inside {
            for other in &outside {
                let (a, b) = (number(query, "confidence_score"), number(other, "confidence_score"));
                won += if a > b {
                    1.0
                } else if a == b {
                    0.5
                } else {
                    0.0
                };
            }
        }
        assert!((number(row, "auroc") - won / 48.0).abs() < 1e-12);
        let threshold = number(row, "threshold");
        let kept = inside
            .iter()
            .filter(|q| q["class"] == q["predicted"] && number(q, "confidence_score") >= threshold);
        assert!((number(row, "in-scope-accuracy-at-95") - kept.count() as f64 / 12.0).abs() < 1e-12);
        let refused = outside.iter().filter(|q| number(q, "confidence_score") < threshold).count() as f64;
        assert_eq!(number(row, "oos-recall"), refused / 4.0);
    }
    // A threshold is one for a learner, and not the same for two.
    let thresholds: std::collections::BTreeSet<_> =
        open_set.iter().map(|row| (&row["learner"], &row["threshold"])).collect();
    assert_eq!(thresholds.len(), 3);
    for row in rows(&place, "r/summary.csv")
        .iter()
        .filter(|row| row["metric"] == "auroc" && row["interval"] == "sampler")
    {
        let of_learner = open_set.iter().filter(|other| other["learner"] == row["learner"]);
        let mean = of_learner.map(|row| row["auroc"].parse::<f64>().unwrap()).sum::<f64>() / 6.0;
        assert!((row["value"].parse::<f64>().unwrap() - mean).abs() < 1e-12);
    }
}

#[test]
fn learners_are_paired_by_their_confidence_scores_episode_by_episode() {
    let place = place();
    place.done(&format!("{EVALUATE} --out r"));
    let ran = place.done("compare r --metric auroc --baseline svm --margin 1 --out cmp");
    assert!(ran.out.contains("auroc in percent, 6 episodes"), "{}", ran.out);
    let compared = rows(&place, "cmp/comparison.csv");
    let of = |learner: &str| -> Vec<f64> {
        let rows = rows(&place, "r/open_set.csv");
        let rows = rows.iter().filter(|row| row["learner"] == learner);
        rows.map(|row| row["auroc"].parse().unwrap()).collect()
    };
    let row = compared
        .iter()
        .find(|row| row["learner_a"] == "prototypical" && row["interval"] == "sampler")
        .unwrap();
    let mean = of("prototypical").iter().zip(of("svm")).map(|(a, b)| a - b).sum::<f64>() / 6.0;
    assert!((row["difference"].parse::<f64>().unwrap() - mean).abs() < 1e-12, "{row:?}");
    assert_eq!(row["margin"], "0.01");

    // Fewer false positives are better: the learner with the lowest rate comes first.
    let out = place.done("compare r --metric fpr95 --out fpr").out;
    let rate = |learner: &str| {
        let rows = rows(&place, "r/summary.csv");
        let row = rows.iter().find(|row| row["learner"] == learner && row["metric"] == "fpr95");
        row.unwrap()["value"].parse::<f64>().unwrap()
    };
    let ranked: Vec<f64> = out
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1).and_then(|word| word.strip_prefix("f+")))
        .map(rate)
        .collect();
    assert!(ranked.len() >= 3 && ranked[..3].is_sorted(), "{out}");

    let open_set = place.read("r/open_set.csv");
    let kept = open_set.trim_end().rsplit_once('\n').unwrap().0;
    place.write("r/open_set.csv", format!("{kept}\n"));
    place.refuses(3, "compare r --metric auroc --out again", "r/open_set.csv: …");
}

#[test]
fn workers_batches_draws_from_files_and_parts_give_the_same_bytes() {
    let place = place();
    place.done(&format!("{EVALUATE} --workers 1 --out a"));
    place.done(&format!("{EVALUATE} --workers 3 --batch 2 --out b"));
    place.done(&format!("{EVALUATE} --draw a/draw.csv --out c"));
    place.done(&format!("{EVALUATE} --shard 1/2 --out d1"));
    place.done(&format!("{EVALUATE} --shard 2/2 --out d2"));
    place.done("merge d1 d2 --out d");
    for other in ["b", "c", "d"] {
        for file in ["open_set.csv", "summary.csv", "outcomes.csv"] {
            assert_eq!(
                place.read(&format!("{other}/{file}")),
                place.read(&format!("a/{file}")),
                "{other}/{file}"
            );
        }
    }
}

#[test]
fn accuracy_is_that_of_the_same_episodes_without_queries_outside() {
    let place = place();
    place.done(&format!("{EVALUATE} --out with"));
    place.edit("open.toml", "oos = \"oos\"\n", "");
    let metrics = place.read("open.toml").lines().last().unwrap().to_string();
    place.edit("open.toml", &metrics, "metrics = [\"accuracy\", \"aurc\"]");
    place.done(&format!("{EVALUATE} --out without"));
    // Sums over the queries of a class run in their order, which others among them change: losses differ in the last bit.
    let counts = |folder: &str| -> Vec<[String; 6]> {
        let columns = ["learner", "episode", "label", "class", "correct", "total"];
        let rows = rows(&place, &format!("{folder}/outcomes.csv"));
        rows.iter().map(|row| columns.map(|column| row[column].clone())).collect()
    };
    assert_eq!(counts("with"), counts("without"));
    let losses = |folder: &str| -> Vec<f64> {
        let rows = rows(&place, &format!("{folder}/outcomes.csv"));
        rows.iter().filter_map(|row| row["brier"].parse().ok()).collect()
    };
    let far = losses("with").iter().zip(losses("without")).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(!losses("with").is_empty() && far < 1e-12, "{far}");
    let aurc = |folder: &str| -> Vec<String> {
        rows(&place, &format!("{folder}/open_set.csv")).iter().map(|row| row["aurc"].clone()).collect()
    };
    assert_eq!(aurc("with"), aurc("without"));
}

#[test]
fn a_draw_with_a_row_of_outside_out_of_place_is_refused() {
    let place = place();
    place.done(&format!("{EVALUATE} --out r"));
    let draw = place.read("r/draw.csv");
    let outside = draw.lines().position(|line| line.contains(",oos,oos,")).unwrap();
    let evaluate = format!("{EVALUATE} --out s --draw d.csv");
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines: Vec<String> = draw.lines().map(String::from).collect();
        change(&mut lines);
        place.write("d.csv", lines.join("\n") + "\n");
    };
    with(&|lines| lines.swap(outside, outside - 1));
    place.refuses(3, &evaluate, "d.csv line 8: the row of out-of-scope queries is the last of its episode");
    with(&|lines| lines[outside] = lines[outside].replace(",oos,oos,,", ",oos,oos,1,"));
    place.refuses(3, &evaluate, "d.csv line 8: out-of-scope queries have no support");
    with(&|lines| lines[outside] = lines[outside].replace(",oos,oos,", ",oos,c7,"));
    place.refuses(
        3,
        &evaluate,
        "draw d.csv does not fit: in episode 0, an out-of-scope query is of class c7, …",
    );
    with(&|lines| drop(lines.remove(outside)));
    let few = "draw d.csv does not fit: episode 0 has 0 out-of-scope queries, the protocol asks for 4";
    place.refuses(3, &evaluate, few);
}
