//! New classes: a fresh pool of fresh classes in every repetition, and a truth about the population of classes.

use kshot::rng::Purpose;
use kshot::stats;

use super::cells::{
    CLASSES, CLASSES_DRAWN, CLASSES_HOLM, CLASSES_PAIRED, COIN, SAMPLER, SAMPLER_ALONE, SIZES,
};
use super::characters::{self, Characters};
use super::dice::Dice;
use super::fixed_pool::{ITEMS, family};
use super::learners::{self, A, B, COINS, COUNT, FAMILY, expected};
use super::pool::{Class, Pool, VIEWS};
use super::rules::{any_rejected, covers, errs};
use super::{Tally, in_parallel};

/// Pools that the truth is a mean over.
const POOLS: u32 = 8_000;

/// The expected accuracy of every learner on new classes.
pub fn truth(seed: u64, threads: u32) -> Vec<f64> {
    let of_pool = |number| {
        // Two items per class and twenty classes: the mean over pools is the population's, whatever their size.
        let mut dice = Dice::new(seed, Purpose::Training, number);
        let classes: Vec<Class> = (0..20).map(|_| Class::draw(&mut dice)).collect();
        let of_pool = Pool::draw(&classes, 2, VIEWS, &mut dice).truth();
        let learners = learners::draw(20, &mut dice);
        learners.iter().map(|learner| expected(learner, &of_pool)).collect::<Vec<f64>>()
    };
    let mut truth = vec![0.0; COUNT];
    for of_pool in in_parallel(POOLS, threads, of_pool) {
        truth.iter_mut().zip(of_pool).for_each(|(truth, here)| *truth += here / f64::from(POOLS));
    }
    // Coins make the two sides equal and views the family, whatever the pools showed.
    for equal in [&COINS[..], &FAMILY] {
        let mean = equal.iter().map(|member| truth[*member]).sum::<f64>() / equal.len() as f64;
        equal.iter().for_each(|member| truth[*member] = mean);
    }
    truth
}

pub fn gaussian(seed: u64, number: u32, classes: usize, truth: &[f64], tally: &mut Tally) {
    let mut dice = Dice::new(seed, Purpose::Dataset, number);
    let drawn: Vec<Class> = (0..classes).map(|_| Class::draw(&mut dice)).collect();
    let pool = Pool::draw(&drawn, ITEMS, VIEWS, &mut dice);
    let learners = learners::draw(classes, &mut dice);
    let drawn = pool.episodes(&learners, SIZES[2].1, &mut Dice::new(seed, Purpose::Draw, number));
    let of = |values: &[f64]| drawn.over_classes(values);
    for (name, m) in SIZES {
        if m < SIZES[1].1 {
            continue;
        }
        tally.estimate(name, CLASSES, of(drawn.first(A, m)), truth[A]);
        for (b, measure) in B.into_iter().zip(CLASSES_PAIRED) {
            tally.estimate(name, measure, of(&drawn.difference(A, b, m)), truth[A] - truth[b]);
        }
        tally.note(name, COIN, errs(of(&drawn.difference(COINS[0], COINS[1], m)), 0.0));
        let p: Vec<f64> =
            family().filter_map(|(a, b)| Some(of(&drawn.difference(a, b, m))?.test(0.0).p)).collect();
        tally.note(name, CLASSES_HOLM, any_rejected(&p));
        let sampler = stats::of_mean(&drawn.difference(A, B[2], m));
        tally.note(name, SAMPLER, covers(sampler, truth[A] - truth[B[2]]));
        tally.note(name, SAMPLER_ALONE, covers(stats::of_mean(drawn.first(A, m)), truth[A]));
    }
}

/// The expected accuracy in either view over all characters.
pub fn truth_of_characters(characters: &Characters) -> [f64; 2] {
    let all: Vec<_> = characters.iter().map(Vec::as_slice).collect();
    let pool = Pool::of_drawings(&all);
    let of_pool = pool.truth();
    [0, 1].map(|view| expected(&learners::plain(view, pool.classes), &of_pool))
}

pub fn characters(
    seed: u64,
    (number, classes): (u32, usize),
    characters: &Characters,
    truth: [f64; 2],
    tally: &mut Tally,
) {
    let mut dice = Dice::new(seed, Purpose::Dataset, number);
    let pool = characters::pool(characters, classes, &mut dice);
    let plain = [0, 1].map(|view| learners::plain(view, pool.classes));
    let [heads, tails] = learners::coins(&plain[0], &plain[1], &mut dice);
    let [counted, shared] = plain;
    let learners = [counted, shared, heads, tails];
    let drawn = pool.episodes(&learners, SIZES[2].1, &mut Dice::new(seed, Purpose::Draw, number));
    let of = |values: &[f64]| drawn.over_classes(values);
    for (name, m) in &SIZES[1..] {
        tally.estimate(name, CLASSES, of(drawn.first(0, *m)), truth[0]);
        let difference = of(&drawn.difference(0, 1, *m));
        tally.estimate(name, CLASSES_DRAWN, difference, truth[0] - truth[1]);
        tally.note(name, COIN, errs(of(&drawn.difference(2, 3, *m)), 0.0));
    }
}
