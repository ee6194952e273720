//! What `evaluate` and `list` give.

use std::collections::BTreeSet;
use std::fs;

use super::place::Place;

const COLUMNS: [(&str, &str); 5] = [
    (
        "summary.csv",
        "protocol,version,learner,parameters,selection,setting,backbone,saw_classes,way,shot,features,dataset,\
         seed_train,query,episodes,classes,metric,value,interval,low,high,confidence_level,seed,device,draw_sha256,items_sha256,\
         features_sha256,kshot,method,interval_method",
    ),
    (
        "episodes.csv",
        "protocol,learner,parameters,shot,features,dataset,seed_train,setting,episode,way,correct,total,nll,brier,\
         macro-f1,weighted-f1,balanced-accuracy,cohen-kappa,matthews,ovr-auroc,average-precision,top-2,top-3,top-5,top-10,support-accuracy,\
         draw_sha256,items_sha256",
    ),
    (
        "outcomes.csv",
        "protocol,learner,parameters,shot,features,dataset,seed_train,episode,label,class,correct,total,nll,brier",
    ),
    (
        "bins.csv",
        "protocol,learner,parameters,shot,features,dataset,seed_train,temperature,binning,bin,low,high,count,correct,confidence",
    ),
    (
        "queries.csv",
        "protocol,learner,parameters,shot,features,dataset,seed_train,episode,class,item,predicted,confidence,confidence_score",
    ),
];

const LEARNERS: [&str; 12] = [
    "fine-tune",
    "k-nn",
    "lda",
    "linear-probe",
    "mahalanobis",
    "matching",
    "metaoptnet-svm",
    "nearest-centroid",
    "prototypical",
    "ridge",
    "svm",
    "whitened-ridge",
];

