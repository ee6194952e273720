//! A fixed pool: the truth is about these classes and items.

use std::ops::Range;

use kshot::rng::{Purpose, Stream};
use kshot::stats::{self, UntilNarrow};

use super::cells::{FLIP, HOLM, PAIRED, SIZES, T, UNTIL};
use super::characters::{self, Characters};
use super::dice::Dice;
use super::learners::{self, A, B, FAMILY, expected};
use super::pool::{Class, Pool, VIEWS};
use super::rules::{any_rejected, covers};
use super::{LEVEL, Tally};

/// Items per class of a Gaussian pool.
pub const ITEMS: usize = 12;
/// Repetitions that share a pool.
pub const PER_POOL: u32 = 20;
/// Rounds of the sign-flip test.
const ROUNDS: u64 = 999;

/// The goal of `--until`, reached after about as many episodes as the fixed count that it is compared with.
pub const UNTIL_GOAL: (&str, f64, usize) = ("until 0.7 points, or M=1000", 0.007, 1000);

/// Repetitions on one Gaussian pool.
pub fn gaussian(seed: u64, numbers: Range<u32>, classes: usize, tally: &mut Tally) {
    let mut dice = Dice::new(seed, Purpose::Dataset, numbers.start / PER_POOL);
    let drawn: Vec<Class> = (0..classes).map(|_| Class::draw(&mut dice)).collect();
    let pool = Pool::draw(&drawn, ITEMS, VIEWS, &mut dice);
    let learners = learners::draw(classes, &mut dice);
    let of_pool = pool.truth();
    let truth: Vec<f64> = learners.iter().map(|learner| expected(learner, &of_pool)).collect();
    for number in numbers {
        let drawn = pool.episodes(&learners, SIZES[2].1, &mut Dice::new(seed, Purpose::Draw, number));
        for (place, (name, m)) in SIZES.into_iter().enumerate() {
            tally.note(name, T, covers(stats::of_mean(drawn.first(A, m)), truth[A]));
            let pair = drawn.difference(A, B[2], m);
            compare(name, &pair, truth[A] - truth[B[2]], (seed, number * 4 + place as u32), tally);
            let p = family().filter_map(|(a, b)| {
                Some(stats::of_mean(&drawn.difference(a, b, m))?.test(truth[a] - truth[b]).p)
            });
            tally.note(name, HOLM, any_rejected(&p.collect::<Vec<f64>>()));
        }
        let (name, half_width, fixed) = UNTIL_GOAL;
        let rule = UntilNarrow { half_width, level: LEVEL, most: SIZES[2].1 };
        let end = rule.end(&[&drawn.accuracy[A], &drawn.accuracy[B[2]]]);
        let covered = |m| f64::from(u8::from(covers(stats::of_mean(drawn.first(A, m)), truth[A])));
        tally.add(name, UNTIL, covered(end) - covered(fixed));
    }
}

/// Repetitions on one pool of characters.
pub fn characters(seed: u64, numbers: Range<u32>, characters: &Characters, tally: &mut Tally) {
    let mut dice = Dice::new(seed, Purpose::Dataset, numbers.start / PER_POOL);
    let pool = characters::pool(characters, 20, &mut dice);
    let learners = [0, 1].map(|view| learners::plain(view, pool.classes));
    let of_pool = pool.truth();
    let truth = [0, 1].map(|view| expected(&learners[view], &of_pool));
    for number in numbers {
        let drawn = pool.episodes(&learners, SIZES[2].1, &mut Dice::new(seed, Purpose::Draw, number));
        for (place, (name, m)) in SIZES.into_iter().enumerate() {
            tally.note(name, T, covers(stats::of_mean(drawn.first(0, m)), truth[0]));
            let pair = drawn.difference(0, 1, m);
            compare(name, &pair, truth[0] - truth[1], (seed, number * 4 + place as u32), tally);
        }
    }
}

/// The paired t interval and the sign-flip test of the same differences.
fn compare(name: &'static str, pair: &[f64], truth: f64, (seed, number): (u64, u32), tally: &mut Tally) {
    tally.note(name, PAIRED, covers(stats::of_mean(pair), truth));
    let shifted: Vec<f64> = pair.iter().map(|difference| difference - truth).collect();
    let mut flips = Stream::new(seed, Purpose::Resampling, number);
    let test = stats::sign_flip(&shifted, ROUNDS, || flips.bits());
    tally.note(name, FLIP, test.is_some_and(|test| test.p > 1.0 - LEVEL));
}

/// Pairs of the family of learners.
pub fn family() -> impl Iterator<Item = (usize, usize)> {
    (0..4).flat_map(|b| (0..b).map(move |a| (FAMILY[a], FAMILY[b])))
}
