//! Seconds that a learner takes to draw, answer and grade the episodes of a protocol on all cores, all in memory.
//!
//! `cargo bench --bench answer -- STORE PROTOCOL LEARNER COUNTS` prints the seconds, reading the store left out, and writes
//! the correct answers of each episode to the file COUNTS, a line each: what `benches/peers/heads.py` compares.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

mod made;

use std::fmt::Write;
use std::time::Instant;

use kshot::data::{OpenOptions, Store};
use kshot::episode::Sampler;
use kshot::eval::{EvalError, Evaluation, SeenRules, evaluate};
use kshot::learner::Learners;
use kshot::protocol::Protocol;
use kshot::tensor::{Cpu, open_cpu};
use made::Outcome;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [store, protocol, learner, counts] = arguments.as_slice() else {
        println!("nothing measured: name STORE PROTOCOL LEARNER COUNTS");
        return Ok(());
    };
    let store = Store::open(std::path::Path::new(store), &OpenOptions::default())?;
    let protocol = Protocol::parse(&std::fs::read_to_string(protocol)?, protocol)?;
    let known = Learners::shipped();
    let learners = [known.cpu().check(learner)?];
    let clock = Instant::now();
    let draw = Sampler::new(&protocol, store.index())?.episodes(0..protocol.count())?;
    let work = Evaluation {
        behind: None,
        store: &store,
        draw: &draw,
        seed: protocol.seed(),
        learners: &learners,
        shots: &[None],
        rules: SeenRules::default(),
        workers: std::thread::available_parallelism()?.get(),
        batch: None,
    };
    let mut correct = Vec::with_capacity(draw.len());
    evaluate::<Cpu, EvalError>(
        known.cpu(),
        &work,
        || Ok(open_cpu()),
        |batch| {
            let grades = batch.episodes.iter().map(|answered| &answered.grade.classes);
            correct.extend(grades.map(|classes| classes.iter().map(|class| class.correct).sum::<u32>()));
            Ok(())
        },
    )?;
    println!("{}", clock.elapsed().as_secs_f64());
    let mut text = String::new();
    correct.iter().try_for_each(|correct| writeln!(text, "{correct}"))?;
    Ok(std::fs::write(counts, text)?)
}
