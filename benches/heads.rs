//! Episodes per second of every learner on one worker, beside the floor: reading the rows of an episode once.
//!
//! `cargo bench --bench heads [-- CLASSES [f16] [LEARNER]…]` prints a table, by default of all learners and 60 classes with
//! 200 items each (31 MB); 5,000 make 2.6 GB. Each learner is measured in turn with the floor and with one worker per core, so that a busy machine
//! slows all; the ratios are what counts.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod made;

use std::time::Instant;

use kshot::data::Precision;
use kshot::tensor::open_cpu;
use made::{CLASSES, LEARNERS, Outcome, answer, draw, gather, store_of};

const ROUNDS: usize = 5;

fn seconds(work: impl FnOnce() -> Outcome<()>) -> Outcome<f64> {
    let clock = Instant::now();
    work()?;
    Ok(clock.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let classes = words.iter().find_map(|word| word.parse().ok()).unwrap_or(CLASSES);
    let half = words.iter().any(|word| word == "f16");
    let only: Vec<&str> = words.iter().map(String::as_str).filter(|word| LEARNERS.contains(word)).collect();
    let store = store_of(classes, 640, if half { Precision::F16 } else { Precision::F32 })?;
    let cores = std::thread::available_parallelism()?.get();
    println!(
        "{:<18} {:>4} {:>12} {:>12} {:>6} {:>8}",
        "learner", "shot", "episodes/s", "floor", "ratio", "workers"
    );
    for (shot, count) in [(1, 8000), (5, 4000)] {
        let draw = draw(&store, shot, count)?;
        for spec in LEARNERS.into_iter().filter(|spec| only.is_empty() || only.contains(spec)) {
            let (mut times, mut floors, mut together) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                floors.push(seconds(|| {
                    gather(&store, &draw);
                    Ok(())
                })?);
                times.push(seconds(|| answer(&store, &draw, spec, || Ok(open_cpu()), 1, None))?);
                together.push(seconds(|| answer(&store, &draw, spec, || Ok(open_cpu()), cores, None))?);
            }
            let (time, floor, together) = (median(times), median(floors), median(together));
            let rate = |seconds: f64| f64::from(count) / seconds;
            println!(
                "{spec:<18} {shot:>4} {:>12.0} {:>12.0} {:>6.1} {cores}x: {:>4.2}",
                rate(time),
                rate(floor),
                time / floor,
                time / together
            );
        }
    }
    Ok(())
}
