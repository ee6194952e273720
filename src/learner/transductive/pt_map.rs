//! PT-MAP (Hu, Gripon and Pateux 2021, "Leveraging the Feature Distribution in Transfer-based Few-Shot Learning",
//! arXiv:2006.03806): class centres and the optimal transport of queries to them, in turn.
//!
//! Features are raised to the power ½ (eq. 1), divided by their norms, centred on either side by its own mean and divided
//! again, as in the authors' code. A step takes the transport plan of the costs `exp(−λ·‖x − c‖²)` whose queries have mass 1 and
//! whose classes have equal mass, by Sinkhorn's iterations, and moves each centre a part α of the way to the mean of the support and
//! of the queries by their shares in the plan (eqs. 3 to 6). λ = 10, α = 0.2, 20 steps. `preset = easyfsl` is easyfsl 1.5:
//! negative features count as 0 and the power is all that is done to features, and 10 steps.
//!
//! Differs from the paper: an episode with a feature below 0, of which there is no such power, is centred and divided alone.
//! Classes of equal mass assume that queries are balanced.

use super::episode::{self, Episode, mean, squared_distances, subtract};
use crate::learner::{
    LearnError, Learner, Parameter, Registry, Scale, Signature, Transductive, transform_parameter,
};
use crate::rng::BatchRng;
use crate::tensor::{Backend, SpanOps, dense};
use crate::view::{Items, Scores, Support};
use crate::vocab::Transform;

/// Sinkhorn's iterations at most, and the change of a query's mass below which they end.
const SINKHORN: (usize, f64) = (1000, 1e-6);
/// Added to features whose power is taken.
const TINY: f64 = 1e-6;

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "optimal transport of queries to class centres (PT-MAP, Hu et al. 2021)";
    let mut pt_map = Signature::new("pt-map", about);
    pt_map.alias("ptmap", &[]);
    let lambda = Parameter::real("lambda", 10.0, 0.1, 100.0, "factor on the squared distances");
    let lambda = pt_map.parameter(lambda.search(Scale::Log, 1.0, 50.0));
    let alpha = Parameter::real("alpha", 0.2, 1e-3, 1.0, "share of the way that a centre moves");
    let alpha = pt_map.parameter(alpha.search(Scale::Log, 0.05, 1.0));
    let steps = pt_map.parameter(Parameter::whole("steps", 20, 1, 200, "moves of the centres"));
    let words = &[("centred", Prepared::Centred), ("power", Prepared::Power), ("none", Prepared::Nothing)];
    let meaning = "what is done to the features of an episode first";
    let prepared = pt_map.parameter(Parameter::choice("prepare", words, meaning));
    let transform = pt_map.parameter(transform_parameter(Transform::None));
    let words = &[("none", ()), ("easyfsl", ())];
    let preset = pt_map.parameter(Parameter::choice("preset", words, "values of another implementation"));
    pt_map.preset(preset, "easyfsl", &[(prepared.name(), "power"), (steps.name(), "10")]);
    list.add(pt_map, move |p| {
        let learner = PtMap { lambda: p[lambda], alpha: p[alpha], steps: p[steps], prepared: p[prepared] };
        // A power goes along columns.
        let learner = Learner::transductive(learner).with_transform(p[transform]).with_invariances(&[]);
        Ok(learner.assuming_balance())
    });
}

#[derive(Clone, Copy, PartialEq)]
enum Prepared {
    Centred,
    Power,
    Nothing,
}

struct PtMap {
    lambda: f64,
    alpha: f64,
    steps: usize,
    prepared: Prepared,
}

impl PtMap {
    fn prepared(&self, episode: &Episode<'_>) -> Vec<f64> {
        let (mut rows, dim) = (episode.rows(), episode.dim);
        let signed = rows.iter().any(|x| *x < 0.0);
        if self.prepared == Prepared::Power || (self.prepared == Prepared::Centred && !signed) {
            rows.iter_mut().for_each(|x| *x = (x.max(0.0) + TINY).sqrt());
        }
        if self.prepared == Prepared::Centred {
            dense::normalise(&mut rows, dim);
            let (own, others) = rows.split_at_mut(episode.support() * dim);
            for side in [own, others] {
                let mean = mean(side, dim);
                subtract(side, &mean);
                dense::normalise(side, dim);
            }
        }
        rows
    }

    fn answer(&self, episode: &Episode<'_>) -> Vec<f64> {
        let (way, dim, support) = (episode.way, episode.dim, episode.support());
        let rows = self.prepared(episode);
        let queries = &rows[support * dim..];
        let mut centres = episode.means(&rows);
        for _ in 0..self.steps {
            let mut shares = episode.one_hot();
            shares.extend(self.plan(queries, &centres, dim, way));
            let mut totals = vec![0.0; way];
            shares.chunks_exact(way).for_each(|row| totals.iter_mut().zip(row).for_each(|(t, s)| *t += s));
            let mut sums = vec![0.0; way * dim];
            dense::combine(&shares, &rows, dim, &mut sums);
            for (place, (centre, sum)) in centres.iter_mut().zip(sums).enumerate() {
                *centre += self.alpha * (sum / totals[place / dim] - *centre);
            }
        }
        let mut plan = self.plan(queries, &centres, dim, way);
        for row in plan.chunks_exact_mut(way) {
            let total: f64 = row.iter().sum();
            row.iter_mut()
                .for_each(|share| *share = if total > 0.0 { *share / total } else { 1.0 / way as f64 });
        }
        plan
    }

    /// The shares of the queries in the classes (queries × way).
    fn plan(&self, queries: &[f64], centres: &[f64], dim: usize, way: usize) -> Vec<f64> {
        let mut plan = squared_distances(queries, centres, dim);
        // A factor on a row is no matter to what follows, and keeps far queries from vanishing.
        for row in plan.chunks_exact_mut(way) {
            let least = row.iter().copied().fold(f64::INFINITY, f64::min);
            row.iter_mut().for_each(|cost| *cost = (-self.lambda * (*cost - least)).exp());
        }
        let mass = (plan.len() / way) as f64 / way as f64;
        let sums = |plan: &[f64]| plan.chunks_exact(way).map(|row| row.iter().sum()).collect::<Vec<f64>>();
        let (mut of_rows, mut columns) = (sums(&plan), vec![0.0; way]);
        for _ in 0..SINKHORN.0 {
            columns.fill(0.0);
            for (row, sum) in plan.chunks_exact_mut(way).zip(&of_rows) {
                let factor = 1.0 / (sum + 1e-10);
                row.iter_mut().zip(&mut columns).for_each(|(share, column)| {
                    *share *= factor;
                    *column += *share;
                });
            }
            columns.iter_mut().for_each(|sum| *sum = mass / (*sum + 1e-10));
            let mut moved = 0.0f64;
            for (row, last) in plan.chunks_exact_mut(way).zip(&mut of_rows) {
                row.iter_mut().zip(&columns).for_each(|(share, factor)| *share *= factor);
                let sum: f64 = row.iter().sum();
                moved = moved.max((sum - *last).abs());
                *last = sum;
            }
            if moved < SINKHORN.1 {
                break;
            }
        }
        plan
    }
}

impl<D: Backend> Transductive<D> for PtMap {
    fn infer(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        _: &BatchRng<'_>,
    ) -> Result<Scores<D>, LearnError> {
        Ok(Scores::probabilities(episode::each(support, query, |episode| self.answer(episode))?))
    }
}
