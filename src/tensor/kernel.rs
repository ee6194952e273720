//! Inner products on the host, with the widest vector instructions that the processor has (picked at run time).
//!
//! The sums are formed in an order that depends on the length alone, so a row has the same product alone and in company.

use crate::numbers::with_lanes;
use pulp::{Simd, WithSimd};

/// Inner products of rows with weights: `out[r * weights + k] = rows[r] · weights[k]`.
struct Products<'a> {
    rows: &'a [&'a [f32]],
    weights: &'a [f32],
    dim: usize,
    out: &'a mut [f32],
}

/// Vectors of a row that are multiplied between two checks of bounds.
const GROUP: usize = 4;

/// Numbers of a line of the cache.
const LINE: usize = 16;

/// Bytes of a line of the cache.
const LINE_BYTES: usize = 64;

/// Cache lines of a row that are read before those of the next row.
const LINES: usize = 4;

/// Reads a byte of every cache line of the rows, which are of one length. They lie anywhere in the store, and plain loads
/// wait for many lines at once where a product waits for few; for most where they take turns among the rows.
pub(super) fn touch(rows: &[&[u8]]) {
    let mut sums = [0u8; LINES];
    let length = rows.first().map_or(0, |row| row.len());
    for place in 0..length / (LINES * LINE_BYTES) {
        for row in rows {
            if let Some(lines) = row.as_chunks::<{ LINES * LINE_BYTES }>().0.get(place) {
                let firsts = lines.chunks_exact(LINE_BYTES).map(|line| line[0]);
                sums.iter_mut().zip(firsts).for_each(|(sum, byte)| *sum = sum.wrapping_add(byte));
            }
        }
    }
    std::hint::black_box(sums);
}

/// `R` rows against `K` weights at once, so that each loaded number is used several times.
#[inline(always)]
fn block<S: Simd, const R: usize, const K: usize>(
    simd: S,
    rows: [&[f32]; R],
    weights: [&[f32]; K],
) -> [[f32; K]; R] {
    let mut sums = [[simd.splat_f32s(0.0); K]; R];
    let mut split_rows = [S::as_simd_f32s(rows[0]); R];
    (1..R).for_each(|r| split_rows[r] = S::as_simd_f32s(rows[r]));
    let mut split_weights = [S::as_simd_f32s(weights[0]); K];
    (1..K).for_each(|k| split_weights[k] = S::as_simd_f32s(weights[k]));
    let chunks = split_rows[0].0.len();
    // Several vectors at a time, because the bounds of all slices are checked once a time.
    let mut groups = [split_rows[0].0[..chunks].as_chunks::<GROUP>(); R];
    (1..R).for_each(|r| groups[r] = split_rows[r].0[..chunks].as_chunks::<GROUP>());
    let mut weight_groups = [split_weights[0].0[..chunks].as_chunks::<GROUP>(); K];
    (1..K).for_each(|k| weight_groups[k] = split_weights[k].0[..chunks].as_chunks::<GROUP>());
    for i in 0..chunks / GROUP {
        let mut x = [&groups[0].0[i]; R];
        (1..R).for_each(|r| x[r] = &groups[r].0[i]);
        let mut w = [&weight_groups[0].0[i]; K];
        (1..K).for_each(|k| w[k] = &weight_groups[k].0[i]);
        for lane in 0..GROUP {
            for r in 0..R {
                for k in 0..K {
                    sums[r][k] = simd.mul_add_e_f32s(x[r][lane], w[k][lane], sums[r][k]);
                }
            }
        }
    }
    for i in 0..chunks % GROUP {
        for r in 0..R {
            for k in 0..K {
                sums[r][k] = simd.mul_add_e_f32s(groups[r].1[i], weight_groups[k].1[i], sums[r][k]);
            }
        }
    }
    let mut out = [[0.0; K]; R];
    for r in 0..R {
        let tail = simd.partial_load_f32s(split_rows[r].1);
        for k in 0..K {
            let sum = simd.mul_add_e_f32s(tail, simd.partial_load_f32s(split_weights[k].1), sums[r][k]);
            out[r][k] = simd.reduce_sum_f32s(sum);
        }
    }
    out
}

