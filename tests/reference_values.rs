//! The heads give what independent implementations give: scikit-learn and plain numpy in double precision.
//!
//! A small fixture of our own lies in `tests/fixtures/heads`, with the script that made it. Larger sets are looked for in
//! the folder of the variable KSHOT_SHARED, or in `../shared`; where they are absent, the output says SKIPPED.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "differences are worth a look where a test fails")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use kshot::data::{OpenOptions, Store, transform};
use kshot::episode::{Draw, Episode};
use kshot::eval::{EvalError, Evaluation, SeenRules, evaluate};
use kshot::learner::{Checked, Given, Learners};
use kshot::metric::Metric;
use kshot::rng::BatchRng;
use kshot::tensor::{Cpu, Labels, open_cpu, to_host};
use kshot::view::{Items, Support};
use kshot::vocab::{ItemId, Transform};

/// One row of `expected.csv`.
#[derive(Clone, Copy)]
struct Row {
    correct: u32,
    total: u32,
    nll: Option<f64>,
}

/// By protocol and learner, one row per episode.
type Expected = BTreeMap<String, BTreeMap<String, Vec<Row>>>;

fn records(path: &Path) -> Vec<csv::StringRecord> {
    csv::Reader::from_path(path).unwrap().into_records().map(Result::unwrap).collect()
}

fn expected(folder: &Path) -> Expected {
    let mut all = Expected::new();
    for record in records(&folder.join("expected.csv")) {
        let rows = all.entry(record[0].to_string()).or_default().entry(record[1].to_string()).or_default();
        assert_eq!(record[2].parse(), Ok(rows.len()), "episodes in order");
        let nll = (!record[5].is_empty()).then(|| record[5].parse().unwrap());
        rows.push(Row { correct: record[3].parse().unwrap(), total: record[4].parse().unwrap(), nll });
    }
    all
}

/// What the reference calls a learner, as one writes it on the command line.
fn spec(name: &str) -> &str {
    match name {
        "nearest-centroid-l2n" => "nearest-centroid:transform=l2n",
        "nearest-centroid-cl2n" => "nearest-centroid:transform=cl2n",
        "1-nn" => "k-nn",
        // Our factor on cosines is another by default.
        "matching" => "matching:temperature=1",
        "prototypical:distance=cosine" => "prototypical:distance=cosine,scale=1",
        other => other,
    }
}

fn checked(name: &str) -> Checked {
    Learners::shipped().cpu().check(spec(name)).unwrap()
}

/// What we get in each episode of a draw: by learner, the rows.
fn found(store: &Store, draw: &Draw, names: &[&String]) -> Vec<Vec<Row>> {
    let learners: Vec<Checked> = names.iter().map(|name| checked(name)).collect();
    let shots = [None];
    let evaluation = Evaluation {
        behind: None,
        store,
        draw,
        seed: 3,
        learners: &learners,
        shots: &shots,
        rules: SeenRules::default(),
        workers: 2,
        batch: None,
    };
    let mut rows = vec![Vec::new(); learners.len()];
    evaluate::<Cpu, EvalError>(
        Learners::shipped().cpu(),
        &evaluation,
        || Ok(open_cpu()),
        |batch| {
            assert_eq!(batch.unconverged, 0, "{}", names[batch.learner]);
            for answered in &batch.episodes {
                let rows = &mut rows[batch.learner];
                assert_eq!(answered.place, rows.len());
                let (mut correct, mut total, mut nll) = (0, 0, Some(0.0));
                for (label, class) in answered.grade.classes.iter().enumerate() {
                    correct += class.correct;
                    total += class.total;
                    let mean = answered.grade.value(label, Metric::NLL);
                    nll = nll.zip(mean).map(|(sum, mean)| sum + mean * f64::from(class.total));
                }
                rows.push(Row { correct, total, nll: nll.map(|sum| sum / f64::from(total)) });
            }
            Ok(())
        },
    )
    .unwrap();
    rows
}

/// How far two lists of episodes are apart.
#[derive(Debug)]
struct Gap {
    /// Share of the episodes with another number of correct answers.
    episodes: f64,
    /// Difference of the mean accuracies.
    accuracy: f64,
    /// Difference of the mean losses, and the largest of an episode.
    nll: f64,
    nll_of_an_episode: f64,
}

