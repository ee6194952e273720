//! Seen and unseen classes among the same candidates: accuracies on either side, and the curve between them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Measured;
use super::class_level::{self, ClassRow};
use super::rows::{CurveCells, SideCells};
use super::table::TableKey;
use crate::metric::Metric;
use crate::stats::{Population, Standing, TradeOff};
use crate::vocab::ClassId;

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

/// Beyond so many queries times classes an interval of the area would take longer than the evaluation.
const MOST_WORK: usize = 20_000_000;

/// The two sides of a table while it fills.
#[derive(Debug)]
pub(super) struct Generalised {
    seen: Arc<[bool]>,
    standings: Vec<Standing>,
}

impl Generalised {
    pub(super) fn new(seen: Arc<[bool]>) -> Generalised {
        Generalised { seen, standings: Vec::new() }
    }

    fn is_seen(&self, class: ClassId) -> bool {
        self.seen.get(class.index()).copied().unwrap_or(false)
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

    /// The area under the curve with its interval for new classes; `None` where there is none, or too much to compute.
    pub(super) fn ausuc(&self, classes: &[(ClassId, ClassRow)], level: f64) -> Option<Measured> {
        if classes.len() * self.standings.len() > MOST_WORK {
            return None;
        }
        let places: BTreeMap<u32, usize> =
            classes.iter().enumerate().map(|(place, (class, _))| (class.0, place)).collect();
        let rows: Vec<ClassRow> = classes.iter().map(|(_, row)| *row).collect();
        let estimate = class_level::over_units(&rows, Metric::AUSUC.range(), |keep| {
            let kept =
                self.standings.iter().filter(|of| places.get(&of.class).is_some_and(|place| keep(*place)));
            Some(TradeOff::of(&kept.copied().collect::<Vec<_>>()).area())
        })?;
        Measured::of(Metric::AUSUC, Population::Classes, &estimate, level)
    }

    /// The rows of `seen_unseen_curve.csv`: the curve point by point.
    pub(super) fn rows(curve: &TradeOff) -> Vec<CurveCells> {
        let cells = curve.points().iter().map(|point| CurveCells {
            gamma: Some(point.from).filter(|from| from.is_finite()),
            seen: point.seen,
            unseen: point.unseen,
        });
        cells.collect()
    }

    /// The rows of `seen.csv`: the classes that occurred, each with its side.
    pub(super) fn sides(
        &self,
        key: &TableKey,
        classes: impl Iterator<Item = ClassId>,
        names: &[String],
    ) -> Vec<SideCells> {
        let cells = classes.map(|class| SideCells {
            protocol: key.protocol.clone(),
            dataset: key.dataset.clone(),
            class: names.get(class.index()).cloned().unwrap_or_default(),
            side: if self.is_seen(class) { "seen" } else { "unseen" }.to_string(),
        });
        cells.collect()
    }
}
