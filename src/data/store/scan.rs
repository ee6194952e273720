//! One pass over all numbers of a store: every one finite, and which rows are equal.

use std::io;

use rayon::prelude::*;
use twox_hash::XxHash64;

use super::values::Values;
use crate::vocab::ItemId;

/// The first number that is NaN or infinite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::data) struct NotFinite {
    pub row: usize,
    pub column: usize,
    pub value: f32,
}

/// What a pass over the rows found.
#[derive(Debug, PartialEq)]
pub(in crate::data) struct Scan {
    pub zero_rows: usize,
    /// As (first, later): each later item with the first of equal features, sorted by the later item.
    pub duplicates: Vec<(ItemId, ItemId)>,
}

struct BlockScan {
    zero_rows: usize,
    /// Hash and row of every row that is not all zero.
    hashes: Vec<(u64, u32)>,
    not_finite: Option<NotFinite>,
}

/// Looks at every row that is not `unseen`. A row of zeros counts, but equals no other: it carries no signal that could be
/// a copy.
pub(in crate::data) fn scan(
    values: &Values,
    rows: usize,
    dim: usize,
    unseen: Option<&[bool]>,
) -> io::Result<Result<Scan, NotFinite>> {
    let blocks = values.blocks(rows, dim, |first, block| scan_block(first, dim, block, unseen))?;
    if let Some(found) = blocks.iter().find_map(|b| b.not_finite) {
        return Ok(Err(found));
    }
    let zero_rows = blocks.iter().map(|b| b.zero_rows).sum();
    let mut hashes = Vec::with_capacity(rows);
    for block in blocks {
        hashes.extend(block.hashes);
    }
    hashes.par_sort_unstable();
    let mut duplicates = Vec::new();
    for same in hashes.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
        equal_rows(same, values, dim, &mut duplicates)?;
    }
    duplicates.sort_unstable();
    let duplicates = duplicates.into_iter().map(|(later, first)| (first, later)).collect();
    Ok(Ok(Scan { zero_rows, duplicates }))
}

fn scan_block(first: usize, dim: usize, block: &[f32], unseen: Option<&[bool]>) -> BlockScan {
    let mut found = BlockScan { zero_rows: 0, hashes: Vec::new(), not_finite: None };
    let mut bytes = vec![0; dim * 4];
    for (row, values) in (first..).zip(block.chunks_exact(dim)) {
        if unseen.is_some_and(|unseen| unseen[row]) {
            continue;
        }
        let (mut all, mut worst) = (0, 0);
        for value in values {
            let magnitude = value.to_bits() & 0x7fff_ffff;
            all |= magnitude;
            worst = worst.max(magnitude);
        }
        if worst >= f32::INFINITY.to_bits() {
            let bad = values.iter().zip(0..).find(|(v, _)| !v.is_finite());
            found.not_finite = bad.map(|(value, column)| NotFinite { row, column, value: *value });
            return found;
        }
        if all == 0 {
            found.zero_rows += 1;
            continue;
        }
        for (bytes, value) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(values) {
            // Adding zero turns −0 into 0, so that equal numbers have equal bytes.
            *bytes = (value + 0.0).to_le_bytes();
        }
        found.hashes.push((XxHash64::oneshot(0, &bytes), row as u32));
    }
    found
}

/// Among rows of one hash, in row order, the pairs (later, first) of rows that are really equal.
fn equal_rows(
    same: &[(u64, u32)],
    values: &Values,
    dim: usize,
    pairs: &mut Vec<(ItemId, ItemId)>,
) -> io::Result<()> {
    let mut firsts: Vec<(u32, Vec<f32>)> = Vec::new();
    let mut row = vec![0.0; dim];
    for &(_, number) in same {
        values.read_block(dim, number as usize, &mut row)?;
        match firsts.iter().find(|(_, first)| *first == row) {
            Some((first, _)) => pairs.push((ItemId(number), ItemId(*first))),
            None => firsts.push((number, row.clone())),
        }
    }
    Ok(())
}

