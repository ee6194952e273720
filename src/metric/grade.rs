//! Scores held against answers.

use super::record::{Metric, Predicted};
use super::temperature::{self, Scaled};
use crate::numbers::exp_all;
use crate::view::Answers;
use crate::vocab::{Confidence, Meaning};

/// A probability counts as at least this: one answer that is absurdly sure shall not rule a mean.
pub(super) const LEAST_PROBABILITY: f64 = 1e-300;

/// How one class of an episode was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassGrade {
    /// Queries that were given the right label.
    pub correct: u32,
    /// Queries.
    pub total: u32,
}

/// How one query was answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QueryGrade {
    /// Its label; nothing for an out-of-scope query.
    pub label: Option<u16>,
    /// The label it was given.
    pub predicted: u16,
    /// The predicted probability of that label; absent for rankings.
    pub confidence: Option<f32>,
    /// What orders answers from doubtful to safe: the natural logarithm of the largest probability, or the largest
    /// score, as the learner declares.
    pub confidence_score: f32,
}

impl QueryGrade {
    /// Whether it was given its label.
    pub fn is_correct(&self) -> bool {
        self.label == Some(self.predicted)
    }
}

/// How one episode was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct EpisodeGrade {
    /// By label.
    pub classes: Vec<ClassGrade>,
    /// By label, and for each by the metrics of [`Metric::of_classes`]: their means over its queries, nothing where it has
    /// none. Empty for rankings.
    pub values: Vec<Option<f64>>,
    /// By query, in the order in which the learner met them, out-of-scope ones among them.
    pub queries: Vec<QueryGrade>,
    /// By query, and for each by label: the predicted probability, or the score where it only ranks.
    pub scores: Vec<f32>,
    /// In-scope queries whose best score two labels shared.
    pub ties: u32,
    /// The probabilities at another temperature, where one was asked for and the scores are no ranking.
    pub scaled: Option<Scaled>,
    /// The share of its support items that are given their own label, where that was asked for.
    pub support_accuracy: Option<f64>,
}

impl EpisodeGrade {
    /// The value of a metric of predicted probabilities for the queries of a label.
    pub fn value(&self, label: usize, metric: Metric) -> Option<f64> {
        let metrics = Metric::of_classes();
        let place = metrics.iter().position(|known| *known == metric)?;
        self.values.get(label * metrics.len() + place).copied().flatten()
    }
}

/// Grades the scores (episodes × items × way) of a batch, of which `confidence` says what the confidence score of an answer is.
///
/// Out-of-scope queries are answered and never counted. The label with the highest score is the answer; ties go to the
/// lower label. Nothing when the scores do not fit the answers or a number is not finite.
///
/// ```
/// use kshot::metric::grade;
/// use kshot::view::Answers;
/// use kshot::vocab::{Confidence, Meaning};
///
/// let answers = Answers::new(1, 2, vec![0, 1])?;
/// let grades = grade(&[3.0, 1.0, 2.0, 2.0], 2, Meaning::Ranking, Confidence::Score, &answers);
/// let grades = grades.expect("two queries, two labels");
/// assert_eq!((grades[0].classes[0].correct, grades[0].classes[1].correct, grades[0].ties), (1, 0, 1));
/// # Ok::<(), kshot::tensor::TensorError>(())
/// ```
pub fn grade(
    values: &[f32],
    way: usize,
    meaning: Meaning,
    confidence: Confidence,
    answers: &Answers,
) -> Option<Vec<EpisodeGrade>> {
    grade_at(values, way, meaning, confidence, answers, None)
}

/// As [`grade`], and the probabilities graded a second time at a temperature above 0.
///
/// Of probabilities it is their logarithm that is divided.
pub fn grade_at(
    values: &[f32],
    way: usize,
    meaning: Meaning,
    confidence: Confidence,
    answers: &Answers,
    temperature: Option<f64>,
) -> Option<Vec<EpisodeGrade>> {
    let labels = answers.labels_for_grading();
    if way == 0 || values.len() != labels.len() * way || values.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let items = answers.items();
    let bests: Vec<(usize, bool)> = values.chunks_exact(way).map(best).collect();
    let mut probabilities = unnormalised(values, way, meaning, &bests);
    let metrics = Metric::of_classes();
    Some(
        (0..answers.episodes())
            .map(|episode| {
                let labels = &labels[episode * items..(episode + 1) * items];
                let values = &values[episode * items * way..(episode + 1) * items * way];
                let bests = &bests[episode * items..(episode + 1) * items];
                let probabilities = &mut probabilities[episode * items * way..(episode + 1) * items * way];
                let scores = (values, bests, probabilities);
                let mut grade = grade_episode(scores, way, (meaning, confidence), labels, &metrics);
                if let Some(temperature) = temperature.filter(|_| meaning != Meaning::Ranking) {
                    grade.scaled = Some(temperature::scaled(values, way, meaning, labels, temperature));
                }
                grade
            })
            .collect(),
    )
}

