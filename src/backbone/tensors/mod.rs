//! Named tensors out of the files in which people keep weights.
//!
//! [`read_tensors`] tells a file by its first bytes: safetensors, whole or in shards, and PyTorch's `.pth` and `.pt`, of which
//! only the tensors are read: nothing that such a file names is called.

mod element;
mod keras;
mod legacy;
mod safe;
mod shards;
mod state;
mod unpickle;
mod zipped;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use super::error::BackboneError;

/// One tensor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NamedTensor {
    /// Its sizes.
    pub shape: Vec<usize>,
    /// Its numbers, in row order, all of them finite.
    pub values: Vec<f32>,
}

/// The tensors of a file of weights by the names that they have there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NamedTensors {
    /// Tensors of floating-point numbers.
    pub tensors: BTreeMap<String, NamedTensor>,
    /// Names of tensors of whole numbers, such as `num_batches_tracked`; their numbers are not read.
    pub integers: BTreeSet<String>,
    /// What the file says of itself; only safetensors do.
    pub metadata: BTreeMap<String, String>,
    /// The files that were read, by which their hash is made.
    pub files: Vec<PathBuf>,
}

/// Reads weights from a `.safetensors` file, its `….index.json` where it is in shards, or a `.pth` or `.pt` file.
///
/// Numbers of 16 and 64 bits become such of 32. Of a training's checkpoint that holds more than weights, the state dict is
/// taken; a prefix `module.` that every name has is left out.
///
/// # Errors
/// When the file cannot be read, is of another kind (for Keras' `.h5` the message holds a script that converts it), claims
/// more than it holds, or holds numbers that are not finite.
pub fn read_tensors(path: &Path) -> Result<NamedTensors, BackboneError> {
    let mut file = open(path)?;
    let mut start = Vec::new();
    let unreadable = |source| BackboneError::Unreadable { path: path.to_path_buf(), source };
    (&mut file).take(16).read_to_end(&mut start).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    let is_index = path.to_string_lossy().ends_with(".index.json");
    let found = match start.as_slice() {
        _ if is_index => shards::read(path),
        [b'P', b'K', 3 | 5, ..] => zipped::read(file, path),
        [0x89, b'H', b'D', b'F', ..] => Err(keras::refused(path)),
        [0x80, 2, 0x8a, 0x0a, ..] => legacy::read(file, path),
        [_, _, _, _, _, _, 0, 0, b'{', ..] => safe::read(file, path),
        [] => Err(damaged(path, "the file is empty")),
        _ => Err(damaged(
            path,
            "neither safetensors nor a file of torch.save\nhint: in Python, safetensors.torch.save_file(model.state_dict(), 'weights.safetensors') writes one",
        )),
    };
    found.map(NamedTensors::without_module)
}

impl NamedTensors {
    /// Takes a tensor out.
    pub fn take(&mut self, name: &str) -> Option<NamedTensor> {
        self.tensors.remove(name)
    }

    /// Without the `module.` that `DataParallel` puts before every name.
    fn without_module(self) -> NamedTensors {
        const MODULE: &str = "module.";
        let has = |name: &String| name.starts_with(MODULE);
        if self.tensors.is_empty() || !self.tensors.keys().all(has) || !self.integers.iter().all(has) {
            return self;
        }
        let bare = |name: String| name[MODULE.len()..].to_string();
        let tensors = self.tensors.into_iter().map(|(name, tensor)| (bare(name), tensor)).collect();
        NamedTensors { tensors, integers: self.integers.into_iter().map(bare).collect(), ..self }
    }

    fn push(&mut self, path: &Path, name: &str, tensor: NamedTensor) -> Result<(), BackboneError> {
        if let Some(value) = tensor.values.iter().find(|value| !value.is_finite()) {
            let (path, name, value) = (path.to_path_buf(), name.to_string(), *value);
            return Err(BackboneError::NotFinite { path, name, value });
        }
        match self.tensors.insert(name.to_string(), tensor) {
            None => Ok(()),
            Some(_) => Err(damaged(path, format!("it holds `{name}` twice"))),
        }
    }
}

fn open(path: &Path) -> Result<File, BackboneError> {
    const HINT: &str = "weights are a .safetensors, .pth or .pt file";
    File::open(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => BackboneError::Missing { path: path.to_path_buf(), hint: HINT },
        _ => BackboneError::Unreadable { path: path.to_path_buf(), source },
    })
}

fn damaged(path: &Path, what: impl ToString) -> BackboneError {
    BackboneError::Damaged { path: path.to_path_buf(), what: what.to_string() }
}

/// How many numbers a shape has; nothing where they are more than can be counted.
fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size))
}

#[cfg(test)]
mod tests;
