//! The learners of a world: nearest neighbours in noisy views of the items, with habits that differ from class to class.

use super::dice::Dice;
use super::pool::VIEWS;

/// How a learner answers queries of one class.
#[derive(Clone, Copy, Debug)]
pub struct Habit {
    /// The view that it compares in.
    pub view: usize,
    /// In units of 1/65,536: the chance that an answer is made right (positive) or wrong (negative).
    pub push: i32,
}

/// A learner: its habit for every class of a pool.
pub type Learner = Vec<Habit>;

/// The learner that others are compared with: view 0, no effects.
pub const A: usize = 0;
/// View 1 with class effects of 0, 0.5 and 2 points.
pub const B: [usize; 3] = [1, 2, 3];
const EFFECTS: [f64; 3] = [0.0, 0.005, 0.02];
/// One learner per view, each with class effects of 2 points: equal in the population.
pub const FAMILY: [usize; 4] = [4, 5, 6, 7];
/// Two learners that are A and one of the family, a coin per class deciding which is which.
pub const COINS: [usize; 2] = [8, 9];
/// Learners of a world.
pub const COUNT: usize = 10;

/// Accuracy of A over the population, roughly: what the effects are scaled by.
const ROUGHLY: f64 = 0.6;

/// Draws the habits of all learners for so many classes of the population.
pub fn draw(classes: usize, dice: &mut Dice) -> Vec<Learner> {
    let push = |deviation: f64, dice: &mut Dice| {
        let effect = deviation * dice.normal();
        let share = if effect > 0.0 { effect / (1.0 - ROUGHLY) } else { effect / ROUGHLY };
        (share.clamp(-1.0, 1.0) * 65_536.0) as i32
    };
    let mut learners = vec![plain(0, classes)];
    for deviation in EFFECTS {
        learners.push((0..classes).map(|_| Habit { view: 1, push: push(deviation, dice) }).collect());
    }
    for view in 0..VIEWS {
        learners.push((0..classes).map(|_| Habit { view, push: push(EFFECTS[2], dice) }).collect());
    }
    let [heads, tails] = coins(&learners[A], &learners[FAMILY[1]], dice);
    learners.extend([heads, tails]);
    learners
}

/// A learner without effects.
pub fn plain(view: usize, classes: usize) -> Learner {
    vec![Habit { view, push: 0 }; classes]
}

/// Two learners that are these two, a coin per class deciding which of them answers as the first: an exact null.
pub fn coins(one: &Learner, other: &Learner, dice: &mut Dice) -> [Learner; 2] {
    let heads: Vec<bool> = one.iter().map(|_| dice.happens(1 << 15)).collect();
    [true, false].map(|side| {
        let habits = one.iter().zip(other).zip(&heads);
        habits.map(|((one, other), heads)| if *heads == side { *one } else { *other }).collect()
    })
}

/// The expected accuracy of a learner where each class and view has this truth.
pub fn expected(learner: &Learner, truth: &[Vec<f64>]) -> f64 {
    let of_class = |(habit, truth): (&Habit, &Vec<f64>)| {
        let chance = f64::from(habit.push.abs()) / 65_536.0;
        truth[habit.view] * (1.0 - chance) + if habit.push > 0 { chance } else { 0.0 }
    };
    learner.iter().zip(truth).map(of_class).sum::<f64>() / learner.len() as f64
}
