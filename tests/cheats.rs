//! Learners that are written to know answers: types keep out what a learner could stumble on, an audit finds the rest.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::OnceLock;

use kshot::data::{Store, embedded};
use kshot::episode::{Draw, Order, Sampler};
use kshot::learner::{Classifier, Inductive, LearnError, Learner, Plugin, Registered, Registry, Signature};
use kshot::metric::Metric;
use kshot::protocol::Protocol;
use kshot::results::Inputs;
use kshot::rng::{BatchRng, Purpose, Stream};
use kshot::run::{Done, Run, RunError};
use kshot::tensor::Backend;
use kshot::view::{Items, Scores, Support};

const SEED: u64 = 7;

fn protocol() -> Protocol {
    Protocol::episodes().name("p").way(5).shots([1]).query(15).count(200).seed(SEED).build().unwrap()
}

/// Scores by which the labels of these slots are certain.
fn certain<D: Backend>(items: &Items<D>, way: usize, labels: &[Vec<usize>]) -> Result<Scores<D>, LearnError> {
    let count = items.count();
    let mut values = vec![0.0; items.episodes() * count * way];
    for (place, labels) in labels.iter().enumerate().take(items.episodes()) {
        for (slot, label) in labels.iter().enumerate() {
            values[(place * count + slot) * way + label] = 9.0;
        }
    }
    Ok(Scores::logits(items.device().tensor3((items.episodes(), count, way), values)?))
}

/// Undoes the shuffle of the queries with all that a learner is given: the text of its random numbers, and every stream
/// that anybody may make.
struct Unshuffle;

impl<D: Backend> Inductive<D> for Unshuffle {
    fn adapt(&self, support: &Support<D>, rng: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        assert!(!format!("{rng:?}").contains("seed"), "{rng:?}");
        Ok(Box::new(Guess { way: support.way() }))
    }
}

struct Guess {
    way: usize,
}

impl<D: Backend> Classifier<D> for Guess {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        let of = |place: usize| {
            // Before the shuffle the queries stand label by label.
            let mut labels: Vec<usize> = (0..items.count()).map(|s| s * self.way / items.count()).collect();
            Stream::new(SEED, Purpose::Draw, place as u32).shuffle(&mut labels);
            labels
        };
        certain(items, self.way, &(0..items.episodes()).map(of).collect::<Vec<_>>())
    }
}

/// Holds data and draw in a global, and makes the order of the queries again.
struct Insider;

static KNOWN: OnceLock<(Store, Draw)> = OnceLock::new();

fn known() -> &'static (Store, Draw) {
    KNOWN.get_or_init(|| {
        let store = embedded("glyphs").unwrap().unwrap();
        let draw = Sampler::new(&protocol(), store.index()).unwrap().episodes(0..200).unwrap();
        (store, draw)
    })
}

impl<D: Backend> Inductive<D> for Insider {
    fn adapt(&self, support: &Support<D>, _: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let (store, draw) = known();
        let dim = support.dim();
        let first = kshot::tensor::to_host(support.features()?)?[..support.way() * dim].to_vec();
        // The episode of the batch that begins with these support items.
        let begins = |place: &usize| {
            let mut row = vec![0.0; dim];
            let mut rows = (0..support.way()).zip(first.chunks_exact(dim));
            rows.all(|(label, expected)| {
                store.read_item(draw.episode(*place).support(label)[0], &mut row).unwrap();
                row == expected
            })
        };
        let place = (0..draw.len()).find(begins).unwrap_or(0);
        Ok(Box::new(Told { place, way: support.way() }))
    }
}

struct Told {
    place: usize,
    way: usize,
}

impl<D: Backend> Classifier<D> for Told {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        let (store, draw) = known();
        let end = (self.place + items.episodes()).min(draw.len());
        let order = Order::of(store, draw, self.place..end, SEED);
        let label = |place: usize, item| {
            let episode = draw.episode(self.place + place);
            (0..self.way).find(|label| episode.query(*label).contains(&item)).unwrap_or(0)
        };
        let of = |place: usize| order.items(place).map(|item| label(place, item)).collect::<Vec<_>>();
        certain(items, self.way, &(0..end - self.place).map(of).collect::<Vec<_>>())
    }
}

struct Mine;

impl Plugin for Mine {
    fn register<D: Registered>(&self, list: &mut Registry<D>) {
        list.add(Signature::new("unshuffle", "undoes the shuffle"), |_| Ok(Learner::inductive(Unshuffle)));
        list.add(Signature::new("insider", "knows the draw"), |_| Ok(Learner::inductive(Insider)));
    }
}

fn run(learner: &str) -> Run<'static> {
    let inputs = Inputs { features: vec!["glyphs".to_string()], ..Inputs::default() };
    Run::new(protocol()).inputs(inputs).register(Mine).learners([learner]).unwrap()
}

fn accuracy(done: &Done) -> f64 {
    done.summary().iter().find(|row| row.measured.metric == Metric::ACCURACY).unwrap().measured.value
}

#[test]
fn the_order_of_queries_tells_a_learner_nothing() {
    let done = run("unshuffle").evaluate().unwrap();
    // 15,000 guesses: five standard deviations are 0.016.
    assert!((accuracy(&done) - 0.2).abs() < 0.02, "{}", accuracy(&done));
}

#[test]
fn what_a_learner_knows_beside_its_features_is_found_by_an_audit() {
    assert!(accuracy(&run("insider").evaluate().unwrap()) > 0.99);
    let refused: RunError = run("insider").audited().evaluate().unwrap_err();
    let said = refused.to_string();
    assert!(said.starts_with("audit of p: with permuted answers learner `insider` is "), "{said}");
}

#[test]
fn honest_learners_pass_the_audit() {
    for learner in ["prototypical", "k-nn", "ridge", "linear-probe"] {
        run(learner).audited().evaluate().unwrap();
    }
}
