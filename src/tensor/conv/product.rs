//! The two matrix products of a convolution on the host, over windows that are read where they lie in a frame.
//!
//! The window of a pixel is a few runs of numbers in the padded image, so no unfolded copy is made. Each number of a
//! result is one running sum in an order that depends on the sizes alone.

use crate::numbers::with_lanes;
use pulp::{Simd, WithSimd};

/// Columns of a panel: two vectors of eight, or one of sixteen.
pub(super) const WIDTH: usize = 16;

/// Rows of a tile of the second product: six divides the windows of most networks.
const TALL: usize = 6;

/// A matrix (inner, columns) as panels of [`WIDTH`] columns, each (inner, WIDTH), the last padded with zeros.
#[derive(Clone, Debug)]
pub(super) struct Panels {
    pub inner: usize,
    pub columns: usize,
    values: Vec<f32>,
}

impl Panels {
    /// The matrix whose number at (row, column) is `of(row, column)`.
    pub fn new(inner: usize, columns: usize, of: impl Fn(usize, usize) -> f32) -> Panels {
        let mut values = vec![0.0; columns.next_multiple_of(WIDTH) * inner];
        for (number, panel) in values.chunks_exact_mut((inner * WIDTH).max(1)).enumerate() {
            for (row, panel) in panel.as_chunks_mut::<WIDTH>().0.iter_mut().enumerate() {
                let first = number * WIDTH;
                for (column, value) in (first..columns).zip(panel) {
                    *value = of(row, column);
                }
            }
        }
        Panels { inner, columns, values }
    }
}

/// Where the windows of the pixels lie in a frame: at each of `bases`, runs of `run` numbers at `offsets`.
#[derive(Clone, Copy)]
pub(super) struct Windows<'a> {
    pub frame: &'a [f32],
    pub bases: &'a [usize],
    pub offsets: &'a [usize],
    pub run: usize,
}

/// A matrix of which a band of columns is meant: rows of `stride` numbers, from column `first` on.
pub(super) struct Band<'a> {
    pub values: &'a mut [f32],
    pub stride: usize,
    pub first: usize,
}

struct Apply<'a> {
    windows: Windows<'a>,
    panels: &'a Panels,
    out: Band<'a>,
}

/// The windows of `R` pixels times a panel of `V` vectors.
#[inline(always)]
fn tile<S: Simd, const R: usize, const V: usize>(
    simd: S,
    windows: Windows<'_>,
    bases: [usize; R],
    panel: &[f32],
) -> [[S::f32s; V]; R] {
    let (panel, _) = S::as_simd_f32s(panel);
    let (panel, _) = panel.as_chunks::<V>();
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    for (offset, panel) in windows.offsets.iter().zip(panel.chunks_exact(windows.run)) {
        let rows: [&[f32]; R] = std::array::from_fn(|r| &windows.frame[bases[r] + offset..][..panel.len()]);
        for (k, panel) in panel.iter().enumerate() {
            for r in 0..R {
                let factor = simd.splat_f32s(rows[r][k]);
                for v in 0..V {
                    sums[r][v] = simd.mul_add_e_f32s(factor, panel[v], sums[r][v]);
                }
            }
        }
    }
    sums
}

/// Writes the first `width` numbers of `sums`.
#[inline(always)]
fn store<S: Simd, const V: usize>(sums: [S::f32s; V], out: &mut [f32]) {
    if out.len() == WIDTH {
        let (out, _) = S::as_mut_simd_f32s(out);
        out.copy_from_slice(&sums);
    } else {
        let mut whole = [0.0; WIDTH];
        S::as_mut_simd_f32s(&mut whole).0.copy_from_slice(&sums);
        out.copy_from_slice(&whole[..out.len()]);
    }
}

impl Apply<'_> {
    #[inline(always)]
    fn tiles<S: Simd, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        from: usize,
        panel: &[f32],
        column: usize,
    ) -> usize {
        let count = self.windows.bases.len();
        let width = WIDTH.min(self.panels.columns - column);
        let mut pixel = from;
        while pixel + R <= count {
            let bases = std::array::from_fn(|r| self.windows.bases[pixel + r]);
            let sums = tile::<S, R, V>(simd, self.windows, bases, panel);
            for (r, sums) in sums.into_iter().enumerate() {
                let at = (pixel + r) * self.out.stride + self.out.first + column;
                store::<S, V>(sums, &mut self.out.values[at..][..width]);
            }
            pixel += R;
        }
        pixel
    }

    #[inline(always)]
    fn all<S: Simd, const R: usize, const V: usize>(mut self, simd: S) {
        let size = self.panels.inner * WIDTH;
        for (number, panel) in self.panels.values.chunks_exact(size).enumerate() {
            let column = number * WIDTH;
            let rest = self.tiles::<S, R, V>(simd, 0, panel, column);
            let rest = self.tiles::<S, 3, V>(simd, rest, panel, column);
            self.tiles::<S, 1, V>(simd, rest, panel, column);
        }
    }
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // As many running sums as the registers hold beside a panel's row and a factor.
        match S::F32_LANES {
            16 => self.all::<S, 12, 1>(simd),
            8 => self.all::<S, 6, 2>(simd),
            4 => self.all::<S, 4, 4>(simd),
            _ => self.all::<S, 1, WIDTH>(simd),
        }
    }
}

