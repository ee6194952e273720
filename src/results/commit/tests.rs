//! Small folders of results, compared byte for byte.

use std::collections::BTreeMap;
use std::fs;

use super::*;
use crate::metric::Metric;
use crate::results::{
    ClassOutcome, EpisodeOutcome, LearnerRecord, Machine, OpenSetCounts, ProtocolRecord, QueryOutcome,
    Selection, Size,
};
use crate::vocab::{ClassId, ItemId, SawClasses, Setting};

fn table(learner: &str, shot: u32) -> Table {
    Table {
        protocol: "small".to_string(),
        version: 2,
        learner: learner.to_string(),
        parameters: [("k", "1"), ("distance", "euclidean")]
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .into(),
        selection: Selection::Default,
        setting: Setting::Inductive,
        backbone: None,
        saw_classes: SawClasses::None,
        way: Size::Number(2),
        shot: Size::Number(shot),
        query: Size::Varied,
        repeat: true,
        clusters: None,
        seen: None,
        metrics: Metric::all(),
        level: 0.95,
        sequential: false,
        seed: 7,
        features: "f".to_string(),
        dataset: "letters".to_string(),
        seed_train: None,
        method: format!("f+{learner}"),
        device: "cpu".to_string(),
        draw_sha256: "dd".to_string(),
        items_sha256: "ii".to_string(),
    }
}

fn names() -> Arc<[String]> {
    ["ant", "bee, wild", "NA"].map(str::to_string).into()
}

fn outcome(class: u32, correct: u32, total: u32) -> ClassOutcome {
    ClassOutcome { class: ClassId(class), correct, total }
}

/// An episode with these likelihoods of its classes, and Brier scores of a quarter; without likelihoods it only ranks.
fn episode(number: u32, classes: Vec<ClassOutcome>, nll: &[Option<f64>]) -> EpisodeOutcome {
    let values = nll.iter().flat_map(|nll| [*nll, nll.map(|nll| nll / 4.0)]).collect();
    EpisodeOutcome { episode: number, classes, values }
}

fn record() -> RunRecord {
    RunRecord {
        kshot: env!("CARGO_PKG_VERSION").to_string(),
        command: ["kshot", "evaluate", "small.toml"].map(str::to_string).into(),
        folder: String::new(),
        request: crate::results::Request::default(),
        in_memory: Vec::new(),
        protocols: vec![ProtocolRecord {
            name: "small".to_string(),
            version: 2,
            sha256: "pp".to_string(),
            seed: 7,
            draw: None,
            draw_sha256: "dd".to_string(),
            features: "f".to_string(),
            dataset: "letters".to_string(),
            seed_train: None,
            source: "features".to_string(),
            features_sha256: "ff".to_string(),
            class_embeddings: None,
            items_sha256: "ii".to_string(),
        }],
        learners: vec![LearnerRecord {
            name: "k-nn".to_string(),
            parameters: table("k-nn", 1).parameters,
            selection: Selection::Default,
            chosen: Vec::new(),
        }],
        seed_train: None,
        device: "cpu".to_string(),
        workers: 2,
        batch: None,
        seconds: BTreeMap::from([("evaluate".to_string(), 0.5)]),
        warnings: Vec::new(),
        part: None,
        until: None,
        resumed: None,
        parts: Vec::new(),
        machine: Machine::here(),
        files: BTreeMap::new(),
    }
}

/// Two episodes of a learner that predicts probabilities.
fn calibrated(results: &mut Results, learner: &str, shot: u32) -> FinishedTable {
    let mut writer = results.begin(table(learner, shot), names()).unwrap();
    let first = episode(0, vec![outcome(0, 2, 2), outcome(1, 0, 1)], &[Some(0.25), Some(1.75)]);
    writer.episode(&first, &[], None).unwrap();
    writer.confidences(&[(0.75, true), (0.5, true), (0.75, false)]).unwrap();
    let second = episode(1, vec![outcome(2, 1, 1), outcome(0, 0, 0)], &[Some(0.5), None]);
    writer.episode(&second, &[], None).unwrap();
    writer.confidences(&[(1.0, true)]).unwrap();
    writer.finish().unwrap()
}

