//! Matrix products with what follows them: rows of pixels times a matrix that was laid out once.
//!
//! Each number of the result is one running sum over the inner size, in order, whatever stands beside it: an image has the same
//! features alone and in company, with one thread and with many.

use pulp::{Arch, Simd, WithSimd};

use super::super::graph::Activation;
use super::activation::activate;

/// Columns of a panel: two vectors of sixteen numbers.
pub(super) const WIDTH: usize = 32;
/// Columns of the last panel where no more are left.
const HALF: usize = WIDTH / 2;
/// Numbers of a row that are taken at a time, so that their places are known to lie inside it.
const STEP: usize = 16;
/// Numbers of a line of the cache, on which panels begin.
const LINE: usize = 16;

/// A matrix (inner, columns) as panels of [`WIDTH`] columns, each (inner, WIDTH), the last of them half as wide where that is
/// enough, padded with zeros.
#[derive(Clone, Debug)]
pub(super) struct Panels {
    pub inner: usize,
    pub columns: usize,
    values: Vec<f32>,
    start: usize,
}

impl Panels {
    /// The transpose of rows (columns, inner), of which `at(column, k)` gives the numbers.
    pub fn new(columns: usize, inner: usize, at: impl Fn(usize, usize) -> f32) -> Panels {
        let mut panels = Panels { inner, columns, values: Vec::new(), start: 0 };
        let size: usize = (0..panels.count()).map(|number| panels.width(number) * inner).sum();
        panels.values = vec![0.0; size + LINE];
        // Panels that begin on a line of the cache are read in half as many accesses.
        panels.start = panels.values.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        for number in 0..panels.count() {
            let (width, first, place) = (panels.width(number), number * WIDTH, panels.place(number));
            for k in 0..inner {
                for column in first..columns.min(first + width) {
                    panels.values[place + k * width + column - first] = at(column, k);
                }
            }
        }
        panels
    }

    /// Panels.
    pub fn count(&self) -> usize {
        self.columns.div_ceil(WIDTH)
    }

    fn width(&self, number: usize) -> usize {
        if self.columns - number * WIDTH <= HALF { HALF } else { WIDTH }
    }

    fn place(&self, number: usize) -> usize {
        self.start + number * WIDTH * self.inner
    }

    fn panel(&self, number: usize) -> &[f32] {
        &self.values[self.place(number)..][..self.width(number) * self.inner]
    }

    /// Numbers that it holds.
    pub fn size(&self) -> usize {
        self.values.len()
    }
}

/// Rows that lie `stride` numbers apart.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub values: &'a [f32],
    pub stride: usize,
}

/// What happens to a product before it is stored.
#[derive(Clone, Copy)]
pub(super) struct Finish<'a> {
    /// One number per column; nothing is zeros.
    pub bias: &'a [f32],
    /// What is then added, row by row.
    pub residual: Option<Rows<'a>>,
    pub activation: Activation,
}

/// Where a product goes: rows that lie `stride` numbers apart; the first column of the panels is the first of a row.
pub(super) struct Target<'a> {
    pub values: &'a mut [f32],
    pub stride: usize,
}

/// Tiles of `R` rows and `V` vectors of a panel, of `T` rows and `H` vectors of half a panel: as many running sums as the
/// registers hold beside a row of the panel and a factor.
struct Multiply<'a, const R: usize, const V: usize, const T: usize, const H: usize> {
    rows: Rows<'a>,
    count: usize,
    panels: &'a Panels,
    from: usize,
    until: usize,
    finish: Finish<'a>,
    target: Target<'a>,
}

