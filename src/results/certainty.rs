//! How certain a learner was of its answers in one episode, measured.

use super::text::{float, whole};
use crate::vocab::Metric;

/// Columns of `certainty.csv` behind those that all tables begin with: one row per episode.
pub(super) const MEASURES: [Metric; 6] = [
    Metric::AccuracyAt95,
    Metric::Aurc,
    Metric::AurcOutside,
    Metric::Auroc,
    Metric::FprAt95,
    Metric::OutsideRecall,
];

/// The certainties of one episode, measured.
#[derive(Clone, Debug, PartialEq)]
pub struct CertaintyOutcome {
    /// The episode.
    pub episode: u32,
    /// Queries of the task.
    pub inside: u32,
    /// Queries outside of it.
    pub outside: u32,
    /// The least certainty with which an answer is accepted, where a threshold was set.
    pub threshold: Option<f32>,
    /// Each measure that is defined, as a fraction.
    pub values: Vec<(Metric, f64)>,
}

impl CertaintyOutcome {
    /// Appends its row of `certainty.csv`, line end included; `lead` is what all rows of a table begin with.
    pub fn write(&self, lead: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(lead);
        for count in [self.episode, self.inside, self.outside] {
            whole(out, u64::from(count));
            out.push(b',');
        }
        float(out, self.threshold.map(f64::from));
        for metric in MEASURES {
            out.push(b',');
            float(out, self.values.iter().find(|(m, _)| *m == metric).map(|(_, value)| *value));
        }
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::rows::CERTAINTY_COLUMNS;

    #[test]
    fn the_columns_are_the_measures_in_their_order() {
        let measures: Vec<&str> = MEASURES.iter().map(|metric| metric.word()).collect();
        assert!(CERTAINTY_COLUMNS.ends_with(&measures.join(",")), "{CERTAINTY_COLUMNS}");
        assert!(Metric::ALL.iter().all(|metric| metric.is_of_certainty() == MEASURES.contains(metric)));
        let outcome = CertaintyOutcome {
            episode: 3,
            inside: 75,
            outside: 0,
            threshold: None,
            values: vec![(Metric::Aurc, 0.25)],
        };
        let mut row = Vec::new();
        outcome.write(b"p,l,,1,", &mut row);
        assert_eq!(String::from_utf8(row).unwrap(), "p,l,,1,3,75,0,,,0.25,,,,\n");
        assert_eq!(CERTAINTY_COLUMNS.split(',').count(), 17);
    }
}
