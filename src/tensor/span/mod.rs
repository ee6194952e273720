//! Heads fitted in the span of their support set.
//!
//! The optimum of every L2-regularised linear head, and each step of gradient descent from zero, is `W = SᵀA` for
//! coefficients `A` (support, way): so a fit needs only the inner products `K = S·Sᵀ` (support, support), and the
//! full weights are formed once. Each head has a host loop per episode in double precision and the same iteration
//! composed from stock operations over the whole batch. An episode that has converged is frozen, so that its result
//! never depends on its company.

pub mod descent;
mod descent_batch;
mod gram;
pub mod hinge;
pub(super) mod host;
mod inverse;
pub mod logistic;
pub mod ridge;
mod softmax;

pub use descent::{Batches, Descent, Head, Init};

use super::{Backend, Labels, Tensor2, Tensor3, TensorError};

/// What a head in the span of its support is fitted to.
#[derive(Clone, Copy)]
pub enum Objective<'a> {
    /// Ridge regression with this penalty; see [`ridge`].
    Ridge(f64),
    /// Squared hinge with this weight of the loss; see [`hinge`].
    Hinge(f64),
    /// Logistic regression with this inverse penalty; see [`logistic`].
    Logistic(f64),
    /// Gradient descent, with one solution after each of these numbers of passes; see [`descent`].
    Descent(Descent<'a>, &'a [usize]),
}

/// Fits every objective by itself.
pub(super) fn one_by_one<D: Backend>(
    device: &D,
    features: &Tensor3<D>,
    labels: &Labels,
    objectives: &[Objective<'_>],
) -> Result<Vec<Solution<D>>, TensorError> {
    let mut solutions = Vec::new();
    for objective in objectives {
        match objective {
            Objective::Ridge(alpha) => solutions.push(device.ridge(features, labels, *alpha)?),
            Objective::Hinge(c) => solutions.push(device.hinge(features, labels, *c)?),
            Objective::Logistic(c) => solutions.push(device.logistic(features, labels, *c)?),
            Objective::Descent(descent, stops) => {
                for stop in *stops {
                    let cut = |episode: usize, n: usize| descent.plan(episode, n, *stop).unwrap_or_default();
                    let batches = descent.batches.is_some();
                    let batches: Option<descent::Batches<'_>> = if batches { Some(&cut) } else { None };
                    let shorter = Descent { steps: *stop, batches, ..*descent };
                    solutions.push(device.descent(features, labels, &shorter)?);
                }
            }
        }
    }
    Ok(solutions)
}

/// Coefficients of heads in the span of their support sets.
pub struct Solution<D: Backend> {
    /// `A` (episodes, support, way); zero for padding.
    pub coefficients: Tensor3<D>,
    /// The bias (episodes, way), for heads that have one.
    pub bias: Option<Tensor2<D>>,
    /// Episodes whose fit stopped at its step limit.
    pub unconverged: usize,
}

/// Steps after which a fit is given up as not converged.
pub(super) const MOST_STEPS: usize = 2_000;

/// Nesterov's sequence with O'Donoghue and Candès' restart (2015): the momentum of the next step, or 0 after a step
/// that went against its own momentum.
#[derive(Clone, Copy)]
pub(super) struct Momentum {
    t: f64,
}

impl Momentum {
    pub(super) fn new() -> Momentum {
        Momentum { t: 1.0 }
    }

    /// The factor on the last difference; `against` says that the step turned back.
    pub(super) fn next(&mut self, against: bool) -> f64 {
        if against {
            self.t = 1.0;
        }
        let next = 0.5 * (1.0 + (1.0 + 4.0 * self.t * self.t).sqrt());
        let factor = (self.t - 1.0) / next;
        self.t = next;
        factor
    }
}
