//! Weights in several files, with an index that says which tensor lies in which.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::{NamedTensors, damaged, read_tensors};
use crate::backbone::error::BackboneError;
use crate::backbone::read_file;

pub(super) fn read(path: &Path) -> Result<NamedTensors, BackboneError> {
    let text = read_file(path, "it is the index of weights in shards")?;
    let index: Value = serde_json::from_slice(&text).map_err(|error| damaged(path, error))?;
    let map = index.get("weight_map").and_then(Value::as_object);
    let map =
        map.ok_or_else(|| damaged(path, "it has no `weight_map`, which names the file of each tensor"))?;
    let mut names = BTreeSet::new();
    for (tensor, file) in map {
        let plain =
            file.as_str().filter(|file| Path::new(file).file_name().is_some_and(|name| name == *file));
        let plain = plain.filter(|file| !file.ends_with(".index.json"));
        names.insert(plain.ok_or_else(|| {
            damaged(path, format!("`weight_map` names {file} for `{tensor}`, expected a file beside it"))
        })?);
    }
    let mut all = NamedTensors { files: vec![path.to_path_buf()], ..NamedTensors::default() };
    for name in names {
        let file = path.with_file_name(name);
        let shard = read_tensors(&file)?;
        shard.tensors.into_iter().try_for_each(|(name, tensor)| all.push(&file, &name, tensor))?;
        all.integers.extend(shard.integers);
        all.metadata.extend(shard.metadata);
        all.files.extend(shard.files);
    }
    match map.keys().find(|name| !all.tensors.contains_key(*name) && !all.integers.contains(*name)) {
        None => Ok(all),
        Some(name) => Err(damaged(path, format!("`{name}` is not in the file that `weight_map` names"))),
    }
}
