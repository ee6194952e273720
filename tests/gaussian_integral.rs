//! On round Gaussian classes the accuracy of the nearest class mean is an integral, and the whole pipeline hits it.
//!
//! The values of the integral were computed by `tests/fixtures/gaussian/integral.py`, which derives it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use kshot::data::embedded;
use kshot::episode::draw;
use kshot::eval::{EvalError, Evaluation, SeenRules, evaluate};
use kshot::learner::Learners;
use kshot::protocol::Protocol;
use kshot::tensor::{Cpu, open_cpu};

const EPISODES: usize = 20_000;

/// Mean accuracy of `prototypical` over the episodes, and its standard error.
fn measured(way: usize, shot: usize, query: usize, dim: usize, spread: f64) -> (f64, f64) {
    // Each class has the items of one episode and no more, so that no class appears in two: episodes are independent.
    let (classes, items) = (way * EPISODES, shot + query);
    let spec = format!(
        "gaussian:base=0,validation=0,novel={classes},items={items},dim={dim},spread={spread},seed=5"
    );
    let store = embedded(&spec).unwrap().unwrap();
    let text = format!(
        "name = \"integral\"\nversion = 1\nsource = \"a test\"\nsettings = [\"inductive\"]\n[episode]\nway = {way}\n\
         shot = {shot}\nquery = {query}\nrepeat = false\n[draw]\ncount = {EPISODES}\nseed = 7\n[report]\n\
         metrics = [\"accuracy\"]\n"
    );
    let protocol = Protocol::parse(&text, "integral.toml").unwrap();
    let draw = draw(&protocol, store.index()).unwrap();
    let known = Learners::shipped();
    let learners = [known.cpu().check("prototypical").unwrap()];
    let evaluation = Evaluation {
        behind: None,
        store: &store,
        draw: &draw,
        seed: 7,
        learners: &learners,
        shots: &[None],
        rules: SeenRules::default(),
        workers: 2,
        batch: None,
    };
    let mut rates = Vec::new();
    evaluate::<Cpu, EvalError>(
        known.cpu(),
        &evaluation,
        || Ok(open_cpu()),
        |batch| {
            let correct = batch
                .episodes
                .iter()
                .map(|e| e.grade.classes.iter().map(|c| f64::from(c.correct)).sum::<f64>());
            rates.extend(correct.map(|correct| correct / (way * query) as f64));
            Ok(())
        },
    )
    .unwrap();
    assert_eq!(rates.len(), EPISODES);
    let count = EPISODES as f64;
    let mean = rates.iter().sum::<f64>() / count;
    let variance = rates.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

/// Row `place` of the fixture against the pipeline.
#[track_caller]
fn hits(place: usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/gaussian/accuracy.csv");
    let record = csv::Reader::from_path(path).unwrap().into_records().nth(place).unwrap().unwrap();
    let whole = |column: usize| record[column].parse::<usize>().unwrap();
    let spread: f64 = record[4].parse().unwrap();
    let expected: f64 = record[5].parse().unwrap();
    let (mean, error) = measured(whole(0), whole(1), whole(2), whole(3), spread);
    assert!(error < 0.004, "{error}");
    assert!((mean - expected).abs() < 3.0 * error, "{mean} ± {error}, expected {expected}");
}

#[test]
fn prototypical_hits_the_integral_at_5_way_1_shot_in_16_dimensions() {
    hits(0);
}

#[test]
fn prototypical_hits_the_integral_at_2_way_3_shot_in_3_dimensions() {
    hits(1);
}

#[test]
fn prototypical_hits_the_integral_at_10_way_5_shot_in_32_dimensions() {
    hits(2);
}
