//! What the benchmarks measure on: made features, episodes and a network.

#![allow(dead_code, reason = "each benchmark takes what it needs")]

use std::hint::black_box;

use kshot::backbone::{Architecture, Backbone, Conv4, Conv4Config, Trainable};
use kshot::data::{NewStore, OpenOptions, Precision, Provenance, Store, Values};
use kshot::episode::{Draw, Sampler};
use kshot::eval::{EvalError, Evaluation, SeenRules, evaluate};
use kshot::learner::{Learners, Registered};
use kshot::optimise::{Optimiser, OptimiserState};
use kshot::protocol::Protocol;
use kshot::rng::{Purpose, Stream};
use kshot::tensor::conv::ConvOps;
use kshot::tensor::tape::backward;
use kshot::tensor::{TensorError, to_host};
use kshot::vocab::{Form, Split};

/// What a benchmark may end with.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The learners of the reference draws that differ in their work.
pub const LEARNERS: [&str; 8] =
    ["prototypical", "k-nn", "matching", "linear-probe", "ridge", "svm", "fine-tune", "nearest-centroid"];

/// Classes of the store that is measured by default: 31 MB in 640 dimensions.
pub const CLASSES: usize = 60;
const PER_CLASS: usize = 200;

/// 12,000 items of 60 Gaussian classes in `dim` dimensions.
pub fn store(dim: usize) -> Outcome<Store> {
    store_of(CLASSES, dim, Precision::F32)
}

/// 200 items of each of so many Gaussian classes, written into a folder and read back into memory.
pub fn store_of(classes: usize, dim: usize, precision: Precision) -> Outcome<Store> {
    let mut stream = Stream::new(1, Purpose::Dataset, 0);
    // Of the normal numbers there are a million, and rows begin anywhere among them: billions would take minutes.
    let normal: Vec<f32> = (0..1 << 20).map(|_| stream.normal() as f32).collect();
    let mut features = Vec::with_capacity(classes * PER_CLASS * dim);
    let (mut class, mut ids, mut listed) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..classes {
        let name = format!("class-{number}");
        let mean: Vec<f32> = (0..dim).map(|_| 0.15 * stream.normal() as f32).collect();
        for _ in 0..PER_CLASS {
            let start = stream.below((normal.len() - dim) as u32) as usize;
            features.extend(mean.iter().zip(&normal[start..]).map(|(m, x)| m + x));
            ids.push(class.len().to_string());
            class.push(name.clone());
        }
        listed.push((name, Split::Novel, None));
    }
    let new = NewStore {
        features: &features,
        dim,
        precision,
        classes: &class,
        groups: None,
        parts: None,
        ids: &ids,
        listed: &listed,
        class_embeddings: None,
        provenance: &Provenance::default(),
        form: Form::Vector,
    };
    let folder = tempfile::tempdir()?;
    for (name, bytes) in new.files()? {
        std::fs::write(folder.path().join(name), bytes)?;
    }
    Ok(Store::open(folder.path(), &OpenOptions { resident: u64::MAX, ..OpenOptions::default() })?)
}

/// Episodes of 5 ways and 15 queries a class.
pub fn draw(store: &Store, shot: u32, count: u32) -> Outcome<Draw> {
    let rules = format!(
        "name = \"bench\"\nversion = 1\nsource = \"this file\"\nsettings = [\"inductive\"]\n[episode]\nway = 5\nshot = {shot}\n\
         query = 15\n[draw]\ncount = {count}\nseed = 7\n[report]\nmetrics = [\"accuracy\"]\n"
    );
    let protocol = Protocol::parse(&rules, "bench")?;
    Ok(Sampler::new(&protocol, store.index())?.episodes(0..count)?)
}

/// The floor: reads every row of every episode once, in order of the draw, and adds it up.
pub fn gather(store: &Store, draw: &Draw) {
    let dim = store.dim();
    for episode in draw.episodes() {
        for item in episode.all_support().iter().chain(episode.all_query()) {
            let place = item.index() * dim..(item.index() + 1) * dim;
            match store.values() {
                Values::F32(values) => {
                    let mut sums = [0.0f32; 16];
                    for chunk in values[place].chunks_exact(16) {
                        sums.iter_mut().zip(chunk).for_each(|(s, v)| *s += v);
                    }
                    black_box(sums);
                }
                Values::F16(values) => {
                    let mut sums = [0u16; 32];
                    for chunk in values[place].chunks_exact(32) {
                        sums.iter_mut().zip(chunk).for_each(|(s, v)| *s = s.wrapping_add(v.to_bits()));
                    }
                    black_box(sums);
                }
                Values::File(_) => {}
            }
        }
    }
}

/// Has a learner answer a draw, with so many workers and episodes a batch.
pub fn answer<D: Registered>(
    store: &Store,
    draw: &Draw,
    spec: &str,
    open: impl Fn() -> Result<D, TensorError> + Sync,
    workers: usize,
    batch: Option<usize>,
) -> Outcome<()> {
    let known = Learners::shipped();
    let learners = [known.cpu().check(spec)?];
    let rules = SeenRules::default();
    let work = Evaluation {
        behind: None,
        store,
        draw,
        seed: 7,
        learners: &learners,
        shots: &[None],
        rules,
        workers,
        batch,
    };
    evaluate::<D, EvalError>(known.on(), &work, open, |batch| {
        black_box(batch.episodes.len());
        Ok(())
    })?;
    Ok(())
}

/// Images at once.
pub const IMAGES: usize = 100;

/// Conv4 of width 64 on noise.
pub struct Network<D: ConvOps> {
    conv4: Conv4<D>,
    moments: OptimiserState,
    images: Vec<f32>,
    steps: u32,
}

impl<D: ConvOps> Network<D> {
    /// Fresh weights for images of this size.
    pub fn new(device: &D, channels: usize, side: usize) -> Outcome<Network<D>> {
        let config = Conv4Config::new(Form::Image { channels, height: side, width: side }, 64, 4)?;
        let mut stream = Stream::new(1, Purpose::Training, 0);
        let start = config.fresh(|| stream.normal());
        let moments = OptimiserState::zeros(start.learned().map(|p| p.values.len()));
        let images = (0..IMAGES * channels * side * side).map(|_| stream.unit() as f32).collect();
        Ok(Network { conv4: Conv4::new(device, config, &start)?, moments, images, steps: 0 })
    }

    /// The images embedded.
    pub fn forward(&self) -> Outcome<()> {
        black_box(to_host(&self.conv4.embed(&self.images)?)?);
        Ok(())
    }

    /// One training step: forward, backward, Adam.
    pub fn step(&mut self) -> Outcome<()> {
        let features = self.conv4.forward(&self.images)?;
        let mut all = backward(features, vec![1e-3; IMAGES * self.conv4.dim()])?;
        let gradients = self.conv4.gradients(&mut all)?;
        let mut weights = self.conv4.weights()?;
        let adam = Optimiser::Adam { rate: 1e-3, weight_decay: 0.0 };
        self.steps += 1;
        for (place, (parameter, gradient)) in weights.learned_mut().zip(&gradients).enumerate() {
            adam.step(self.steps, 1e-3, &mut self.moments, place, &mut parameter.values, gradient);
        }
        Ok(self.conv4.load(&weights)?)
    }
}