/// The share of items that are given their own label, of those of an episode that have one: scores (items × way) and their labels, in
/// the order of the items; nothing without any.
pub fn accuracy_of(values: &[f32], way: usize, labels: &[u16]) -> Option<f64> {
    let rows = values.chunks_exact(way.max(1)).zip(labels);
    let right = rows.filter(|(row, label)| best(row).0 == usize::from(**label)).count();
    (!labels.is_empty()).then(|| right as f64 / labels.len() as f64)
}

/// Grades the scores of one episode, with the best label of each query and what its probabilities are made of.
fn grade_episode(
    (values, bests, probabilities): (&[f32], &[(usize, bool)], &mut [f64]),
    way: usize,
    (meaning, confidence): (Meaning, Confidence),
    labels: &[u16],
    metrics: &[Metric],
) -> EpisodeGrade {
    let mut classes = vec![ClassGrade { correct: 0, total: 0 }; way];
    let mut sums = vec![0.0; if meaning == Meaning::Ranking { 0 } else { way * metrics.len() }];
    let mut queries = Vec::with_capacity(labels.len());
    let mut ties = 0;
    let rows = values.chunks_exact(way).zip(probabilities.chunks_exact_mut(way)).zip(bests);
    for (((row, probabilities), (best, shared)), label) in rows.zip(labels) {
        let (best, shared) = (*best, *shared);
        let largest = normalised(probabilities, meaning, best);
        let label = (*label != Answers::OUTSIDE).then_some(*label);
        if let Some(label) = label.map(usize::from) {
            ties += u32::from(shared);
            classes[label].correct += u32::from(best == label);
            classes[label].total += 1;
            if let Some(largest) = largest {
                // Not ln(p), which would lose the small ones.
                let log = match meaning {
                    Meaning::Logits => largest + f64::from(row[label] - row[best]),
                    _ => probabilities[label].ln(),
                };
                let log_probability = log.max(LEAST_PROBABILITY.ln());
                let predicted = Predicted { probabilities, label, log_probability };
                let sums = &mut sums[label * metrics.len()..(label + 1) * metrics.len()];
                for (sum, value) in sums.iter_mut().zip(metrics.iter().map(|m| m.of_query(&predicted))) {
                    *sum += value.unwrap_or(f64::NAN);
                }
            }
        }
        queries.push(QueryGrade {
            label,
            predicted: best as u16,
            confidence: largest.map(|_| (probabilities[best] as f32).clamp(0.0, 1.0)),
            confidence_score: match (confidence, largest) {
                (Confidence::Probability, Some(largest)) => largest as f32,
                (Confidence::Lead, _) => lead(row, best),
                _ => row[best],
            },
        });
    }
    let mean = |(place, sum): (usize, &f64)| {
        let total = classes[place / metrics.len()].total;
        (total > 0).then(|| sum / f64::from(total))
    };
    let means = sums.iter().enumerate().map(mean).collect();
    let scores = match meaning {
        Meaning::Ranking => values.to_vec(),
        _ => probabilities.iter().map(|p| *p as f32).collect(),
    };
    EpisodeGrade { classes, values: means, queries, scores, ties, scaled: None, support_accuracy: None }
}

/// How far the best score lies above the mean of the labels' scores.
fn lead(row: &[f32], best: usize) -> f32 {
    let mean = row.iter().map(|v| f64::from(*v)).sum::<f64>() / row.len() as f64;
    (f64::from(row[best]) - mean) as f32
}

/// The lowest label with the highest score, and whether another label shares it.
pub(super) fn best(row: &[f32]) -> (usize, bool) {
    // Without branches: which label wins is what a processor cannot foretell.
    let most = row.iter().fold(f32::NEG_INFINITY, |most, value| if *value > most { *value } else { most });
    let (mut best, mut holders) = (0, 0u32);
    for (label, value) in row.iter().enumerate().rev() {
        best = if *value == most { label } else { best };
        holders += u32::from(*value == most);
    }
    (best, holders > 1)
}

/// By query and label, what probabilities are made of: themselves, or of logits the exponential of the distance to the
/// best; zeros for rankings.
fn unnormalised(values: &[f32], way: usize, meaning: Meaning, bests: &[(usize, bool)]) -> Vec<f64> {
    match meaning {
        Meaning::Ranking => vec![0.0; values.len()],
        Meaning::Probabilities => values.iter().map(|v| f64::from(*v)).collect(),
        Meaning::Logits => {
            let mut out = Vec::with_capacity(values.len());
            for (row, (best, _)) in values.chunks_exact(way).zip(bests) {
                out.extend(row.iter().map(|v| f64::from(v - row[*best])));
            }
            exp_all(&mut out);
            out
        }
    }
}

