//! Ridge regression on targets ±1, without bias: `min ‖XW − Y‖² + α‖W‖²`, so `A = (K + αI)⁻¹Y`.

use super::super::error::TensorError;
use super::super::{Backend, Labels, Tensor3, kernel, stock as composed};
use super::Solution;
use super::host::{Fit, Task, inverse, with_ridge};

pub(in super::super) fn host(gram: &[f64], task: Task<'_>, alpha: f64) -> Result<Fit, TensorError> {
    let (n, way) = (task.support(), task.way);
    let inverse = inverse(&with_ridge(gram, n, alpha), n, "ridge")?;
    let targets: Vec<f64> =
        (0..n).flat_map(|i| (0..way).map(move |c| if task.has(i, c) { 1.0 } else { -1.0 })).collect();
    let mut coefficients = vec![0.0; n * way];
    kernel::multiply(&inverse, &targets, n, way, &mut coefficients);
    Ok(Fit { coefficients, bias: None, converged: true })
}

/// The same over a batch, composed from stock operations.
pub fn stock<D: Backend>(
    device: &D,
    gram: &Tensor3<D>,
    labels: &Labels,
    alpha: f64,
) -> Result<Solution<D>, TensorError> {
    let inverse = composed::spd_inverse(device, &composed::with_ridge(device, gram, alpha as f32)?)?;
    let targets = composed::signs(device, labels)?;
    Ok(Solution { coefficients: composed::matmul(&inverse, &targets)?, bias: None, unconverged: 0 })
}
