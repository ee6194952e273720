//! Measures of the table of labels and answers of an episode. Out-of-scope queries are no part of it.
//!
//! A share of nothing counts as 0, as with scikit-learn's `zero_division = 0`, so that every episode has a value.

use crate::metric::{Direction, EpisodeAnswers, Formula, Record};

/// The mean over labels.
pub static MACRO_F1: Record = Record {
    name: "macro-f1",
    about: "harmonic mean of precision and recall of each label of an episode that occurs as truth or answer, averaged over labels",
    direction: Direction::Higher,
    rate: true,
    needs: &[],
    with: &[],
    formula: Formula::Episode(|answered| Some(Table::of(answered).f1(|_| 1.0))),
};

/// The mean over queries.
pub static WEIGHTED_F1: Record = Record {
    name: "weighted-f1",
    about: "harmonic mean of precision and recall of each label of an episode, averaged with the number of its queries",
    direction: Direction::Higher,
    rate: true,
    needs: &[],
    with: &[],
    formula: Formula::Episode(|answered| Some(Table::of(answered).f1(|truths| truths))),
};

/// Recall, where every label counts alike.
pub static BALANCED_ACCURACY: Record = Record {
    name: "balanced-accuracy",
    about: "recall of each label of an episode that has queries, averaged over labels",
    direction: Direction::Higher,
    rate: true,
    needs: &[],
    with: &[],
    formula: Formula::Episode(|answered| {
        let table = Table::of(answered);
        let met = |label: &usize| table.truths[*label] > 0.0;
        let recalls: Vec<f64> =
            (0..table.way).filter(met).map(|label| table.right(label) / table.truths[label]).collect();
        Some(share(recalls.iter().sum(), recalls.len() as f64))
    }),
};

/// Agreement beyond chance (Cohen 1960, "A Coefficient of Agreement for Nominal Scales").
pub static COHEN_KAPPA: Record = Record {
    name: "cohen-kappa",
    about: "agreement of answers and labels of an episode beyond what equal marginals would give by chance, at most 1",
    direction: Direction::Higher,
    rate: false,
    needs: &[],
    with: &[],
    formula: Formula::Episode(|answered| {
        let table = Table::of(answered);
        let (total, right) = (table.total(), table.all_right());
        let chance = table.products() / total.max(1.0);
        Some(share(right - chance, total - chance))
    }),
};

/// The correlation of answers and labels (Gorodkin 2004, "Comparing two K-category assignments by a K-category correlation coefficient").
pub static MATTHEWS: Record = Record {
    name: "matthews",
    about: "correlation of answers and labels of an episode, −1 to 1",
    direction: Direction::Higher,
    rate: false,
    needs: &[],
    with: &[],
    formula: Formula::Episode(|answered| {
        let table = Table::of(answered);
        let total = table.total();
        let squares = |counts: &[f64]| total * total - counts.iter().map(|c| c * c).sum::<f64>();
        let both = (squares(&table.truths) * squares(&table.answers)).sqrt();
        Some(share(table.all_right() * total - table.products(), both))
    }),
};

/// Counts of an episode: labels and answers of its in-scope queries.
struct Table {
    way: usize,
    /// (way × way): the truth down, the answer across.
    counts: Vec<f64>,
    truths: Vec<f64>,
    answers: Vec<f64>,
}

impl Table {
    fn of(answered: &EpisodeAnswers<'_>) -> Table {
        let way = answered.way();
        let (mut counts, mut truths, mut answers) = (vec![0.0; way * way], vec![0.0; way], vec![0.0; way]);
        for query in answered.queries() {
            let Some(label) = query.label.map(usize::from) else { continue };
            let answer = usize::from(query.predicted);
            counts[label * way + answer] += 1.0;
            truths[label] += 1.0;
            answers[answer] += 1.0;
        }
        Table { way, counts, truths, answers }
    }

    fn right(&self, label: usize) -> f64 {
        self.counts[label * self.way + label]
    }

    fn all_right(&self) -> f64 {
        (0..self.way).map(|label| self.right(label)).sum()
    }

    fn total(&self) -> f64 {
        self.truths.iter().sum()
    }

    /// Σ truths · answers.
    fn products(&self) -> f64 {
        self.truths.iter().zip(&self.answers).map(|(t, a)| t * a).sum()
    }

    /// The F1 of the labels that occur, averaged with weights by their number of queries.
    fn f1(&self, weight: impl Fn(f64) -> f64) -> f64 {
        let occurs = |label: &usize| self.truths[*label] + self.answers[*label] > 0.0;
        let (mut sum, mut weights) = (0.0, 0.0);
        for label in (0..self.way).filter(occurs) {
            let weight = weight(self.truths[label]);
            sum += weight * share(2.0 * self.right(label), self.truths[label] + self.answers[label]);
            weights += weight;
        }
        share(sum, weights)
    }
}

/// A share of a whole; 0 of nothing.
fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
