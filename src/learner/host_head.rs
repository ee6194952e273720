//! Heads that are fitted on the host, one episode after another in double precision, and linear in the features.

use super::{Classifier, LearnError};
use crate::tensor::{Backend, HostBatch, TensorError, dense};
use crate::view::{Items, Scores, Support};
use crate::vocab::Meaning;

/// The support of one episode.
pub(super) struct Task<'a> {
    /// (support × dim)
    pub(super) rows: &'a [f64],
    pub(super) labels: &'a [u16],
    pub(super) way: usize,
    pub(super) dim: usize,
}

impl Task<'_> {
    /// Support items of each label.
    pub(super) fn counts(&self) -> Vec<f64> {
        let mut counts = vec![0.0; self.way];
        self.labels.iter().for_each(|label| counts[usize::from(*label)] += 1.0);
        counts
    }

    /// The mean of each label's items: (way × dim).
    pub(super) fn means(&self) -> Vec<f64> {
        let counts = self.counts();
        let mut shares = vec![0.0; self.labels.len() * self.way];
        for (row, label) in shares.chunks_exact_mut(self.way).zip(self.labels) {
            row[usize::from(*label)] = 1.0 / counts[usize::from(*label)];
        }
        let mut means = vec![0.0; self.way * self.dim];
        dense::combine(&shares, self.rows, self.dim, &mut means);
        means
    }

    /// The mean of all items (dim).
    pub(super) fn mean(&self) -> Vec<f64> {
        let share = 1.0 / self.labels.len() as f64;
        let mut mean = vec![0.0; self.dim];
        dense::combine(&vec![share; self.labels.len()], self.rows, self.dim, &mut mean);
        mean
    }
}

/// `(x − origin)·w + bias`.
pub(super) struct HostHead {
    /// (way × dim)
    pub(super) weights: Vec<f64>,
    /// (way)
    pub(super) bias: Vec<f64>,
    /// (dim)
    pub(super) origin: Vec<f64>,
}

impl HostHead {
    /// The scores of items (n × dim): (n × way).
    fn scores(&self, mut rows: Vec<f64>) -> Vec<f64> {
        let (dim, way) = (self.origin.len(), self.bias.len());
        subtract(&mut rows, &self.origin);
        let mut out = vec![0.0; rows.len() / dim.max(1) * way];
        dense::products(&rows, &self.weights, dim, &mut out);
        out.chunks_exact_mut(way).for_each(|row| row.iter_mut().zip(&self.bias).for_each(|(v, b)| *v += b));
        out
    }
}

/// Subtracts a point from every row.
pub(super) fn subtract(rows: &mut [f64], point: &[f64]) {
    let rows = rows.chunks_exact_mut(point.len().max(1));
    rows.for_each(|row| row.iter_mut().zip(point).for_each(|(x, p)| *x -= p));
}

/// The first `count` rows of an episode in double precision.
pub(super) fn rows(batch: &HostBatch, episode: usize, count: usize) -> Result<Vec<f64>, TensorError> {
    let mut raw = Vec::new();
    batch.read(episode, count, &mut raw)?;
    Ok(raw.iter().map(|x| f64::from(*x) * batch.unit()).collect())
}

/// What `fit` makes of the support of each episode of a batch.
pub(super) fn fitted<D: Backend, T>(
    support: &Support<D>,
    fit: impl Fn(&Task<'_>) -> Result<T, LearnError>,
) -> Result<Vec<T>, LearnError> {
    let batch = support.on_host()?;
    let one = |episode: usize| {
        let labels = support.labels().of(episode);
        let rows = rows(&batch, episode, labels.len())?;
        fit(&Task { rows: &rows, labels, way: support.way(), dim: support.dim() })
    };
    (0..support.episodes()).map(one).collect()
}

/// The scores that `answer` gives the items (n × dim) of each episode, by its place.
pub(super) fn scored<D: Backend>(
    items: &Items<D>,
    way: usize,
    meaning: Meaning,
    answer: impl Fn(usize, Vec<f64>) -> Result<Vec<f64>, LearnError>,
) -> Result<Scores<D>, LearnError> {
    let batch = items.on_host()?;
    let mut values = Vec::with_capacity(items.episodes() * items.count() * way);
    for episode in 0..items.episodes() {
        let scores = answer(episode, rows(&batch, episode, items.count())?)?;
        // Single precision reaches far enough for a score that is absurdly sure.
        let most = f64::from(f32::MAX) / 4.0;
        values.extend(scores.iter().map(|v| v.clamp(-most, most) as f32));
    }
    let values = items.device().tensor3((items.episodes(), items.count(), way), values)?;
    Ok(Scores { values, meaning })
}

/// A head per episode.
pub(super) struct HostHeads {
    pub(super) heads: Vec<HostHead>,
    pub(super) way: usize,
    pub(super) meaning: Meaning,
    pub(super) unconverged: usize,
}

impl<D: Backend> Classifier<D> for HostHeads {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        scored(items, self.way, self.meaning, |episode, rows| Ok(self.heads[episode].scores(rows)))
    }

    fn unconverged(&self) -> usize {
        self.unconverged
    }
}
