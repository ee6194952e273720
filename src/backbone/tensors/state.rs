//! The state dict in a pickle of `torch.save`, and its tensors out of the storages that they are views of.

use super::unpickle::{Id, Pickled, Tensor, Value};
use super::{NamedTensor, count};

/// Keys under which training scripts keep the weights of a network among other things.
const INSIDE: [&str; 4] = ["state_dict", "model_state_dict", "model", "net"];

/// The tensors of a state dict by name: the whole, or what lies under one of the usual keys of a checkpoint.
pub(super) fn tensors(pickled: &Pickled) -> Result<Vec<(String, Tensor)>, String> {
    let Value::Dict(pairs) = pickled.root() else {
        return Err(
            "it holds no dictionary of tensors\nhint: save model.state_dict(), not the model".to_string()
        );
    };
    let named = of_dict(pickled, pairs);
    if !named.is_empty() {
        return Ok(named);
    }
    let inside = INSIDE.iter().find_map(|key| {
        let (_, value) = pairs.iter().find(|(name, _)| pickled.text(*name) == Some(key))?;
        let Value::Dict(pairs) = pickled.get(*value) else { return None };
        Some(of_dict(pickled, pairs)).filter(|named| !named.is_empty())
    });
    inside.ok_or_else(|| {
        let keys =
            pairs.iter().filter_map(|(name, _)| pickled.text(*name)).take(8).map(|key| format!("`{key}`"));
        let keys: Vec<String> = keys.collect();
        format!("no tensors under its names {}\nhint: save model.state_dict() alone", keys.join(", "))
    })
}

fn of_dict(pickled: &Pickled, pairs: &[(Id, Id)]) -> Vec<(String, Tensor)> {
    let named = |(name, value): &(Id, Id)| match pickled.get(*value) {
        Value::Tensor(tensor) => Some((pickled.text(*name)?.to_string(), tensor.clone())),
        _ => None,
    };
    pairs.iter().filter_map(named).collect()
}

/// The numbers of a view in row order, out of those of its storage.
pub(super) fn view(tensor: &Tensor, storage: &[f32]) -> Result<NamedTensor, String> {
    const BEYOND: &str = "it reaches beyond its storage";
    let numbers = count(&tensor.shape).filter(|numbers| *numbers <= storage.len()).ok_or(BEYOND)?;
    let mut values = Vec::with_capacity(numbers);
    let mut place = vec![0; tensor.shape.len()];
    for _ in 0..numbers {
        let mut steps =
            place.iter().zip(&tensor.strides).map(|(at, stride)| usize::checked_mul(*at, *stride));
        let at = steps.try_fold(tensor.offset, |sum, step| sum.checked_add(step?));
        values.push(*at.and_then(|at| storage.get(at)).ok_or(BEYOND)?);
        for (at, size) in place.iter_mut().zip(&tensor.shape).rev() {
            *at += 1;
            if *at < *size {
                break;
            }
            *at = 0;
        }
    }
    Ok(NamedTensor { shape: tensor.shape.clone(), values })
}
