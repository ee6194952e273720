//! Weights of published networks in files as people have them: names of torchvision, timm or their authors.

use std::path::Path;

use super::config::NetConfig;
use super::kind::{Kind, Plan};
use crate::backbone::weight_file::WeightFile;
use crate::backbone::{BackboneError, Weights};
use crate::tensor::net::Graph;

/// Beginnings that wrappers put before every name.
const WRAPPERS: [&str; 3] = ["module.", "model.", "_orig_mod."];
/// A counter of batch normalisation that no pass uses.
const COUNTER: &str = "num_batches_tracked";

/// A network with the weights of a file. `plan` says how it is built; how many classes it tells apart and how wide it is, the
/// file says itself.
///
/// # Errors
/// When the file cannot be read, or its weights are not those of this network: all differences are told at once.
pub fn read(
    bytes: &[u8],
    path: &Path,
    kind: &'static Kind,
    plan: Plan,
) -> Result<(NetConfig, Weights), BackboneError> {
    let mut file = WeightFile::parse(bytes, path, |name| known(kind, name))?;
    let mut plan = Plan { classes: Some(1000), ..plan };
    let graph = (kind.describe)(&plan);
    plan.classes = classes(&graph, &file);
    if plan.thousandths == 1000 {
        plan.thousandths = thousandths(&graph, &file);
    }
    let config = NetConfig::new(kind).with(plan);
    let mut weights = Weights::default();
    let graph = config.graph();
    let shapes: Vec<(String, Vec<usize>)> =
        graph.parameters().iter().map(|p| (p.name.clone(), p.shape.clone())).collect();
    file.reshape(&shapes);
    file.expect(&shapes)?;
    for parameter in graph.parameters() {
        let values = file.take(&parameter.name)?;
        weights.push(parameter.name.clone(), &parameter.shape, values, parameter.learned);
    }
    Ok((config, weights))
}

/// A name of the file as the network has it; nothing for what no pass uses.
fn known(kind: &Kind, name: &str) -> Option<String> {
    let bare = WRAPPERS.iter().fold(name, |name, wrapper| name.strip_prefix(wrapper).unwrap_or(name));
    let used = !bare.ends_with(COUNTER) && !kind.auxiliary.iter().any(|start| bare.starts_with(start));
    used.then(|| (kind.rename)(bare))
}

/// Classes of the last layer, where the file has one.
fn classes(graph: &Graph, file: &WeightFile) -> Option<usize> {
    let last = graph.parameters().iter().rev().find(|p| p.name.ends_with(".weight"))?;
    file.shape(&last.name)?.first().copied()
}

/// How wide the first layer is, in thousandths of the published width.
fn thousandths(graph: &Graph, file: &WeightFile) -> usize {
    let first = graph.parameters().first();
    let found = first.and_then(|first| Some((*file.shape(&first.name)?.first()?, first.shape[0])));
    found.map_or(1000, |(found, usual)| (found * 1000).checked_div(usual).unwrap_or(1000).max(1))
}
