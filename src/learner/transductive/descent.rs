//! Descent of class weights on the labels of the support and on the entropies of the queries' predictions, with Adam (Kingma and Ba 2015,
//! arXiv:1412.6980).
//!
//! The loss is `λ·CE(support) − μ·H(mean prediction of the queries) + κ·mean H(prediction of a query)`; the entropy H is that
//! of Shannon, or of Tsallis, `(1 − Σ pᵅ)/(α − 1)`. Weights start from the means of the support.

use super::episode::Episode;
use crate::tensor::dense;

/// Added to probabilities whose logarithm is taken, as the public implementations do.
const TINY: f64 = 1e-12;
/// Shares of the last moments that Adam keeps, and what it adds to the root of the second.
const ADAM: (f64, f64, f64) = (0.9, 0.999, 1e-8);

/// How an item `x` and the weights `w` of a label make a logit.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Head {
    /// `−½‖x − w‖²`.
    SquaredDistance,
    /// `−‖x − w‖`.
    Distance,
    /// `cos(x, w)`.
    Cosine,
    /// `x·w`.
    Linear,
}

/// The measure of doubt.
#[derive(Clone, Copy)]
pub(super) enum Entropy {
    Shannon,
    /// With its order α, not 1.
    Tsallis(f64),
}

impl Entropy {
    /// The derivative of the entropy by a probability.
    fn slope(self, p: f64, tiny: f64) -> f64 {
        match self {
            Entropy::Shannon => -((p + tiny).ln() + p / (p + tiny)),
            Entropy::Tsallis(alpha) => -alpha * (p + tiny).powf(alpha - 1.0) / (alpha - 1.0),
        }
    }
}

/// The loss, the logits and the steps.
#[derive(Clone, Copy)]
pub(super) struct Descent {
    pub(super) head: Head,
    /// The factor on the logits.
    pub(super) temperature: f64,
    /// λ.
    pub(super) cross_entropy: f64,
    /// μ.
    pub(super) marginal: f64,
    /// κ.
    pub(super) conditional: f64,
    pub(super) entropy: Entropy,
    pub(super) steps: usize,
    pub(super) lr: f64,
}

/// Numbers that are used again in every step.
struct State {
    /// (items × way): logits, then probabilities, then the gradient by the logits.
    values: Vec<f64>,
    /// (items × way): what the head's gradient needs of the logits.
    logits: Vec<f64>,
    /// Norms of the items, and their squares.
    norms: Vec<f64>,
    weights: Vec<f64>,
    gradient: Vec<f64>,
    moments: (Vec<f64>, Vec<f64>),
}

impl Descent {
    /// The probabilities of the queries (queries × way) after the last step.
    pub(super) fn run(&self, episode: &Episode<'_>) -> Vec<f64> {
        let (way, dim, support) = (episode.way, episode.dim, episode.support());
        let rows = match self.head {
            Head::SquaredDistance | Head::Distance => episode.centred(),
            Head::Cosine | Head::Linear => episode.rows(),
        };
        let norms = dense::squared_norms(&rows, dim);
        let items = norms.len();
        let (means, zeros) = (episode.means(&rows), vec![0.0; way * dim]);
        let mut state = State {
            values: vec![0.0; items * way],
            logits: vec![0.0; items * way],
            norms,
            weights: means,
            gradient: zeros.clone(),
            moments: (zeros.clone(), zeros),
        };
        for step in 1..=self.steps {
            self.logits(&rows, dim, way, &mut state);
            self.by_logits(episode, &mut state);
            self.by_weights(&rows, dim, way, &mut state);
            self.adam(step, &mut state);
        }
        self.logits(&rows, dim, way, &mut state);
        let mut out = state.values.split_off(support * way);
        dense::softmax(&mut out, way);
        out
    }

