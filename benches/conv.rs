//! Conv4 on 100 images: forward and training step, as lines that benches/peers/conv.py reads.
//!
//! `cargo bench --bench conv [-- ROUNDS]` prints milliseconds of each round.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::hint::black_box;
use std::time::Instant;

use kshot::backbone::{Backbone, Conv4, Conv4Config, Trainable};
use kshot::rng::{Purpose, Stream};
use kshot::tensor::trail::pull;
use kshot::tensor::{Cpu, open_cpu, to_host};
use kshot::train::{Moments, Optimiser};
use kshot::vocab::Form;

const BATCH: usize = 100;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// One training step: forward, backward, Adam.
fn step(network: &mut Conv4<Cpu>, moments: &mut Moments, number: u32, images: &[f32]) -> Outcome<()> {
    let features = network.forward(images)?;
    let gradient = vec![1e-3; BATCH * network.dim()];
    let mut slopes = pull(features, gradient)?;
    let gradients = network.gradients(&mut slopes)?;
    let mut parameters = network.parameters()?;
    let adam = Optimiser::Adam { rate: 1e-3, weight_decay: 0.0 };
    for (place, (parameter, gradient)) in parameters.learned_mut().zip(&gradients).enumerate() {
        adam.step(number, 1e-3, moments, place, &mut parameter.values, gradient);
    }
    Ok(network.load(&parameters)?)
}

fn main() -> Outcome<()> {
    let rounds: u32 = std::env::args().filter_map(|a| a.parse().ok()).next().unwrap_or(5);
    for (channels, side) in [(1, 28), (3, 84)] {
        let form = Form::Image { channels, height: side, width: side };
        let config = Conv4Config::new(form, 64, 4)?;
        let mut stream = Stream::new(1, Purpose::Training, 0);
        let start = config.fresh(|| stream.normal());
        let mut moments = Moments::zeros(start.learned().map(|p| p.values.len()));
        let mut network = Conv4::new(&open_cpu(), config, &start)?;
        let images: Vec<f32> = (0..BATCH * channels * side * side).map(|_| stream.unit() as f32).collect();
        for round in 0..=rounds {
            let clock = Instant::now();
            black_box(to_host(&network.embed(&images)?)?);
            let forward = clock.elapsed().as_secs_f64() * 1e3;
            let clock = Instant::now();
            step(&mut network, &mut moments, round + 1, &images)?;
            let step = clock.elapsed().as_secs_f64() * 1e3;
            // The first round warms up.
            if round > 0 {
                println!("{channels}x{side}x{side} forward {forward:.1} ms step {step:.1} ms");
            }
        }
    }
    Ok(())
}
