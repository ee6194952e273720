//! New items of the same classes: draws in which no item repeats.

use kshot::rng::Purpose;
use kshot::stats;

use super::Tally;
use super::cells::{ITEMS, ITEMS_PAIRED, SIZES};
use super::dice::Dice;
use super::learners::{self, A, B, Learner, expected};
use super::pool::{Class, Episodes, Pool, WAY};
use super::rules::covers;

/// Repetitions that share a set of classes.
pub const PER_SET: u32 = 200;
/// Rounds of fresh items that the truth is a mean over: its own error is then a sixth of that of 5,000 episodes.
const ROUNDS: u32 = 40_000;
/// Classes of a pool that the truth is computed on.
const AT_ONCE: usize = 20;
/// Views that the learners of this part compare in.
const SEEN: usize = 2;

/// Classes, learners, and the truth about new items.
pub struct ClassSet {
    classes: Vec<Class>,
    learners: Vec<Learner>,
    truth: Vec<f64>,
}

impl ClassSet {
    pub fn draw(seed: u64, set: u32, count: usize) -> ClassSet {
        let mut dice = Dice::new(seed, Purpose::Dataset, set);
        let classes: Vec<Class> = (0..count).map(|_| Class::draw(&mut dice)).collect();
        let mut learners = learners::draw(count, &mut dice);
        let learners = vec![learners.swap_remove(B[2]), learners.swap_remove(A)];
        // A pool of two items per class and of twenty classes at a time is unbiased whatever its size.
        let mut dice = Dice::new(seed, Purpose::Training, set);
        let (mut truth, pools) = (vec![0.0; learners.len()], ROUNDS / (count / AT_ONCE) as u32);
        let mut order: Vec<usize> = (0..count).collect();
        for _ in 0..pools {
            dice.stream.shuffle(&mut order);
            for chosen in order.chunks(AT_ONCE) {
                let here: Vec<Class> = chosen.iter().map(|class| classes[*class].clone()).collect();
                let of_pool = Pool::draw(&here, 2, SEEN, &mut dice).truth();
                for (truth, learner) in truth.iter_mut().zip(&learners) {
                    let habits: Learner = chosen.iter().map(|class| learner[*class]).collect();
                    *truth += expected(&habits, &of_pool) / f64::from(pools) * AT_ONCE as f64 / count as f64;
                }
            }
        }
        ClassSet { classes, learners, truth }
    }

    pub fn repeat(&self, seed: u64, number: u32, tally: &mut Tally) {
        let mut dice = Dice::new(seed, Purpose::Draw, number);
        let mut order: Vec<u32> = Vec::new();
        let mut drawn = Episodes::new(2, SIZES[2].1);
        for _ in 0..SIZES[2].1 {
            // Every class is used up as fast as the others, as in a draw without repetition.
            if order.len() < WAY {
                order = (0..self.classes.len() as u32).collect();
                dice.stream.shuffle(&mut order);
            }
            let members = std::array::from_fn(|_| order.pop().unwrap_or_default());
            drawn.fresh(members, &self.classes, SEEN, &self.learners, &mut dice);
        }
        for (name, m) in SIZES {
            tally.note(name, ITEMS, covers(stats::of_mean(drawn.first(1, m)), self.truth[1]));
            let difference = stats::paired(drawn.first(0, m), drawn.first(1, m));
            tally.note(name, ITEMS_PAIRED, covers(difference, self.truth[0] - self.truth[1]));
        }
    }
}
