//! Networks that turn items into features: what they are made of, and how their weights are read.
//!
//! A backbone is read into plain values on the host, then put onto a device; it knows no classes and no episodes.
//! [`Backbone`] is a network of images, which can be embedded with, [`Trainable`] one that can also be trained,
//! [`Architecture`] its sizes, from which it is built, and [`Saved`] holds one's weights as they are kept in files. A further
//! network is one file with an [`Architecture`] and a line in `enrolled.rs`. With the feature `text`, `SentenceEncoder` reads a folder as the
//! sentence-transformers library writes it.

mod architecture;
mod card;
mod conv4;
mod enrolled;
mod error;
mod imagenet;
mod mlp;
pub mod nets;
mod network;
mod saved;
#[cfg(feature = "text")]
pub mod sentence;
mod spec;
mod tensors;
pub mod texts;
mod weight_file;
mod weights;

use std::io;
use std::path::Path;

pub use architecture::{Architecture, Described, Named, Sizes, start_stream};
pub use card::{Padding, WeightCard};
pub use conv4::{Conv4, Conv4Config};
pub use enrolled::{Configuration, NETWORKS, networks};
pub use error::{BackboneError, ShapeDiffers};
pub use mlp::{Mlp, MlpConfig};
pub use network::{Backbone, Traced, Trainable, embed_all};
pub use saved::{SHIPPED_WEIGHTS, Saved, ShippedWeights, tensor_file};
#[cfg(feature = "text")]
pub use sentence::{Embedded, Encoder, SentenceEncoder};
pub use spec::{BackboneSpec, WeightSource, backbones};
pub use tensors::{NamedTensor, NamedTensors, read_tensors};
pub use weight_file::WeightFile;
pub use weights::{Weight, Weights};

/// The key under which weights say what is done to photographs before their network.
pub const PREPROCESSING: &str = "preprocessing";

/// The bytes of a file, with a hint how to get it where it is missing.
fn read_file(path: &Path, hint: &'static str) -> Result<Vec<u8>, BackboneError> {
    std::fs::read(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => BackboneError::Missing { path: path.to_path_buf(), hint },
        _ => BackboneError::Unreadable { path: path.to_path_buf(), source },
    })
}