fn gap(expected: &[Row], found: &[Row]) -> Gap {
    assert_eq!(expected.len(), found.len());
    let count = expected.len() as f64;
    let pairs = || expected.iter().zip(found);
    let rate = |row: &Row| f64::from(row.correct) / f64::from(row.total);
    assert!(pairs().all(|(e, f)| e.total == f.total));
    let differ = pairs().filter(|(e, f)| e.correct != f.correct).count();
    let losses: Vec<f64> = pairs().filter_map(|(e, f)| Some(f.nll? - e.nll?)).collect();
    assert!(pairs().all(|(e, f)| f.nll.is_some() || e.nll.is_none()), "a loss is missing");
    Gap {
        episodes: differ as f64 / count,
        accuracy: (pairs().map(|(e, f)| rate(f) - rate(e)).sum::<f64>() / count).abs(),
        nll: (losses.iter().sum::<f64>() / count).abs(),
        nll_of_an_episode: losses.iter().fold(0.0, |most, l| l.abs().max(most)),
    }
}

/// Evaluates every draw of a set once and holds each learner's gap against `allowed`.
fn hold(store: &Store, folder: &Path, allowed: &Gap) {
    let expected = expected(folder);
    assert!(!expected.is_empty());
    let mut far = Vec::new();
    for (protocol, learners) in &expected {
        let draw = Draw::read(folder.join(format!("{protocol}.csv")), store.index()).unwrap();
        let names: Vec<&String> = learners.keys().collect();
        for (name, found) in names.iter().zip(found(store, &draw, &names)) {
            let gap = gap(&learners[*name], &found);
            eprintln!(
                "{protocol} {name}: {} of {} episodes differ, accuracy by {:.6}, nll by {:.7} (an episode {:.7})",
                (gap.episodes * found.len() as f64).round(),
                found.len(),
                gap.accuracy,
                gap.nll,
                gap.nll_of_an_episode
            );
            let within = gap.episodes <= allowed.episodes
                && gap.accuracy <= allowed.accuracy
                && gap.nll <= allowed.nll
                && gap.nll_of_an_episode <= allowed.nll_of_an_episode;
            if !within {
                far.push(format!("{protocol} {name}: {gap:?}"));
            }
        }
    }
    assert!(far.is_empty(), "{}", far.join("\n"));
}

/// An item as a learner gets it that takes this transform.
fn features(store: &Store, takes: Transform, items: &[ItemId]) -> Vec<f32> {
    let made = transform(store, takes).unwrap();
    let mut out = Vec::new();
    for item in items {
        let mut row = vec![0.0; store.dim()];
        store.read_item(*item, &mut row).unwrap();
        for (column, x) in row.iter().enumerate() {
            let shift = made.shift.as_ref().map_or(0.0, |s| s[column]);
            out.push((x - shift) * made.scale.as_ref().map_or(1.0, |s| s[item.index()]));
        }
    }
    out
}

/// Scores of all queries of an episode, class by class: (queries, way).
fn scores(store: &Store, episode: &Episode<'_>, name: &str) -> Vec<f32> {
    let device = open_cpu();
    let learner = Learners::shipped().cpu().build(&checked(name).parameters).unwrap();
    let way = episode.way();
    let labels: Vec<u16> =
        (0..way).flat_map(|l| std::iter::repeat_n(l as u16, episode.support(l).len())).collect();
    let labels = Labels::new(1, labels.len(), way, labels).unwrap();
    let support: Vec<ItemId> = (0..way).flat_map(|l| episode.support(l).to_vec()).collect();
    let support = features(store, learner.takes(), &support);
    let support = Support::dense(&device, store.dim(), support, labels).unwrap();
    let query: Vec<ItemId> = (0..way).flat_map(|l| episode.query(l).to_vec()).collect();
    let shape = (1, query.len(), store.dim());
    let query = Items::dense(&device, shape, features(store, learner.takes(), &query)).unwrap();
    let numbers = [episode.number()];
    let rng = BatchRng::new(3, &numbers);
    let given =
        Given { support: Some(&support), class_embeddings: None, network: None, query: &query, rng: &rng };
    let (scores, _) = learner.answer(&given).unwrap();
    to_host(&scores.values).unwrap()
}

