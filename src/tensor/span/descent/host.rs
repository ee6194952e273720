//! The descent on the host, one episode after another.

use pulp::{Simd, WithSimd};

use super::settings::{Descent, Head, Init, TINY};
use crate::numbers::exp_all;
use crate::numbers::with_lanes;
use crate::tensor::TensorError;
use crate::tensor::span::gram::Gram;
use crate::tensor::span::host::{Fit, Task, softmax_rows};

struct State {
    a: Vec<f64>,
    b: Vec<f64>,
    step_a: Vec<f64>,
    step_b: Vec<f64>,
    first: bool,
}

impl State {
    fn start(gram: &Gram<'_>, task: Task<'_>, descent: &Descent<'_>) -> State {
        let (n, way) = (task.support(), task.way);
        let mut state = State {
            a: vec![0.0; n * way],
            b: vec![0.0; way],
            step_a: vec![0.0; n * way],
            step_b: vec![0.0; way],
            first: true,
        };
        if descent.init == Init::Prototype {
            let mut counts = vec![0.0; way];
            task.labels.iter().for_each(|l| counts[usize::from(*l)] += 1.0);
            // W = 2m and b = −‖m‖² give the logits of a prototypical network (Triantafillou et al. 2020, eq. 6).
            let factor = if descent.head == Head::Linear { 2.0 } else { 1.0 };
            for (i, label) in task.labels.iter().enumerate() {
                let label = usize::from(*label);
                state.a[i * way + label] = factor / counts[label];
            }
            if descent.head == Head::Linear {
                for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
                    if task.labels[i] == task.labels[j] {
                        let label = usize::from(task.labels[i]);
                        state.b[label] -= gram.entry(i, j) / (counts[label] * counts[label]);
                    }
                }
            }
        }
        state
    }

    fn fit(&self, head: Head) -> Fit {
        let bias = (head == Head::Linear).then(|| self.b.clone());
        Fit::of(self.a.clone(), bias, true)
    }

    /// `torch.optim.SGD`: decay joins the gradient, the buffer starts as the first gradient, undampened.
    #[inline(always)]
    fn update(&mut self, descent: &Descent<'_>, grad_a: &mut [f64], grad_b: &mut [f64]) {
        let keep = if self.first { 0.0 } else { descent.momentum };
        let take = if self.first || descent.momentum == 0.0 { 1.0 } else { 1.0 - descent.dampening };
        self.first = false;
        let parts = [(&mut self.a, &mut self.step_a, grad_a), (&mut self.b, &mut self.step_b, grad_b)];
        for (value, step, grad) in parts {
            for ((v, s), g) in value.iter_mut().zip(step.iter_mut()).zip(grad.iter()) {
                *s = keep * *s + take * (g + descent.weight_decay * *v);
                *v -= descent.lr * *s;
            }
        }
    }
}

struct Host<'a, 'b> {
    episode: usize,
    gram: &'a Gram<'b>,
    task: Task<'a>,
    descent: &'a Descent<'a>,
    stops: &'a [usize],
}

impl WithSimd for Host<'_, '_> {
    type Output = Result<Vec<Fit>, TensorError>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        descend(self.episode, self.gram, self.task, self.descent, self.stops)
    }
}

/// One descent, and its state after each of these numbers of passes, none above the descent's own.
pub(in crate::tensor::span) fn host(
    episode: usize,
    gram: &Gram<'_>,
    task: Task<'_>,
    descent: &Descent<'_>,
    stops: &[usize],
) -> Result<Vec<Fit>, TensorError> {
    with_lanes(Host { episode, gram, task, descent, stops })
}

