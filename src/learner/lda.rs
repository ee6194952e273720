//! Linear discriminant analysis with shrinkage (Fisher 1936; Friedman 1989, "Regularized Discriminant Analysis").
//!
//! The logit of a label is `x·Σ⁻¹μ − ½μ·Σ⁻¹μ + ln π` with its mean μ, its share π of the support, and the covariance within labels shrunk to
//! a multiple of the identity, `Σ = (1 − s)·W + s·tr(W)/dim·I`: scikit-learn's `LinearDiscriminantAnalysis(solver = "lsqr", shrinkage = s)`.
//! At one shot, where nothing is known of W, Σ is the identity and the answers are those of the nearest mean.

use super::host_head::{self, HostHead, HostHeads, Task, subtract};
use super::{
    Change, Classifier, Inductive, LearnError, Learner, Parameter, Registry, Scale, Signature,
    transform_parameter,
};
use crate::rng::BatchRng;
use crate::tensor::matrix::Matrix;
use crate::tensor::{Backend, SpanOps, dense};
use crate::view::Support;
use crate::vocab::{Meaning, Transform};

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "linear discriminant analysis with a shrunk covariance (Friedman 1989)";
    let mut lda = Signature::new("lda", about);
    let shrinkage = Parameter::real("shrinkage", 0.5, 1e-6, 1.0, "share of the identity in the covariance");
    let shrinkage = lda.parameter(shrinkage.search(Scale::Log, 1e-3, 1.0));
    let transform = lda.parameter(transform_parameter(Transform::None));
    list.add(lda, move |p| {
        // All of it follows the features, but for the scale of a covariance of nothing.
        let invariances: &[Change] = match p[transform] {
            Transform::None => &[Change::Rotation, Change::Shift],
            _ => &[Change::Rotation],
        };
        let learner = Learner::inductive(Lda { shrinkage: p[shrinkage] }).with_transform(p[transform]);
        Ok(learner.with_invariances(invariances))
    });
}

struct Lda {
    shrinkage: f64,
}

impl Lda {
    fn fit(&self, task: &Task<'_>) -> Result<HostHead, LearnError> {
        let (dim, way, count) = (task.dim, task.way, task.labels.len());
        let origin = task.mean();
        let mut rows = task.rows.to_vec();
        subtract(&mut rows, &origin);
        let centred = Task { rows: &rows, ..*task };
        let means = centred.means();
        let mut within = rows.clone();
        for (row, label) in within.chunks_exact_mut(dim).zip(task.labels) {
            subtract(row, &means[usize::from(*label) * dim..][..dim]);
        }
        let total: f64 = within.iter().map(|x| x * x).sum::<f64>() / count as f64;
        // A covariance of rounding alone is none.
        let (ridge, factor) = match total > 1e-24 * rows.iter().map(|x| x * x).sum::<f64>() {
            true => (self.shrinkage * total / dim as f64, ((1.0 - self.shrinkage) / count as f64).sqrt()),
            false => (1.0, 0.0),
        };
        within.iter_mut().for_each(|x| *x *= factor);
        let weights = inverse_times(&within, ridge, &means, dim)?;
        let shares: Vec<f64> = task.counts().iter().map(|n| n / count as f64).collect();
        let half = |label: usize| -> f64 {
            let (w, m) = (&weights[label * dim..][..dim], &means[label * dim..][..dim]);
            0.5 * w.iter().zip(m).map(|(w, m)| w * m).sum::<f64>()
        };
        let bias = (0..way).map(|label| shares[label].ln() - half(label)).collect();
        Ok(HostHead { weights, bias, origin })
    }
}

/// `(BᵀB + r·I)⁻¹·m` for every row m of `points` (count × dim), with B (n × dim), by way of n × n (Woodbury):
/// `(m − Bᵀ(r·I + BBᵀ)⁻¹B·m)/r`.
pub(super) fn inverse_times(
    b: &[f64],
    ridge: f64,
    points: &[f64],
    dim: usize,
) -> Result<Vec<f64>, LearnError> {
    let (n, count) = (b.len() / dim, points.len() / dim);
    let mut inner = vec![0.0; n * n];
    dense::products(b, b, dim, &mut inner);
    let mut along = vec![0.0; n * count];
    dense::products(b, points, dim, &mut along);
    let inner = Matrix::new(n, n, inner)?.plus_diagonal(ridge);
    let shares = inner.solve(&Matrix::new(n, count, along)?)?;
    let mut taken = vec![0.0; count * dim];
    dense::combine(shares.values(), b, dim, &mut taken);
    Ok(points.iter().zip(taken).map(|(m, t)| (m - t) / ridge).collect())
}

impl<D: Backend> Inductive<D> for Lda {
    fn adapt(&self, support: &Support<D>, _: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let heads = host_head::fitted(support, |task| self.fit(task))?;
        Ok(Box::new(HostHeads { heads, way: support.way(), meaning: Meaning::Logits, unconverged: 0 }))
    }
}
