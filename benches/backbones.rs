//! Published networks on the processor, as a partner of `peers/backbones.py`: lines in, answers out.
//!
//! `features NAME WEIGHTS CUT BATCH HEIGHT WIDTH INPUT OUTPUT` reads images from a file of little-endian f32 and writes
//! features (`CUT` is `-` for the penultimate ones, `logits` for those); `time NAME BATCH HEIGHT WIDTH` runs once with random
//! weights and answers in milliseconds.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

use kshot::backbone::nets::{self, Asked, NetConfig, Plan, Preprocessing};
use kshot::backbone::{Architecture, Configuration, Weights};
use kshot::tensor::net::Engine;

fn engine(config: &NetConfig, weights: &Weights, cut: &str) -> Engine {
    let graph = config.graph();
    let values: Vec<Vec<f32>> = weights.0.iter().map(|weight| weight.values.clone()).collect();
    let result = match cut {
        "-" => graph.features(),
        "logits" => graph.logits().unwrap(),
        name => graph.cuts().iter().find(|(cut, _)| cut == name).unwrap().1,
    };
    Engine::new(&graph, &values, result).unwrap()
}

fn floats(path: &str) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

fn random(name: &str, side: usize) -> (NetConfig, Weights) {
    let kind = nets::kind(name).unwrap();
    let config = NetConfig::new(kind).with(Plan { image: (side, side), ..Plan::new(kind) });
    let mut state = 1u64;
    let weights = config.fresh(|| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as f64 / f64::from(1u32 << 30) - 1.0
    });
    (config, weights)
}

fn main() {
    let mut timed: BTreeMap<(String, usize), Engine> = BTreeMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |place: usize| -> usize { words[place].parse().unwrap() };
        match words.first().copied() {
            Some("features") => {
                let kind = nets::kind(words[1]).unwrap();
                let image = (number(5), number(6));
                let asked = Asked { preprocessing: Some(Preprocessing::Published), ..Asked::default() };
                let saved = nets::read(Path::new(words[2]), kind, &asked).unwrap();
                let Configuration::Net(config) = saved.config else { break };
                let out = engine(&config, &saved.weights, words[3]).run(&floats(words[7]), image).unwrap();
                let bytes: Vec<u8> = out.iter().flat_map(|value| value.to_le_bytes()).collect();
                std::fs::write(words[8], bytes).unwrap();
                println!("{}", out.len());
            }
            Some("time") => {
                let (name, batch, image) = (words[1], number(2), (number(3), number(4)));
                let key = (name.to_string(), image.0);
                let engine = timed.entry(key).or_insert_with(|| {
                    let (config, weights) = random(name, image.0);
                    engine(&config, &weights, "-")
                });
                let images: Vec<f32> =
                    (0..batch * 3 * image.0 * image.1).map(|i| (i * 29 % 97) as f32 / 50.0 - 1.0).collect();
                let start = Instant::now();
                std::hint::black_box(engine.run(&images, image).unwrap());
                println!("{}", start.elapsed().as_secs_f64() * 1e3);
            }
            _ => break,
        }
    }
}
