//! A last layer that starts from random weights and descends on mini-batches of the support, as `torch.optim.SGD` does.
//!
//! Random weights lie outside the span of the support, so that the descent is on the weights themselves, on the host in double
//! precision. Weights and bias start uniform within `±1/√dim`, as those of `torch.nn.Linear`.

use super::{Classifier, LearnError};
use crate::rng::{BatchRng, Purpose, Stream};
use crate::tensor::dense;
use crate::tensor::{Backend, Tensor2, Tensor3, Terms, ops, to_host};
use crate::view::{Items, Scores, Support};
use crate::vocab::Meaning;

/// Norms below this are treated as this.
const TINY: f64 = 1e-12;

/// How logits are made.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum RandomHead {
    /// `x·w + b`.
    Linear,
    /// `scale · cos(x, w)`.
    Cosine(f64),
    /// `scale · g · cos(x, w)` with a length g of each label's weights that is learned too (Salimans and Kingma 2016).
    WeightNorm(f64),
}

/// The steps and where they start.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct RandomStart {
    pub(super) head: RandomHead,
    pub(super) epochs: usize,
    /// Items per step; 0 for the whole support.
    pub(super) batch: usize,
    pub(super) lr: f64,
    pub(super) momentum: f64,
    pub(super) dampening: f64,
    pub(super) weight_decay: f64,
    pub(super) starts: usize,
    pub(super) seed: u64,
}

/// Weights (way × dim) and what stands beside them: a bias, or lengths (way).
struct Layer {
    weights: Vec<f64>,
    beside: Vec<f64>,
}

/// The support of one episode.
struct Task<'a> {
    rows: &'a [f64],
    labels: &'a [u16],
    way: usize,
    dim: usize,
}

impl RandomStart {
    /// Adapts to the support sets of a batch.
    pub(super) fn adapt<D: Backend>(
        &self,
        support: &Support<D>,
        rng: &BatchRng<'_>,
    ) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let (batch, way, dim) = (support.on_host()?, support.way(), support.dim());
        let mut layers: Vec<Vec<Layer>> = (0..self.starts).map(|_| Vec::new()).collect();
        for episode in 0..support.episodes() {
            let labels = support.labels().of(episode);
            let mut raw = Vec::new();
            batch.read(episode, labels.len(), &mut raw)?;
            let rows: Vec<f64> = raw.iter().map(|x| f64::from(*x) * batch.unit()).collect();
            let task = Task { rows: &rows, labels, way, dim };
            let mut stream = Stream::new(rng.stream(episode).bits() ^ self.seed, Purpose::Learner, 0);
            layers.iter_mut().for_each(|of_start| of_start.push(self.layer(&task, &mut stream)));
        }
        let shape = (support.episodes(), way);
        let placed = layers.iter().map(|of_start| {
            let numbers = |of: fn(&Layer) -> &Vec<f64>, factor: f64| {
                of_start.iter().flat_map(|layer| of(layer).iter().map(|v| (v * factor) as f32)).collect()
            };
            // Items count in the store's unit.
            let unit = if self.head == RandomHead::Linear { batch.unit() } else { 1.0 };
            let weights = numbers(|layer| &layer.weights, unit);
            let weights = support.device().tensor3((shape.0, way, dim), weights)?;
            Ok((weights, support.device().tensor2(shape, numbers(|layer| &layer.beside, 1.0))?))
        });
        Ok(Box::new(Layers { head: self.head, layers: placed.collect::<Result<_, LearnError>>()? }))
    }

    /// One start, descended.
    fn layer(&self, task: &Task<'_>, stream: &mut Stream) -> Layer {
        let Task { way, dim, labels, .. } = *task;
        let bound = 1.0 / (dim as f64).sqrt();
        let mut uniform =
            |count: usize| -> Vec<f64> { (0..count).map(|_| bound * (2.0 * stream.unit() - 1.0)).collect() };
        let weights = uniform(way * dim);
        let beside = match self.head {
            RandomHead::Linear => uniform(way),
            RandomHead::Cosine(_) => vec![1.0; way],
            RandomHead::WeightNorm(_) => {
                dense::squared_norms(&weights, dim).iter().map(|n| n.sqrt()).collect()
            }
        };
        let mut layer = Layer { weights, beside };
        let mut steps: Option<(Vec<f64>, Vec<f64>)> = None;
        let mut order: Vec<usize> = (0..labels.len()).collect();
        let size = if self.batch == 0 { labels.len() } else { self.batch };
        for _ in 0..self.epochs {
            stream.shuffle(&mut order);
            for batch in order.chunks(size.max(1)) {
                let (mut of_weights, mut of_beside) = self.gradient(task, &layer, batch);
                let decayed = |grad: &mut Vec<f64>, value: &[f64]| {
                    grad.iter_mut().zip(value).for_each(|(g, v)| *g += self.weight_decay * v);
                };
                decayed(&mut of_weights, &layer.weights);
                if !matches!(self.head, RandomHead::Cosine(_)) {
                    decayed(&mut of_beside, &layer.beside);
                }
                if let Some((last_weights, last_beside)) = steps.filter(|_| self.momentum > 0.0) {
                    let (keep, take) = (self.momentum, 1.0 - self.dampening);
                    let parts = [(&mut of_weights, last_weights), (&mut of_beside, last_beside)];
                    for (grad, last) in parts {
                        grad.iter_mut().zip(last).for_each(|(g, s)| *g = keep * s + take * *g);
                    }
                }
                let parts = [(&mut layer.weights, &of_weights), (&mut layer.beside, &of_beside)];
                for (value, step) in parts {
                    value.iter_mut().zip(step).for_each(|(v, s)| *v -= self.lr * s);
                }
                steps = Some((of_weights, of_beside));
            }
        }
        layer
    }

    /// The gradient of the mean cross-entropy of a batch by weights and what stands beside them.
    fn gradient(&self, task: &Task<'_>, layer: &Layer, batch: &[usize]) -> (Vec<f64>, Vec<f64>) {
        let Task { rows, labels, way, dim } = *task;
        let own: Vec<f64> =
            batch.iter().flat_map(|item| &rows[item * dim..(item + 1) * dim]).copied().collect();
        let mut products = vec![0.0; batch.len() * way];
        dense::products(&own, &layer.weights, dim, &mut products);
        let lengths: Vec<f64> =
            dense::squared_norms(&layer.weights, dim).iter().map(|n| n.sqrt().max(TINY)).collect();
        let norms: Vec<f64> = dense::squared_norms(&own, dim).iter().map(|n| n.sqrt().max(TINY)).collect();
        let cosine = |place: usize| products[place] / (lengths[place % way] * norms[place / way]);
        let factor = |label: usize| match self.head {
            RandomHead::Linear => 1.0,
            RandomHead::Cosine(scale) => scale,
            RandomHead::WeightNorm(scale) => scale * layer.beside[label],
        };
        let logit = |place: usize| match self.head {
            RandomHead::Linear => products[place] + layer.beside[place % way],
            _ => factor(place % way) * cosine(place),
        };
        let mut slopes: Vec<f64> = (0..products.len()).map(logit).collect();
        dense::softmax(&mut slopes, way);
        for (row, item) in slopes.chunks_exact_mut(way).zip(batch) {
            row[usize::from(labels[*item])] -= 1.0;
            row.iter_mut().for_each(|v| *v /= batch.len() as f64);
        }
        let mut of_beside = vec![0.0; way];
        let mut shrink = vec![0.0; way];
        for (place, slope) in slopes.iter_mut().enumerate() {
            let label = place % way;
            match self.head {
                RandomHead::Linear => of_beside[label] += *slope,
                _ => {
                    let cosine = cosine(place);
                    if let RandomHead::WeightNorm(scale) = self.head {
                        of_beside[label] += scale * *slope * cosine;
                    }
                    // d cos/dw = (x/‖x‖ − cos·w/‖w‖)/‖w‖.
                    let direct = factor(label) * *slope / lengths[label];
                    shrink[label] += direct * cosine / lengths[label];
                    *slope = direct / norms[place / way];
                }
            }
        }
        let mut of_weights = vec![0.0; way * dim];
        dense::combine(&slopes, &own, dim, &mut of_weights);
        for (place, (g, w)) in of_weights.iter_mut().zip(&layer.weights).enumerate() {
            *g -= shrink[place / dim] * w;
        }
        (of_weights, of_beside)
    }
}

