//! The result of an episode depends on that episode alone: not on workers, batches, company or the order of learners.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;

use kshot::data::{OpenOptions, Store, embedded};
use kshot::episode::{Draw, Sampler};
use kshot::eval::{EvalError, Evaluation, SeenRules, evaluate};
use kshot::learner::{Checked, Learners};
use kshot::protocol::Protocol;
use kshot::tensor::{Cpu, open_cpu};

/// Every learner by its bare name.
fn bare() -> Vec<Checked> {
    let known = Learners::shipped();
    let registry = known.cpu();
    // The stores here have no class embeddings, and no network behind them.
    let of_support = |p: &Checked| !p.setting.uses_class_embeddings() && !p.needs_network;
    let all = registry.entries().iter().map(|entry| registry.check(entry.name()).unwrap());
    all.filter(of_support).collect()
}

/// Those, and some whose work differs with their parameters.
fn learners() -> Vec<Checked> {
    let more = [
        "prototypical:distance=cosine",
        "nearest-centroid:transform=cl2n",
        "k-nn:k=5",
        "matching:temperature=7",
        "linear-probe:c=100",
        "fine-tune:preset=closer-look,epochs=20",
        "fine-tune:batch=3,head=cosine,init=prototype,epochs=10",
    ];
    let known = Learners::shipped();
    let registry = known.cpu();
    // The stores here have no class embeddings.
    let of_support = |p: &Checked| !p.setting.uses_class_embeddings();
    bare()
        .into_iter()
        .filter(of_support)
        .chain(more.iter().map(|spec| registry.check(spec).unwrap()))
        .collect()
}

/// All grades, as text that tells every bit, by (learner and parameters, shot, place); behind them, how many fits of the
/// learner did not converge.
type Results = BTreeMap<(String, usize, usize), String>;

struct Run<'a> {
    store: &'a Store,
    draw: &'a Draw,
    shots: &'a [Option<usize>],
    learners: &'a [Checked],
}

