//! Chance, dealt in small pieces: a study needs many normal numbers and many small chances.

use kshot::rng::{Purpose, Stream};

/// A random stream that throws nothing away.
pub struct Dice {
    pub stream: Stream,
    /// The other half of the last pair of normal numbers.
    normal: Option<f64>,
    word: u64,
    left: u32,
}

impl Dice {
    pub fn new(seed: u64, purpose: Purpose, number: u32) -> Dice {
        Dice { stream: Stream::new(seed, purpose, number), normal: None, word: 0, left: 0 }
    }

    /// A standard normal number (Box–Muller, both halves).
    pub fn normal(&mut self) -> f64 {
        if let Some(normal) = self.normal.take() {
            return normal;
        }
        let radius = (-2.0 * (1.0 - self.stream.unit()).ln()).sqrt();
        let (sine, cosine) = (std::f64::consts::TAU * self.stream.unit()).sin_cos();
        self.normal = Some(radius * sine);
        radius * cosine
    }

    /// An exponential number of mean 1.
    pub fn exponential(&mut self) -> f64 {
        -(1.0 - self.stream.unit()).ln()
    }

    /// Whether a thing of this chance happens, in units of 1/65,536.
    pub fn happens(&mut self, chance: i32) -> bool {
        if self.left == 0 {
            (self.word, self.left) = (self.stream.bits(), 4);
        }
        let drawn = (self.word & 0xffff) as i32;
        (self.word, self.left) = (self.word >> 16, self.left - 1);
        drawn < chance
    }

    /// A whole number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.stream.below(bound as u32) as usize
    }
}
