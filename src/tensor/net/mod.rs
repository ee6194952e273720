//! Networks of images as data: one description, a list of operations over named weights, from which names and shapes of
//! weights, sizes and counts, and the passes over it are made.
//!
//! A description knows no image size: [`Graph::sizes`] says what comes out for one. [`Engine`] runs it on the processor
//! without a tape, on buffers of its own, because dfdx lends nobody the numbers of a tensor and would copy them for each operation.
//! Batch normalisations are folded into the convolutions before them, activations and sums happen as a product is stored, and
//! the parts of a concatenation are written where they belong.

mod build;
mod graph;
mod host;
mod passes;
mod sizes;
mod sweep;
mod traced;
mod traced_ops;

pub use build::{Builder, Conv, Dense};
pub use graph::{Above, Activation, First, Graph, Normalise, Op, Param, Parameter, Value};
pub use host::Engine;
pub use passes::Passes;
pub(in crate::tensor) use passes::{OnDevice, OnHost};
pub use sizes::{Counts, Size};
pub use sweep::{Padding, Placed, Sweep};
pub use traced::{Learner, Norms};