/// `out = windows · panels`: one row per pixel.
pub(super) fn apply(windows: Windows<'_>, panels: &Panels, out: Band<'_>) {
    with_lanes(Apply { windows, panels, out });
}

struct Gather<'a> {
    windows: Windows<'a>,
    /// (pixels, stride), of which `columns` from `first` on.
    gradient: &'a [f32],
    stride: usize,
    first: usize,
    columns: usize,
    /// (inner, columns)
    out: &'a mut [f32],
}

/// Pixels that are summed up at a time: their numbers lie far apart, and more of them would crowd each other out of the
/// fastest cache.
const BLOCK: usize = 64;

impl Gather<'_> {
    /// `R` rows of the result, from number `start` of a window on.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        bases: &[usize],
        panel: &[f32],
        (row, start, column): (usize, usize, usize),
    ) {
        let (panel, _) = S::as_simd_f32s(panel);
        let (panel, _) = panel.as_chunks::<V>();
        let mut sums = [[simd.splat_f32s(0.0); V]; R];
        for (base, gradient) in bases.iter().zip(panel) {
            let x: &[f32] = &self.windows.frame[base + start..][..R];
            for r in 0..R {
                let factor = simd.splat_f32s(x[r]);
                for v in 0..V {
                    sums[r][v] = simd.mul_add_e_f32s(factor, gradient[v], sums[r][v]);
                }
            }
        }
        let width = WIDTH.min(self.columns - column);
        for (r, sums) in sums.into_iter().enumerate() {
            let out = &mut self.out[(row + r) * self.columns + column..][..width];
            if width == WIDTH {
                let (out, _) = S::as_mut_simd_f32s(out);
                out.iter_mut().zip(sums).for_each(|(o, s)| *o = simd.add_f32s(*o, s));
            } else {
                let mut whole = [0.0; WIDTH];
                S::as_mut_simd_f32s(&mut whole).0.copy_from_slice(&sums);
                out.iter_mut().zip(whole).for_each(|(o, s)| *o += s);
            }
        }
    }

    #[inline(always)]
    fn all<S: Simd, const V: usize>(mut self, simd: S) {
        let Windows { bases, offsets, run, .. } = self.windows;
        let mut panel = [0.0; BLOCK * WIDTH];
        for (bases, gradient) in bases.chunks(BLOCK).zip(self.gradient.chunks(BLOCK * self.stride)) {
            for column in (0..self.columns).step_by(WIDTH) {
                let width = WIDTH.min(self.columns - column);
                for (panel, row) in panel.chunks_exact_mut(WIDTH).zip(gradient.chunks_exact(self.stride)) {
                    panel[..width].copy_from_slice(&row[self.first + column..][..width]);
                }
                for (number, offset) in offsets.iter().enumerate() {
                    let at = |k: usize| (number * run + k, offset + k, column);
                    let mut k = 0;
                    while k + TALL <= run {
                        self.tile::<S, TALL, V>(simd, bases, &panel, at(k));
                        k += TALL;
                    }
                    while k + 3 <= run {
                        self.tile::<S, 3, V>(simd, bases, &panel, at(k));
                        k += 3;
                    }
                    while k < run {
                        self.tile::<S, 1, V>(simd, bases, &panel, at(k));
                        k += 1;
                    }
                }
            }
        }
    }
}

impl WithSimd for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F32_LANES {
            16 => self.all::<S, 1>(simd),
            8 => self.all::<S, 2>(simd),
            4 => self.all::<S, 4>(simd),
            _ => self.all::<S, WIDTH>(simd),
        }
    }
}

/// `out += windowsᵀ · gradient`: `out` is (inner, columns), `gradient` (pixels, stride) with the columns from `first` on.
pub(super) fn gather(
    windows: Windows<'_>,
    gradient: &[f32],
    stride: usize,
    first: usize,
    columns: usize,
    out: &mut [f32],
) {
    with_lanes(Gather { windows, gradient, stride, first, columns, out });
}
