//! Checks of company: what may and what must not reach a score from beside it.

use super::subject::{NUMBER, SEED, Sheet, Subject};
use super::toy::{Size, Toy};

const SIZE: Size<'_> = Size { shots: &[3; 5], query: 3, dim: 16 };

/// The toy with only one of its queries.
fn alone(toy: &Toy, item: usize) -> Toy {
    Toy { query: vec![toy.query[item].clone()], ..toy.clone() }
}

/// An inductive learner scores a query alone as in company.
pub(super) fn query_alone(subject: &Subject) -> Result<(), String> {
    let toy = Toy::ordinary(0, SIZE);
    let together = subject.one(&toy)?;
    for item in 0..toy.query.len() {
        let company = Sheet { values: together.row(item).to_vec(), ..together.clone() };
        let what = format!("where it is query {item} of {}", toy.query.len());
        subject.one(&alone(&toy, item))?.agrees(&company, &what)?;
    }
    Ok(())
}

/// A transductive learner scores some query otherwise alone than in company.
pub(super) fn query_together(subject: &Subject) -> Result<(), String> {
    for number in 0..5 {
        let toy = Toy::ordinary(number, SIZE);
        let together = subject.one(&toy)?;
        for item in 0..toy.query.len() {
            let company = Sheet { values: together.row(item).to_vec(), ..together.clone() };
            if subject.one(&alone(&toy, item))?.agrees(&company, "").is_err() {
                return Ok(());
            }
        }
    }
    Err("75 queries of 5 episodes had the same scores alone and in company".to_string())
}

/// An episode alone gets the same scores, to the last bit, as in a batch, whatever its place there.
pub(super) fn episode_alone(subject: &Subject) -> Result<(), String> {
    let toys: Vec<Toy> = (0..3).map(|number| Toy::ordinary(number, SIZE)).collect();
    let numbers = [7, 0, 31];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let batch = order.map(|place| &toys[place]);
        let together = subject.batch(&batch, &order.map(|place| numbers[place]), SEED)?;
        for (sheet, place) in together.iter().zip(order) {
            let alone = subject.batch(&[&toys[place]], &[numbers[place]], SEED)?;
            alone[0].equals(sheet, "in a batch of three episodes")?;
        }
    }
    Ok(())
}

/// Padding changes nothing.
///
/// The support lies on one side of the origin and the queries on the other, so that a row of zeros is nearer and more
/// alike to them than any item.
pub(super) fn padding(subject: &Subject) -> Result<(), String> {
    let aside = |number, shots: &[usize]| {
        let mut toy = Toy::ordinary(number, Size { shots, ..SIZE });
        toy.support.iter_mut().flat_map(|e| &mut e.features).for_each(|x| *x += 4.0);
        toy.query.iter_mut().flat_map(|e| &mut e.features).for_each(|x| *x = 0.5 * *x - 1.5);
        toy
    };
    let (small, large) = (aside(0, &[1, 2, 1, 1, 2]), aside(1, &[4, 5, 3, 6, 5]));
    let alone = subject.one(&small)?;
    let behind = subject.batch(&[&large, &small], &[0, NUMBER], SEED)?;
    alone.agrees(&behind[1], "beside an episode with 23 support items rather than 7")?;
    let before = subject.batch(&[&small, &large], &[NUMBER, 0], SEED)?;
    alone.agrees(&before[0], "beside an episode with 23 support items rather than 7")
}
