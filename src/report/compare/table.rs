//! The ranked table of a block, and that of several data sets.

use super::words::{Unit, p_words, percent, seed_words, unit_words};
use super::{Block, Comparison, Contender, Inference, Pair, Ranking};
use crate::metric::Need;
use crate::report::Grid;
use crate::stats::Population;

/// Stands where there is nothing.
const ABSENT: &str = "–";

impl Comparison {
    /// The ranked table of a block: methods in rows, their margins of error and groups for these and for new classes side
    /// by side; with a baseline, the differences from it instead.
    pub fn grid(&self, block: &Block) -> Grid {
        let unit = Unit::of(self.metric);
        let shown = if self.metric.is_rate() { " in percent" } else { "" };
        let mut grid = match &self.baseline {
            None => self.ranked(block, unit),
            Some(baseline) => self.against(block, baseline, unit),
        };
        grid.title = format!(
            "{}: {}{shown}, {} episodes, {} classes{}",
            block.title(),
            self.metric,
            block.episodes,
            block.classes,
            block.clusters.map(|clusters| format!(" in {clusters} clusters")).unwrap_or_default()
        );
        grid.notes.extend(block.notes.iter().cloned());
        if block.sequential {
            let note =
                "episodes were drawn until intervals were narrow: those for these classes are sequential";
            grid.notes.push(note.to_string());
        }
        let identical = |names: Vec<&str>| {
            format!(
                "identical, and tested once: {} (the same outcome in every episode and class)",
                names.join(", ")
            )
        };
        grid.notes.extend(block.identical().into_iter().map(identical));
        grid.notes.extend(seed_words(block));
        for name in &block.lacking {
            let why = if self.metric.needs(Need::ConfidenceScores) { "has" } else { "only ranks and has" };
            grid.notes.push(format!("{name} {why} no {}", self.metric));
        }
        grid
    }

    fn ranked(&self, block: &Block, unit: Unit) -> Grid {
        let these = "± these classes".to_string();
        let new = format!("± {}", new(block));
        let head = ["rank", "method", self.metric.name(), &these, "group", &new, "group"];
        let mut lines = vec![head.map(str::to_string).to_vec()];
        for (place, method) in block.methods.iter().enumerate() {
            let letters = |group: &Option<String>| group.clone().unwrap_or(ABSENT.to_string());
            lines.push(vec![
                (place + 1).to_string(),
                method.name.clone(),
                unit.number(method.value),
                margin(method, Population::Sampler, unit),
                letters(&method.group),
                margin(method, Population::Classes, unit),
                letters(&method.class_group),
            ]);
        }
        let level = percent(block.level);
        let mut notes = vec![
            format!("± margin of error ({level} CI) of each method alone; {}", glosses(block)),
            format!(
                "methods that share a letter are not significantly different (paired tests, Holm over all pairs of {}, {level})",
                block.protocol
            ),
        ];
        notes.extend(undefined(block));
        Grid { title: String::new(), lines, left: 2, notes }
    }

    fn against(&self, block: &Block, baseline: &str, unit: Unit) -> Grid {
        let these = "± these classes".to_string();
        let new = format!("± {}", new(block));
        let head = ["method", self.metric.name(), "difference", &these, "verdict", &new, "verdict"];
        let mut lines = vec![head.map(str::to_string).to_vec()];
        for (place, method) in block.methods.iter().enumerate() {
            let mut line = vec![method.name.clone(), unit.number(method.value)];
            match block.pair_of(place) {
                Some(pair) => line.extend(difference(pair, unit)),
                None if method.name == baseline => line.extend(std::iter::repeat_n(ABSENT.to_string(), 5)),
                None => {
                    let cells = [&unit.number(0.0), ABSENT, "identical", ABSENT, "identical"];
                    line.extend(cells.map(str::to_string));
                }
            }
            lines.push(line);
        }
        let level = percent(block.level);
        let mut notes = vec![
            format!(
                "differences are method − {baseline}, ± margin of error ({level} CI) of the paired difference"
            ),
            glosses(block),
            format!(
                "verdicts after Holm over all methods against {baseline} in {}{}",
                block.protocol,
                within(block, unit)
            ),
        ];
        notes.extend(undefined(block));
        Grid { title: String::new(), lines, left: 1, notes }
    }
}