/// One episode of a learner that only ranks.
fn ranking(results: &mut Results, learner: &str) -> FinishedTable {
    let mut writer = results.begin(table(learner, 1), names()).unwrap();
    writer.episode(&episode(0, vec![outcome(1, 1, 2), outcome(2, 1, 1)], &[]), &[], None).unwrap();
    writer.finish().unwrap()
}

fn read(out: &Path, name: &str) -> String {
    fs::read_to_string(out.join(name)).unwrap()
}

#[test]
fn the_files_hold_exactly_these_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let mut results = Results::create(folder.path(), false).unwrap();
    let table = calibrated(&mut results, "k-nn", 1);
    results.add(table);
    results.commit(record()).unwrap();
    let key = r#"small,k-nn,"distance=euclidean,k=1",1,f,letters,,"#;
    assert_eq!(
        read(folder.path(), "outcomes.csv"),
        format!(
            "protocol,learner,parameters,shot,features,dataset,seed_train,episode,label,class,correct,total,nll,brier\n\
             {key}0,0,ant,2,2,0.25,0.0625\n\
             {key}0,1,\"bee, wild\",0,1,1.75,0.4375\n\
             {key}1,0,NA,1,1,0.5,0.125\n\
             {key}1,1,ant,0,0,,\n"
        )
    );
    assert_eq!(
        read(folder.path(), "episodes.csv"),
        format!(
            "protocol,learner,parameters,shot,features,dataset,seed_train,setting,episode,way,correct,total,nll,brier,\
             macro-f1,weighted-f1,balanced-accuracy,cohen-kappa,matthews,ovr-auroc,average-precision,top-2,top-3,top-5,top-10,support-accuracy,\
             draw_sha256,items_sha256\n\
             {key}inductive,0,2,2,3,0.75,0.1875,,,,,,,,,,,,,dd,ii\n\
             {key}inductive,1,2,1,1,0.5,0.125,,,,,,,,,,,,,dd,ii\n"
        )
    );
    assert_eq!(
        read(folder.path(), "bins.csv"),
        format!(
            "protocol,learner,parameters,shot,features,dataset,seed_train,temperature,binning,bin,low,high,count,correct,\
             confidence\n\
             {key}1,mass,0,0.5,0.5,1,1,0.5\n\
             {key}1,mass,1,0.75,0.75,2,1,0.75\n\
             {key}1,mass,2,1,1,1,1,1\n\
             {key}1,width,0,0.5,0.5,1,1,0.5\n\
             {key}1,width,1,0.75,0.75,2,1,0.75\n\
             {key}1,width,2,1,1,1,1,1\n"
        )
    );
    let summary = read(folder.path(), "summary.csv");
    let mut lines = summary.lines();
    assert_eq!(
        lines.next(),
        Some(
            "protocol,version,learner,parameters,selection,setting,backbone,saw_classes,way,shot,features,dataset,seed_train,\
             query,episodes,classes,metric,value,interval,low,high,confidence_level,seed,device,draw_sha256,items_sha256,\
             features_sha256,kshot,method,interval_method"
        )
    );
    let lead = r#"small,2,k-nn,"distance=euclidean,k=1",default,inductive,,none,2,1,f,letters,,varied,2,3,"#;
    let tail = format!("7,cpu,dd,ii,ff,{},f+k-nn,", env!("CARGO_PKG_VERSION"));
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines[1], format!("{lead}adaptive-ece,0.25,none,,,,{tail}"));
    assert_eq!(lines[3], format!("{lead}class-accuracy,0.6666666666666666,none,,,,{tail}"));
    assert_eq!(lines[4], format!("{lead}ece,0.25,none,,,,{tail}"));
    // The mean of 0.75 and 0.5 with t(0.975, 1) = 12.706 times 0.125.
    let nll: Vec<&str> = lines[5].split(',').collect();
    assert_eq!((nll[17], nll[18], nll[19]), ("nll", "0.625", "sampler"));
    assert!((nll[20].parse::<f64>().unwrap() + 0.963_275_592_021_837_6).abs() < 1e-9);
    assert_eq!((nll[22], lines.len()), ("0.95", 6));
}