impl WithSimd for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Products { rows, weights, dim, out } = self;
        let count = weights.len().checked_div(dim).unwrap_or(0);
        let weight = |k: usize| &weights[k * dim..(k + 1) * dim];
        let mut k = 0;
        // Five columns at a time: the labels of the commonest episode, and as many sums as the registers hold.
        while k < count {
            let width = if count - k >= 5 { 5 } else { 1 };
            let mut r = 0;
            while r < rows.len() {
                if r + 1 < rows.len() {
                    let pair = [rows[r], rows[r + 1]];
                    if width == 5 {
                        let w = [weight(k), weight(k + 1), weight(k + 2), weight(k + 3), weight(k + 4)];
                        let sums = block(simd, pair, w);
                        out[r * count + k..r * count + k + 5].copy_from_slice(&sums[0]);
                        out[(r + 1) * count + k..(r + 1) * count + k + 5].copy_from_slice(&sums[1]);
                    } else {
                        let sums = block(simd, pair, [weight(k)]);
                        out[r * count + k] = sums[0][0];
                        out[(r + 1) * count + k] = sums[1][0];
                    }
                    r += 2;
                } else {
                    if width == 5 {
                        let w = [weight(k), weight(k + 1), weight(k + 2), weight(k + 3), weight(k + 4)];
                        out[r * count + k..r * count + k + 5].copy_from_slice(&block(simd, [rows[r]], w)[0]);
                    } else {
                        out[r * count + k] = block(simd, [rows[r]], [weight(k)])[0][0];
                    }
                    r += 1;
                }
            }
            k += width;
        }
    }
}

/// Writes the inner products of each row (dim) with each of the `weights` (count × dim) into `out` (rows × count).
pub(super) fn products(rows: &[&[f32]], weights: &[f32], dim: usize, out: &mut [f32]) {
    with_lanes(Products { rows, weights, dim, out });
}

/// Adds each of the `rows` (dim) to the sum of its label: `sums` (labels × dim).
struct Sums<'a> {
    rows: &'a [&'a [f32]],
    labels: &'a [u16],
    dim: usize,
    sums: &'a mut [f32],
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Sums { rows, labels, dim, sums } = self;
        for (row, label) in rows.iter().zip(labels) {
            let sum = &mut sums[usize::from(*label) * dim..][..dim];
            let ((head, tail), (sum_head, sum_tail)) = (S::as_simd_f32s(row), S::as_mut_simd_f32s(sum));
            sum_head.iter_mut().zip(head).for_each(|(sum, x)| *sum = simd.add_f32s(*sum, *x));
            sum_tail.iter_mut().zip(tail).for_each(|(sum, x)| *sum += x);
        }
    }
}

/// Adds each of the `rows` (dim) to the sum of its label: `sums` (labels × dim), one after another.
pub(super) fn add_rows(rows: &[&[f32]], labels: &[u16], dim: usize, sums: &mut [f32]) {
    with_lanes(Sums { rows, labels, dim, sums });
}

/// Squared norms and the sum of the `points` (count × dim), in one pass.
struct NormsAndSum<'a> {
    points: &'a [f32],
    norms: &'a mut [f32],
    sum: &'a mut [f32],
}

