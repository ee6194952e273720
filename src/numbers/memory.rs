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

/// Numbers that are written once and then shared, or lent by whoever has them.
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
    Lent(Box<dyn AsRef<[u8]> + Send + Sync>),
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

    /// Numbers in the memory of `owner`, which are not copied; nothing where its bytes are no whole numbers, or do not
    /// begin where a number may. The owner always gives the same bytes.
    ///
    /// ```
    /// use kshot::numbers::Numbers;
    ///
    /// let lent = Numbers::<u8>::lent(vec![1, 2, 3]).expect("a byte may begin anywhere");
    /// assert_eq!(lent[1..], [2, 3]);
    /// assert!(Numbers::<f32>::lent(vec![0; 7]).is_none());
    /// ```
    pub fn lent(owner: impl AsRef<[u8]> + Send + Sync + 'static) -> Option<Numbers<T>> {
        bytemuck::try_cast_slice::<u8, T>(owner.as_ref()).ok()?;
        Some(Numbers(Arc::new(Memory::Lent(Box::new(owner)))))
    }

    /// The numbers to be written, as long as they are neither shared nor lent.
    pub fn unshared(&mut self) -> Option<&mut [T]> {
        match Arc::get_mut(&mut self.0)? {
            Memory::Heap(values) => Some(values),
            Memory::Pages(pages, _) => Some(bytemuck::cast_slice_mut(pages)),
            Memory::Lent(_) => None,
        }
    }
}

impl<T: Pod> Deref for Numbers<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &*self.0 {
            Memory::Heap(values) => values,
            // The pages hold whole numbers, and a page begins where any number may.
            Memory::Pages(pages, _) => bytemuck::cast_slice(pages),
            Memory::Lent(owner) => bytemuck::cast_slice((**owner).as_ref()),
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
    fn lent_numbers_lie_where_their_owner_has_them() {
        struct Owner(Vec<f32>);
        impl AsRef<[u8]> for Owner {
            fn as_ref(&self) -> &[u8] {
                bytemuck::cast_slice(&self.0)
            }
        }
        let owner = Owner(vec![1.5, -2.0]);
        let place = owner.0.as_ptr();
        let mut lent = Numbers::<f32>::lent(owner).unwrap();
        assert_eq!((lent.as_ptr(), &lent[..]), (place, [1.5, -2.0].as_slice()));
        assert!(lent.unshared().is_none());
    }

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
