//! `trials.csv`: every setting that a selection tried, and how it did.

use serde::{Deserialize, Serialize};

use super::cells;
use super::rows::{NO_INTERVAL, header};
use crate::stats::{Interval, Population};

/// A trial of a learner.
#[derive(Clone, Debug)]
pub struct TrialRow {
    /// Name of the protocol.
    pub protocol: String,
    /// Name of the learner.
    pub learner: String,
    /// Name of the feature set.
    pub features: String,
    /// The number of the trial, from 0.
    pub trial: usize,
    /// All parameters as one text.
    pub parameters: String,
    /// On what the choice is made.
    pub by: &'static str,
    /// Mean accuracy.
    pub score: Option<f64>,
    /// Its sampler interval.
    pub interval: Option<Interval>,
    /// What it took.
    pub seconds: Option<f64>,
    /// Whether it was chosen.
    pub chosen: bool,
}

/// A row of `trials.csv`: one per learner and trial, in the order of the trials; trial 0 is the default.
///
/// `score` is the mean accuracy on the episodes of the selection, with its `sampler` interval. All are empty where each
/// support set chooses for itself. `seconds` is the time of one worker, that of shared work shared out evenly.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct TrialCells {
    protocol: String,
    learner: String,
    features: String,
    trial: u64,
    parameters: String,
    selection: String,
    #[serde(serialize_with = "cells::optional")]
    score: Option<f64>,
    interval: String,
    #[serde(serialize_with = "cells::optional")]
    low: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    high: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    confidence_level: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    seconds: Option<f64>,
    chosen: String,
}

/// The bytes of `trials.csv`.
pub fn trials_file(rows: impl IntoIterator<Item = TrialRow>) -> Vec<u8> {
    let mut bytes = format!("{}\n", header::<TrialCells>(false)).into_bytes();
    cells::append(&mut bytes, rows.into_iter().map(TrialCells::from));
    bytes
}

impl From<TrialRow> for TrialCells {
    fn from(row: TrialRow) -> TrialCells {
        let interval = row.interval;
        TrialCells {
            protocol: row.protocol,
            learner: row.learner,
            features: row.features,
            trial: row.trial as u64,
            parameters: row.parameters,
            selection: row.by.to_string(),
            score: row.score,
            interval: interval.map_or(NO_INTERVAL, |_| Population::Sampler.word()).to_string(),
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
            confidence_level: interval.map(|interval| interval.level),
            seconds: row.seconds,
            chosen: if row.chosen { "yes" } else { "no" }.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_without_a_score_has_empty_cells() {
        let row = TrialRow {
            protocol: "p".to_string(),
            learner: "svm".to_string(),
            features: "f".to_string(),
            trial: 1,
            parameters: "c=1,transform=l2n".to_string(),
            by: "support-cv",
            score: None,
            interval: None,
            seconds: None,
            chosen: false,
        };
        let interval = Some(Interval { low: 0.25, high: 0.75, level: 0.95 });
        let scored = TrialRow {
            by: "validation",
            score: Some(0.5),
            interval,
            seconds: Some(2.5),
            chosen: true,
            ..row.clone()
        };
        let expected = "protocol,learner,features,trial,parameters,selection,score,interval,low,high,confidence_level,seconds,chosen\n\
                        p,svm,f,1,\"c=1,transform=l2n\",support-cv,,none,,,,,no\n\
                        p,svm,f,1,\"c=1,transform=l2n\",validation,0.5,sampler,0.25,0.75,0.95,2.5,yes\n";
        assert_eq!(String::from_utf8(trials_file([row, scored])).unwrap(), expected);
    }
}
