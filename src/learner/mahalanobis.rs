//! The Mahalanobis head of Simple CNAPS (Bateni, Goyal, Masrani, Wood and Sigal 2020, "Improved Few-Shot Visual
//! Classification", arXiv:1912.03432).
//!
//! The logit of a label is `−½(x − μ)ᵀQ⁻¹(x − μ)` with its mean μ and `Q = λ·Σ_k + (1 − λ)·Σ + β·I`, λ = n/(n + 1), where Σ_k is the
//! covariance of its n support items and Σ that of the whole support (eqs. 2 and 3), both divided by the number of items less one;
//! β = 1.
//!
//! Differs from the paper: the features are given, not modulated by a set encoder.

use super::host_head::{self, Task, subtract};
use super::{
    Change, Classifier, Inductive, LearnError, Learner, Parameter, Registry, Scale, Signature,
    transform_parameter,
};
use crate::rng::BatchRng;
use crate::tensor::matrix::Matrix;
use crate::tensor::{Backend, SpanOps, dense};
use crate::view::{Items, Scores, Support};
use crate::vocab::{Confidence, Meaning, Transform};

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "Mahalanobis distance with a covariance per label (Simple CNAPS, Bateni et al. 2020)";
    let mut mahalanobis = Signature::new("mahalanobis", about);
    mahalanobis.alias("simple-cnaps", &[]);
    let beta = Parameter::real("beta", 1.0, 1e-9, 1e9, "multiple of the identity in every covariance");
    let beta = mahalanobis.parameter(beta.search(Scale::Log, 1e-3, 1e3));
    let transform = mahalanobis.parameter(transform_parameter(Transform::None));
    list.add(mahalanobis, move |p| {
        let invariances: &[Change] = match p[transform] {
            Transform::None => &[Change::Rotation, Change::Shift],
            _ => &[Change::Rotation],
        };
        let learner = Learner::inductive(Mahalanobis { beta: p[beta] }).with_transform(p[transform]);
        Ok(learner.with_confidence(Confidence::Score).with_invariances(invariances))
    });
}

struct Mahalanobis {
    beta: f64,
}

/// One label of an episode: its mean (dim), B (n × dim) with `Q = βI + BᵀB`, and `βI + BBᵀ`.
struct Ellipsoid {
    mean: Vec<f64>,
    axes: Vec<f64>,
    inner: Matrix,
}

impl Mahalanobis {
    fn fit(&self, task: &Task<'_>) -> Result<Vec<Ellipsoid>, LearnError> {
        let (dim, count) = (task.dim, task.labels.len());
        let means = task.means();
        let mut all = task.rows.to_vec();
        subtract(&mut all, &task.mean());
        let factor = 1.0 / (count as f64 - 1.0).max(1.0);
        let one = |(label, own): (usize, f64)| {
            let share = own / (own + 1.0);
            let mean = means[label * dim..(label + 1) * dim].to_vec();
            let of_all = ((1.0 - share) * factor).sqrt();
            let of_own = (share / (own - 1.0).max(1.0)).sqrt();
            let mut axes: Vec<f64> = all.iter().map(|x| x * of_all).collect();
            for (row, _) in
                task.rows.chunks_exact(dim).zip(task.labels).filter(|(_, l)| usize::from(**l) == label)
            {
                axes.extend(row.iter().zip(&mean).map(|(x, m)| (x - m) * of_own));
            }
            let n = axes.len() / dim;
            let mut inner = vec![0.0; n * n];
            dense::products(&axes, &axes, dim, &mut inner);
            Ok(Ellipsoid { mean, axes, inner: Matrix::new(n, n, inner)?.plus_diagonal(self.beta) })
        };
        task.counts().into_iter().enumerate().map(one).collect()
    }
}

impl<D: Backend> Inductive<D> for Mahalanobis {
    fn adapt(&self, support: &Support<D>, _: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let episodes = host_head::fitted(support, |task| self.fit(task))?;
        Ok(Box::new(Ellipsoids { episodes, beta: self.beta, way: support.way() }))
    }
}

struct Ellipsoids {
    episodes: Vec<Vec<Ellipsoid>>,
    beta: f64,
    way: usize,
}

impl Ellipsoid {
    /// `−½·vᵀQ⁻¹v` of rows seen from the mean, with `Q⁻¹ = (I − Bᵀ(βI + BBᵀ)⁻¹B)/β`.
    fn logits(&self, rows: &[f64], beta: f64) -> Result<Vec<f64>, LearnError> {
        let dim = self.mean.len();
        let mut rows = rows.to_vec();
        subtract(&mut rows, &self.mean);
        let (n, count) = (self.inner.rows(), rows.len() / dim);
        let mut along = vec![0.0; n * count];
        dense::products(&self.axes, &rows, dim, &mut along);
        let along = Matrix::new(n, count, along)?;
        let solved = self.inner.solve(&along)?;
        let mut taken = vec![0.0; count];
        for (a, b) in along.values().chunks_exact(count).zip(solved.values().chunks_exact(count)) {
            taken.iter_mut().zip(a.iter().zip(b)).for_each(|(t, (a, b))| *t += a * b);
        }
        let norms = dense::squared_norms(&rows, dim);
        Ok(norms.iter().zip(taken).map(|(norm, taken)| -0.5 * (norm - taken).max(0.0) / beta).collect())
    }
}

impl<D: Backend> Classifier<D> for Ellipsoids {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        host_head::scored(items, self.way, Meaning::Logits, |episode, rows| {
            let columns: Vec<Vec<f64>> = self.episodes[episode]
                .iter()
                .map(|label| label.logits(&rows, self.beta))
                .collect::<Result<_, _>>()?;
            let count = columns.first().map_or(0, Vec::len);
            Ok((0..count).flat_map(|item| columns.iter().map(move |column| column[item])).collect())
        })
    }
}
