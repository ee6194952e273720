//! The area under the risk-coverage curve (Geifman and El-Yaniv 2017, "Selective Classification for Deep Neural Networks").

use crate::metric::{Direction, Formula, Need, QueryGrade, Record};

/// Errors among the most confident answers.
pub static AURC: Record = Record {
    name: "aurc",
    about: "area under the risk-coverage curve of the in-scope queries",
    direction: Direction::Lower,
    rate: true,
    needs: &[Need::ConfidenceScores],
    with: &[],
    formula: Formula::Episode(|answered| area(answered.queries().iter().filter(|q| q.label.is_some()))),
};

/// The same where accepting an out-of-scope query is an error too.
pub static AURC_OPEN_SET: Record = Record {
    name: "aurc-open-set",
    about: "area under the risk-coverage curve of all queries: an out-of-scope query is an error where it is covered",
    direction: Direction::Lower,
    rate: true,
    needs: &[Need::ConfidenceScores, Need::OosQueries],
    with: &[],
    formula: Formula::Episode(|answered| {
        let area = area(answered.queries().iter());
        area.filter(|_| !answered.oos().is_empty())
    }),
};

/// The mean, over k = 1 … n, of the share of errors among the k most confident answers. Answers of equal confidence stand in
/// random order; this is the expectation over it.
fn area<'a>(queries: impl Iterator<Item = &'a QueryGrade>) -> Option<f64> {
    let mut answers: Vec<(f32, bool)> = queries.map(|q| (q.confidence_score, q.is_correct())).collect();
    answers.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let (mut covered, mut errors, mut area) = (0.0, 0.0, 0.0);
    for equal in answers.chunk_by(|a, b| a.0 == b.0) {
        let wrong = equal.iter().filter(|(_, correct)| !correct).count() as f64;
        for place in 1..=equal.len() {
            area += (errors + wrong * place as f64 / equal.len() as f64) / (covered + place as f64);
        }
        covered += equal.len() as f64;
        errors += wrong;
    }
    (covered > 0.0).then(|| area / covered)
}
