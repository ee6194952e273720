//! The sign-flip test of paired differences.

use super::estimate::of_mean;
use super::sum;

/// The result of a sign-flip test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignFlip {
    /// The studentised mean: mean divided by its standard error; absent without spread.
    pub statistic: Option<f64>,
    /// The two-sided p-value; never 0, because the observed signs count as one of the flips.
    pub p: f64,
    /// The flips that were looked at: all 2ⁿ, or as many as were asked for and the observed one.
    pub flips: u64,
}

/// The smallest two-sided p-value that so many paired differences allow: 2^(1 − n), that of the exact sign-flip test when
/// all differences have one sign.
///
/// Two episodes, three, or five cannot show what hundreds do, however little their differences vary: a t-test of three
/// nearly equal differences has p near 0, and yet three signs are alike by chance one time in four.
///
/// ```
/// assert_eq!(kshot::stats::least_p(3), 0.25);
/// ```
pub fn least_p(differences: usize) -> f64 {
    0.5_f64.powi(i32::try_from(differences).unwrap_or(i32::MAX).saturating_sub(1).max(0))
}

/// Whether the mean of the differences is zero, from how often random signs reach its studentised size.
///
/// `bits` gives 64 random bits a call; the caller seeds it. Where `rounds` suffices for all 2ⁿ sign patterns, all are
/// taken and `bits` is not called. To test for another value than zero, subtract it first. `None` below two values, for
/// a value that is not finite, and for no rounds. p = (1 + hits) / (1 + rounds), after Phipson and Smyth 2010,
/// "Permutation p-values should never be zero", Stat. Appl. Genet. Mol. Biol. 9:39.
///
/// ```
/// let mut state = 7_u64;
/// let test = kshot::stats::sign_flip(&[1.0, 2.0, 3.0], 1000, || { state = state.wrapping_mul(6364136223846793005); state });
/// assert_eq!(test.unwrap().p, 0.25); // two of the eight patterns are as extreme
/// ```
pub fn sign_flip(differences: &[f64], rounds: u64, mut bits: impl FnMut() -> u64) -> Option<SignFlip> {
    let estimate = of_mean(differences)?;
    if rounds == 0 {
        return None;
    }
    let statistic = (estimate.standard_error > 0.0).then(|| estimate.value / estimate.standard_error);
    // Flipping keeps Σd², so the studentised mean grows with |Σ ±d| and the sums can be compared in its place:
    // T² = S²·(n − 1)/(n·Σd² − S²). Accuracies are counts over counts, so many flips tie with the observed sum; a tie
    // must count whatever the rounding.
    let runs = runs(differences);
    let tolerance = 1e-10 * runs.iter().map(|(size, count)| size * *count as f64).sum::<f64>();
    let reached = sum(differences).abs() - tolerance;
    let patterns = u32::try_from(differences.len()).ok().and_then(|n| 1_u64.checked_shl(n));
    if let Some(patterns) = patterns.filter(|p| *p <= rounds) {
        let flipped = |pattern| Bits::new(|| pattern).flipped(differences.iter().map(|d| (*d, 1)));
        let hits = (0..patterns).filter(|p| flipped(*p).abs() >= reached).count();
        return Some(SignFlip { statistic, p: hits as f64 / patterns as f64, flips: patterns });
    }
    let mut bits = Bits::new(&mut bits);
    let hits = (0..rounds).filter(|_| bits.flipped(runs.iter().copied()).abs() >= reached).count();
    Some(SignFlip { statistic, p: (1 + hits) as f64 / (1.0 + rounds as f64), flips: rounds + 1 })
}

/// The sizes that occur, zero left out, each with how often: differences of accuracies take few values, and then the
/// signs of all that are alike are one number, how many of them are minus.
fn runs(differences: &[f64]) -> Vec<(f64, u32)> {
    let mut sizes: Vec<f64> = differences.iter().map(|d| d.abs()).filter(|d| *d > 0.0).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    let mut runs: Vec<(f64, u32)> = Vec::new();
    for size in sizes {
        match runs.last_mut() {
            Some((last, count)) if *last == size && *count < u32::MAX => *count += 1,
            _ => runs.push((size, 1)),
        }
    }
    runs
}

