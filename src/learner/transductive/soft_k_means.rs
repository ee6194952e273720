//! Soft k-means of prototypes (Ren et al. 2018, "Meta-Learning for Semi-Supervised Few-Shot Classification",
//! arXiv:1803.00676), with the queries as the unlabelled items.
//!
//! Each step gives a query to the labels by `softmax(−‖x − m‖²)` and takes as `m` the mean of the support, with weight 1, and of the
//! queries by their shares (eq. 3). A query's probability is the softmax once more. `steps = 1` is the paper's choice.
//!
//! Differs from the paper: the queries take the place of a set of unlabelled items that are not asked about; and squared distances can be
//! multiplied by `scale`, because the features are given, not trained with this head.

use super::episode::{self, Episode, squared_distances};
use crate::learner::{
    LearnError, Learner, Parameter, Registry, Scale, Signature, Transductive, transform_parameter,
};
use crate::rng::BatchRng;
use crate::tensor::{Backend, SpanOps, dense};
use crate::view::{Items, Scores, Support};
use crate::vocab::{Confidence, Transform};

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "class means refined by the shares of queries (Ren et al. 2018)";
    let mut k_means = Signature::new("soft-k-means", about);
    let scale = Parameter::real("scale", 1.0, 1e-6, 1e6, "factor on the squared distances");
    let scale = k_means.parameter(scale.search(Scale::Log, 0.1, 100.0));
    let steps = Parameter::whole("steps", 1, 1, 1000, "refinements of the means");
    let steps = k_means.parameter(steps.search(Scale::Log, 1.0, 20.0));
    let transform = k_means.parameter(transform_parameter(Transform::None));
    list.add(k_means, move |p| {
        let learner = Learner::transductive(SoftKMeans { scale: p[scale], steps: p[steps] });
        Ok(learner.with_transform(p[transform]).with_confidence(Confidence::Score))
    });
}

struct SoftKMeans {
    scale: f64,
    steps: usize,
}

impl SoftKMeans {
    /// Minus the scaled squared distances (queries × way).
    fn logits(&self, queries: &[f64], means: &[f64], dim: usize) -> Vec<f64> {
        squared_distances(queries, means, dim).iter().map(|d| -self.scale * d).collect()
    }

    fn answer(&self, episode: &Episode<'_>) -> Vec<f64> {
        let (way, dim, support) = (episode.way, episode.dim, episode.support());
        let rows = episode.centred();
        let queries = &rows[support * dim..];
        let mut means = episode.means(&rows);
        for _ in 0..self.steps {
            let mut shares = episode.one_hot();
            let mut of_queries = self.logits(queries, &means, dim);
            dense::softmax(&mut of_queries, way);
            shares.extend(of_queries);
            let mut totals = vec![0.0; way];
            shares.chunks_exact(way).for_each(|row| totals.iter_mut().zip(row).for_each(|(t, s)| *t += s));
            dense::combine(&shares, &rows, dim, &mut means);
            for (mean, total) in means.chunks_exact_mut(dim).zip(totals) {
                mean.iter_mut().for_each(|x| *x /= total);
            }
        }
        self.logits(queries, &means, dim)
    }
}

impl<D: Backend> Transductive<D> for SoftKMeans {
    fn infer(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        _: &BatchRng<'_>,
    ) -> Result<Scores<D>, LearnError> {
        Ok(Scores::logits(episode::each(support, query, |episode| self.answer(episode))?))
    }
}
