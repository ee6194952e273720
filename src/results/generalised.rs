//! Seen and unseen classes among the same candidates: accuracies on either side, and the curve between them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::rows::{CurveCells, SideCells};
use super::table::TableKey;
use super::tally::{EpisodeOutcome, Measured};
use crate::stats::{self, Standing, TradeOff};
use crate::vocab::{ClassId, Metric};

/// How one query stands between the seen and the unseen candidates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QueryStanding {
    /// Its class.
    pub class: ClassId,
    /// The highest score of a seen class minus that of an unseen one, before stacking.
    pub margin: f32,
    /// Whether its class has the highest score among those of its own side.
    pub right: bool,
}

/// The two sides of a table while it fills.
#[derive(Debug)]
pub(super) struct Generalised {
    seen: Arc<[bool]>,
    /// Correct answers and queries by class.
    counts: BTreeMap<ClassId, (u64, u64)>,
    standings: Vec<Standing>,
}

impl Generalised {
    pub(super) fn new(seen: Arc<[bool]>) -> Generalised {
        Generalised { seen, counts: BTreeMap::new(), standings: Vec::new() }
    }

    fn is_seen(&self, class: ClassId) -> bool {
        self.seen.get(class.index()).copied().unwrap_or(false)
    }

    pub(super) fn episode(&mut self, outcome: &EpisodeOutcome) {
        for class in &outcome.classes {
            let count = self.counts.entry(class.class).or_default();
            count.0 += u64::from(class.correct);
            count.1 += u64::from(class.total);
        }
    }

    pub(super) fn margins(&mut self, margins: &[QueryStanding]) {
        let standing = |m: &QueryStanding| Standing {
            class: m.class.0,
            seen: self.is_seen(m.class),
            margin: f64::from(m.margin),
            right: m.right,
        };
        let all: Vec<Standing> = margins.iter().map(standing).collect();
        self.standings.extend(all);
    }

    /// The curve between the two sides.
    pub(super) fn curve(&self) -> TradeOff {
        TradeOff::of(&self.standings)
    }

    /// `seen` and `unseen` are means over the classes of a side of the accuracy that each has over all its queries of the
    /// draw, `harmonic` is the harmonic mean of the two, and `ausuc` the area under the curve over all queries of the draw.
    /// None has an interval.
    pub(super) fn measures(&self) -> Vec<Measured> {
        let side = |seen: bool| {
            let of_side =
                self.counts.iter().filter(|(class, (_, total))| self.is_seen(**class) == seen && *total > 0);
            let rates: Vec<f64> =
                of_side.map(|(_, (correct, total))| *correct as f64 / *total as f64).collect();
            stats::mean(&rates).unwrap_or(0.0)
        };
        let (seen, unseen) = (side(true), side(false));
        [
            (Metric::Seen, seen),
            (Metric::Unseen, unseen),
            (Metric::Harmonic, stats::harmonic(seen, unseen)),
            (Metric::Ausuc, self.curve().area()),
        ]
        .map(|(metric, value)| Measured { metric: metric.word(), value, interval: None })
        .into()
    }

    /// The rows of `stacking.csv`: the curve point by point.
    pub(super) fn rows(&self) -> Vec<CurveCells> {
        let curve = self.curve();
        let cells = curve.points().iter().map(|point| CurveCells {
            gamma: Some(point.from).filter(|from| from.is_finite()),
            seen: point.seen,
            unseen: point.unseen,
        });
        cells.collect()
    }

    /// The rows of `seen.csv`: the classes that occurred, each with its side.
    pub(super) fn sides(&self, key: &TableKey, names: &[String]) -> Vec<SideCells> {
        let cells = self.counts.keys().map(|class| SideCells {
            protocol: key.protocol.clone(),
            dataset: key.dataset.clone(),
            class: names.get(class.index()).cloned().unwrap_or_default(),
            side: if self.is_seen(*class) { "seen" } else { "unseen" }.to_string(),
        });
        cells.collect()
    }
}