#[test]
fn rows_are_sorted_whatever_the_order_of_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let files = |turn: bool| {
        let out = folder.path().join(turn.to_string());
        let mut results = Results::create(&out, false).unwrap();
        let mut tables = vec![
            calibrated(&mut results, "b", 10),
            calibrated(&mut results, "b", 2),
            ranking(&mut results, "a"),
            calibrated(&mut results, "c", 1),
        ];
        if turn {
            tables.reverse();
        }
        tables.into_iter().for_each(|table| results.add(table));
        results.commit(record()).unwrap();
        ["outcomes.csv", "episodes.csv", "bins.csv", "summary.csv"].map(|name| read(&out, name))
    };
    let (forth, back) = (files(false), files(true));
    assert_eq!(forth, back);
    let shots: Vec<&str> = forth[1].lines().skip(1).map(|line| line.split(',').nth(4).unwrap()).collect();
    assert_eq!(shots, ["1", "2", "2", "10", "10", "1", "1"]);
}

#[test]
fn queries_are_written_where_somebody_hands_them_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut results = Results::create(folder.path(), false).unwrap();
    let mut writer = results.begin(table("k-nn", 1), names()).unwrap();
    let counts = OpenSetCounts { in_scope: 1, oos: 2, threshold: Some(0.5) };
    let measures = [(Metric::AUROC, 0.75), (Metric::AURC, 0.125)];
    writer.episode(&episode(4, vec![outcome(1, 0, 1)], &[]), &measures, Some(&counts)).unwrap();
    let query = |confidence, confidence_score| QueryOutcome {
        class: ClassId(1),
        item: ItemId(9),
        predicted: ClassId(0),
        confidence,
        confidence_score,
    };
    writer.queries(4, &[query(None, Some(-2.0)), query(Some(0.5), None)]).unwrap();
    let table = writer.finish().unwrap();
    results.add(table);
    results.write_file("draw.csv", b"episode\n").unwrap();
    for name in ["draw.csv", "bins.csv"] {
        let error = results.write_file(name, b"").unwrap_err().to_string();
        assert_eq!(error, format!("a results folder holds one file of a name, {name} is written twice"));
    }
    results.commit(record()).unwrap();
    let key = r#"small,k-nn,"distance=euclidean,k=1",1,f,letters,,"#;
    assert_eq!(
        read(folder.path(), "queries.csv"),
        format!(
            "protocol,learner,parameters,shot,features,dataset,seed_train,episode,class,item,predicted,confidence,\
             confidence_score\n\
             {key}4,\"bee, wild\",9,ant,,-2\n{key}4,\"bee, wild\",9,ant,0.5,\n"
        )
    );
    let open_set = read(folder.path(), "open_set.csv");
    assert_eq!(open_set.lines().nth(1), Some(format!("{key}4,1,2,0.5,0.125,,0.75,,,").as_str()));
    assert!(read(folder.path(), "summary.csv").contains(",auroc,0.75,none,"));
    let run: RunRecord = serde_json::from_str(&read(folder.path(), "run.json")).unwrap();
    let files = [
        "bins.csv",
        "draw.csv",
        "episodes.csv",
        "open_set.csv",
        "outcomes.csv",
        "queries.csv",
        "summary.csv",
    ];
    assert_eq!(run.files.keys().collect::<Vec<_>>(), files.iter().collect::<Vec<_>>());
    let draw = "1877470f7a7ce13e4eb42b7874f19eabe4988dc84841292000dc780b8d7b2208";
    assert_eq!(run.files["draw.csv"], draw);
    assert_eq!(read(folder.path(), "draw.csv"), "episode\n");
}

