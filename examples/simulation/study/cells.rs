//! What is promised: every cell of the study with its bounds, and every part with its seed. Written before running.

use super::made_worlds::{Law, MadeWorld};

/// One promise: a share of repetitions that must lie between two bounds.
#[derive(Clone, Copy)]
pub struct Cell {
    /// Episodes of a repetition.
    pub episodes: &'static str,
    pub measure: &'static str,
    /// What is asked of the measure.
    pub ask: Ask,
    pub low: f64,
    pub high: f64,
}

/// What is asked of the repetitions of a measure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// The share in which it holds.
    Share,
    /// The median width of the intervals over that of an oracle, which knows the standard deviation of the estimates.
    Width,
}

impl Ask {
    /// What stands before the measure in the table.
    pub fn lead(self) -> &'static str {
        match self {
            Ask::Share => "",
            Ask::Width => "width over the oracle's: ",
        }
    }
}

/// A part of the study: one kind of world, whose repetitions give all of its cells.
pub struct Part {
    pub name: &'static str,
    pub seed: u64,
    /// Repetitions at most: where data are real, they are fewer.
    pub most: u32,
    pub(super) world: World,
    pub cells: Vec<Cell>,
}

#[derive(Clone, Copy)]
pub(super) enum World {
    FixedPool { classes: usize },
    FixedCharacters,
    NewItems { classes: usize },
    NewClasses { classes: usize },
    Characters { classes: usize },
    Made(MadeWorld),
    Intents,
}

/// Episodes of made worlds, and of real ones.
pub(super) const MADE: (&str, usize) = ("M=2000", 2000);
pub(super) const INTENTS: (&str, u32) = ("M=2000", 2000);
pub(super) const INTENT_SHOTS: [(&str, u32); 2] = [("M=2000, 1-shot", 1), ("M=2000, 5-shot", 5)];
pub(super) const MADE_ACCURACY: &str = "classes interval covers an accuracy of the made world";
pub(super) const MADE_DIFFERENCE: &str = "classes interval covers a difference of the made world";
pub(super) const INTENT_ACCURACY: [&str; 6] = [
    "classes interval covers the accuracy of prototypical",
    "classes interval covers the accuracy of k-nn",
    "classes interval covers the accuracy of matching",
    "classes interval covers the accuracy of ridge",
    "classes interval covers the accuracy of svm",
    "classes interval covers the accuracy of linear-probe",
];
pub(super) const INTENT_DIFFERENCE: [&str; 15] = [
    "classes interval covers prototypical − k-nn",
    "classes interval covers prototypical − matching",
    "classes interval covers k-nn − matching",
    "classes interval covers prototypical − ridge",
    "classes interval covers k-nn − ridge",
    "classes interval covers matching − ridge",
    "classes interval covers prototypical − svm",
    "classes interval covers k-nn − svm",
    "classes interval covers matching − svm",
    "classes interval covers ridge − svm",
    "classes interval covers prototypical − linear-probe",
    "classes interval covers k-nn − linear-probe",
    "classes interval covers matching − linear-probe",
    "classes interval covers ridge − linear-probe",
    "classes interval covers svm − linear-probe",
];

/// Sizes of a draw, by name.
pub(super) const SIZES: [(&str, usize); 3] = [("M=200", 200), ("M=1000", 1000), ("M=5000", 5000)];

pub(super) const T: &str = "t covers an accuracy";
pub(super) const PAIRED: &str = "paired t covers a difference";
pub(super) const FLIP: &str = "sign-flip test keeps the true difference";
pub(super) const HOLM: &str = "Holm errs over the pairs of 4 equal learners";
pub(super) const UNTIL: &str = "coverage until narrow minus coverage of a fixed count";
pub(super) const ITEMS: &str = "items interval covers an accuracy";
pub(super) const ITEMS_PAIRED: &str = "items interval covers a difference";
pub(super) const CLASSES: &str = "classes interval covers an accuracy";
/// By class effects of 0, 0.5 and 2 points.
pub(super) const CLASSES_PAIRED: [&str; 3] = [
    "classes interval covers a difference, class effects 0",
    "classes interval covers a difference, class effects 0.5",
    "classes interval covers a difference, class effects 2",
];
pub(super) const CLASSES_DRAWN: &str = "classes interval covers a difference of two distances";
pub(super) const COIN: &str = "classes test errs, coins decide who answers";
pub(super) const CLASSES_HOLM: &str = "Holm errs over classes and the pairs of 4 equal learners";
pub(super) const SAMPLER: &str = "SAMPLER interval covers a difference for new classes, class effects 2";
pub(super) const SAMPLER_ALONE: &str = "SAMPLER interval covers an accuracy for new classes";

