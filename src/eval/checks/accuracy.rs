//! Checks of accuracy: on noise there is nothing to learn, and classes far apart are learned without an error.

use super::subject::{SEED, Sheet, Subject};
use super::toy::{Size, Toy};
use crate::metric::{EpisodeGrade, grade};
use crate::view::Answers;
use crate::vocab::Confidence;

const EPISODES: u32 = 600;
/// Where each episode is a training; means then vary more by the root of the ratio.
const FEW_EPISODES: u32 = 60;
const WAY: usize = 5;
/// The accuracy of an episode of 75 noise queries has a standard deviation of 0.046, their mean one of 0.0019.
const TOLERANCE: f64 = 0.01;
/// A label's share of the answers varies more, because a support item may lie near the middle of all queries.
const SHARE_TOLERANCE: f64 = 0.04;

/// Noise is answered at chance, and no label is preferred.
pub(super) fn noise(subject: &Subject) -> Result<(), String> {
    let size = Size { shots: &[1; WAY], query: 15, dim: 16 };
    let episodes = if subject.takes_long() { FEW_EPISODES } else { EPISODES };
    let wider = f64::from(EPISODES / episodes).sqrt();
    let (tolerance, share_tolerance) = (wider * TOLERANCE, wider * SHARE_TOLERANCE);
    let toys: Vec<Toy> = (0..episodes).map(|number| Toy::noise(1_000 + number, size)).collect();
    let (mut correct, mut chosen, mut total) = (0.0, [0.0; WAY], 0.0);
    for (batch, toys) in toys.chunks(50).enumerate() {
        for grade in graded(subject, toys, batch as u32 * 50)? {
            correct += grade.classes.iter().map(|c| f64::from(c.correct)).sum::<f64>();
            total += grade.queries.len() as f64;
            grade.queries.iter().for_each(|q| chosen[usize::from(q.predicted)] += 1.0);
        }
    }
    let chance = 1.0 / WAY as f64;
    let accuracy = correct / total;
    if (accuracy - chance).abs() > tolerance {
        return Err(format!(
            "accuracy {accuracy:.4} over {episodes} episodes, expected {chance} within {tolerance}"
        ));
    }
    match chosen.iter().position(|count| (count / total - chance).abs() > share_tolerance) {
        Some(label) => {
            let share = chosen[label] / total;
            Err(format!("label {label} is given to a share of {share:.4} of all queries, expected {chance}"))
        }
        None => Ok(()),
    }
}

/// Classes that lie far apart are told apart without an error.
pub(super) fn far_apart(subject: &Subject) -> Result<(), String> {
    for (name, size) in [
        ("2-way 1-shot", Size { shots: &[1; 2], query: 10, dim: 16 }),
        ("5-way 5-shot", Size { shots: &[5; WAY], query: 5, dim: 16 }),
        ("20-way 1-shot", Size { shots: &[1; 20], query: 2, dim: 32 }),
    ] {
        let apart = |number| {
            // Each class lies on an axis of its own, 60 standard deviations from the origin.
            let centre = |label: usize| (0..size.dim).map(|d| if d == label { 60.0 } else { 0.0 }).collect();
            match subject.weighs_columns_alike() {
                false => Toy::round(number, size, |_, label| centre(label)),
                true => Toy::round(number, size, |stream, _| {
                    (0..size.dim).map(|_| 60.0 * stream.normal()).collect()
                }),
            }
        };
        let toys: Vec<Toy> = (2_000..2_010).map(apart).collect();
        for (episode, grade) in graded(subject, &toys, 0)?.iter().enumerate() {
            let wrong = grade.queries.iter().position(|q| !q.is_correct());
            if let Some((item, label)) = wrong.and_then(|item| Some((item, grade.queries[item].label?))) {
                let predicted = grade.queries[item].predicted;
                return Err(format!(
                    "{name}: item {item} of episode {episode} has label {label} and is given {predicted}"
                ));
            }
        }
    }
    Ok(())
}

fn graded(subject: &Subject, toys: &[Toy], first: u32) -> Result<Vec<EpisodeGrade>, String> {
    let refs: Vec<&Toy> = toys.iter().collect();
    let numbers: Vec<u32> = (first..).take(toys.len()).collect();
    let sheets = subject.batch(&refs, &numbers, SEED)?;
    let labels: Vec<u16> = toys.iter().flat_map(|toy| toy.query.iter().map(|e| e.label)).collect();
    let answers = Answers::new(toys.len(), labels.len() / toys.len(), labels).map_err(|e| e.to_string())?;
    let values: Vec<f32> = sheets.iter().flat_map(|sheet: &Sheet| sheet.values.iter().copied()).collect();
    grade(&values, sheets[0].way, sheets[0].meaning, Confidence::Probability, &answers)
        .ok_or_else(|| "scores that cannot be graded".to_string())
}
