//! Matrix products on the host against a matrix that was laid out once, in panels as wide as the registers hold.
//!
//! dfdx's product lays its right side out again at every call and gains less than half of what the processor can do at
//! these sizes. Each number of the result is one running sum over the inner size, so a row has the same product alone
//! and in company.

use pulp::Simd;

/// Columns of a panel: two vectors of eight, or one of sixteen.
pub(super) const WIDTH: usize = 16;

/// A matrix (inner, columns) as panels of [`WIDTH`] columns, each (inner, WIDTH), the last padded with zeros.
#[derive(Clone, Debug)]
pub(super) struct Panels {
    inner: usize,
    columns: usize,
    pub values: Vec<f32>,
}

impl Panels {
    /// The transpose of `rows` (columns, inner).
    pub fn of_rows(rows: &[f32], columns: usize, inner: usize) -> Panels {
        let mut values = vec![0.0; columns.next_multiple_of(WIDTH) * inner];
        for (column, row) in rows.chunks_exact(inner.max(1)).enumerate() {
            fill_column(&mut values, inner, column, row);
        }
        Panels { inner, columns, values }
    }

    pub fn inner(&self) -> usize {
        self.inner
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The matrix (inner, columns) in row order.
    pub fn matrix(&self) -> Vec<f32> {
        let mut out = vec![0.0; self.inner * self.columns];
        for (k, out) in out.chunks_exact_mut(self.columns.max(1)).enumerate() {
            for (c, out) in out.iter_mut().enumerate() {
                *out = self.values[(c / WIDTH * self.inner + k) * WIDTH + c % WIDTH];
            }
        }
        out
    }
}

/// Writes one column of a matrix in panels.
#[inline(always)]
pub(super) fn fill_column(panels: &mut [f32], inner: usize, column: usize, values: &[f32]) {
    let panel = &mut panels[column / WIDTH * inner * WIDTH..][..inner * WIDTH];
    let (rows, _) = panel.as_chunks_mut::<WIDTH>();
    rows.iter_mut().zip(values).for_each(|(row, value)| row[column % WIDTH] = *value);
}

/// Rows of a matrix that lie `stride` numbers apart.
#[derive(Clone, Copy)]
pub(super) struct Strided<'a> {
    pub values: &'a [f32],
    pub stride: usize,
}

/// Where a product goes: rows that lie `stride` numbers apart, of which `width` columns are written.
pub(super) struct Target<'a> {
    pub values: &'a mut [f32],
    pub stride: usize,
    pub width: usize,
}

/// `R` rows against one panel of `V` vectors.
#[inline(always)]
fn tile<S: Simd, const R: usize, const V: usize>(
    simd: S,
    x: Strided<'_>,
    panel: &[f32],
    start: &[f32; WIDTH],
    out: &mut Target<'_>,
    from: usize,
) {
    let (panel, _) = S::as_simd_f32s(panel);
    let (panel, _) = panel.as_chunks::<V>();
    let rows: [&[f32]; R] = std::array::from_fn(|r| &x.values[(from + r) * x.stride..][..panel.len()]);
    let (start, _) = S::as_simd_f32s(start);
    let start: [S::f32s; V] = std::array::from_fn(|v| start[v]);
    let mut sums = [start; R];
    for (k, panel) in panel.iter().enumerate() {
        for r in 0..R {
            let factor = simd.splat_f32s(rows[r][k]);
            for v in 0..V {
                sums[r][v] = simd.mul_add_e_f32s(factor, panel[v], sums[r][v]);
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        let out = &mut out.values[(from + r) * out.stride..][..out.width];
        if out.len() == WIDTH {
            let (out, _) = S::as_mut_simd_f32s(out);
            out.copy_from_slice(sums);
        } else {
            let mut whole = [0.0; WIDTH];
            S::as_mut_simd_f32s(&mut whole).0.copy_from_slice(sums);
            out.copy_from_slice(&whole[..out.len()]);
        }
    }
}

#[inline(always)]
fn tiles<S: Simd, const R: usize, const V: usize>(
    simd: S,
    x: Strided<'_>,
    rows: usize,
    panel: &[f32],
    start: &[f32; WIDTH],
    out: &mut Target<'_>,
) {
    let mut row = 0;
    while row + R <= rows {
        tile::<S, R, V>(simd, x, panel, start, out, row);
        row += R;
    }
    while row + 2 <= rows {
        tile::<S, 2, V>(simd, x, panel, start, out, row);
        row += 2;
    }
    if row < rows {
        tile::<S, 1, V>(simd, x, panel, start, out, row);
    }
}

/// `rows` rows of `x` times one panel, onto `start`.
#[inline(always)]
pub(super) fn times_panel<S: Simd>(
    simd: S,
    x: Strided<'_>,
    rows: usize,
    panel: &[f32],
    start: &[f32; WIDTH],
    mut out: Target<'_>,
) {
    // As many running sums as the registers hold beside a panel's row and a factor.
    match S::F32_LANES {
        16 => tiles::<S, 12, 1>(simd, x, rows, panel, start, &mut out),
        8 => tiles::<S, 6, 2>(simd, x, rows, panel, start, &mut out),
        4 => tiles::<S, 4, 4>(simd, x, rows, panel, start, &mut out),
        _ => {
            for row in 0..rows {
                let mut sums = *start;
                let (panel, _) = panel.as_chunks::<WIDTH>();
                for (factor, panel) in x.values[row * x.stride..].iter().zip(panel) {
                    sums.iter_mut().zip(panel).for_each(|(sum, p)| *sum += factor * p);
                }
                out.values[row * out.stride..][..out.width].copy_from_slice(&sums[..out.width]);
            }
        }
    }
}
