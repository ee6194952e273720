//! Functions of single numbers and of rows, as plain loops that the compiler turns into vector instructions.

use super::weights::{Activation, Norm};
use crate::numbers::with_lanes;
use crate::tensor::functions::{gelu, gelu_tanh, normalise_row};

/// The activation of every number. To be called from code that the processor's vector instructions are chosen for.
#[inline(always)]
pub(super) fn activate(values: &mut [f32], activation: Activation) {
    match activation {
        Activation::Gelu => values.iter_mut().for_each(|v| *v = gelu(*v)),
        Activation::GeluTanh => values.iter_mut().for_each(|v| *v = gelu_tanh(*v)),
        Activation::Relu => values.iter_mut().for_each(|v| *v = v.max(0.0)),
    }
}

/// Each row normalised.
pub(super) fn normalise(rows: &mut [f32], norm: &Norm) {
    with_lanes(|| {
        rows.chunks_exact_mut(norm.scale.len())
            .for_each(|row| normalise_row(row, &norm.scale, &norm.shift, norm.epsilon))
    });
}

/// Each row of `more` added to that of `rows`, then normalised.
pub(super) fn add_and_normalise(rows: &mut [f32], more: &[f32], norm: &Norm) {
    with_lanes(|| {
        let width = norm.scale.len();
        for (row, more) in rows.chunks_exact_mut(width).zip(more.chunks_exact(width)) {
            row.iter_mut().zip(more).for_each(|(x, m)| *x += m);
            normalise_row(row, &norm.scale, &norm.shift, norm.epsilon);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::functions::{LANES, exp, softmax};

    #[test]
    fn the_fast_functions_are_the_true_ones_to_single_precision() {
        for i in -8000..=8000 {
            let x = i as f32 / 1000.0;
            let wide = f64::from(x);
            let phi = 0.5 * (1.0 + statrs::function::erf::erf(wide / std::f64::consts::SQRT_2));
            assert!((f64::from(gelu(x)) - wide * phi).abs() < 2e-6, "gelu {x}: {}", gelu(x));
            let u = (2.0 / std::f64::consts::PI).sqrt() * (wide + 0.044715 * wide.powi(3));
            let tanh = 0.5 * wide * (1.0 + u.tanh());
            assert!((f64::from(gelu_tanh(x)) - tanh).abs() < 2e-6, "gelu_tanh {x}");
            let ten = wide * 10.0;
            let relative = f64::from(exp(x * 10.0)) / f64::from(x * 10.0).exp() - 1.0;
            assert!(relative.abs() < 3e-7, "exp {ten}: {relative}");
        }
        assert!(exp(f32::NEG_INFINITY) < 1e-37 && exp(0.0) == 1.0);
    }

    #[test]
    fn softmax_and_normalisation_on_paper() {
        let mut row = [0.0; LANES];
        row[1] = 2.0 * 3f32.ln();
        softmax(&mut row, 2, 0.5);
        assert!((row[0] - 0.25).abs() < 1e-6 && (row[1] - 0.75).abs() < 1e-6);
        let norm = Norm::new(vec![1.0, 2.0], vec![0.0, 1.0], 0.0).unwrap();
        let mut rows = [1.0, 3.0];
        normalise(&mut rows, &norm);
        assert_eq!(rows, [-1.0, 3.0]);
        let mut rows = [1.0, 0.0];
        add_and_normalise(&mut rows, &[0.0, 3.0], &norm);
        assert_eq!(rows, [-1.0, 3.0]);
    }
}