    /// Writes logits times the temperature into `values`, and those before it into `logits`.
    fn logits(&self, rows: &[f64], dim: usize, way: usize, state: &mut State) {
        let State { values, logits, norms, weights, .. } = state;
        dense::products(rows, weights, dim, logits);
        let squared = dense::squared_norms(weights, dim);
        for (row, norm) in logits.chunks_exact_mut(way).zip(norms.iter()) {
            let parts = row.iter_mut().zip(&squared);
            match self.head {
                Head::SquaredDistance => parts.for_each(|(z, w)| *z -= 0.5 * w + 0.5 * norm),
                Head::Distance => {
                    parts.for_each(|(z, w)| *z = -(norm + w - 2.0 * *z).max(0.0).sqrt());
                }
                Head::Cosine => {
                    let length = norm.sqrt().max(TINY);
                    parts.for_each(|(z, w)| *z /= length * w.sqrt().max(TINY));
                }
                Head::Linear => {}
            }
        }
        values.iter_mut().zip(logits.iter()).for_each(|(v, z)| *v = self.temperature * z);
    }

    /// Replaces logits in `values` by the gradient of the loss by them, before the temperature.
    fn by_logits(&self, episode: &Episode<'_>, state: &mut State) {
        let (way, support) = (episode.way, episode.support());
        let queries = episode.queries() as f64;
        let values = &mut state.values;
        dense::softmax(values, way);
        let (own, others) = values.split_at_mut(support * way);
        let share = self.temperature * self.cross_entropy / support as f64;
        for (row, label) in own.chunks_exact_mut(way).zip(episode.labels) {
            row[usize::from(*label)] -= 1.0;
            row.iter_mut().for_each(|v| *v *= share);
        }
        let mut mean = vec![0.0; way];
        others
            .chunks_exact(way)
            .for_each(|row| mean.iter_mut().zip(row).for_each(|(m, p)| *m += p / queries));
        let rises: Vec<f64> = mean.iter().map(|m| -self.marginal * self.entropy.slope(*m, 1e-300)).collect();
        let mut slopes = vec![0.0; way];
        for row in others.chunks_exact_mut(way) {
            for ((slope, p), rise) in slopes.iter_mut().zip(row.iter()).zip(&rises) {
                *slope = rise + self.conditional * self.entropy.slope(*p, TINY);
            }
            let along: f64 = slopes.iter().zip(row.iter()).map(|(s, p)| s * p).sum();
            let share = self.temperature / queries;
            row.iter_mut().zip(&slopes).for_each(|(p, slope)| *p *= share * (slope - along));
        }
    }

    /// The gradient by the weights.
    fn by_weights(&self, rows: &[f64], dim: usize, way: usize, state: &mut State) {
        let State { values, logits, norms, weights, gradient, .. } = state;
        let squared = dense::squared_norms(weights, dim);
        // What each label's weights shrink by, as a factor on themselves.
        let mut shrink = vec![0.0; way];
        for ((g, z), norm) in values.chunks_exact_mut(way).zip(logits.chunks_exact(way)).zip(norms.iter()) {
            for c in 0..way {
                match self.head {
                    // d(−½‖x − w‖²)/dw = x − w.
                    Head::SquaredDistance => shrink[c] += g[c],
                    // d(−‖x − w‖)/dw = (x − w)/‖x − w‖.
                    Head::Distance => {
                        g[c] = if z[c] < 0.0 { -g[c] / z[c] } else { 0.0 };
                        shrink[c] += g[c];
                    }
                    // d cos/dw = (x/‖x‖ − cos·w/‖w‖)/‖w‖.
                    Head::Cosine => {
                        let length = squared[c].sqrt().max(TINY);
                        shrink[c] += g[c] * z[c] / (length * length);
                        g[c] /= norm.sqrt().max(TINY) * length;
                    }
                    Head::Linear => {}
                }
            }
        }
        dense::combine(values, rows, dim, gradient);
        for ((g, w), s) in gradient.chunks_exact_mut(dim).zip(weights.chunks_exact(dim)).zip(shrink) {
            g.iter_mut().zip(w).for_each(|(g, w)| *g -= s * w);
        }
    }

    fn adam(&self, step: usize, state: &mut State) {
        let (first, second, epsilon) = ADAM;
        let corrections = (1.0 - first.powi(step as i32), 1.0 - second.powi(step as i32));
        let State { weights, gradient, moments, .. } = state;
        let both = moments.0.iter_mut().zip(&mut moments.1);
        for ((w, g), (m, v)) in weights.iter_mut().zip(gradient.iter()).zip(both) {
            *m = first * *m + (1.0 - first) * g;
            *v = second * *v + (1.0 - second) * g * g;
            *w -= self.lr * (*m / corrections.0) / ((*v / corrections.1).sqrt() + epsilon);
        }
    }
}
