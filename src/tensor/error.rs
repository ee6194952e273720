//! What can go wrong with tensors: wrong shapes, numbers that are not finite, devices that fail.

use std::any::Any;

/// An error of the tensor room.
#[derive(Debug, thiserror::Error)]
pub enum TensorError {
    /// Two shapes that must agree do not.
    #[error("{operation} needs {what} = {expected}, found {found}")]
    Shape {
        /// The operation that was asked for.
        operation: &'static str,
        /// The size that must agree.
        what: &'static str,
        /// The size that it must have.
        expected: usize,
        /// The size that it has.
        found: usize,
    },
    /// A window that does not fit onto an image.
    #[error(
        "{operation} with a window of {}, stride {} and padding {} does not fit an image of {} pixels",
        sizes(*kernel), sizes(*stride), sizes(*padding), sizes(*image)
    )]
    Window {
        /// The operation that was asked for.
        operation: &'static str,
        /// Height and width of the window.
        kernel: (usize, usize),
        /// Pixels from one place to the next.
        stride: (usize, usize),
        /// Pixels beyond each edge.
        padding: (usize, usize),
        /// Height and width of the image.
        image: (usize, usize),
    },
    /// An item holds NaN or infinity.
    #[error("item {item} column {column} is {value}, features must be finite numbers")]
    NotFinite {
        /// The item's row.
        item: usize,
        /// The column of the first such number.
        column: usize,
        /// The number.
        value: f32,
    },
    /// A class vector holds NaN or infinity.
    #[error(
        "the embedding of label {label} is {value} in column {column}, class embeddings must be finite numbers"
    )]
    VectorNotFinite {
        /// The label.
        label: usize,
        /// The column of the first such number.
        column: usize,
        /// The number.
        value: f32,
    },
    /// An index names a row that the store does not have.
    #[error("item {item} does not exist, the store has {rows} items")]
    NoSuchItem {
        /// The row asked for.
        item: usize,
        /// How many rows there are.
        rows: usize,
    },
    /// A matrix that should be positive definite is not.
    #[error("{operation} needs a positive definite matrix")]
    NotPositiveDefinite {
        /// The operation that was asked for.
        operation: &'static str,
    },
    /// Eigenvalues that were not found, because a number of the matrix is not finite.
    #[error("the eigenvalues of a matrix of size {size} were not found, its numbers must be finite")]
    NoEigenvalues {
        /// Rows of the matrix.
        size: usize,
    },
    /// A feature file could not be read.
    #[error("reading item {item} failed: {source}")]
    Read {
        /// The item's row.
        item: usize,
        /// Why.
        source: std::io::Error,
    },
    /// There is no GPU to work on.
    #[error("no NVIDIA GPU can be used: {reason}\nhint: --device cpu does the same on the processor")]
    NoGpu {
        /// Why not.
        reason: String,
    },
    /// The device has not enough memory.
    #[error(
        "{device} has not enough memory\nhint: take fewer episodes at once with --batch, or the processor with --device cpu"
    )]
    OutOfMemory {
        /// Its name.
        device: &'static str,
    },
    /// The device failed.
    #[error("{device} failed: {message}")]
    Device {
        /// Its name.
        device: &'static str,
        /// What it said.
        message: String,
    },
}

impl TensorError {
    /// What a panic said while a device was at work.
    pub fn of_panic(device: &'static str, panic: &(dyn Any + Send)) -> TensorError {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        TensorError::of_device(device, text.unwrap_or("no message").to_string())
    }

    /// What a device said, as an error: of memory where that is what it lacks.
    pub(crate) fn of_device(device: &'static str, message: String) -> TensorError {
        let lacks_memory = ["OUT_OF_MEMORY", "ALLOC_FAILED"].iter().any(|word| message.contains(word));
        if lacks_memory {
            TensorError::OutOfMemory { device }
        } else {
            TensorError::Device { device, message }
        }
    }
}

fn sizes((height, width): (usize, usize)) -> String {
    format!("{height}×{width}")
}

/// Fails unless `found` is `expected`.
pub(crate) fn same(
    operation: &'static str,
    what: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), TensorError> {
    if expected == found { Ok(()) } else { Err(TensorError::Shape { operation, what, expected, found }) }
}
