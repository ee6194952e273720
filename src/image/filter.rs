//! Filters of scaling, and the weights that they give to the old pixels under a new one.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::error::RecipeError;

/// Bits behind the point of a weight: 32 less the 8 of a pixel and 2 for sums above 1, as in Pillow's `Resample.c`.
pub(super) const PRECISION: u32 = 32 - 8 - 2;

/// How the old pixels around a place weigh.
///
/// Both grow with the step when a picture shrinks (*antialiased*), as Pillow's do and a plain tensor interpolation does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// A triangle of radius 1.
    Bilinear,
    /// The cubic of Keys 1981 with a = −½, of radius 2.
    Bicubic,
}

impl Filter {
    const ALL: [Filter; 2] = [Filter::Bilinear, Filter::Bicubic];

    fn name(self) -> &'static str {
        match self {
            Filter::Bilinear => "bilinear",
            Filter::Bicubic => "bicubic",
        }
    }

    fn radius(self) -> f64 {
        match self {
            Filter::Bilinear => 1.0,
            Filter::Bicubic => 2.0,
        }
    }

    fn at(self, x: f64) -> f64 {
        let x = x.abs();
        match self {
            Filter::Bilinear if x < 1.0 => 1.0 - x,
            Filter::Bicubic if x < 1.0 => ((-0.5 + 2.0) * x - (-0.5 + 3.0)) * x * x + 1.0,
            Filter::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5,
            _ => 0.0,
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Filter {
    type Err = RecipeError;

    fn from_str(text: &str) -> Result<Filter, RecipeError> {
        let known = Filter::ALL.into_iter().find(|filter| filter.name() == text);
        known.ok_or_else(|| RecipeError::value("filter", "`bilinear` or `bicubic`", text))
    }
}

/// The old pixels of an axis that make up each new one, with their weights as whole numbers.
pub(super) struct Axis {
    /// Weights of a new pixel at most.
    stride: usize,
    /// First old pixel and number of weights, for each new one.
    spans: Vec<(usize, usize)>,
    weights: Vec<i32>,
}

impl Axis {
    /// `count` pixels from `first` on of an axis of `old` pixels that is scaled to `new`.
    pub fn new(filter: Filter, old: usize, new: usize, first: usize, count: usize) -> Axis {
        let scale = old as f64 / new as f64;
        let wide = scale.max(1.0);
        let radius = filter.radius() * wide;
        let stride = radius.ceil() as usize * 2 + 1;
        let (mut spans, mut weights) = (Vec::with_capacity(count), vec![0; count * stride]);
        let mut exact = vec![0.0; stride];
        for (place, out) in (first..first + count).zip(weights.chunks_exact_mut(stride)) {
            let center = (place as f64 + 0.5) * scale;
            let start = (center - radius + 0.5).max(0.0) as usize;
            let taken = ((center + radius + 0.5) as usize).min(old) - start;
            let mut sum = 0.0;
            for (x, weight) in exact[..taken].iter_mut().enumerate() {
                *weight = filter.at(((x + start) as f64 - center + 0.5) * (1.0 / wide));
                sum += *weight;
            }
            for (weight, out) in exact[..taken].iter().zip(out) {
                let weight = if sum == 0.0 { *weight } else { weight / sum };
                let half = if weight < 0.0 { -0.5 } else { 0.5 };
                *out = (half + weight * f64::from(1 << PRECISION)) as i32;
            }
            spans.push((start, taken));
        }
        Axis { stride, spans, weights }
    }

    /// For each new pixel the first old one, and the weights from there on.
    pub fn pixels(&self) -> impl Iterator<Item = (usize, &[i32])> {
        let weights = self.weights.chunks_exact(self.stride);
        self.spans.iter().zip(weights).map(|((start, taken), weights)| (*start, &weights[..*taken]))
    }

    /// The old pixels that any new one needs.
    pub fn reach(&self) -> Range<usize> {
        let first = self.spans.iter().map(|(start, _)| *start).min().unwrap_or(0);
        first..self.spans.iter().map(|(start, taken)| start + taken).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_the_size_is_a_triangle_over_four_pixels() {
        let axis = Axis::new(Filter::Bilinear, 8, 4, 1, 1);
        let (start, weights) = axis.pixels().next().unwrap();
        let one = f64::from(1 << PRECISION);
        let shares: Vec<f64> = weights.iter().map(|w| f64::from(*w) / one).collect();
        // Distances of ¾, ¼, ¼ and ¾ steps from the centre.
        assert_eq!((start, shares.as_slice()), (1, [0.125, 0.375, 0.375, 0.125].as_slice()));
        assert_eq!(axis.reach(), 1..5);
    }

    #[test]
    fn the_cubic_goes_through_zero_at_whole_steps() {
        assert_eq!([0.0, 1.0, 2.0, 3.0].map(|x| Filter::Bicubic.at(x)), [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(Filter::Bicubic.at(0.5), 0.5625);
        assert_eq!(Filter::Bicubic.at(-1.5), -0.0625);
        assert_eq!("bicubic".parse::<Filter>().unwrap(), Filter::Bicubic);
    }
}
