//! Checks of digits: what changes nothing on paper changes nothing in single precision either.
//!
//! Features of large networks often have a few columns that are large and nearly constant; those of others are tiny or huge.
//! A learner that squares them without care answers at chance, and nothing else tells.

use super::subject::{SEED, Subject};
use super::toy::{Size, Toy};
use crate::learner::Change;
use crate::rng::{Purpose, Stream};

const SIZE: Size<'_> = Size { shots: &[3; 5], query: 10, dim: 16 };
/// Episodes of a check: 1,000 queries.
const EPISODES: u32 = 20;
/// Answers of 1,000 that may differ: features of single precision are rounded after a change, which decides ties.
const BORNE: usize = 1;
/// What two columns of features of large networks have in common, where others vary by 1.
const COMMON: f32 = 3000.0;

/// A rotation of all features changes no answer, of ordinary features and of those with large, nearly constant columns.
pub(super) fn rotation(subject: &Subject) -> Result<(), String> {
    if !subject.declares(Change::Rotation) {
        return Ok(());
    }
    let ordinary = toys();
    let nearly_constant: Vec<Toy> = toys()
        .into_iter()
        .map(|toy| toy.map_rows(|row| row.iter_mut().take(2).for_each(|x| *x += COMMON)))
        .collect();
    let axis = axis();
    let rotated = |toys: &[Toy]| -> Vec<Toy> {
        toys.iter().map(|toy| toy.clone().map_all(|row| reflect(row, &axis))).collect()
    };
    same(subject, &ordinary, &rotated(&ordinary), "after a rotation")?;
    let what = "after a rotation of features with two large, nearly constant columns";
    same(subject, &nearly_constant, &rotated(&nearly_constant), what)
}

/// A large constant on a column changes no answer.
pub(super) fn shift(subject: &Subject) -> Result<(), String> {
    if !subject.declares(Change::Shift) {
        return Ok(());
    }
    let toys = toys();
    // The column is constant, so that the constant takes no digits from it.
    let with = |value: f32| -> Vec<Toy> {
        toys.iter().map(|toy| toy.clone().map_rows(|row| row[3] = value)).collect()
    };
    [1.0, -3000.0, 65_536.0, 1e7].into_iter().try_for_each(|constant| {
        same(subject, &with(0.0), &with(constant), &format!("with a constant column of {constant}"))
    })
}

/// A factor on all features changes no answer.
pub(super) fn scale(subject: &Subject) -> Result<(), String> {
    if !subject.declares(Change::Scale) {
        return Ok(());
    }
    let toys = toys();
    [-60, 60].into_iter().try_for_each(|exponent| {
        let scaled = toys.iter().map(|toy| toy.clone().map(|x| x * 2f32.powi(exponent))).collect::<Vec<_>>();
        same(subject, &toys, &scaled, &format!("with all features times 2^{exponent}"))
    })
}

fn toys() -> Vec<Toy> {
    (0..EPISODES).map(|number| Toy::ordinary(300 + number, SIZE)).collect()
}

/// A unit vector.
fn axis() -> Vec<f64> {
    let mut stream = Stream::new(0, Purpose::Dataset, 29);
    let values: Vec<f64> = (0..SIZE.dim).map(|_| stream.normal()).collect();
    let norm = values.iter().map(|v| v * v).sum::<f64>().sqrt();
    values.iter().map(|v| v / norm).collect()
}

/// The mirror image of a row (Householder 1958): `x − 2a(a·x)`.
fn reflect(row: &mut [f32], axis: &[f64]) {
    let along: f64 = row.iter().zip(axis).map(|(x, a)| f64::from(*x) * a).sum();
    row.iter_mut().zip(axis).for_each(|(x, a)| *x = (f64::from(*x) - 2.0 * a * along) as f32);
}

/// Fails where the changed episodes get other answers than the plain ones.
fn same(subject: &Subject, plain: &[Toy], changed: &[Toy], what: &str) -> Result<(), String> {
    let numbers: Vec<u32> = (0..EPISODES).collect();
    let answers = |toys: &[Toy]| -> Result<Vec<usize>, String> {
        let sheets = subject.batch(&toys.iter().collect::<Vec<_>>(), &numbers, SEED)?;
        Ok(sheets.iter().flat_map(|sheet| sheet.values.chunks_exact(sheet.way).map(best)).collect())
    };
    let (before, after) = (answers(plain)?, answers(changed)?);
    let differ = before.iter().zip(&after).filter(|(a, b)| a != b).count();
    if differ > BORNE {
        return Err(format!("{differ} of {} queries get another answer {what}", before.len()));
    }
    Ok(())
}

/// The label of the largest score, of equals the first.
fn best(row: &[f32]) -> usize {
    (0..row.len()).fold(0, |best, label| if row[label] > row[best] { label } else { best })
}
