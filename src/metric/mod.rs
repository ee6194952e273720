//! Scores and answers in; counts, likelihoods and confidences out.
//!
//! The only room that reads [`Answers`], and it gives back nothing but counts and losses per class.

mod temperature;

use crate::view::Answers;
use crate::vocab::Meaning;

pub use temperature::{COLDEST, HOTTEST, Margins, best_temperature, margins};

/// A claimed probability counts as at least this: one answer that is absurdly sure shall not rule a mean.
const LEAST_PROBABILITY: f64 = 1e-300;

/// How one class of an episode was answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassGrade {
    /// Queries that were given the right label.
    pub correct: u32,
    /// Queries.
    pub total: u32,
    /// Mean negative log-likelihood of the right label in nats, each at most 690.8 (a probability of 1e-300); absent for
    /// rankings and where there is no query.
    pub nll: Option<f64>,
    /// Mean Brier score `Σ_c (p_c − y_c)²`, 0 … 2 (Brier 1950); absent as `nll` is.
    pub brier: Option<f64>,
}

/// How one query was answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QueryGrade {
    /// Its label.
    pub label: u16,
    /// The label it was given.
    pub predicted: u16,
    /// The claimed probability of that label; absent for rankings.
    pub confidence: Option<f32>,
}

/// How one episode was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct EpisodeGrade {
    /// By label.
    pub classes: Vec<ClassGrade>,
    /// By query, in the order in which the learner met them.
    pub queries: Vec<QueryGrade>,
    /// Queries whose best score two labels shared.
    pub ties: u32,
    /// The same claims at another temperature, where one was asked for and the scores are no ranking.
    pub tempered: Option<Tempered>,
}

/// The claims of one episode with logits divided by a temperature (Guo et al. 2017, arXiv:1706.04599).
#[derive(Clone, Debug, PartialEq)]
pub struct Tempered {
    /// Mean negative log-likelihood of the right labels over the queries.
    pub nll: f64,
    /// By query, the claimed probability of the label that it was given.
    pub confidences: Vec<f32>,
}

/// Grades the scores (episodes × items × way) of a batch.
///
/// The label with the highest score is the answer; ties go to the lower label. Nothing when the scores do not fit the
/// answers or a number is not finite.
///
/// ```
/// use kshot::metric::grade;
/// use kshot::view::Answers;
/// use kshot::vocab::Meaning;
///
/// let answers = Answers::new(1, 2, vec![0, 1])?;
/// let grades = grade(&[3.0, 1.0, 2.0, 2.0], 2, Meaning::Ranking, &answers).expect("two queries, two labels");
/// assert_eq!((grades[0].classes[0].correct, grades[0].classes[1].correct, grades[0].ties), (1, 0, 1));
/// # Ok::<(), kshot::tensor::TensorError>(())
/// ```
pub fn grade(values: &[f32], way: usize, meaning: Meaning, answers: &Answers) -> Option<Vec<EpisodeGrade>> {
    grade_at(values, way, meaning, answers, None)
}

/// As [`grade`], and the claims graded a second time at a temperature above 0.
///
/// Of probabilities it is their logarithm that is divided.
pub fn grade_at(
    values: &[f32],
    way: usize,
    meaning: Meaning,
    answers: &Answers,
    temperature: Option<f64>,
) -> Option<Vec<EpisodeGrade>> {
    let labels = answers.labels_for_grading();
    if way == 0 || values.len() != labels.len() * way || values.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let items = answers.items();
    Some(
        (0..answers.episodes())
            .map(|episode| {
                let labels = &labels[episode * items..(episode + 1) * items];
                let values = &values[episode * items * way..(episode + 1) * items * way];
                let mut grade = grade_episode(values, way, meaning, labels);
                if let Some(temperature) = temperature.filter(|_| meaning != Meaning::Ranking) {
                    grade.tempered = Some(temperature::tempered(values, way, meaning, labels, temperature));
                }
                grade
            })
            .collect(),
    )
}

