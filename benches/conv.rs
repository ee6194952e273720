//! Conv4 on 100 images: forward and training step, as lines that benches/peers/conv.py reads.
//!
//! `cargo bench --bench conv [-- ROUNDS]` prints milliseconds of each round.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod made;

use std::time::Instant;

use kshot::tensor::open_cpu;
use made::{Network, Outcome};

fn main() -> Outcome<()> {
    let rounds: u32 = std::env::args().filter_map(|a| a.parse().ok()).next().unwrap_or(5);
    for (channels, side) in [(1, 28), (3, 84)] {
        let mut network = Network::new(&open_cpu(), channels, side)?;
        for round in 0..=rounds {
            let clock = Instant::now();
            network.forward()?;
            let forward = clock.elapsed().as_secs_f64() * 1e3;
            let clock = Instant::now();
            network.step()?;
            let step = clock.elapsed().as_secs_f64() * 1e3;
            // The first round warms up.
            if round > 0 {
                println!("{channels}x{side}x{side} forward {forward:.1} ms step {step:.1} ms");
            }
        }
    }
    Ok(())
}
