//! Episodes per second of every learner on one worker, beside the floor: reading the rows of an episode once.
//!
//! `cargo bench --bench heads` prints a table. Each learner is measured in turn with the floor, so that a busy machine
//! slows both; the ratio is what counts.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::hint::black_box;
use std::time::Instant;

use kshot::data::{Parts, Store, Values};
use kshot::episode::{Draw, Sampler};
use kshot::eval::{EvalError, Evaluation, SeenRules, evaluate};
use kshot::learner::{Registry, Shipped};
use kshot::protocol::Protocol;
use kshot::rng::{Purpose, Stream};
use kshot::tensor::{Cpu, open_cpu};

const CLASSES: usize = 60;
const PER_CLASS: usize = 200;
const DIM: usize = 640;
const ROUNDS: usize = 5;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// 12,000 items of 60 Gaussian classes in 640 dimensions.
fn store() -> Outcome<Store> {
    let mut stream = Stream::new(1, Purpose::Dataset, 0);
    let mut values = Vec::with_capacity(CLASSES * PER_CLASS * DIM);
    let mut class = Vec::new();
    for number in 0..CLASSES {
        let mean: Vec<f32> = (0..DIM).map(|_| 0.15 * stream.normal() as f32).collect();
        for _ in 0..PER_CLASS {
            values.extend(mean.iter().map(|m| m + stream.normal() as f32));
            class.push(format!("class-{number}"));
        }
    }
    let parts = Parts { name: "bench".to_string(), values, dim: DIM, class, ..Parts::default() };
    Ok(Store::from_parts(parts)?)
}

fn draw(store: &Store, shot: u32, count: u32) -> Outcome<Draw> {
    let rules = format!(
        "name = \"bench\"\nversion = 1\nsource = \"this file\"\nadmits = [\"inductive\"]\n[episode]\nway = 5\nshot = {shot}\n\
         query = 15\n[draw]\ncount = {count}\nseed = 7\n[report]\nmetrics = [\"accuracy\"]\n"
    );
    let protocol = Protocol::parse(&rules, "bench")?;
    Ok(Sampler::new(&protocol, store.index())?.episodes(0..count)?)
}

/// Seconds to read every row of every episode once, in order of the draw.
fn floor(store: &Store, draw: &Draw) -> f64 {
    let Values::F32(values) = store.values() else { return f64::NAN };
    let clock = Instant::now();
    for episode in draw.episodes() {
        for item in episode.all_support().iter().chain(episode.all_query()) {
            let row = &values[item.index() * DIM..(item.index() + 1) * DIM];
            let mut sums = [0.0f32; 16];
            for chunk in row.chunks_exact(16) {
                sums.iter_mut().zip(chunk).for_each(|(s, v)| *s += v);
            }
            black_box(sums);
        }
    }
    clock.elapsed().as_secs_f64()
}

fn learner(store: &Store, draw: &Draw, spec: &str) -> Outcome<f64> {
    let learners = [Registry::<Cpu>::of::<Shipped>().check(spec)?];
    let (shots, workers) = ([None], 1);
    let work = Evaluation {
        store,
        draw,
        seed: 7,
        learners: &learners,
        shots: &shots,
        rules: SeenRules::default(),
        workers,
        batch: None,
    };
    let clock = Instant::now();
    evaluate::<Shipped, Cpu, EvalError>(
        &work,
        || Ok(open_cpu()),
        |batch| {
            black_box(batch.episodes.len());
            Ok(())
        },
    )?;
    Ok(clock.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> Outcome<()> {
    let store = store()?;
    println!("{:<18} {:>4} {:>12} {:>12} {:>6}", "learner", "shot", "episodes/s", "floor", "ratio");
    for (shot, count) in [(1, 4000), (5, 2000)] {
        let draw = draw(&store, shot, count)?;
        for spec in [
            "prototypical",
            "k-nn",
            "matching",
            "linear-probe",
            "ridge",
            "svm",
            "fine-tune",
            "nearest-centroid",
        ] {
            let mut times = Vec::new();
            let mut floors = Vec::new();
            for _ in 0..ROUNDS {
                floors.push(floor(&store, &draw));
                times.push(learner(&store, &draw, spec)?);
            }
            let (time, floor) = (median(times), median(floors));
            let rate = |seconds: f64| f64::from(count) / seconds;
            println!("{spec:<18} {shot:>4} {:>12.0} {:>12.0} {:>6.1}", rate(time), rate(floor), time / floor);
        }
    }
    Ok(())
}
