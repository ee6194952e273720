//! Items that are almost the same as others, by the cosine of their features.

use std::collections::HashSet;

use rayon::prelude::*;

use super::store::Store;
use crate::data::DataError;
use crate::vocab::ItemId;

/// Pairs of items whose cosine reaches a threshold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NearDuplicates {
    /// (left, right, cosine), nearest first, then by item; at most [`NearDuplicates::LISTED`].
    pub pairs: Vec<(ItemId, ItemId, f32)>,
    /// How many pairs there are, listed or not.
    pub total: u64,
}

impl NearDuplicates {
    /// The most pairs that are listed.
    pub const LISTED: usize = 1000;

    fn add(&mut self, mut other: NearDuplicates) {
        self.total += other.total;
        self.pairs.append(&mut other.pairs);
        self.trim();
    }

    fn trim(&mut self) {
        self.pairs.sort_unstable_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
        self.pairs.truncate(NearDuplicates::LISTED);
    }
}

/// Rows of the left side that one task compares.
const TILE: usize = 64;

/// Numbers of the right side that are in memory at once.
const RIGHT: usize = 8 << 20;

/// All pairs of a left and a right item with a cosine of at least `threshold`, identical items among them.
///
/// An item is no pair with itself, and two items that stand on both sides are one pair. A row of zeros has no cosine
/// and so no near duplicate. The work is `left · right · dim` multiplications, in blocks that fit into memory; the
/// result does not depend on the number of threads.
pub fn near_duplicates(
    store: &Store,
    left: &[ItemId],
    right: &[ItemId],
    threshold: f32,
) -> Result<NearDuplicates, DataError> {
    let dim = store.dim();
    let (on_left, on_right): (HashSet<_>, HashSet<_>) = (left.iter().collect(), right.iter().collect());
    // A pair on both sides is met twice, and kept where the left item is the earlier one.
    let counts = |a: ItemId, b: ItemId| a != b && (a < b || !(on_left.contains(&b) && on_right.contains(&a)));
    // The products in 32 bits only sift; what passes is computed again in 64.
    let sieve = threshold - 1e-5 - 1e-8 * dim as f32;
    let mut found = NearDuplicates::default();
    for right in right.chunks((RIGHT / dim).max(1)) {
        let right_rows = unit_rows(store, right)?;
        let tiles: Vec<_> = left
            .par_chunks(TILE)
            .map(|left| {
                let left_rows = unit_rows(store, left)?;
                let mut near = NearDuplicates::default();
                let (mut a, mut b) = (vec![0.0; dim], vec![0.0; dim]);
                for (right, columns) in right.chunks(4).zip(right_rows.chunks(4 * dim)) {
                    for (left, row) in left.iter().zip(left_rows.chunks_exact(dim)) {
                        let products = products(row, columns);
                        for (right, product) in right.iter().zip(products) {
                            if product < sieve || !counts(*left, *right) {
                                continue;
                            }
                            store.read_item(*left, &mut a)?;
                            store.read_item(*right, &mut b)?;
                            if let Some(cosine) = cosine(&a, &b).filter(|cosine| *cosine >= threshold) {
                                near.total += 1;
                                near.pairs.push((*left, *right, cosine));
                            }
                        }
                    }
                    if near.pairs.len() > 4 * NearDuplicates::LISTED {
                        near.trim();
                    }
                }
                near.trim();
                Ok(near)
            })
            .collect::<Result<_, DataError>>()?;
        tiles.into_iter().for_each(|tile| found.add(tile));
    }
    Ok(found)
}

/// The items divided by their norms: (items, dim).
fn unit_rows(store: &Store, items: &[ItemId]) -> Result<Vec<f32>, DataError> {
    let dim = store.dim();
    let mut rows = vec![0.0; items.len() * dim];
    for (row, item) in rows.chunks_exact_mut(dim).zip(items) {
        store.read_item(*item, row)?;
        let norm = row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
        let scale = if norm > 0.0 { 1.0 / norm } else { 0.0 };
        row.iter_mut().for_each(|x| *x = (f64::from(*x) * scale) as f32);
    }
    Ok(rows)
}

