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
use pulp::{Simd, WithSimd};

use super::super::error::TensorError;
use super::super::{Backend, Labels, Tensor3, kernel, ops, stock as composed};
use super::gram::{Gram, Inverse};
use super::host::{Fit, Task, item_by_item};
use super::inverse::inverse;
use super::momentum::{MOST_STEPS, Momentum};
use super::softmax::Softmax;
use super::solution::Solution;
use crate::numbers::with_lanes;

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
    /// `M⁻ᵀ = √D⁻¹·(I + c√D·K·√D)⁻¹·√D` (n × n).
    Curved(Vec<f64>),
}

impl<'a> Step<'a> {
    fn flat(gram: &'a Gram<'a>, n: usize, c: f64) -> Result<Step<'a>, TensorError> {
        let core = Core::Flat(gram.inverse(BOUND * c, 1.0, "logistic regression")?);
        Ok(Step::of(core, vec![BOUND; n]))
    }

    /// With bounds per item, which need the inner products themselves (n × n).
    fn curved(products: &[f64], curvature: Vec<f64>, c: f64) -> Result<Step<'a>, TensorError> {
        let n = curvature.len();
        let root: Vec<f64> = curvature.iter().map(|h| h.sqrt()).collect();
        let mut matrix = vec![0.0; n * n];
        for ((i, row), products) in matrix.chunks_exact_mut(n).enumerate().zip(products.chunks_exact(n)) {
            let factor = c * root[i];
            row.iter_mut().zip(products).zip(&root).for_each(|((m, k), r)| *m = factor * k * r);
            row[i] += 1.0;
        }
        let mut transposed = inverse(&matrix, n, "logistic regression")?;
        for (row, root_j) in transposed.chunks_exact_mut(n).zip(&root) {
            row.iter_mut().zip(&root).for_each(|(m, root_i)| *m *= root_i / root_j);
        }
        Ok(Step::of(Core::Curved(transposed), curvature))
    }

    fn of(core: Core<'a>, curvature: Vec<f64>) -> Step<'a> {
        let mut step = Step { v: Vec::new(), curvature, core, mass: 0.0 };
        let mut v = vec![0.0; step.curvature.len()];
        step.solve(&step.curvature, &mut v);
        step.mass = v.iter().sum();
        step.v = v;
        step
    }

    /// Whether its bound holds near the optimum only.
    fn is_local(&self) -> bool {
        matches!(self.core, Core::Curved(_))
    }

    /// `out = (M⁻¹·tᵀ)ᵀ` for t (count × n).
    fn solve(&self, t: &[f64], out: &mut [f64]) {
        let n = self.curvature.len();
        match &self.core {
            Core::Flat(inverse) => inverse.across(t, out),
            Core::Curved(transposed) => kernel::multiply(t, transposed, n, n, out),
        }
    }
}

struct Iteration<'a> {
    gram: &'a Gram<'a>,
    task: Task<'a>,
    c: f64,
}

pub(in super::super) fn host(gram: &Gram<'_>, task: Task<'_>, c: f64) -> Result<Fit, TensorError> {
    with_lanes(Iteration { gram, task, c })
}

