//! Metrics of a program of its own, added in one place: here. A program of their own, because the list is that of a process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use kshot::learner::Learners;
use kshot::metric::{Direction, EpisodeAnswers, Formula, Metric, Need, Record};
use kshot::report::compare::{Options, compare};
use kshot::results::ResultsFolder;
use kshot::run::{self, Execution, Inputs, Request, Silent, Text};

/// One minus the probability of the right label: a metric per query, class and episode, as the Brier score is.
static DOUBT: Record = Record {
    name: "doubt",
    about: "mean probability that was given to wrong labels",
    direction: Direction::Lower,
    rate: true,
    needs: &[Need::Probabilities],
    with: &[],
    formula: Formula::Query(|predicted| 1.0 - predicted.probabilities[predicted.label]),
};

/// The mean over labels of the share of right answers: a metric of all answers of an episode.
static MACRO_RECALL: Record = Record {
    name: "macro-recall",
    about: "mean over the classes of an episode of the share of right answers",
    direction: Direction::Higher,
    rate: true,
    needs: &[],
    with: &[],
    formula: Formula::Episode(macro_recall),
};

/// The share of the classes that had no right answer at all: a metric of a whole draw.
static MISSED: Record = Record {
    name: "missed",
    about: "share of the classes without a right answer in the whole draw",
    direction: Direction::Lower,
    rate: true,
    needs: &[],
    with: &[],
    formula: Formula::Pooled(|pooled| {
        let missed = pooled.classes.iter().filter(|class| class.correct == 0).count();
        Some(missed as f64 / pooled.classes.len() as f64)
    }),
};

fn macro_recall(answers: &EpisodeAnswers<'_>) -> Option<f64> {
    let labels: Vec<u16> = answers.queries().iter().filter_map(|query| query.label).collect();
    let way = labels.iter().max()? + 1;
    let recall = |label: u16| {
        let of_label: Vec<bool> =
            answers.queries().iter().filter(|q| q.label == Some(label)).map(|q| q.is_correct()).collect();
        of_label.iter().filter(|correct| **correct).count() as f64 / of_label.len().max(1) as f64
    };
    Some((0..way).map(recall).sum::<f64>() / f64::from(way))
}

/// Evaluates with the program that these records are part of.
fn evaluated(folder: &std::path::Path) -> ResultsFolder {
    let text = "name = \"mine\"\nversion = 1\nsource = \"this test\"\nsettings = [\"inductive\"]\n[episode]\nway = 5\n\
                 shot = 1\nquery = 4\n[draw]\ncount = 20\nseed = 7\n\
                 [report]\nmetrics = [\"accuracy\", \"doubt\", \"macro-recall\", \"missed\"]\n";
    let out = folder.join("out");
    let request = Request {
        protocols: vec![Text { origin: "mine.toml".to_string(), text: text.to_string() }],
        inputs: Inputs { features: vec!["glyphs".to_string()], ..Inputs::default() },
        learners: vec!["prototypical".to_string(), "matching".to_string()],
        ..Request::default()
    };
    let execution = Execution { out: Some(out.clone()), ..Execution::default() };
    run::evaluate(&request, Vec::new(), &execution, &Learners::shipped(), &Silent).unwrap();
    ResultsFolder::read(&out).unwrap()
}

#[test]
fn a_metric_that_is_one_record_is_asked_for_computed_written_read_and_compared() {
    let [doubt, recall, missed] =
        [&DOUBT, &MACRO_RECALL, &MISSED].map(|record| kshot::metric::add(record).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let results = evaluated(folder.path());
    let header = |file: &str| {
        let text = fs::read_to_string(folder.path().join("out").join(file)).unwrap();
        text.lines().next().unwrap().to_string()
    };
    assert!(header("outcomes.csv").ends_with(",correct,total,nll,brier,doubt"));
    let episodes = header("episodes.csv");
    let own = [",nll,", ",brier,", ",doubt,", ",macro-recall,"];
    assert!(own.iter().all(|column| episodes.contains(column)), "{episodes}");
    assert!(episodes.ends_with(",draw_sha256,items_sha256"), "{episodes}");
    for table in &results.tables {
        let metrics: Vec<&str> = table.measured.iter().map(|measured| measured.metric.name()).collect();
        assert!(["accuracy", "doubt", "macro-recall", "missed"].iter().all(|name| metrics.contains(name)));
        // Every class has as many queries, so the mean over classes is that over queries.
        assert_eq!(table.values(recall), table.values(Metric::ACCURACY));
        assert!(table.values(doubt).unwrap().iter().all(|doubt| (0.0..=1.0).contains(doubt)));
        assert_eq!(table.values(missed), None);
    }
    let bits = |_| -> Box<dyn FnMut() -> u64> { Box::new(|| 0x5555_5555_5555_5555) };
    let options = Options { metric: doubt, baseline: None, margin: None, rounds: 9 };
    let text = compare(&kshot::report::compare::entries(&[results]), &options, &bits).unwrap().text();
    assert!(text.contains("doubt"), "{text}");
}
