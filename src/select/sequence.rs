//! Points that fill a space evenly, however few of them are taken.

use crate::rng::{Purpose, Stream};

/// Digits per number: enough for 2⁻³⁰ in base 2, and more in the others.
const DIGITS: usize = 30;

/// A randomised Halton sequence (Owen 2017, "A randomized Halton algorithm in R", arXiv:1706.02808).
///
/// Axis `j` counts in the `j`-th prime and mirrors the digits behind the point; every digit goes through a random
/// permutation of its own, which breaks the stripes of high primes and keeps the even filling. A function of the seed.
pub struct Halton {
    /// By axis: the base, and a permutation per digit.
    axes: Vec<(u32, Vec<Vec<u32>>)>,
}

impl Halton {
    /// The sequence in so many axes.
    pub fn new(axes: usize, seed: u64) -> Halton {
        let axis = |(axis, base): (u32, u32)| {
            let mut stream = Stream::new(seed, Purpose::Selection, axis);
            let permutation = |_| {
                let mut digits: Vec<u32> = (0..base).collect();
                stream.shuffle(&mut digits);
                digits
            };
            (base, (0..DIGITS).map(permutation).collect())
        };
        Halton { axes: (0..).zip(primes().take(axes)).map(axis).collect() }
    }

    /// The point of a number: one place per axis, from 0 up to but not including 1.
    pub fn point(&self, number: u32) -> Vec<f64> {
        let place = |(base, permutations): &(u32, Vec<Vec<u32>>)| {
            let (mut rest, mut unit, mut sum) = (number, 1.0 / f64::from(*base), 0.0);
            for permutation in permutations {
                sum += unit * f64::from(permutation[(rest % base) as usize]);
                rest /= base;
                unit /= f64::from(*base);
            }
            // The last digits of a sum of many nines may round it up to 1.
            f64::min(sum, 1.0 - f64::EPSILON)
        };
        self.axes.iter().map(place).collect()
    }
}

fn primes() -> impl Iterator<Item = u32> {
    (2u32..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_of_an_even_grid_gets_its_share() {
        // The first 2ᵃ·3ᵇ points hit every box of 1/2ᵃ × 1/3ᵇ once, whatever the permutations.
        let sequence = Halton::new(2, 5);
        let mut cells = [[0; 9]; 8];
        for point in (0..72).map(|number| sequence.point(number)) {
            cells[(point[0] * 8.0) as usize][(point[1] * 9.0) as usize] += 1;
        }
        assert!(cells.iter().flatten().all(|count| *count == 1), "{cells:?}");
    }

    #[test]
    fn points_are_a_function_of_the_seed_and_lie_below_one() {
        let points = |seed| (0..50).map(|n| Halton::new(5, seed).point(n)).collect::<Vec<_>>();
        assert_eq!(points(3), points(3));
        assert_ne!(points(3), points(4));
        assert!(points(3).iter().flatten().all(|place| (0.0..1.0).contains(place)));
    }
}