/// Random bits, 64 at a time, of which some are left over.
struct Bits<F> {
    next: F,
    word: u64,
    left: u32,
}

impl<F: FnMut() -> u64> Bits<F> {
    fn new(next: F) -> Bits<F> {
        Bits { next, word: 0, left: 0 }
    }

    /// How many of so many bits are ones.
    fn ones(&mut self, mut count: u32) -> u32 {
        let mut ones = 0;
        while count > 0 {
            if self.left == 0 {
                (self.word, self.left) = ((self.next)(), 64);
            }
            let taken = count.min(self.left);
            ones += (self.word & (u64::MAX >> (64 - taken))).count_ones();
            self.word = self.word.checked_shr(taken).unwrap_or(0);
            self.left -= taken;
            count -= taken;
        }
        ones
    }

    /// Σ ±d, one bit a sign.
    fn flipped(&mut self, runs: impl Iterator<Item = (f64, u32)>) -> f64 {
        runs.map(|(size, count)| size * (f64::from(count) - 2.0 * f64::from(self.ones(count)))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SplitMix64 (Steele, Lea and Flood 2014).
    fn stream(mut state: u64) -> impl FnMut() -> u64 {
        move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }
    }

    #[test]
    fn few_values_are_flipped_in_every_way() {
        let test = sign_flip(&[0.1, 0.2, 0.4], 8, || unreachable!("no random bits are needed")).unwrap();
        assert_eq!((test.p, test.flips), (0.25, 8));
    }

    #[test]
    fn no_test_of_all_flips_is_below_the_least_p() {
        for count in 2..10_usize {
            let alike = sign_flip(&vec![0.5; count], 1 << 10, || unreachable!("no random bits are needed"));
            assert_eq!(alike.unwrap().p, least_p(count));
        }
        assert_eq!([least_p(0), least_p(1), least_p(5000)], [1.0, 1.0, 0.0]);
    }

    #[test]
    fn random_flips_agree_with_all_flips() {
        let differences: Vec<f64> = (0..12).map(|i| f64::from(i % 5) - 1.0).collect();
        let all = sign_flip(&differences, 4096, stream(1)).unwrap();
        let some = sign_flip(&differences, 4095, stream(1)).unwrap();
        assert_eq!((all.flips, some.flips), (4096, 4096));
        assert!((all.p - some.p).abs() < 0.03, "{} and {}", all.p, some.p);
    }

    #[test]
    fn the_same_stream_gives_the_same_p() {
        let differences: Vec<f64> = (0..200).map(|i| f64::from(i * 37 % 11) - 4.8).collect();
        assert_eq!(sign_flip(&differences, 999, stream(3)), sign_flip(&differences, 999, stream(3)));
    }

    #[test]
    fn signs_of_equal_sizes_are_counted_and_not_lost() {
        let mut calls = 0;
        let mut bits = Bits::new(|| {
            calls += 1;
            u64::MAX
        });
        assert_eq!([bits.ones(3), bits.ones(60), bits.ones(100), bits.ones(0)], [3, 60, 100, 0]);
        assert_eq!(calls, 3);
        assert_eq!(runs(&[0.5, 0.0, -0.5, 0.25]), [(0.25, 1), (0.5, 2)]);
    }

    #[test]
    fn no_difference_at_all_is_reached_by_every_flip() {
        let test = sign_flip(&[0.0; 100], 99, stream(5)).unwrap();
        assert_eq!((test.statistic, test.p), (None, 1.0));
    }

    #[test]
    fn a_clear_difference_has_the_smallest_p_that_the_rounds_allow() {
        assert_eq!(sign_flip(&[1.0; 70], 999, stream(9)).unwrap().p, 0.001);
    }
}
