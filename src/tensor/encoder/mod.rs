//! A transformer encoder over batches of token sequences, as three operations with two ways each: host loops for the
//! CPU, a composition of stock dfdx operations for other devices.
//!
//! All sequences of a batch have the same length, so there is no padding and no mask, and all tokens form one matrix
//! (tokens, hidden). On the CPU each operation runs on the calling thread; callers give whole batches to several threads.

mod attention;
mod batch;
mod block;
#[cfg(feature = "cuda")]
mod cuda;
mod elementwise;
mod linear;
mod ops;
mod panels;
pub mod stock;
mod weights;

pub use super::pooling::Pooling;
pub use batch::TokenBatch;
pub use ops::EncoderOps;
pub use weights::{Activation, Block, EncoderWeights, Linear, Norm, Tables};
