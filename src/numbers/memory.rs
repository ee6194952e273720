//! Memory for many numbers, in large pages where the system has them.
//!
//! The rows of an episode lie anywhere in a store, so nearly every row costs a look into the page table. With pages of
//! 2 MiB that look is answered by the processor itself, and a plain gather is a fifth faster (benches/README.md).

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use bytemuck::Pod;
use memmap2::MmapMut;

/// Below this many bytes there is nothing to gain.
const LEAST: usize = 4 << 20;

/// Numbers that are written once and then shared.
///
/// ```
/// use kshot::numbers::Numbers;
///
/// let mut numbers = Numbers::<f32>::zeros(3);
/// numbers.unshared().expect("nobody else has it").copy_from_slice(&[1.0, 2.0, 3.0]);
/// assert_eq!(numbers.clone()[1..], [2.0, 3.0]);
/// ```
pub struct Numbers<T>(Arc<Memory<T>>);

enum Memory<T> {
    Heap(Vec<T>),
    Pages(MmapMut, PhantomData<T>),
}

impl<T: Pod> Numbers<T> {
    /// So many zeros.
    pub fn zeros(count: usize) -> Numbers<T> {
        let bytes = count.saturating_mul(size_of::<T>());
        let pages = if bytes < LEAST { None } else { MmapMut::map_anon(bytes).ok() };
        Numbers(Arc::new(match pages {
            Some(pages) => {
                // A system without large pages refuses, and nothing is lost.
                #[cfg(target_os = "linux")]
                let _ = pages.advise(memmap2::Advice::HugePage);
                Memory::Pages(pages, PhantomData)
            }
            None => Memory::Heap(vec![T::zeroed(); count]),
        }))
    }

    /// The numbers to be written, as long as they are not shared.
    pub fn unshared(&mut self) -> Option<&mut [T]> {
        Some(match Arc::get_mut(&mut self.0)? {
            Memory::Heap(values) => values,
            Memory::Pages(pages, _) => bytemuck::cast_slice_mut(pages),
        })
    }
}

impl<T: Pod> Deref for Numbers<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &*self.0 {
            Memory::Heap(values) => values,
            // The pages hold whole numbers, and a page begins where any number may.
            Memory::Pages(pages, _) => bytemuck::cast_slice(pages),
        }
    }
}

impl<T> Clone for Numbers<T> {
    fn clone(&self) -> Numbers<T> {
        Numbers(Arc::clone(&self.0))
    }
}

impl<T> From<Vec<T>> for Numbers<T> {
    fn from(values: Vec<T>) -> Numbers<T> {
        Numbers(Arc::new(Memory::Heap(values)))
    }
}

impl<T: Pod> fmt::Debug for Numbers<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} numbers", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_and_small_memory_holds_what_was_written() {
        for count in [0, 5, 3 << 20] {
            let mut numbers = Numbers::<f32>::zeros(count);
            assert!(numbers.iter().all(|v| *v == 0.0));
            let out = numbers.unshared().unwrap();
            out.iter_mut().zip(0u32..).for_each(|(v, n)| *v = n as f32);
            let shared = numbers.clone();
            assert!(numbers.unshared().is_none());
            assert_eq!(shared.len(), count);
            assert!(shared.iter().zip(0u32..).all(|(v, n)| *v == n as f32));
        }
    }
}