fn names(place: &Place, folder: &str) -> BTreeSet<String> {
    fs::read_dir(place.path(folder)).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

fn lines(place: &Place, file: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(place.path(file)).unwrap();
    reader.records().map(|record| record.unwrap().iter().map(String::from).collect()).collect()
}

fn column(place: &Place, file: &str, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_path(place.path(file)).unwrap();
    let at = reader.headers().unwrap().iter().position(|column| column == name).unwrap();
    reader.records().map(|record| record.unwrap()[at].to_string()).collect()
}

#[test]
fn quickstart_needs_nothing_and_writes_the_files_and_columns_that_are_promised() {
    let place = Place::empty();
    let ran = place.done("evaluate quickstart");
    assert!(ran.err.starts_with("quickstart: 10000 episodes\n"), "{}", ran.err);
    assert!(ran.out.contains("\n± margin of error (95 % CI); these classes: "), "{}", ran.out);
    for learner in LEARNERS {
        let name = format!("pixels+{learner} ");
        assert!(ran.out.lines().any(|line| line.starts_with(&name)), "{}", ran.out);
    }

    let out = "results/quickstart";
    let files = ["bins.csv", "draw.csv", "episodes.csv", "outcomes.csv", "run.json", "summary.csv"];
    assert_eq!(names(&place, out), files.map(String::from).into());
    for (file, columns) in COLUMNS.iter().filter(|(file, _)| *file != "queries.csv") {
        let text = place.read(&format!("{out}/{file}"));
        assert_eq!(text.lines().next().unwrap(), *columns, "{file}");
        assert!(text.ends_with('\n') && !text.contains('\r'), "{file}");
    }
    assert_eq!(lines(&place, &format!("{out}/episodes.csv")).len(), 10_000 * LEARNERS.len());
    assert_eq!(lines(&place, &format!("{out}/outcomes.csv")).len(), 10_000 * 5 * LEARNERS.len());
    let summary = format!("{out}/summary.csv");
    let learners: BTreeSet<String> = column(&place, &summary, "learner").into_iter().collect();
    assert_eq!(learners, LEARNERS.map(String::from).into());
    let metrics: BTreeSet<String> = column(&place, &summary, "metric").into_iter().collect();
    assert_eq!(metrics, ["accuracy", "adaptive-ece", "nll"].map(String::from).into());

    let run: serde_json::Value = serde_json::from_str(&place.read(&format!("{out}/run.json"))).unwrap();
    let recorded: Vec<&String> = run["files"].as_object().unwrap().keys().collect();
    assert_eq!(recorded, files.iter().filter(|file| **file != "run.json").collect::<Vec<_>>());
    assert_eq!(run["protocols"][0]["name"], "quickstart");
    for key in ["draw_sha256", "features_sha256"] {
        let hash = run["protocols"][0][key].as_str().unwrap();
        assert_eq!(hash.len(), 64);
        assert!(column(&place, &summary, key).iter().all(|cell| cell == hash));
    }
    assert_eq!(run["learners"].as_array().unwrap().len(), LEARNERS.len());
    for key in ["seconds", "machine", "warnings", "command"] {
        assert!(!run[key].is_null(), "run.json has no {key}");
    }
}

#[test]
fn queries_are_written_on_demand_one_row_each() {
    let place = Place::new();
    place.done("evaluate p.toml --features store --out out --queries --learner ridge --learner k-nn");
    let (file, columns) = COLUMNS[4];
    let text = place.read(&format!("out/{file}"));
    assert_eq!(text.lines().next().unwrap(), columns);
    assert_eq!(text.lines().count(), 1 + 2 * 2 * 15);
    let items = column(&place, "out/queries.csv", "item");
    let classes = column(&place, "out/queries.csv", "class");
    for (item, class) in items.iter().zip(classes) {
        assert_eq!(format!("c{}", item.parse::<u32>().unwrap() / 6), class);
    }
    let correct: u32 =
        column(&place, "out/episodes.csv", "correct").iter().map(|c| c.parse::<u32>().unwrap()).sum();
    let predicted = column(&place, "out/queries.csv", "predicted");
    let classes = column(&place, "out/queries.csv", "class");
    assert_eq!(predicted.iter().zip(&classes).filter(|(p, c)| p == c).count() as u32, correct);
}

#[test]
fn scores_that_only_rank_have_no_nll() {
    let place = Place::new();
    place.done("evaluate p.toml --features store --out out --learner ridge --learner prototypical");
    let nll = column(&place, "out/episodes.csv", "nll");
    let learners = column(&place, "out/episodes.csv", "learner");
    for (nll, learner) in nll.iter().zip(&learners) {
        assert_eq!(nll.is_empty(), learner == "ridge", "{learner}");
    }
}

#[test]
fn several_protocols_share_one_folder_and_each_fresh_draw_has_a_name() {
    let place = Place::new();
    place.write(
        "other.toml",
        place.read("p.toml").replace("\"p\"", "\"p-more\"").replace("query = 3", "query = 2"),
    );
    let ran = place.done("evaluate p.toml other.toml --features store --learner ridge --out out");
    assert!(ran.out.lines().any(|line| line.contains("p-more")), "{}", ran.out);
    let files = names(&place, "out");
    assert!(files.contains("draw-p.csv") && files.contains("draw-p-more.csv"), "{files:?}");
    let protocols: BTreeSet<String> = column(&place, "out/summary.csv", "protocol").into_iter().collect();
    assert_eq!(protocols, ["p", "p-more"].map(String::from).into());
}

#[test]
fn a_fresh_draw_can_be_given_back_and_gives_the_same_tables() {
    let place = Place::new();
    for (name, episode) in [
        ("variable", "way = \"meta-dataset\"\nshot = \"meta-dataset\"\nquery = \"meta-dataset\""),
        ("dirichlet", "way = 5\nshot = 1\nquery = { total = 20, alpha = 2.0 }"),
        ("unbalanced", "way = 5\nshot = { min = 1, max = 4 }\nquery = 2"),
    ] {
        place.edit("p.toml", "name    = \"p\"", &format!("name = \"{name}\""));
        let text = place.read("p.toml");
        let (head, rest) = text.split_once("[episode]\n").unwrap();
        let (_, tail) = rest.split_once("[draw]").unwrap();
        let protocol = format!("{head}[episode]\n{episode}\n[draw]{tail}");
        place.write(&format!("{name}.toml"), protocol.replace("count = 2", "count = 5"));
        place.edit("p.toml", &format!("name = \"{name}\""), "name    = \"p\"");

        let run =
            format!("evaluate {name}.toml --features glyphs --queries --learner prototypical --learner k-nn");
        place.done(&format!("{run} --out {name}-fresh"));
        place.done(&format!("{run} --out {name}-given --draw {name}-fresh/draw.csv"));
        for (file, _) in COLUMNS {
            let (fresh, given) =
                (place.read(&format!("{name}-fresh/{file}")), place.read(&format!("{name}-given/{file}")));
            assert!(fresh == given, "{file} of {name}");
        }
        assert!(!place.path(&format!("{name}-given/draw.csv")).exists());
    }
}

#[test]
fn shipped_protocols_draws_and_data_agree() {
    let place = Place::empty();
    let out = place.done("check quickstart gaussian-5way-1shot").out;
    assert_eq!(out.lines().count(), 2);
    assert!(out.lines().all(|line| line.contains(": protocol, draw and data agree (")), "{out}");
    let any = "any-5way-1shot any-5way-5shot any-20way-1shot any-unbalanced any-dirichlet any-variable";
    let out = place.done(&format!("check {any} --features gaussian")).out;
    assert_eq!(out.matches(": protocol, draw and data agree (").count(), 6, "{out}");
}

#[test]
fn every_noun_is_listed() {
    let place = Place::empty();
    let learners = place.done("list learners").out;
    assert!(learners.contains("\n    also known as: knn\n"), "{learners}");
    assert!(learners.contains("    confidence score: maximum softmax probability\n"), "{learners}");
    for learner in LEARNERS {
        assert!(
            learners.contains(&format!("\n{learner} (inductive)\n"))
                || learners.starts_with(&format!("{learner} (inductive)\n"))
        );
    }
    assert!(
        learners.contains(
            "    alpha = 1: L2 penalty; a number from 0.000001 to 1000000; search space: log-uniform [0.001, 100]\n"
        ),
        "{learners}"
    );
    let protocols = place.done("list protocols").out;
    assert!(protocols.contains("quickstart (version 2, 10000 episodes, glyphs)\n"), "{protocols}");
    assert!(place.done("list datasets").out.contains("gaussian\n"));
    let metrics = place.done("list metrics").out;
    assert!(
        metrics.starts_with(
            "accuracy (episode, higher is better)\n    share of queries that got the right label\n\
             nll (class, lower is better)\n"
        ),
        "{metrics}"
    );
    assert!(
        ["auroc", "fpr95", "ausuc"]
            .iter()
            .all(|word| metrics.lines().any(|line| line.starts_with(&format!("{word} (")))),
        "{metrics}"
    );
}
