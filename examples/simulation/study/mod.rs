//! The study: which intervals cover what they claim to, and how often tests reject what is true.
//!
//! What is promised stands in [`cells`], before anything is run. Each part of the study is one kind of world whose truth
//! is known: [`fixed_pool`], [`new_items`], [`new_classes`], for Gaussian classes and for characters of Omniglot.

mod cells;
mod characters;
mod dice;
mod fixed_pool;
mod intents;
mod learners;
mod made_worlds;
mod new_classes;
mod new_items;
mod pool;
mod rules;
mod statement;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

pub use cells::{Ask, Cell, Part, parts};
pub use characters::Characters;
pub use statement::{is_missed, statement};

use cells::World;
use kshot::data::Store;
use kshot::stats::{self, Estimate};

/// Level of every interval and test.
const LEVEL: f64 = 0.95;
/// Standard deviations on either side in the interval of an oracle.
const ORACLE: f64 = 1.959_963_984_540_054;

/// Real classes, where they are at hand.
pub struct Data {
    pub characters: Result<Characters, String>,
    pub intents: Result<Store, String>,
}

impl Data {
    /// What lies in the folder `data` of `KSHOT_SHARED`, or of `../shared`.
    pub fn read() -> Data {
        Data { characters: characters::read(), intents: intents::read() }
    }

    /// All parts that the data allow.
    pub fn parts(&self) -> Vec<Part> {
        parts(self.characters.is_ok(), self.intents.is_ok())
    }
}

/// What the repetitions of a cell showed: a share, for `--until` a difference of two shares, or a ratio of widths.
pub struct Shown {
    pub cell: Cell,
    pub of: u32,
    sum: f64,
    squares: f64,
    ratio: f64,
}

impl Shown {
    /// The share, or the ratio.
    pub fn share(&self) -> f64 {
        match self.cell.ask {
            Ask::Share => self.sum / f64::from(self.of),
            Ask::Width => self.ratio,
        }
    }

    /// The Monte-Carlo standard error of the share; of a ratio that of the oracle's standard deviation, relative to it.
    pub fn error(&self) -> f64 {
        let n = f64::from(self.of);
        if self.cell.ask == Ask::Width {
            return self.ratio / (2.0 * n).sqrt();
        }
        ((self.squares / n - self.share().powi(2)).max(0.0) / n).sqrt()
    }

    /// Whether the share lies within the bounds, give or take so many Monte-Carlo standard errors; of a share at its
    /// bound, because the observed one is zero where every repetition agrees.
    pub fn holds(&self, errors: f64) -> bool {
        let (low, high) = (self.cell.low, self.cell.high);
        if self.cell.ask == Ask::Width {
            return self.ratio <= high + errors * self.error();
        }
        let error = |bound: f64| {
            let at_bound = (bound.abs() * (1.0 - bound.abs()) / f64::from(self.of)).sqrt();
            errors * if low < 0.0 { at_bound.max(self.error()) } else { at_bound }
        };
        self.share() >= low - error(low) && self.share() <= high + error(high)
    }
}

/// Values by episodes and measure.
#[derive(Default)]
struct Tally {
    sums: BTreeMap<Key, (f64, f64, u32)>,
    /// Estimates and the widths of their intervals.
    spread: BTreeMap<Key, Vec<(f64, f64)>>,
}

/// Episodes and measure.
type Key = (&'static str, &'static str);

impl Tally {
    /// Notes whether the interval of an estimate covers the truth, and how wide it is.
    fn estimate(&mut self, episodes: &'static str, measure: &'static str, of: Option<Estimate>, truth: f64) {
        self.note(episodes, measure, rules::covers(of, truth));
        let spread = self.spread.entry((episodes, measure)).or_default();
        if let Some((estimate, interval)) = of.and_then(|of| Some((of, of.interval(LEVEL)?))) {
            spread.push((estimate.value, interval.high - interval.low));
        }
    }

    /// The median width over that of an oracle; infinite without estimates.
    fn ratio(&self, key: Key) -> f64 {
        let Some(spread) = self.spread.get(&key) else { return f64::INFINITY };
        let (values, mut widths): (Vec<f64>, Vec<f64>) = spread.iter().copied().unzip();
        widths.sort_unstable_by(f64::total_cmp);
        let oracle = stats::variance(&values).map_or(0.0, |variance| 2.0 * ORACLE * variance.sqrt());
        widths.get(widths.len() / 2).map_or(f64::INFINITY, |median| median / oracle)
    }

