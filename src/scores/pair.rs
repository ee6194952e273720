//! Two methods on one data set: the difference of their means, and how sure it is.

use super::checked::Method;
use crate::rng::{Purpose, Stream};
use crate::stats::{self, Estimate};

/// The level of intervals.
pub(super) const LEVEL: f64 = 0.95;
/// Rounds of the sign-flip test where not all signs can be tried: 2^14 − 1, so that up to 14 draws are tried in every way.
const ROUNDS: u64 = (1 << 14) - 1;

/// How draws are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// As independent samples: Welch's t.
    Unpaired,
    /// Draw by draw: Student's t of the differences, on the draws that both methods have. Methods that share fewer than two
    /// are independent samples under this rule as well.
    Paired,
}

impl Rule {
    /// The word in result files.
    pub fn word(self) -> &'static str {
        match self {
            Rule::Unpaired => "unpaired",
            Rule::Paired => "paired",
        }
    }
}

/// The difference of two methods.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The difference of the means, with its standard error over draws, and over queries too where the file has them.
    pub estimate: Estimate,
    /// The p-value of the t-test.
    pub p: f64,
    /// The draws that it stands on, of the method with fewer of them.
    pub draws: usize,
    /// Whether it is made draw by draw.
    pub paired: bool,
}

impl Difference {
    /// Compares two methods; `None` where nothing varies: every draw has one score, or one difference, and nothing is known of
    /// other draws.
    pub(super) fn of(a: &Method, b: &Method, rule: Rule) -> Option<Difference> {
        let differences = if rule == Rule::Paired { shared(a, b) } else { Vec::new() };
        let paired = differences.len() >= 2;
        let (over_draws, draws) = if paired {
            (stats::of_mean(&differences)?, differences.len())
        } else {
            (stats::welch(&a.scores(), &b.scores())?, a.draws.len().min(b.draws.len()))
        };
        // Rounding of a mean gives equal numbers a spread in the last digits.
        let scale =
            a.draws.values().chain(b.draws.values()).fold(0.0_f64, |most, score| most.max(score.abs()));
        if over_draws.standard_error <= 1e-12 * scale {
            return None;
        }
        // Draws and queries are crossed. The sum of both variances counts what is left of a single answer twice, which
        // makes the interval a little wide.
        let estimate = match over_queries(a, b) {
            Some(queries) => stats::combined(over_draws.value, over_draws, queries),
            None => over_draws,
        };
        Some(Difference { estimate, p: estimate.test(0.0).p, draws, paired })
    }

    /// The interval of the difference; `None` where it has no spread that an interval could be made of.
    pub fn interval(&self) -> Option<stats::Interval> {
        self.estimate.interval(LEVEL)
    }
}

/// The p-value of the sign-flip test of shared draws, which assumes nothing of their distribution.
pub(super) fn sign_flip_p(a: &Method, b: &Method, pair: u32) -> Option<f64> {
    let mut stream = Stream::new(0, Purpose::Resampling, pair);
    stats::sign_flip(&shared(a, b), ROUNDS + 1, move || stream.bits()).map(|test| test.p)
}

/// a − b, draw by draw, where both have the draw.
fn shared(a: &Method, b: &Method) -> Vec<f64> {
    a.draws.iter().filter_map(|(draw, score)| Some(score - b.draws.get(draw)?)).collect()
}

fn over_queries(a: &Method, b: &Method) -> Option<Estimate> {
    let both = a.queries.iter().filter_map(|(query, answer)| Some(answer - b.queries.get(query)?));
    stats::of_mean(&both.collect::<Vec<f64>>())
}
