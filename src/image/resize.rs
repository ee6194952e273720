//! Scaling with Pillow's fixed-point arithmetic: along x, rounded to bytes, then along y.
//!
//! Reference: Pillow, `src/libImaging/Resample.c`. Equal bytes are the point, so sums are whole numbers and rounded where
//! Pillow rounds.

use pulp::Arch;

use super::filter::{Axis, Filter, PRECISION};
use super::rgb::RgbImage;

/// A part of the scaled picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Columns left of it.
    pub left: usize,
    /// Rows above it.
    pub top: usize,
    /// Its columns.
    pub width: usize,
    /// Its rows.
    pub height: usize,
}

/// Rows that pass the horizontal sums together, so that one weight meets them all in one instruction.
const ROWS: usize = 16;
/// Bytes of a column of such rows.
const COLUMN: usize = 3 * ROWS;

/// The part `window` of `image` scaled to `width` × `height`; equal to the same part of the whole, and cheaper.
///
/// # Panics
/// When the window reaches beyond the scaled picture.
///
/// ```
/// use kshot::image::{Filter, RgbImage, Window, resize};
///
/// let image = RgbImage::new(2, 1, vec![0, 0, 0, 100, 100, 100]).unwrap();
/// let window = Window { left: 0, top: 0, width: 1, height: 1 };
/// assert_eq!(resize(&image, (1, 1), Filter::Bilinear, window).pixels(), [50, 50, 50]);
/// ```
pub fn resize(image: &RgbImage, (width, height): (usize, usize), filter: Filter, window: Window) -> RgbImage {
    assert!(window.left + window.width <= width && window.top + window.height <= height, "window {window:?}");
    let rows = Axis::new(filter, image.height(), height, window.top, window.height);
    let same_height = height == image.height();
    let (first, end) = if same_height { (window.top, window.top + window.height) } else { rows.reach() };
    let across = if width == image.width() {
        let columns = 3 * window.left..3 * (window.left + window.width);
        (first..end).flat_map(|y| &image.row(y)[columns.clone()]).copied().collect()
    } else {
        let columns = Axis::new(filter, image.width(), width, window.left, window.width);
        along_rows(image, (first, end), &columns, window.width)
    };
    let pixels = if same_height { across } else { along_columns(&across, first, &rows, window) };
    RgbImage::new(window.width, window.height, pixels)
        .unwrap_or_else(|| unreachable!("as many as its window"))
}

fn byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// The rows from `first` to before `end`, each scaled by `columns` to `width` pixels.
fn along_rows(image: &RgbImage, (first, end): (usize, usize), columns: &Axis, width: usize) -> Vec<u8> {
    let (from, to) = columns.reach();
    let mut out = vec![0; (end - first) * width * 3];
    let mut block = vec![0; (to - from) * COLUMN];
    let arch = Arch::new();
    for (number, out) in out.chunks_mut(ROWS * width * 3).enumerate() {
        let start = first + number * ROWS;
        let taken = ROWS.min(end - start);
        for row in 0..taken {
            let pixels = &image.row(start + row)[3 * from..3 * to];
            for (column, pixel) in block.chunks_exact_mut(COLUMN).zip(pixels.as_chunks::<3>().0) {
                [column[row], column[ROWS + row], column[2 * ROWS + row]] = *pixel;
            }
        }
        arch.dispatch(
            #[inline(always)]
            || {
                for (place, (start, weights)) in columns.pixels().enumerate() {
                    let mut sums = [1 << (PRECISION - 1); COLUMN];
                    let under = block[(start - from) * COLUMN..].as_chunks::<COLUMN>().0;
                    for (weight, column) in weights.iter().zip(under) {
                        for (sum, value) in sums.iter_mut().zip(column) {
                            *sum += weight * i32::from(*value);
                        }
                    }
                    for (row, out) in out.chunks_exact_mut(width * 3).enumerate() {
                        let pixel = &mut out[3 * place..3 * place + 3];
                        for (channel, value) in pixel.iter_mut().enumerate() {
                            *value = byte(sums[channel * ROWS + row]);
                        }
                    }
                }
            },
        );
    }
    out
}

/// The rows of the window, of rows that begin with number `first` of the old picture.
fn along_columns(across: &[u8], first: usize, rows: &Axis, window: Window) -> Vec<u8> {
    let bytes = window.width * 3;
    let mut out = vec![0; window.height * bytes];
    let mut sums = vec![0; bytes];
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for ((start, weights), out) in rows.pixels().zip(out.chunks_exact_mut(bytes)) {
                sums.fill(1 << (PRECISION - 1));
                let under = across[(start - first) * bytes..].chunks_exact(bytes);
                for (weight, row) in weights.iter().zip(under) {
                    for (sum, value) in sums.iter_mut().zip(row) {
                        *sum += weight * i32::from(*value);
                    }
                }
                out.iter_mut().zip(&sums).for_each(|(out, sum)| *out = byte(*sum));
            }
        },
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(width: usize, height: usize) -> RgbImage {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        RgbImage::new(width, height, (0..width * height * 3).map(|_| next()).collect()).unwrap()
    }

    #[test]
    fn a_window_is_the_same_part_of_the_whole() {
        let image = noise(67, 41);
        for (width, height) in [(33, 20), (67, 90), (120, 41), (200, 123), (67, 41)] {
            let all = Window { left: 0, top: 0, width, height };
            let whole = resize(&image, (width, height), Filter::Bicubic, all);
            let window = Window { left: 7, top: 5, width: 19, height: 13 };
            let part = resize(&image, (width, height), Filter::Bicubic, window);
            for y in 0..13 {
                assert_eq!(part.row(y), &whole.row(y + 5)[21..21 + 57], "{width}×{height}, row {y}");
            }
        }
        let all = Window { left: 0, top: 0, width: 67, height: 41 };
        assert_eq!(resize(&image, (67, 41), Filter::Bilinear, all), image);
    }

    #[test]
    fn one_colour_stays_what_it_is() {
        let image = RgbImage::new(9, 50, [7, 128, 255].repeat(450)).unwrap();
        for size in [(3, 3), (40, 7), (9, 200)] {
            let all = Window { left: 0, top: 0, width: size.0, height: size.1 };
            let found = resize(&image, size, Filter::Bicubic, all);
            assert_eq!(found.pixels(), [7, 128, 255].repeat(size.0 * size.1), "{size:?}");
        }
    }
}
