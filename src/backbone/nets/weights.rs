//! Weights of published networks in files as people have them: names of torchvision, timm or their authors, and what is done to
//! photographs before them.

use std::collections::BTreeMap;
use std::path::Path;

use super::blocks::Pool;
use super::config::{NetConfig, WIDTHS};
use super::kind::{Kind, Plan, kind};
use super::transformer::{argument, encoder, for_image, interpolation, joined};
use crate::backbone::card::{Padding, WeightCard};
use crate::backbone::enrolled::Configuration;
use crate::backbone::saved::Saved;
use crate::backbone::tensors::{NamedTensors, read_tensors};
use crate::backbone::{BackboneError, PREPROCESSING, ShapeDiffers, Weights};
use crate::image::{Crop, Recipe, Resize};
use crate::tensor::net::Graph;

/// Beginnings that wrappers put before every name.
const WRAPPERS: [&str; 3] = ["module.", "model.", "_orig_mod."];

/// What a specification asks of a published network beside its weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// The result that becomes features; the penultimate one where none is named.
    pub cut: Option<String>,
    /// Height and width of the images, where they are not those of the preprocessing.
    pub size: Option<usize>,
    /// The tokens of a transformer that become features, where they are not the class token.
    pub pool: Option<Pool>,
    /// The preprocessing, where it is not the one that lies beside the weights.
    pub preprocessing: Option<Preprocessing>,
}

/// Where preprocessing comes from that does not lie beside the weights.
#[derive(Clone, Debug, PartialEq)]
pub enum Preprocessing {
    /// The one with which torchvision published its weights.
    Published,
    /// This one.
    Given(Recipe),
}

/// A network with the weights of a file. How many classes it tells apart and how wide it is, the file says itself; how it is
/// padded and what is done to photographs, the card beside it.
///
/// # Errors
/// When the file cannot be read, says nothing of preprocessing, or its weights are not those of this network: all differences are told at
/// once.
pub fn read(path: &Path, kind: &'static Kind, asked: &Asked) -> Result<Saved, BackboneError> {
    let card = WeightCard::beside(path)?;
    let found = read_tensors(path)?;
    let interpolation = interpolation(&found);
    let mut tensors = joined(renamed(found, kind));
    if let Some(other) = card.as_ref().and_then(|card| other_kind(card, kind)) {
        let expected = kind.name.to_string();
        return Err(BackboneError::OtherBackbone { path: path.to_path_buf(), expected, found: other });
    }
    let recipe = recipe(path, kind, card.as_ref(), asked)?;
    let mut plan = plan(kind, card.as_ref(), &tensors, &recipe);
    if kind.encoder.is_some() {
        plan.encoder = encoder(path, &plan, card.as_ref(), &tensors, asked)?;
        for_image(&mut tensors, &plan, interpolation);
    }
    let config = NetConfig::new(kind).with(plan);
    let config = asked.cut.as_ref().map_or(Ok(config), |cut| config.cut(cut))?;
    let weights = fill(path, &config.graph(), &mut tensors)?;
    config.size()?;
    let mut metadata = BTreeMap::from([(PREPROCESSING.to_string(), recipe.to_string())]);
    if let Some(card) = &card {
        let said = [("trained_on", &card.trained_on), ("source", &card.source), ("licence", &card.licence)];
        metadata.extend(said.into_iter().filter_map(|(key, value)| Some((key.to_string(), value.clone()?))));
    }
    Ok(Saved { config: Configuration::Net(config), weights, metadata, card })
}

/// The network as published, with random weights and published preprocessing.
///
/// # Errors
/// When there is no such cut, or the images are too small.
pub fn random(
    kind: &'static Kind,
    asked: &Asked,
    normal: impl FnMut() -> f64,
) -> Result<Saved, BackboneError> {
    let given = match &asked.preprocessing {
        Some(Preprocessing::Given(recipe)) => recipe.clone(),
        _ => kind.recipe(),
    };
    let recipe = resized(given, asked.size);
    let image = (recipe.crop.height, recipe.crop.width);
    let mut plan = Plan { image, ..Plan::new(kind) };
    plan.encoder.pool = asked.pool.unwrap_or(plan.encoder.pool);
    let config = NetConfig::new(kind).with(plan);
    let config = asked.cut.as_ref().map_or(Ok(config), |cut| config.cut(cut))?;
    config.size()?;
    let weights = crate::backbone::Architecture::fresh(&config, normal);
    let metadata = BTreeMap::from([(PREPROCESSING.to_string(), recipe.to_string())]);
    Ok(Saved { config: Configuration::Net(config), weights, metadata, card: None })
}

/// The names as the network has them, without what no pass uses.
fn renamed(found: NamedTensors, kind: &Kind) -> NamedTensors {
    let known = |name: &String| {
        let bare =
            WRAPPERS.iter().fold(name.as_str(), |name, wrapper| name.strip_prefix(wrapper).unwrap_or(name));
        let used = !kind.auxiliary.iter().any(|start| bare.starts_with(start));
        used.then(|| (kind.rename)(bare))
    };
    let tensors = found.tensors.into_iter();
    let tensors = tensors.filter_map(|(name, tensor)| Some((known(&name)?, tensor))).collect();
    NamedTensors { tensors, ..found }
}

/// The name of the network that a card speaks of, where it is another one.
fn other_kind(card: &WeightCard, asked: &Kind) -> Option<String> {
    let name = card.architecture.as_ref()?;
    kind(name).filter(|found| found.name != asked.name).map(|found| found.name.to_string())
}