/// All parts with their cells and seeds.
pub fn parts(with_characters: bool, with_intents: bool) -> Vec<Part> {
    let part = |name, seed, world, cells| Part { name, seed, most: u32::MAX, world, cells };
    let mut parts = vec![
        part("fixed pool, C=20", 101, World::FixedPool { classes: 20 }, fixed_pool()),
        part("fixed pool, C=60", 102, World::FixedPool { classes: 60 }, fixed_pool()),
        part("new items, C=20", 201, World::NewItems { classes: 20 }, new_items()),
        part("new items, C=60", 202, World::NewItems { classes: 60 }, new_items()),
        part("new classes, C=20", 301, World::NewClasses { classes: 20 }, new_classes(&SIZES[1..], ERRS)),
        part("new classes, C=60", 302, World::NewClasses { classes: 60 }, new_classes(&SIZES[1..], ERRS)),
    ];
    let made = |law, way, classes| World::Made(MadeWorld { law, way, classes });
    for (name, seed, world) in [
        ("normal, 5 of 20", 501, made(Law::Normal, 5, 20)),
        ("skewed, 5 of 20", 502, made(Law::Skewed, 5, 20)),
        ("few hard (20 %), 5 of 20", 503, made(Law::FewHard(0.2), 5, 20)),
        ("few hard (10 %), 5 of 20", 504, made(Law::FewHard(0.1), 5, 20)),
        ("few hard (10 %), 5 of 60", 505, made(Law::FewHard(0.1), 5, 60)),
        ("normal, 20 of 60", 506, made(Law::Normal, 20, 60)),
        ("skewed, 20 of 60", 507, made(Law::Skewed, 20, 60)),
        ("normal, 19 of 20", 508, made(Law::Normal, 19, 20)),
        ("skewed, 19 of 20", 509, made(Law::Skewed, 19, 20)),
        ("confusable pairs, 5 of 20", 510, made(Law::Pairs, 5, 20)),
        ("skewed, 5 of 600", 511, made(Law::Skewed, 5, 600)),
    ] {
        let cells = [MADE_ACCURACY, MADE_DIFFERENCE].into_iter().flat_map(|of| asked(MADE.0, of));
        parts.push(part(name, seed, world, cells.collect()));
    }
    if with_characters {
        let fixed = SIZES
            .iter()
            .flat_map(|(episodes, _)| [T, PAIRED, FLIP].map(|measure| cell(episodes, measure, FIXED)));
        let new = SIZES[1..].iter().flat_map(|(episodes, _)| {
            let covers = [CLASSES, CLASSES_DRAWN].into_iter().flat_map(|measure| asked(episodes, measure));
            covers.chain([cell(episodes, COIN, ERRS)])
        });
        parts.push(part("fixed pool, 20 characters", 401, World::FixedCharacters, fixed.collect()));
        parts.push(part(
            "new classes, 20 characters",
            402,
            World::Characters { classes: 20 },
            new.clone().collect(),
        ));
        parts.push(part("new classes, 40 characters", 403, World::Characters { classes: 40 }, new.collect()));
    }
    if with_intents {
        let cells = INTENT_SHOTS.iter().flat_map(|(name, _)| {
            let all = INTENT_ACCURACY.iter().chain(&INTENT_DIFFERENCE);
            all.flat_map(move |measure| asked(name, measure))
        });
        let part = part("new classes, 20 intents of CLINC150", 601, World::Intents, cells.collect());
        parts.push(Part { most: 500, ..part });
    }
    parts
}

type Bounds = (f64, f64);

/// Coverage on a fixed pool.
const FIXED: Bounds = (0.935, 0.965);
/// Coverage of the classes interval, and the error of its test.
const COVERS: Bounds = (0.93, 0.98);
const ERRS: Bounds = (0.0, 0.07);
/// The median width of the classes interval over that of an oracle.
const WIDEST: f64 = 1.25;

fn cell(episodes: &'static str, measure: &'static str, (low, high): Bounds) -> Cell {
    Cell { episodes, measure, ask: Ask::Share, low, high }
}

/// What is promised of every interval for new classes: its coverage, and that it is not bought by width.
fn asked(episodes: &'static str, measure: &'static str) -> [Cell; 2] {
    let width = Cell { episodes, measure, ask: Ask::Width, low: 0.0, high: WIDEST };
    [cell(episodes, measure, COVERS), width]
}

fn fixed_pool() -> Vec<Cell> {
    let sizes = SIZES.iter().flat_map(|(episodes, _)| {
        [
            cell(episodes, T, FIXED),
            cell(episodes, PAIRED, FIXED),
            cell(episodes, FLIP, FIXED),
            cell(episodes, HOLM, (0.0, 0.06)),
        ]
    });
    sizes.chain([cell(super::fixed_pool::UNTIL_GOAL.0, UNTIL, (-0.015, 0.015))]).collect()
}

fn new_items() -> Vec<Cell> {
    let sizes = SIZES
        .iter()
        .flat_map(|(episodes, _)| [ITEMS, ITEMS_PAIRED].map(|measure| cell(episodes, measure, (0.935, 1.0))));
    sizes.collect()
}

fn new_classes(sizes: &[(&'static str, usize)], err: Bounds) -> Vec<Cell> {
    let sizes = sizes.iter().flat_map(|(episodes, _)| {
        let paired = CLASSES_PAIRED.into_iter().chain([CLASSES]).flat_map(|measure| asked(episodes, measure));
        paired.chain([
            cell(episodes, COIN, err),
            cell(episodes, CLASSES_HOLM, (0.0, 0.07)),
            cell(episodes, SAMPLER, (0.0, 0.80)),
            // Printed beside the others; nothing is promised of it.
            cell(episodes, SAMPLER_ALONE, (0.0, 1.0)),
        ])
    });
    sizes.collect()
}
