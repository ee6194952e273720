//! `trials.csv`: every setting that a selection tried, and how it did.

use super::text::{float, text, whole};
use crate::stats::{Interval, Population};

/// Columns of `trials.csv`: one row per learner and trial, in the order of the trials; trial 0 is the default.
///
/// `score` is the mean accuracy on the episodes of the selection, with its `sampler` interval. All are empty where each
/// support set chooses for itself. `seconds` is the time of one worker, that of shared work shared out evenly.
pub const TRIAL_COLUMNS: &str =
    "protocol,learner,trial,parameters,selection,score,interval,low,high,level,seconds,chosen";

/// A row of `trials.csv`.
#[derive(Clone, Copy, Debug)]
pub struct TrialRow<'a> {
    /// Name of the protocol.
    pub protocol: &'a str,
    /// Name of the learner.
    pub learner: &'a str,
    /// The number of the trial, from 0.
    pub trial: usize,
    /// All parameters as one text.
    pub parameters: &'a str,
    /// On what the choice is made.
    pub by: &'a str,
    /// Mean accuracy.
    pub score: Option<f64>,
    /// Its sampler interval.
    pub interval: Option<Interval>,
    /// What it took.
    pub seconds: Option<f64>,
    /// Whether it was chosen.
    pub chosen: bool,
}

impl TrialRow<'_> {
    /// Appends the row, line end included.
    pub fn write(&self, out: &mut Vec<u8>) {
        text(out, self.protocol);
        out.push(b',');
        text(out, self.learner);
        out.push(b',');
        whole(out, self.trial as u64);
        for cell in [self.parameters, self.by] {
            out.push(b',');
            text(out, cell);
        }
        out.push(b',');
        float(out, self.score);
        out.push(b',');
        text(out, self.interval.map_or("none", |_| Population::Sampler.word()));
        for number in
            [self.interval.map(|i| i.low), self.interval.map(|i| i.high), self.interval.map(|i| i.level)]
        {
            out.push(b',');
            float(out, number);
        }
        out.push(b',');
        float(out, self.seconds);
        out.extend_from_slice(if self.chosen { b",yes\n" } else { b",no\n" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_without_a_score_has_empty_cells() {
        let row = TrialRow {
            protocol: "p",
            learner: "svm",
            trial: 1,
            parameters: "c=1,transform=l2n",
            by: "support-cv",
            score: None,
            interval: None,
            seconds: None,
            chosen: false,
        };
        let mut out = Vec::new();
        row.write(&mut out);
        let interval = Some(Interval { low: 0.25, high: 0.75, level: 0.95 });
        TrialRow { by: "validation", score: Some(0.5), interval, seconds: Some(2.5), chosen: true, ..row }
            .write(&mut out);
        let expected = "p,svm,1,\"c=1,transform=l2n\",support-cv,,none,,,,,no\n\
                        p,svm,1,\"c=1,transform=l2n\",validation,0.5,sampler,0.25,0.75,0.95,2.5,yes\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let width = |line: &str| line.replace("c=1,transform", "").split(',').count();
        assert!(expected.lines().all(|line| width(line) == width(TRIAL_COLUMNS)));
    }
}
