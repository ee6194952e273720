//! Small episodes as plain numbers.

use crate::rng::{Purpose, Stream};
use crate::vocab::Transform;

/// The seed of all made-up episodes.
const SEED: u64 = 20_170_315;
/// The mean of the base items of made-up features, in every column: what `cl2n` subtracts.
const BASE_MEAN: f64 = 0.25;

/// Class embeddings have streams of their own, this far from those of the items.
const VECTORS: u32 = 1 << 20;

/// One item: its features and its label.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Example {
    pub features: Vec<f32>,
    pub label: u16,
}

/// One episode.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Toy {
    pub way: usize,
    pub dim: usize,
    pub support: Vec<Example>,
    pub query: Vec<Example>,
    /// One vector per label, near the centre of its class.
    pub vectors: Vec<Vec<f32>>,
}

/// The sizes of an episode.
#[derive(Clone, Copy)]
pub(super) struct Size<'a> {
    /// Support items of each label; as many labels as numbers.
    pub shots: &'a [usize],
    /// Queries per label.
    pub query: usize,
    /// Numbers per item.
    pub dim: usize,
}

impl Toy {
    /// Round classes of variance one; `mean` gives the centre of a label. The order of the items tells nothing.
    pub fn round(number: u32, size: Size<'_>, mean: impl Fn(&mut Stream, usize) -> Vec<f64>) -> Toy {
        let mut stream = Stream::new(SEED, Purpose::Dataset, number);
        let mut aside = Stream::new(SEED, Purpose::Dataset, number + VECTORS);
        let (mut support, mut query, mut vectors) = (Vec::new(), Vec::new(), Vec::new());
        for (label, shot) in size.shots.iter().enumerate() {
            let centre = mean(&mut stream, label);
            vectors.push(centre.iter().map(|m| (m + 0.3 * aside.normal()) as f32).collect());
            let mut example = || Example {
                features: centre.iter().map(|m| (m + stream.normal()) as f32).collect(),
                label: label as u16,
            };
            support.extend((0..*shot).map(|_| example()));
            query.extend((0..size.query).map(|_| example()));
        }
        stream.shuffle(&mut support);
        stream.shuffle(&mut query);
        Toy { way: size.shots.len(), dim: size.dim, support, query, vectors }
    }

    /// Classes that overlap: their means are as far apart as their items.
    pub fn ordinary(number: u32, size: Size<'_>) -> Toy {
        Toy::round(number, size, |stream, _| (0..size.dim).map(|_| stream.normal()).collect())
    }

    /// Items that have nothing to do with their labels.
    pub fn noise(number: u32, size: Size<'_>) -> Toy {
        Toy::round(number, size, |_, _| vec![0.0; size.dim])
    }

    /// Every number of every item replaced.
    pub fn map(mut self, change: impl Fn(f32) -> f32) -> Toy {
        let all = self.support.iter_mut().chain(&mut self.query);
        all.flat_map(|e| &mut e.features).for_each(|x| *x = change(*x));
        self
    }

    /// Every item changed.
    pub fn map_rows(mut self, change: impl Fn(&mut [f32])) -> Toy {
        self.support.iter_mut().chain(&mut self.query).for_each(|example| change(&mut example.features));
        self
    }

    /// Every item and every class embedding changed.
    pub fn map_all(mut self, change: impl Fn(&mut [f32])) -> Toy {
        self.vectors.iter_mut().for_each(|vector| change(vector));
        self.map_rows(change)
    }

    /// The features as a learner gets them that takes this transform.
    pub fn transformed(&self, transform: Transform) -> Toy {
        let shift = if transform == Transform::Cl2n { BASE_MEAN } else { 0.0 };
        let mut toy = self.clone();
        if transform == Transform::None {
            return toy;
        }
        for example in toy.support.iter_mut().chain(&mut toy.query) {
            let moved: Vec<f64> = example.features.iter().map(|x| f64::from(*x) - shift).collect();
            let norm = moved.iter().map(|x| x * x).sum::<f64>().sqrt();
            let scale = if norm > 0.0 { 1.0 / norm } else { 0.0 };
            example.features.iter_mut().zip(moved).for_each(|(x, m)| *x = (m * scale) as f32);
        }
        toy
    }
}
