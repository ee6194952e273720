//! How often the ranks of `kshot compare --scores` err, in worlds whose truth is known; writes `examples/ranks_coverage.csv`.
//!
//!     cargo run --release --example ranks_coverage
//!
//! Twenty methods on one data set with ten draws each. A draw has an effect that all methods share, and each method's score
//! varies about its mean besides: normally, or skewed. "joint" is the share of repetitions in which all rank intervals at
//! once hold the true ranks (95 % or more is right, 99 % and more is cautious); "false" the share in which a pair of adjacent
//! ranks with equal means is significant after Holm (at most 5 %).

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "an example prints, and ends by panicking")]

#[path = "simulation/study/dice.rs"]
#[expect(dead_code, reason = "a part is used")]
mod dice;

use std::fmt::Write;

use dice::Dice;
use kshot::rng::Purpose;
use kshot::scores::{Options, RankedSet, Ranking, Scores, Written};

const METHODS: usize = 20;
const DRAWS: usize = 10;
const REPETITIONS: u32 = 2000;

/// A world: the means of its methods, the effect that draws share, and the shape of the rest.
struct World {
    name: &'static str,
    means: [f64; METHODS],
    shared: f64,
    skewed: bool,
}

fn main() {
    let equal = [0.8; METHODS];
    let groups = std::array::from_fn(|method| 0.7 + 0.02 * (method / 4) as f64);
    let ladder = std::array::from_fn(|method| 0.7 + 0.004 * method as f64);
    let worlds = [("all equal", equal), ("five groups of four", groups), ("a ladder of 0.4 points", ladder)];
    let mut csv = String::from("world,noise,draws,rule,repetitions,joint,false\n");
    for (name, means) in worlds {
        for (noise, skewed) in [("normal", false), ("skewed", true)] {
            for shared in [0.0, 0.02] {
                let world = World { name, means, shared, skewed };
                for paired in [false, true] {
                    let (joint, wrong) = measured(&world, paired);
                    let rule = if paired { "paired" } else { "unpaired" };
                    let draws = if shared > 0.0 { "shared effect" } else { "independent" };
                    writeln!(
                        csv,
                        "{},{noise},{draws},{rule},{REPETITIONS},{joint:.4},{wrong:.4}",
                        world.name
                    )
                    .unwrap();
                }
            }
        }
    }
    print!("{csv}");
    std::fs::write("examples/ranks_coverage.csv", csv).unwrap();
}

fn measured(world: &World, paired: bool) -> (f64, f64) {
    let (mut joint, mut wrong) = (0, 0);
    for repetition in 0..REPETITIONS {
        let mut dice = Dice::new(11, Purpose::Resampling, repetition);
        let scores =
            Scores::checked(&written(world, &mut dice), &Options { paired: Some(paired), score: None })
                .unwrap();
        let ranking = Ranking::of(&scores);
        let set = &ranking.data_sets[0];
        joint += u32::from(holds(set, &world.means));
        wrong += u32::from(errs(set, &world.means));
    }
    (f64::from(joint) / f64::from(REPETITIONS), f64::from(wrong) / f64::from(REPETITIONS))
}

fn written(world: &World, dice: &mut Dice) -> Written {
    let columns = ["dataset", "method", "draw", "score"].map(str::to_string).to_vec();
    let effects: [f64; DRAWS] = std::array::from_fn(|_| world.shared * dice.normal());
    let mut rows = Vec::new();
    for (method, mean) in world.means.iter().enumerate() {
        for (draw, effect) in effects.iter().enumerate() {
            let normal = dice.normal();
            // Of mean 0 and variance 1: a log-normal number of σ = 1/2, mirrored as accuracies near 1 are.
            let noise =
                if world.skewed { ((0.125_f64).exp() - (0.5 * normal).exp()) / 0.604 } else { normal };
            let score = mean + effect + 0.01 * noise;
            rows.push(vec!["d".into(), format!("m{method:02}"), draw.to_string(), score.to_string()]);
        }
    }
    Written { file: "world".into(), columns, rows, ..Written::default() }
}

fn place(name: &str) -> usize {
    name[1..].parse().unwrap()
}

/// Whether every rank interval holds the true rank; of equal methods any rank of their group is true, and the interval must
/// hold all of these.
fn holds(set: &RankedSet, means: &[f64; METHODS]) -> bool {
    set.methods.iter().all(|method| {
        let own = means[place(&method.name)];
        let low = 1 + means.iter().filter(|other| **other > own).count();
        let high = means.iter().filter(|other| **other >= own).count();
        method.places[0].low <= low && high <= method.places[0].high
    })
}

/// Whether neighbours with equal means differ significantly.
fn errs(set: &RankedSet, means: &[f64; METHODS]) -> bool {
    let mean = |place_in_order: usize| means[place(&set.methods[place_in_order].name)];
    set.pairs.iter().any(|pair| mean(pair.a) == mean(pair.b) && pair.p_adjacent.is_some_and(|p| p <= 0.05))
}
