//! Multinomial logistic regression: `min Σ CE + ‖W‖²/(2c)`, a sum over the support, with an unpenalised bias.
//!
//! Böhning (1992) bounds the curvature of the softmax by `h = ½`. With `K` standing for `cK`, one step minimises the bound
//! at (Z, b): `T = hZ − (softmax(Z + b) − Y)`, `A = P·T`, `b += uᵀT/(h·1ᵀu)`, `Z ← K·A`, where `M = I + hK`, `u = M⁻¹1` and
//! `P = M⁻¹ − uuᵀ/(1ᵀu)`. At the optimum `A = Y − softmax(Z + b)`, which is the test of convergence.
//!
//! A large `c` makes the softmax sure and its curvature much smaller than ½: the host then bounds it item by item, at the
//! present point, by Gershgorin's `hᵢ = max_j 2pⱼ(1 − pⱼ)`, and `M = I + DK` with `D = diag(h)`. That bound holds near the
//! optimum only, so a residual that grows brings back ½.

use dfdx::tensor_ops::{TryAdd, TrySub};

use super::super::error::TensorError;
use super::super::{Backend, Labels, Tensor3, kernel, ops, stock as composed};
use super::gram::{Gram, Inverse};
use super::host::{self, Fit, Task, softmax_rows};
use super::{MOST_STEPS, Momentum, Solution};

/// Böhning's bound on the curvature of the softmax.
const BOUND: f64 = 0.5;
/// Largest residual `|A + softmax − Y|` that counts as converged.
const TOLERANCE: f64 = 1e-6;

/// Steps before the curvature is looked at for the first time, and between looks; each gap is half as long again.
const FIRST_LOOK: usize = 20;
/// The least curvature that an item counts with.
const FLATTEST: f64 = 1e-4;
/// Growth of the residual over its least so far that gives the local bound up.
const GROWTH: f64 = 10.0;

/// One step of the iteration for a bound `D` on the curvature: `A = M⁻¹T − v·(1ᵀM⁻¹T)/(1ᵀv)` with `M = I + cDK`, `v = M⁻¹D1`.
struct Step<'a> {
    curvature: Vec<f64>,
    core: Core<'a>,
    v: Vec<f64>,
    mass: f64,
}

enum Core<'a> {
    /// `(I + hcK)⁻¹` for one bound of all items.
    Flat(Inverse<'a>),
    /// `√D` and `(I + c√D·K·√D)⁻¹`, so that `M⁻¹ = √D·(…)⁻¹·√D⁻¹`.
    Curved { root: Vec<f64>, inverse: Vec<f64> },
}

impl<'a> Step<'a> {
    fn flat(gram: &'a Gram<'a>, n: usize, c: f64) -> Result<Step<'a>, TensorError> {
        let core = Core::Flat(gram.inverse(BOUND * c, 1.0, "linear-probe")?);
        Ok(Step::of(core, vec![BOUND; n]))
    }

    /// With bounds per item, which need the inner products themselves (n × n).
    fn curved(products: &[f64], curvature: Vec<f64>, c: f64) -> Result<Step<'a>, TensorError> {
        let n = curvature.len();
        let root: Vec<f64> = curvature.iter().map(|h| h.sqrt()).collect();
        let mut matrix = vec![0.0; n * n];
        for (i, row) in matrix.chunks_exact_mut(n).enumerate() {
            let entries = products[i * n..(i + 1) * n].iter().zip(&root);
            row.iter_mut().zip(entries).for_each(|(m, (k, r))| *m = c * root[i] * k * r);
            row[i] += 1.0;
        }
        let inverse = host::inverse(&matrix, n, "linear-probe")?;
        Ok(Step::of(Core::Curved { root, inverse }, curvature))
    }

    fn of(core: Core<'a>, curvature: Vec<f64>) -> Step<'a> {
        let mut step = Step { v: vec![0.0; curvature.len()], curvature, core, mass: 0.0 };
        let mut scratch = step.curvature.clone();
        let mut v = std::mem::take(&mut step.v);
        step.solve(&mut scratch, 1, &mut v);
        step.mass = v.iter().sum();
        step.v = v;
        step
    }

    /// Whether its bound holds near the optimum only.
    fn is_local(&self) -> bool {
        matches!(self.core, Core::Curved { .. })
    }

    /// `out = M⁻¹·t` for t (n × width), which is overwritten.
    fn solve(&self, t: &mut [f64], width: usize, out: &mut [f64]) {
        match &self.core {
            Core::Flat(inverse) => inverse.times(t, width, out),
            Core::Curved { root, inverse } => {
                for (row, root) in t.chunks_exact_mut(width).zip(root) {
                    row.iter_mut().for_each(|t| *t /= root);
                }
                kernel::multiply(inverse, t, root.len(), width, out);
                for (row, root) in out.chunks_exact_mut(width).zip(root) {
                    row.iter_mut().for_each(|a| *a *= root);
                }
            }
        }
    }
}

