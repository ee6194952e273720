//! Zero-shot learners give what closed forms in double precision give, and their fits look at nothing else than seen classes.
//!
//! A small store of our own lies in `tests/fixtures/zero-shot`, with the script that made it. A larger one is looked for in
//! the folder of the variable KSHOT_SHARED, or in `../shared`; where it is absent, the output says SKIPPED.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use kshot::data::{OpenOptions, Store, seen_items};
use kshot::eval::{self, EvalError, Evaluation, SeenRules};
use kshot::learner::{
    Checked, Fitted, LearnError, Learner, Learners, Plugin, Registered, Registry, ZeroShot,
};
use kshot::numbers::{ReadRows, Values};
use kshot::protocol::Protocol;
use kshot::stats::{self, Standing, TradeOff};
use kshot::tensor::{Backend, Cpu, HostRows, open_cpu};
use kshot::view::{ClassEmbeddings, Items, Scores, Seen};
use kshot::vocab::{ClassId, Setting, Split};

const SHOTS: [Option<usize>; 1] = [Some(0)];

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn small() -> Store {
    Store::open(folder("tests/fixtures/zero-shot/store"), &OpenOptions::default()).unwrap()
}

/// Rows of a table by their header.
fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(path).unwrap().deserialize().collect::<Result<_, _>>().unwrap()
}

/// Class-averaged accuracy on unseen and on seen classes, and the area under the curve, by learner.
fn found(store: &Store, protocol: &Protocol, specs: &[&str]) -> Vec<(f64, f64, f64)> {
    let known = Learners::shipped();
    let registry = known.cpu();
    let learners: Vec<Checked> = specs.iter().map(|spec| registry.check(spec).unwrap()).collect();
    let draw = kshot::episode::draw(protocol, store.index()).unwrap();
    let rules = SeenRules::of(protocol);
    let (seed, shots) = (7, &SHOTS);
    let evaluation = Evaluation {
        behind: None,
        store,
        draw: &draw,
        seed,
        learners: &learners,
        shots,
        rules,
        workers: 2,
        batch: None,
    };
    let mut all = vec![(0.0, 0.0, 0.0); specs.len()];
    eval::evaluate::<Cpu, EvalError>(
        registry,
        &evaluation,
        || Ok(open_cpu()),
        |batch| {
            let answered = &batch.episodes[0];
            let episode = draw.episode(answered.place);
            let is_seen = |class: ClassId| protocol.split().sees(store.index().class(class).split);
            let side = |seen: bool| {
                let classes = answered.grade.classes.iter().enumerate();
                let of_side = classes.filter(|(label, _)| is_seen(episode.class(*label)) == seen);
                let rates: Vec<f64> =
                    of_side.map(|(_, c)| f64::from(c.correct) / f64::from(c.total)).collect();
                stats::mean(&rates).unwrap_or(0.0)
            };
            let standings: Vec<Standing> = answered
                .standing
                .iter()
                .map(|m| {
                    let class = episode.class(usize::from(m.label));
                    let (seen, margin) = (is_seen(class), f64::from(m.margin));
                    Standing { class: class.0, seen, margin, right: m.right }
                })
                .collect();
            all[batch.learner] = (side(false), side(true), TradeOff::of(&standings).area());
            Ok(())
        },
    )
    .unwrap();
    all
}

/// Compares every value of an expected table.
fn hold(store: &Store, expected: &Path) {
    let rows = table(expected);
    let specs: Vec<&str> = rows.iter().map(|row| row["learner"].as_str()).collect();
    let shipped = |name: &str| Protocol::read(folder(&format!("protocols/{name}.toml"))).unwrap();
    let plain = found(store, &shipped("any-zero-shot"), &specs);
    let generalised = found(store, &shipped("any-generalised-zero-shot"), &specs);
    for ((row, plain), (unseen, seen, ausuc)) in rows.iter().zip(plain).zip(generalised) {
        let found = [
            ("zsl_unseen", plain.0),
            ("gzsl_seen", seen),
            ("gzsl_unseen", unseen),
            ("gzsl_harmonic", stats::harmonic(seen, unseen)),
            ("ausuc", ausuc),
        ];
        for (column, value) in found {
            let Some(expected) = row.get(column) else { continue };
            let expected: f64 = expected.parse().unwrap();
            assert!((value - expected).abs() < 5e-4, "{} {column}: {value}, {expected}", row["learner"]);
        }
    }
}

#[test]
fn a_small_store_gets_the_answers_of_the_closed_forms() {
    hold(&small(), &folder("tests/fixtures/zero-shot/expected.csv"));
}

#[test]
fn intents_get_the_answers_of_the_closed_forms() {
    let root = std::env::var_os("KSHOT_SHARED").map_or_else(|| folder("../shared"), PathBuf::from);
    let (features, expected) =
        (root.join("data/clinc150-minilm"), root.join("reference/zero-shot/expected.csv"));
    if !features.is_dir() || !expected.is_file() {
        let line =
            format!("SKIPPED: no {} or no {}; set KSHOT_SHARED\n", features.display(), expected.display());
        // Past the capture of a test that passes: a skipped test says so in any case.
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return;
    }
    hold(&Store::open(features, &OpenOptions::default()).unwrap(), &expected);
}

