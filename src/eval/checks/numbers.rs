//! Checks of numbers: what a learner takes, and what its scores may be.

use super::subject::{SEED, Sheet, Subject};
use super::toy::{Size, Toy};
use crate::vocab::Meaning;

const SIZE: Size<'_> = Size { shots: &[3; 5], query: 3, dim: 16 };

/// One ordinary episode is answered at all.
pub(super) fn ordinary(subject: &Subject) -> Result<(), String> {
    subject.one(&Toy::ordinary(20, SIZE)).map(|_| ())
}

/// The episodes at the corners of what a protocol may ask for, each with its name.
fn corner_episodes() -> Vec<(&'static str, Toy)> {
    let sizes = [
        ("2-way 1-shot", Size { shots: &[1; 2], query: 15, dim: 16 }),
        ("20-way 5-shot", Size { shots: &[5; 20], query: 2, dim: 16 }),
        ("20-way 5-shot with more columns than support items", Size { shots: &[5; 20], query: 1, dim: 128 }),
        ("unequal shots", Size { shots: &[1, 9, 2, 5, 1], query: 3, dim: 16 }),
        ("one dimension", Size { shots: &[2; 5], query: 3, dim: 1 }),
        ("one dimension, 2-way 1-shot", Size { shots: &[1; 2], query: 1, dim: 1 }),
    ];
    let mut all: Vec<(&str, Toy)> = sizes.map(|(name, size)| (name, Toy::ordinary(21, size))).into();
    let mut single = Toy::ordinary(22, SIZE);
    single.query.truncate(1);
    all.push(("one query", single));
    all
}

/// Every item gets one finite number per label, whatever the size of the episode.
pub(super) fn answers(subject: &Subject) -> Result<(), String> {
    if !subject.setting().needs_support() {
        let toy = Toy { support: Vec::new(), ..Toy::ordinary(21, SIZE) };
        subject.one(&toy).map_err(|found| format!("shot 0: {found}"))?;
    }
    for (name, toy) in corner_episodes() {
        subject.one(&toy).map_err(|found| format!("{name}: {found}"))?;
    }
    Ok(())
}

/// Features far from ordinary never give scores that are not finite.
pub(super) fn finite(subject: &Subject) -> Result<(), String> {
    let toy = Toy::ordinary(23, SIZE);
    let mut origin = toy.clone();
    origin.support[0].features.fill(0.0);
    origin.query[0].features.fill(0.0);
    let cases = [
        ("an item of zeros on either side", origin),
        ("all items zero", toy.clone().map(|_| 0.0)),
        ("all items equal", toy.clone().map(|_| 1.5)),
        ("features of 1e-15", toy.clone().map(|x| x * 1e-15)),
        ("features of 1e6", toy.map(|x| x * 1e6)),
    ];
    for (name, toy) in cases {
        match subject.one(&toy) {
            // A training that ends with a refusal gives no scores.
            Err(found) if subject.takes_long() && found.contains("the training diverges") => {}
            other => other.map(drop).map_err(|found| format!("{name}: {found}"))?,
        }
    }
    Ok(())
}

/// NaN and infinity are refused by an error that names the item.
pub(super) fn refuses(subject: &Subject) -> Result<(), String> {
    let toy = Toy::ordinary(24, SIZE);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let (mut support, mut query) = (toy.clone(), toy.clone());
        // The whole row, so that a transform before the learner cannot move it to another column.
        support.support[4].features.fill(bad);
        query.query[4].features.fill(bad);
        let mut sides = vec![("query", query)];
        if subject.setting().uses_support() {
            sides.push(("support", support));
        }
        if subject.setting().uses_class_embeddings() {
            let mut toy = toy.clone();
            toy.vectors[4].fill(bad);
            match subject.one(&toy) {
                Err(error) if error.contains("label 4 ") => {}
                Err(error) => return Err(format!("a class embedding of {bad} gave the error `{error}`")),
                Ok(_) => return Err(format!("scores for a class embedding of {bad}")),
            }
        }
        for (side, toy) in sides {
            match subject.one(&toy) {
                Ok(_) => return Err(format!("scores for a {side} item of {bad}")),
                Err(error) if !error.contains("item 4 ") => {
                    return Err(format!("a {side} item 4 of {bad} gave the error `{error}`"));
                }
                Err(_) => {}
            }
        }
    }
    Ok(())
}

/// Scores mean what they say, and the same for every episode.
pub(super) fn meaning(subject: &Subject) -> Result<(), String> {
    let toys: Vec<Toy> = (0..3).map(|i| Toy::ordinary(25 + i, SIZE)).collect();
    let sheets = subject.batch(&[&toys[0], &toys[1], &toys[2]], &[0, 1, 2], SEED)?;
    let meaning = sheets[0].meaning;
    for sheet in &sheets {
        means(sheet, meaning)?;
    }
    for (name, toy) in corner_episodes() {
        means(&subject.one(&toy)?, meaning).map_err(|found| format!("{name}: {found}"))?;
    }
    Ok(())
}

fn means(sheet: &Sheet, meaning: Meaning) -> Result<(), String> {
    if sheet.meaning != meaning {
        return Err(format!("scores are {} once and {meaning} another time", sheet.meaning));
    }
    if meaning != Meaning::Probabilities {
        return Ok(());
    }
    for (item, row) in sheet.values.chunks_exact(sheet.way).enumerate() {
        let sum: f32 = row.iter().sum();
        if row.iter().any(|p| *p < 0.0) || (sum - 1.0).abs() > 1e-4 {
            return Err(format!("item {item} has probabilities {row:?}, which sum to {sum}"));
        }
    }
    Ok(())
}
