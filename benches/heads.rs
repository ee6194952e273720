//! Episodes per second of every learner on one worker, beside the floor: reading the rows of an episode once.
//!
//! `cargo bench --bench heads` prints a table. Each learner is measured in turn with the floor, so that a busy machine
//! slows both; the ratio is what counts.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod made;

use std::time::Instant;

use kshot::tensor::open_cpu;
use made::{LEARNERS, Outcome, answer, draw, gather, store};

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
    let store = store(640)?;
    println!("{:<18} {:>4} {:>12} {:>12} {:>6}", "learner", "shot", "episodes/s", "floor", "ratio");
    for (shot, count) in [(1, 4000), (5, 2000)] {
        let draw = draw(&store, shot, count)?;
        for spec in LEARNERS {
            let (mut times, mut floors) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                floors.push(seconds(|| {
                    gather(&store, &draw);
                    Ok(())
                })?);
                times.push(seconds(|| answer(&store, &draw, spec, || Ok(open_cpu()), 1, None))?);
            }
            let (time, floor) = (median(times), median(floors));
            let rate = |seconds: f64| f64::from(count) / seconds;
            println!("{spec:<18} {shot:>4} {:>12.0} {:>12.0} {:>6.1}", rate(time), rate(floor), time / floor);
        }
    }
    Ok(())
}
