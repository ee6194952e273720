//! Every gradient agrees with finite differences.

use kshot::tensor::conv::{ConvOps, Convolution, Running, Window};
use kshot::tensor::{Cpu, TensorError};

use super::given::{Given, Sizes, Traced, convolution, outcome, random, remainders};

type Operation = fn(&Given, Traced) -> Result<Traced, TensorError>;

/// Every operation, and how far its slopes may lie from finite differences: farther where a step turns a maximum.
const OPERATIONS: [(&str, Sizes, Operation, f64); 10] = [
    (
        "conv2d",
        (4, 4, 3, 3),
        |g, x| Cpu::conv2d(x, &g.filters, Some(&g.shift), &convolution((2, 1), (1, 0), 1)),
        2e-3,
    ),
    (
        "grouped conv2d",
        (6, 2, 3, 3),
        |g, x| Cpu::conv2d(x, &g.filters, None, &convolution((1, 2), (1, 1), 2)),
        2e-3,
    ),
    (
        "depthwise conv2d",
        (4, 1, 3, 3),
        |g, x| Cpu::conv2d(x, &g.filters, None, &convolution((1, 1), (1, 1), 4)),
        2e-3,
    ),
    (
        "max pooling",
        (4, 1, 1, 1),
        |_, x| Cpu::max_pool(x, Window { ceil: true, ..Window::square(3, 2, 1) }),
        2e-3,
    ),
    (
        "average pooling",
        (4, 1, 1, 1),
        |_, x| Cpu::average_pool(x, Window { ceil: true, ..Window::square(3, 2, 1) }),
        2e-3,
    ),
    ("global pooling", (4, 1, 1, 1), |_, x| Cpu::global_average_pool(x), 2e-3),
    ("relu", (4, 1, 1, 1), |_, x| Cpu::relu(x), 2e-3),
    ("batch norm", (4, 1, 1, 1), |g, x| Cpu::batch_norm(x, &g.norm()).map(|(out, _)| out), 1e-2),
    ("fixed norm", (4, 1, 1, 1), |g, x| Cpu::fixed_norm(x, &g.norm(), &Running::new(4)), 2e-3),
    (
        "block",
        (4, 4, 3, 3),
        |g, x| Cpu::block(x, &g.block(Convolution::padded(1), Window::tiles(2))).map(|(o, _)| o),
        3e-2,
    ),
];

#[test]
fn gradients_agree_with_finite_differences() {
    const STEP: f32 = 2e-3;
    let weights = |count| random(9, count);
    for (name, filters, operation, tolerance) in OPERATIONS {
        let given = Given::new((3, 6, 5, 4), filters, remainders);
        let found = outcome(&given, weights, |x| operation(&given, x));
        let value = |given: &Given| -> f64 {
            let out = outcome(given, weights, |x| operation(given, x)).out;
            out.iter().zip(random(9, out.len())).map(|(o, w)| f64::from(*o) * f64::from(w)).sum()
        };
        for (part, gradients) in found.gradients.iter().enumerate() {
            let mut reached = false;
            for place in (0..gradients.len().min(110)).step_by(if part < 2 { 7 } else { 1 }) {
                let (up, down) = (given.moved(part, place, STEP), given.moved(part, place, -STEP));
                let slope = (value(&up) - value(&down)) / (2.0 * f64::from(STEP));
                let gradient = f64::from(gradients[place]);
                let scale = slope.abs().max(1.0);
                assert!(
                    (slope - gradient).abs() < tolerance * scale,
                    "{name} {part} {place}: {slope} {gradient}"
                );
                reached |= gradient != 0.0;
            }
            // The images are part of every operation.
            assert!(reached || part > 0, "{name}");
        }
    }
}