/// What equivalent means.
fn within(block: &Block, unit: Unit) -> String {
    let within = |margin| format!("; equivalent means within ±{}", unit.chosen(margin));
    block.margin.map(within).unwrap_or_default()
}

/// The cells of a difference: its value, and a margin and a verdict for these and for new classes.
fn difference(pair: &Pair, unit: Unit) -> Vec<String> {
    let mut cells = vec![unit.signed(pair.difference)];
    for population in [Population::Sampler, Population::Classes] {
        let inference = pair.inference(population);
        let arms = |inference: &Inference| inference.interval.arms(pair.difference, |arm| unit.number(arm));
        cells.push(inference.map_or(ABSENT.to_string(), arms));
        cells.push(inference.map_or(ABSENT.to_string(), |i| i.verdict.word().to_string()));
    }
    cells
}

impl Ranking {
    /// Mean ranks over data sets.
    pub fn grid(&self) -> Grid {
        let mut lines = vec![["method", "mean rank", "group"].map(str::to_string).to_vec()];
        for method in &self.methods {
            let group = method.group.clone().unwrap_or(ABSENT.to_string());
            lines.push(vec![method.name.clone(), format!("{:.2}", method.rank), group]);
        }
        let title = format!(
            "Mean ranks over {} data sets (way {}, shot {}, query {}): {}",
            self.data_sets.len(),
            self.way,
            self.shot,
            self.query,
            self.data_sets.join(", ")
        );
        let notes = vec![
            format!(
                "Friedman: chi-squared = {:.2}, {}; Iman and Davenport: {}",
                self.friedman.chi_squared,
                p_words(self.friedman.p),
                p_words(self.friedman.iman_davenport_p)
            ),
            match self.methods.iter().any(|method| method.group.is_some()) {
                true => format!(
                    "methods that share a letter are not significantly different (Nemenyi, critical difference {:.2})",
                    self.critical_difference
                ),
                false => format!(
                    "too few data sets for a rank test: mean ranks of {} methods differ by {} at most, and the critical \
                     difference is {:.2}; look at each data set by itself",
                    self.methods.len(),
                    self.methods.len() - 1,
                    self.critical_difference
                ),
            },
        ];
        Grid { title, lines, left: 1, notes }
    }
}

/// The margin of error of a method's own mean.
fn margin(method: &Contender, population: Population, unit: Unit) -> String {
    let found = method.intervals.iter().filter_map(|measured| measured.interval);
    let interval = found.filter(|(of, _)| *of == population).map(|(_, interval)| interval).next();
    interval.map_or(ABSENT.to_string(), |interval| interval.arms(method.value, |arm| unit.number(arm)))
}

/// What the two margins are for, said once.
fn glosses(block: &Block) -> String {
    let items = if block.repeat { "" } else { ", and new items (open), because no item repeats" };
    format!("these classes: {}{items}; {}: others of their kind", Population::Sampler.meaning(), new(block))
}

/// What the second statement is about.
fn new(block: &Block) -> String {
    format!("new {}", unit_words(block.clusters.is_some()).1)
}

/// Why there is nothing about new classes, told once.
fn undefined(block: &Block) -> Option<String> {
    let of_classes = |pair: &Pair| {
        let finding = pair.findings.iter().find(|finding| finding.population == Population::Classes)?;
        finding.outcome.as_ref().err().cloned()
    };
    let reason = block.pairs.iter().find_map(of_classes)?;
    Some(format!("nothing about {}: {reason}", new(block)))
}
