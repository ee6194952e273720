//! TIM-ADM (Boudiaf, Masud, Rony, Dolz, Piantanida and Ben Ayed 2020, "Transductive Information Maximization For Few-Shot
//! Learning", arXiv:2008.11297): the loss of TIM by alternating directions, in closed form.
//!
//! With `p = softmax(−τ/2·‖x − w‖²)` of all items, each step takes `q_ik ∝ p_ik^(1+κ) / √(Σ_i p_ik^(1+κ))` for the queries (eq. 4)
//! and then `w_k` as the weighted mean of eq. 5. Defaults are the paper's: τ = 15, λ = κ = 0.1, 150 steps.
//!
//! Differs from the paper: nothing. The marginal is drawn to the uniform one, which assumes that queries are balanced.

use super::episode::{self, Episode, squared_distances};
use crate::learner::{
    LearnError, Learner, Parameter, Registry, Scale, Signature, Transductive, transform_parameter,
};
use crate::rng::BatchRng;
use crate::tensor::{Backend, SpanOps, dense};
use crate::view::{Items, Scores, Support};
use crate::vocab::Transform;

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "mutual information by alternating directions (TIM-ADM, Boudiaf et al. 2020)";
    let mut tim = Signature::new("tim-adm", about);
    let temperature = Parameter::real("temperature", 15.0, 1e-3, 1e4, "factor on the logits");
    let temperature = tim.parameter(temperature.search(Scale::Log, 1.0, 100.0));
    let weight = Parameter::real("cross-entropy", 0.1, 1e-6, 1e3, "weight of the support's labels");
    let cross_entropy = tim.parameter(weight.search(Scale::Log, 0.01, 1.0));
    let weight = Parameter::real("conditional", 0.1, 0.0, 1e3, "weight of the doubt about single queries");
    let conditional = tim.parameter(weight.search(Scale::Log, 0.01, 1.0));
    let steps = tim.parameter(Parameter::whole("steps", 150, 1, 1000, "alternations"));
    let transform = tim.parameter(transform_parameter(Transform::L2n));
    list.add(tim, move |p| {
        let learner = TimAdm {
            temperature: p[temperature],
            cross_entropy: p[cross_entropy],
            conditional: p[conditional],
            steps: p[steps],
        };
        Ok(Learner::transductive(learner).with_transform(p[transform]).assuming_balance())
    });
}

struct TimAdm {
    temperature: f64,
    cross_entropy: f64,
    conditional: f64,
    steps: usize,
}

impl TimAdm {
    /// `p` of all items (items × way).
    fn probabilities(&self, rows: &[f64], weights: &[f64], dim: usize) -> Vec<f64> {
        let mut p = squared_distances(rows, weights, dim);
        p.iter_mut().for_each(|d| *d *= -0.5 * self.temperature);
        dense::softmax(&mut p, weights.len() / dim);
        p
    }

    fn answer(&self, episode: &Episode<'_>) -> Vec<f64> {
        let (way, dim, support) = (episode.way, episode.dim, episode.support());
        let rows = episode.centred();
        let mut weights = episode.means(&rows);
        let own = self.cross_entropy / (1.0 + self.conditional);
        let other = support as f64 / episode.queries() as f64;
        let truth = episode.one_hot();
        for _ in 0..self.steps {
            let p = self.probabilities(&rows, &weights, dim);
            let labels = sharpened(&p[support * way..], way, 1.0 + self.conditional);
            let given = truth.iter().map(|y| (y, own)).chain(labels.iter().map(|q| (q, other)));
            // Σ (y·x + p·(w − x)) / Σ y, with λ/(1 + κ) on the support and |S|/|Q| on the queries.
            let (mut totals, mut moved) = (vec![0.0; way], vec![0.0; way]);
            let mut shares = vec![0.0; p.len()];
            for (place, (y, factor)) in given.enumerate() {
                totals[place % way] += factor * y;
                moved[place % way] += factor * p[place];
                shares[place] = factor * (y - p[place]);
            }
            let mut sums = vec![0.0; way * dim];
            dense::combine(&shares, &rows, dim, &mut sums);
            for (place, (w, sum)) in weights.iter_mut().zip(sums).enumerate() {
                let label = place / dim;
                *w = (sum + moved[label] * *w) / totals[label].max(f64::MIN_POSITIVE);
            }
        }
        self.probabilities(&rows[support * dim..], &weights, dim)
    }
}

/// `q_ik ∝ p_ik^power / √(Σ_i p_ik^power)`, of rows (queries × way).
fn sharpened(p: &[f64], way: usize, power: f64) -> Vec<f64> {
    let mut q: Vec<f64> = p.iter().map(|p| p.powf(power)).collect();
    let mut columns = vec![0.0; way];
    q.chunks_exact(way).for_each(|row| columns.iter_mut().zip(row).for_each(|(sum, q)| *sum += q));
    for row in q.chunks_exact_mut(way) {
        row.iter_mut().zip(&columns).for_each(|(q, sum)| *q /= sum.max(f64::MIN_POSITIVE).sqrt());
        let total: f64 = row.iter().sum();
        row.iter_mut().for_each(|q| *q /= total);
    }
    q
}

impl<D: Backend> Transductive<D> for TimAdm {
    fn infer(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        _: &BatchRng<'_>,
    ) -> Result<Scores<D>, LearnError> {
        Ok(Scores::probabilities(episode::each(support, query, |episode| self.answer(episode))?))
    }
}