/// Inlined where the widest vector instructions are known.
#[inline(always)]
fn descend(
    episode: usize,
    gram: &Gram<'_>,
    task: Task<'_>,
    descent: &Descent<'_>,
    stops: &[usize],
) -> Result<Vec<Fit>, TensorError> {
    let (n, way) = (task.support(), task.way);
    let mut state = State::start(gram, task, descent);
    let longest = stops.iter().copied().max().unwrap_or(0);
    let batches = descent.plan(episode, n, longest);
    let whole: Vec<usize> = (0..n).collect();
    let count = batches.as_ref().map_or(longest, Vec::len);
    let per_pass = count.checked_div(longest).unwrap_or(0);
    let mut fits: Vec<Option<Fit>> = stops.iter().map(|_| None).collect();
    let mut products = vec![0.0; n * way];
    let mut grad_a = vec![0.0; n * way];
    let mut grad_b = vec![0.0; way];
    let mut rows = Vec::new();
    for step in 0..=count {
        for (stop, fit) in stops.iter().zip(&mut fits).filter(|(stop, _)| **stop * per_pass == step) {
            debug_assert!(*stop <= descent.epochs);
            *fit = Some(state.fit(descent.head));
        }
        if step == count {
            break;
        }
        let batch = batches.as_ref().map_or(&whole, |b| &b[step]);
        let cosine = matches!(descent.head, Head::Cosine { .. });
        if batch.len() == n || cosine {
            gram.times(&state.a, way, &mut products);
        } else {
            for i in batch {
                gram.row_times(*i, &state.a, way, &mut products[i * way..(i + 1) * way]);
            }
        }
        grad_a.fill(0.0);
        grad_b.fill(0.0);
        match descent.head {
            Head::Linear => {
                // All items at once: their exponentials are one loop of vector instructions.
                rows.clear();
                for i in batch {
                    let first = rows.len();
                    rows.extend(products[i * way..(i + 1) * way].iter().zip(&state.b).map(|(z, b)| z + b));
                    let most = rows[first..].iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    rows[first..].iter_mut().for_each(|z| *z -= most);
                }
                exp_all(&mut rows);
                let share = 1.0 / batch.len() as f64;
                for (i, row) in batch.iter().zip(rows.chunks_exact(way)) {
                    let each = share / row.iter().sum::<f64>();
                    for (c, power) in row.iter().enumerate() {
                        let truth = if usize::from(task.labels[*i]) == c { share } else { 0.0 };
                        let slope = power * each - truth;
                        grad_a[i * way + c] = slope;
                        grad_b[c] += slope;
                    }
                }
            }
            Head::Cosine { scale } => {
                cosine_gradient(gram, task, batch, scale, &state.a, &products, &mut grad_a);
            }
        }
        state.update(descent, &mut grad_a, &mut grad_b);
    }
    Ok(fits.into_iter().flatten().collect())
}

/// The gradient of a cosine head in the span.
///
/// With `u = w/‖w‖` and `x̂ = x/‖x‖`, d cos/dw = (x̂ − cos·u)/‖w‖: of the coefficients of `w_c`, item `i` gets
/// `scale·g_ic/(‖xᵢ‖‖w_c‖)`, and all shrink by `scale·Σᵢ g_ic cos_ic/‖w_c‖²`.
fn cosine_gradient(
    gram: &Gram<'_>,
    task: Task<'_>,
    batch: &[usize],
    scale: f64,
    a: &[f64],
    products: &[f64],
    grad: &mut [f64],
) {
    let (n, way) = (task.support(), task.way);
    let squared: Vec<f64> = (0..way)
        .map(|c| (0..n).map(|i| a[i * way + c] * products[i * way + c]).sum::<f64>().max(TINY))
        .collect();
    let mut shrink = vec![0.0; way];
    for i in batch {
        let length = gram.entry(*i, *i).max(TINY).sqrt();
        let cosines: Vec<f64> =
            (0..way).map(|c| products[i * way + c] / (length * squared[c].sqrt())).collect();
        let mut row: Vec<f64> = cosines.iter().map(|v| v * scale).collect();
        softmax_rows(&mut row, way);
        row[usize::from(task.labels[*i])] -= 1.0;
        for c in 0..way {
            let g = scale * row[c] / batch.len() as f64;
            grad[i * way + c] += g / (length * squared[c].sqrt());
            shrink[c] += g * cosines[c] / squared[c];
        }
    }
    for (place, g) in grad.iter_mut().enumerate() {
        *g -= a[place] * shrink[place % way];
    }
}