impl WithSimd for Iteration<'_> {
    type Output = Result<Fit, TensorError>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Result<Fit, TensorError> {
        let Iteration { gram, task, c } = self;
        let (n, way) = (task.support(), task.way);
        let mut step = Step::flat(gram, n, c)?;
        let mut softmax = Softmax::new(n);

        // The state of the accelerated iteration is (A, Z, b) as one vector, with A and Z (way × n): all three are linear
        // in each other.
        let size = n * way;
        let length = 2 * size + way;
        let (mut lead, mut last, mut point) = (vec![0.0; length], vec![0.0; length], vec![0.0; length]);
        let mut gradient = vec![0.0; size];
        let mut target = vec![0.0; size];
        let mut momentum = Momentum::new();
        let (mut next_look, mut gap, mut least, mut trusted) = (FIRST_LOOK, FIRST_LOOK, f64::INFINITY, true);
        let mut converged = false;
        for number in 0..MOST_STEPS {
            let (a, rest) = lead.split_at(size);
            let (z, b) = rest.split_at(size);
            softmax.of(z, b, &mut gradient);
            let products = gram.products().filter(|_| trusted && number >= next_look);
            let look = products.map(|products| (products, curvature(&gradient, n)));
            for (i, label) in task.labels.iter().enumerate() {
                gradient[usize::from(*label) * n + i] -= 1.0;
            }
            let residual = largest_sum(a, &gradient);
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
            let parts = target.chunks_exact_mut(n).zip(z.chunks_exact(n)).zip(gradient.chunks_exact(n));
            for ((t, z), g) in parts {
                let parts = t.iter_mut().zip(z).zip(g).zip(&step.curvature);
                parts.for_each(|(((t, z), g), h)| *t = h.mul_add(*z, -g));
            }
            let (next_a, rest) = point.split_at_mut(size);
            let (next_z, next_b) = rest.split_at_mut(size);
            step.solve(&target, next_a);
            for ((a, b), next_b) in next_a.chunks_exact_mut(n).zip(b).zip(next_b) {
                let lift = sum(a) / step.mass;
                a.iter_mut().zip(&step.v).for_each(|(a, v)| *a = v.mul_add(-lift, *a));
                *next_b = b + lift;
            }
            gram.across(next_a, next_z);
            next_z.iter_mut().for_each(|z| *z *= c);
            let factor = momentum.next(turn(&lead[size..], &point[size..], &last[size..]) > 0.0);
            for ((lead, point), last) in lead.iter_mut().zip(&point).zip(&last) {
                *lead = factor.mul_add(point - last, *point);
            }
            std::mem::swap(&mut last, &mut point);
        }
        lead[..size].iter_mut().for_each(|a| *a *= c);
        let coefficients = item_by_item(&lead[..size], way);
        Ok(Fit::of(coefficients, Some(lead[2 * size..].to_vec()), converged))
    }
}

/// Partial sums that run side by side, so that they fit vector registers; their order is the same on every processor.
const LANES: usize = 8;

#[inline(always)]
fn sum(values: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (chunks, tail) = values.as_chunks::<LANES>();
    chunks.iter().for_each(|v| (0..LANES).for_each(|lane| sums[lane] += v[lane]));
    sums.iter().chain(tail).sum()
}

/// The largest `|aᵢ + gᵢ|`.
#[inline(always)]
fn largest_sum(a: &[f64], g: &[f64]) -> f64 {
    let mut most = [0.0f64; LANES];
    let (a_chunks, a_tail) = a.as_chunks::<LANES>();
    let (g_chunks, g_tail) = g.as_chunks::<LANES>();
    for (a, g) in a_chunks.iter().zip(g_chunks) {
        for lane in 0..LANES {
            let value = (a[lane] + g[lane]).abs();
            most[lane] = if value > most[lane] { value } else { most[lane] };
        }
    }
    let tail = a_tail.iter().zip(g_tail).map(|(a, g)| (a + g).abs());
    tail.chain(most).fold(0.0, f64::max)
}

/// `(lead − point)·(point − last)`: above 0 where the step went against its momentum.
#[inline(always)]
fn turn(lead: &[f64], point: &[f64], last: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (leads, lead_tail) = lead.as_chunks::<LANES>();
    let (points, point_tail) = point.as_chunks::<LANES>();
    let (lasts, last_tail) = last.as_chunks::<LANES>();
    for ((l, p), o) in leads.iter().zip(points).zip(lasts) {
        for lane in 0..LANES {
            sums[lane] = (l[lane] - p[lane]).mul_add(p[lane] - o[lane], sums[lane]);
        }
    }
    let tail = lead_tail.iter().zip(point_tail).zip(last_tail).map(|((l, p), o)| (l - p) * (p - o));
    sums.into_iter().chain(tail).sum()
}

/// A bound on the curvature of the softmax of each item with these probabilities (way × items).
#[inline(always)]
fn curvature(probabilities: &[f64], items: usize) -> Vec<f64> {
    let mut most = vec![FLATTEST; items];
    for row in probabilities.chunks_exact(items) {
        most.iter_mut().zip(row).for_each(|(most, p)| *most = most.max(2.0 * p * (1.0 - p)));
    }
    most.iter_mut().for_each(|most| *most = most.min(BOUND));
    most
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
        let target = composed::scale(z, bound)?.try_sub(gradient).map_err(error)?;
        let next_a = composed::matmul(&projector, &target)?;
        let next_z = composed::matmul(&scaled, &next_a)?;
        let lift =
            composed::divide(composed::matmul(&u_row, &target)?, &composed::scale(mass.clone(), bound)?)?;
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
    Ok(Solution::of(coefficients, Some(composed::flatten_row(bias)?), unconverged))
}

#[cfg(test)]
mod tests {
    use super::super::host::softmax_rows;
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
