//! How fast a device is: heads on many episodes, Conv4, and the floor that its memory sets.
//!
//! `cargo bench --bench device -- cpu [EPISODES] [ROUNDS] [DIM]`, or `cuda` in a build with that feature. Each line is a
//! measurement that `benches/peers/device.py` reads: what, the number, its unit. The first round warms up and is left out.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::hint::black_box;
use std::time::Instant;

use kshot::backbone::{Backbone, Conv4, Conv4Config, Trainable};
use kshot::data::{Parts, Store};
use kshot::episode::{Draw, Sampler};
use kshot::eval::{EvalError, Evaluation, SeenRules, evaluate};
use kshot::learner::{Registry, Shipped};
use kshot::protocol::Protocol;
use kshot::rng::{Purpose, Stream};
use kshot::tensor::conv::ConvOps;
use kshot::tensor::trail::pull;
use kshot::tensor::{Cpu, TensorError, open_cpu, ops, to_host};
use kshot::train::{Moments, Optimiser};
use kshot::vocab::Form;

const CLASSES: usize = 60;
const PER_CLASS: usize = 200;
const IMAGES: usize = 100;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// How much is measured.
struct Extent {
    episodes: u32,
    rounds: usize,
    dim: usize,
    /// Workers and episodes of a batch (0 for the device's own choice) that are tried.
    tries: Vec<(usize, usize)>,
}

/// The shortest of some rounds, in seconds, after one that warms up.
fn shortest(rounds: usize, mut work: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    let mut best = f64::INFINITY;
    for round in 0..=rounds {
        let clock = Instant::now();
        work()?;
        if round > 0 {
            best = best.min(clock.elapsed().as_secs_f64());
        }
    }
    Ok(best)
}

/// Gaussian classes.
fn store(dim: usize) -> Outcome<Store> {
    let mut stream = Stream::new(1, Purpose::Dataset, 0);
    let mut values = Vec::with_capacity(CLASSES * PER_CLASS * dim);
    let mut class = Vec::new();
    for number in 0..CLASSES {
        let mean: Vec<f32> = (0..dim).map(|_| 0.15 * stream.normal() as f32).collect();
        for _ in 0..PER_CLASS {
            values.extend(mean.iter().map(|m| m + stream.normal() as f32));
            class.push(format!("class-{number}"));
        }
    }
    Ok(Store::from_parts(Parts { name: "bench".to_string(), values, dim, class, ..Parts::default() })?)
}

fn draw(store: &Store, shot: u32, count: u32) -> Outcome<Draw> {
    let rules = format!(
        "name = \"bench\"\nversion = 1\nsource = \"this file\"\nadmits = [\"inductive\"]\n[episode]\nway = 5\nshot = {shot}\n\
         query = 15\n[draw]\ncount = {count}\nseed = 7\n[report]\nmetrics = [\"accuracy\"]\n"
    );
    let protocol = Protocol::parse(&rules, "bench")?;
    Ok(Sampler::new(&protocol, store.index())?.episodes(0..count)?)
}

/// Bytes per second that an operation reads and writes which does nothing else.
fn bandwidth<D: ConvOps>(device: &D, rounds: usize) -> Outcome<f64> {
    const NUMBERS: usize = 1 << 25;
    const TIMES: usize = 10;
    let all = device.tensor3((1, 1, NUMBERS), vec![1.0; NUMBERS])?;
    let seconds = shortest(rounds, || {
        let mut sum = all.clone();
        for _ in 0..TIMES {
            sum = ops::add(&sum, &all)?;
        }
        // One number waits for all.
        black_box(to_host(&ops::row_max(&sum)?)?);
        Ok(())
    })?;
    Ok((TIMES * 3 * NUMBERS * size_of::<f32>()) as f64 / seconds)
}

