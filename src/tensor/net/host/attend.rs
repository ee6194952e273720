//! Attention of all tokens of an image to all: softmax(q·kᵀ/√size)·v for each head (Vaswani et al. 2017, equation 1).

use rayon::prelude::*;

use super::super::Activation;
use super::product::{Finish, Panels, Rows, Target, multiply};
use super::view::{View, ViewMut};
use crate::numbers::with_widest_lanes;
use crate::tensor::functions::softmax;

const PLAIN: Finish<'static> = Finish { bias: &[], residual: None, activation: Activation::None };

/// Attention with `heads` heads of queries, keys and values, (tokens, 3 · channels) of each image; where it is `causal`, to what
/// stands before a token and to itself.
pub(super) fn attend(input: View<'_>, heads: usize, causal: bool, out: ViewMut<'_>) {
    let (tokens, channels) = (out.size.pixels(), out.size.channels);
    let size = channels / heads;
    let (stride, offset) = (out.stride, out.offset);
    let head = |number: usize| {
        let (image, first) = (input.image(number / heads), number % heads * size);
        let at =
            |part: usize, token: usize, k: usize| image[token * input.stride + part * channels + first + k];
        let keys = Panels::new(tokens, size, |token, k| at(1, token, k));
        let padded = tokens.next_multiple_of(16);
        let mut weights = vec![0.0; tokens * padded];
        let queries = Rows { values: &image[first..], stride: input.stride };
        let target = Target { values: &mut weights, stride: padded };
        multiply(queries, tokens, &keys, (0, keys.count()), PLAIN, target);
        let scale = 1.0 / (size as f32).sqrt();
        with_widest_lanes(|| {
            for (token, row) in weights.chunks_exact_mut(padded).enumerate() {
                softmax(row, if causal { token + 1 } else { tokens }, scale);
            }
        });
        let values = Panels::new(size, tokens, |k, token| at(2, token, k));
        let mut answers = vec![0.0; tokens * size];
        let target = Target { values: &mut answers, stride: size };
        multiply(
            Rows { values: &weights, stride: padded },
            tokens,
            &values,
            (0, values.count()),
            PLAIN,
            target,
        );
        answers
    };
    let answers: Vec<Vec<f32>> = (0..input.batch * heads).into_par_iter().map(head).collect();
    let images = out.values[..out.batch * tokens * stride].par_chunks_mut(tokens * stride);
    images.enumerate().for_each(|(image, out)| {
        for (head, answers) in answers[image * heads..][..heads].iter().enumerate() {
            for (token, answer) in answers.chunks_exact(size).enumerate() {
                out[token * stride + offset + head * size..][..size].copy_from_slice(answer);
            }
        }
    });
}