impl<const R: usize, const V: usize, const T: usize, const H: usize> Multiply<'_, R, V, T, H> {
    /// `ROWS` rows against a panel of `W` vectors, from the row with that number on.
    #[inline(always)]
    fn tile<S: Simd, const ROWS: usize, const W: usize>(&mut self, simd: S, row: usize, number: usize) {
        let (panel, _) = S::as_simd_f32s(self.panels.panel(number));
        let (panel, _) = panel.as_chunks::<W>();
        let (steps, rest) = panel.as_chunks::<STEP>();
        let inner = self.panels.inner;
        let lines: [&[f32]; ROWS] =
            std::array::from_fn(|r| &self.rows.values[(row + r) * self.rows.stride..][..inner]);
        let whole: [&[[f32; STEP]]; ROWS] = std::array::from_fn(|r| &lines[r].as_chunks().0[..steps.len()]);
        let mut sums = [[simd.splat_f32s(0.0); W]; ROWS];
        for (step, panel) in steps.iter().enumerate() {
            let x: [&[f32; STEP]; ROWS] = std::array::from_fn(|r| &whole[r][step]);
            for k in 0..STEP {
                for r in 0..ROWS {
                    let factor = simd.splat_f32s(x[r][k]);
                    for v in 0..W {
                        sums[r][v] = simd.mul_add_e_f32s(factor, panel[k][v], sums[r][v]);
                    }
                }
            }
        }
        let done = steps.len() * STEP;
        let tails: [&[f32]; ROWS] = std::array::from_fn(|r| &lines[r][done..][..rest.len()]);
        for (k, panel) in rest.iter().enumerate() {
            for r in 0..ROWS {
                let factor = simd.splat_f32s(tails[r][k]);
                for v in 0..W {
                    sums[r][v] = simd.mul_add_e_f32s(factor, panel[v], sums[r][v]);
                }
            }
        }
        // A copy, so that the running sums themselves stay in registers.
        let mut done = [[simd.splat_f32s(0.0); W]; ROWS];
        for r in 0..ROWS {
            for v in 0..W {
                done[r][v] = sums[r][v];
            }
        }
        self.store::<S, ROWS, W>(simd, row, number, done);
    }

    #[inline(always)]
    fn store<S: Simd, const ROWS: usize, const W: usize>(
        &mut self,
        simd: S,
        row: usize,
        number: usize,
        mut sums: [[S::f32s; W]; ROWS],
    ) {
        let column = number * WIDTH;
        let width = (W * S::F32_LANES).min(self.panels.columns - column);
        let Finish { bias, residual, activation } = self.finish;
        if let Some(bias) = bias.get(column..column + width) {
            for v in 0..W {
                let term = part::<S>(simd, bias, v);
                sums.iter_mut().for_each(|sums| sums[v] = simd.add_f32s(sums[v], term));
            }
        }
        if let Some(residual) = residual {
            for (r, sums) in sums.iter_mut().enumerate() {
                let line = &residual.values[(row + r) * residual.stride + column..][..width];
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = simd.add_f32s(*sum, part::<S>(simd, line, v));
                }
            }
        }
        let (zero, six) = (simd.splat_f32s(0.0), simd.splat_f32s(6.0));
        match activation {
            Activation::Relu => {
                sums.iter_mut().flatten().for_each(|sum| *sum = simd.max_f32s(*sum, zero));
            }
            Activation::Relu6 => {
                sums.iter_mut()
                    .flatten()
                    .for_each(|sum| *sum = simd.min_f32s(simd.max_f32s(*sum, zero), six));
            }
            _ => {}
        }
        let place = self.target.stride;
        for (r, sums) in sums.into_iter().enumerate() {
            let line = &mut self.target.values[(row + r) * place + column - self.from * WIDTH..][..width];
            for (v, sum) in sums.into_iter().enumerate() {
                let from = (v * S::F32_LANES).min(width);
                let until = (from + S::F32_LANES).min(width);
                simd.partial_store_f32s(&mut line[from..until], sum);
            }
            match activation {
                Activation::None | Activation::Relu | Activation::Relu6 => {}
                other => activate(line, other),
            }
        }
    }

    #[inline(always)]
    fn panel<S: Simd, const ROWS: usize, const W: usize>(&mut self, simd: S, number: usize) {
        let mut row = 0;
        while row + ROWS <= self.count {
            self.tile::<S, ROWS, W>(simd, row, number);
            row += ROWS;
        }
        // The last tile may lie over the one before: the same numbers are stored once more.
        if row + 2 < self.count && self.count >= ROWS {
            return self.tile::<S, ROWS, W>(simd, self.count - ROWS, number);
        }
        while row < self.count {
            self.tile::<S, 1, W>(simd, row, number);
            row += 1;
        }
    }
}

