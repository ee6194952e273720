//! Ridge regression on targets ±1, without bias: `min ‖XW − Y‖² + α‖W‖²`, so `A = (K + αI)⁻¹Y`.

use super::super::error::TensorError;
use super::super::{Backend, Labels, Tensor3, ops, stock as composed};
use super::gram::Gram;
use super::host::{Fit, Task, item_by_item};
use super::solution::Solution;

pub(in super::super) fn host(gram: &Gram<'_>, task: Task<'_>, alpha: f64) -> Result<Fit, TensorError> {
    let (n, way) = (task.support(), task.way);
    let targets: Vec<f64> =
        (0..way).flat_map(|c| (0..n).map(move |i| if task.has(i, c) { 1.0 } else { -1.0 })).collect();
    let mut solved = vec![0.0; way * n];
    gram.inverse(1.0, alpha, "ridge regression")?.across(&targets, &mut solved);
    Ok(Fit::of(item_by_item(&solved, way), None, true))
}

/// The same over a batch, composed from stock operations.
pub fn stock<D: Backend>(
    device: &D,
    features: &Tensor3<D>,
    labels: &Labels,
    alpha: f64,
) -> Result<Solution<D>, TensorError> {
    let inverse =
        composed::spd_inverse(device, &composed::with_ridge(device, &ops::gram(features)?, alpha as f32)?)?;
    let targets = composed::signs(device, labels)?;
    Ok(Solution::of(composed::matmul(&inverse, &targets)?, None, 0))
}
