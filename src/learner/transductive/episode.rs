//! One episode on the host: its support and its queries as rows of numbers.

use crate::learner::LearnError;
use crate::tensor::dense::{self, Real};
use crate::tensor::{Backend, Tensor3};
use crate::view::{Items, Support};

/// Items count as near each other, and far from zero, where the sum of their squared distances from their mean is below this
/// share of the sum of their squared norms: single precision then keeps too little of what they differ in.
const NEAR: f64 = 1.0 / 256.0;

/// The support of an episode, then its queries.
pub(super) struct Episode<'a> {
    raw: &'a [f32],
    unit: f64,
    pub(super) dim: usize,
    pub(super) labels: &'a [u16],
    pub(super) way: usize,
}

impl Episode<'_> {
    /// Support items.
    pub(super) fn support(&self) -> usize {
        self.labels.len()
    }

    /// Queries.
    pub(super) fn queries(&self) -> usize {
        self.raw.len() / self.dim.max(1) - self.support()
    }

    /// Support items of each label.
    pub(super) fn counts(&self) -> Vec<f64> {
        let mut counts = vec![0.0; self.way];
        self.labels.iter().for_each(|label| counts[usize::from(*label)] += 1.0);
        counts
    }

    /// 1 where a support item has the label: (support × way).
    pub(super) fn one_hot(&self) -> Vec<f64> {
        let mut out = vec![0.0; self.support() * self.way];
        for (row, label) in out.chunks_exact_mut(self.way).zip(self.labels) {
            row[usize::from(*label)] = 1.0;
        }
        out
    }

    /// The rows of all items in double precision.
    pub(super) fn rows(&self) -> Vec<f64> {
        self.raw.iter().map(|x| f64::from(*x) * self.unit).collect()
    }

    /// The rows in double precision seen from their mean, where only distances count: what all have in common takes no digits.
    pub(super) fn centred(&self) -> Vec<f64> {
        let mut rows = self.rows();
        let mean = mean(&rows, self.dim);
        subtract(&mut rows, &mean);
        rows
    }

    /// The rows in single precision, where that is enough.
    pub(super) fn single(&self) -> Option<&[f32]> {
        let norms: f64 = dense::squared_norms(self.raw, self.dim).iter().map(|norm| f64::from(*norm)).sum();
        let count = self.support() + self.queries();
        let mut sum = vec![0.0; self.dim];
        dense::combine(&vec![1.0; count], self.raw, self.dim, &mut sum);
        let common = sum.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / count as f64;
        (self.unit == 1.0 && norms - common >= NEAR * norms).then_some(self.raw)
    }

    /// The mean of each label's support items among `rows`: (way × dim).
    pub(super) fn means<T: Real>(&self, rows: &[T]) -> Vec<T> {
        let counts = self.counts();
        let mut shares = vec![T::ZERO; self.support() * self.way];
        for (row, label) in shares.chunks_exact_mut(self.way).zip(self.labels) {
            row[usize::from(*label)] = T::of(1.0 / counts[usize::from(*label)]);
        }
        let mut means = vec![T::ZERO; self.way * self.dim];
        dense::combine(&shares, &rows[..self.support() * self.dim], self.dim, &mut means);
        means
    }
}

/// The mean of rows (n × dim).
pub(super) fn mean(rows: &[f64], dim: usize) -> Vec<f64> {
    let count = rows.len() / dim.max(1);
    let mut mean = vec![0.0; dim];
    dense::combine(&vec![1.0 / count.max(1) as f64; count], rows, dim, &mut mean);
    mean
}

/// Subtracts a point from every row.
pub(super) fn subtract(rows: &mut [f64], point: &[f64]) {
    let rows = rows.chunks_exact_mut(point.len().max(1));
    rows.for_each(|row| row.iter_mut().zip(point).for_each(|(x, p)| *x -= p));
}

/// `‖x − c‖²` of all rows (n × dim) and centres (count × dim): (n × count), never below 0.
pub(super) fn squared_distances(rows: &[f64], centres: &[f64], dim: usize) -> Vec<f64> {
    let count = centres.len() / dim.max(1);
    let mut out = vec![0.0; rows.len() / dim.max(1) * count];
    dense::products(rows, centres, dim, &mut out);
    let (of_rows, of_centres) = (dense::squared_norms(rows, dim), dense::squared_norms(centres, dim));
    for (out, x) in out.chunks_exact_mut(count.max(1)).zip(of_rows) {
        out.iter_mut().zip(&of_centres).for_each(|(o, c)| *o = (x + c - 2.0 * *o).max(0.0));
    }
    out
}

/// The place of the largest number, of equals the first.
pub(super) fn best(row: &[f64]) -> usize {
    (0..row.len()).fold(0, |best, place| if row[place] > row[best] { place } else { best })
}

/// The scores (episodes, queries, way) that `answer` gives the queries of each episode (queries × way).
pub(super) fn each<D: Backend>(
    support: &Support<D>,
    query: &Items<D>,
    answer: impl Fn(&Episode<'_>) -> Vec<f64>,
) -> Result<Tensor3<D>, LearnError> {
    let (supports, queries) = (support.on_host()?, query.on_host()?);
    let (episodes, count, way) = (support.episodes(), query.count(), support.way());
    let mut values = Vec::with_capacity(episodes * count * way);
    let mut raw = Vec::new();
    for place in 0..episodes {
        let labels = support.labels().of(place);
        raw.clear();
        supports.read(place, labels.len(), &mut raw)?;
        queries.read(place, count, &mut raw)?;
        let episode = Episode { raw: &raw, unit: query.unit(), dim: query.dim(), labels, way };
        // Single precision reaches far enough for a score that is absurdly sure.
        let most = f64::from(f32::MAX) / 4.0;
        values.extend(answer(&episode).iter().map(|v| v.clamp(-most, most) as f32));
    }
    Ok(query.device().tensor3((episodes, count, way), values)?)
}
