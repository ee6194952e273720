//! The claims of one table at a selected temperature, while it is computed.

use super::calibration::{Bin, Confidences, ece};
use super::part::Part;
use super::tally::{EpisodeOutcome, Measured, Tally};

/// Claims at one temperature, beside those of the table itself.
#[derive(Debug)]
pub(super) struct Tempered {
    pub(super) temperature: f64,
    tally: Tally,
    confidences: Confidences,
    pub(super) rows: Part,
}

impl Tempered {
    pub(super) fn new(temperature: f64, rows: Part) -> Tempered {
        Tempered { temperature, tally: Tally::default(), confidences: Confidences::default(), rows }
    }

    /// Takes an episode in: its outcome with the loss of every class replaced by that of the episode, so that means and
    /// intervals over episodes are those of the tempered loss.
    pub(super) fn push(
        &mut self,
        outcome: &EpisodeOutcome,
        nll: f64,
        claims: &[(f32, bool)],
    ) -> Result<(), &'static str> {
        let mut outcome = outcome.clone();
        for class in &mut outcome.classes {
            class.nll = (class.total > 0).then_some(nll);
        }
        self.tally.push(&outcome)?;
        let taken = claims.iter().all(|(claim, correct)| self.confidences.push(*claim, *correct));
        if taken { Ok(()) } else { Err("a confidence must lie between 0 and 1") }
    }

    /// The measures at this temperature, the bins, and the rows of `tempered.csv`.
    pub(super) fn finish(self, level: f64, repeat: bool) -> (Vec<Measured>, Vec<Bin>, Part) {
        let bins = self.confidences.bins();
        let named = |measured: Measured| match measured.metric {
            "nll" => Some(Measured { metric: "nll-tempered", ..measured }),
            "ece" => Some(Measured { metric: "ece-tempered", ..measured }),
            _ => None,
        };
        let measures = self.tally.measures(level, repeat, ece(&bins));
        let mut measures: Vec<Measured> = measures.into_iter().filter_map(named).collect();
        measures.push(Measured { metric: "temperature", value: self.temperature, interval: None });
        (measures, bins, self.rows)
    }
}