fn grade_episode(values: &[f32], way: usize, meaning: Meaning, labels: &[u16]) -> EpisodeGrade {
    let mut sums = vec![(0u32, 0u32, 0.0f64, 0.0f64); way];
    let mut queries = Vec::with_capacity(labels.len());
    let mut ties = 0;
    let mut probabilities = vec![0.0; way];
    for (row, label) in values.chunks_exact(way).zip(labels) {
        let (best, shared) = best(row);
        ties += u32::from(shared);
        let truth = usize::from(*label);
        let sum = &mut sums[truth];
        sum.0 += u32::from(best == truth);
        sum.1 += 1;
        let log = log_probabilities(row, meaning, &mut probabilities, truth);
        if let Some(log) = log {
            sum.2 -= log;
            let others: f64 = probabilities.iter().map(|p| p * p).sum();
            // Σ_c (p_c − y_c)² = Σ_c p_c² − 2·p_y + 1
            sum.3 += others - 2.0 * probabilities[truth] + 1.0;
        }
        queries.push(QueryGrade {
            label: *label,
            predicted: best as u16,
            confidence: log.map(|_| (probabilities[best] as f32).clamp(0.0, 1.0)),
        });
    }
    let claims = meaning != Meaning::Ranking;
    let class = |(correct, total, nll, brier): &(u32, u32, f64, f64)| {
        let mean = |sum: f64| (claims && *total > 0).then(|| sum / f64::from(*total));
        ClassGrade { correct: *correct, total: *total, nll: mean(*nll), brier: mean(*brier) }
    };
    EpisodeGrade { classes: sums.iter().map(class).collect(), queries, ties, tempered: None }
}

/// The lowest label with the highest score, and whether another label shares it.
fn best(row: &[f32]) -> (usize, bool) {
    let (mut best, mut shared) = (0, false);
    for (label, value) in row.iter().enumerate().skip(1) {
        if *value > row[best] {
            (best, shared) = (label, false);
        } else if *value == row[best] {
            shared = true;
        }
    }
    (best, shared)
}

/// Fills in the probabilities of a query and returns the logarithm of the truth's; nothing for rankings.
fn log_probabilities(row: &[f32], meaning: Meaning, out: &mut [f64], truth: usize) -> Option<f64> {
    match meaning {
        Meaning::Ranking => None,
        Meaning::Probabilities => {
            out.iter_mut().zip(row).for_each(|(o, v)| *o = f64::from(*v));
            Some(out[truth].max(LEAST_PROBABILITY).ln())
        }
        Meaning::Logits => {
            let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let mut sum = 0.0;
            for (o, v) in out.iter_mut().zip(row) {
                *o = f64::from(v - most).exp();
                sum += *o;
            }
            out.iter_mut().for_each(|o| *o /= sum);
            // Not ln(p), which would lose the small ones.
            Some((f64::from(row[truth] - most) - sum.ln()).max(LEAST_PROBABILITY.ln()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(values: &[f32], meaning: Meaning, label: u16) -> EpisodeGrade {
        let answers = Answers::new(1, 1, vec![label]).unwrap();
        grade(values, values.len(), meaning, &answers).unwrap().remove(0)
    }

    #[test]
    fn even_logits_cost_the_logarithm_of_the_way() {
        let grade = one(&[7.0; 4], Meaning::Logits, 2);
        assert!((grade.classes[2].nll.unwrap() - 4f64.ln()).abs() < 1e-12);
        assert!((grade.classes[2].brier.unwrap() - 0.75).abs() < 1e-12);
        assert_eq!((grade.queries[0].predicted, grade.queries[0].confidence, grade.ties), (0, Some(0.25), 1));
        assert_eq!(grade.classes[0], ClassGrade { correct: 0, total: 0, nll: None, brier: None });
    }

    #[test]
    fn probabilities_are_taken_as_they_are() {
        let grade = one(&[0.25, 0.75], Meaning::Probabilities, 1);
        assert!((grade.classes[1].nll.unwrap() + 0.75f64.ln()).abs() < 1e-12);
        assert!((grade.classes[1].brier.unwrap() - 0.125).abs() < 1e-12);
    }

    #[test]
    fn far_logits_do_not_overflow() {
        let grade = one(&[-1e30, 1e30], Meaning::Logits, 0);
        assert!((grade.classes[0].nll.unwrap() - 690.775_527_898).abs() < 1e-6);
    }

    #[test]
    fn rankings_claim_nothing_and_bad_numbers_are_refused() {
        let grade = one(&[1.0, 2.0], Meaning::Ranking, 1);
        assert_eq!((grade.classes[1].nll, grade.queries[0].confidence), (None, None));
        let answers = Answers::new(1, 1, vec![0]).unwrap();
        assert!(super::grade(&[f32::NAN, 0.0], 2, Meaning::Logits, &answers).is_none());
        assert!(super::grade(&[0.0; 3], 2, Meaning::Logits, &answers).is_none());
    }
}
