//! Weights from a .safetensors file, checked against the names and shapes that a network asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::error::{BackboneError, ShapeDiffers};

/// The named weights of a file, as 32-bit numbers on the host.
#[derive(Clone, Debug)]
pub struct WeightFile {
    path: PathBuf,
    tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    metadata: BTreeMap<String, String>,
}

impl WeightFile {
    /// Reads those weights of a file of which `wanted` knows the name, and gives them the name that it returns.
    ///
    /// # Errors
    /// When the file cannot be read, or a weight is not stored as F32, F16 or BF16 or is not finite.
    pub fn read(path: &Path, wanted: impl Fn(&str) -> Option<String>) -> Result<WeightFile, BackboneError> {
        let bytes = super::read_file(path, "the weights are expected in the safetensors format")?;
        WeightFile::parse(&bytes, path, wanted)
    }

    /// As [`WeightFile::read`], from the bytes of a file that `path` names in errors.
    pub(super) fn parse(
        bytes: &[u8],
        path: &Path,
        wanted: impl Fn(&str) -> Option<String>,
    ) -> Result<WeightFile, BackboneError> {
        let damaged = |error: safetensors::SafeTensorError| BackboneError::Damaged {
            path: path.to_path_buf(),
            what: format!("damaged or cut short: {error}"),
        };
        let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let metadata = header.metadata().iter().flatten().map(|(key, value)| (key.clone(), value.clone()));
        let metadata = metadata.collect();
        let mut tensors = BTreeMap::new();
        for (name, view) in file.iter() {
            if let Some(known) = wanted(name) {
                tensors.insert(known, (view.shape().to_vec(), numbers(path, name, &view)?));
            }
        }
        Ok(WeightFile { path: path.to_path_buf(), tensors, metadata })
    }

    /// How many numbers it holds.
    pub(super) fn count(&self) -> usize {
        self.tensors.values().map(|(_, values)| values.len()).sum()
    }

    /// How many weights it holds.
    #[cfg(feature = "text")]
    pub(super) fn names(&self) -> usize {
        self.tensors.len()
    }

    /// What the file says of itself.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// Compares with the names and shapes that a network asks for.
    ///
    /// # Errors
    /// When a weight is missing, not asked for, or of another shape; all differences are told at once.
    pub fn expect(&self, network: &[(String, Vec<usize>)]) -> Result<(), BackboneError> {
        let (mut missing, mut shapes) = (Vec::new(), Vec::new());
        for (name, expected) in network {
            match self.tensors.get(name) {
                None => missing.push(name.clone()),
                Some((found, _)) if found != expected => shapes.push(ShapeDiffers {
                    name: name.clone(),
                    expected: expected.clone(),
                    found: found.clone(),
                }),
                Some(_) => {}
            }
        }
        let asked: BTreeSet<&String> = network.iter().map(|(known, _)| known).collect();
        let unexpected: Vec<String> =
            self.tensors.keys().filter(|name| !asked.contains(name)).cloned().collect();
        if missing.is_empty() && unexpected.is_empty() && shapes.is_empty() {
            return Ok(());
        }
        Err(BackboneError::Differ { path: self.path.clone(), missing, unexpected, shapes })
    }

    /// The numbers of a weight, in row order, which the file then has no more.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn take(&mut self, name: &str) -> Result<Vec<f32>, BackboneError> {
        let found = self.tensors.remove(name).map(|(_, values)| values);
        found.ok_or_else(|| BackboneError::Differ {
            path: self.path.clone(),
            missing: vec![name.to_string()],
            unexpected: Vec::new(),
            shapes: Vec::new(),
        })
    }
}

fn numbers(path: &Path, name: &str, view: &TensorView<'_>) -> Result<Vec<f32>, BackboneError> {
    let bytes = view.data();
    let halves = || bytes.as_chunks::<2>().0.iter();
    let values: Vec<f32> = match view.dtype() {
        Dtype::F32 => bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::F16 => halves().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
        Dtype::BF16 => halves().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
        other => {
            let (path, name, found) = (path.to_path_buf(), name.to_string(), format!("{other:?}"));
            return Err(BackboneError::ElementType { path, name, found });
        }
    };
    match values.iter().find(|v| !v.is_finite()) {
        None => Ok(values),
        Some(value) => {
            Err(BackboneError::NotFinite { path: path.to_path_buf(), name: name.to_string(), value: *value })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(tensors: &[(&str, Dtype, &[usize], &[u8])]) -> (tempfile::TempDir, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("w.safetensors");
        let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
            (name.to_string(), TensorView::new(*dtype, shape.to_vec(), bytes).unwrap())
        });
        std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
        (place, path)
    }

    fn all(name: &str) -> Option<String> {
        Some(name.to_string())
    }

    fn sentence(place: &tempfile::TempDir, error: BackboneError) -> String {
        error.to_string().replace(&format!("{}/", place.path().display()), "")
    }

    #[test]
    fn all_three_element_types_give_the_same_numbers() {
        let single: Vec<u8> = [1.5f32, -2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        let half: Vec<u8> = [1.5, -2.0].iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect();
        let brain: Vec<u8> = [1.5, -2.0].iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()).collect();
        let (_place, path) = file(&[
            ("a", Dtype::F32, &[2], &single),
            ("b", Dtype::F16, &[2], &half),
            ("c", Dtype::BF16, &[2], &brain),
        ]);
        let mut weights = WeightFile::read(&path, all).unwrap();
        for name in ["a", "b", "c"] {
            assert_eq!(weights.take(name).unwrap(), [1.5, -2.0], "{name}");
        }
    }

    #[test]
    fn what_differs_is_told_at_once() {
        let (place, path) = file(&[("a", Dtype::F32, &[1, 2], &[0; 8]), ("head", Dtype::F32, &[1], &[0; 4])]);
        let weights = WeightFile::read(&path, all).unwrap();
        let network = [("a".to_string(), vec![2, 1]), ("b".to_string(), vec![1])];
        let error = sentence(&place, weights.expect(&network).unwrap_err());
        let expected = "w.safetensors: the weights do not fit the sizes of the network: 1 missing (`b`); \
                        1 unexpected (`head`); 1 of another shape (`a` is (1, 2), expected (2, 1))\nhint: ";
        assert!(error.starts_with(expected), "{error}");
        assert!(weights.expect(&[("a".to_string(), vec![1, 2]), ("head".to_string(), vec![1])]).is_ok());
    }

    #[test]
    fn integers_nan_and_damage_are_refused() {
        let (place, path) = file(&[("a", Dtype::I32, &[1], &[0; 4])]);
        let error = sentence(&place, WeightFile::read(&path, all).unwrap_err());
        assert_eq!(error, "w.safetensors: `a` holds I32, expected F32, F16 or BF16");
        let (place, path) = file(&[("a", Dtype::F32, &[1], &f32::NAN.to_le_bytes())]);
        let error = sentence(&place, WeightFile::read(&path, all).unwrap_err());
        assert_eq!(error, "w.safetensors: `a` holds NaN, weights must be finite numbers");
        std::fs::write(&path, b"none of it").unwrap();
        let error = sentence(&place, WeightFile::read(&path, all).unwrap_err());
        assert!(error.starts_with("w.safetensors: damaged or cut short: "), "{error}");
    }
}