/// By protocol, learner and episode: query label, place of the query in its class, and a score, label after label.
type Scored = BTreeMap<(String, String, usize), Vec<(usize, usize, f64)>>;

/// Holds the single scores of a set against ours. Logits of a linear probe and of cosines are compared up to a constant per query, which
/// the objective leaves open and no softmax sees.
fn hold_scores(store: &Store, folder: &Path) {
    let mut queries = Scored::new();
    for record in records(&folder.join("scores.csv")) {
        let key = (record[0].to_string(), record[1].to_string(), record[2].parse().unwrap());
        let number = |column: usize| record[column].parse::<usize>().unwrap();
        queries.entry(key).or_default().push((number(3), number(4), record[6].parse().unwrap()));
    }
    assert!(!queries.is_empty());
    let mut far = Vec::new();
    for ((protocol, name, place), rows) in &queries {
        let draw = Draw::read(folder.join(format!("{protocol}.csv")), store.index()).unwrap();
        let episode = draw.episode(*place);
        let (ours, way) = (scores(store, &episode, name), episode.way());
        for rows in rows.chunks_exact(way) {
            let (label, item, _) = rows[0];
            let query = (0..label).map(|l| episode.query(l).len()).sum::<usize>() + item;
            let mut ours: Vec<f64> =
                ours[query * way..(query + 1) * way].iter().map(|v| f64::from(*v)).collect();
            let mut theirs: Vec<f64> = rows.iter().map(|row| row.2).collect();
            if name.starts_with("linear-probe") || name.contains("=cosine") {
                for scores in [&mut ours, &mut theirs] {
                    let mean = scores.iter().sum::<f64>() / way as f64;
                    scores.iter_mut().for_each(|v| *v -= mean);
                }
            }
            let extent = theirs.iter().fold(0.0f64, |most, v| v.abs().max(most));
            let most = ours.iter().zip(&theirs).map(|(o, t)| (o - t).abs()).fold(0.0, f64::max);
            if most > 1e-4 * (1.0 + extent) {
                far.push(format!(
                    "{protocol} {name} episode {place} query {query}: {ours:?}, not {theirs:?}"
                ));
            }
        }
    }
    assert!(far.is_empty(), "{} queries, such as\n{}", far.len(), far[..far.len().min(9)].join("\n"));
}

fn own() -> (Store, PathBuf) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/heads");
    (Store::open(folder.join("store.csv"), &OpenOptions::default()).unwrap(), folder)
}

#[test]
fn every_head_gives_the_reference_answers_also_off_its_defaults() {
    let (store, folder) = own();
    hold(&store, &folder, &Gap { episodes: 0.0, accuracy: 0.0, nll: 2e-5, nll_of_an_episode: 1e-4 });
}

#[test]
fn every_head_gives_the_reference_scores_also_off_its_defaults() {
    let (store, folder) = own();
    hold_scores(&store, &folder);
}

/// The folder of larger sets, or nothing and a loud line.
fn shared(set: &str, store: &str) -> Option<(Store, PathBuf)> {
    let root = std::env::var_os("KSHOT_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let (folder, features) = (root.join("reference").join(set), root.join("data").join(store));
    if !folder.is_dir() || !features.is_dir() {
        let line =
            format!("SKIPPED: no {} or no {}; set KSHOT_SHARED\n", folder.display(), features.display());
        // Past the capture of a test that passes: a skipped test says so in any case.
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return None;
    }
    Some((Store::open(features, &OpenOptions::default()).unwrap(), folder))
}

const SHARED: Gap = Gap { episodes: 0.005, accuracy: 0.0002, nll: 0.001, nll_of_an_episode: 0.01 };

#[test]
fn sentences_get_the_reference_answers() {
    if let Some((store, folder)) = shared("heads", "clinc150-minilm") {
        hold(&store, &folder, &SHARED);
        hold_scores(&store, &folder);
    }
}

#[test]
fn pixels_without_normalisation_get_the_reference_answers() {
    if let Some((store, folder)) = shared("heads-unnormalised", "omniglot-pixels") {
        hold(&store, &folder, &SHARED);
        hold_scores(&store, &folder);
    }
}