/// The products of a row with up to four others, which lie one after another.
fn products(row: &[f32], columns: &[f32]) -> [f32; 4] {
    let dim = row.len();
    let mut sums = [0.0; 4];
    if columns.len() < 4 * dim {
        for (sum, column) in sums.iter_mut().zip(columns.chunks_exact(dim)) {
            *sum = row.iter().zip(column).map(|(x, y)| x * y).sum();
        }
        return sums;
    }
    // Four columns share each load of the row, and eight lanes each keep the adders busy.
    let (head, rest) = row.as_chunks::<8>();
    let column = |c: usize| columns[c * dim..(c + 1) * dim].as_chunks::<8>();
    let [c0, c1, c2, c3] = [column(0), column(1), column(2), column(3)];
    let mut lanes = [[0.0f32; 8]; 4];
    for ((((x, y0), y1), y2), y3) in head.iter().zip(c0.0).zip(c1.0).zip(c2.0).zip(c3.0) {
        for i in 0..8 {
            lanes[0][i] += x[i] * y0[i];
            lanes[1][i] += x[i] * y1[i];
            lanes[2][i] += x[i] * y2[i];
            lanes[3][i] += x[i] * y3[i];
        }
    }
    for ((sum, lanes), tail) in sums.iter_mut().zip(lanes).zip([c0.1, c1.1, c2.1, c3.1]) {
        *sum = lanes.iter().sum::<f32>() + rest.iter().zip(tail).map(|(x, y)| x * y).sum::<f32>();
    }
    sums
}

/// The cosine of two rows, computed in f64; absent where one of them is zero.
fn cosine(a: &[f32], b: &[f32]) -> Option<f32> {
    let product =
        |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    let norms = (product(a, a) * product(b, b)).sqrt();
    (norms > 0.0).then(|| (product(a, b) / norms).clamp(-1.0, 1.0) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Parts;
    use crate::data::fixtures::numbers;

    fn store(dim: usize, values: Vec<f32>) -> Store {
        let class = vec!["a".to_string(); values.len() / dim];
        Store::from_parts(Parts { name: "s".into(), values, dim, class, ..Parts::default() }).unwrap()
    }

    fn items(items: impl IntoIterator<Item = u32>) -> Vec<ItemId> {
        items.into_iter().map(ItemId).collect()
    }

    #[test]
    fn near_items_are_found_nearest_first_and_zeros_are_near_to_nothing() {
        let store = store(2, vec![1.0, 0.0, 2.0, 0.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0]);
        let near = near_duplicates(&store, &items([0, 3]), &items([5, 4, 2, 1]), 0.6).unwrap();
        let expected = [(ItemId(0), ItemId(1), 1.0), (ItemId(0), ItemId(2), 0.6)];
        assert_eq!((near.pairs.as_slice(), near.total), (expected.as_slice(), 2));
        let exact = near_duplicates(&store, &items([0]), &items([1, 2]), 1.0).unwrap();
        assert_eq!(exact.total, 1);
    }

    #[test]
    fn two_items_on_both_sides_are_one_pair() {
        let store = store(1, vec![1.0, 2.0, 3.0]);
        let near = near_duplicates(&store, &items([2, 0, 1]), &items([0, 1, 2]), 0.9).unwrap();
        assert_eq!(near.pairs, [(0, 1), (0, 2), (1, 2)].map(|(a, b)| (ItemId(a), ItemId(b), 1.0)));
        let reversed = near_duplicates(&store, &items([2]), &items([0]), 0.9).unwrap();
        assert_eq!(reversed.pairs, [(ItemId(2), ItemId(0), 1.0)]);
    }

    #[test]
    fn blocks_give_what_the_plain_loops_give() {
        let store =
            crate::data::embedded("gaussian:base=3,validation=0,novel=3,items=67,dim=11").unwrap().unwrap();
        let all: Vec<Vec<f32>> = numbers(&store).chunks_exact(11).map(<[f32]>::to_vec).collect();
        let (left, right) = (items(0..201), items(201..402));
        let mut plain = Vec::new();
        for a in &left {
            for b in &right {
                let cosine = cosine(&all[a.index()], &all[b.index()]).unwrap();
                if cosine >= 0.8 {
                    plain.push((*a, *b, cosine));
                }
            }
        }
        plain.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
        assert!(plain.len() > 10);
        let near = near_duplicates(&store, &left, &right, 0.8).unwrap();
        assert_eq!((near.total, near.pairs), (plain.len() as u64, plain));
    }

    #[test]
    fn more_pairs_than_are_listed_are_counted() {
        let store = store(1, (1..=80).map(|v| v as f32).collect());
        let near = near_duplicates(&store, &items(0..40), &items(40..80), 0.5).unwrap();
        assert_eq!((near.total, near.pairs.len()), (1600, NearDuplicates::LISTED));
        assert_eq!(near.pairs[999], (ItemId(24), ItemId(79), 1.0));
    }
}
