//! What each method of a run costs, measured behind it: `costs.csv`.
//!
//! The numbers are those of this machine and moment, so the file is none of those that two runs have in common.

use std::path::Path;
use std::time::Instant;

use super::device::on_device;
use super::error::RunError;
use super::execution::Execution;
use super::files;
use super::prepared::{Prepared, Work};
use super::watch::Progress;
use crate::backbone::{Architecture, BackboneError, Described};
use crate::eval::{self, Evaluation, Meter, SeenRules};
use crate::tensor::TensorError;
use crate::tensor::conv::ConvOps;

/// The file that [`write`] writes.
pub(crate) const FILE: &str = "costs.csv";

/// Images of the batch that is timed.
const BATCH: usize = 32;

const HEADER: &str = "protocol,features,learner,parameters,weights,weights_trained,macs_per_item,weight_bytes,\
                      seconds_per_item_to_embed,seconds_per_episode_to_adapt,seconds_per_query,peak_bytes,device,threads\n";

/// What a network costs, whoever uses it; empty where none is known.
#[derive(Clone, Copy, Default)]
struct OfNetwork {
    weights: Option<usize>,
    macs: Option<u64>,
    embed: Option<f64>,
}

/// Where it was asked for, measures every method of a run on one core, and writes what it costs beside the results.
pub(crate) fn write(
    runs: &[Prepared],
    work: &Work<'_>,
    execution: &Execution,
    folder: &Path,
) -> Result<(), RunError> {
    if !execution.costs {
        return Ok(());
    }
    let methods = runs.iter().map(|run| run.learners.len()).sum();
    let progress = Progress::of_items(work.watch, "measuring costs", methods);
    let mut table = HEADER.to_string();
    for run in runs {
        let of_network = network(run, work)?;
        for contender in &run.learners {
            table += &row(run, work, (of_network, execution.meter), contender)?;
            progress.advance(1);
        }
    }
    files::write(folder, &[FILE], &[(FILE, table.into_bytes())])
}

fn row(
    run: &Prepared,
    work: &Work<'_>,
    (network, meter): (OfNetwork, Option<Meter>),
    contender: &super::contender::Contender,
) -> Result<String, RunError> {
    let learners = std::slice::from_ref(&contender.parameters);
    let evaluation = Evaluation {
        behind: run.behind(),
        store: &run.store,
        draw: &run.dealer.draw,
        seed: run.rules.protocol.seed(),
        learners,
        shots: &run.shots,
        rules: SeenRules::of(&run.rules.protocol),
        workers: 1,
        batch: Some(1),
    };
    let cost = on_device!(work.device, |open, Kind| eval::probe::<Kind>(
        work.learners.on::<Kind>(),
        &evaluation,
        meter,
        open
    ))?;
    let text = |number: Option<String>| number.unwrap_or_default();
    let cells = [
        run.rules.protocol.name().to_string(),
        run.features.clone(),
        contender.parameters.learner().to_string(),
        format!("\"{}\"", contender.parameters),
        text(network.weights.map(|count| count.to_string())),
        text(cost.trained.map(|count| count.to_string())),
        text(network.macs.map(|count| count.to_string())),
        text(network.weights.map(|count| (count * size_of::<f32>()).to_string())),
        text(network.embed.map(|seconds| format!("{seconds:.9}"))),
        format!("{:.9}", cost.adapt),
        format!("{:.9}", cost.query),
        text(cost.peak.map(|bytes| bytes.to_string())),
        work.device.name().to_string(),
        "1".to_string(),
    ];
    Ok(cells.join(",") + "\n")
}

/// What the network behind a feature set costs.
fn network(run: &Prepared, work: &Work<'_>) -> Result<OfNetwork, RunError> {
    let Some(behind) = run.behind() else { return Ok(OfNetwork::default()) };
    let Some(Described { graph, features, image }) = behind.network.config.described() else {
        return Ok(OfNetwork::default());
    };
    let counts = graph.counts(features, image).map_err(BackboneError::from)?;
    let (count, dim) = (behind.items.count.min(BATCH), behind.items.dim);
    let mut images = vec![0.0; count * dim];
    let read = behind.items.values.read_block(dim, 0, &mut images);
    read.map_err(|source| RunError::Tensor(TensorError::Read { item: 0, source }))?;
    let values: Vec<Vec<f32>> = behind.network.weights.0.iter().map(|weight| weight.values.clone()).collect();
    let seconds = on_device!(work.device, |open, Kind| timed::<Kind>(open, |device| {
        let passes = device.passes(&graph, &values, features)?;
        passes.features(&images, image)?;
        let begun = Instant::now();
        passes.features(&images, image)?;
        Ok(begun.elapsed().as_secs_f64())
    }))?;
    let embed = Some(seconds / count.max(1) as f64);
    Ok(OfNetwork { weights: Some(counts.parameters), macs: Some(counts.macs), embed })
}

/// Work on a device in a pool of one thread.
fn timed<D: ConvOps>(
    open: impl Fn() -> Result<D, TensorError> + Send + Sync,
    work: impl FnOnce(&D) -> Result<f64, TensorError> + Send,
) -> Result<f64, RunError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.map_err(|error| RunError::Eval(eval::EvalError::Worker(error.to_string())))?;
    Ok(pool.install(|| work(&open()?))?)
}
