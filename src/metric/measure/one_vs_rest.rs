//! How well the score of each label tells its queries from the others, averaged over labels that have both.
//!
//! Scores are probabilities where a learner gives them: those of different queries are then comparable.

use crate::metric::{Direction, EpisodeAnswers, Formula, Record};

/// The area under the receiver operating characteristic of each label against the rest (Hand and Till 2001 name its kin).
pub static OVR_AUROC: Record = Record {
    name: "ovr-auroc",
    about: "area under the ROC curve of each label's score against the rest of an episode, averaged over labels",
    direction: Direction::Higher,
    rate: true,
    needs: &[],
    with: &[],
    formula: Formula::Episode(|answered| Some(over_labels(answered, auroc))),
};

/// The precision where each query of a label is reached, averaged (Manning, Raghavan and Schütze 2008, section 8.4).
pub static AVERAGE_PRECISION: Record = Record {
    name: "average-precision",
    about: "average precision of each label's score against the rest of an episode, averaged over labels",
    direction: Direction::Higher,
    rate: true,
    needs: &[],
    with: &[],
    formula: Formula::Episode(|answered| Some(over_labels(answered, average_precision))),
};

/// The mean of a measure of (score, of the label) pairs, highest first, over labels with queries of theirs and of others; 0 of none.
fn over_labels(answered: &EpisodeAnswers<'_>, of: fn(&[(f32, bool)]) -> f64) -> f64 {
    let mut values = Vec::new();
    for label in 0..answered.way() {
        let column = answered.scored().filter_map(|(truth, row)| Some((*row.get(label)?, truth == label)));
        let mut column: Vec<(f32, bool)> = column.collect();
        let own = column.iter().filter(|(_, own)| *own).count();
        if own > 0 && own < column.len() {
            column.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
            values.push(of(&column));
        }
    }
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The probability that a query of the label is above another; equal ones count half.
fn auroc(column: &[(f32, bool)]) -> f64 {
    let own = column.iter().filter(|(_, own)| *own).count() as f64;
    let (mut above, mut won) = (0.0, 0.0);
    for equal in column.chunk_by(|a, b| a.0 == b.0) {
        let here = equal.iter().filter(|(_, own)| *own).count() as f64;
        let others = equal.len() as f64 - here;
        won += others * (above + here / 2.0);
        above += here;
    }
    won / (own * (column.len() as f64 - own))
}

/// Σ (recall − recall before) · precision, over distinct scores.
fn average_precision(column: &[(f32, bool)]) -> f64 {
    let own = column.iter().filter(|(_, own)| *own).count() as f64;
    let (mut met, mut right, mut sum) = (0.0, 0.0, 0.0);
    for equal in column.chunk_by(|a, b| a.0 == b.0) {
        let here = equal.iter().filter(|(_, own)| *own).count() as f64;
        met += equal.len() as f64;
        right += here;
        sum += here / own * right / met;
    }
    sum
}
