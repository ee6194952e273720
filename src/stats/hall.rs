//! Hall's transformation: Student's t for estimates whose error is skewed.
//!
//! Where few classes are much harder than the rest, the error of a mean is skewed, and its standard error grows and falls
//! with it: T = (θ̂ − θ)/SE is skewed the other way. The cubic
//!
//! ```text
//! g(T) = T + s·T²/3 + s²·T³/27 + s/6
//! ```
//!
//! with s the skewness of θ̂ takes that away and is monotone, so that it can be inverted (Hall 1992, "On the removal of
//! skewness by transformation", J. R. Stat. Soc. B 54:221, with s = γ/√n).

/// The skewness of few classes is noise as much as knowledge, and with more of it the cubic is nearly flat where it counts.
/// In made worlds (`examples/simulation`) 0.30 leaves intervals of skewed differences at 92 %, and 0.42 makes them a third
/// wider than the variance asks for.
const MOST: f64 = 0.38;

fn limited(skewness: f64) -> f64 {
    skewness.clamp(-MOST, MOST)
}

/// g(T).
pub(super) fn transformed(t: f64, skewness: f64) -> f64 {
    let s = limited(skewness);
    t + s * t * t / 3.0 + s * s * t * t * t / 27.0 + s / 6.0
}

/// The T of this g(T).
pub(super) fn inverse(g: f64, skewness: f64) -> f64 {
    let s = limited(skewness);
    // The limit, where the quotient would cancel.
    if s.abs() < 1e-9 { g } else { 3.0 / s * ((1.0 + s * (g - s / 6.0)).cbrt() - 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_inverts_and_without_skewness_nothing_changes() {
        for skewness in [-0.6, -0.3, 1e-12, 0.1, 0.4] {
            for t in [-5.0, -2.0, 0.0, 0.3, 2.0, 6.0] {
                assert!((inverse(transformed(t, skewness), skewness) - t).abs() < 1e-6, "{t} {skewness}");
            }
        }
        assert_eq!((transformed(1.7, 0.0), inverse(1.7, 0.0)), (1.7, 1.7));
    }

    #[test]
    fn the_end_on_the_side_of_the_long_tail_moves_out() {
        // By hand: (1 − 0.3·2.15)^(1/3) = 0.355^(1/3) = 0.70807, and 10·(0.70807 − 1) = −2.919.
        assert!((inverse(-2.1, 0.3) + 2.919).abs() < 1e-3);
        assert!(inverse(2.1, 0.3) < 2.1);
    }
}