#[test]
fn results_that_are_not_complete_get_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut results = Results::create(&out, false).unwrap();
    let table = calibrated(&mut results, "k-nn", 1);
    results.add(table);
    results.begin(self::table("svm", 1), names()).unwrap();
    assert_eq!(
        results.commit(record()).unwrap_err().to_string(),
        "learner svm:distance=euclidean,k=1 on f under protocol small (shot 1) was begun and not finished, so the results \
         are not complete"
    );
    assert!(!out.exists());

    let mut results = Results::create(&out, false).unwrap();
    let table = calibrated(&mut results, "k-nn", 1);
    results.add(table);
    let mut nameless = record();
    nameless.protocols.clear();
    let error = results.commit(nameless).unwrap_err().to_string();
    assert_eq!(error, "the run record must name every protocol and feature set, `small` on f is missing");
    assert!(!out.exists());
}

#[test]
fn what_a_table_cannot_hold_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut results = Results::create(folder.path(), false).unwrap();
    let mut writer = results.begin(table("k-nn", 1), names()).unwrap();
    let key = "learner k-nn:distance=euclidean,k=1 on f under protocol small (shot 1)";
    let again = results.begin(table("k-nn", 1), names()).unwrap_err();
    assert_eq!(again.to_string(), format!("{key} is evaluated twice; every learner needs other parameters"));

    let of_class = |number, class| episode(number, vec![outcome(class, 1, 1)], &[]);
    writer.episode(&of_class(5, 0), &[], None).unwrap();
    let error = writer.episode(&of_class(5, 0), &[], None).unwrap_err().to_string();
    assert_eq!(error, format!("{key}: episodes must come in rising order, got 5 after 5"));
    let error = writer.episode(&of_class(6, 3), &[], None).unwrap_err().to_string();
    assert_eq!(error, format!("{key}: class 3 has no name, there are 3 classes"));
    let error = writer.episode(&episode(6, Vec::new(), &[]), &[], None).unwrap_err().to_string();
    assert_eq!(error, format!("{key}, episode 6: an episode needs a query or more"));
    let two_values = EpisodeOutcome { values: vec![Some(1.0)], ..of_class(6, 0) };
    let error = writer.episode(&two_values, &[], None).unwrap_err().to_string();
    assert_eq!(error, format!("{key}, episode 6: every class has a value for each metric of classes"));
    let error = writer.confidences(&[(1.5, true)]).unwrap_err().to_string();
    assert_eq!(error, format!("{key}: a confidence must lie between 0 and 1, got 1.5"));
    writer.confidences(&[(0.5, false)]).unwrap();
    let error = writer.finish().unwrap_err().to_string();
    let expected = "confidences must cover every query, got 1 (0 correct) for 1 queries (1 correct)";
    assert_eq!(error, format!("{key}: {expected}"));

    let error = results.begin(table("svm", 1), names()).unwrap().finish().unwrap_err().to_string();
    assert!(error.ends_with("a table needs an episode or more, got none"), "{error}");
}

#[test]
fn tables_warn_of_few_episodes_once_per_protocol() {
    let folder = tempfile::tempdir().unwrap();
    let mut results = Results::create(folder.path(), false).unwrap();
    for learner in ["a", "b"] {
        let table = calibrated(&mut results, learner, 1);
        results.add(table);
    }
    let few = Warning::FewEpisodes { protocol: "small".to_string(), episodes: 2 };
    assert_eq!(
        results.warnings(),
        [few, Warning::SamplerInterval { protocol: "small".to_string(), classes: 3 }]
    );
}