    fn add(&mut self, episodes: &'static str, measure: &'static str, value: f64) {
        let entry = self.sums.entry((episodes, measure)).or_default();
        *entry = (entry.0 + value, entry.1 + value * value, entry.2 + 1);
    }

    fn note(&mut self, episodes: &'static str, measure: &'static str, hit: bool) {
        self.add(episodes, measure, f64::from(u8::from(hit)));
    }

    fn merge(&mut self, other: Tally) {
        for (key, (sum, squares, of)) in other.sums {
            let entry = self.sums.entry(key).or_default();
            *entry = (entry.0 + sum, entry.1 + squares, entry.2 + of);
        }
        for (key, spread) in other.spread {
            self.spread.entry(key).or_default().extend(spread);
        }
    }
}

/// Some repetitions of a part, by number.
type Repetitions<'a> = Box<dyn Fn(Range<u32>, &mut Tally) + Sync + 'a>;

/// Runs a part with so many repetitions on so many threads. The result does not depend on the threads.
pub fn run(part: &Part, repetitions: u32, threads: u32, data: &Data) -> Vec<Shown> {
    let seed = part.seed;
    let repetitions = repetitions.min(part.most);
    let (at_once, work): (u32, Repetitions<'_>) = match (part.world, data.characters.as_ref().ok()) {
        (World::FixedPool { classes }, _) => (
            fixed_pool::PER_POOL,
            Box::new(move |numbers, tally| fixed_pool::gaussian(seed, numbers, classes, tally)),
        ),
        (World::FixedCharacters, Some(characters)) => (
            fixed_pool::PER_POOL,
            Box::new(move |numbers, tally| fixed_pool::characters(seed, numbers, characters, tally)),
        ),
        (World::NewItems { classes }, _) => {
            let sets = repetitions.div_ceil(new_items::PER_SET);
            let known = in_parallel(sets, threads, |set| new_items::ClassSet::draw(seed, set, classes));
            let repeat = move |number: u32, tally: &mut Tally| {
                known[(number / new_items::PER_SET) as usize].repeat(seed, number, tally);
            };
            (1, one_by_one(repeat))
        }
        (World::NewClasses { classes }, _) => {
            let truth = new_classes::truth(seed, threads);
            (1, one_by_one(move |number, tally| new_classes::gaussian(seed, number, classes, &truth, tally)))
        }
        (World::Characters { classes }, Some(characters)) => {
            let truth = new_classes::truth_of_characters(characters);
            let repeat = move |number, tally: &mut Tally| {
                new_classes::characters(seed, (number, classes), characters, truth, tally)
            };
            (1, one_by_one(repeat))
        }
        (World::Made(world), _) => {
            let truth = made_worlds::truth(seed, world);
            (1, one_by_one(move |number, tally| made_worlds::repeat(seed, number, world, truth, tally)))
        }
        (World::Intents, _) => match intents::read() {
            Ok(store) => {
                let intents = intents::Intents::new(store, seed, threads);
                (1, one_by_one(move |number, tally| intents.repeat(seed, number, tally)))
            }
            Err(_) => (1, Box::new(|_, _| ())),
        },
        (World::Characters { .. } | World::FixedCharacters, None) => (1, Box::new(|_, _| ())),
    };
    let tallies = in_parallel(repetitions.div_ceil(at_once), threads, |group| {
        let mut tally = Tally::default();
        let first = group * at_once;
        work(first..(first + at_once).min(repetitions), &mut tally);
        tally
    });
    let mut total = Tally::default();
    tallies.into_iter().for_each(|tally| total.merge(tally));
    let shown = |cell: &Cell| {
        let key = (cell.episodes, cell.measure);
        let (sum, squares, of) = total.sums.get(&key).copied().unwrap_or_default();
        Shown { cell: *cell, of, sum, squares, ratio: total.ratio(key) }
    };
    part.cells.iter().map(shown).collect()
}

fn one_by_one<'a>(repeat: impl Fn(u32, &mut Tally) + Sync + 'a) -> Repetitions<'a> {
    Box::new(move |numbers, tally| numbers.into_iter().for_each(|number| repeat(number, tally)))
}

/// The results of so many pieces of work, in their order.
fn in_parallel<T: Send>(count: u32, threads: u32, work: impl Fn(u32) -> T + Sync) -> Vec<T> {
    let (next, done) = (AtomicU32::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    let result = work(number);
                    done.lock().expect("no thread panics while it adds").push((number, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("all threads are done");
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}
