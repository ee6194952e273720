//! Worlds of classes that differ in difficulty by a law that is known: symmetric, skewed, with few hard classes, or with pairs
//! of classes that are confused and none that is hard.
//!
//! A query is answered right by the chance of its class; a second learner answers most queries as the first does, with a
//! chance of its own. Only the outcomes are made, no items: the truth is an integral over the law.

use kshot::rng::Purpose;
use kshot::stats::{self, Members};

use super::Tally;
use super::cells::{MADE, MADE_ACCURACY, MADE_DIFFERENCE};
use super::dice::Dice;

/// Queries per class.
const QUERIES: usize = 15;
/// Classes that the truth is a mean over.
const OF_TRUTH: u32 = 4_000_000;
/// Of 4 queries, how many the second learner answers from the same chance as the first.
const SHARED: u64 = 3;

/// A law of difficulty.
#[derive(Clone, Copy, PartialEq)]
pub enum Law {
    /// Normal: 80 % with a deviation of 7 points, differences of 2 points with as many.
    Normal,
    /// One-sided: exponential below 95 %, and differences above 0.5 points.
    Skewed,
    /// A share of classes at about 65 %, the others at about 95 %.
    FewHard(f64),
    /// All at 90 %; of any two, one pair in ten is confused.
    Pairs,
}

/// A world: its law, the classes of a pool and those of an episode.
#[derive(Clone, Copy)]
pub struct MadeWorld {
    pub law: Law,
    pub way: usize,
    pub classes: usize,
}

impl Law {
    /// The chances of both learners for a class.
    fn class(self, dice: &mut Dice) -> [f64; 2] {
        let (first, difference) = match self {
            Law::Normal => (0.8 + 0.07 * dice.normal(), 0.02 + 0.02 * dice.normal()),
            Law::Skewed => (0.95 - 0.07 * dice.exponential(), 0.005 + 0.02 * dice.exponential()),
            Law::FewHard(share) if dice.stream.unit() < share => {
                (0.65 + 0.05 * dice.normal(), 0.06 + 0.03 * dice.normal())
            }
            Law::FewHard(_) => (0.95 + 0.01 * dice.normal(), 0.002 * dice.normal()),
            Law::Pairs => (0.9, 0.0),
        };
        let first = first.clamp(0.0, 1.0);
        [first, (first - difference).clamp(0.0, 1.0)]
    }

    /// What a class loses to another one in its episode.
    fn confusion(self, dice: &mut Dice) -> f64 {
        if self == Law::Pairs && dice.stream.unit() < 0.1 { 0.1 * dice.exponential().min(2.0) } else { 0.0 }
    }
}

/// Of what two classes lose to each other, the second learner loses this share.
const OF_SECOND: f64 = 0.8;

/// The expected accuracy of both learners on new classes.
pub fn truth(seed: u64, world: MadeWorld) -> [f64; 2] {
    let mut dice = Dice::new(seed, Purpose::Training, 0);
    let (mut sums, mut lost) = ([0.0; 2], 0.0);
    for _ in 0..OF_TRUTH {
        let class = world.law.class(&mut dice);
        sums = [sums[0] + class[0], sums[1] + class[1]];
        lost += world.law.confusion(&mut dice);
    }
    let others = world.way as f64 - 1.0;
    let mean = |sum: f64| sum / f64::from(OF_TRUTH);
    [mean(sums[0]) - others * mean(lost), mean(sums[1]) - OF_SECOND * others * mean(lost)]
}

/// A pool of classes: the chances of both learners, and what each two classes lose to each other.
struct Pool {
    chances: Vec<[f64; 2]>,
    confusions: Vec<f64>,
}

impl Pool {
    fn draw(world: MadeWorld, dice: &mut Dice) -> Pool {
        let count = world.classes;
        let chances = (0..count).map(|_| world.law.class(dice)).collect();
        let mut confusions = vec![0.0; if world.law == Law::Pairs { count * count } else { 0 }];
        for a in 0..if confusions.is_empty() { 0 } else { count } {
            for b in 0..a {
                let lost = world.law.confusion(dice);
                confusions[a * count + b] = lost;
                confusions[b * count + a] = lost;
            }
        }
        Pool { chances, confusions }
    }

    /// The accuracies of both learners in an episode of these classes.
    fn episode(&self, members: &[u32], dice: &mut Dice) -> [f64; 2] {
        let mut correct = [0_u32; 2];
        for class in members {
            let mut chances = self.chances[*class as usize];
            if !self.confusions.is_empty() {
                let row = *class as usize * self.chances.len();
                let lost: f64 = members.iter().map(|other| self.confusions[row + *other as usize]).sum();
                chances = [chances[0] - lost, chances[1] - OF_SECOND * lost];
            }
            for _ in 0..QUERIES {
                let first = dice.stream.unit();
                let second = if dice.stream.bits() & 3 < SHARED { first } else { dice.stream.unit() };
                correct[0] += u32::from(first < chances[0]);
                correct[1] += u32::from(second < chances[1]);
            }
        }
        correct.map(|correct| f64::from(correct) / (members.len() * QUERIES) as f64)
    }
}

/// One repetition: a pool, its episodes, and the intervals after each number of them.
pub fn repeat(seed: u64, number: u32, world: MadeWorld, truth: [f64; 2], tally: &mut Tally) {
    let mut dice = Dice::new(seed, Purpose::Draw, number);
    let pool = Pool::draw(world, &mut dice);
    let mut order: Vec<u32> = (0..world.classes as u32).collect();
    let (mut first, mut difference, mut members) = (Vec::new(), Vec::new(), Members::default());
    for _ in 0..MADE.1 {
        dice.stream.choose(&mut order, world.way);
        let [one, two] = pool.episode(&order[..world.way], &mut dice);
        first.push(one);
        difference.push(one - two);
        members.push(order[..world.way].iter().copied());
    }
    let of = |values: &[f64], range| stats::over_classes(values, &members, range).ok().map(|j| j.estimate);
    tally.estimate(MADE.0, MADE_ACCURACY, of(&first, Some((0.0, 1.0))), truth[0]);
    tally.estimate(MADE.0, MADE_DIFFERENCE, of(&difference, Some((-1.0, 1.0))), truth[0] - truth[1]);
}
