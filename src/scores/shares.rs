//! How much of a ranking survives: shares of adjacent ranks, of small gaps, and of top tens that differ significantly.

use super::pair::Rule;
use super::ranking::RankedPair;
use crate::stats;

/// Places of a top list.
const TOP: usize = 10;
/// Points of a gap that is called small.
const SMALL: f64 = 2.0;
/// The level of tests.
pub(super) const ALPHA: f64 = 0.05;

/// Some of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Those that differ significantly.
    pub apart: u64,
    /// All.
    pub of: u64,
}

impl Share {
    fn add(&mut self, apart: bool) {
        self.apart += u64::from(apart);
        self.of += 1;
    }

    /// The share, between 0 and 1; absent of nothing.
    pub fn value(self) -> Option<f64> {
        (self.of > 0).then(|| self.apart as f64 / self.of as f64)
    }

    fn sum(self, other: Share) -> Share {
        Share { apart: self.apart + other.apart, of: self.of + other.of }
    }
}

/// What survives of one ranking under one rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Survival {
    /// How draws are compared.
    pub rule: Rule,
    /// Whether p-values are Holm's, over the tests of the same kind in the data set.
    pub holm: bool,
    /// Neighbours in rank.
    pub adjacent: Share,
    /// Pairs of methods whose means are at most two points apart.
    pub small_gaps: Share,
    /// Members of the top ten against the eleventh.
    pub top_ten: Share,
}

impl Survival {
    /// Of the pairs of one data set; `point` is a hundredth on its scale.
    pub(super) fn of(pairs: &[RankedPair], rule: Rule, holm: bool, point: f64) -> Survival {
        let kind = |wanted: &dyn Fn(&&RankedPair) -> bool| {
            share(pairs.iter().filter(|pair| pair.rule == rule).filter(wanted), holm)
        };
        Survival {
            rule,
            holm,
            adjacent: kind(&|pair| pair.b == pair.a + 1),
            // A gap of exactly two points must not depend on the last digit of a mean.
            small_gaps: kind(&|pair| pair.difference.estimate.value.abs() <= SMALL * point * (1.0 + 1e-9)),
            top_ten: kind(&|pair| pair.a < TOP && pair.b == TOP),
        }
    }

    /// Both together.
    pub(super) fn sum(self, other: Survival) -> Survival {
        Survival {
            adjacent: self.adjacent.sum(other.adjacent),
            small_gaps: self.small_gaps.sum(other.small_gaps),
            top_ten: self.top_ten.sum(other.top_ten),
            ..self
        }
    }
}

fn share<'a>(pairs: impl Iterator<Item = &'a RankedPair>, holm: bool) -> Share {
    let p: Vec<f64> = pairs.map(|pair| pair.difference.p).collect();
    let p = if holm { stats::holm(&p).unwrap_or_default() } else { p };
    let mut share = Share::default();
    p.iter().for_each(|p| share.add(*p <= ALPHA));
    share
}
