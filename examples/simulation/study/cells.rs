//! What is promised: every cell of the study with its bounds, and every part with its seed. Written before running.

/// One promise: a share of repetitions that must lie between two bounds.
#[derive(Clone, Copy)]
pub struct Cell {
    /// Episodes of a repetition.
    pub episodes: &'static str,
    pub measure: &'static str,
    pub low: f64,
    pub high: f64,
}

/// A part of the study: one kind of world, whose repetitions give all of its cells.
pub struct Part {
    pub name: &'static str,
    pub seed: u64,
    pub(super) world: World,
    pub cells: Vec<Cell>,
}

#[derive(Clone, Copy)]
pub(super) enum World {
    FixedPool { classes: usize },
    FixedCharacters,
    NewItems { classes: usize },
    NewClasses { classes: usize },
    Characters,
}

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
pub fn parts(with_characters: bool) -> Vec<Part> {
    let part = |name, seed, world, cells| Part { name, seed, world, cells };
    let mut parts = vec![
        part("fixed pool, C=20", 101, World::FixedPool { classes: 20 }, fixed_pool()),
        part("fixed pool, C=60", 102, World::FixedPool { classes: 60 }, fixed_pool()),
        part("new items, C=20", 201, World::NewItems { classes: 20 }, new_items()),
        part("new items, C=60", 202, World::NewItems { classes: 60 }, new_items()),
        part("new classes, C=20", 301, World::NewClasses { classes: 20 }, new_classes(&SIZES[1..], TWENTY)),
        // 1,000 episodes are fewer than 30 for each of 60 classes: refused.
        part("new classes, C=60", 302, World::NewClasses { classes: 60 }, new_classes(&SIZES[2..], SIXTY)),
    ];
    if with_characters {
        let fixed = SIZES
            .iter()
            .flat_map(|(episodes, _)| [T, PAIRED, FLIP].map(|measure| cell(episodes, measure, FIXED)));
        let new = SIZES[1..].iter().flat_map(|(episodes, _)| {
            [
                cell(episodes, CLASSES, TWENTY.0),
                cell(episodes, CLASSES_DRAWN, TWENTY.0),
                cell(episodes, COIN, TWENTY.1),
            ]
        });
        parts.push(part("fixed pool, 20 characters", 401, World::FixedCharacters, fixed.collect()));
        parts.push(part("new classes, 20 characters", 402, World::Characters, new.collect()));
    }
    parts
}

type Bounds = (f64, f64);

/// Coverage on a fixed pool.
const FIXED: Bounds = (0.935, 0.965);
/// Coverage and error of the classes interval, with 20 and with 60 classes.
const TWENTY: (Bounds, Bounds) = ((0.92, 0.975), (0.025, 0.08));
const SIXTY: (Bounds, Bounds) = ((0.93, 0.97), (0.03, 0.07));

fn cell(episodes: &'static str, measure: &'static str, (low, high): Bounds) -> Cell {
    Cell { episodes, measure, low, high }
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

fn new_classes(sizes: &[(&'static str, usize)], (cover, err): (Bounds, Bounds)) -> Vec<Cell> {
    let sizes = sizes.iter().flat_map(|(episodes, _)| {
        [
            cell(episodes, CLASSES, cover),
            cell(episodes, CLASSES_PAIRED[0], cover),
            cell(episodes, CLASSES_PAIRED[1], cover),
            cell(episodes, CLASSES_PAIRED[2], cover),
            cell(episodes, COIN, err),
            cell(episodes, CLASSES_HOLM, (0.0, 0.07)),
            cell(episodes, SAMPLER, (0.0, 0.80)),
            // Printed beside the others; nothing is promised of it.
            cell(episodes, SAMPLER_ALONE, (0.0, 1.0)),
        ]
    });
    sizes.collect()
}
