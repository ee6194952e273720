//! The softmax of many items at once: labels run down, items across, so that every loop is one of vector instructions.

/// `eˣ` for x ≤ 0, to about one unit in the last place; 0 where that is too small for a normal number.
#[inline(always)]
pub(super) fn exp(x: f64) -> f64 {
    // Adding this leaves the nearest integer in the lowest bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    // ln 2 in two parts, the first with zeros in its last bits (Cody and Waite).
    const HIGH: f64 = 6.931_471_803_691_238e-1;
    const LOW: f64 = 1.908_214_929_270_587_7e-10;
    // 1/k!, from k = 13 down: the error is below 2⁻⁵³ for |r| ≤ ln 2 / 2.
    const SERIES: [f64; 13] = [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    let bounded = if x < -708.0 { -708.0 } else { x };
    let rounded = bounded.mul_add(std::f64::consts::LOG2_E, ROUND);
    let whole = rounded - ROUND;
    let rest = whole.mul_add(-LOW, whole.mul_add(-HIGH, bounded));
    let mut value = 1.0 / 6_227_020_800.0;
    for factor in SERIES {
        value = rest.mul_add(value, factor);
    }
    let scaled = f64::from_bits(value.to_bits().wrapping_add(rounded.to_bits() << 52));
    if x < -708.0 { 0.0 } else { scaled }
}

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
    fn the_exponential_is_that_of_the_standard_library() {
        for i in 0..70_000 {
            let x = -f64::from(i) * 0.010_1;
            let (found, expected) = (exp(x), x.exp());
            assert!((found - expected).abs() <= 4e-16 * expected, "{x}: {found} {expected}");
        }
        assert_eq!((exp(0.0), exp(-709.0), exp(f64::NEG_INFINITY)), (1.0, 0.0, 0.0));
    }

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
