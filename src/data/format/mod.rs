//! Files that hold features, each format in a file of its own.

mod class_embeddings;
#[cfg(feature = "parquet")]
pub(in crate::data) mod columns;
pub(in crate::data) mod folder;
pub(in crate::data) mod header;
pub(in crate::data) mod lines;
pub(in crate::data) mod npy;
pub(in crate::data) mod npz;
pub(in crate::data) mod splits;
pub(in crate::data) mod table;
pub(in crate::data) mod tensors;
pub(in crate::data) mod written;

pub use written::{EmbeddingSource, Provenance};
