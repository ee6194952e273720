//! What is done pixel by pixel: copies, sums, normalisations, gates, tokens.

use rayon::prelude::*;

use super::super::Activation;
use super::super::graph::known_word;
use super::activation::activate;
use super::view::{View, ViewMut};
use crate::numbers::with_widest_lanes;
use crate::tensor::TensorError;

/// Pixels that one worker takes at a time.
const AT_ONCE: usize = 64;

/// Calls `at` for every pixel with its number, counted over all images, and what it writes.
fn each(out: ViewMut<'_>, at: impl Fn(usize, &mut [f32]) + Sync) {
    let pixels = out.pixels();
    let ViewMut { offset, stride, size, values, .. } = out;
    let blocks = values[..pixels * stride].par_chunks_mut((AT_ONCE * stride).max(1));
    blocks.enumerate().for_each(|(block, values)| {
        with_widest_lanes(|| {
            for (place, pixel) in values.chunks_exact_mut(stride).enumerate() {
                at(block * AT_ONCE + place, &mut pixel[offset..offset + size.channels]);
            }
        });
    });
}

/// A result as it is.
pub(super) fn copy(input: View<'_>, out: ViewMut<'_>) {
    each(out, |pixel, out| out.copy_from_slice(input.pixel(pixel)));
}

/// The sum of two results.
pub(super) fn add(left: View<'_>, right: View<'_>, activation: Activation, out: ViewMut<'_>) {
    each(out, |pixel, out| {
        for ((o, l), r) in out.iter_mut().zip(left.pixel(pixel)).zip(right.pixel(pixel)) {
            *o = l + r;
        }
        activate(out, activation);
    });
}

/// Each channel multiplied by its factor, plus its term where there is one.
pub(super) fn affine(
    input: View<'_>,
    factor: &[f32],
    term: &[f32],
    activation: Activation,
    out: ViewMut<'_>,
) {
    each(out, |pixel, out| {
        let scaled = out.iter_mut().zip(input.pixel(pixel)).zip(factor);
        scaled.for_each(|((o, x), f)| *o = x * f);
        out.iter_mut().zip(term).for_each(|(o, t)| *o += t);
        activate(out, activation);
    });
}

/// Each channel of an image multiplied by one number.
pub(super) fn gate(input: View<'_>, gate: View<'_>, out: ViewMut<'_>) {
    let pixels = input.size.pixels();
    each(out, |pixel, out| {
        let gated = out.iter_mut().zip(input.pixel(pixel)).zip(gate.pixel(pixel / pixels));
        gated.for_each(|((o, x), g)| *o = x * g);
    });
}

/// Layer normalisation of each pixel or token.
pub(super) fn layer_norm(input: View<'_>, scale: &[f32], shift: &[f32], epsilon: f32, out: ViewMut<'_>) {
    each(out, |pixel, out| {
        out.copy_from_slice(input.pixel(pixel));
        crate::tensor::functions::normalise_row(out, scale, shift, epsilon);
    });
}

/// Every `stride`-th pixel, with zeros before and behind its channels.
pub(super) fn subsample(input: View<'_>, stride: usize, before: usize, out: ViewMut<'_>) {
    let (height, width) = (out.size.height, out.size.width);
    each(out, |pixel, out| {
        let (image, y, x) = (pixel / (height * width), pixel / width % height, pixel % width);
        let from = (image * input.size.height + y * stride) * input.size.width + x * stride;
        out.fill(0.0);
        let from = input.pixel(from);
        out[before..before + from.len()].copy_from_slice(from);
    });
}

/// All numbers of an image: channels, then rows.
pub(super) fn flatten(input: View<'_>, out: ViewMut<'_>) {
    let pixels = input.size.pixels();
    each(out, |image, out| {
        for pixel in 0..pixels {
            let from = input.pixel(image * pixels + pixel);
            out[pixel..].iter_mut().step_by(pixels).zip(from).for_each(|(o, x)| *o = *x);
        }
    });
}

/// Patches behind a class token where there is one, plus positions.
pub(super) fn tokens(input: View<'_>, class: &[f32], positions: &[f32], out: ViewMut<'_>) {
    let (count, patches, channels) = (out.size.height, input.size.pixels(), out.size.channels);
    let extra = count - patches;
    each(out, |token, out| {
        let (image, place) = (token / count, token % count);
        out.copy_from_slice(if place < extra { class } else { input.pixel(image * patches + place - extra) });
        let position = &positions[place * channels..][..channels];
        out.iter_mut().zip(position).for_each(|(o, p)| *o += p);
    });
}

/// Rows of a table of words, plus positions.
pub(super) fn words(
    input: View<'_>,
    table: &[f32],
    positions: &[f32],
    out: ViewMut<'_>,
) -> Result<(), TensorError> {
    let (length, channels) = (out.size.height, out.size.channels);
    let rows = table.len() / channels;
    for token in 0..out.pixels() {
        known_word(input.pixel(token)[0], rows)?;
    }
    each(out, |token, out| {
        let word = &table[input.pixel(token)[0] as usize * channels..][..channels];
        let position = &positions[token % length * channels..][..channels];
        out.iter_mut().zip(word).zip(position).for_each(|((o, w), p)| *o = w + p);
    });
    Ok(())
}

/// One token of each image.
pub(super) fn token(input: View<'_>, index: usize, out: ViewMut<'_>) {
    let pixels = input.size.pixels();
    each(out, |image, out| out.copy_from_slice(input.pixel(image * pixels + index)));
}
