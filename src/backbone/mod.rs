//! Networks that turn items into features: what they are made of, and how their weights are read.
//!
//! A backbone is read into plain values on the host, then put onto a device; it knows no classes and no episodes.
//! [`SentenceEncoder`] reads a folder as the sentence-transformers library writes it.

mod error;
pub mod sentence;
mod weights;

pub use error::{BackboneError, ShapeDiffers};
pub use sentence::{Embedded, Encoder, SentenceEncoder};
pub use weights::Weights;
