//! Real classes: pools of 20 of the 150 intents of CLINC150, as features of sentences.
//!
//! The truth about new classes is the accuracy over many episodes of all 150.

use std::path::{Path, PathBuf};

use kshot::data::{OpenOptions, Store};
use kshot::learner::{Checked, Learners};
use kshot::protocol::Protocol;
use kshot::rng::{Purpose, Stream};
use kshot::run::{Series, series};
use kshot::stats;
use kshot::vocab::Scope;

use super::Tally;
use super::cells::{INTENT_ACCURACY, INTENT_DIFFERENCE, INTENT_SHOTS, INTENTS};

/// The learners of the study.
pub const LEARNERS: [&str; 6] = ["prototypical", "k-nn", "matching", "ridge", "svm", "linear-probe"];
/// Classes of a pool.
const OF_A_POOL: usize = 20;
/// Episodes of all classes that the truth is a mean over.
const OF_TRUTH: u32 = 60_000;

/// The store, the learners, and the truth by learner and shot.
pub struct Intents {
    store: Store,
    learners: Learners,
    checked: Vec<Checked>,
    truth: Vec<Vec<f64>>,
}

/// The store `clinc150-minilm` in the folder `data` of `KSHOT_SHARED`, or of `../shared`; or why it is not there.
pub fn read() -> Result<Store, String> {
    let shared = std::env::var_os("KSHOT_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = shared.join("data/clinc150-minilm");
    Store::open(&path, &OpenOptions::default()).map_err(|error| error.to_string())
}

fn protocol(count: u32, seed: u64, classes: Option<Vec<String>>) -> Protocol {
    let rules = Protocol::episodes().split(Scope::All).way(5).shots(INTENT_SHOTS.map(|(_, shot)| shot));
    let rules = rules.query(15).count(count).seed(seed);
    let rules = classes.into_iter().fold(rules, |rules, classes| rules.classes(classes));
    rules.build().expect("the rules are sound")
}

impl Intents {
    /// Reads the store and computes the truth.
    pub fn new(store: Store, seed: u64, threads: u32) -> Intents {
        let learners = Learners::shipped();
        let checked: Vec<Checked> =
            LEARNERS.iter().map(|name| learners.cpu().check(name).expect("a learner that ships")).collect();
        let mut all = Intents { store, learners, checked, truth: Vec::new() };
        let of_all = all.series(&protocol(OF_TRUTH, seed, None), threads as usize);
        let mean = |values: &Vec<f64>| stats::mean(values).expect("episodes were answered");
        all.truth = of_all.values.iter().map(|shots| shots.iter().map(mean).collect()).collect();
        all
    }

    fn series(&self, protocol: &Protocol, workers: usize) -> Series {
        series(&self.store, protocol, (&self.learners, &self.checked), workers).expect("learners do not fail")
    }

    /// One repetition: a pool of classes and its episodes.
    pub fn repeat(&self, seed: u64, number: u32, tally: &mut Tally) {
        let mut stream = Stream::new(seed, Purpose::Dataset, number);
        let mut names: Vec<String> =
            self.store.index().classes().iter().map(|class| class.name.clone()).collect();
        stream.choose(&mut names, OF_A_POOL);
        names.truncate(OF_A_POOL);
        let drawn = self.series(&protocol(INTENTS.1, seed + 1 + u64::from(number), Some(names)), 1);
        for (shot, (name, _)) in INTENT_SHOTS.into_iter().enumerate() {
            let of = |values: &[f64], range| {
                stats::over_classes(values, &drawn.members, Some(range)).ok().map(|j| j.estimate)
            };
            for a in 0..LEARNERS.len() {
                let values = &drawn.values[a][shot];
                tally.estimate(name, INTENT_ACCURACY[a], of(values, (0.0, 1.0)), self.truth[a][shot]);
            }
            for (place, (a, b)) in pairs().enumerate() {
                let values = stats::differences(&drawn.values[a][shot], &drawn.values[b][shot]);
                let truth = self.truth[a][shot] - self.truth[b][shot];
                let estimate = of(&values.unwrap_or_default(), (-1.0, 1.0));
                tally.estimate(name, INTENT_DIFFERENCE[place], estimate, truth);
            }
        }
    }
}

/// All pairs of learners.
fn pairs() -> impl Iterator<Item = (usize, usize)> {
    (0..LEARNERS.len()).flat_map(|b| (0..b).map(move |a| (a, b)))
}