/// Turns what a query's probabilities are made of into them, and returns the logarithm of the largest, which is at `best`; nothing for
/// rankings.
fn normalised(parts: &mut [f64], meaning: Meaning, best: usize) -> Option<f64> {
    match meaning {
        Meaning::Ranking => None,
        Meaning::Probabilities => Some(parts[best].max(LEAST_PROBABILITY).ln()),
        Meaning::Logits => {
            // That of the best is 1 and stays out of the sum, which is small where the answer is sure.
            parts[best] = 0.0;
            let others: f64 = parts.iter().sum();
            parts[best] = 1.0;
            let share = 1.0 / (1.0 + others);
            parts.iter_mut().for_each(|part| *part *= share);
            Some(-others.ln_1p())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(values: &[f32], meaning: Meaning, label: u16) -> EpisodeGrade {
        let answers = Answers::new(1, 1, vec![label]).unwrap();
        grade(values, values.len(), meaning, Confidence::Probability, &answers).unwrap().remove(0)
    }

    #[test]
    fn a_lead_does_not_see_what_all_scores_have_in_common() {
        let answers = Answers::new(1, 1, vec![0]).unwrap();
        let lead = |row: &[f32]| {
            let grades = grade(row, row.len(), Meaning::Ranking, Confidence::Lead, &answers).unwrap();
            grades[0].queries[0].confidence_score
        };
        assert_eq!((lead(&[-0.25, -1.0, -1.0]), lead(&[0.75, 0.0, 0.0])), (0.5, 0.5));
    }

    #[test]
    fn even_logits_cost_the_logarithm_of_the_way() {
        let grade = one(&[7.0; 4], Meaning::Logits, 2);
        assert!((grade.value(2, Metric::NLL).unwrap() - 4f64.ln()).abs() < 1e-12);
        assert!((grade.value(2, Metric::BRIER).unwrap() - 0.75).abs() < 1e-12);
        assert_eq!((grade.queries[0].predicted, grade.queries[0].confidence, grade.ties), (0, Some(0.25), 1));
        assert_eq!(grade.classes[0], ClassGrade { correct: 0, total: 0 });
        assert_eq!((grade.value(0, Metric::NLL), grade.value(0, Metric::BRIER)), (None, None));
    }

    #[test]
    fn probabilities_are_taken_as_they_are() {
        let grade = one(&[0.25, 0.75], Meaning::Probabilities, 1);
        assert!((grade.value(1, Metric::NLL).unwrap() + 0.75f64.ln()).abs() < 1e-12);
        assert!((grade.value(1, Metric::BRIER).unwrap() - 0.125).abs() < 1e-12);
    }

    #[test]
    fn far_logits_do_not_overflow() {
        let grade = one(&[-1e30, 1e30], Meaning::Logits, 0);
        assert!((grade.value(0, Metric::NLL).unwrap() - 690.775_527_898).abs() < 1e-6);
    }

    #[test]
    fn rankings_have_no_probabilities_and_bad_numbers_are_refused() {
        let grade = one(&[1.0, 2.0], Meaning::Ranking, 1);
        assert_eq!((grade.value(1, Metric::NLL), grade.queries[0].confidence), (None, None));
        let answers = Answers::new(1, 1, vec![0]).unwrap();
        assert!(super::grade(&[f32::NAN, 0.0], 2, Meaning::Logits, Confidence::Score, &answers).is_none());
        assert!(super::grade(&[0.0; 3], 2, Meaning::Logits, Confidence::Score, &answers).is_none());
    }

    #[test]
    fn an_out_of_scope_query_is_answered_and_never_counted() {
        let answers = Answers::new(1, 2, vec![Answers::OUTSIDE, 1]).unwrap();
        let values = [2.0, 2.0, 0.0, 1.0];
        let graded = grade(&values, 2, Meaning::Logits, Confidence::Probability, &answers).unwrap().remove(0);
        assert_eq!(graded.classes.iter().map(|class| class.total).collect::<Vec<_>>(), [0, 1]);
        assert_eq!((graded.ties, graded.queries[0].label, graded.queries[0].is_correct()), (0, None, false));
        assert!(graded.queries[1].is_correct());
        let alone = one(&values[2..], Meaning::Logits, 1);
        assert_eq!(graded.classes, alone.classes);
    }

    #[test]
    fn the_confidence_score_is_the_logarithm_of_the_largest_probability_or_the_largest_score() {
        let score = |meaning, confidence| {
            let answers = Answers::new(1, 1, vec![0]).unwrap();
            grade(&[0.25, 0.75], 2, meaning, confidence, &answers).unwrap()[0].queries[0].confidence_score
        };
        assert_eq!(score(Meaning::Probabilities, Confidence::Probability), 0.75f32.ln());
        let logits = score(Meaning::Logits, Confidence::Probability);
        assert!((logits + (-0.5f32).exp().ln_1p()).abs() < 1e-7, "{logits}");
        assert_eq!(score(Meaning::Logits, Confidence::Score), 0.75);
        assert_eq!(score(Meaning::Ranking, Confidence::Probability), 0.75);
        // Probabilities so near to one that they are equal still differ in their logarithms.
        let far = |x: f32| one(&[0.0, x], Meaning::Logits, 1).queries[0].confidence_score;
        assert!(far(40.0) < far(41.0) && far(41.0) < 0.0);
    }
}
