//! Multinomial logistic regression: `min Σ CE + ‖W‖²/(2c)`, a sum over the support, with an unpenalised bias.
//!
//! Böhning (1992) bounds the curvature of the softmax by `h = ½`. With `K` standing for `cK`, one step minimises the bound
//! at (Z, b): `T = hZ − (softmax(Z + b) − Y)`, `A = P·T`, `b += uᵀT/(h·1ᵀu)`, `Z ← K·A`, where `M = I + hK`, `u = M⁻¹1` and
//! `P = M⁻¹ − uuᵀ/(1ᵀu)`. At the optimum `A = Y − softmax(Z + b)`, which is the test of convergence.

use dfdx::tensor_ops::{TryAdd, TrySub};

use super::super::error::TensorError;
use super::super::{Backend, Labels, Tensor3, ops, stock as composed};
use super::gram::Gram;
use super::host::{Fit, Task, softmax_rows};
use super::{MOST_STEPS, Momentum, Solution};

/// Böhning's bound on the curvature of the softmax.
const BOUND: f64 = 0.5;
/// Largest residual `|A + softmax − Y|` that counts as converged.
const TOLERANCE: f64 = 1e-6;

pub(in super::super) fn host(gram: &Gram<'_>, task: Task<'_>, c: f64) -> Result<Fit, TensorError> {
    let (n, way) = (task.support(), task.way);
    let inverse = gram.inverse(BOUND * c, 1.0, "linear-probe")?;
    let mut u = vec![0.0; n];
    inverse.times(&vec![1.0; n], 1, &mut u);
    let mass: f64 = u.iter().sum();
    let mut lift = vec![0.0; way];

    // The state of the accelerated iteration is (A, Z, b) as one vector: all three are linear in each other.
    let size = n * way;
    let length = 2 * size + way;
    let (mut lead, mut last, mut point) = (vec![0.0; length], vec![0.0; length], vec![0.0; length]);
    let mut gradient = vec![0.0; size];
    let mut pull = vec![0.0; size];
    let mut momentum = Momentum::new();
    let mut converged = false;
    for _ in 0..MOST_STEPS {
        let (a, rest) = lead.split_at(size);
        let (z, b) = rest.split_at(size);
        for (row, z) in gradient.chunks_exact_mut(way).zip(z.chunks_exact(way)) {
            row.iter_mut().zip(z).zip(b).for_each(|((g, z), b)| *g = z + b);
        }
        softmax_rows(&mut gradient, way);
        for (i, label) in task.labels.iter().enumerate() {
            gradient[i * way + usize::from(*label)] -= 1.0;
        }
        let residual = a.iter().zip(&gradient).map(|(a, g)| (a + g).abs()).fold(0.0, f64::max);
        if residual <= TOLERANCE {
            converged = true;
            break;
        }
        pull.iter_mut().zip(z).zip(&gradient).for_each(|((t, z), g)| *t = BOUND * z - g);
        let (next_a, rest) = point.split_at_mut(size);
        let (next_z, next_b) = rest.split_at_mut(size);
        // P·T = M⁻¹T − u(uᵀT)/(1ᵀu)
        inverse.times(&pull, way, next_a);
        lift.fill(0.0);
        for (row, u) in pull.chunks_exact(way).zip(&u) {
            lift.iter_mut().zip(row).for_each(|(l, t)| *l += u * t / mass);
        }
        for (row, u) in next_a.chunks_exact_mut(way).zip(&u) {
            row.iter_mut().zip(&lift).for_each(|(a, l)| *a -= u * l);
        }
        gram.times(next_a, way, next_z);
        next_z.iter_mut().for_each(|z| *z *= c);
        next_b.iter_mut().zip(b).zip(&lift).for_each(|((next, b), l)| *next = b + l / BOUND);
        let turn: f64 = (size..length).map(|i| (lead[i] - point[i]) * (point[i] - last[i])).sum();
        let factor = momentum.next(turn > 0.0);
        for i in 0..length {
            lead[i] = point[i] + factor * (point[i] - last[i]);
        }
        std::mem::swap(&mut last, &mut point);
    }
    let coefficients = lead[..size].iter().map(|v| v * c).collect();
    Ok(Fit { coefficients, bias: Some(lead[2 * size..].to_vec()), converged })
}

/// The same over a batch, composed from stock operations.
pub fn stock<D: Backend>(
    device: &D,
    features: &Tensor3<D>,
    labels: &Labels,
    c: f64,
) -> Result<Solution<D>, TensorError> {
    let error = composed::failure::<D>;
    let (bound, support) = (BOUND as f32, labels.slots());
    let scaled = composed::scale(ops::gram(features)?, c as f32)?;
    let curvature = composed::scale(scaled.clone(), bound)?;
    let inverse = composed::spd_inverse(device, &composed::with_ridge(device, &curvature, 1.0)?)?;
    // Padding must not take part in the bias: it is left out of 1 in u = M⁻¹1.
    let ones = composed::column(labels.present(device)?)?; // (episodes, support, 1)
    let u = composed::matmul(&inverse, &ones)?;
    let u_row = composed::transpose(&u)?; // (episodes, 1, support)
    let mass = composed::matmul(&composed::transpose(&ones)?, &u)?; // (episodes, 1, 1)
    let projector = {
        let outer = composed::divide(composed::matmul(&u, &u_row)?, &mass)?;
        inverse.try_sub(outer).map_err(error)?
    };
    let present = composed::widen(&ones, labels.way())?;
    let truth = composed::transpose(&labels.membership(device)?)?; // (episodes, support, way)
    let zero = composed::zeros(device, (labels.episodes(), 2 * support + 1, labels.way()))?;
    let mut state = composed::Accelerated::new(device, zero)?;
    for step in 0..MOST_STEPS {
        let a = composed::rows(state.lead(), 0, support)?;
        let z = composed::rows(state.lead(), support, 2 * support)?;
        let b = composed::rows(state.lead(), 2 * support, 2 * support + 1)?;
        let logits = z.clone().try_add(composed::repeat(&b, support)?).map_err(error)?;
        let gradient =
            composed::multiply(composed::softmax(logits)?.try_sub(truth.clone()).map_err(error)?, &present)?;
        let residual = composed::largest_difference(&a, &composed::scale(gradient.clone(), -1.0)?)?;
        let pull = composed::scale(z, bound)?.try_sub(gradient).map_err(error)?;
        let next_a = composed::matmul(&projector, &pull)?;
        let next_z = composed::matmul(&scaled, &next_a)?;
        let lift =
            composed::divide(composed::matmul(&u_row, &pull)?, &composed::scale(mass.clone(), bound)?)?;
        let next_b = b.try_add(lift).map_err(error)?;
        let next = composed::stack_rows(device, &[next_a, next_z, next_b])?;
        state.advance(&next, &residual, 1e-5)?;
        if step % 8 == 7 && state.running()? == 0 {
            break;
        }
    }
    let unconverged = state.running()?;
    let coefficients = composed::scale(composed::rows(state.point(), 0, support)?, c as f32)?;
    let bias = composed::rows(state.point(), 2 * support, 2 * support + 1)?;
    Ok(Solution { coefficients, bias: Some(composed::flatten_row(bias)?), unconverged })
}
