//! The support vector machine of MetaOptNet (Lee, Maji, Ravichandran and Soatto 2019, "Meta-Learning with Differentiable Convex
//! Optimization", arXiv:1904.03758) in the form of Crammer and Singer 2001.
//!
//! Minimises `½Σ‖w‖² + c·Σᵢ max_k(1 − [k = yᵢ] + w_k·xᵢ − w_yᵢ·xᵢ)` without bias (eq. 9), c = 0.1: scikit-learn's
//! `LinearSVC(multi_class = "crammer_singer", fit_intercept = False)`. Solved in the dual, one support item after another in closed
//! form (Keerthi et al. 2008, "A Sequential Dual Method for Large Scale Multi-Class Linear SVMs").
//!
//! Differs from the paper: the features are given, and the learned scale of the scores is left out, as these only rank.

use super::host_head::{self, HostHead, HostHeads, Task};
use super::{
    Classifier, Inductive, LearnError, Learner, Parameter, Registry, Scale, Signature, transform_parameter,
};
use crate::rng::BatchRng;
use crate::tensor::{Backend, SpanOps, dense};
use crate::view::Support;
use crate::vocab::{Confidence, Meaning, Transform};

/// Sweeps over the support at most, and the largest violation of an optimum that ends them.
const SWEEPS: (usize, f64) = (2000, 1e-7);

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "multi-class support vector machine of Crammer and Singer (MetaOptNet, Lee et al. 2019)";
    let mut svm = Signature::new("metaoptnet-svm", about);
    let c = Parameter::real("c", 0.1, 1e-6, 1e4, "weight of the loss").alias("C");
    let c = svm.parameter(c.search(Scale::Log, 1e-2, 1e2));
    let transform = svm.parameter(transform_parameter(Transform::L2n));
    list.add(svm, move |p| {
        let learner = Learner::inductive(CrammerSinger { c: p[c] }).with_transform(p[transform]);
        Ok(learner.with_confidence(Confidence::Lead))
    });
}

struct CrammerSinger {
    c: f64,
}

impl CrammerSinger {
    /// The head, and whether its fit converged.
    fn fit(&self, task: &Task<'_>) -> (HostHead, bool) {
        let (dim, way, count) = (task.dim, task.way, task.labels.len());
        let mut gram = vec![0.0; count * count];
        dense::products(task.rows, task.rows, dim, &mut gram);
        // Shares of the items in the weights, Σ_k α_ik = 0 and α_ik ≤ c where k is the label of i, else 0; and the scores.
        let (mut shares, mut scores) = (vec![0.0; count * way], vec![0.0; count * way]);
        let mut converged = false;
        for _ in 0..SWEEPS.0 {
            let mut worst = 0.0f64;
            for item in 0..count {
                let (curvature, truth) = (gram[item * count + item], usize::from(task.labels[item]));
                if curvature <= 0.0 {
                    continue;
                }
                let own = &shares[item * way..(item + 1) * way];
                let slope = |k: usize| scores[item * way + k] + f64::from(u8::from(k != truth));
                let free = |k: usize| own[k] < if k == truth { self.c } else { 0.0 };
                let highest = (0..way).map(slope).fold(f64::NEG_INFINITY, f64::max);
                let lowest = (0..way).filter(|k| free(*k)).map(slope).fold(f64::INFINITY, f64::min);
                worst = worst.max(highest - lowest);
                let rest: Vec<f64> = (0..way).map(|k| slope(k) - curvature * own[k]).collect();
                let fresh = balanced(&rest, curvature, self.c, truth);
                let moved: Vec<f64> = fresh.iter().zip(own).map(|(new, old)| new - old).collect();
                shares[item * way..(item + 1) * way].copy_from_slice(&fresh);
                for (row, product) in
                    scores.chunks_exact_mut(way).zip(&gram[item * count..(item + 1) * count])
                {
                    row.iter_mut().zip(&moved).for_each(|(s, m)| *s += product * m);
                }
            }
            if worst <= SWEEPS.1 {
                converged = true;
                break;
            }
        }
        let mut weights = vec![0.0; way * dim];
        dense::combine(&shares, task.rows, dim, &mut weights);
        (HostHead { weights, bias: vec![0.0; way], origin: vec![0.0; dim] }, converged)
    }
}

/// The minimum of `½·curvature·‖a‖² + rest·a` with `Σ a = 0` and `a_k ≤ c` for the truth, else 0: `a_k = min(bound_k, (β − rest_k)/curvature)`.
fn balanced(rest: &[f64], curvature: f64, c: f64, truth: usize) -> Vec<f64> {
    let bound = |k: usize| if k == truth { c } else { 0.0 };
    let mut ends: Vec<f64> = (0..rest.len()).map(|k| rest[k] + curvature * bound(k)).collect();
    ends.sort_by(|a, b| b.total_cmp(a));
    // Below its end a label is at its bound; β is where those above it balance.
    let mut sum = ends[0] - curvature * c;
    let mut count = 1;
    while count < ends.len() && sum < count as f64 * ends[count] {
        sum += ends[count];
        count += 1;
    }
    let level = sum / count as f64;
    (0..rest.len()).map(|k| bound(k).min((level - rest[k]) / curvature)).collect()
}

impl<D: Backend> Inductive<D> for CrammerSinger {
    fn adapt(&self, support: &Support<D>, _: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let fits = host_head::fitted(support, |task| Ok(self.fit(task)))?;
        let unconverged = fits.iter().filter(|(_, converged)| !converged).count();
        let heads = fits.into_iter().map(|(head, _)| head).collect();
        Ok(Box::new(HostHeads { heads, way: support.way(), meaning: Meaning::Ranking, unconverged }))
    }
}