/// Rows of zeros that remember which of them were read.
struct Watched(Mutex<BTreeSet<usize>>);

impl ReadRows for Watched {
    fn read_block(&self, row: usize, out: &mut [f32]) -> std::io::Result<()> {
        self.0.lock().unwrap().insert(row);
        out.iter_mut().enumerate().for_each(|(column, x)| *x = ((row * 7 + column * 3) % 11) as f32 - 5.0);
        Ok(())
    }
}

#[test]
fn no_fit_reads_a_novel_or_a_held_out_item() {
    let store = small();
    let (count, dim) = (store.rows(), store.dim());
    let index = store.index();
    let rules = SeenRules::default();
    let classes = (0..index.classes().len() as u32).map(ClassId);
    let seen_classes = classes.filter(|class| index.class(*class).split != Split::Novel);
    let allowed: BTreeSet<usize> = seen_classes
        .flat_map(|class| seen_items(index, class, rules.part).fitted)
        .map(|item| item.index())
        .collect();
    let known = Learners::shipped();
    let registry = known.cpu();
    let mut fits = 0;
    for entry in registry.entries() {
        let parameters = entry.check(&BTreeMap::new()).unwrap().parameters;
        let learner = registry.build(&parameters).unwrap();
        let watched = Arc::new(Watched(Mutex::default()));
        let file: Arc<dyn ReadRows> = Arc::clone(&watched) as Arc<dyn ReadRows>;
        let norms = vec![1.0; count].into();
        let rows = HostRows::new(Values::File(file), count, dim, None, None, norms).unwrap();
        let seen = eval::seen(&store, &rules, &rows).unwrap();
        let Some(_) = learner.fit(&seen, Vec::new, &open_cpu()).unwrap() else { continue };
        assert_eq!(*watched.0.lock().unwrap(), allowed, "{}", entry.name());
        fits += 1;
    }
    assert_eq!(fits, 8);
}

#[test]
fn where_validation_classes_are_evaluated_a_fit_sees_base_classes_alone() {
    let store = small();
    let rows = HostRows::dense(vec![0.0; store.rows() * store.dim()], store.dim()).unwrap();
    let classes = |split: Split| {
        let rules = SeenRules { split: split.into(), ..SeenRules::default() };
        eval::seen(&store, &rules, &rows).unwrap().classes()
    };
    assert_eq!((classes(Split::Validation), classes(Split::Novel), classes(Split::Base)), (8, 12, 0));
}

/// Scores by the mean of all unseen class embeddings: a fit that looks at them.
struct Peeking;

struct Constant;

impl<D: Backend> ZeroShot<D> for Constant {
    fn scores(&self, items: &Items<D>, candidates: &ClassEmbeddings<D>) -> Result<Scores<D>, LearnError> {
        let shape = (items.episodes(), items.count(), candidates.way());
        let zeros = vec![0.0; shape.0 * shape.1 * shape.2];
        Ok(Scores::ranking(items.device().tensor3(shape, zeros)?))
    }
}

impl<D: Backend> kshot::learner::ClassTransductive<D> for Peeking {
    fn fit(&self, _: &Seen, unseen: &[f32], _: &D) -> Result<Fitted<D>, LearnError> {
        assert!(!unseen.is_empty());
        Ok(Fitted::zero_shot(|_| Ok(Constant)))
    }
}

struct Mine;

impl Plugin for Mine {
    fn register<D: Registered>(&self, list: &mut Registry<D>) {
        list.add("peeking", |_| Ok(Learner::class_transductive(Peeking)));
    }
}

#[test]
fn a_fit_that_sees_unseen_vectors_must_be_admitted_by_name() {
    let known = Learners::default().with(Mine);
    let registry = known.cpu();
    let parameters = registry.check("peeking").unwrap();
    assert_eq!(parameters.setting, Setting::ClassTransductive);
    let text = std::fs::read_to_string(folder("protocols/any-zero-shot.toml")).unwrap();
    let protocol = Protocol::parse(&text, "p").unwrap();
    let refused = eval::admit(&protocol, &parameters, &SHOTS).unwrap_err().to_string();
    let sentence =
        "learner `peeking` is class-transductive, protocol `any-zero-shot` admits zero-shot, semantic";
    assert_eq!(refused, sentence);
    let open = text.replace("[\"zero-shot\"", "[\"class-transductive\", \"zero-shot\"");
    let protocol = Protocol::parse(&open, "p").unwrap();
    assert!(eval::admit(&protocol, &parameters, &SHOTS).is_ok());
    let store = small();
    let draw = kshot::episode::draw(&protocol, store.index()).unwrap();
    let evaluation = Evaluation {
        behind: None,
        store: &store,
        draw: &draw,
        seed: 7,
        learners: &[parameters],
        shots: &SHOTS,
        rules: SeenRules::of(&protocol),
        workers: 1,
        batch: None,
    };
    let mut batches = 0;
    eval::evaluate::<Cpu, EvalError>(
        registry,
        &evaluation,
        || Ok(open_cpu()),
        |_| {
            batches += 1;
            Ok(())
        },
    )
    .unwrap();
    assert_eq!(batches, 1);
}
