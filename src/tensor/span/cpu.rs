//! The operations of heads on the CPU: host loops, episode by episode.

use dfdx::tensor::Cpu;

use super::descent::Descent;
use super::host::each;
use super::neighbours;
use super::ops::{Objective, SpanOps};
use super::solution::Solution;
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
        one(self, features, labels, Objective::Ridge(alpha))
    }

    fn hinge(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        c: f64,
    ) -> Result<Solution<Self>, TensorError> {
        one(self, features, labels, Objective::Hinge(c))
    }

    fn logistic(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        c: f64,
    ) -> Result<Solution<Self>, TensorError> {
        one(self, features, labels, Objective::Logistic(c))
    }

    fn descent(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        descent: &Descent<'_>,
    ) -> Result<Solution<Self>, TensorError> {
        one(self, features, labels, Objective::Descent(*descent, &[descent.epochs]))
    }

    /// All from the same inner products.
    fn fits(
        &self,
        features: &Tensor3<Self>,
        labels: &Labels,
        objectives: &[Objective<'_>],
        unit: f64,
    ) -> Result<Vec<Solution<Self>>, TensorError> {
        each(self, features, labels, objectives, unit)
    }
}

/// The solution of an objective that has one.
fn one(
    device: &Cpu,
    features: &Tensor3<Cpu>,
    labels: &Labels,
    objective: Objective<'_>,
) -> Result<Solution<Cpu>, TensorError> {
    let mut solutions = each(device, features, labels, &[objective], 1.0)?;
    Ok(solutions.pop().expect("one solution was asked for"))
}
