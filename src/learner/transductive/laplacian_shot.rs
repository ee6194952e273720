//! LaplacianShot (Ziko, Dolz, Granger and Ben Ayed 2020, "Laplacian Regularized Few-Shot Learning", arXiv:2006.15486): queries
//! that are neighbours get like labels.
//!
//! Assignments minimise `Σ y·a − λ/2·Σ w(p, q)·y_p·y_q` with the squared distances `a` to the prototypes, by the concave-convex
//! bounds of the paper's algorithm 1: `y ← softmax(−a + λ·W·y)`, until the bound moves by less than one part in a million, at
//! most 20 times. `w(p, q) = 1` where q is among the `neighbours` nearest queries of p. Prototypes are rectified as in BD-CSPN
//! (section 3). `preset = easyfsl` is easyfsl 1.5, whose three neighbours count the query itself.
//!
//! Differs from the paper: λ is 1 where the paper selects it on validation classes, which `kshot select` does; and queries that are moved
//! rectify the prototypes only, as in the authors' code.

use super::episode::{self, Episode, best};
use super::rectified::{Rectification, rectified};
use crate::learner::{
    LearnError, Learner, Parameter, Registry, Scale, Signature, Transductive, transform_parameter,
};
use crate::rng::BatchRng;
use crate::tensor::dense::{self, Real};
use crate::tensor::{Backend, SpanOps};
use crate::view::{Items, Scores, Support};
use crate::vocab::Transform;

/// Bounds that are minimised at most.
const STEPS: usize = 20;

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "like labels for neighbouring queries (LaplacianShot, Ziko et al. 2020)";
    let mut laplacian = Signature::new("laplacian-shot", about);
    laplacian.alias("laplacianshot", &[]);
    let lambda = Parameter::real("lambda", 1.0, 0.0, 1e3, "weight of the neighbours");
    let lambda = laplacian.parameter(lambda.search(Scale::Log, 0.1, 2.0));
    let neighbours = Parameter::whole("neighbours", 3, 1, 100_000, "neighbours of a query");
    let neighbours = laplacian.parameter(neighbours.search(Scale::Log, 1.0, 10.0));
    let epsilon = Parameter::real("epsilon", 10.0, 0.0, 1e3, "factor on the cosine in an item's weight");
    let epsilon = laplacian.parameter(epsilon);
    let transform = laplacian.parameter(transform_parameter(Transform::L2n));
    let words = &[("none", ()), ("easyfsl", ())];
    let preset = laplacian.parameter(Parameter::choice("preset", words, "values of another implementation"));
    let easyfsl =
        [(lambda.name(), "0.7"), (neighbours.name(), "2"), (epsilon.name(), "1"), (transform.name(), "none")];
    laplacian.preset(preset, "easyfsl", &easyfsl);
    list.add(laplacian, move |p| {
        let how = Rectification { epsilon: p[epsilon], top: 0 };
        let learner = LaplacianShot { lambda: p[lambda], neighbours: p[neighbours], how };
        Ok(Learner::transductive(learner).with_transform(p[transform]))
    });
}

struct LaplacianShot {
    lambda: f64,
    neighbours: usize,
    how: Rectification,
}

impl LaplacianShot {
    fn answer<T: Real>(&self, episode: &Episode<'_>, rows: &[T]) -> Vec<f64> {
        let (dim, way, count) = (episode.dim, episode.way, episode.queries());
        let prototypes = rectified(episode, rows, self.how);
        let queries = &rows[episode.support() * dim..];
        let norms: Vec<f64> = dense::squared_norms(queries, dim).iter().map(|v| v.wide()).collect();
        let of_prototypes: Vec<f64> =
            dense::squared_norms(&prototypes, dim).iter().map(|v| v.wide()).collect();
        let mut products = vec![T::ZERO; count * way];
        dense::products(queries, &prototypes, dim, &mut products);
        let distance = |(place, product): (usize, &T)| {
            (norms[place / way] + of_prototypes[place % way] - 2.0 * product.wide()).max(0.0)
        };
        let unary: Vec<f64> = products.iter().enumerate().map(distance).collect();
        self.assigned(&unary, &neighbourhoods(queries, &norms, dim, self.neighbours), way)
    }

    /// The assignments (queries × way), given distances to prototypes and the neighbours of each query.
    fn assigned(&self, unary: &[f64], neighbours: &[Vec<usize>], way: usize) -> Vec<f64> {
        let mut labels: Vec<f64> = unary.iter().map(|a| -a).collect();
        dense::softmax(&mut labels, way);
        let pulls = |labels: &[f64]| -> Vec<f64> {
            let pull = |of: &Vec<usize>| {
                (0..way).map(|c| of.iter().map(|q| labels[q * way + c]).sum()).collect::<Vec<f64>>()
            };
            neighbours.iter().flat_map(pull).collect()
        };
        let mut last = f64::INFINITY;
        let mut pulled = pulls(&labels);
        for step in 0..STEPS {
            labels = unary.iter().zip(&pulled).map(|(a, w)| self.lambda * w - a).collect();
            dense::softmax(&mut labels, way);
            pulled = pulls(&labels);
            let part = |((y, a), w): ((&f64, &f64), &f64)| y * ((y + 1e-12).ln() + a - self.lambda * w);
            let bound: f64 = labels.iter().zip(unary).zip(&pulled).map(part).sum();
            if step > 1 && (bound - last).abs() <= 1e-6 * last.abs() {
                break;
            }
            last = bound;
        }
        labels
    }
}

/// For each query the other queries that are nearest to it; of equally near ones the earlier.
fn neighbourhoods<T: Real>(queries: &[T], norms: &[f64], dim: usize, most: usize) -> Vec<Vec<usize>> {
    let count = norms.len();
    let mut gram = vec![T::ZERO; count * count];
    dense::products(queries, queries, dim, &mut gram);
    let nearest = |query: usize| {
        let row = &gram[query * count..(query + 1) * count];
        // Minus the squared distance, up to what all share.
        let mut near: Vec<f64> = row.iter().zip(norms).map(|(g, n)| 2.0 * g.wide() - n).collect();
        near[query] = f64::NEG_INFINITY;
        let take = |_| {
            let found = best(&near);
            near[found] = f64::NEG_INFINITY;
            found
        };
        (0..most.min(count.saturating_sub(1))).map(take).collect()
    };
    (0..count).map(nearest).collect()
}

impl<D: Backend> Transductive<D> for LaplacianShot {
    fn infer(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        _: &BatchRng<'_>,
    ) -> Result<Scores<D>, LearnError> {
        let answer = |episode: &Episode<'_>| match episode.single() {
            Some(rows) => self.answer(episode, rows),
            None => self.answer(episode, &episode.rows()),
        };
        Ok(Scores::probabilities(episode::each(support, query, answer)?))
    }
}