/// The layers of several starts: weights (episodes, way, dim) and what stands beside them (episodes, way).
struct Layers<D: Backend> {
    head: RandomHead,
    layers: Vec<(Tensor3<D>, Tensor2<D>)>,
}

impl<D: Backend> Layers<D> {
    /// The logits of one start (episodes × items × way).
    fn logits(&self, items: &Items<D>, layer: &(Tensor3<D>, Tensor2<D>)) -> Result<Vec<f32>, LearnError> {
        let (weights, beside) = layer;
        let scale = match self.head {
            RandomHead::Linear => {
                let terms = Terms { bias: Some(beside), ..Terms::default() };
                return Ok(to_host(&items.linear(weights, &terms)?)?);
            }
            RandomHead::Cosine(scale) | RandomHead::WeightNorm(scale) => scale as f32,
        };
        let lengths = beside.as_vec();
        let way = lengths.len() / items.episodes().max(1);
        let cosines = to_host(&items.cosines_less_one(&ops::normalise(weights)?)?)?;
        let of_episode = cosines.chunks_exact((items.count() * way).max(1)).zip(lengths.chunks_exact(way));
        let values = of_episode.flat_map(|(values, lengths)| {
            let scaled = move |(place, v): (usize, &f32)| scale * lengths[place % way] * (1.0 + v);
            values.iter().enumerate().map(scaled)
        });
        Ok(values.collect())
    }
}

impl<D: Backend> Classifier<D> for Layers<D> {
    /// Logits of one start, or the mean probability of several.
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        let logits: Vec<Vec<f32>> =
            self.layers.iter().map(|layer| self.logits(items, layer)).collect::<Result<_, _>>()?;
        let count = items.episodes() * items.count();
        let (first, starts) = (logits.first().map_or(0, Vec::len), logits.len());
        let way = first / count.max(1);
        let shape = (items.episodes(), items.count(), way);
        if let [one] = logits.as_slice() {
            let values = items.device().tensor3(shape, one.clone())?;
            return Ok(Scores { values, meaning: Meaning::Logits });
        }
        let mut mean = vec![0.0f64; first];
        for logits in logits {
            let mut wide: Vec<f64> = logits.iter().map(|v| f64::from(*v)).collect();
            dense::softmax(&mut wide, way);
            mean.iter_mut().zip(wide).for_each(|(m, p)| *m += p / starts as f64);
        }
        let values = mean.iter().map(|p| *p as f32).collect();
        Ok(Scores::probabilities(items.device().tensor3(shape, values)?))
    }
}
