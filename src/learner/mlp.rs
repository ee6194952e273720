//! A perceptron with one hidden layer, trained on the support of an episode: scikit-learn's `MLPClassifier` with `early_stopping`.
//!
//! ReLU, softmax cross-entropy, weights and biases uniform within `±√(6/(in + out))` (Glorot and Bengio 2010), Adam (Kingma and Ba 2015) on shuffled
//! mini-batches, an L2 penalty of `weight-decay/2` over the items of a batch on the weights alone. A share of each label's items is held
//! out, rounded, and at most all but one; training ends when `patience` epochs have brought no better accuracy on them, and the weights
//! of the best epoch stay. Where labels have too few items for that, it ends when the training loss has not fallen by 1e-4 for as long.
//!
//! Differs from scikit-learn: mini-batches of 32 and not 200, and the held-out share is of each label; its random numbers are others.

use super::host_head::{self, Task};
use super::{
    Classifier, Inductive, LearnError, Learner, Parameter, Registry, Scale, Signature, transform_parameter,
};
use crate::rng::{BatchRng, Stream};
use crate::tensor::{Backend, SpanOps, dense};
use crate::view::{Items, Scores, Support};
use crate::vocab::{Meaning, Transform};

/// What the training loss must fall by to count as better.
const TOLERANCE: f64 = 1e-4;
/// Adam's decay rates of the two moments, and what keeps it from dividing by zero.
const ADAM: (f64, f64, f64) = (0.9, 0.999, 1e-8);

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "perceptron with one hidden layer and early stopping on a held-out share of the support";
    let mut mlp = Signature::new("mlp", about);
    mlp.on_request();
    let hidden = mlp.parameter(Parameter::whole("hidden", 128, 1, 1024, "hidden units").search(
        Scale::Log,
        32.0,
        512.0,
    ));
    let lr = Parameter::real("lr", 1e-3, 1e-6, 1.0, "learning rate").search(Scale::Log, 1e-4, 1e-2);
    let lr = mlp.parameter(lr);
    let epochs = mlp.parameter(Parameter::whole("epochs", 200, 1, 1000, "epochs at most"));
    let batch = mlp.parameter(Parameter::whole("batch", 32, 1, 100_000, "items per step"));
    let weight_decay = Parameter::real("weight-decay", 1e-4, 0.0, 1e3, "L2 penalty");
    let weight_decay = mlp.parameter(weight_decay.search(Scale::Log, 1e-5, 1e-1));
    let held_out =
        Parameter::real("held-out", 0.1, 0.0, 0.9, "share of each label that decides when to stop");
    let held_out = mlp.parameter(held_out);
    let patience = mlp.parameter(Parameter::whole("patience", 10, 1, 100, "epochs without a better one"));
    let transform = mlp.parameter(transform_parameter(Transform::L2n));
    list.add(mlp, move |p| {
        let learner = Perceptron {
            hidden: p[hidden],
            lr: p[lr],
            epochs: p[epochs],
            batch: p[batch],
            weight_decay: p[weight_decay],
            held_out: p[held_out],
            patience: p[patience],
        };
        // Random weights favour directions, and few steps leave them random.
        Ok(Learner::inductive(learner).with_transform(p[transform]).with_invariances(&[]).weak())
    });
}

struct Perceptron {
    hidden: usize,
    lr: f64,
    epochs: usize,
    batch: usize,
    weight_decay: f64,
    held_out: f64,
    patience: usize,
}

/// Weights and biases one after the other: (hidden × dim), (hidden), (way × hidden), (way).
#[derive(Clone)]
struct Layers {
    dim: usize,
    hidden: usize,
    way: usize,
    values: Vec<f64>,
}

impl Layers {
    fn random(dim: usize, hidden: usize, way: usize, stream: &mut Stream) -> Layers {
        let mut values = Vec::with_capacity(hidden * (dim + 1) + way * (hidden + 1));
        for (from, to) in [(dim, hidden), (hidden, way)] {
            let bound = (6.0 / (from + to) as f64).sqrt();
            values.extend((0..to * (from + 1)).map(|_| bound * (2.0 * stream.unit() - 1.0)));
        }
        Layers { dim, hidden, way, values }
    }

    /// Where each part begins, and where the last ends.
    fn places(&self) -> [usize; 5] {
        let (first, last) = (self.hidden * self.dim, self.way * self.hidden);
        [0, first, first + self.hidden, first + self.hidden + last, first + self.hidden + last + self.way]
    }

    fn part(&self, number: usize) -> &[f64] {
        let places = self.places();
        &self.values[places[number]..places[number + 1]]
    }

