//! The pieces that an evaluation is made of, one by one: drawing, gathering, learners, Conv4, sentences, tables.
//!
//! `cargo bench --bench pieces [-- FILTER]`. Sentences need the feature `text`, and the folder of an encoder in the
//! variable KSHOT_ENCODER. benches/README.md says what the floors are.

mod made;

use std::io::Write;
use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use kshot::data::{OpenOptions, Store};
use kshot::tensor::open_cpu;
use made::{IMAGES, LEARNERS, Network, answer, draw, gather, store};

const DIM: usize = 640;
const EPISODES: u32 = 500;

static STORE: LazyLock<Store> = LazyLock::new(|| store(DIM).expect("made features are a store"));

fn main() {
    divan::main();
}

#[divan::bench(args = [1, 5], sample_count = 20)]
fn drawing(bencher: Bencher, shot: u32) {
    let episodes = bencher.counter(ItemsCount::new(EPISODES));
    episodes.bench(|| draw(&STORE, shot, EPISODES).expect("the classes suffice"));
}

#[divan::bench(args = [1, 5], sample_count = 20)]
fn gathering(bencher: Bencher, shot: u32) {
    let draw = draw(&STORE, shot, EPISODES).expect("the classes suffice");
    let bytes = draw.episodes().map(|e| e.all_support().len() + e.all_query().len()).sum::<usize>() * DIM * 4;
    bencher.counter(BytesCount::new(bytes)).bench(|| gather(&STORE, &draw));
}

#[divan::bench(args = LEARNERS, consts = [1, 5], sample_count = 10)]
fn learner<const SHOT: u32>(bencher: Bencher, spec: &str) {
    let draw = draw(&STORE, SHOT, EPISODES).expect("the classes suffice");
    let episodes = bencher.counter(ItemsCount::new(EPISODES));
    episodes.bench(|| answer(&STORE, &draw, spec, || Ok(open_cpu()), 1, None).expect("made features fit"));
}

#[divan::bench(args = [(1, 28), (3, 84)], sample_count = 10)]
fn conv4_forward(bencher: Bencher, (channels, side): (usize, usize)) {
    let network = Network::new(&open_cpu(), channels, side).expect("these images fit");
    bencher.counter(ItemsCount::new(IMAGES)).bench(|| network.forward().expect("these images fit"));
}

#[divan::bench(args = [(1, 28), (3, 84)], sample_count = 10)]
fn conv4_step(bencher: Bencher, (channels, side): (usize, usize)) {
    let mut network = Network::new(&open_cpu(), channels, side).expect("these images fit");
    bencher.counter(ItemsCount::new(IMAGES)).bench_local(|| network.step().expect("these images fit"));
}

/// A store of 5,000 items in one table of about 36 MB, in the cache of the operating system.
#[divan::bench(sample_count = 10)]
fn table(bencher: Bencher) {
    let place = tempfile::tempdir().expect("a folder for the table");
    let path = place.path().join("features.csv");
    let mut text = b"class".to_vec();
    (0..DIM).for_each(|column| write!(text, ",f{column}").expect("into memory"));
    for row in 0..5000 {
        write!(text, "\nclass-{}", row % 50).expect("into memory");
        for column in 0..DIM {
            let number = ((row * DIM + column) * 7919 % 100_003) as f32 / 50_001.0 - 1.0;
            write!(text, ",{number:.8}").expect("into memory");
        }
    }
    std::fs::write(&path, &text).expect("room for the table");
    let bytes = bencher.counter(BytesCount::new(text.len()));
    bytes.bench(|| Store::open(&path, &OpenOptions::default()).expect("a table of numbers"));
}

#[cfg(feature = "text")]
#[divan::bench(sample_count = 5)]
fn sentences(bencher: Bencher) {
    let Some(folder) = std::env::var_os("KSHOT_ENCODER") else { return };
    let encoder = kshot::backbone::SentenceEncoder::read(folder).expect("the folder of an encoder");
    let texts: Vec<String> =
        (0..500).map(|n| format!("please tell me the balance of account number {n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    bencher.counter(ItemsCount::new(texts.len())).bench(|| {
        encoder.embed(&texts, 1, || Ok(open_cpu()), |_| {}).expect("short sentences");
    });
}
