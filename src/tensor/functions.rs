//! Functions of single numbers and of rows, as plain loops that the compiler turns into vector instructions where they are
//! called from code that chose them.

/// Running sums that are kept apart, so that they fill vectors.
pub(super) const LANES: usize = 16;

/// `eˣ` to two units in the last place; zero is never reached, e⁻⁸⁷ stands for all that is smaller.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // x = n·ln 2 + r with |r| ≤ ln 2 / 2; adding 1.5·2²³ rounds to the nearest whole number.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // ln 2 in two parts, of which the first has few digits: n times it is exact.
    let r = x - n * 0.693_359_4 - n * -2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p * r + c;
    }
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    (p * r * r + r + 1.0) * power
}

/// The error function to 4e-7, a quotient of polynomials in x² that is exact at its ends ±4.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let square = x * x;
    let mut p = -2.726_142_3e-10;
    for c in [2.770_681_4e-8, -2.101_024e-6, -5.692_506_4e-5, -7.349_906_3e-4, -2.954_6e-3, -1.609_603_3e-2] {
        p = p * square + c;
    }
    let mut q = -1.456_607_2e-5;
    for c in [-2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2] {
        q = q * square + c;
    }
    x * p / q
}

/// `x · Φ(x)` (Hendrycks and Gimpel 2016).
#[inline(always)]
pub(super) fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// Its approximation by a hyperbolic tangent.
#[inline(always)]
pub(super) fn gelu_tanh(x: f32) -> f32 {
    // ½(1 + tanh u) = 1 / (1 + e⁻²ᵘ) with u = √(2/π)·(x + 0.044715·x³)
    let u = 0.797_884_6 * (x + 0.044_715 * x * x * x);
    x / (1.0 + exp(-2.0 * u))
}

#[inline(always)]
fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    let (whole, rest) = values.as_chunks::<LANES>();
    for chunk in whole {
        sums.iter_mut().zip(chunk).for_each(|(sum, v)| *sum += of(*v));
    }
    sums.iter().sum::<f32>() + rest.iter().map(|v| of(*v)).sum::<f32>()
}

/// Layer normalisation of a row (Ba et al. 2016).
#[inline(always)]
pub(super) fn normalise_row(row: &mut [f32], scale: &[f32], shift: &[f32], epsilon: f32) {
    let count = row.len() as f32;
    let mean = sum(row, |v| v) / count;
    let variance = sum(row, |v| (v - mean) * (v - mean)) / count;
    let factor = 1.0 / (variance + epsilon).sqrt();
    for ((v, scale), shift) in row.iter_mut().zip(scale).zip(shift) {
        *v = (*v - mean) * factor * scale + shift;
    }
}

/// Softmax of `scale` times the first `count` numbers of a row; what follows them is lost.
///
/// The row's length is a multiple of [`LANES`].
#[inline(always)]
pub(super) fn softmax(row: &mut [f32], count: usize, scale: f32) {
    row[count..].fill(f32::NEG_INFINITY);
    let mut largest = [f32::NEG_INFINITY; LANES];
    for chunk in row.as_chunks::<LANES>().0 {
        largest.iter_mut().zip(chunk).for_each(|(l, v)| *l = if *v > *l { *v } else { *l });
    }
    let largest = largest.iter().fold(f32::NEG_INFINITY, |l, v| if *v > l { *v } else { l });
    row.iter_mut().for_each(|v| *v = exp((*v - largest) * scale));
    let factor = 1.0 / sum(row, |v| v);
    row.iter_mut().for_each(|v| *v *= factor);
}