    /// What the hidden units give for rows (n × dim): (n × hidden).
    fn hidden(&self, rows: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; rows.len() / self.dim.max(1) * self.hidden];
        dense::products(rows, self.part(0), self.dim, &mut out);
        for row in out.chunks_exact_mut(self.hidden) {
            row.iter_mut().zip(self.part(1)).for_each(|(v, b)| *v = (*v + b).max(0.0));
        }
        out
    }

    /// The logits of what hidden units give: (n × way).
    fn logits(&self, hidden: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; hidden.len() / self.hidden * self.way];
        dense::products(hidden, self.part(2), self.hidden, &mut out);
        out.chunks_exact_mut(self.way)
            .for_each(|row| row.iter_mut().zip(self.part(3)).for_each(|(v, b)| *v += b));
        out
    }

    /// The gradient of the mean cross-entropy of a batch and the penalty, laid out like the values, and the mean cross-entropy.
    fn gradient(&self, rows: &[f64], labels: &[u16], weight_decay: f64) -> (Vec<f64>, f64) {
        let (count, way) = (labels.len() as f64, self.way);
        let hidden = self.hidden(rows);
        let mut slopes = self.logits(&hidden);
        dense::softmax(&mut slopes, way);
        let mut loss = 0.0;
        for (row, label) in slopes.chunks_exact_mut(way).zip(labels) {
            loss -= row[usize::from(*label)].max(f64::MIN_POSITIVE).ln();
            row[usize::from(*label)] -= 1.0;
            row.iter_mut().for_each(|v| *v /= count);
        }
        let mut turned = vec![0.0; way * self.hidden];
        for (place, weight) in self.part(2).iter().enumerate() {
            turned[place % self.hidden * way + place / self.hidden] = *weight;
        }
        let mut back = vec![0.0; hidden.len()];
        dense::products(&slopes, &turned, way, &mut back);
        back.iter_mut().zip(&hidden).for_each(|(b, h)| *b = if *h > 0.0 { *b } else { 0.0 });
        let mut all = vec![0.0; self.values.len()];
        let [_, second, third, fourth, _] = self.places();
        dense::combine(&back, rows, self.dim, &mut all[..second]);
        dense::combine(&slopes, &hidden, self.hidden, &mut all[third..fourth]);
        let sums = |values: &[f64], out: &mut [f64]| {
            values.chunks_exact(out.len()).for_each(|row| out.iter_mut().zip(row).for_each(|(o, v)| *o += v));
        };
        sums(&back, &mut all[second..third]);
        sums(&slopes, &mut all[fourth..]);
        for range in [0..second, third..fourth] {
            let penalty = weight_decay / count;
            all[range.clone()].iter_mut().zip(&self.values[range]).for_each(|(g, w)| *g += penalty * w);
        }
        (all, loss / count)
    }

    /// The share of rows that are given their label.
    fn accuracy(&self, rows: &[f64], labels: &[u16]) -> f64 {
        let logits = self.logits(&self.hidden(rows));
        let best = |row: &[f64]| (0..row.len()).rev().max_by(|a, b| row[*a].total_cmp(&row[*b]));
        let right =
            logits.chunks_exact(self.way).zip(labels).filter(|(row, y)| best(row) == Some(usize::from(**y)));
        right.count() as f64 / labels.len() as f64
    }
}

impl Perceptron {
    fn fit(&self, task: &Task<'_>, stream: &mut Stream) -> Layers {
        let mut layers = Layers::random(task.dim, self.hidden, task.way, stream);
        let (mut order, held) = self.parted(task, stream);
        let gathered = |items: &[usize]| -> (Vec<f64>, Vec<u16>) {
            let rows = items.iter().flat_map(|item| &task.rows[item * task.dim..(item + 1) * task.dim]);
            (rows.copied().collect(), items.iter().map(|item| task.labels[*item]).collect())
        };
        let (held_rows, held_labels) = gathered(&held);
        let mut moments = (vec![0.0; layers.values.len()], vec![0.0; layers.values.len()]);
        let (mut best, mut kept, mut waited) = (f64::NEG_INFINITY, layers.clone(), 0);
        let mut step = 0i32;
        for _ in 0..self.epochs {
            stream.shuffle(&mut order);
            let mut loss = 0.0;
            for batch in order.chunks(self.batch) {
                let (rows, labels) = gathered(batch);
                let (gradient, own) = layers.gradient(&rows, &labels, self.weight_decay);
                loss += own * batch.len() as f64 / order.len() as f64;
                step = step.saturating_add(1);
                adam(&mut layers.values, &gradient, &mut moments, self.lr, step);
            }
            let (score, least) = match held.is_empty() {
                true => (-loss, TOLERANCE),
                false => (layers.accuracy(&held_rows, &held_labels), 0.0),
            };
            if score > best + least {
                (best, waited) = (score, 0);
                if !held.is_empty() {
                    kept.clone_from(&layers);
                }
            } else {
                waited += 1;
            }
            if waited >= self.patience {
                break;
            }
        }
        if held.is_empty() { layers } else { kept }
    }

