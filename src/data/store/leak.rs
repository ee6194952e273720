//! Features that are functions of the class, or of the place of an item in its file.

use std::fmt;
use std::io;

use super::store::Store;
use crate::vocab::ItemId;

/// Items below which equal or ascending numbers may be chance.
const ENOUGH: usize = 10;

/// What a feature is a function of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leak {
    /// Equal in all items of a class, and not in all classes.
    Class,
    /// Ascending or descending from row to row.
    Row,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Leak::Class => "the same in all items of a class, and so a label",
            Leak::Row => "in the order of the rows, and so a row number",
        })
    }
}

/// The features that are functions of the class (of which two items or more are there) or of the row, by column. Of fewer
/// than ten items nothing is said, and unseen items are not looked at.
///
/// # Errors
/// When the features cannot be read.
pub fn leaks(store: &Store) -> io::Result<Vec<(usize, Leak)>> {
    let items: Vec<ItemId> =
        (0..store.rows as u32).map(ItemId).filter(|item| !store.is_unseen(*item)).collect();
    if items.len() < ENOUGH {
        return Ok(Vec::new());
    }
    let by_class = of_class(store)?;
    let mut all: Vec<(usize, Leak)> = by_class.iter().map(|column| (*column, Leak::Class)).collect();
    let read = |item: &ItemId, row: &mut [f32]| store.values.read_block(store.dim, item.index(), row);
    let by_row = ordered(store.dim, items.iter().map(|item| move |row: &mut [f32]| read(item, row)))?;
    all.extend(
        by_row.into_iter().filter(|column| by_class.binary_search(column).is_err()).map(|c| (c, Leak::Row)),
    );
    all.sort_unstable();
    Ok(all)
}

/// The columns that are equal within each class of two items or more, and not in all of these.
fn of_class(store: &Store) -> io::Result<Vec<usize>> {
    let mut columns: Vec<usize> = (0..store.dim).collect();
    let mut varies = vec![false; store.dim];
    let (mut all, mut first, mut row) = (None::<Vec<f32>>, vec![0.0; store.dim], vec![0.0; store.dim]);
    for class in store.index.classes() {
        let items: Vec<ItemId> = class.items.iter().copied().filter(|item| !store.is_unseen(*item)).collect();
        let Some((head, rest)) = items.split_first().filter(|(_, rest)| !rest.is_empty()) else { continue };
        store.values.read_block(store.dim, head.index(), &mut first)?;
        for item in rest {
            if columns.is_empty() {
                return Ok(columns);
            }
            store.values.read_block(store.dim, item.index(), &mut row)?;
            columns.retain(|column| row[*column] == first[*column]);
        }
        let all = all.get_or_insert_with(|| first.clone());
        columns.iter().for_each(|column| varies[*column] |= first[*column] != all[*column]);
    }
    columns.retain(|column| varies[*column]);
    Ok(columns)
}

/// The columns that only ascend or only descend over all rows, each read by its reader.
fn ordered<R: FnOnce(&mut [f32]) -> io::Result<()>>(
    dim: usize,
    rows: impl Iterator<Item = R>,
) -> io::Result<Vec<usize>> {
    // With the direction, once it is known.
    let mut columns: Vec<(usize, Option<bool>)> = (0..dim).map(|column| (column, None)).collect();
    let (mut before, mut row) = (vec![0.0; dim], vec![0.0; dim]);
    for (number, read) in rows.enumerate() {
        if columns.is_empty() {
            break;
        }
        read(&mut row)?;
        if number > 0 {
            columns.retain_mut(|(column, ascends)| {
                let (last, here) = (before[*column], row[*column]);
                here != last && *ascends.get_or_insert(here > last) == (here > last)
            });
        }
        std::mem::swap(&mut before, &mut row);
    }
    Ok(columns.into_iter().map(|(column, _)| column).collect())
}

/// The columns of a matrix in memory that only ascend or only descend over its rows, where these are enough.
pub(in crate::data) fn ordered_columns(values: &[f32], dim: usize) -> Vec<usize> {
    if values.len() < ENOUGH * dim {
        return Vec::new();
    }
    let rows = values.chunks_exact(dim.max(1)).map(|row| {
        move |out: &mut [f32]| {
            out.copy_from_slice(row);
            Ok(())
        }
    });
    ordered(dim, rows).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Parts;

    /// Rows of four columns: one that alternates, what `told` says of the row, and two constants.
    fn found(rows: usize, class: impl Fn(usize) -> usize, told: impl Fn(usize) -> f32) -> Vec<(usize, Leak)> {
        let row = |row: usize| [(row % 2) as f32 + (row % 3) as f32, told(row), 1.0, 0.0];
        let parts = Parts {
            name: "t".to_string(),
            values: (0..rows).flat_map(row).collect(),
            dim: 4,
            class: (0..rows).map(|row| format!("c{}", class(row))).collect(),
            ..Parts::default()
        };
        leaks(&Store::from_parts(parts).unwrap()).unwrap()
    }

    #[test]
    fn a_feature_that_is_a_function_of_the_class_is_found() {
        assert_eq!(found(20, |row| row % 4, |row| (row % 4) as f32), [(1, Leak::Class)]);
        // The same number for several classes is still a function of the class.
        assert_eq!(found(20, |row| row % 4, |row| (row % 4 / 2) as f32), [(1, Leak::Class)]);
        // Classes of one item say nothing.
        assert_eq!(
            found(21, |row| row.min(20) % 4 + row / 20 * 9, |row| (row % 4) as f32),
            [(1, Leak::Class)]
        );
        assert_eq!(found(20, |row| row % 4, |row| if row == 19 { 9.0 } else { (row % 4) as f32 }), []);
        assert_eq!(found(20, |row| row % 4, |_| 7.0), []);
        assert_eq!(found(20, |row| row, |row| (row % 4) as f32), []);
    }

    #[test]
    fn a_feature_that_only_ascends_or_descends_is_found() {
        assert_eq!(found(20, |row| row % 4, |row| row as f32 * 0.5), [(1, Leak::Row)]);
        assert_eq!(found(20, |row| row % 4, |row| -(row as f32)), [(1, Leak::Row)]);
        assert_eq!(found(20, |row| row % 4, |row| row.min(18) as f32), []);
        assert_eq!(found(9, |row| row % 4, |row| row as f32), [], "nine rows may be chance");
    }

    #[test]
    fn unseen_items_are_not_looked_at() {
        let parts = |last: f32| Parts {
            name: "t".to_string(),
            values: (0..24).map(|row| if row < 20 { row as f32 } else { last }).collect(),
            dim: 1,
            class: (0..24).map(|row| if row < 20 { "a" } else { "b" }.to_string()).collect(),
            ..Parts::default()
        };
        let mut store = Store::from_parts(parts(5.0)).unwrap();
        assert_eq!(leaks(&store).unwrap(), []);
        store.unseen = Some((0..24).map(|row| row >= 20).collect());
        assert_eq!(leaks(&store).unwrap(), [(0, Leak::Row)]);
    }
}
