//! Tensors of dfdx behind checked, batched operations: the only room that speaks dfdx's generics.
//!
//! Everything has a leading episode axis. What dfdx lacks or does badly is a method of [`Backend`], [`span::SpanOps`],
//! [`conv::ConvOps`] or `encoder`'s trait with two ways: a composition of stock dfdx operations, which every device has,
//! and a host loop for the CPU; a test compares them.

mod backend;
pub mod conv;
mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
pub mod dense;
#[cfg(feature = "text")]
pub mod encoder;
mod error;
mod functions;
mod host_batch;
mod kernel;
mod labels;
pub mod matrix;
pub mod net;
pub mod ops;
mod origin;
mod pass;
mod pooling;
mod resident;
mod rows;
pub mod span;
mod step;
pub mod stock;
pub mod tape;

pub(crate) use backend::device_error;
pub use backend::{Backend, BatchLimits, LinearHead, Terms};
pub use cpu::open_cpu;
#[cfg(feature = "cuda")]
pub use cuda::open_cuda;
pub use dfdx;
pub use error::TensorError;
pub use host_batch::HostBatch;
pub use labels::Labels;
pub use origin::Origins;
pub use pooling::Pooling;
pub use resident::Resident;
pub use rows::{HostRows, Rows};
pub use span::SpanOps;
pub use step::{Moments, Rule, Slot, Step, StepOps};

/// The CPU.
pub use dfdx::tensor::Cpu;
#[cfg(feature = "cuda")]
/// An NVIDIA GPU.
pub use dfdx::tensor::Cuda;

use dfdx::shapes::{HasShape, Shape};
use dfdx::tensor::{NoneTape, Tensor};
use dfdx::tensor_ops::ReshapeTo;

/// One number per episode: (episodes).
pub type Tensor1<D> = Tensor<(usize,), f32, D>;
/// One row per episode: (episodes, columns).
pub type Tensor2<D> = Tensor<(usize, usize), f32, D>;
/// One matrix per episode: (episodes, rows, columns).
pub type Tensor3<D> = Tensor<(usize, usize, usize), f32, D>;
/// Images or filters: four sizes, with or without a tape.
pub type Tensor4<D, T = NoneTape> = Tensor<(usize, usize, usize, usize), f32, D, T>;

/// The numbers of a tensor, in row order, on the host.
///
/// # Errors
/// When the device fails.
pub fn to_host<S: Shape, D: Backend>(tensor: &Tensor<S, f32, D>) -> Result<Vec<f32>, TensorError> {
    // dfdx copies what lies in memory, which is in row order only for a contiguous tensor.
    let contiguous = tensor.clone().try_contiguous().map_err(backend::device_error::<D>)?;
    let mut out = vec![0.0; contiguous.shape().num_elements()];
    D::copy_out(&contiguous, &mut out)?;
    Ok(out)
}
