//! Datasets and feature stores: reading, checking, splitting, transforming, fingerprinting.

mod check;
mod error;
#[cfg(test)]
mod fixtures;
mod folder;
pub mod index;
mod npy;
mod npz;
mod scan;
mod splits;
mod store;
mod table;
mod tensors;
mod values;
mod written;

pub use error::{DataError, ItemName, Place, StoreWarning};
pub use index::{Class, ClassIndex};
pub use store::{ClassVectors, OpenOptions, Parts, Store};
pub use values::{ReadRows, Values};
pub use written::Provenance;
