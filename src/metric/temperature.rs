//! Temperature scaling (Guo, Pleiss, Sun and Weinberger 2017, "On Calibration of Modern Neural Networks",
//! arXiv:1706.04599): logits divided by one number, which changes the predicted probabilities and no answer.
//!
//! On frozen features the raw likelihood measures the scale of the features as much as the learner; at the temperature
//! that fits validation classes best, it measures the learner.

use super::grade::{LEAST_PROBABILITY, best};
use crate::view::Answers;
use crate::vocab::Meaning;

/// The lowest temperature that is chosen.
pub const COLDEST: f64 = 1e-4;
/// The highest temperature that is chosen.
pub const HOTTEST: f64 = 1e4;

/// By query and other label, how far its logit lies above that of the truth: all that a likelihood depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Margins {
    others: usize,
    values: Vec<f32>,
}

/// The margins of the scores (episodes × items × way) of a batch, by episode; nothing for rankings, for a single label,
/// or where the scores do not fit the answers.
pub fn margins(values: &[f32], way: usize, meaning: Meaning, answers: &Answers) -> Option<Vec<Margins>> {
    let labels = answers.labels_for_grading();
    if meaning == Meaning::Ranking || way < 2 || values.len() != labels.len() * way {
        return None;
    }
    let mut logits = vec![0.0; way];
    let items = answers.items();
    let mut of_episode = |episode: usize| {
        let labels = &labels[episode * items..(episode + 1) * items];
        let rows = values[episode * items * way..(episode + 1) * items * way].chunks_exact(way);
        let mut values = Vec::with_capacity(items * (way - 1));
        for (row, label) in rows.zip(labels).filter(|(_, label)| **label != Answers::OUTSIDE) {
            fill_logits(row, meaning, 1.0, &mut logits);
            let truth = usize::from(*label);
            let others = logits.iter().enumerate().filter(|(place, _)| *place != truth);
            values.extend(others.map(|(_, logit)| (logit - logits[truth]) as f32));
        }
        Margins { others: way - 1, values }
    };
    Some((0..answers.episodes()).map(&mut of_episode).collect())
}

/// The logits of one query at a temperature.
fn fill_logits(row: &[f32], meaning: Meaning, temperature: f64, out: &mut [f64]) {
    for (out, value) in out.iter_mut().zip(row) {
        let value = f64::from(*value);
        let logit = if meaning == Meaning::Probabilities { value.max(LEAST_PROBABILITY).ln() } else { value };
        *out = logit / temperature;
    }
}

/// The predicted probabilities of one episode with logits divided by a temperature.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaled {
    /// Mean negative log-likelihood of the right labels over the queries.
    pub nll: f64,
    /// By query, the probability of the label that it was given.
    pub confidences: Vec<f32>,
}

/// One episode graded at a temperature.
pub(super) fn scaled(
    values: &[f32],
    way: usize,
    meaning: Meaning,
    labels: &[u16],
    temperature: f64,
) -> Scaled {
    let mut logits = vec![0.0; way];
    let (mut nll, mut confidences) = (0.0, Vec::with_capacity(labels.len()));
    let asked = values.chunks_exact(way).zip(labels).filter(|(_, label)| **label != Answers::OUTSIDE);
    for (row, label) in asked {
        fill_logits(row, meaning, temperature, &mut logits);
        let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mass: f64 = logits.iter().map(|logit| (logit - most).exp()).sum();
        let log = logits[usize::from(*label)] - most - mass.ln();
        nll -= log.max(LEAST_PROBABILITY.ln());
        // The answer is that of the raw scores: a temperature may round two logits to one.
        let probability = (logits[best(row).0] - most).exp() / mass;
        confidences.push((probability as f32).clamp(0.0, 1.0));
    }
    Scaled { nll: nll / confidences.len().max(1) as f64, confidences }
}

