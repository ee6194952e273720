//! Types of numbers in files of weights.

use half::{bf16, f16};

/// What the elements of a tensor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    F64,
    F32,
    F16,
    BF16,
    /// Whole numbers or truth values of so many bytes.
    Whole(usize),
}

impl Element {
    pub fn bytes(self) -> usize {
        match self {
            Element::F64 => 8,
            Element::F32 => 4,
            Element::F16 | Element::BF16 => 2,
            Element::Whole(bytes) => bytes,
        }
    }

    /// Little-endian numbers; none where they are whole, as those are not read.
    pub fn numbers(self, bytes: &[u8]) -> Vec<f32> {
        let halves = || bytes.as_chunks::<2>().0.iter();
        match self {
            Element::F64 => bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
            Element::F32 => bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            Element::F16 => halves().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
            Element::BF16 => halves().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
            Element::Whole(_) => Vec::new(),
        }
    }
}
