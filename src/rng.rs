//! Random numbers that can be asked for again: one independent stream per (seed, purpose, number).
//!
//! A stream is ChaCha8 with the seed in the first eight bytes of its key and `purpose << 32 | number` as its stream
//! number. What is drawn for one episode never depends on another. Bounded integers and shuffles are our own, because
//! those of `rand` may change between versions, and a frozen draw must not.

use std::fmt;

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a stream is for; two purposes never share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Which classes and items an episode holds.
    Draw = 1,
    /// A learner's own rng: mini-batches, initial weights.
    Learner = 3,
    /// Embedded datasets.
    Dataset = 4,
    /// Resampling in statistics.
    Resampling = 5,
    /// Training of a backbone.
    Training = 6,
    /// Answers that an audit permutes.
    Audit = 7,
    /// Episodes that set a threshold of confidence.
    Threshold = 13,
    /// Labels of supports that a control shuffles.
    Shuffle = 14,
    /// Where a selection looks.
    Selection = 12,
}

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of a seed, a purpose and a number (of an episode, a class, …).
    pub fn new(seed: u64, purpose: Purpose, number: u32) -> Stream {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream((purpose as u64) << 32 | u64::from(number));
        Stream(rng)
    }

    /// The stream of a secret: nobody who does not know all of `key` can make it again.
    pub fn of_key(key: [u8; 32]) -> Stream {
        Stream(ChaCha8Rng::from_seed(key))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A whole number in `0..bound`, each equally likely; 0 when `bound` is 0 or 1.
    ///
    /// Lemire 2019, "Fast random integer generation in an interval": the high half of a 32 × 32 bit product, with
    /// rejection of the few products that would make some numbers likelier.
    pub fn below(&mut self, bound: u32) -> u32 {
        if bound <= 1 {
            return 0;
        }
        let mut product = u64::from(self.0.next_u32()) * u64::from(bound);
        if (product as u32) < bound {
            let threshold = bound.wrapping_neg() % bound;
            while (product as u32) < threshold {
                product = u64::from(self.0.next_u32()) * u64::from(bound);
            }
        }
        (product >> 32) as u32
    }

    /// A number in `[0, 1)` with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A standard normal number (Box–Muller, the cosine half).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Moves `count` random elements, in random order, to the front (Fisher–Yates, stopped early).
    pub fn choose<T>(&mut self, pool: &mut [T], count: usize) {
        let count = count.min(pool.len());
        for i in 0..count {
            let j = i + self.below((pool.len() - i) as u32) as usize;
            pool.swap(i, j);
        }
    }

    /// Puts all elements into random order.
    pub fn shuffle<T>(&mut self, pool: &mut [T]) {
        self.choose(pool, pool.len());
    }
}

/// A learner's random numbers for a batch of episodes: a stream per episode, by the seed of the run and the episode's number.
#[derive(Clone, Copy)]
pub struct BatchRng<'a> {
    seed: u64,
    episodes: &'a [u32],
}

impl fmt::Debug for BatchRng<'_> {
    /// How many streams there are. The seed and the numbers of the episodes are not for learners.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BatchRng({} episodes)", self.episodes.len())
    }
}

impl<'a> BatchRng<'a> {
    /// Streams for the episodes with these numbers.
    pub fn new(seed: u64, episodes: &'a [u32]) -> BatchRng<'a> {
        BatchRng { seed, episodes }
    }

    /// The batch that has the episode at `place` alone.
    pub fn only(&self, place: usize) -> BatchRng<'a> {
        BatchRng { seed: self.seed, episodes: &self.episodes[place..=place] }
    }

    /// The stream of the batch's episode at `place`; the same whatever else is in the batch.
    pub fn stream(&self, place: usize) -> Stream {
        Stream::new(self.seed, Purpose::Learner, self.episodes[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_a_function_of_seed_purpose_and_number() {
        let first = |s, p, n| Stream::new(s, p, n).bits();
        assert_eq!(first(7, Purpose::Draw, 3), first(7, Purpose::Draw, 3));
        assert_ne!(first(7, Purpose::Draw, 3), first(7, Purpose::Draw, 4));
        assert_ne!(first(7, Purpose::Draw, 3), first(7, Purpose::Learner, 3));
        assert_ne!(first(7, Purpose::Draw, 3), first(8, Purpose::Draw, 3));
    }

    #[test]
    fn bounded_integers_are_uniform_and_in_range() {
        let mut stream = Stream::new(1, Purpose::Draw, 0);
        let mut counts = [0u32; 7];
        for _ in 0..70_000 {
            counts[stream.below(7) as usize] += 1;
        }
        // Five standard deviations of a binomial(70,000, 1/7) are 463.
        assert!(counts.iter().all(|c| c.abs_diff(10_000) < 463), "{counts:?}");
        assert_eq!((stream.below(0), stream.below(1)), (0, 0));
    }

    #[test]
    fn choosing_keeps_the_elements() {
        let mut pool: Vec<u32> = (0..20).collect();
        Stream::new(5, Purpose::Draw, 9).choose(&mut pool, 4);
        let mut sorted = pool.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..20).collect::<Vec<_>>());
        Stream::new(5, Purpose::Draw, 9).choose(&mut pool, 99);
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_variance_one() {
        let mut stream = Stream::new(2, Purpose::Dataset, 0);
        let draws: Vec<f64> = (0..100_000).map(|_| stream.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 1e5;
        let variance = draws.iter().map(|x| x * x).sum::<f64>() / 1e5 - mean * mean;
        assert!(mean.abs() < 0.016 && (variance - 1.0).abs() < 0.023, "{mean} {variance}");
    }
}