fn heads<D: ConvOps>(open: impl Fn() -> Result<D, TensorError> + Sync, extent: &Extent) -> Outcome<()> {
    let bandwidth = bandwidth(&open()?, extent.rounds)?;
    println!("bandwidth {:.1} GB/s", bandwidth / 1e9);
    let store = store(extent.dim)?;
    for shot in [1, 5] {
        let draw = draw(&store, shot, extent.episodes)?;
        let bytes = 5.0 * (f64::from(shot) + 15.0) * (extent.dim * size_of::<f32>()) as f64;
        println!("floor-5w{shot}s {:.0} episodes/s", bandwidth / bytes);
        for spec in ["prototypical", "linear-probe", "fine-tune"] {
            let learners = [Registry::<Cpu>::of::<Shipped>().check(spec)?];
            let mut best = (f64::INFINITY, (0, 0));
            for (workers, batch) in extent.tries.iter().copied() {
                let work = Evaluation {
                    store: &store,
                    draw: &draw,
                    seed: 7,
                    learners: &learners,
                    shots: &[None],
                    rules: SeenRules::default(),
                    workers,
                    batch: (batch > 0).then_some(batch),
                };
                let seconds = shortest(extent.rounds, || {
                    evaluate::<Shipped, D, EvalError>(&work, &open, |batch| {
                        black_box(batch.episodes.len());
                        Ok(())
                    })?;
                    Ok(())
                })?;
                if seconds < best.0 {
                    best = (seconds, (workers, batch));
                }
            }
            let (seconds, (workers, batch)) = best;
            let rate = f64::from(extent.episodes) / seconds;
            println!("{spec}-5w{shot}s {rate:.0} episodes/s workers={workers} batch={batch}");
        }
    }
    Ok(())
}

fn networks<D: ConvOps>(device: &D, rounds: usize) -> Outcome<()> {
    for (channels, side) in [(1, 28), (3, 84)] {
        let form = Form::Image { channels, height: side, width: side };
        let config = Conv4Config::new(form, 64, 4)?;
        let mut stream = Stream::new(1, Purpose::Training, 0);
        let start = config.fresh(|| stream.normal());
        let mut moments = Moments::zeros(start.learned().map(|p| p.values.len()));
        let mut network = Conv4::new(device, config, &start)?;
        let images: Vec<f32> = (0..IMAGES * channels * side * side).map(|_| stream.unit() as f32).collect();
        let forward = shortest(rounds, || {
            black_box(to_host(&network.embed(&images)?)?);
            Ok(())
        })?;
        let adam = Optimiser::Adam { rate: 1e-3, weight_decay: 0.0 };
        let mut number = 0;
        let step = shortest(rounds, || {
            let features = network.forward(&images)?;
            let mut slopes = pull(features, vec![1e-3; IMAGES * network.dim()])?;
            let gradients = network.gradients(&mut slopes)?;
            let mut parameters = network.parameters()?;
            number += 1;
            for (place, (parameter, gradient)) in parameters.learned_mut().zip(&gradients).enumerate() {
                adam.step(number, 1e-3, &mut moments, place, &mut parameter.values, gradient);
            }
            Ok(network.load(&parameters)?)
        })?;
        println!("conv4-{channels}x{side}x{side}-forward {:.0} images/s", IMAGES as f64 / forward);
        println!("conv4-{channels}x{side}x{side}-step {:.0} images/s", IMAGES as f64 / step);
    }
    Ok(())
}

fn all<D: ConvOps>(open: impl Fn() -> Result<D, TensorError> + Sync, extent: Extent) -> Outcome<()> {
    heads(&open, &extent)?;
    networks(&open()?, extent.rounds)
}

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let number = |place: usize, default: usize| words.get(place).map_or(Ok(default), |word| word.parse());
    let (episodes, rounds, dim) = (number(1, 2000)?, number(2, 3)?, number(3, 640)?);
    let extent = |tries| Extent { episodes: episodes as u32, rounds, dim, tries };
    match words.first().map_or("cpu", String::as_str) {
        "cpu" => {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            all(|| Ok(open_cpu()), extent(vec![(cores, 0)]))
        }
        #[cfg(feature = "cuda")]
        "cuda" => {
            let tries = vec![(1, 0), (2, 0), (1, 1024), (2, 1024), (1, 8192)];
            all(|| kshot::tensor::open_cuda(0), extent(tries))
        }
        other => Err(format!("no device `{other}` in this build").into()),
    }
}
