//! The same work on the processor and on an NVIDIA GPU, from the same numbers: every operation, learner, network and gradient.
//!
//! Each result names its tolerance, the largest difference that may be, as a share of its largest number (or of 1). A GPU
//! adds up in another order, and in a changing one, so no result is promised to the bit.
//!
//! Without a GPU the processor's half runs and the other is skipped, which is told; `KSHOT_GPU=needed` makes it an error.
//! `KSHOT_GPU=stand-in` is for `cuda/dry-run.sh`, whose driver computes nothing: names, kernels, sizes and launches are
//! checked then, numbers are not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod learners;
mod networks;
mod operations;

use kshot::learner::Registered;
use kshot::rng::{Purpose, Stream};
use kshot::tensor::conv::ConvOps;
use kshot::tensor::dfdx::shapes::Shape;
use kshot::tensor::dfdx::tensor::Tensor;
use kshot::tensor::{Backend, open_cpu, to_host};

/// A device that runs everything that kshot has.
#[cfg(not(feature = "text"))]
trait Whole: ConvOps + Registered {}
#[cfg(not(feature = "text"))]
impl<D: ConvOps + Registered> Whole for D {}

/// A device that runs everything that kshot has.
#[cfg(feature = "text")]
trait Whole: ConvOps + Registered + kshot::tensor::encoder::EncoderOps {}
#[cfg(feature = "text")]
impl<D: ConvOps + Registered + kshot::tensor::encoder::EncoderOps> Whole for D {}

/// Work that any device can do.
trait Suite {
    fn run<D: Whole>(device: &D, results: &mut Results);
}

/// What a device found.
#[derive(Default)]
struct Results(Vec<Found>);

struct Found {
    name: String,
    /// What a fit has chosen on the way: where two settings are all but equal, devices may choose apart.
    choice: String,
    tolerance: f32,
    numbers: Vec<f32>,
}

impl Results {
    fn note<S: Shape, D: Backend>(&mut self, name: &str, tolerance: f32, tensor: &Tensor<S, f32, D>) {
        self.note_numbers(name, tolerance, to_host(tensor).unwrap());
    }

    fn note_numbers(&mut self, name: &str, tolerance: f32, numbers: Vec<f32>) {
        self.0.push(Found { name: name.to_string(), choice: String::new(), tolerance, numbers });
    }

    /// Says what was chosen on the way to the last result.
    fn chosen(&mut self, choice: String) {
        self.0.last_mut().unwrap().choice = choice;
    }
}

/// Random numbers that depend on the seed alone.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut stream = Stream::new(seed, Purpose::Dataset, 0);
    (0..count).map(|_| stream.normal() as f32).collect()
}

/// Runs a suite on both devices and compares.
#[track_caller]
fn alike<S: Suite>(what: &str) {
    let mut host = Results::default();
    S::run(&open_cpu(), &mut host);
    for found in &host.0 {
        let finite = found.numbers.iter().all(|v| v.is_finite());
        assert!(found.tolerance < 0.1, "{}: {} is no tolerance", found.name, found.tolerance);
        assert!(
            finite && found.numbers.iter().any(|v| *v != 0.0),
            "{} {} has no numbers",
            found.name,
            found.choice
        );
    }
    on_gpu::<S>(what, &host);
}

#[cfg(not(feature = "cuda"))]
fn on_gpu<S: Suite>(what: &str, _: &Results) {
    skipped(what, "this build has no CUDA");
}

#[cfg(feature = "cuda")]
#[track_caller]
fn on_gpu<S: Suite>(what: &str, host: &Results) {
    let gpu = match kshot::tensor::open_cuda(0) {
        Ok(gpu) => gpu,
        Err(error) => return skipped(what, error.to_string().lines().next().unwrap_or_default()),
    };
    let mut found = Results::default();
    S::run(&gpu, &mut found);
    let (compared, mut far, mut apart) = (host.0.len(), Vec::new(), Vec::new());
    assert_eq!(found.0.len(), compared, "{what}");
    for (ours, theirs) in host.0.iter().zip(&found.0) {
        assert_eq!((&ours.name, ours.numbers.len()), (&theirs.name, theirs.numbers.len()));
        if ours.choice != theirs.choice {
            apart.push(format!("{}: {} here, {} there", ours.name, ours.choice, theirs.choice));
            continue;
        }
        let largest = ours.numbers.iter().fold(1.0f32, |most, v| most.max(v.abs()));
        let difference = ours.numbers.iter().zip(&theirs.numbers).map(|(a, b)| (a - b).abs());
        // A maximum that NaN does not pass.
        let difference = difference.fold(0.0f32, |most, v| if most.is_nan() || v <= most { most } else { v });
        let alike = difference <= ours.tolerance * largest;
        if !alike {
            far.push(format!(
                "{}: {difference:e} apart of {largest:e}, {:e} may be",
                ours.name, ours.tolerance
            ));
        }
    }
    if setting() == "stand-in" {
        return tell(&format!("{what}: {compared} results launched on a driver that computes nothing"));
    }
    assert!(far.is_empty(), "{what}: {} of {compared} differ\n{}", far.len(), far.join("\n"));
    apart.iter().for_each(|choice| tell(&format!("{what}: chosen apart, not compared: {choice}")));
    assert!(apart.len() * 20 <= compared, "{what}: {} of {compared} chosen apart", apart.len());
    tell(&format!("{what}: {} results alike", compared - apart.len()));
}

fn setting() -> String {
    std::env::var("KSHOT_GPU").unwrap_or_default()
}

#[track_caller]
fn skipped(what: &str, why: &str) {
    assert_eq!(setting(), "", "KSHOT_GPU is set: {why}");
    tell(&format!("{what}: the GPU's half is skipped, {why}"));
}

/// Past the capture of a test that passes.
fn tell(sentence: &str) {
    use std::io::Write;
    std::io::stderr().write_all(format!("{sentence}\n").as_bytes()).unwrap();
}