impl WithSimd for NormsAndSum<'_> {
    /// The squared norm of the sum.
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let NormsAndSum { points, norms, sum } = self;
        let (dim, zero) = (sum.len(), simd.splat_f32s(0.0));
        sum.fill(0.0);
        for (point, norm) in points.chunks_exact(dim.max(1)).zip(norms) {
            let ((head, tail), (sum, rest)) = (S::as_simd_f32s(point), S::as_mut_simd_f32s(sum));
            let mut squares = [zero; GROUP];
            let (groups, odd) = head.as_chunks::<GROUP>();
            let (sums, odd_sums) = sum.as_chunks_mut::<GROUP>();
            for (x, sum) in groups.iter().zip(sums) {
                for lane in 0..GROUP {
                    squares[lane] = simd.mul_add_e_f32s(x[lane], x[lane], squares[lane]);
                    sum[lane] = simd.add_f32s(sum[lane], x[lane]);
                }
            }
            for (x, sum) in odd.iter().zip(odd_sums) {
                squares[0] = simd.mul_add_e_f32s(*x, *x, squares[0]);
                *sum = simd.add_f32s(*sum, *x);
            }
            let last = simd.partial_load_f32s(tail);
            squares[1] = simd.mul_add_e_f32s(last, last, squares[1]);
            rest.iter_mut().zip(tail).for_each(|(sum, x)| *sum += x);
            let pairs = [simd.add_f32s(squares[0], squares[1]), simd.add_f32s(squares[2], squares[3])];
            *norm = simd.reduce_sum_f32s(simd.add_f32s(pairs[0], pairs[1]));
        }
        let (head, tail) = S::as_simd_f32s(sum);
        let squares = head.iter().fold(zero, |squares, x| simd.mul_add_e_f32s(*x, *x, squares));
        simd.reduce_sum_f32s(squares) + tail.iter().map(|x| x * x).sum::<f32>()
    }
}

/// Writes the squared norm of each of the `points` (count × dim) and the `sum` (dim) of all; gives that of the sum.
pub(super) fn norms_and_sum(points: &[f32], dim: usize, norms: &mut [f32], sum: &mut [f32]) -> f32 {
    debug_assert_eq!(sum.len(), dim);
    with_lanes(NormsAndSum { points, norms, sum })
}

/// The squared norm of a row, in lanes that a compiler turns into vectors.
pub(super) fn squared_norm(row: &[f32]) -> f32 {
    let mut sums = [0.0f32; LINE];
    let (lines, rest) = row.as_chunks::<LINE>();
    for line in lines {
        sums.iter_mut().zip(line).for_each(|(sum, x)| *sum += x * x);
    }
    sums.iter().sum::<f32>() + rest.iter().map(|x| x * x).sum::<f32>()
}

struct MultiplyF64<'a> {
    a: &'a [f64],
    b: &'a [f64],
    inner: usize,
    columns: usize,
    out: &'a mut [f64],
}

/// Vectors of one row of the product that stay in registers, for two rows at a time.
const HELD: usize = 5;

/// `R` rows of the product: `C` whole vectors of columns, from the vectors at `first` on, and with `TAIL` the columns
/// behind them. Every number is one chain of fused additions along `k`, whatever stands beside it.
#[inline(always)]
fn tile<S: Simd, const R: usize, const C: usize, const TAIL: bool>(
    simd: S,
    rows: [&[f64]; R],
    b: &[f64],
    columns: usize,
    first: usize,
) -> ([[S::f64s; C]; R], [S::f64s; R]) {
    let lanes = size_of::<S::f64s>() / size_of::<f64>();
    let zero = simd.splat_f64s(0.0);
    let (mut sums, mut tails) = ([[zero; C]; R], [zero; R]);
    for (k, b) in b.chunks_exact(columns).enumerate() {
        let (b, tail) = S::as_simd_f64s(&b[first * lanes..]);
        let tail = if TAIL { simd.partial_load_f64s(tail) } else { zero };
        for r in 0..R {
            let a = simd.splat_f64s(rows[r][k]);
            for c in 0..C {
                sums[r][c] = simd.mul_add_e_f64s(a, b[c], sums[r][c]);
            }
            if TAIL {
                tails[r] = simd.mul_add_e_f64s(a, tail, tails[r]);
            }
        }
    }
    (sums, tails)
}

