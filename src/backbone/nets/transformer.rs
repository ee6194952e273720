//! What the weights of a transformer and the configuration beside them say of its sizes, and positions for images of other sizes.

use std::path::Path;

use serde_json::Value;

use super::blocks::{ACTIVATIONS, Encoder, Pool};
use super::config::DEEPEST;
use super::kind::Plan;
use super::positions::Interpolation;
use super::weights::Asked;
use crate::backbone::BackboneError;
use crate::backbone::card::WeightCard;
use crate::backbone::tensors::{NamedTensor, NamedTensors};
use crate::tensor::net::Activation;

/// The parts of a layer that other libraries keep as three, in their order.
const PARTS: [&str; 3] = ["query", "key", "value"];

/// An argument of a network: of CLIP's image tower where a configuration has one, else at the top.
pub(super) fn argument<'a>(card: &'a WeightCard, key: &str) -> Option<&'a Value> {
    let tower = card.model_args.get("vision_config").and_then(|tower| tower.get(key));
    tower.or_else(|| card.model_args.get(key))
}

/// How the library that the weights are from interpolates positions.
pub(super) fn interpolation(found: &NamedTensors) -> Interpolation {
    let has = |end: &str| found.tensors.keys().any(|name| name.ends_with(end));
    if has("encoder.pos_embedding") {
        Interpolation::Corners
    } else if has("pos_embed") {
        Interpolation::Antialiased
    } else {
        Interpolation::Bicubic
    }
}

/// Tensors named `NAME[query]`, `NAME[key]` and `NAME[value]` as one of the name `NAME`, their rows behind each other.
pub(in crate::backbone) fn joined(mut found: NamedTensors) -> NamedTensors {
    let names = found.tensors.keys().filter_map(|name| name.strip_suffix("[query]"));
    for name in names.map(String::from).collect::<Vec<_>>() {
        let part = |part: &str| format!("{name}[{part}]");
        let shape = found.tensors[&part(PARTS[0])].shape.clone();
        let like = |part: &str| found.tensors.get(part).is_some_and(|tensor| tensor.shape == shape);
        if shape.is_empty() || !PARTS.iter().all(|of| like(&part(of))) {
            continue;
        }
        let mut whole = NamedTensor { shape, values: Vec::new() };
        whole.shape[0] *= 3;
        for tensor in PARTS.iter().filter_map(|of| found.tensors.remove(&part(of))) {
            whole.values.extend(tensor.values);
        }
        found.tensors.insert(name, whole);
    }
    found
}

/// The sizes of a transformer: heads and activation as the configuration says them, all others as the weights have them.
///
/// # Errors
/// When the configuration names an activation that is not known, the heads are not known or do not divide a token, or the mean
/// of tokens is asked of weights without one.
pub(super) fn encoder(
    path: &Path,
    plan: &Plan,
    card: Option<&WeightCard>,
    found: &NamedTensors,
    asked: &Asked,
) -> Result<Encoder, BackboneError> {
    let usual = plan.encoder;
    let size = |name: &str, axis: usize| found.tensors.get(name).and_then(|t| t.shape.get(axis)).copied();
    let said = |key: &str| card.and_then(|card| argument(card, key));
    let number = |key: &str| said(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let hidden = size("patch_embed.proj.weight", 0).filter(|size| *size > 0).unwrap_or(usual.hidden);
    let numbers = found.tensors.keys().filter_map(|name| name.strip_prefix("blocks.")?.split_once('.'));
    let depth = numbers.filter_map(|(number, _)| number.parse::<usize>().ok()?.checked_add(1)).max();
    let heads = number("num_attention_heads").or_else(|| number("num_heads"));
    let heads = heads.unwrap_or(if hidden == usual.hidden { usual.heads } else { hidden.div_ceil(64) });
    let refused = |what: String| {
        let path = card.map_or(path, |card| &card.path).to_path_buf();
        BackboneError::Damaged { path, what }
    };
    if heads == 0 || hidden % heads != 0 {
        return Err(refused(format!(
            "{heads} heads of attention do not divide the {hidden} numbers of a token"
        )));
    }
    let pool = if found.tensors.contains_key("fc_norm.weight") { Pool::MeanNorm } else { Pool::Class };
    let pool = match asked.pool {
        Some(Pool::Class) if pool == Pool::MeanNorm => {
            return Err(refused(
                "its features are means of tokens, it has no class token to read".to_string(),
            ));
        }
        Some(Pool::Mean) | None if pool == Pool::MeanNorm => pool,
        other => other.unwrap_or(pool),
    };
    Ok(Encoder {
        patch: size("patch_embed.proj.weight", 2).filter(|size| *size > 0).unwrap_or(usual.patch),
        hidden,
        depth: depth.unwrap_or(usual.depth).min(DEEPEST),
        heads,
        middle: size("blocks.0.mlp.fc1.weight", 0).filter(|size| *size > 0).unwrap_or(usual.middle),
        activation: activation(said("hidden_act"), usual.activation).map_err(refused)?,
        projection: size("visual_projection.weight", 0).unwrap_or(usual.projection),
        pool,
    })
}

/// The activation of a configuration.
pub(in crate::backbone) fn activation(said: Option<&Value>, usual: Activation) -> Result<Activation, String> {
    let Some(said) = said else { return Ok(usual) };
    let known = ACTIVATIONS.iter().find(|(name, _)| said == name).map(|(_, activation)| *activation);
    known.ok_or_else(|| {
        let names: Vec<String> = ACTIVATIONS.iter().map(|(name, _)| format!("`{name}`")).collect();
        format!("unknown `hidden_act` {said}, expected one of {}", names.join(", "))
    })
}

/// Positions for as many patches as an image has, where the file has others. Its grid is taken to be a square.
pub(super) fn for_image(found: &mut NamedTensors, plan: &Plan, how: Interpolation) {
    let Some(tensor) = found.tensors.get_mut("pos_embed") else { return };
    let (patch, channels) = (plan.encoder.patch, plan.encoder.hidden);
    let to = (plan.image.0 / patch, plan.image.1 / patch);
    let tokens = tensor.values.len() / channels;
    let side = tokens.saturating_sub(1).isqrt();
    let whole = tokens * channels == tensor.values.len() && side * side + 1 == tokens;
    if !whole || side == 0 || to.0 * to.1 == 0 || to == (side, side) {
        return;
    }
    let (class, grid) = tensor.values.split_at(channels);
    let grid = how.apply(grid, (side, side), to);
    tensor.values = [class, &grid].concat();
    tensor.shape = vec![1, to.0 * to.1 + 1, channels];
}
