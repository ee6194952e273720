//! Calibration pooled over all queries of a draw, in bins of equal mass.
//!
//! Pooled, because a perfectly calibrated learner has an expected calibration error of 0.13 when it is computed on the 75
//! queries of one episode. Equal mass after Nguyen and O'Connor 2015, arXiv:1508.05154.

use rayon::slice::ParallelSliceMut;

/// Bins, where there are as many distinct confidences.
pub const BINS: usize = 15;

/// The confidence of every answer and whether it was correct; four bytes a query.
#[derive(Clone, Debug, Default)]
pub struct Confidences {
    /// The bits of the confidence, shifted left by one, and the answer in the last bit. The sign bit of a number between
    /// 0 and 1 is free, and such numbers sort as their bits do.
    packed: Vec<u32>,
    correct: u64,
}

/// One bin of a reliability diagram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// The lowest confidence in it.
    pub low: f32,
    /// The highest confidence in it.
    pub high: f32,
    /// Queries in it.
    pub count: u64,
    /// Of these, answered correctly.
    pub correct: u64,
    /// Their mean confidence.
    pub confidence: f64,
}

impl Confidences {
    /// Takes one more answer in; false, and nothing taken, for what is no probability.
    ///
    /// What rounding lifted above 1 by less than a thousandth counts as 1.
    pub fn push(&mut self, confidence: f32, correct: bool) -> bool {
        if !(0.0..1.001).contains(&confidence) {
            return false;
        }
        // `abs` turns −0 into 0, whose sign bit would be lost.
        self.packed.push((confidence.min(1.0).abs().to_bits() << 1) | u32::from(correct));
        self.correct += u64::from(correct);
        true
    }

    /// Answers taken in.
    pub fn count(&self) -> u64 {
        self.packed.len() as u64
    }

    /// Of these, correct ones.
    pub fn correct(&self) -> u64 {
        self.correct
    }

    /// The bins, from the lowest confidence up; they do not depend on the order of arrival.
    ///
    /// Answers of equal confidence share a bin: to split them by whether they were correct would make a calibrated
    /// learner look wrong, and any other way would depend on their order. So a bin may be larger than a fifteenth, and
    /// there may be fewer bins, as there are for fewer than 15 queries.
    pub fn bins(&mut self) -> Vec<Bin> {
        self.packed.par_sort_unstable();
        let total = self.packed.len();
        let (mut bins, mut start) = (Vec::new(), 0);
        for number in 1..=BINS {
            let mut end = total * number / BINS;
            if end <= start {
                continue;
            }
            let last = self.packed[end - 1] >> 1;
            end += self.packed[end..].iter().take_while(|p| **p >> 1 == last).count();
            bins.push(Bin::of(&self.packed[start..end]));
            start = end;
        }
        bins
    }
}

impl Confidences {
    /// Bins of equal width, (0, 1/15] and so on, those without an answer left out; sorted by a call of [`Confidences::bins`].
    pub fn width_bins(&self) -> Vec<Bin> {
        let number = |packed: &u32| {
            let confidence = f64::from(f32::from_bits(packed >> 1));
            ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS)
        };
        let bins = self.packed.chunk_by(|a, b| number(a) == number(b));
        bins.map(Bin::of).collect()
    }
}

impl Bin {
    /// The bin of these packed answers, which are sorted and not empty.
    fn of(packed: &[u32]) -> Bin {
        let confidence = |p: u32| f32::from_bits(p >> 1);
        let sum: f64 = packed.iter().map(|p| f64::from(confidence(*p))).sum();
        Bin {
            low: confidence(packed[0]),
            high: confidence(packed[packed.len() - 1]),
            count: packed.len() as u64,
            correct: packed.iter().map(|p| u64::from(p & 1)).sum(),
            confidence: sum / packed.len() as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(answers: &[(f32, bool)]) -> Confidences {
        let mut confidences = Confidences::default();
        assert!(answers.iter().all(|(confidence, correct)| confidences.push(*confidence, *correct)));
        confidences
    }

    #[test]
    fn thirty_distinct_answers_make_fifteen_bins_of_two() {
        let answers: Vec<_> = (0..30_u8).map(|i| (f32::from(i) / 32.0, i % 2 == 0)).collect();
        let bins = filled(&answers).bins();
        assert_eq!(bins.len(), 15);
        let first = Bin { low: 0.0, high: 1.0 / 32.0, count: 2, correct: 1, confidence: 1.0 / 64.0 };
        assert_eq!(bins[0], first);
        assert!(bins.iter().all(|b| b.count == 2));
    }

    #[test]
    fn equal_confidences_are_never_split_by_their_answers() {
        let answers: Vec<_> = (0..100).map(|i| (0.25, i % 4 == 0)).collect();
        let bins = filled(&answers).bins();
        assert_eq!(bins, [Bin { low: 0.25, high: 0.25, count: 100, correct: 25, confidence: 0.25 }]);
    }

    #[test]
    fn bins_of_equal_width_hold_their_upper_end() {
        let mut confidences = filled(&[(0.19, true), (0.21, false), (0.9, true), (1.0, true), (0.95, false)]);
        confidences.bins();
        let bins = confidences.width_bins();
        // 0.19 and 0.21 lie on either side of 3/15, 0.9, 0.95 and 1 in two bins.
        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [1, 1, 1, 2]);
        assert_eq!(bins.iter().map(|bin| bin.correct).sum::<u64>(), 3);
    }

    #[test]
    fn fewer_queries_make_fewer_bins_and_none_makes_none() {
        assert_eq!(filled(&[(0.5, true), (0.75, false), (0.5, false)]).bins().len(), 2);
        assert_eq!(filled(&[]).bins(), []);
    }

    #[test]
    fn what_is_no_probability_is_not_taken() {
        let mut confidences = Confidences::default();
        for wrong in [-0.1, 1.1, f32::NAN, f32::INFINITY] {
            assert!(!confidences.push(wrong, true));
        }
        assert!(confidences.push(1.000_000_1, true) && confidences.push(-0.0, false));
        assert_eq!((confidences.count(), confidences.correct()), (2, 1));
        assert_eq!(
            confidences.bins().iter().map(|b| (b.low, b.high)).collect::<Vec<_>>(),
            [(0.0, 0.0), (1.0, 1.0)]
        );
    }

    proptest! {
        #[test]
        fn bins_hold_every_answer_and_do_not_depend_on_the_order(
            answers in prop::collection::vec((0.0..=1.0_f32, any::<bool>()), 1..200),
        ) {
            let mut turned = answers.clone();
            turned.reverse();
            let bins = filled(&answers).bins();
            prop_assert_eq!(&bins, &filled(&turned).bins());
            prop_assert_eq!(bins.iter().map(|b| b.count).sum::<u64>(), answers.len() as u64);
            prop_assert_eq!(bins.iter().map(|b| b.correct).sum::<u64>(), filled(&answers).correct());
            prop_assert!(bins.len() <= BINS && bins.windows(2).all(|w| w[0].high < w[1].low));
        }
    }
}
