//! Few-shot least squares of big_vision (`fewshot_lsr`, as in Kolesnikov et al. 2020, "Big Transfer", arXiv:1912.11370, and Zhai et
//! al. 2022, "Scaling Vision Transformers", arXiv:2106.04560): ridge regression on whitened columns.
//!
//! Every column is centred and divided by its standard deviation over the support (plus 0.00001), a column of 100 takes the place of a
//! bias that is hardly penalised, and `‖XW − Y‖² + α‖W‖²` with targets ±1 is minimised; α = 1024 as there.

use super::host_head::{self, HostHead, HostHeads, Task, subtract};
use super::{
    Classifier, Inductive, LearnError, Learner, Parameter, Registry, Scale, Signature, transform_parameter,
};
use crate::rng::BatchRng;
use crate::tensor::matrix::Matrix;
use crate::tensor::{Backend, SpanOps, dense};
use crate::view::Support;
use crate::vocab::{Confidence, Meaning, Transform};

/// The column that stands for a bias, and what is added to standard deviations.
const CONSTANT: f64 = 100.0;
const TINY: f64 = 1e-5;

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "ridge regression on whitened columns (big_vision's fewshot_lsr)";
    let mut ridge = Signature::new("whitened-ridge", about);
    let alpha = Parameter::real("alpha", 1024.0, 1e-6, 1e9, "L2 penalty");
    let alpha = ridge.parameter(alpha.search(Scale::Log, 1.0, 1e6));
    let transform = ridge.parameter(transform_parameter(Transform::None));
    list.add(ridge, move |p| {
        let learner = Learner::inductive(WhitenedRidge { alpha: p[alpha] }).with_transform(p[transform]);
        // Columns are whitened one by one.
        Ok(learner.with_confidence(Confidence::Lead).with_invariances(&[]).weighing_columns_alike())
    });
}

struct WhitenedRidge {
    alpha: f64,
}

impl WhitenedRidge {
    fn fit(&self, task: &Task<'_>) -> Result<HostHead, LearnError> {
        let (dim, way, count) = (task.dim, task.way, task.labels.len());
        let origin = task.mean();
        let mut rows = task.rows.to_vec();
        subtract(&mut rows, &origin);
        let mut deviations = vec![0.0; dim];
        for row in rows.chunks_exact(dim) {
            deviations.iter_mut().zip(row).for_each(|(d, x)| *d += x * x / count as f64);
        }
        deviations.iter_mut().for_each(|d| *d = d.sqrt() + TINY);
        rows.chunks_exact_mut(dim).for_each(|row| row.iter_mut().zip(&deviations).for_each(|(x, d)| *x /= d));
        let mut gram = vec![0.0; count * count];
        dense::products(&rows, &rows, dim, &mut gram);
        gram.iter_mut().for_each(|v| *v += CONSTANT * CONSTANT);
        let mut targets = vec![-1.0; count * way];
        for (row, label) in targets.chunks_exact_mut(way).zip(task.labels) {
            row[usize::from(*label)] = 1.0;
        }
        let gram = Matrix::new(count, count, gram)?.plus_diagonal(self.alpha);
        let shares = gram.solve(&Matrix::new(count, way, targets)?)?;
        let mut weights = vec![0.0; way * dim];
        dense::combine(shares.values(), &rows, dim, &mut weights);
        weights
            .chunks_exact_mut(dim)
            .for_each(|row| row.iter_mut().zip(&deviations).for_each(|(w, d)| *w /= d));
        let sum = |label: usize| shares.values().iter().skip(label).step_by(way).sum::<f64>();
        let bias = (0..way).map(|label| CONSTANT * CONSTANT * sum(label)).collect();
        Ok(HostHead { weights, bias, origin })
    }
}

impl<D: Backend> Inductive<D> for WhitenedRidge {
    fn adapt(&self, support: &Support<D>, _: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let heads = host_head::fitted(support, |task| self.fit(task))?;
        Ok(Box::new(HostHeads { heads, way: support.way(), meaning: Meaning::Ranking, unconverged: 0 }))
    }
}