fn recipe(
    path: &Path,
    kind: &'static Kind,
    card: Option<&WeightCard>,
    asked: &Asked,
) -> Result<Recipe, BackboneError> {
    let found = match (&asked.preprocessing, card) {
        (Some(Preprocessing::Given(recipe)), _) => recipe.clone(),
        (Some(Preprocessing::Published), _) => kind.recipe(),
        (None, Some(card)) => card.recipe.clone(),
        (None, None) => {
            let (path, usual) = (path.to_path_buf(), kind.recipe().to_string());
            return Err(BackboneError::NoPreprocessing { path, usual });
        }
    };
    Ok(resized(found, asked.size))
}

/// Preprocessing for images of another size: what is cut away stays in proportion.
fn resized(recipe: Recipe, size: Option<usize>) -> Recipe {
    let Some(size) = size else { return recipe };
    let along = |side: usize, crop: usize| (side * size + crop / 2) / crop.max(1);
    let resize = match recipe.resize {
        Resize::Shorter(side) => Resize::Shorter(along(side, recipe.crop.height)),
        Resize::Exact(height, width) => {
            Resize::Exact(along(height, recipe.crop.height), along(width, recipe.crop.width))
        }
        Resize::None => Resize::None,
    };
    Recipe { resize, crop: Crop { height: size, width: size, ..recipe.crop }, ..recipe }
}

fn plan(kind: &Kind, card: Option<&WeightCard>, tensors: &NamedTensors, recipe: &Recipe) -> Plan {
    let image = (recipe.crop.height, recipe.crop.width);
    let mut plan = Plan { image, ..Plan::new(kind) };
    let graph = (kind.describe)(&plan);
    let argument = |key: &str| card.and_then(|card| argument(card, key));
    plan.classes = classes(&graph, tensors);
    plan.same = match card.and_then(|card| card.padding) {
        Some(padding) => padding == Padding::Same,
        // timm's word for TensorFlow's padding.
        None => argument("pad_type").and_then(|value| value.as_str()) == Some("same"),
    };
    plan.epsilon = ["bn_eps", "norm_eps", "layer_norm_eps"]
        .iter()
        .find_map(|key| argument(key).and_then(|value| value.as_f64()))
        .map(|epsilon| epsilon as f32);
    plan.transform_input = argument("transform_input").and_then(|value| value.as_bool()).unwrap_or(false);
    let multiplier = ["channel_multiplier", "width_mult"]
        .iter()
        .find_map(|key| argument(key).and_then(|value| value.as_f64()));
    plan.thousandths = match multiplier {
        _ if kind.encoder.is_some() => 1000,
        Some(multiplier) => (multiplier * 1000.0).round() as usize,
        None => thousandths(&graph, tensors),
    };
    // A width that no network has is told as a difference of shapes.
    plan.thousandths = plan.thousandths.clamp(*WIDTHS.start(), *WIDTHS.end());
    plan
}

/// Classes of the last layer, where the file has one.
fn classes(graph: &Graph, tensors: &NamedTensors) -> Option<usize> {
    graph.logits()?;
    let last = graph.parameters().iter().rev().find(|p| p.name.ends_with(".weight"))?;
    tensors.tensors.get(&last.name)?.shape.first().copied()
}

/// How wide the first layer is, in thousandths of the published width.
fn thousandths(graph: &Graph, tensors: &NamedTensors) -> usize {
    let Some(first) = graph.parameters().first() else { return 1000 };
    let found = tensors.tensors.get(&first.name).and_then(|tensor| tensor.shape.first().copied());
    // A width that no network has is told as a difference of shapes.
    found
        .filter(|found| (1..=1 << 16).contains(found))
        .map_or(1000, |found| found * 1000 / first.shape[0].max(1))
}

/// The weights of a file in the network's order.
pub(in crate::backbone) fn fill(
    path: &Path,
    graph: &Graph,
    found: &mut NamedTensors,
) -> Result<Weights, BackboneError> {
    let mut weights = Weights::default();
    let (mut missing, mut shapes) = (Vec::new(), Vec::new());
    for parameter in graph.parameters() {
        let Some(tensor) = found.tensors.remove(&parameter.name) else {
            missing.push(parameter.name.clone());
            continue;
        };
        if !fits(&tensor.shape, &parameter.shape) {
            let (name, expected) = (parameter.name.clone(), parameter.shape.clone());
            shapes.push(ShapeDiffers { name, expected, found: tensor.shape });
            continue;
        }
        weights.push(parameter.name.clone(), &parameter.shape, tensor.values, parameter.learned);
    }
    let unexpected: Vec<String> = found.tensors.keys().cloned().collect();
    if missing.is_empty() && unexpected.is_empty() && shapes.is_empty() {
        return Ok(weights);
    }
    Err(BackboneError::Differ { path: path.to_path_buf(), missing, unexpected, shapes })
}

/// Whether numbers of one shape are those of another in the same order: timm keeps dense layers as filters that see a whole map,
/// and some keep a token without the sizes of 1 before it.
fn fits(found: &[usize], expected: &[usize]) -> bool {
    let bare = |shape: &[usize]| shape.iter().copied().skip_while(|size| *size == 1).collect::<Vec<_>>();
    if found.len() < 4 && expected.len() == 3 && bare(found) == bare(expected) {
        return true;
    }
    let same_count = found.iter().product::<usize>() == expected.iter().product::<usize>();
    found == expected || (found.len() == 4 && expected.len() == 2 && found[0] == expected[0] && same_count)
}
