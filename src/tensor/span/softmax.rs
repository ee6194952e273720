//! The softmax of many items at once: labels run down, items across, so that every loop is one of vector instructions.

use crate::numbers::exp;

/// Room for the largest logit and the sum of each item.
pub(super) struct Softmax {
    most: Vec<f64>,
    sums: Vec<f64>,
}

impl Softmax {
    pub(super) fn new(items: usize) -> Softmax {
        Softmax { most: vec![0.0; items], sums: vec![0.0; items] }
    }

    /// `out = softmax(z + b)` down the columns, for z (way × items) and a number per label in b (way).
    #[inline(always)]
    pub(super) fn of(&mut self, z: &[f64], b: &[f64], out: &mut [f64]) {
        let items = self.most.len();
        self.most.fill(f64::NEG_INFINITY);
        for ((out, z), b) in out.chunks_exact_mut(items).zip(z.chunks_exact(items)).zip(b) {
            for ((out, z), most) in out.iter_mut().zip(z).zip(&mut self.most) {
                *out = z + b;
                *most = if *out > *most { *out } else { *most };
            }
        }
        self.sums.fill(0.0);
        for out in out.chunks_exact_mut(items) {
            for ((out, most), sum) in out.iter_mut().zip(&self.most).zip(&mut self.sums) {
                *out = exp(*out - most);
                *sum += *out;
            }
        }
        self.sums.iter_mut().for_each(|sum| *sum = 1.0 / *sum);
        for out in out.chunks_exact_mut(items) {
            out.iter_mut().zip(&self.sums).for_each(|(out, share)| *out *= share);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_sums_to_one() {
        let mut out = [0.0; 6];
        Softmax::new(2).of(&[1.0, -700.0, 2.0, 3.0, 0.5, 700.0], &[0.25, 0.0, -1.0], &mut out);
        let total: f64 = (1.25f64).exp() + (2.0f64).exp() + (-0.5f64).exp();
        for (label, logit) in [1.25f64, 2.0, -0.5].iter().enumerate() {
            assert!((out[label * 2] - logit.exp() / total).abs() < 1e-15);
        }
        assert!(out[1] == 0.0 && (0.0..1e-300).contains(&out[3]) && out[5] == 1.0, "{out:?}");
    }
}