impl Run<'_> {
    fn with(&self, workers: usize, batch: Option<usize>) -> Results {
        let evaluation = Evaluation {
            behind: None,
            store: self.store,
            draw: self.draw,
            seed: 7,
            learners: self.learners,
            shots: self.shots,
            rules: SeenRules::default(),
            workers,
            batch,
        };
        let mut all = Results::new();
        let (mut last, mut unconverged) = (BTreeMap::new(), BTreeMap::new());
        evaluate::<Cpu, EvalError>(
            Learners::shipped().cpu(),
            &evaluation,
            || Ok(open_cpu()),
            |batch| {
                let parameters = &self.learners[batch.learner];
                let learner = format!("{}:{parameters}", parameters.learner());
                *unconverged.entry((learner.clone(), batch.shot)).or_insert(0) += batch.unconverged;
                for (answered, items) in batch.episodes.iter().zip(&batch.items) {
                    let before = last.insert((batch.learner, batch.shot), answered.place);
                    assert!(
                        before.is_none_or(|b| b < answered.place),
                        "results come in the order of the draw"
                    );
                    let key = (learner.clone(), batch.shot, answered.place);
                    let text = format!("{:?} {items:?}", answered.grade);
                    assert_eq!(all.insert(key, text), None);
                }
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(all.len(), self.learners.len() * self.shots.len() * self.draw.len());
        all.extend(
            unconverged.into_iter().map(|((l, s), n)| ((l, s, usize::MAX), format!("{n} unconverged"))),
        );
        all
    }

    /// Fails unless every way of cutting the work gives the same bits.
    fn is_always_the_same(&self) {
        let expected = self.with(1, None);
        let same = |what: &str, found: Results| {
            for (key, text) in &found {
                assert_eq!(expected.get(key), Some(text), "{key:?} with {what}");
            }
        };
        same("2 workers, one episode at a time", self.with(2, Some(1)));
        same("batches of 7", self.with(1, Some(7)));
        let reversed: Vec<Checked> = self.learners.iter().rev().cloned().collect();
        same(
            "2 workers, batches of 64, learners reversed",
            Run { learners: &reversed, ..*self }.with(2, Some(64)),
        );
        for alone in self.learners.iter().filter(|p| p.learner() == "fine-tune") {
            same(
                "one learner, a second time",
                Run { learners: std::slice::from_ref(alone), ..*self }.with(1, None),
            );
        }
    }
}

/// The first episodes of a protocol that ships with kshot, on glyphs.
#[track_caller]
fn on_glyphs(protocol: &str, episodes: u32, learners: &[Checked]) {
    let store = embedded("glyphs").unwrap().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocols").join(protocol);
    let protocol = Protocol::read(path).unwrap();
    let draw = Sampler::new(&protocol, store.index()).unwrap().episodes(0..episodes).unwrap();
    Run { store: &store, draw: &draw, shots: &[None], learners }.is_always_the_same();
}

/// Settings that share work, of every learner that has such.
fn settings() -> Vec<Checked> {
    let mut specs: Vec<String> = Vec::new();
    for (learner, values) in [
        ("linear-probe:c", ["0.1", "1", "30"]),
        ("ridge:alpha", ["0.1", "1", "30"]),
        ("svm:c", ["0.1", "1", "30"]),
        ("k-nn:distance=cosine,k", ["1", "3", "7"]),
        ("matching:temperature", ["0.5", "1", "30"]),
        ("fine-tune:epochs", ["4", "30", "9"]),
        ("fine-tune:batch=3,epochs", ["3", "5", "1"]),
        ("fine-tune:init=prototype,head=cosine,epochs", ["3", "5", "1"]),
        ("fine-tune:epochs=9,lr", ["0.01", "1", "3"]),
    ] {
        specs.extend(values.iter().map(|value| format!("{learner}={value}")));
    }
    let known = Learners::shipped();
    let registry = known.cpu();
    specs.iter().map(|spec| registry.check(spec).unwrap()).collect()
}

/// Fails unless settings that are answered together have the bits of each alone.
fn together_as_alone(store: &Store, draw: &Draw) {
    let learners = settings();
    let together = Run { store, draw, shots: &[None], learners: &learners }.with(2, None);
    for alone in &learners {
        let learners = std::slice::from_ref(alone);
        for (key, text) in (Run { store, draw, shots: &[None], learners }).with(1, None) {
            assert_eq!(together.get(&key), Some(&text), "{key:?}");
        }
    }
}

#[test]
fn settings_answered_together_have_the_bits_of_each_alone() {
    let store = embedded("glyphs").unwrap().unwrap();
    for protocol in ["any-5way-5shot", "any-unbalanced"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("protocols/{protocol}.toml"));
        let protocol = Protocol::read(path).unwrap();
        let draw = Sampler::new(&protocol, store.index()).unwrap().episodes(0..30).unwrap();
        together_as_alone(&store, &draw);
    }
    // More support items than columns.
    let narrow = embedded("gaussian:base=0,validation=0,novel=6,items=20,dim=7").unwrap().unwrap();
    let protocol =
        Protocol::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("protocols/any-5way-5shot.toml"));
    let protocol = protocol.unwrap();
    let draw = Sampler::new(&protocol, narrow.index()).unwrap().episodes(0..30).unwrap();
    together_as_alone(&narrow, &draw);
}

#[test]
fn fixed_episodes_are_always_the_same() {
    on_glyphs("any-5way-5shot.toml", 70, &learners());
}

// Supports of hundreds of items: every learner once is enough.
#[test]
fn variable_episodes_are_always_the_same() {
    on_glyphs("any-variable.toml", 4, &bare());
}

#[test]
fn unbalanced_shots_are_always_the_same() {
    on_glyphs("any-unbalanced.toml", 70, &learners());
}

#[test]
fn unbalanced_queries_are_always_the_same() {
    on_glyphs("any-dirichlet.toml", 70, &learners());
}

/// Episodes that stand in one batch as drawn, but have supports of 3 to 5 items at shot 2: some are padded, depending on
/// their company.
#[test]
fn padded_episodes_are_always_the_same() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/heads/store.csv");
    let store = Store::open(path, &OpenOptions::default()).unwrap();
    let shots = [[1, 1, 4], [2, 2, 2], [1, 3, 2], [4, 1, 1], [1, 1, 4]];
    let mut text = "episode,label,class,support,query\n".to_string();
    for episode in 0..70 {
        for (label, shot) in shots[episode % shots.len()].into_iter().enumerate() {
            let list = |from: usize, count: usize| {
                (from..from + count).map(|i| i.to_string()).collect::<Vec<_>>().join(" ")
            };
            let class = 15 + (episode + 4 * label) % 15;
            text += &format!("{episode},{label},class{class},{},{}\n", list(episode % 8, shot), list(12, 4));
        }
    }
    let draw = Draw::parse(text.as_bytes(), "padded.csv", store.index()).unwrap();
    let shots = [Some(1), Some(2), Some(3), None];
    Run { store: &store, draw: &draw, shots: &shots, learners: &learners() }.is_always_the_same();
}