/// The columns of `R` rows, from the vectors at `first` on: `C` whole ones and with `TAIL` what is left of the row.
#[inline(always)]
fn piece<S: Simd, const R: usize, const C: usize, const TAIL: bool>(
    simd: S,
    rows: [&[f64]; R],
    b: &[f64],
    columns: usize,
    first: usize,
    out: &mut [f64],
) {
    let lanes = size_of::<S::f64s>() / size_of::<f64>();
    let (sums, tails) = tile::<S, R, C, TAIL>(simd, rows, b, columns, first);
    for r in 0..R {
        let (head, rest) = S::as_mut_simd_f64s(&mut out[r * columns + first * lanes..(r + 1) * columns]);
        head[..C].copy_from_slice(&sums[r]);
        if TAIL {
            simd.partial_store_f64s(rest, tails[r]);
        }
    }
}

/// All columns of `R` rows, as many vectors at a time as the registers hold.
#[inline(always)]
fn strip<S: Simd, const R: usize>(simd: S, rows: [&[f64]; R], b: &[f64], columns: usize, out: &mut [f64]) {
    let lanes = size_of::<S::f64s>() / size_of::<f64>();
    let (vectors, tail) = (columns / lanes, !columns.is_multiple_of(lanes));
    let mut first = 0;
    while first + HELD <= vectors {
        piece::<S, R, HELD, false>(simd, rows, b, columns, first, out);
        first += HELD;
    }
    while first + 1 < vectors || (first < vectors && !tail) {
        piece::<S, R, 1, false>(simd, rows, b, columns, first, out);
        first += 1;
    }
    match (first < vectors, tail) {
        (true, true) => piece::<S, R, 1, true>(simd, rows, b, columns, first, out),
        (false, true) => piece::<S, R, 0, true>(simd, rows, b, columns, first, out),
        _ => {}
    }
}

impl WithSimd for MultiplyF64<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let MultiplyF64 { a, b, inner, columns, out } = self;
        let rows = a.len().checked_div(inner).unwrap_or(0);
        let row = |r: usize| &a[r * inner..(r + 1) * inner];
        let narrow = columns < 2 * size_of::<S::f64s>() / size_of::<f64>();
        let mut r = 0;
        // A row of one or two vectors leaves registers free, and adders idle, for two rows more.
        while narrow && r + 3 < rows {
            let out = &mut out[r * columns..(r + 4) * columns];
            strip(simd, [row(r), row(r + 1), row(r + 2), row(r + 3)], b, columns, out);
            r += 4;
        }
        while r + 1 < rows {
            let out = &mut out[r * columns..(r + 2) * columns];
            strip(simd, [row(r), row(r + 1)], b, columns, out);
            r += 2;
        }
        if r < rows {
            strip(simd, [row(r)], b, columns, &mut out[r * columns..(r + 1) * columns]);
        }
    }
}

