//! k nearest neighbours (Cover and Hart 1967, "Nearest neighbor pattern classification").
//!
//! With `k = 1` the score of a label is minus the squared distance to its nearest support item. With more, it is the
//! number of votes among the k nearest; a tie goes to the label of the nearer item. `k` counts at most the support.
//! `distance = cosine` divides all items by their norms first.

use super::kind::of_distances;
use super::{
    Answer, Classifier, Family, Inductive, LearnError, Learner, Parameter, Registry, Scale, Signature,
};
use crate::rng::BatchRng;
use crate::tensor::{Labels, SpanOps, Tensor3};
use crate::view::{Items, Scores, Support};
use crate::vocab::{Confidence, Transform};

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let mut k_nn = Signature::new("k-nn", "k nearest support items (Cover and Hart 1967)");
    k_nn.alias("knn", &[]);
    // On unit vectors the Euclidean distance orders as the cosine does.
    let words = &[("euclidean", Transform::None), ("cosine", Transform::L2n)];
    let distance = Parameter::choice("distance", words, "distance between items");
    let distance = k_nn.parameter(distance.grid(&["euclidean", "cosine"]));
    let k = Parameter::whole("k", 1, 1, 100_000, "neighbours that vote").search(Scale::Log, 1.0, 25.0);
    let k = k_nn.parameter(k);
    list.add(k_nn, move |p| {
        let learner = Learner::inductive(NearestNeighbours { k: p[k] });
        let learner = learner.with_transform(p[distance]).with_confidence(Confidence::Score);
        Ok(learner.with_invariances(of_distances(p[distance])))
    })
    .family(move |members| Ok(Box::new(Neighbourhoods { ks: members.iter().map(|m| m[k]).collect() })));
}

struct NearestNeighbours {
    k: usize,
}

impl<D: SpanOps> Inductive<D> for NearestNeighbours {
    fn adapt(&self, support: &Support<D>, _: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let (features, labels) = (support.features()?.clone(), support.labels().clone());
        Ok(Box::new(Neighbourhood { k: self.k, features, labels }))
    }
}

/// Several numbers of neighbours: distances and their order are the same for all.
struct Neighbourhoods {
    ks: Vec<usize>,
}

impl<D: SpanOps> Family<D> for Neighbourhoods {
    fn answers(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        _: &BatchRng<'_>,
    ) -> Result<Vec<Answer<D>>, LearnError> {
        let nearness = query.negative_squared_distances(support.features()?)?;
        let (device, labels) = (query.device(), support.labels());
        let votes = device.votes_each(&nearness, labels, &self.ks)?;
        let answer = |(k, votes): (&usize, Tensor3<D>)| match k {
            1 => Ok((Scores::ranking(device.best_of_label(&nearness, labels)?), 0)),
            _ => Ok((Scores::ranking(votes), 0)),
        };
        self.ks.iter().zip(votes).map(answer).collect()
    }
}

struct Neighbourhood<D: SpanOps> {
    k: usize,
    features: Tensor3<D>,
    labels: Labels,
}

impl<D: SpanOps> Classifier<D> for Neighbourhood<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        let nearness = items.negative_squared_distances(&self.features)?;
        let device = items.device();
        Ok(Scores::ranking(match self.k {
            1 => device.best_of_label(&nearness, &self.labels)?,
            k => device.votes(&nearness, &self.labels, k)?,
        }))
    }
}
