//! How fast a device is: heads on many episodes, Conv4, and the floor that its memory sets.
//!
//! `cargo bench --bench device -- cpu [EPISODES] [ROUNDS] [DIM]`, or `cuda` in a build with that feature. Each line is a
//! measurement that `benches/peers/device.py` reads: what, the number, its unit. The first round warms up and is left out.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod made;

use std::hint::black_box;
use std::time::Instant;

use kshot::learner::Registered;
use kshot::tensor::conv::ConvOps;
use kshot::tensor::{TensorError, open_cpu, ops, to_host};
use made::{IMAGES, Network, Outcome, answer, draw, store};

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

fn heads<D: ConvOps + Registered>(
    open: impl Fn() -> Result<D, TensorError> + Sync,
    extent: &Extent,
) -> Outcome<()> {
    let bandwidth = bandwidth(&open()?, extent.rounds)?;
    println!("bandwidth {:.1} GB/s", bandwidth / 1e9);
    let store = store(extent.dim)?;
    for shot in [1, 5] {
        let draw = draw(&store, shot, extent.episodes)?;
        let bytes = 5.0 * (f64::from(shot) + 15.0) * (extent.dim * size_of::<f32>()) as f64;
        println!("floor-5w{shot}s {:.0} episodes/s", bandwidth / bytes);
        for spec in ["prototypical", "linear-probe", "fine-tune"] {
            let mut best = (f64::INFINITY, (0, 0));
            for (workers, batch) in extent.tries.iter().copied() {
                let batch_size = (batch > 0).then_some(batch);
                let seconds =
                    shortest(extent.rounds, || answer(&store, &draw, spec, &open, workers, batch_size))?;
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
        let mut network = Network::new(device, channels, side)?;
        let forward = shortest(rounds, || network.forward())?;
        let step = shortest(rounds, || network.step())?;
        println!("conv4-{channels}x{side}x{side}-forward {:.0} images/s", IMAGES as f64 / forward);
        println!("conv4-{channels}x{side}x{side}-step {:.0} images/s", IMAGES as f64 / step);
    }
    Ok(())
}

fn all<D: ConvOps + Registered>(
    open: impl Fn() -> Result<D, TensorError> + Sync,
    extent: Extent,
) -> Outcome<()> {
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
