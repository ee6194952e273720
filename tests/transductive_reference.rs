//! Learners give the answers of independent implementations, query by query: transductive ones with `preset=easyfsl` those of
//! easyfsl 1.5, heads for few labels those of their papers' formulas in double precision.
//!
//! `tests/fixtures/transductive` and `tests/fixtures/few-label-heads` hold these on the store and draws of `tests/fixtures/heads`, and the
//! scripts that made them. Episodes on which easyfsl's single precision gives no finite score are not among them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kshot::data::{OpenOptions, Store, transform};
use kshot::episode::{Draw, Episode};
use kshot::learner::{Given, Learners};
use kshot::rng::BatchRng;
use kshot::tensor::{HostRows, Labels, Rows, open_cpu, to_host};
use kshot::view::{Items, Support};
use kshot::vocab::Form;

fn fixtures(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}

/// The labels that a learner gives the queries of an episode, in the order of the draw.
fn predicted(store: &Store, episode: &Episode<'_>, spec: &str) -> Vec<usize> {
    let (known, device) = (Learners::shipped(), open_cpu());
    let learner = known.cpu().build(&known.cpu().check(spec).unwrap().parameters).unwrap();
    let made = transform(store, learner.takes()).unwrap();
    let (count, dim) = (store.rows(), store.dim());
    let values = store.values().clone();
    let rows = HostRows::new(values, count, dim, made.shift, made.scale, made.squared_norms).unwrap();
    let way = episode.way();
    let labels: Vec<u16> = (0..way).flat_map(|l| vec![l as u16; episode.support(l).len()]).collect();
    let items = |side: &dyn Fn(usize) -> Vec<u32>| (0..way).flat_map(side).collect::<Vec<u32>>();
    let support = items(&|label| episode.support(label).iter().map(|item| item.0).collect());
    let query = items(&|label| episode.query(label).iter().map(|item| item.0).collect());
    let labels = Labels::new(1, labels.len(), way, labels).unwrap();
    let support = Rows::new(1, support.len(), support).unwrap();
    let support = Support::new(&device, &rows, support, labels, Form::Vector).unwrap();
    let query = Rows::new(1, query.len(), query).unwrap();
    let query = Items::new(&device, &rows, query, Form::Vector);
    let numbers = [episode.number()];
    let rng = BatchRng::new(3, &numbers);
    let given =
        Given { support: Some(&support), class_embeddings: None, network: None, query: &query, rng: &rng };
    let scores = to_host(&learner.answer(&given).unwrap().0.values).unwrap();
    let best = |row: &[f32]| (0..row.len()).fold(0, |best, c| if row[c] > row[best] { c } else { best });
    scores.chunks_exact(way).map(best).collect()
}

/// By learner of a fixture: queries, and those that both answer alike.
fn counts(folder: &str, draws: &[&str]) -> BTreeMap<String, (usize, usize)> {
    let store = Store::open(fixtures("heads/store.csv"), &OpenOptions::default()).unwrap();
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for name in draws {
        let draw = Draw::read(fixtures("heads").join(name), store.index()).unwrap();
        for record in csv::Reader::from_path(fixtures(folder).join(name)).unwrap().records() {
            let record = record.unwrap();
            let place: usize = record[1].parse().unwrap();
            let expected: Vec<usize> = record[3].split(' ').map(|label| label.parse().unwrap()).collect();
            let found = predicted(&store, &draw.episode(place), &record[0]);
            assert_eq!(found.len(), expected.len());
            let counts = counts.entry(record[0].to_string()).or_default();
            counts.0 += found.len();
            counts.1 += found.iter().zip(&expected).filter(|(a, b)| a == b).count();
        }
    }
    counts
}

#[test]
fn transductive_answers_are_those_of_easyfsl() {
    let counts = counts("transductive", &["5way-1shot.csv", "5way-10shot.csv"]);
    assert_eq!(counts.len(), 10);
    for (learner, (queries, alike)) in counts {
        // PT-MAP of easyfsl loses small shares of raw features to single precision.
        let least = if learner == "pt-map:preset=easyfsl,transform=none" { 0 } else { 995 };
        assert!(alike * 1000 >= queries * least, "{learner}: {alike} of {queries} queries");
    }
}

#[test]
fn answers_of_heads_for_few_labels_are_those_of_their_formulas() {
    let draws = ["5way-1shot.csv", "5way-10shot.csv", "2way-3shot.csv", "unequal-shots.csv"];
    let counts = counts("few-label-heads", &draws);
    assert_eq!(counts.len(), 4);
    for (learner, (queries, alike)) in counts {
        assert!(alike * 1000 >= queries * 995, "{learner}: {alike} of {queries} queries");
    }
}
