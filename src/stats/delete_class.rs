//! Measures over classes: what other classes would give, from leaving out one class with all its queries.
//!
//! Where every episode holds every class (all-way, zero-shot and generalised protocols), and for measures that are no means
//! over episodes, classes are the only replication. With θ the measure over all classes and θ₋c without class c,
//!
//! ```text
//! V = Σ_s (C_s − 1)/C_s · Σ_{c in s} (θ₋c − θ̄_s)²
//! ```
//!
//! over strata s (seen and unseen classes; one stratum where there are no sides), with Satterthwaite's degrees of freedom
//! over the strata and the skewness of the influences, as in [`over_classes`](super::over_classes).
//!
//! The class that is left out stays a candidate of the other queries: that others would no longer be mistaken for it is not
//! counted. Where classes differ in how much they attract, the interval is too narrow by that part.

use super::estimate::Estimate;
use super::floor::Floor;
use super::jackknife::LEAST_CLASSES;
use super::method::IntervalMethod;
use super::sum::compensated;

/// Fewer classes than this in a stratum say nothing about it.
const LEAST_OF_STRATUM: usize = 5;

/// The estimate for new classes from the measure without each class: `without[i]` has the stratum of class i, and the value
/// that remains when it is left out.
///
/// `None` for fewer than 10 classes, fewer than 5 in a stratum, and values that are not finite.
///
/// ```
/// // The mean of 0, 1, …, 9 over classes: V is that of a mean, s²/10.
/// let without: Vec<(usize, f64)> = (0..10).map(|class| (0, f64::from(45 - class) / 9.0)).collect();
/// let estimate = kshot::stats::delete_class(4.5, &without, None).unwrap();
/// assert!((estimate.standard_error - (55.0_f64 / 6.0 / 10.0).sqrt()).abs() < 1e-12);
/// assert_eq!(estimate.degrees, 9.0);
/// ```
pub fn delete_class(value: f64, without: &[(usize, f64)], range: Option<(f64, f64)>) -> Option<Estimate> {
    if without.len() < LEAST_CLASSES || !value.is_finite() || without.iter().any(|(_, v)| !v.is_finite()) {
        return None;
    }
    let strata = without.iter().map(|(stratum, _)| *stratum).max()? + 1;
    let (mut variance, mut squares, mut third) = (0.0, 0.0, 0.0);
    for stratum in 0..strata {
        let of: Vec<f64> = without.iter().filter(|(s, _)| *s == stratum).map(|(_, v)| *v).collect();
        let c = of.len() as f64;
        match of.len() {
            0 => continue,
            count if count < LEAST_OF_STRATUM => return None,
            _ => {}
        }
        let centre = compensated(of.iter().copied()) / c;
        let central = |power| compensated(of.iter().map(|v| (centre - v).powi(power)));
        let part = (c - 1.0) / c * central(2);
        variance += part;
        squares += part * part / (c - 1.0);
        third += (c - 1.0).powi(2) / (c * (c - 2.0)) * central(3);
    }
    let agree = variance <= (16.0 * f64::EPSILON * value.abs().max(1.0)).powi(2);
    let floor = range.filter(|_| agree).map(|(least, most)| Floor {
        units: without.len() as u64,
        deviating: 0,
        centre: value,
        below: value - least,
        above: most - value,
    });
    let (error, degrees) = match agree {
        true => (0.0, without.len() as f64 - 1.0),
        false => (variance.sqrt(), variance * variance / squares),
    };
    let skewness = if agree { 0.0 } else { third / variance.powf(1.5) };
    let method = IntervalMethod::DeleteClass;
    Some(Estimate { skewness, floor, range, method, ..Estimate::student(value, error, degrees) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_strata_add_their_variances() {
        // A difference of two means: of 0, …, 9 and of 0, 2, …, 18; 9 and 9 degrees with variances of 1 : 4.
        let first = (0..10).map(|class| (0, f64::from(45 - class) / 9.0 - 9.0));
        let second = (0..10).map(|class| (1, 4.5 - f64::from(90 - 2 * class) / 9.0));
        let without: Vec<(usize, f64)> = first.chain(second).collect();
        let estimate = delete_class(-4.5, &without, None).unwrap();
        let part = 55.0 / 6.0 / 10.0;
        assert!((estimate.standard_error - (5.0_f64 * part).sqrt()).abs() < 1e-12);
        assert!((estimate.degrees - 25.0 / (1.0 / 9.0 + 16.0 / 9.0)).abs() < 1e-9);
    }

    #[test]
    fn what_all_classes_share_is_not_certain() {
        let estimate = delete_class(1.0, &[(0, 1.0); 20], Some((0.0, 1.0))).unwrap();
        let interval = estimate.interval(0.95).unwrap();
        assert!((interval.low - 0.025_f64.powf(0.05)).abs() < 1e-12 && interval.high == 1.0);
        assert_eq!(delete_class(1.0, &[(0, 1.0); 9], None), None);
        assert_eq!(delete_class(f64::NAN, &[(0, 1.0); 20], None), None);
    }
}
