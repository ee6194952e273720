//! Worlds whose truth is known: populations of classes, pools of items drawn from them, and episodes of a pool.
//!
//! Episodes are 5-way 1-shot with 5 queries per class. Distances within a pool are computed once, and the expected
//! accuracy of the nearest neighbour on a pool is computed exactly.

use super::dice::Dice;
use super::learners::{Habit, Learner};

/// Classes per episode.
pub const WAY: usize = 5;
/// Queries per class.
pub const QUERIES: usize = 5;
/// Noisy views of every item.
pub const VIEWS: usize = 4;
/// Dimensions of the Gaussian populations.
const DIMENSIONS: usize = 4;
/// Spread of class means, of the logarithm of the classes' own spread, and of the noise of a view.
const BETWEEN: f64 = 1.5;
const UNEVEN: f64 = 0.25;
const NOISE: f64 = 0.45;

/// A drawing as bits.
pub type Drawing = [u64; 13];

/// A Gaussian class: its mean and its spread.
#[derive(Clone)]
pub struct Class {
    mean: [f64; DIMENSIONS],
    spread: f64,
}

/// A place in space.
type Place = [f32; DIMENSIONS];

impl Class {
    pub fn draw(dice: &mut Dice) -> Class {
        let mean = std::array::from_fn(|_| BETWEEN * dice.normal());
        Class { mean, spread: (UNEVEN * dice.normal()).exp() }
    }

    /// One item in so many views.
    fn item(&self, views: usize, dice: &mut Dice) -> [Place; VIEWS] {
        let place: [f64; DIMENSIONS] = std::array::from_fn(|d| self.mean[d] + self.spread * dice.normal());
        let mut item = [[0.0; DIMENSIONS]; VIEWS];
        for view in &mut item[..views] {
            *view = std::array::from_fn(|d| (place[d] + NOISE * dice.normal()) as f32);
        }
        item
    }
}

fn squared(a: &Place, b: &Place) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// A finite pool of items.
pub struct Pool {
    pub classes: usize,
    items: usize,
    /// Per view, the distance of every item from every item.
    distances: Vec<Vec<f32>>,
}

impl Pool {
    /// A pool of so many items of each of these classes, in so many views.
    pub fn draw(classes: &[Class], items: usize, views: usize, dice: &mut Dice) -> Pool {
        let drawn: Vec<[Place; VIEWS]> = classes
            .iter()
            .flat_map(|class| std::iter::repeat_n(class, items))
            .map(|class| class.item(views, dice))
            .collect();
        let table = |view: usize| table(drawn.len(), |a, b| squared(&drawn[a][view], &drawn[b][view]));
        Pool { classes: classes.len(), items, distances: (0..views).map(table).collect() }
    }

    /// A pool of drawings: view 0 counts the pixels that differ, view 1 the share of ink that does.
    pub fn of_drawings(drawings: &[&[Drawing]]) -> Pool {
        let all: Vec<&Drawing> = drawings.iter().flat_map(|class| class.iter()).collect();
        let ink = |drawing: &&Drawing| drawing.iter().map(|word| word.count_ones()).sum::<u32>();
        let inks: Vec<u32> = all.iter().map(ink).collect();
        let common = |a: usize, b: usize| -> u32 {
            all[a].iter().zip(all[b]).map(|(a, b)| (a & b).count_ones()).sum()
        };
        let counted = table(all.len(), |a, b| (inks[a] + inks[b] - 2 * common(a, b)) as f32);
        let shared = table(all.len(), |a, b| -(common(a, b) as f32 / ((inks[a] * inks[b]) as f32).sqrt()));
        Pool { classes: drawings.len(), items: drawings[0].len(), distances: vec![counted, shared] }
    }

    fn distance(&self, view: usize, a: usize, b: usize) -> f32 {
        self.distances[view][a * self.classes * self.items + b]
    }

    /// The expected accuracy of answers in each class and view: over all supports, queries and other classes.
    ///
    /// A query at distance d from its support is answered correctly where none of the four other supports is as near.
    /// With g the share of a class's items that are farther, that is the mean of the product of four g over all sets of
    /// four other classes: an elementary symmetric polynomial.
    pub fn truth(&self) -> Vec<Vec<f64>> {
        let views = 0..self.distances.len();
        (0..self.classes)
            .map(|class| views.clone().map(|view| self.truth_of(class, view)).collect())
            .collect()
    }

