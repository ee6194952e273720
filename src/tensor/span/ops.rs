//! The operations that heads are made of, with their compositions from stock operations as the ways that every device has.

use dfdx::shapes::HasShape;

use super::descent::{Batches, Descent};
use super::gram::Gram;
use super::host::{Fit, Task, each};
use super::solution::Solution;
use super::{descent, hinge, logistic, neighbours, ridge};
use crate::tensor::{Backend, Labels, Tensor3, TensorError, open_cpu, to_host};

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

impl Objective<'_> {
    /// How many solutions it has: one, or one for each stop of a descent.
    pub(super) fn solutions(&self) -> usize {
        match self {
            Objective::Descent(_, stops) => stops.len(),
            _ => 1,
        }
    }

    /// What is added to the inner products before they are inverted, where anything is.
    pub(super) fn penalty(&self) -> Option<f64> {
        match self {
            Objective::Ridge(alpha) => Some(*alpha),
            Objective::Hinge(c) => Some(0.5 / c),
            Objective::Logistic(c) => Some(1.0 / c),
            Objective::Descent(..) => None,
        }
    }

    /// The same with a penalty that double precision can tell from none, and from one that leaves nothing of the products,
    /// where `largest` of them is on the diagonal: beyond these bounds no answer changes.
    pub(super) fn within(self, largest: f64) -> Self {
        let bound = |penalty: f64| match largest > 0.0 {
            true => penalty.clamp(largest * 2f64.powi(-44), largest * 2f64.powi(60)),
            false => penalty,
        };
        match self {
            Objective::Ridge(alpha) => Objective::Ridge(bound(alpha)),
            Objective::Hinge(c) => Objective::Hinge(0.5 / bound(0.5 / c)),
            Objective::Logistic(c) => Objective::Logistic(1.0 / bound(1.0 / c)),
            descent @ Objective::Descent(..) => descent,
        }
    }

    /// Whether it has a bias without a penalty, and its optimum: a point added to all items then changes nothing.
    pub(super) fn has_free_bias(&self) -> bool {
        matches!(self, Objective::Logistic(_))
    }

    /// Its fits to one episode on the host.
    pub(super) fn fits(
        &self,
        episode: usize,
        gram: &Gram<'_>,
        task: Task<'_>,
    ) -> Result<Vec<Fit>, TensorError> {
        match self {
            Objective::Ridge(alpha) => Ok(vec![ridge::host(gram, task, *alpha)?]),
            Objective::Hinge(c) => Ok(vec![hinge::host(gram, task, *c)?]),
            Objective::Logistic(c) => Ok(vec![logistic::host(gram, task, *c)?]),
            Objective::Descent(descent, stops) => descent::host(episode, gram, task, descent, stops),
        }
    }
}

/// A device with the operations of heads: votes of neighbours, and fits in the span of a support.
///
/// All fail when sizes do not fit or the device does.
pub trait SpanOps: Backend {
    /// The largest of `values` (episodes, items, support) over the support items of each label: (episodes, items, way).
    fn best_of_label(&self, values: &Tensor3<Self>, labels: &Labels) -> Result<Tensor3<Self>, TensorError> {
        neighbours::stock_best_of_label(values, labels)
    }

    /// Votes of the `k` support items with the largest `values` (episodes, items, support), as (episodes, items, way);
    /// a share below one makes the label of the nearer item win a tie.
    fn votes(&self, values: &Tensor3<Self>, labels: &Labels, k: usize) -> Result<Tensor3<Self>, TensorError> {
        neighbours::stock_votes(values, labels, k)
    }

    /// [`SpanOps::votes`] for several `k`, with the same bits as one by one.
    fn votes_each(
        &self,
        values: &Tensor3<Self>,
        labels: &Labels,
        ks: &[usize],
    ) -> Result<Vec<Tensor3<Self>>, TensorError> {
        ks.iter().map(|k| self.votes(values, labels, *k)).collect()
    }

    /// Softmax of `values` (episodes, items, support) over the support, summed per label: (episodes, items, way).
    fn attention(&self, values: &Tensor3<Self>, labels: &Labels) -> Result<Tensor3<Self>, TensorError> {
        neighbours::stock_attention(values, labels)
    }

    /// Ridge regression on ±1 targets in the span of `features` (episodes, support, dim); see [`ridge`].
    fn ridge(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        alpha: f64,
    ) -> Result<Solution<Self>, TensorError> {
        ridge::stock(self, features, labels, alpha)
    }

    /// Squared hinge, one-vs-rest, in the span of the support; see [`hinge`].
    fn hinge(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        c: f64,
    ) -> Result<Solution<Self>, TensorError> {
        hinge::stock(self, features, labels, c)
    }

    /// Multinomial logistic regression in the span of the support; see [`logistic`].
    fn logistic(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        c: f64,
    ) -> Result<Solution<Self>, TensorError> {
        logistic::stock(self, features, labels, c)
    }

    /// Gradient descent on the mean cross-entropy in the span of the support; see [`descent`].
    fn descent(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        descent: &Descent<'_>,
    ) -> Result<Solution<Self>, TensorError> {
        descent::stock(self, features, labels, descent)
    }

    /// Fits several objectives to the same supports, with the same bits as one by one: what they have in common may be
    /// computed once. A descent has as many solutions as stops, all others have one. Features count as so many times what
    /// they are as the `unit` says, and the solutions are for items in that unit.
    fn fits(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        objectives: &[Objective<'_>],
        unit: f64,
    ) -> Result<Vec<Solution<Self>>, TensorError> {
        let mut solutions = Vec::new();
        // Single precision holds no such products.
        if unit != 1.0 {
            let host = open_cpu();
            let features = host.tensor3(*features.shape(), to_host(features)?)?;
            let solved = each(&host, &features, labels, objectives, unit)?;
            return solved.into_iter().map(|solution| solution.on(self)).collect();
        }
        for objective in objectives {
            match objective {
                Objective::Ridge(alpha) => solutions.push(self.ridge(features, labels, *alpha)?),
                Objective::Hinge(c) => solutions.push(self.hinge(features, labels, *c)?),
                Objective::Logistic(c) => solutions.push(self.logistic(features, labels, *c)?),
                Objective::Descent(descent, stops) => {
                    for stop in *stops {
                        let first =
                            |episode: usize, n: usize| descent.plan(episode, n, *stop).unwrap_or_default();
                        let batches: Option<Batches<'_>> =
                            if descent.batches.is_some() { Some(&first) } else { None };
                        let shorter = Descent { epochs: *stop, batches, ..*descent };
                        solutions.push(self.descent(features, labels, &shorter)?);
                    }
                }
            }
        }
        Ok(solutions)
    }
}
