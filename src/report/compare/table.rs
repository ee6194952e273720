//! The ranked table of a block, and that of several data sets.

use super::words::{Unit, p_words, percent, unit_words};
use super::{Block, Comparison, Ranking};
use crate::metric::Need;
use crate::report::Grid;
use crate::report::compare::Contender;
use crate::stats::Population;

/// Stands where there is nothing.
const ABSENT: &str = "–";

impl Comparison {
    /// The ranked table of a block: groups that cannot be told apart, for the sampler and for new classes side by side;
    /// with a baseline, the differences from it instead.
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
        if block.sequential {
            let note =
                "episodes were drawn until intervals were narrow: those for these classes are sequential";
            grid.notes.push(note.to_string());
        }
        for name in &block.lacking {
            let why = if self.metric.needs(Need::ConfidenceScores) { "has" } else { "only ranks and has" };
            grid.notes.push(format!("{name} {why} no {}", self.metric));
        }
        grid
    }

    fn ranked(&self, block: &Block, unit: Unit) -> Grid {
        let new = new(block);
        let head = ["rank", "learner", self.metric.name(), "these classes", "group", new.as_str(), "group"];
        let mut lines = vec![head.map(str::to_string).to_vec()];
        for (place, learner) in block.learners.iter().enumerate() {
            let letters = |group: &Option<String>| group.clone().unwrap_or(ABSENT.to_string());
            lines.push(vec![
                (place + 1).to_string(),
                learner.name.clone(),
                unit.number(learner.value),
                half(learner, Population::Sampler, unit),
                letters(&learner.group),
                half(learner, Population::Classes, unit),
                letters(&learner.class_group),
            ]);
        }
        let level = percent(block.level);
        let mut notes = vec![
            format!(
                "± half of the {level} interval of each learner alone: over episodes of these classes and items, and for {new}"
            ),
            format!(
                "learners that share a letter cannot be told apart by paired tests (Holm over all pairs of {}, {level})",
                block.protocol
            ),
        ];
        notes.extend(undefined(block));
        Grid { title: String::new(), lines, left: 2, notes }
    }

    fn against(&self, block: &Block, baseline: &str, unit: Unit) -> Grid {
        let new = new(block);
        let head = [
            "learner",
            self.metric.name(),
            "difference",
            "these classes",
            "verdict",
            new.as_str(),
            "verdict",
        ];
        let mut lines = vec![head.map(str::to_string).to_vec()];
        for (place, learner) in block.learners.iter().enumerate() {
            let mut line = vec![learner.name.clone(), unit.number(learner.value)];
            match block.pairs.iter().find(|pair| pair.a == place) {
                Some(pair) => {
                    line.push(unit.number(pair.difference));
                    for population in [Population::Sampler, Population::Classes] {
                        let inference = pair.inference(population);
                        let ends = inference.map(|i| {
                            format!("{} to {}", unit.number(i.interval.low), unit.number(i.interval.high))
                        });
                        line.push(ends.unwrap_or(ABSENT.to_string()));
                        line.push(inference.map_or(ABSENT.to_string(), |i| i.verdict.word().to_string()));
                    }
                }
                None => line.extend(std::iter::repeat_n(ABSENT.to_string(), 5)),
            }
            lines.push(line);
        }
        let level = percent(block.level);
        let mut notes = vec![
            format!(
                "differences are learner − {baseline}; {level} intervals of the paired difference, for these classes and items and for {new}"
            ),
            format!(
                "verdicts after Holm over all learners against {baseline} in {}{}",
                block.protocol,
                self.within(unit)
            ),
        ];
        notes.extend(undefined(block));
        Grid { title: String::new(), lines, left: 1, notes }
    }

    fn within(&self, unit: Unit) -> String {
        let within = |smallest| format!("; equivalent means within ±{}", unit.chosen(smallest));
        self.smallest.map(within).unwrap_or_default()
    }
}

impl Ranking {
    /// Mean ranks over data sets.
    pub fn grid(&self) -> Grid {
        let mut lines = vec![["learner", "mean rank", "group"].map(str::to_string).to_vec()];
        for learner in &self.learners {
            lines.push(vec![learner.name.clone(), format!("{:.2}", learner.rank), learner.group.clone()]);
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
            format!(
                "learners that share a letter cannot be told apart (Nemenyi, critical difference {:.2})",
                self.critical_difference
            ),
        ];
        Grid { title, lines, left: 1, notes }
    }
}

/// Half of an interval of a learner's own mean.
fn half(learner: &Contender, population: Population, unit: Unit) -> String {
    let found = learner.intervals.iter().filter_map(|measured| measured.interval);
    let interval = found.filter(|(of, _)| *of == population).map(|(_, interval)| interval).next();
    interval.map_or(ABSENT.to_string(), |interval| format!("± {}", unit.number(interval.half_width())))
}

/// What the second statement is about.
fn new(block: &Block) -> String {
    format!("new {}", unit_words(block.clusters.is_some()).1)
}

/// Why there is nothing about new classes, told once.
fn undefined(block: &Block) -> Option<String> {
    let findings = block.pairs.iter().flat_map(|pair| &pair.findings);
    let mut reasons = findings.filter_map(|finding| finding.outcome.as_ref().err());
    reasons.next().map(|reason| format!("nothing about {}: {reason}", new(block)))
}
