//! Accuracy on seen classes against accuracy on unseen ones, while a number γ is subtracted from the scores of all seen
//! classes: calibrated stacking and the area under the seen–unseen curve (Chao et al. 2016, "An Empirical Study and
//! Analysis of Generalized Zero-Shot Learning for Object Recognition in the Wild", arXiv:1605.04253).

use std::collections::BTreeMap;

/// How one query stands between seen and unseen classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Its class.
    pub class: u32,
    /// Whether that class is a seen one.
    pub seen: bool,
    /// The highest score of a seen class minus that of an unseen class: the query is given a seen class where γ is below.
    pub margin: f64,
    /// Whether its class has the highest score among those of its own side.
    pub right: bool,
}

/// Class-averaged accuracy on either side from one γ up to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The γ from which it holds; minus infinity for the first.
    pub from: f64,
    /// Accuracy on seen classes.
    pub seen: f64,
    /// Accuracy on unseen classes.
    pub unseen: f64,
}

/// The curve over all γ at which anything changes, from the end where every query is given a seen class to the end where
/// every query is given an unseen one.
///
/// ```
/// use kshot::stats::{Standing, TradeOff};
/// let margin = |class, seen, margin| Standing { class, seen, margin, right: true };
/// let curve = TradeOff::of(&[margin(0, true, 2.0), margin(0, true, 0.5), margin(1, false, 1.0)]);
/// assert_eq!(curve.area(), 0.5);
/// assert_eq!(curve.best_gamma(), Some(1.5));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TradeOff {
    points: Vec<Point>,
}

/// The harmonic mean of two accuracies; 0 where both are.
pub fn harmonic(seen: f64, unseen: f64) -> f64 {
    if seen + unseen > 0.0 { 2.0 * seen * unseen / (seen + unseen) } else { 0.0 }
}

impl TradeOff {
    /// The curve of these queries.
    pub fn of(margins: &[Standing]) -> TradeOff {
        let mut sizes: BTreeMap<u32, (bool, f64)> = BTreeMap::new();
        for margin in margins {
            sizes.entry(margin.class).or_insert((margin.seen, 0.0)).1 += 1.0;
        }
        let classes = |side: bool| sizes.values().filter(|(seen, _)| *seen == side).count() as f64;
        let counts = (classes(true), classes(false));
        // What one query is worth in the class-averaged accuracy of its side.
        let worth = |m: &Standing| {
            let of_side = if m.seen { counts.0 } else { counts.1 };
            if m.right { 1.0 / (sizes[&m.class].1 * of_side) } else { 0.0 }
        };
        let mut sorted: Vec<&Standing> = margins.iter().collect();
        sorted.sort_by(|a, b| a.margin.total_cmp(&b.margin).then(a.class.cmp(&b.class)));
        // What is left on the seen side is summed from the far end, so that it ends at zero exactly.
        let mut left = vec![0.0; sorted.len() + 1];
        for (place, margin) in sorted.iter().enumerate().rev() {
            left[place] = left[place + 1] + if margin.seen { worth(margin) } else { 0.0 };
        }
        let mut points = vec![Point { from: f64::NEG_INFINITY, seen: left[0], unseen: 0.0 }];
        let mut unseen = 0.0;
        for (place, margin) in sorted.iter().enumerate() {
            unseen += if margin.seen { 0.0 } else { worth(margin) };
            let point = Point { from: margin.margin, seen: left[place + 1], unseen };
            match points.last_mut() {
                Some(last) if last.from == point.from => *last = point,
                _ => points.push(point),
            }
        }
        TradeOff { points }
    }

    /// Its points, by rising γ.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The area under seen over unseen accuracy, by trapezoids between all points, 0 to 1.
    pub fn area(&self) -> f64 {
        let trapezoid =
            |pair: &[Point]| (pair[1].unseen - pair[0].unseen) * (pair[0].seen + pair[1].seen) / 2.0;
        self.points.windows(2).map(trapezoid).sum()
    }

    /// The γ with the largest harmonic mean: in the middle between two points, the one nearest to 0 among equals; nothing
    /// without queries.
    pub fn best_gamma(&self) -> Option<f64> {
        let inner = self.points.get(1..).filter(|inner| !inner.is_empty())?;
        let mut best: Option<(f64, f64)> = None;
        for (place, point) in self.points.iter().enumerate() {
            let end = self.points.get(place + 1).map(|next| next.from);
            let gamma = match (place, end) {
                (0, _) => inner[0].from - 1.0,
                (_, Some(end)) => 0.5 * (point.from + end),
                (_, None) => point.from + 1.0,
            };
            let value = harmonic(point.seen, point.unseen);
            let better =
                |(known, at): (f64, f64)| value > known || (value == known && gamma.abs() < at.abs());
            if best.is_none_or(better) {
                best = Some((value, gamma));
            }
        }
        best.map(|(_, gamma)| gamma)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn margin(class: u32, seen: bool, margin: f64, right: bool) -> Standing {
        Standing { class, seen, margin, right }
    }

    #[test]
    fn a_curve_on_paper() {
        let margins = [
            margin(0, true, 3.0, true),
            margin(0, true, 1.0, true),
            margin(1, true, 2.0, false),
            margin(2, false, 0.0, true),
            margin(2, false, 2.0, true),
        ];
        let curve = TradeOff::of(&margins);
        let points: Vec<(f64, f64)> = curve.points().iter().map(|p| (p.seen, p.unseen)).collect();
        assert_eq!(points, [(0.5, 0.0), (0.5, 0.5), (0.25, 0.5), (0.25, 1.0), (0.0, 1.0)]);
        assert_eq!(curve.area(), 0.5 * 0.5 + 0.5 * 0.25);
        assert_eq!(curve.best_gamma(), Some(0.5));
    }

    #[test]
    fn the_ends_lie_on_the_axes_and_nothing_has_no_gamma() {
        let curve = TradeOff::of(&[margin(0, true, 0.1, true), margin(1, false, -0.3, true)]);
        let ends = (curve.points()[0], *curve.points().last().unwrap());
        assert_eq!((ends.0.unseen, ends.1.seen), (0.0, 0.0));
        assert_eq!(curve.area(), 1.0);
        assert!((curve.best_gamma().unwrap() + 0.1).abs() < 1e-12);
        assert_eq!((TradeOff::of(&[]).best_gamma(), harmonic(0.0, 0.0)), (None, 0.0));
    }
}