    /// The items that are trained on, and those that are held out.
    fn parted(&self, task: &Task<'_>, stream: &mut Stream) -> (Vec<usize>, Vec<usize>) {
        let (mut trained, mut held) = (Vec::new(), Vec::new());
        for label in 0..task.way {
            let mut own: Vec<usize> =
                (0..task.labels.len()).filter(|item| usize::from(task.labels[*item]) == label).collect();
            stream.shuffle(&mut own);
            let out = ((self.held_out * own.len() as f64).round() as usize).min(own.len().saturating_sub(1));
            held.extend(own.split_off(own.len() - out));
            trained.extend(own);
        }
        (trained, held)
    }
}

/// A step of Adam.
fn adam(values: &mut [f64], gradient: &[f64], moments: &mut (Vec<f64>, Vec<f64>), lr: f64, step: i32) {
    let (first, second, tiny) = ADAM;
    let rate = lr * (1.0 - second.powi(step)).sqrt() / (1.0 - first.powi(step));
    let moments = moments.0.iter_mut().zip(&mut moments.1);
    for ((value, g), (m, v)) in values.iter_mut().zip(gradient).zip(moments) {
        *m = first * *m + (1.0 - first) * g;
        *v = second * *v + (1.0 - second) * g * g;
        *value -= rate * *m / (v.sqrt() + tiny);
    }
}

impl<D: Backend> Inductive<D> for Perceptron {
    fn adapt(&self, support: &Support<D>, rng: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let batch = support.on_host()?;
        let one = |episode: usize| {
            let labels = support.labels().of(episode);
            let rows = host_head::rows(&batch, episode, labels.len())?;
            let task = Task { rows: &rows, labels, way: support.way(), dim: support.dim() };
            Ok(self.fit(&task, &mut rng.stream(episode)))
        };
        let layers = (0..support.episodes()).map(one).collect::<Result<Vec<_>, LearnError>>()?;
        Ok(Box::new(Perceptrons { layers, way: support.way() }))
    }
}

/// A perceptron per episode.
struct Perceptrons {
    layers: Vec<Layers>,
    way: usize,
}

impl<D: Backend> Classifier<D> for Perceptrons {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        host_head::scored(items, self.way, Meaning::Logits, |episode, rows| {
            let layers = &self.layers[episode];
            Ok(layers.logits(&layers.hidden(&rows)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;

    #[test]
    fn the_gradient_is_that_of_differences() {
        let mut stream = Stream::new(3, Purpose::Learner, 0);
        let layers = Layers::random(4, 5, 3, &mut stream);
        let rows: Vec<f64> = (0..6 * 4).map(|_| stream.normal()).collect();
        let labels = [0u16, 1, 2, 0, 1, 2];
        let objective = |layers: &Layers| {
            let (_, loss) = layers.gradient(&rows, &labels, 0.0);
            let weights = layers.part(0).iter().chain(layers.part(2)).map(|w| w * w).sum::<f64>();
            loss + 0.5 * 0.3 * weights / 6.0
        };
        let (gradient, _) = layers.gradient(&rows, &labels, 0.3);
        for (place, found) in gradient.iter().enumerate() {
            let moved = |by: f64| {
                let mut other = layers.clone();
                other.values[place] += by;
                objective(&other)
            };
            let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((slope - found).abs() < 1e-6, "{place}: {slope} {found}");
        }
    }

    #[test]
    fn what_no_line_parts_is_learned() {
        let rows = [0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0].repeat(5);
        let labels = [0u16, 0, 1, 1].repeat(5);
        let task = Task { rows: &rows, labels: &labels, way: 2, dim: 2 };
        let mlp = Perceptron {
            hidden: 32,
            lr: 0.02,
            epochs: 500,
            batch: 4,
            weight_decay: 0.0,
            held_out: 0.2,
            patience: 500,
        };
        let (trained, held) = mlp.parted(&task, &mut Stream::new(1, Purpose::Learner, 0));
        assert_eq!((trained.len(), held.len()), (16, 4));
        let layers = mlp.fit(&task, &mut Stream::new(1, Purpose::Learner, 0));
        assert_eq!(layers.accuracy(&rows, &labels), 1.0);
    }
}
