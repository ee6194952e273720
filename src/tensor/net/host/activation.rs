//! Activations of plain numbers, as loops that become vector instructions where they are called from code that chose them.

use super::super::graph::Activation;
use crate::tensor::functions::{exp, gelu, gelu_tanh};

/// The activation of every number.
#[inline(always)]
pub(super) fn activate(values: &mut [f32], activation: Activation) {
    let inner = |x: f32| (x + 3.0).clamp(0.0, 6.0);
    match activation {
        Activation::None => {}
        Activation::Relu => values.iter_mut().for_each(|x| *x = if *x > 0.0 { *x } else { 0.0 }),
        Activation::Relu6 => values.iter_mut().for_each(|x| *x = x.clamp(0.0, 6.0)),
        Activation::LeakyRelu => values.iter_mut().for_each(|x| *x = if *x > 0.0 { *x } else { 0.1 * *x }),
        Activation::HardSwish => values.iter_mut().for_each(|x| *x *= inner(*x) / 6.0),
        Activation::HardSigmoid => values.iter_mut().for_each(|x| *x = inner(*x) / 6.0),
        Activation::Gelu => values.iter_mut().for_each(|x| *x = gelu(*x)),
        Activation::GeluTanh => values.iter_mut().for_each(|x| *x = gelu_tanh(*x)),
        Activation::QuickGelu => values.iter_mut().for_each(|x| *x /= 1.0 + exp(-1.702 * *x)),
    }
}
