//! Numbers drawn without replacement, at a cost that depends on how many are drawn and not on how many there are.

use crate::rng::Stream;

/// The numbers `0..size`, from which some are drawn; putting them back undoes only what was touched.
pub(super) struct Urn {
    slots: Vec<u32>,
    /// The slot that was exchanged with slot 0, 1, 2, … by each number drawn.
    swaps: Vec<u32>,
}

impl Urn {
    /// A full urn of this many numbers.
    pub fn new(size: usize) -> Urn {
        Urn { slots: (0..size as u32).collect(), swaps: Vec::new() }
    }

    /// Draws one of the numbers below `bound` that are still in the urn; nothing where all of them are drawn.
    ///
    /// `bound` never shrinks between two calls of [`Urn::refill`].
    pub fn take(&mut self, stream: &mut Stream, bound: u32) -> Option<u32> {
        let drawn = self.swaps.len();
        let left = bound.checked_sub(drawn as u32).filter(|left| *left > 0)?;
        let other = drawn as u32 + stream.below(left);
        Some(self.exchange(drawn, other))
    }

    /// Draws again what led to these swaps.
    pub fn replay(&mut self, swaps: &[u32]) {
        for other in swaps {
            self.exchange(self.swaps.len(), *other);
        }
    }

    /// What was drawn since the last refill, in a form that [`Urn::replay`] understands.
    pub fn swaps(&self) -> &[u32] {
        &self.swaps
    }

    /// Puts all numbers back into their order.
    pub fn refill(&mut self) {
        for (drawn, other) in self.swaps.drain(..).enumerate() {
            self.slots[drawn] = drawn as u32;
            self.slots[other as usize] = other;
        }
    }

    fn exchange(&mut self, drawn: usize, other: u32) -> u32 {
        self.slots.swap(drawn, other as usize);
        self.swaps.push(other);
        self.slots[drawn]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;

    #[test]
    fn an_urn_gives_every_number_once_and_is_full_again_after_a_refill() {
        let mut stream = Stream::new(3, Purpose::Draw, 0);
        let mut urn = Urn::new(9);
        for bound in [9, 4, 9, 1] {
            let mut drawn: Vec<u32> = std::iter::from_fn(|| urn.take(&mut stream, bound)).collect();
            drawn.sort_unstable();
            assert_eq!(drawn, (0..bound).collect::<Vec<_>>());
            urn.refill();
            assert_eq!(urn.slots, (0..9).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_replayed_urn_goes_on_where_the_first_stood() {
        let (mut whole, mut parted) = (Urn::new(20), Urn::new(20));
        let mut stream = Stream::new(3, Purpose::Draw, 1);
        let mut again = stream.clone();
        let all: Vec<_> = (0..10).map(|_| whole.take(&mut stream, 20)).collect();
        let first: Vec<_> = (0..4).map(|_| parted.take(&mut again, 20)).collect();
        let swaps = parted.swaps().to_vec();
        parted.refill();
        parted.replay(&swaps);
        let second: Vec<_> = (4..10).map(|_| parted.take(&mut again, 20)).collect();
        assert_eq!(all, [first, second].concat());
    }
}
