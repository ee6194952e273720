//! Datasets and feature stores: reading, checking, splitting, transforming, fingerprinting.

pub mod index;
pub use index::{Class, ClassIndex};
