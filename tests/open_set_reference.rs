//! Metrics of confidence scores agree with scikit-learn, and with plain loops where it has none; `make_reference.py` beside the
//! fixture made what is expected.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kshot::metric::{EpisodeAnswers, Metric, QueryGrade};

fn lines(name: &str) -> (Vec<String>, Vec<Vec<f64>>) {
    let path = format!("{}/tests/fixtures/open-set/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().iter().map(str::to_string).collect();
    let numbers = |record: csv::StringRecord| record.iter().map(|cell| cell.parse().unwrap()).collect();
    (header, reader.records().map(|record| numbers(record.unwrap())).collect())
}

#[test]
fn every_metric_is_that_of_the_independent_implementation() {
    let (_, queries) = lines("queries.csv");
    let (header, expected) = lines("expected.csv");
    let mut compared = 0;
    for row in &expected {
        let of_episode = queries.iter().filter(|query| query[0] == row[0]);
        let graded: Vec<QueryGrade> = of_episode
            .map(|query| QueryGrade {
                label: (query[1] == 1.0).then_some(u16::from(query[2] != 1.0)),
                predicted: 0,
                confidence: None,
                confidence_score: query[3] as f32,
            })
            .collect();
        let answered = EpisodeAnswers::to(&graded, Some(row[1] as f32));
        for (name, expected) in header.iter().zip(row).skip(2) {
            let metric: Metric = name.parse().unwrap();
            let found = metric.of_episode(&answered).unwrap();
            // Ties are averaged over orders drawn at random there, and exactly here.
            let tolerance = if name.starts_with("aurc") { 2e-3 } else { 1e-9 };
            assert!(
                (found - expected).abs() < tolerance,
                "episode {}: {name} {found}, expected {expected}",
                row[0]
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 24);
}
