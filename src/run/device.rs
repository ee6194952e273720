//! Where the work is done: the processor, or an NVIDIA GPU.

use crate::run::error::RunError;
use crate::tensor::{Backend, Cpu};
#[cfg(feature = "cuda")]
use crate::tensor::{Cuda, open_cuda};

/// A device that can be worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    Cpu,
    /// A GPU by its number.
    #[cfg(feature = "cuda")]
    Cuda(usize),
}

/// Does `$work` with `$open`, which opens the device, whose type is `$kind`.
macro_rules! on_device {
    ($device:expr, |$open:ident, $kind:ident| $work:expr) => {
        match $device {
            $crate::run::device::Device::Cpu => {
                type $kind = $crate::tensor::Cpu;
                let $open = || Ok($crate::tensor::open_cpu());
                $work
            }
            #[cfg(feature = "cuda")]
            $crate::run::device::Device::Cuda(number) => {
                type $kind = $crate::tensor::Cuda;
                let $open = move || $crate::tensor::open_cuda(number);
                $work
            }
        }
    };
}
pub(crate) use on_device;

/// Workers on a GPU: while one has kernels running, the other deals and grades.
#[cfg(feature = "cuda")]
const WORKERS_ON_GPU: usize = 2;

impl Device {
    /// A GPU by its number, asked whether it is there: what follows may take hours.
    ///
    /// # Errors
    /// No such GPU, or a build without CUDA.
    #[cfg(feature = "cuda")]
    pub fn gpu(number: usize) -> Result<Device, RunError> {
        open_cuda(number)?;
        Ok(Device::Cuda(number))
    }

    /// A GPU by its number, asked whether it is there: what follows may take hours.
    ///
    /// # Errors
    /// No such GPU, or a build without CUDA.
    #[cfg(not(feature = "cuda"))]
    pub fn gpu(_: usize) -> Result<Device, RunError> {
        let text = "this build has no CUDA\nhint: build with --features cuda, or leave out --device";
        Err(RunError::Request(text.to_string()))
    }

    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            Device::Cpu => Cpu::NAME,
            #[cfg(feature = "cuda")]
            Device::Cuda(_) => Cuda::NAME,
        }
    }

    /// Workers, where none were asked for.
    pub fn workers(self) -> usize {
        match self {
            Device::Cpu => std::thread::available_parallelism().map_or(1, usize::from),
            #[cfg(feature = "cuda")]
            Device::Cuda(_) => WORKERS_ON_GPU,
        }
    }
}