/// The matrix product `out = a · b` in double precision, row by row: `a` (rows × inner), `b` (inner × columns).
pub(super) fn multiply(a: &[f64], b: &[f64], inner: usize, columns: usize, out: &mut [f64]) {
    with_lanes(MultiplyF64 { a, b, inner, columns, out });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_agree_with_a_plain_loop_for_every_remainder() {
        for dim in [1, 3, 8, 13, 64, 67] {
            for (count, weights) in [(1, 1), (2, 5), (3, 7), (5, 11)] {
                let number = |i: usize| ((i * 37 % 101) as f32 - 50.0) / 17.0;
                let a: Vec<f32> = (0..count * dim).map(number).collect();
                let w: Vec<f32> = (0..weights * dim).map(|i| number(i + 5)).collect();
                let rows: Vec<&[f32]> = a.chunks_exact(dim).collect();
                let mut out = vec![f32::NAN; count * weights];
                products(&rows, &w, dim, &mut out);
                for r in 0..count {
                    for k in 0..weights {
                        let expected: f64 =
                            (0..dim).map(|i| f64::from(a[r * dim + i]) * f64::from(w[k * dim + i])).sum();
                        assert!((f64::from(out[r * weights + k]) - expected).abs() < 1e-3);
                    }
                }
            }
        }
    }

    #[test]
    fn rows_are_added_to_the_sums_of_their_labels() {
        for dim in [1, 8, 19] {
            let number = |i: usize| (i * 37 % 101) as f32;
            let a: Vec<f32> = (0..4 * dim).map(number).collect();
            let rows: Vec<&[f32]> = a.chunks_exact(dim).collect();
            let mut sums = vec![0.0; 2 * dim];
            add_rows(&rows, &[1, 0, 1, 1], dim, &mut sums);
            for c in 0..dim {
                assert_eq!((sums[c], sums[dim + c]), (rows[1][c], rows[0][c] + rows[2][c] + rows[3][c]));
            }
        }
    }

    #[test]
    fn norms_and_the_sum_of_points_for_every_remainder() {
        for dim in [1, 5, 8, 19, 32, 45] {
            let points: Vec<f32> = (0..3 * dim).map(|i| ((i * 37 % 11) as f32) - 5.0).collect();
            let (mut norms, mut sum) = ([f32::NAN; 3], vec![f32::NAN; dim]);
            let squared = norms_and_sum(&points, dim, &mut norms, &mut sum);
            for (point, norm) in points.chunks_exact(dim).zip(norms) {
                assert_eq!(norm, point.iter().map(|x| x * x).sum::<f32>());
            }
            for (c, sum) in sum.iter().enumerate() {
                assert_eq!(*sum, points[c] + points[dim + c] + points[2 * dim + c]);
            }
            assert_eq!(squared, sum.iter().map(|x| x * x).sum::<f32>());
        }
    }

    #[test]
    fn the_squared_norm_of_a_row_with_a_remainder() {
        let row: Vec<f32> = (1..=19).map(|i| i as f32).collect();
        assert_eq!(squared_norm(&row), 2470.0);
    }

    #[test]
    fn products_of_matrices_agree_with_a_plain_loop() {
        for (rows, inner, columns) in [(1, 1, 1), (3, 4, 5), (5, 7, 8), (4, 6, 20), (3, 5, 27)] {
            let number = |i: usize| ((i * 53 % 89) as f64 - 44.0) / 13.0;
            let a: Vec<f64> = (0..rows * inner).map(number).collect();
            let b: Vec<f64> = (0..inner * columns).map(|i| number(i + 3)).collect();
            let mut out = vec![f64::NAN; rows * columns];
            multiply(&a, &b, inner, columns, &mut out);
            for (place, found) in out.iter().enumerate() {
                let (r, c) = (place / columns, place % columns);
                let expected: f64 = (0..inner).map(|k| a[r * inner + k] * b[k * columns + c]).sum();
                assert!((found - expected).abs() < 1e-9, "{rows} {inner} {columns}");
            }
        }
    }

    #[test]
    fn a_column_has_the_same_bits_whatever_stands_beside_it() {
        let (rows, inner) = (7, 9);
        let number = |i: usize| ((i * 53 % 89) as f64 - 44.0) / 13.0;
        let a: Vec<f64> = (0..rows * inner).map(number).collect();
        let column = |c: usize, k: usize| number(31 * c + 7 * k);
        let product = |columns: usize| {
            let b: Vec<f64> = (0..inner).flat_map(|k| (0..columns).map(move |c| column(c, k))).collect();
            let mut out = vec![0.0; rows * columns];
            multiply(&a, &b, inner, columns, &mut out);
            out
        };
        let wide = product(47);
        for columns in 1..47 {
            let narrow = product(columns);
            for (place, found) in narrow.iter().enumerate() {
                let (r, c) = (place / columns, place % columns);
                assert_eq!(found.to_bits(), wide[r * 47 + c].to_bits(), "{columns} columns");
            }
        }
    }

    #[test]
    fn a_product_of_matrices_on_paper() {
        let mut out = [0.0; 4];
        multiply(&[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0, 7.0, 8.0], 2, 2, &mut out);
        assert_eq!(out, [19.0, 22.0, 43.0, 50.0]);
    }
}
