//! Mean shift of prototypes (Comaniciu and Meer 2002, "Mean Shift: A Robust Approach Toward Feature Space Analysis"): each class mean
//! climbs to where support and queries are dense.
//!
//! A step takes the mean of the label's support items, with weight 1, and of all queries with the weights `exp(−‖x − m‖²/(2h²))` of a
//! Gaussian kernel, for each label by itself: unlike soft k-means, labels do not share a query among them, and one that is far
//! from all means counts for none. The bandwidth h is `bandwidth` times the root of half the mean squared distance between queries and their
//! nearest mean at the start, so that it follows the scale of the features.
//!
//! Differs from the paper: support items keep their weight, as their labels are known; and the bandwidth is relative.

use super::episode::{self, Episode, squared_distances};
use crate::learner::{
    LearnError, Learner, Parameter, Registry, Scale, Signature, Transductive, transform_parameter,
};
use crate::rng::BatchRng;
use crate::tensor::{Backend, SpanOps, dense};
use crate::view::{Items, Scores, Support};
use crate::vocab::{Confidence, Transform};

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "class means that climb to dense places of the queries (Comaniciu and Meer 2002)";
    let mut mean_shift = Signature::new("mean-shift", about);
    let bandwidth =
        Parameter::real("bandwidth", 0.5, 1e-3, 1e3, "width of the kernel, in distances to a mean");
    let bandwidth = mean_shift.parameter(bandwidth.search(Scale::Log, 0.2, 2.0));
    let steps = mean_shift.parameter(Parameter::whole("steps", 10, 1, 1000, "moves of the means"));
    let scale = Parameter::real("scale", 1.0, 1e-6, 1e6, "factor on the squared distances of a logit");
    let scale = mean_shift.parameter(scale);
    let transform = mean_shift.parameter(transform_parameter(Transform::L2n));
    list.add(mean_shift, move |p| {
        let learner = MeanShift { bandwidth: p[bandwidth], steps: p[steps], scale: p[scale] };
        let learner = Learner::transductive(learner).with_transform(p[transform]);
        Ok(learner.with_confidence(Confidence::Score))
    });
}

struct MeanShift {
    bandwidth: f64,
    steps: usize,
    scale: f64,
}

impl MeanShift {
    fn answer(&self, episode: &Episode<'_>) -> Vec<f64> {
        let (way, dim, support) = (episode.way, episode.dim, episode.support());
        let rows = episode.centred();
        let queries = &rows[support * dim..];
        let mut means = episode.means(&rows);
        let distances = squared_distances(queries, &means, dim);
        let least = |row: &[f64]| row.iter().copied().fold(f64::INFINITY, f64::min);
        let spread = distances.chunks_exact(way).map(least).sum::<f64>() / episode.queries() as f64;
        // 2h², where h² is half of what is usual.
        let width = (self.bandwidth.powi(2) * spread).max(f64::MIN_POSITIVE);
        for _ in 0..self.steps {
            let mut shares = episode.one_hot();
            let distances = squared_distances(queries, &means, dim);
            shares.extend(distances.iter().map(|d| (-d / width).exp()));
            let mut totals = vec![0.0; way];
            shares.chunks_exact(way).for_each(|row| totals.iter_mut().zip(row).for_each(|(t, s)| *t += s));
            dense::combine(&shares, &rows, dim, &mut means);
            for (mean, total) in means.chunks_exact_mut(dim).zip(totals) {
                mean.iter_mut().for_each(|x| *x /= total);
            }
        }
        squared_distances(queries, &means, dim).iter().map(|d| -self.scale * d).collect()
    }
}

impl<D: Backend> Transductive<D> for MeanShift {
    fn infer(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        _: &BatchRng<'_>,
    ) -> Result<Scores<D>, LearnError> {
        Ok(Scores::logits(episode::each(support, query, |episode| self.answer(episode))?))
    }
}