/// The temperature, rounded to four digits, at which the mean over episodes of the negative log-likelihood is least.
///
/// In `β = 1/T` the loss is convex, so Newton's method finds its only minimum, with bisection where a step leaves what
/// is known to hold it. Between [`COLDEST`] and [`HOTTEST`]; nothing without a margin.
pub fn best_temperature(episodes: &[Margins]) -> Option<f64> {
    if episodes.iter().all(|margins| margins.values.is_empty()) {
        return None;
    }
    let (mut low, mut high) = (1.0 / HOTTEST, 1.0 / COLDEST);
    let mut beta: f64 = 1.0;
    for _ in 0..100 {
        let (slope, curvature) = slopes(episodes, beta);
        if slope > 0.0 {
            high = beta
        } else {
            low = beta
        }
        let newton = beta - slope / curvature;
        let inside = newton > low && newton < high;
        let next = if inside { newton } else { (low * high).sqrt() };
        let settled = (next - beta).abs() <= 1e-6 * beta;
        beta = next;
        if settled || high / low < 1.0 + 1e-6 {
            break;
        }
    }
    format!("{:.3e}", 1.0 / beta).parse().ok()
}

/// First and second derivative in β of the mean loss `ln(1 + Σ exp(β·m))`.
fn slopes(episodes: &[Margins], beta: f64) -> (f64, f64) {
    let (mut slope, mut curvature) = (0.0, 0.0);
    for episode in episodes {
        let (mut first, mut second) = (0.0, 0.0);
        let queries = episode.values.chunks_exact(episode.others);
        let weight = 1.0 / queries.len().max(1) as f64;
        for query in queries {
            let most = query.iter().fold(0.0f64, |most, m| most.max(beta * f64::from(*m)));
            let (mut mass, mut mean, mut square) = ((-most).exp(), 0.0, 0.0);
            for m in query.iter().map(|m| f64::from(*m)) {
                let weight = (beta * m - most).exp();
                mass += weight;
                mean += weight * m;
                square += weight * m * m;
            }
            mean /= mass;
            first += mean;
            second += square / mass - mean * mean;
        }
        slope += weight * first;
        curvature += weight * second;
    }
    (slope, curvature)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_labels(logits: &[(f32, u16)]) -> Vec<Margins> {
        let values: Vec<f32> = logits.iter().flat_map(|(logit, _)| [*logit, 0.0]).collect();
        let answers =
            Answers::new(1, logits.len(), logits.iter().map(|(_, label)| *label).collect()).unwrap();
        margins(&values, 2, Meaning::Logits, &answers).unwrap()
    }

    #[test]
    fn the_best_temperature_makes_probabilities_come_true() {
        // Logit 3 for label 0, which is right three times in four: the probability is 3/4 at T = 3 / ln 3.
        let found = best_temperature(&two_labels(&[(3.0, 0), (3.0, 0), (3.0, 0), (3.0, 1)])).unwrap();
        assert!((found - 3.0 / 3f64.ln()).abs() < 1e-3, "{found}");
    }

    #[test]
    fn a_learner_that_is_always_right_or_always_wrong_ends_at_a_bound() {
        let right = best_temperature(&two_labels(&[(1.0, 0), (2.0, 0)])).unwrap();
        let wrong = best_temperature(&two_labels(&[(1.0, 1), (2.0, 1)])).unwrap();
        assert!(right <= 0.1 && wrong >= 9_000.0, "{right} {wrong}");
        assert_eq!(best_temperature(&[]), None);
    }

    #[test]
    fn probabilities_are_scaled_through_their_logarithm_and_rankings_not_at_all() {
        let row = [0.8, 0.2];
        let at = |temperature| scaled(&row, 2, Meaning::Probabilities, &[0], temperature);
        assert!((at(1.0).nll + 0.8f64.ln()).abs() < 1e-7);
        // √0.8 : √0.2 = 2 : 1.
        assert!((at(2.0).confidences[0] - 2.0 / 3.0).abs() < 1e-6);
        let answers = Answers::new(1, 1, vec![0]).unwrap();
        assert_eq!(margins(&row, 2, Meaning::Ranking, &answers), None);
    }
}
