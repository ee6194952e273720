//! The operations of heads on the CPU: host loops, episode by episode.

use dfdx::tensor::Cpu;

use super::descent::{self, Descent};
use super::host::{each, each_numbered, each_of};
use super::ops::{Objective, SpanOps};
use super::solution::Solution;
use super::{hinge, logistic, neighbours, ridge};
use crate::tensor::{Labels, Tensor3, TensorError};

impl SpanOps for Cpu {
    fn best_of_label(&self, values: &Tensor3<Self>, labels: &Labels) -> Result<Tensor3<Self>, TensorError> {
        neighbours::host(self, values, labels, neighbours::best_of_label)
    }

    fn votes(&self, values: &Tensor3<Self>, labels: &Labels, k: usize) -> Result<Tensor3<Self>, TensorError> {
        neighbours::host(self, values, labels, |row, labels, out| neighbours::votes(row, labels, k, out))
    }

    fn votes_each(
        &self,
        values: &Tensor3<Self>,
        labels: &Labels,
        ks: &[usize],
    ) -> Result<Vec<Tensor3<Self>>, TensorError> {
        neighbours::host_votes(self, values, labels, ks)
    }

    fn attention(&self, values: &Tensor3<Self>, labels: &Labels) -> Result<Tensor3<Self>, TensorError> {
        neighbours::host(self, values, labels, neighbours::attention)
    }

    fn ridge(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        alpha: f64,
    ) -> Result<Solution<Self>, TensorError> {
        each(self, features, labels, |gram, labels| ridge::host(gram, labels, alpha))
    }

    fn hinge(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        c: f64,
    ) -> Result<Solution<Self>, TensorError> {
        each(self, features, labels, |gram, labels| hinge::host(gram, labels, c))
    }

    fn logistic(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        c: f64,
    ) -> Result<Solution<Self>, TensorError> {
        each(self, features, labels, |gram, labels| logistic::host(gram, labels, c))
    }

    fn descent(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        descent: &Descent<'_>,
    ) -> Result<Solution<Self>, TensorError> {
        each_numbered(self, features, labels, |episode, gram, labels| {
            let mut fits = descent::host(episode, gram, labels, descent, &[descent.epochs])?;
            Ok(fits.pop().expect("one stop was asked for"))
        })
    }

    /// All from the same inner products.
    fn fits(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        objectives: &[Objective<'_>],
    ) -> Result<Vec<Solution<Self>>, TensorError> {
        let count = objectives.iter().map(Objective::solutions).sum();
        each_of(self, features, labels, count, |episode, gram, task| {
            let mut fits = Vec::with_capacity(count);
            for objective in objectives {
                match objective {
                    Objective::Ridge(alpha) => fits.push(ridge::host(gram, task, *alpha)?),
                    Objective::Hinge(c) => fits.push(hinge::host(gram, task, *c)?),
                    Objective::Logistic(c) => fits.push(logistic::host(gram, task, *c)?),
                    Objective::Descent(descent, stops) => {
                        fits.extend(descent::host(episode, gram, task, descent, stops)?);
                    }
                }
            }
            Ok(fits)
        })
    }
}
