//! Self-attention of one sequence on the host.

use pulp::{Simd, WithSimd};

use super::panels::{Strided, Target, WIDTH, fill_column, times_panel};
use crate::numbers::with_lanes;
use crate::tensor::functions::softmax;

/// Room for one head of one sequence, used again for the next.
pub(super) struct Scratch {
    heads: usize,
    /// Numbers per head.
    size: usize,
    length: usize,
    keys: Vec<f32>,
    values: Vec<f32>,
    /// (length, length rounded up to whole panels)
    weights: Vec<f32>,
}

impl Scratch {
    /// Room for sequences of `length` tokens with `heads` heads of `size` numbers.
    pub fn new(heads: usize, size: usize, length: usize) -> Scratch {
        let padded = length.next_multiple_of(WIDTH);
        Scratch {
            heads,
            size,
            length,
            keys: vec![0.0; size * padded],
            values: vec![0.0; length * size.next_multiple_of(WIDTH)],
            weights: vec![0.0; length * padded],
        }
    }
}

struct Attend<'a> {
    /// (length, 3 · hidden)
    joint: &'a [f32],
    scratch: &'a mut Scratch,
    /// (length, hidden)
    out: &'a mut [f32],
}

impl WithSimd for Attend<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Scratch { heads, size, length, keys, values, weights } = self.scratch;
        let (heads, size, length) = (*heads, *size, *length);
        let (hidden, padded) = (heads * size, length.next_multiple_of(WIDTH));
        let zero = [0.0; WIDTH];
        // softmax(q·kᵀ/√size)·v
        let scale = 1.0 / (size as f32).sqrt();
        for first in (0..hidden).step_by(size) {
            for (place, row) in self.joint.chunks_exact(3 * hidden).enumerate() {
                fill_column(keys, size, place, &row[hidden + first..][..size]);
                let value = &row[2 * hidden + first..][..size];
                for (panel, part) in values.chunks_exact_mut(length * WIDTH).zip(value.chunks(WIDTH)) {
                    panel[place * WIDTH..][..part.len()].copy_from_slice(part);
                }
            }
            for (number, panel) in keys.chunks_exact(size * WIDTH).enumerate() {
                let queries = Strided { values: &self.joint[first..], stride: 3 * hidden };
                let target = Target { values: &mut weights[number * WIDTH..], stride: padded, width: WIDTH };
                times_panel(simd, queries, length, panel, &zero, target);
            }
            weights.chunks_exact_mut(padded).for_each(|row| softmax(row, length, scale));
            for (number, panel) in values.chunks_exact(length * WIDTH).enumerate() {
                let column = number * WIDTH;
                let target = Target {
                    values: &mut self.out[first + column..],
                    stride: hidden,
                    width: WIDTH.min(size - column),
                };
                times_panel(simd, Strided { values: weights, stride: padded }, length, panel, &zero, target);
            }
        }
    }
}

/// Attention of each sequence: `joint` (tokens, 3 · hidden) holds queries, keys and values, `out` is (tokens, hidden).
pub(super) fn attend(joint: &[f32], scratch: &mut Scratch, out: &mut [f32]) {
    let tokens = scratch.length * scratch.heads * scratch.size;
    for (joint, out) in joint.chunks_exact(3 * tokens).zip(out.chunks_exact_mut(tokens)) {
        with_lanes(Attend { joint, scratch, out });
    }
}
