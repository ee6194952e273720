//! Metrics of an episode's answers and scores agree with scikit-learn; `make_reference.py` beside the fixture made what is expected.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kshot::metric::{EpisodeAnswers, Metric, grade};
use kshot::view::Answers;
use kshot::vocab::{Confidence, Meaning};

fn lines(name: &str) -> (Vec<String>, Vec<Vec<f64>>) {
    let path = format!("{}/tests/fixtures/confusion/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().iter().map(str::to_string).collect();
    let numbers = |record: csv::StringRecord| record.iter().map(|cell| cell.parse().unwrap()).collect();
    (header, reader.records().map(|record| numbers(record.unwrap())).collect())
}

#[test]
fn every_metric_is_that_of_the_independent_implementation() {
    let (_, scores) = lines("scores.csv");
    let (header, expected) = lines("expected.csv");
    let mut compared = 0;
    for row in &expected {
        let queries: Vec<&Vec<f64>> = scores.iter().filter(|query| query[0] == row[0]).collect();
        let values: Vec<f32> = queries.iter().flat_map(|query| &query[2..]).map(|v| *v as f32).collect();
        let labels: Vec<u16> = queries.iter().map(|query| query[1] as u16).collect();
        let answers = Answers::new(1, labels.len(), labels).unwrap();
        let grades = grade(&values, 4, Meaning::Probabilities, Confidence::Probability, &answers).unwrap();
        let answered = EpisodeAnswers::of(&grades[0], None);
        for (name, expected) in header.iter().zip(row).skip(1) {
            let metric: Metric = name.parse().unwrap();
            let found = metric.of_episode(&answered).unwrap();
            assert!(
                (found - expected).abs() < 1e-6,
                "episode {}: {name} {found}, expected {expected}",
                row[0]
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 36);
}

#[test]
fn a_metric_of_rankings_takes_their_scores() {
    let answers = Answers::new(1, 3, vec![0, 1, 1]).unwrap();
    let scores = [-5.0, -7.0, -3.0, -2.0, -9.0, -1.0];
    let grades = grade(&scores, 2, Meaning::Ranking, Confidence::Score, &answers).unwrap();
    let answered = EpisodeAnswers::of(&grades[0], None);
    // Label 0: −5 between −3 and −9; label 1: −2 and −1 above −7.
    assert_eq!("ovr-auroc".parse::<Metric>().unwrap().of_episode(&answered), Some(0.75));
}