#[inline(always)]
fn part<S: Simd>(simd: S, line: &[f32], vector: usize) -> S::f32s {
    let from = (vector * S::F32_LANES).min(line.len());
    let until = (from + S::F32_LANES).min(line.len());
    simd.partial_load_f32s(&line[from..until])
}

impl<const R: usize, const V: usize, const T: usize, const H: usize> WithSimd for Multiply<'_, R, V, T, H> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for number in self.from..self.until {
            if self.panels.width(number) == HALF {
                self.panel::<S, T, H>(simd, number);
            } else {
                self.panel::<S, R, V>(simd, number);
            }
        }
    }
}

/// `count` rows times the panels `from..until`, finished and stored; the target begins at the first column of `from`, the bias
/// and what is added at the first of all.
pub(super) fn multiply(
    rows: Rows<'_>,
    count: usize,
    panels: &Panels,
    (from, until): (usize, usize),
    finish: Finish<'_>,
    target: Target<'_>,
) {
    macro_rules! multiply {
        ($simd:expr, $($sizes:literal),+) => {
            Simd::vectorize(
                $simd,
                Multiply::<$($sizes),+> { rows, count, panels, from, until, finish, target },
            )
        };
    }
    match Arch::new() {
        #[cfg(target_arch = "x86_64")]
        Arch::V4(simd) => multiply!(simd, 12, 2, 12, 1),
        #[cfg(target_arch = "x86_64")]
        Arch::V3(simd) => multiply!(simd, 3, 4, 6, 2),
        #[cfg(target_arch = "aarch64")]
        Arch::Neon(simd) => multiply!(simd, 3, 8, 4, 4),
        _ => multiply!(pulp::Scalar::new(), 1, 32, 1, 16),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 37 + seed * 11) % 101) as f32 / 50.0 - 1.0).collect()
    }

    #[test]
    fn a_product_is_the_sum_of_its_terms_at_every_size() {
        for (count, inner, columns) in [(1, 1, 1), (13, 16, 16), (17, 33, 48), (5, 7, 70), (29, 40, 17)] {
            let (x, weight) = (numbers(count * (inner + 3), 1), numbers(columns * inner, 2));
            let (bias, more) = (numbers(columns, 3), numbers(count * columns, 4));
            let panels = Panels::new(columns, inner, |column, k| weight[column * inner + k]);
            let mut out = vec![9.0; count * (columns + 2)];
            let finish = Finish {
                bias: &bias,
                residual: Some(Rows { values: &more, stride: columns }),
                activation: Activation::Relu6,
            };
            let rows = Rows { values: &x, stride: inner + 3 };
            let target = Target { values: &mut out, stride: columns + 2 };
            multiply(rows, count, &panels, (0, panels.count()), finish, target);
            for row in 0..count {
                for column in 0..columns {
                    let sum: f64 = (0..inner)
                        .map(|k| f64::from(x[row * (inner + 3) + k]) * f64::from(weight[column * inner + k]))
                        .sum();
                    let whole = sum + f64::from(bias[column]) + f64::from(more[row * columns + column]);
                    let found = f64::from(out[row * (columns + 2) + column]);
                    assert!((found - whole.clamp(0.0, 6.0)).abs() < 1e-5, "{count} {inner} {columns}");
                }
                assert_eq!(out[row * (columns + 2) + columns..][..2], [9.0, 9.0]);
            }
        }
    }
}
