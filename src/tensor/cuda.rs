//! An NVIDIA GPU: what is asked of it before dfdx opens it, and the operations composed from stock dfdx operations.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cudarc::driver::result;
use cudarc::driver::sys::CUresult;
use dfdx::shapes::Shape;
use dfdx::tensor::{Cache, Cuda, CudaError, Tensor};
use dfdx::tensor_ops::TryMatMul;

use super::backend::{BatchLimits, Terms};
use super::{Backend, HostRows, Resident, Rows, Tensor2, Tensor3, TensorError, ops, to_host};

/// The part of the free memory that the features of a batch may take: what is made of them takes several times as much.
const SHARE: usize = 32;
/// Larger batches keep a GPU no busier.
const MOST_BYTES: usize = 256 << 20;
/// The largest store that is held: it is unpacked in the host's memory on the way.
const MOST_HELD: usize = 8 << 30;

/// Opens a GPU by its number, after asking the driver all that dfdx takes for granted.
///
/// # Errors
/// When there is no driver, no GPU of that number, or the driver refuses the kernels of this build.
pub fn open_cuda(ordinal: usize) -> Result<Cuda, TensorError> {
    result::init().map_err(|error| no_gpu(error.0))?;
    let count = result::device::get_count().map_err(|error| no_gpu(error.0))?;
    let count = usize::try_from(count).unwrap_or(0);
    if ordinal >= count {
        let reason = match count {
            0 => "the driver finds none".to_string(),
            1 => format!("number {ordinal} does not exist, the only one is 0"),
            _ => format!("number {ordinal} does not exist, they are 0 to {}", count - 1),
        };
        return Err(TensorError::NoGpu { reason });
    }
    let device = guarded(|| Cuda::try_build(ordinal, 0))?.map_err(|error| failure(&error))?;
    // Without it every synchronisation gives freed memory back to the driver.
    device.try_enable_cache().map_err(|error| failure(&error))?;
    // An old driver takes the context and refuses the first kernel.
    let one = device.tensor3((1, 1, 1), vec![1.0])?;
    to_host(&ops::add(&one, &device.tensor3((1, 1, 1), vec![1.0])?)?)?;
    Ok(device)
}

/// Why there is no GPU to work on, in words.
fn no_gpu(code: CUresult) -> TensorError {
    let reason = match code {
        CUresult::CUDA_ERROR_STUB_LIBRARY => "no NVIDIA driver is installed".to_string(),
        CUresult::CUDA_ERROR_NO_DEVICE => "the driver finds none".to_string(),
        CUresult::CUDA_ERROR_SYSTEM_DRIVER_MISMATCH => {
            "the driver and its library are of different versions".to_string()
        }
        CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION => {
            "the driver is older than the toolkit that this program was built with".to_string()
        }
        CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU | CUresult::CUDA_ERROR_INVALID_PTX => {
            "the GPU is older than the one that this program was built for".to_string()
        }
        other => format!("the driver says {other:?}"),
    };
    TensorError::NoGpu { reason }
}

fn failure(error: &CudaError) -> TensorError {
    let message = match error {
        // Their own texts ask the driver for more and panic where it has nothing to say.
        CudaError::Driver(error) => match error.0 {
            code @ (CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION
            | CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU
            | CUresult::CUDA_ERROR_INVALID_PTX
            | CUresult::CUDA_ERROR_STUB_LIBRARY
            | CUresult::CUDA_ERROR_NO_DEVICE) => return no_gpu(code),
            code => format!("{code:?}"),
        },
        CudaError::Blas(error) => format!("{:?}", error.0),
        CudaError::Cpu(error) => format!("{error:?}"),
    };
    TensorError::of_device(Cuda::NAME, message)
}

/// Runs what dfdx can only do or panic: a panic is an error of the device.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, TensorError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| TensorError::of_panic(Cuda::NAME, panic.as_ref()))
}

/// Bytes of the GPU's memory: free, and in all.
fn free_and_total() -> (usize, usize) {
    result::mem_get_info().unwrap_or((0, 0))
}

impl Backend for Cuda {
    const NAME: &'static str = "cuda";
    type Store = Resident<Cuda>;

    fn upload(&self, rows: &HostRows) -> Result<Self::Store, TensorError> {
        self.upload_needed(rows, &|| (0..rows.count() as u32).collect())
    }

    fn upload_needed(
        &self,
        rows: &HostRows,
        needed: &dyn Fn() -> Vec<u32>,
    ) -> Result<Self::Store, TensorError> {
        Resident::upload_within(self, rows, (free_and_total().0 / 2).min(MOST_HELD), needed)
    }

    fn batch_limits(&self) -> BatchLimits {
        let bytes = (free_and_total().0 / SHARE).clamp(2 << 20, MOST_BYTES);
        BatchLimits { bytes, episodes: 8192 }
    }

    fn batch_size(&self, bytes_each: usize) -> usize {
        (free_and_total().0 / 4 / bytes_each.max(1)).clamp(1, 1024)
    }

    fn release_unused(&self) -> Result<(), TensorError> {
        let (free, total) = free_and_total();
        if free < total / 4 { self.try_empty_cache().map_err(Self::failure) } else { Ok(()) }
    }

    fn failure(error: CudaError) -> TensorError {
        failure(&error)
    }

    fn copy_out<S: Shape>(tensor: &Tensor<S, f32, Self>, out: &mut [f32]) -> Result<(), TensorError> {
        guarded(|| tensor.copy_into(out))
    }

    fn shape(store: &Self::Store) -> (usize, usize) {
        store.shape()
    }

    fn unit(store: &Self::Store) -> f64 {
        store.unit()
    }

    fn gather(&self, store: &Self::Store, rows: &Rows) -> Result<Tensor3<Self>, TensorError> {
        store.gather(rows)
    }

    fn shared_product(rows: &Tensor3<Self>, map: &Tensor2<Self>) -> Result<Tensor3<Self>, TensorError> {
        // Not repeated by a stride of zero, which dfdx refuses here.
        rows.clone().try_matmul(map.clone()).map_err(Self::failure)
    }

    fn squared_norms(&self, store: &Self::Store, rows: &Rows) -> Result<Tensor2<Self>, TensorError> {
        store.squared_norms(rows)
    }

    fn linear(
        &self,
        store: &Self::Store,
        rows: &Rows,
        weights: &Tensor3<Self>,
        terms: &Terms<'_, Self>,
    ) -> Result<Tensor3<Self>, TensorError> {
        store.linear(rows, weights, terms)
    }
}
