//! The exponential function without a branch, so that a loop over it becomes one of vector instructions.

use super::with_lanes;
use pulp::{Simd, WithSimd};

/// `eˣ` for x ≤ 0, to about one unit in the last place; 0 where that is too small for a normal number.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
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

struct All<'a>(&'a mut [f64]);

impl WithSimd for All<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.0.iter_mut().for_each(|x| *x = exp(*x));
    }
}

/// Replaces every number, none of which is above 0, by [`exp`] of it.
///
/// ```
/// let mut numbers = [0.0, -1.0];
/// kshot::numbers::exp_all(&mut numbers);
/// assert_eq!(numbers[0], 1.0);
/// assert!((numbers[1] - 0.367_879_441_171_442_3).abs() < 1e-15);
/// ```
pub fn exp_all(numbers: &mut [f64]) {
    with_lanes(All(numbers));
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
}
