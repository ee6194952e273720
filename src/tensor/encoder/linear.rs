//! A linear layer applied on the host, with the activation behind it while its results are in the cache.

use pulp::{Simd, WithSimd};

use super::elementwise::activate;
use super::panels::{Strided, Target, WIDTH, times_panel};
use super::weights::{Activation, Linear};
use crate::numbers::with_lanes;

/// Rows that are multiplied with all panels before the next rows: few enough that their results stay in the cache.
const STRIP: usize = 48;

struct Apply<'a> {
    layer: &'a Linear,
    x: &'a [f32],
    activation: Option<Activation>,
    out: &'a mut [f32],
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (inner, columns) = self.layer.shape();
        let values = &self.layer.weight.values;
        let (starts, _) = self.layer.bias.as_chunks::<WIDTH>();
        let strips = self.x.chunks(STRIP * inner).zip(self.out.chunks_mut(STRIP * columns));
        for (x, out) in strips {
            let rows = x.len() / inner;
            for (number, (panel, start)) in values.chunks_exact(inner * WIDTH).zip(starts).enumerate() {
                let column = number * WIDTH;
                let width = WIDTH.min(columns - column);
                let target = Target { values: &mut out[column..], stride: columns, width };
                times_panel(simd, Strided { values: x, stride: inner }, rows, panel, start, target);
            }
            if let Some(activation) = self.activation {
                activate(out, activation);
            }
        }
    }
}

/// `layer` applied to each row of `x` (rows, inner), then the activation: `out` (rows, columns).
pub(super) fn apply(layer: &Linear, x: &[f32], activation: Option<Activation>, out: &mut [f32]) {
    with_lanes(Apply { layer, x, activation, out });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_equals_the_plain_sums_at_every_size() {
        for (rows, inner, columns) in [(1, 1, 1), (5, 3, 17), (13, 20, 16), (100, 33, 40)] {
            let number = |seed: usize| move |i: usize| ((i * 37 + seed) % 19) as f32 / 8.0 - 1.0;
            let x: Vec<f32> = (0..rows * inner).map(number(1)).collect();
            let weight: Vec<f32> = (0..columns * inner).map(number(5)).collect();
            let bias: Vec<f32> = (0..columns).map(number(7)).collect();
            let layer = Linear::new(&weight, inner, &bias).unwrap();
            let mut out = vec![f32::NAN; rows * columns];
            apply(&layer, &x, None, &mut out);
            for (r, out) in out.chunks_exact(columns).enumerate() {
                for (c, out) in out.iter().enumerate() {
                    let products = (0..inner).map(|k| f64::from(x[r * inner + k] * weight[c * inner + k]));
                    let expected = f64::from(bias[c]) + products.sum::<f64>();
                    assert!((f64::from(*out) - expected).abs() < 1e-4, "row {r} column {c}");
                }
            }
            let matrix = layer.weight.matrix();
            assert_eq!(matrix[(inner - 1) * columns], weight[inner - 1]);
        }
    }
}
