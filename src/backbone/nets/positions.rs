//! Learned positions for another number of patches: interpolated as the library does it that the weights are from.

/// How a grid of positions is interpolated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interpolation {
    /// Bicubic (a = −¾), as `torch.nn.functional.interpolate` does it for Hugging Face's networks.
    Bicubic,
    /// The same with the corners of both grids on each other, as torchvision does it.
    Corners,
    /// Bicubic (a = −½), antialiased, as timm does it.
    Antialiased,
}

impl Interpolation {
    /// How much each of `from` old places counts for each of `to` new ones: (to, from).
    fn weights(self, from: usize, to: usize) -> Vec<f64> {
        let mut weights = vec![0.0; from * to];
        for (place, row) in weights.chunks_exact_mut(from).enumerate() {
            match self {
                Interpolation::Antialiased => antialiased(place, to, row),
                Interpolation::Bicubic => {
                    let scale = from as f64 / to as f64;
                    four((place as f64 + 0.5) * scale - 0.5, row);
                }
                Interpolation::Corners => {
                    let scale = (from - 1) as f64 / (to.max(2) - 1) as f64;
                    four(place as f64 * scale, row);
                }
            }
        }
        weights
    }

    /// Positions (from, channels) of a grid of `from` (height, width) for one of `to`.
    pub fn apply(self, values: &[f32], from: (usize, usize), to: (usize, usize)) -> Vec<f32> {
        let channels = values.len() / (from.0 * from.1);
        let (down, across) = (self.weights(from.0, to.0), self.weights(from.1, to.1));
        let mut out = Vec::with_capacity(to.0 * to.1 * channels);
        for (y, x) in (0..to.0).flat_map(|y| (0..to.1).map(move |x| (y, x))) {
            let mut sums = vec![0.0; channels];
            for (row, down) in down[y * from.0..][..from.0].iter().enumerate().filter(|(_, w)| **w != 0.0) {
                let columns = across[x * from.1..][..from.1].iter().enumerate();
                for (column, across) in columns.filter(|(_, w)| **w != 0.0) {
                    let old = &values[(row * from.1 + column) * channels..][..channels];
                    sums.iter_mut().zip(old).for_each(|(sum, old)| *sum += down * across * f64::from(*old));
                }
            }
            out.extend(sums.iter().map(|sum| *sum as f32));
        }
        out
    }
}

/// The four places around `at`; those beyond an edge are the edge.
fn four(at: f64, row: &mut [f64]) {
    let first = at.floor();
    for offset in -1..3 {
        let place = first + f64::from(offset);
        let edge = place.clamp(0.0, (row.len() - 1) as f64) as usize;
        row[edge] += cubic(at - place, -0.75);
    }
}

/// A cubic that grows wider as the grid shrinks, as Pillow's.
fn antialiased(place: usize, to: usize, row: &mut [f64]) {
    let scale = row.len() as f64 / to as f64;
    let wide = scale.max(1.0);
    let center = (place as f64 + 0.5) * scale;
    let low = (center - 2.0 * wide + 0.5).max(0.0) as usize;
    let high = ((center + 2.0 * wide + 0.5) as usize).min(row.len());
    for (old, weight) in row.iter_mut().enumerate().take(high).skip(low) {
        *weight = cubic((old as f64 + 0.5 - center) / wide, -0.5);
    }
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|weight| *weight /= sum);
}

/// The cubic convolution of Keys 1981.
fn cubic(x: f64, a: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * a
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_a_place_sum_to_one_and_a_grid_of_the_same_size_stays() {
        use Interpolation::{Antialiased, Bicubic, Corners};
        for how in [Antialiased, Bicubic, Corners] {
            for (from, to) in [(4, 7), (7, 4), (16, 16), (3, 1)] {
                for row in how.weights(from, to).chunks_exact(from) {
                    assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{how:?} {from} {to}");
                }
            }
            let values: Vec<f32> = (0..12).map(|i| i as f32).collect();
            assert_eq!(how.apply(&values, (2, 3), (2, 3)), values, "{how:?}");
        }
    }
}
