//! Keras' `.h5` files, which are refused with the way on.

use std::path::Path;

use super::damaged;
use crate::backbone::error::BackboneError;

/// Converts weights of `keras.applications` into a file that is read here.
const SCRIPT: &str = include_str!("keras_to_safetensors.py");

pub(super) fn refused(path: &Path) -> BackboneError {
    damaged(
        path,
        format!(
            "HDF5, as Keras writes weights, is not read\nhint: convert it with this script (needs h5py, numpy, safetensors and torchvision)\n\n{SCRIPT}"
        ),
    )
}