    fn truth_of(&self, class: usize, view: usize) -> f64 {
        let others = self.classes as f64 - 1.0;
        let sets = others * (others - 1.0) * (others - 2.0) * (others - 3.0) / 24.0;
        let own = class * self.items..(class + 1) * self.items;
        let (row, mut sum) = (self.classes * self.items, 0.0);
        for query in own.clone() {
            let mut sorted = self.distances[view][query * row..(query + 1) * row].to_vec();
            sorted.chunks_mut(self.items).for_each(|chunk| chunk.sort_unstable_by(f32::total_cmp));
            for support in own.clone().filter(|support| *support != query) {
                let limit = self.distance(view, query, support);
                let mut e = [1.0, 0.0, 0.0, 0.0, 0.0];
                for (_, chunk) in sorted.chunks(self.items).enumerate().filter(|(other, _)| *other != class) {
                    let nearer = chunk.partition_point(|distance| *distance <= limit);
                    let farther = 1.0 - nearer as f64 / self.items as f64;
                    for order in (1..=4).rev() {
                        e[order] += e[order - 1] * farther;
                    }
                }
                sum += e[4] / sets;
            }
        }
        sum / (self.items * (self.items - 1)) as f64
    }

    /// Draws so many episodes and answers them.
    pub fn episodes(&self, learners: &[Learner], count: usize, dice: &mut Dice) -> Episodes {
        let mut episodes = Episodes::new(learners.len(), count);
        for _ in 0..count {
            let classes = few_of(self.classes, 0, dice);
            let items: [[usize; QUERIES + 1]; WAY] =
                classes.map(|class| few_of(self.items, class * self.items, dice));
            let right = |view: usize, label: usize, query: usize| {
                let query = items[label][query + 1];
                let own = self.distance(view, query, items[label][0]);
                (0..WAY).all(|other| other == label || self.distance(view, query, items[other][0]) > own)
            };
            episodes.answer(classes.map(|class| class as u32), learners, dice, right);
        }
        episodes
    }
}

/// Different whole numbers below a bound, moved by a start; few of many: drawn again where one is there already.
fn few_of<const N: usize>(bound: usize, start: usize, dice: &mut Dice) -> [usize; N] {
    let mut chosen = [0; N];
    for place in 0..N {
        chosen[place] = loop {
            let next = start + dice.below(bound);
            if !chosen[..place].contains(&next) {
                break next;
            }
        };
    }
    chosen
}

fn table(size: usize, distance: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let mut table = vec![0.0; size * size];
    for a in 0..size {
        for b in 0..a {
            let value = distance(a, b);
            table[a * size + b] = value;
            table[b * size + a] = value;
        }
    }
    table
}

/// Accuracies by learner, and the classes of every episode.
pub struct Episodes {
    pub accuracy: Vec<Vec<f64>>,
    pub classes: Vec<[u32; WAY]>,
}

impl Episodes {
    pub fn new(learners: usize, count: usize) -> Episodes {
        Episodes { accuracy: vec![Vec::with_capacity(count); learners], classes: Vec::with_capacity(count) }
    }

    /// An episode of fresh items of these classes: no item appears in two episodes.
    pub fn fresh(
        &mut self,
        members: [u32; WAY],
        classes: &[Class],
        views: usize,
        learners: &[Learner],
        dice: &mut Dice,
    ) {
        let items: [[[Place; VIEWS]; QUERIES + 1]; WAY] =
            members.map(|class| std::array::from_fn(|_| classes[class as usize].item(views, dice)));
        self.answer(members, learners, dice, |view, label, query| {
            let query = &items[label][query + 1][view];
            let own = squared(query, &items[label][0][view]);
            (0..WAY).all(|other| other == label || squared(query, &items[other][0][view]) > own)
        });
    }

    /// Counts each learner's correct answers; `right` tells of a view, a label and a query.
    fn answer(
        &mut self,
        classes: [u32; WAY],
        learners: &[Learner],
        dice: &mut Dice,
        right: impl Fn(usize, usize, usize) -> bool,
    ) {
        self.classes.push(classes);
        self.accuracy.iter_mut().for_each(|values| values.push(0.0));
        for (label, class) in classes.iter().enumerate() {
            for query in 0..QUERIES {
                let mut seen: [Option<bool>; VIEWS] = [None; VIEWS];
                for (learner, values) in learners.iter().zip(&mut self.accuracy) {
                    let Habit { view, push } = learner[*class as usize];
                    let pushed = push != 0 && dice.happens(push.abs());
                    let correct = if pushed {
                        push > 0
                    } else {
                        *seen[view].get_or_insert_with(|| right(view, label, query))
                    };
                    if let Some(last) = values.last_mut().filter(|_| correct) {
                        *last += 1.0;
                    }
                }
            }
        }
        let answered = (WAY * QUERIES) as f64;
        self.accuracy.iter_mut().filter_map(|values| values.last_mut()).for_each(|last| *last /= answered);
    }
}
