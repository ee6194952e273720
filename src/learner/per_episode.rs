//! For learners that are written for one episode at a time: slower than a batched one, and otherwise equal.

use std::rc::Rc;

use super::{Classifier, Inductive, LearnError, Learner};
use crate::rng::{BatchRng, Stream};
use crate::tensor::{Backend, Tensor2, Tensor3, TensorError, ops};
use crate::view::{Items, Scores, Support};
use crate::vocab::Meaning;

/// A learner that sees one episode at a time, as plain matrices.
pub trait PerEpisode<D: Backend> {
    /// What its scores mean.
    fn meaning(&self) -> Meaning {
        Meaning::Ranking
    }

    /// Scores (items, way) of `items` (items, dim), given `support` (support, dim) and a label below `way` for each of
    /// its rows. An item's score must not depend on the other items.
    ///
    /// # Errors
    /// The learner's own.
    fn scores(
        &self,
        support: &Tensor2<D>,
        labels: &[u16],
        way: usize,
        items: &Tensor2<D>,
        rng: Stream,
    ) -> Result<Tensor2<D>, LearnError>;
}

/// The batched learner of one that sees one episode at a time.
pub fn batched<D: Backend>(learner: impl PerEpisode<D> + 'static) -> Learner<D> {
    Learner::inductive(Batched(Rc::new(learner)))
}

struct Batched<P>(Rc<P>);

impl<D: Backend, P: PerEpisode<D> + 'static> Inductive<D> for Batched<P> {
    fn adapt(&self, support: &Support<D>, rng: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let mut episodes = Vec::with_capacity(support.episodes());
        for (episode, features) in matrices(support.features()?)?.into_iter().enumerate() {
            let labels = support.labels().of(episode).to_vec();
            let filled = labels.len() * support.dim();
            let support =
                support.device().tensor2((labels.len(), support.dim()), features[..filled].to_vec())?;
            episodes.push(Episode { support, labels, rng: rng.stream(episode) });
        }
        Ok(Box::new(OneByOne { learner: Rc::clone(&self.0), way: support.way(), episodes }))
    }
}

struct Episode<D: Backend> {
    support: Tensor2<D>,
    labels: Vec<u16>,
    rng: Stream,
}

struct OneByOne<D: Backend, P> {
    learner: Rc<P>,
    way: usize,
    episodes: Vec<Episode<D>>,
}

impl<D: Backend, P: PerEpisode<D>> Classifier<D> for OneByOne<D, P> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        let (count, dim) = (items.count(), items.dim());
        let mut values = Vec::with_capacity(items.episodes() * count * self.way);
        for (episode, features) in self.episodes.iter().zip(matrices(&items.features()?)?) {
            let items = items.device().tensor2((count, dim), features)?;
            let scores = self.learner.scores(
                &episode.support,
                &episode.labels,
                self.way,
                &items,
                episode.rng.clone(),
            )?;
            let scores = ops::to_host(&scores)?;
            if scores.len() != count * self.way {
                let (expected, found) = (count * self.way, scores.len());
                return Err(
                    TensorError::Shape { operation: "scores", what: "numbers", expected, found }.into()
                );
            }
            values.extend(scores);
        }
        let values = items.device().tensor3((items.episodes(), count, self.way), values)?;
        Ok(Scores { values, meaning: self.learner.meaning() })
    }
}

/// Each episode's matrix, row after row.
fn matrices<D: Backend>(tensor: &Tensor3<D>) -> Result<Vec<Vec<f32>>, TensorError> {
    use crate::tensor::dfdx::shapes::HasShape;
    let (episodes, rows, columns) = *tensor.shape();
    let all = ops::to_host(tensor)?;
    Ok((0..episodes).map(|e| all[e * rows * columns..(e + 1) * rows * columns].to_vec()).collect())
}