/// The group of each item, named by the row of its first item; nothing where every item stands alone.
///
/// Items of one name in `named` share a group, the empty name being none, and so do `pairs`; groups that share an
/// item become one.
pub(in crate::data) fn groups(
    rows: usize,
    named: Option<(&[u32], &[String])>,
    pairs: &[(ItemId, ItemId)],
) -> Vec<u32> {
    let mut parent: Vec<u32> = (0..rows as u32).collect();
    let mut joined = false;
    let mut join = |a: u32, b: u32| {
        let (a, b) = (root(&mut parent, a), root(&mut parent, b));
        // The earlier row becomes the root, so that the root names the group.
        parent[a.max(b) as usize] = a.min(b);
        joined = true;
    };
    if let Some((of, names)) = named {
        let mut first_of = vec![None; names.len()];
        for (row, name) in (0..).zip(of) {
            let name = *name as usize;
            match first_of[name] {
                None => first_of[name] = Some(row),
                Some(first) if !names[name].is_empty() => join(first, row),
                Some(_) => {}
            }
        }
    }
    for (first, later) in pairs {
        join(first.0, later.0);
    }
    if !joined {
        return Vec::new();
    }
    (0..rows as u32).map(|row| root(&mut parent, row)).collect()
}

fn root(parent: &mut [u32], mut row: u32) -> u32 {
    while parent[row as usize] != row {
        let above = parent[row as usize];
        parent[row as usize] = parent[above as usize];
        row = above;
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(rows: usize, dim: usize, values: &[f32]) -> Result<Scan, NotFinite> {
        scan(&Values::F32(values.to_vec().into()), rows, dim, None).unwrap()
    }

    #[test]
    fn equal_rows_are_paired_with_the_first_of_them() {
        let rows = [1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0, 1.0, 2.0];
        let pairs = [(0, 2), (1, 3), (0, 4)].map(|(a, b)| (ItemId(a), ItemId(b)));
        assert_eq!(scanned(5, 2, &rows).unwrap().duplicates, pairs);
    }

    #[test]
    fn rows_of_zeros_are_counted_and_equal_nothing() {
        let scan = scanned(4, 2, &[0.0, 0.0, -0.0, 0.0, 0.0, 1.0, -0.0, 1.0]).unwrap();
        assert_eq!(scan, Scan { zero_rows: 2, duplicates: vec![(ItemId(2), ItemId(3))] });
    }

    #[test]
    fn rows_of_one_hash_that_differ_are_no_duplicates() {
        let mut pairs = Vec::new();
        let values = Values::F32(vec![1.0f32, 2.0, 1.0, 2.0].into());
        equal_rows(&[(9, 0), (9, 1), (9, 2), (9, 3)], &values, 1, &mut pairs).unwrap();
        assert_eq!(pairs, [(2, 0), (3, 1)].map(|(a, b)| (ItemId(a), ItemId(b))));
    }

    #[test]
    fn the_first_number_that_is_not_finite_is_named() {
        let mut values = vec![1.0; 300_000];
        values[299_999] = f32::NAN;
        values[200_001] = f32::NEG_INFINITY;
        values[200_000] = f32::INFINITY;
        let found = scanned(100_000, 3, &values).unwrap_err();
        assert_eq!(found, NotFinite { row: 66_666, column: 2, value: f32::INFINITY });
    }

    #[test]
    fn an_unseen_row_may_hold_anything_and_equals_nothing() {
        let values = Values::F32(vec![1.0f32, 2.0, f32::NAN, 0.0, 1.0, 2.0, 1.0, 2.0].into());
        let scan = scan(&values, 4, 2, Some(&[false, true, true, false])).unwrap().unwrap();
        assert_eq!(scan, Scan { zero_rows: 0, duplicates: vec![(ItemId(0), ItemId(3))] });
    }

    #[test]
    fn groups_that_share_an_item_become_one() {
        let names = ["a", "", "b"].map(String::from);
        let of = [0, 1, 0, 2, 1, 2];
        assert_eq!(groups(6, Some((&of, &names)), &[]), [0, 1, 0, 3, 4, 3]);
        assert_eq!(groups(6, Some((&of, &names)), &[(ItemId(2), ItemId(5))]), [0, 1, 0, 0, 4, 0]);
        assert!(groups(6, None, &[]).is_empty());
    }
}
