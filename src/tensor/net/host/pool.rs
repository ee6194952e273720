//! Pooling: the largest or the mean of each channel over windows or cells.

use rayon::prelude::*;

use super::super::sizes::Size;
use super::super::sweep::{Placed, Sweep};
use super::view::{View, ViewMut};
use crate::numbers::with_widest_lanes;

/// Calls `at` for every place with its image, its row and its column, and what it writes.
fn each(out: ViewMut<'_>, at: impl Fn(usize, usize, usize, &mut [f32]) + Sync) {
    let ViewMut { offset, stride, batch, size, values } = out;
    let lines = values[..batch * size.pixels() * stride].par_chunks_mut((size.width * stride).max(1));
    lines.enumerate().for_each(|(number, line)| {
        with_widest_lanes(|| {
            for x in 0..size.width {
                let pixel = &mut line[offset + x * stride..][..size.channels];
                at(number / size.height, number % size.height, x, pixel);
            }
        });
    });
}

/// Pixels of an image along one axis that a window sees.
fn seen(place: usize, kernel: usize, stride: usize, before: usize, size: usize) -> (usize, usize) {
    let start = place * stride;
    (start.saturating_sub(before), (start + kernel).saturating_sub(before).min(size))
}

/// The largest number of each window.
pub(super) fn maxima(sweep: Sweep, placed: Placed, input: View<'_>, out: ViewMut<'_>) {
    let Size { height, width, .. } = input.size;
    each(out, |image, y, x, out| {
        let image = input.image(image);
        let rows = seen(y, sweep.kernel.0, sweep.stride.0, placed.before.0, height);
        let columns = seen(x, sweep.kernel.1, sweep.stride.1, placed.before.1, width);
        out.fill(f32::NEG_INFINITY);
        for row in rows.0..rows.1 {
            for column in columns.0..columns.1 {
                let pixel = &image[(row * width + column) * input.stride..][..out.len()];
                out.iter_mut().zip(pixel).for_each(|(o, p)| *o = if *p > *o { *p } else { *o });
            }
        }
    });
}

/// The mean of each window; padding counts as zeros where it `counts`.
pub(super) fn means(sweep: Sweep, placed: Placed, counts: bool, input: View<'_>, out: ViewMut<'_>) {
    let Size { height, width, .. } = input.size;
    // Of a window that reaches beyond the padding behind the image, what lies there never counts.
    let padded = |place: usize, kernel: usize, stride: usize, before: usize, size: usize, after: usize| {
        (place * stride + kernel).min(before + size + after) - place * stride
    };
    each(out, |image, y, x, out| {
        let rows = seen(y, sweep.kernel.0, sweep.stride.0, placed.before.0, height);
        let columns = seen(x, sweep.kernel.1, sweep.stride.1, placed.before.1, width);
        let count = if counts {
            padded(y, sweep.kernel.0, sweep.stride.0, placed.before.0, height, placed.after.0)
                * padded(x, sweep.kernel.1, sweep.stride.1, placed.before.1, width, placed.after.1)
        } else {
            (rows.1 - rows.0) * (columns.1 - columns.0)
        };
        mean(input, image, rows, columns, count, out);
    });
}

/// The mean of each cell: of as many as the result has, from `floor(i · size / cells)` to `ceil((i + 1) · size / cells)`.
pub(super) fn adaptive(input: View<'_>, out: ViewMut<'_>) {
    let Size { height, width, .. } = input.size;
    let (down, across) = (out.size.height, out.size.width);
    let cell = |i: usize, size: usize, cells: usize| (i * size / cells, ((i + 1) * size).div_ceil(cells));
    each(out, |image, y, x, out| {
        let (rows, columns) = (cell(y, height, down), cell(x, width, across));
        mean(input, image, rows, columns, (rows.1 - rows.0) * (columns.1 - columns.0), out);
    });
}

/// The mean of each channel over pixels from `first` on.
pub(super) fn whole(first: usize, input: View<'_>, out: ViewMut<'_>) {
    let Size { height, width, .. } = input.size;
    each(out, |image, _, _, out| {
        let count = height * width - first;
        if first == 0 {
            return mean(input, image, (0, height), (0, width), count, out);
        }
        mean(input, image, (first, height), (0, width), count, out);
    });
}

#[inline(always)]
fn mean(
    input: View<'_>,
    image: usize,
    rows: (usize, usize),
    columns: (usize, usize),
    count: usize,
    out: &mut [f32],
) {
    let image = input.image(image);
    out.fill(0.0);
    for row in rows.0..rows.1 {
        for column in columns.0..columns.1 {
            let pixel = &image[(row * input.size.width + column) * input.stride..][..out.len()];
            out.iter_mut().zip(pixel).for_each(|(o, p)| *o += *p);
        }
    }
    let factor = 1.0 / count as f32;
    out.iter_mut().for_each(|o| *o *= factor);
}