pub(in super::super) fn host(gram: &Gram<'_>, task: Task<'_>, c: f64) -> Result<Fit, TensorError> {
    let (n, way) = (task.support(), task.way);
    let mut step = Step::flat(gram, n, c)?;
    let mut lift = vec![0.0; way];

    // The state of the accelerated iteration is (A, Z, b) as one vector: all three are linear in each other.
    let size = n * way;
    let length = 2 * size + way;
    let (mut lead, mut last, mut point) = (vec![0.0; length], vec![0.0; length], vec![0.0; length]);
    let mut gradient = vec![0.0; size];
    let mut pull = vec![0.0; size];
    let mut momentum = Momentum::new();
    let (mut next_look, mut gap, mut least, mut trusted) = (FIRST_LOOK, FIRST_LOOK, f64::INFINITY, true);
    let mut converged = false;
    for number in 0..MOST_STEPS {
        let (a, rest) = lead.split_at(size);
        let (z, b) = rest.split_at(size);
        for (row, z) in gradient.chunks_exact_mut(way).zip(z.chunks_exact(way)) {
            row.iter_mut().zip(z).zip(b).for_each(|((g, z), b)| *g = z + b);
        }
        softmax_rows(&mut gradient, way);
        let products = gram.products().filter(|_| trusted && number >= next_look);
        let look = products.map(|products| (products, curvature(&gradient, way)));
        for (i, label) in task.labels.iter().enumerate() {
            gradient[i * way + usize::from(*label)] -= 1.0;
        }
        let residual = a.iter().zip(&gradient).map(|(a, g)| (a + g).abs()).fold(0.0, f64::max);
        if residual <= TOLERANCE {
            converged = true;
            break;
        }
        let worse = step.is_local() && residual > GROWTH * least;
        let changed = match (worse, look) {
            (true, _) => {
                trusted = false;
                Some(Step::flat(gram, n, c)?)
            }
            (false, Some((products, curvature))) => {
                (next_look, gap) = (number + gap, gap + gap / 2);
                least = f64::INFINITY;
                Some(Step::curved(products, curvature, c)?)
            }
            (false, None) => None,
        };
        if let Some(changed) = changed {
            step = changed;
            momentum = Momentum::new();
            last.copy_from_slice(&lead);
        }
        least = least.min(residual);
        let (z, b) = lead[size..].split_at(size);
        for (((t, z), g), h) in pull
            .chunks_exact_mut(way)
            .zip(z.chunks_exact(way))
            .zip(gradient.chunks_exact(way))
            .zip(&step.curvature)
        {
            t.iter_mut().zip(z).zip(g).for_each(|((t, z), g)| *t = h * z - g);
        }
        let (next_a, rest) = point.split_at_mut(size);
        let (next_z, next_b) = rest.split_at_mut(size);
        step.solve(&mut pull, way, next_a);
        lift.fill(0.0);
        for row in next_a.chunks_exact(way) {
            lift.iter_mut().zip(row).for_each(|(l, a)| *l += a / step.mass);
        }
        for (row, v) in next_a.chunks_exact_mut(way).zip(&step.v) {
            row.iter_mut().zip(&lift).for_each(|(a, l)| *a -= v * l);
        }
        gram.times(next_a, way, next_z);
        next_z.iter_mut().for_each(|z| *z *= c);
        next_b.iter_mut().zip(b).zip(&lift).for_each(|((next, b), l)| *next = b + l);
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

/// A bound on the curvature of the softmax of each item with these probabilities (support × way).
fn curvature(probabilities: &[f64], way: usize) -> Vec<f64> {
    let bound = |row: &[f64]| row.iter().map(|p| 2.0 * p * (1.0 - p)).fold(FLATTEST, f64::max).min(BOUND);
    probabilities.chunks_exact(way).map(bound).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_c_is_fitted_in_few_steps_and_to_the_optimum() {
        // 12 items of 3 labels; the rows of a matrix without structure.
        let (n, dim, way) = (12, 20, 3);
        let rows: Vec<f64> = (0..n * dim).map(|i| ((i * i * 37 % 101) as f64 - 50.0) / 100.0).collect();
        let mut products = vec![0.0; n * n];
        for (place, product) in products.iter_mut().enumerate() {
            let (i, j) = (place / n, place % n);
            *product = (0..dim).map(|k| rows[i * dim + k] * rows[j * dim + k]).sum();
        }
        let labels: Vec<u16> = (0..n).map(|i| (i % way) as u16).collect();
        for c in [1.0, 1e2, 1e4, 1e6] {
            let gram = Gram::of_products(&products, n);
            let fit = host(&gram, Task { labels: &labels, way }, c).unwrap();
            assert!(fit.converged, "c = {c}");
            // At the optimum A = Y − softmax(K·A·c + b), and the bias leaves the sums of A at 0.
            let mut logits = vec![0.0; n * way];
            gram.times(&fit.coefficients, way, &mut logits);
            let bias = fit.bias.unwrap();
            logits.chunks_exact_mut(way).for_each(|row| row.iter_mut().zip(&bias).for_each(|(z, b)| *z += b));
            softmax_rows(&mut logits, way);
            for (place, p) in logits.iter().enumerate() {
                let truth = f64::from(u8::from(usize::from(labels[place / way]) == place % way));
                assert!((fit.coefficients[place] / c - (truth - p)).abs() < 3e-6, "c = {c}");
            }
        }
    }
}
