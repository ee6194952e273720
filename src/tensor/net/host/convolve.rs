//! Convolutions as matrix products: windows of pixels are laid out as rows, a block of them at a time, or lie so already.

use std::cell::RefCell;

use rayon::prelude::*;

use super::super::sizes::Size;
use super::super::sweep::{Placed, Sweep};
use super::product::{Finish, Panels, Rows, Target, WIDTH, multiply};
use super::view::{View, ViewMut};

/// Numbers of windows that are laid out at a time: half of what a core's second cache holds.
const BLOCK: usize = 192 * 1024;
/// Rows of a tile of the product, of which a block holds whole ones.
const TILE: usize = 12;
/// Most rows of a block: more of them gain nothing.
const ROWS: usize = 480;

thread_local! {
    static WINDOWS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// What is convolved with what.
pub(super) struct Convolution<'a> {
    pub sweep: Sweep,
    pub placed: Placed,
    pub groups: &'a [Panels],
    pub bias: &'a [f32],
}

/// The product at every place, finished and stored.
pub(super) fn convolve(
    convolution: &Convolution<'_>,
    input: View<'_>,
    residual: Option<View<'_>>,
    activation: super::super::Activation,
    mut out: ViewMut<'_>,
) {
    let (inner, own) = (convolution.groups[0].inner, convolution.groups[0].columns);
    let direct = convolution.sweep.is_pointwise();
    let rows = input.batch * convolution.placed.places.0 * convolution.placed.places.1;
    let threads = rayon::current_num_threads();
    let work = |number: usize, block: usize, group: usize, panels: (usize, usize), target: Target<'_>| {
        let first = number * block;
        let count = block.min(rows - first);
        let column = group * own;
        let finish = Finish {
            bias: convolution.bias.get(column..column + own).unwrap_or_default(),
            residual: residual
                .map(|r| Rows { values: &r.values[r.offset + first * r.stride..], stride: r.stride }),
            activation,
        };
        let matrix = &convolution.groups[group];
        if direct {
            let values = &input.values[input.offset + first * input.stride + group * inner..];
            return multiply(Rows { values, stride: input.stride }, count, matrix, panels, finish, target);
        }
        WINDOWS.with_borrow_mut(|windows| {
            windows.resize(windows.len().max(count * inner), 0.0);
            let channels = input.size.channels / convolution.groups.len();
            let part = View { offset: input.offset + group * channels, ..input };
            unfold(convolution, part, channels, first, &mut windows[..count * inner]);
            multiply(Rows { values: windows, stride: inner }, count, matrix, panels, finish, target);
        });
    };
    let panels = convolution.groups[0].count();
    for group in 0..convolution.groups.len() {
        if rows <= 64 * threads && panels >= threads && threads > 1 {
            by_columns(&work, rows, (group, own), panels, threads, &mut out);
            continue;
        }
        let most = (BLOCK / inner.max(1)).clamp(TILE, ROWS);
        let even = rows.div_ceil(4 * threads).max(TILE);
        let block = most.min(even).next_multiple_of(TILE);
        let (stride, offset) = (out.stride, out.offset + group * own);
        let values = out.values[..rows * stride].par_chunks_mut(block * stride);
        values.enumerate().for_each(|(number, values)| {
            let values = &mut values[offset..];
            work(number, block, group, (0, panels), Target { values, stride });
        });
    }
}

/// Few rows and many columns: each worker takes some of the columns.
fn by_columns(
    work: &(impl Fn(usize, usize, usize, (usize, usize), Target<'_>) + Sync),
    rows: usize,
    (group, own): (usize, usize),
    panels: usize,
    threads: usize,
    out: &mut ViewMut<'_>,
) {
    let share = panels.div_ceil(2 * threads);
    let parts: Vec<(usize, usize, Vec<f32>)> = (0..panels.div_ceil(share))
        .into_par_iter()
        .map(|part| {
            let (from, until) = (part * share, panels.min((part + 1) * share));
            let width = (until * WIDTH).min(own) - from * WIDTH;
            let mut values = vec![0.0; rows * width];
            work(0, rows, group, (from, until), Target { values: &mut values, stride: width });
            (from * WIDTH, width, values)
        })
        .collect();
    for (column, width, values) in parts {
        let first = out.offset + group * own + column;
        for (row, values) in values.chunks_exact(width).enumerate() {
            out.values[first + row * out.stride..][..width].copy_from_slice(values);
        }
    }
}

/// Windows from the place with number `first` on, as rows of pixels of channels; what lies beyond the edges is zero.
fn unfold(convolution: &Convolution<'_>, input: View<'_>, channels: usize, first: usize, out: &mut [f32]) {
    let Convolution { sweep: Sweep { kernel, stride, .. }, placed, .. } = convolution;
    let (places, before) = (placed.places, placed.before);
    let Size { height, width, .. } = input.size;
    let image = places.0 * places.1;
    let dense = input.stride == channels;
    for (row, window) in out.chunks_exact_mut(kernel.0 * kernel.1 * channels).enumerate() {
        let place = first + row;
        let pixels = &input.values[input.offset + place / image * height * width * input.stride..];
        let (top, left) = (place % image / places.1 * stride.0, place % places.1 * stride.1);
        // The part of the window that lies on the image.
        let low = before.1.saturating_sub(left).min(kernel.1);
        let high = (width + before.1).saturating_sub(left).clamp(low, kernel.1);
        for (tap, line) in window.chunks_exact_mut(kernel.1 * channels).enumerate() {
            let y = (top + tap).wrapping_sub(before.0);
            if y >= height || low == high {
                line.fill(0.0);
                continue;
            }
            line[..low * channels].fill(0.0);
            line[high * channels..].fill(0.0);
            let from = (y * width + left + low - before.1) * input.stride;
            let to = &mut line[low * channels..high * channels];
            if dense {
                copy(to, &pixels[from..][..(high - low) * channels]);
            } else {
                for (to, from) in to.chunks_exact_mut(channels).zip(pixels[from..].chunks(input.stride)) {
                    copy(to, &from[..channels]);
                }
            }
        }
    }
}

/// A call for a few numbers would cost more than they do.
#[inline(always)]
fn copy(to: &mut [f32], from: &[f32]) {
    if to.len() < 32 {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    } else {
        to.copy_from_slice(from);
    }
}
