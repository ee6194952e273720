//! What networks of images cost: weights, multiplications, memory and time on this machine.

use std::path::Path;
use std::time::Instant;

use super::error::RunError;
use super::files;
use super::watch::{Progress, Watch};
use crate::backbone::nets::{self, NetConfig};
use crate::backbone::{Architecture, BackboneError, BackboneSpec, Configuration, Saved};
use crate::tensor::TensorError;
use crate::tensor::net::Engine;

/// The file that [`write`] writes.
pub(crate) const FILE: &str = "backbones.csv";

/// Batches at which time and memory are measured.
const BATCHES: [usize; 2] = [1, 32];

/// What one network costs for images of its size.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkCost {
    /// As it was asked for, without its weights.
    pub backbone: String,
    /// Weights that are learned, with those of heads that serve the training alone.
    pub parameters: usize,
    /// Weights that are learned.
    pub parameters_without_aux: usize,
    /// Multiplications for one image, up to the last layer.
    pub macs: u64,
    /// Bytes of the weights in single precision.
    pub bytes: usize,
    /// Layers with weights that are multiplied, on the longest way.
    pub depth: usize,
    /// Height and width of the images.
    pub image: (usize, usize),
    /// Numbers per feature vector.
    pub dim: usize,
    /// Right answers on ImageNet's validation images as published, in percent.
    pub top1: Option<f64>,
    /// Milliseconds for an image and bytes of weights and buffers, for batches of 1 and of 32; nothing where nothing was run.
    pub measured: Option<[(f64, usize); 2]>,
}

/// Which networks, and how often each is run; 0 counts alone.
pub(crate) fn costs(
    specs: &[BackboneSpec],
    repeats: usize,
    watch: &dyn Watch,
) -> Result<Vec<NetworkCost>, RunError> {
    let progress = Progress::of_items(watch, "measuring networks", specs.len());
    let mut all = Vec::new();
    for (done, spec) in specs.iter().enumerate() {
        all.push(cost(spec, repeats)?);
        progress.reach(done as u64 + 1);
    }
    Ok(all)
}

/// All published networks, with random weights.
pub(crate) fn all_published() -> Result<Vec<BackboneSpec>, RunError> {
    nets::kinds().map(|kind| asked(kind.name)).collect()
}

/// A network as it was asked for, with random weights where none are named.
pub(crate) fn asked(text: &str) -> Result<BackboneSpec, RunError> {
    let spec = match BackboneSpec::parse(text, None) {
        Err(BackboneError::NoWeights { .. }) => BackboneSpec::parse(text, Some(Path::new("random:1"))),
        other => other,
    }?;
    if nets::kind(spec.name()).is_none() {
        let name = spec.name();
        return Err(RunError::Request(format!(
            "backbone `{name}` has no size of its own, expected a published network\nhint: `kshot backbones` without a name lists them all"
        )));
    }
    Ok(spec)
}

fn cost(spec: &BackboneSpec, repeats: usize) -> Result<NetworkCost, RunError> {
    let saved = match spec.read()? {
        Some(saved) => Some(saved),
        None => spec.untrained_published()?,
    };
    let Some(Saved { config: Configuration::Net(config), weights, .. }) = saved else {
        return Err(RunError::Request(format!("backbone `{spec}` is no published network")));
    };
    let graph = config.graph();
    let image = config.plan().image;
    let last = graph.logits().unwrap_or(graph.features());
    let counts = graph.counts(last, image).map_err(BackboneError::from)?;
    let values: Vec<Vec<f32>> = weights.0.into_iter().map(|weight| weight.values).collect();
    let measured = match repeats {
        0 => None,
        repeats => Some(measure(&config, &values, repeats).map_err(BackboneError::from)?),
    };
    Ok(NetworkCost {
        backbone: named(spec, &config),
        parameters: counts.parameters + config.kind().auxiliary_parameters,
        parameters_without_aux: counts.parameters,
        macs: counts.macs,
        bytes: counts.parameters * size_of::<f32>(),
        depth: counts.depth,
        image,
        dim: config.dim(),
        top1: config.kind().top1,
        measured,
    })
}

/// Its name, with what makes it another network than the published one.
fn named(spec: &BackboneSpec, config: &NetConfig) -> String {
    let native = config.kind().native;
    let size = (config.plan().image != (native, native)).then(|| format!("size={}", config.plan().image.0));
    let cut = spec.cut().map(|cut| format!("cut={cut}"));
    let more: Vec<String> = cut.into_iter().chain(size).collect();
    if more.is_empty() { spec.name().to_string() } else { format!("{}:{}", spec.name(), more.join(",")) }
}

/// The median of the repeats behind one that warms up.
fn measure(
    config: &NetConfig,
    values: &[Vec<f32>],
    repeats: usize,
) -> Result<[(f64, usize); 2], TensorError> {
    let graph = config.graph();
    let engine = Engine::new(&graph, values, config.result(&graph))?;
    let image = config.plan().image;
    let size = graph.channels() * image.0 * image.1;
    let mut found = [(0.0, 0); 2];
    for (batch, found) in BATCHES.into_iter().zip(&mut found) {
        let images: Vec<f32> = (0..batch * size).map(|i| (i * 29 % 97) as f32 / 50.0 - 1.0).collect();
        engine.run(&images, image)?;
        let mut times = Vec::with_capacity(repeats);
        for _ in 0..repeats {
            let start = Instant::now();
            engine.run(&images, image)?;
            times.push(start.elapsed().as_secs_f64() * 1e3 / batch as f64);
        }
        times.sort_by(f64::total_cmp);
        *found = (times[repeats / 2], engine.bytes() + engine.workspace(image, batch)?);
    }
    Ok(found)
}

/// Threads that a network runs on.
pub(crate) fn threads() -> usize {
    rayon::current_num_threads()
}

/// The costs as a .csv file.
pub(crate) fn write(costs: &[NetworkCost], threads: usize, folder: &Path) -> Result<(), RunError> {
    let mut table = String::from(
        "backbone,parameters,parameters_without_aux,macs,bytes,depth,height,width,dim,top1,ms_batch_1,ms_batch_32,memory_batch_1,memory_batch_32,threads\n",
    );
    for cost in costs {
        let top1 = cost.top1.map_or(String::new(), |top1| top1.to_string());
        let measured = cost.measured.map_or(",,,".to_string(), |[one, many]| {
            format!("{:.3},{:.3},{},{}", one.0, many.0, one.1, many.1)
        });
        // A name with a cut and a size has a comma.
        let name = if cost.backbone.contains(',') {
            format!("\"{}\"", cost.backbone)
        } else {
            cost.backbone.clone()
        };
        table += &format!(
            "{name},{},{},{},{},{},{},{},{},{top1},{measured},{threads}\n",
            cost.parameters,
            cost.parameters_without_aux,
            cost.macs,
            cost.bytes,
            cost.depth,
            cost.image.0,
            cost.image.1,
            cost.dim
        );
    }
    files::make_folder(folder)?;
    files::write(folder, &[FILE], &[(FILE, table.into_bytes())])
}
