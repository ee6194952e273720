//! BD-CSPN (Liu, Song and Qin 2020, "Prototype Rectification for Few-Shot Learning", arXiv:1911.10713): the cosine with
//! prototypes that queries have rectified.
//!
//! The mean of each label takes in the Z queries that look most like it, after the difference of the means of support and
//! queries was added to these, with weights that grow with the cosine (section 3); a query is scored by its cosine with the
//! result. Defaults are those of the paper, Z = 8 and ε = 10. `preset = easyfsl` is easyfsl 1.5: all queries count, ε = 1, features as they
//! are.
//!
//! Differs from the paper: the features are given; queries are scored where they lie, not moved, as all public
//! implementations do; and the cosines are multiplied by `scale` where a probability is asked for.

use super::episode::{self, Episode};
use super::rectified::{Rectification, directions, rectified};
use crate::learner::{
    LearnError, Learner, Parameter, Registry, Scale, Signature, Transductive, transform_parameter,
};
use crate::rng::BatchRng;
use crate::tensor::dense::{self, Real};
use crate::tensor::{Backend, SpanOps};
use crate::view::{Items, Scores, Support};
use crate::vocab::{Confidence, Transform};

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "cosine to class means that queries have rectified (BD-CSPN, Liu et al. 2020)";
    let mut bd_cspn = Signature::new("bd-cspn", about);
    bd_cspn.alias("bdcspn", &[]);
    let epsilon = Parameter::real("epsilon", 10.0, 0.0, 1e3, "factor on the cosine in an item's weight");
    let epsilon = bd_cspn.parameter(epsilon.search(Scale::Log, 0.5, 20.0));
    let top = Parameter::whole("top", 8, 0, 100_000, "queries of each label that count; 0 for all");
    let top = bd_cspn.parameter(top);
    let scale = Parameter::real("scale", 10.0, 1e-3, 1e4, "factor on the cosines");
    let scale = bd_cspn.parameter(scale);
    let transform = bd_cspn.parameter(transform_parameter(Transform::L2n));
    let words = &[("none", ()), ("easyfsl", ())];
    let preset = bd_cspn.parameter(Parameter::choice("preset", words, "values of another implementation"));
    let easyfsl = [(epsilon.name(), "1"), (top.name(), "0"), (transform.name(), "none")];
    bd_cspn.preset(preset, "easyfsl", &easyfsl);
    list.add(bd_cspn, move |p| {
        let how = Rectification { epsilon: p[epsilon], top: p[top] };
        let learner = Learner::transductive(BdCspn { how, scale: p[scale] });
        Ok(learner.with_transform(p[transform]).with_confidence(Confidence::Score))
    });
}

struct BdCspn {
    how: Rectification,
    scale: f64,
}

impl BdCspn {
    fn answer<T: Real>(&self, episode: &Episode<'_>, rows: &[T]) -> Vec<f64> {
        let (dim, way) = (episode.dim, episode.way);
        let prototypes = directions(&rectified(episode, rows, self.how), dim);
        let queries = &rows[episode.support() * dim..];
        let mut products = vec![T::ZERO; episode.queries() * way];
        dense::products(queries, &prototypes, dim, &mut products);
        let norms = dense::squared_norms(queries, dim);
        let of_query = |(row, norm): (&[T], T)| {
            let factor = self.scale / norm.wide().sqrt().max(1e-12);
            // Less the scale, which no softmax sees and which leaves digits to what differs.
            row.iter().map(|v| v.wide() * factor - self.scale).collect::<Vec<_>>()
        };
        products.chunks_exact(way).zip(norms).flat_map(of_query).collect()
    }
}

impl<D: Backend> Transductive<D> for BdCspn {
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
        Ok(Scores::logits(episode::each(support, query, answer)?))
    }
}
