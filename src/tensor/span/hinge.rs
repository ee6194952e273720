//! Squared hinge, one-vs-rest, without bias: `min ½‖w‖² + c Σ max(0, 1 − y·f)²`.
//!
//! At the optimum `A = 2c(t − F)` with `t = y·max(1, y·F)`: ridge regression towards targets that have moved out to where
//! the margin is already met. Solving for fixed `t` gives the iteration `F ← K(K + I/2c)⁻¹t(F)`, which majorises the
//! loss and so never raises it; momentum makes it fast.

use dfdx::tensor_ops::{TryMul, TrySub};

use super::super::error::TensorError;
use super::super::{Backend, Labels, Tensor3, ops, stock as composed};
use super::gram::Gram;
use super::host::{Fit, Task, item_by_item};
use super::momentum::{MOST_STEPS, Momentum};
use super::solution::Solution;

/// Largest change of a target in a step that counts as converged.
const TOLERANCE: f64 = 1e-6;

pub(in super::super) fn host(gram: &Gram<'_>, task: Task<'_>, c: f64) -> Result<Fit, TensorError> {
    let (n, way) = (task.support(), task.way);
    let inverse = gram.inverse(1.0, 0.5 / c, "a squared-hinge fit")?;
    // Labels run down, items across.
    let sign = |place: usize| if task.has(place % n, place / n) { 1.0 } else { -1.0 };
    let signs: Vec<f64> = (0..n * way).map(sign).collect();
    let target = |f: &[f64], t: &mut [f64]| {
        t.iter_mut().zip(f).zip(&signs).for_each(|((t, f), y)| *t = y * (y * f).max(1.0));
    };
    // Every label is a problem of its own, but they share the matrix, so they are stepped together.
    let mut targets = signs.clone();
    let (mut last, mut f) = (vec![0.0; n * way], vec![0.0; n * way]);
    let mut next_targets = vec![0.0; n * way];
    let mut lead = vec![0.0; n * way];
    let mut momentum = Momentum::new();
    let mut converged = false;
    for _ in 0..MOST_STEPS {
        // K(K + I/2c)⁻¹ = I − (K + I/2c)⁻¹/2c.
        inverse.across(&targets, &mut f);
        f.iter_mut().zip(&targets).for_each(|(f, t)| *f = t - 0.5 / c * *f);
        target(&f, &mut next_targets);
        let change = targets.iter().zip(&next_targets).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        if change <= TOLERANCE {
            targets.copy_from_slice(&next_targets);
            converged = true;
            break;
        }
        let turn: f64 = lead.iter().zip(&f).zip(&last).map(|((l, f), o)| (l - f) * (f - o)).sum();
        let factor = momentum.next(turn > 0.0);
        lead.iter_mut().zip(&f).zip(&last).for_each(|((l, f), o)| *l = f + factor * (f - o));
        target(&lead, &mut targets);
        std::mem::swap(&mut last, &mut f);
    }
    inverse.across(&targets, &mut f);
    Ok(Fit::of(item_by_item(&f, way), None, converged))
}

/// The same over a batch, composed from stock operations.
pub fn stock<D: Backend>(
    device: &D,
    features: &Tensor3<D>,
    labels: &Labels,
    c: f64,
) -> Result<Solution<D>, TensorError> {
    let gram = ops::gram(features)?;
    let inverse = composed::spd_inverse(device, &composed::with_ridge(device, &gram, (0.5 / c) as f32)?)?;
    let signs = composed::signs(device, labels)?;
    let smoother = composed::matmul(&gram, &inverse)?;
    let error = composed::failure::<D>;
    let target = |f: &Tensor3<D>| -> Result<Tensor3<D>, TensorError> {
        // max(1, y·f) = 1 + relu(y·f − 1)
        let met = f.clone().try_mul(signs.clone()).map_err(error)?.try_sub(1.0).map_err(error)?;
        composed::add_scalar(composed::relu(met)?, 1.0)?.try_mul(signs.clone()).map_err(error)
    };
    let mut state = composed::Accelerated::new(device, signs.clone())?;
    let mut targets = signs.clone();
    for step in 0..MOST_STEPS {
        let f = composed::matmul(&smoother, &targets)?;
        let change = composed::largest_difference(&target(&f)?, &targets)?;
        state.advance(&f, &change, TOLERANCE.max(1e-5) as f32)?;
        targets = target(state.lead())?;
        if step % 8 == 7 && state.running()? == 0 {
            break;
        }
    }
    let unconverged = state.running()?;
    let targets = target(state.point())?;
    Ok(Solution::of(composed::matmul(&inverse, &targets)?, None, unconverged))
}
