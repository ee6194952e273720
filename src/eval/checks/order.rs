//! Checks of order and names: the place of an item, the number of a label and the time of day have no say.

use super::subject::{SEED, Sheet, Subject};
use super::toy::{Size, Toy};
use crate::rng::{Purpose, Stream};
use crate::vocab::Setting;

const SIZE: Size<'_> = Size { shots: &[3, 3, 5, 2, 3], query: 2, dim: 16 };

/// The numbers below `count` in another order.
fn permutation(count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    Stream::new(SEED, Purpose::Dataset, u32::MAX).shuffle(&mut order);
    order
}

/// Permuting the queries permutes the scores. Of transductive learners that draw random numbers it is not asked.
pub(super) fn query_order(subject: &Subject) -> Result<(), String> {
    let toy = Toy::ordinary(10, SIZE);
    if subject.setting() == Setting::Transductive && subject.is_random(&toy)? {
        return Ok(());
    }
    let order = permutation(toy.query.len());
    let permuted = Toy { query: order.iter().map(|i| toy.query[*i].clone()).collect(), ..toy.clone() };
    let (before, after) = (subject.one(&toy)?, subject.one(&permuted)?);
    let values = order.iter().flat_map(|item| before.row(*item)).copied().collect();
    Sheet { values, ..before }.agrees(&after, "in another order of the queries")
}

/// Permuting the support changes nothing. Of learners that draw random numbers it is not asked.
pub(super) fn support_order(subject: &Subject) -> Result<(), String> {
    let toy = Toy::ordinary(11, SIZE);
    if subject.is_random(&toy)? {
        return Ok(());
    }
    let order = permutation(toy.support.len());
    let permuted = Toy { support: order.iter().map(|i| toy.support[*i].clone()).collect(), ..toy.clone() };
    let (before, after) = (subject.one(&toy)?, subject.one(&permuted)?);
    before.agrees_to(subject.rounding(), &after, "in another order of the support")
}

/// Renaming the labels renames the columns. Of learners that draw random numbers it is not asked.
pub(super) fn label_names(subject: &Subject) -> Result<(), String> {
    let toy = Toy::ordinary(12, SIZE);
    if subject.is_random(&toy)? {
        return Ok(());
    }
    let names = permutation(toy.way);
    let mut renamed = toy.clone();
    for example in renamed.support.iter_mut().chain(&mut renamed.query) {
        example.label = names[usize::from(example.label)] as u16;
    }
    for (vector, name) in toy.vectors.iter().zip(&names) {
        renamed.vectors[*name].clone_from(vector);
    }
    let (before, mut after) = (subject.one(&toy)?, subject.one(&renamed)?);
    let column = |item: usize, label: usize| after.row(item)[names[label]];
    let items = 0..toy.query.len();
    let values = items.flat_map(|item| (0..toy.way).map(move |label| (item, label)));
    after.values = values.map(|(item, label)| column(item, label)).collect();
    before.agrees_to(subject.rounding(), &after, "under another name of the label")
}

/// Twice is the same to the last bit: at once, after another episode, and by another learner of the same parameters.
pub(super) fn twice(subject: &Subject) -> Result<(), String> {
    let (toy, other) = (Toy::ordinary(13, SIZE), Toy::ordinary(14, SIZE));
    let first = subject.one(&toy)?;
    first.equals(&subject.one(&toy)?, "the second time")?;
    subject.one(&other)?;
    first.equals(&subject.one(&toy)?, "after another episode")?;
    first.equals(&subject.anew()?.one(&toy)?, "from a learner made afresh")
}
