//! What is done to features before any learner sees them: two small arrays, never a second copy of the features.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::store::Store;
use crate::data::DataError;
use crate::vocab::{ItemId, Split, Transform};

/// A transform of a store: item `x` counts as `(x − shift) · scale[item]`.
#[derive(Clone, Debug)]
pub struct Transformed {
    /// (dim): what is subtracted from every item.
    pub shift: Option<Arc<[f32]>>,
    /// (items): what each item is multiplied with afterwards.
    pub scale: Option<Arc<[f32]>>,
    /// (items): the squared Euclidean norm of each item after the transform.
    pub squared_norms: Arc<[f32]>,
    /// What a number after the transform is a multiple of: a power of two, 1 but for features whose squares leave single
    /// precision.
    pub unit: f64,
}

/// What a row of zeros is multiplied with to become a unit vector, which it does not.
const OF_ZEROS: f32 = 1e12;

/// Squared norms of which the largest lies between these are left alone: distances, their squares and sums of some
/// thousands of them stay within single precision.
const SQUARES: RangeInclusive<f64> = 1e-18..=1e24;

/// Makes a transform in one pass over the features; `cl2n` looks at the base items once before.
///
/// Sums are made in f64 and do not depend on the number of threads. Fails for `cl2n` on a store without base classes, or
/// where a file cannot be read.
pub fn transform(store: &Store, transform: Transform) -> Result<Transformed, DataError> {
    let shift = match transform {
        Transform::None | Transform::L2n => None,
        Transform::Cl2n => Some(base_mean(store)?),
    };
    let dim = store.dim();
    let blocks = store.values().blocks(store.rows(), dim, |first, block| {
        // A row that may not be looked at has no norm, and nobody asks for it.
        let rows = block.chunks_exact(dim).zip(first as u32..);
        let rows = rows.map(|(row, item)| (!store.is_unseen(ItemId(item))).then_some(row));
        match &shift {
            None => rows.map(|row| row.map_or(0.0, squared_norm)).collect::<Vec<f64>>(),
            Some(shift) => {
                let mut centred = vec![0.0; dim];
                rows.map(|row| {
                    let Some(row) = row else { return 0.0 };
                    centred.iter_mut().zip(row).zip(shift.iter()).for_each(|((c, x), m)| *c = x - m);
                    squared_norm(&centred)
                })
                .collect()
            }
        }
    });
    let squared = blocks.map_err(|error| store.unreadable(error))?.concat();
    if transform == Transform::None {
        return Ok(in_unit(&squared));
    }
    let scale = |n: &f64| if *n > 0.0 { (1.0 / n.sqrt()).min(f64::from(f32::MAX)) as f32 } else { OF_ZEROS };
    let scale: Arc<[f32]> = squared.iter().map(scale).collect();
    // The norm of what the rounded scale makes, which differs from one in the last digits.
    let squared_norms =
        squared.iter().zip(scale.iter()).map(|(n, s)| (n * f64::from(*s).powi(2)) as f32).collect();
    Ok(Transformed { shift, scale: Some(scale), squared_norms, unit: 1.0 })
}

/// Features as they are, or as multiples of a power of two where their squares (items) would leave single precision.
fn in_unit(squared: &[f64]) -> Transformed {
    let largest = squared.iter().copied().fold(0.0, f64::max);
    let numbers = |factor: f64| squared.iter().map(|n| (n * factor) as f32).collect();
    if largest == 0.0 || SQUARES.contains(&largest) {
        return Transformed { shift: None, scale: None, squared_norms: numbers(1.0), unit: 1.0 };
    }
    let exponent = (largest.log2() / 2.0).round().clamp(-126.0, 126.0) as i32;
    let scale = 2f32.powi(-exponent);
    Transformed {
        shift: None,
        scale: Some(vec![scale; squared.len()].into()),
        squared_norms: numbers(f64::from(scale).powi(2)),
        unit: 2f64.powi(exponent),
    }
}

fn squared_norm(row: &[f32]) -> f64 {
    let mut lanes = [0.0f64; 8];
    let (chunks, rest) = row.as_chunks::<8>();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(*x) * f64::from(*x);
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>()
}

/// The mean of all items of base classes.
fn base_mean(store: &Store) -> Result<Arc<[f32]>, DataError> {
    let (index, dim) = (store.index(), store.dim());
    let mut base = vec![false; store.rows()];
    let mut count = 0u64;
    for class in index.of_split(Split::Base) {
        for item in &index.class(class).items {
            base[item.index()] = true;
            count += 1;
        }
    }
    if count == 0 {
        return Err(DataError::NoBaseClasses { store: store.name().to_string() });
    }
    let blocks = store.values().blocks(store.rows(), dim, |first, block| {
        let mut sum: Option<Vec<f64>> = None;
        for (row, base) in block.chunks_exact(dim).zip(&base[first..]) {
            if *base {
                let sum = sum.get_or_insert_with(|| vec![0.0; dim]);
                sum.iter_mut().zip(row).for_each(|(s, x)| *s += f64::from(*x));
            }
        }
        sum
    });
    let mut mean = vec![0.0f64; dim];
    for sum in blocks.map_err(|error| store.unreadable(error))?.into_iter().flatten() {
        mean.iter_mut().zip(sum).for_each(|(m, s)| *m += s);
    }
    Ok(mean.iter().map(|m| (m / count as f64) as f32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Parts;
    use crate::data::fixtures::numbers;

    fn store(values: &[f32], splits: [Split; 2]) -> Store {
        let class = ["a", "b", "a"].map(String::from).to_vec();
        let splits = ["a", "b"].map(String::from).into_iter().zip(splits).collect();
        let values = values.to_vec();
        Store::from_parts(Parts {
            name: "s".into(),
            values,
            dim: 2,
            class,
            splits: Some(splits),
            ..Parts::default()
        })
        .unwrap()
    }

    const POINTS: [f32; 6] = [3.0, 4.0, 0.0, 0.0, 1.0, 0.0];

    #[test]
    fn none_gives_the_norms_alone() {
        let made = transform(&store(&POINTS, [Split::Base, Split::Novel]), Transform::None).unwrap();
        assert!(made.shift.is_none() && made.scale.is_none());
        assert_eq!(*made.squared_norms, [25.0, 0.0, 1.0]);
    }

    #[test]
    fn l2n_divides_by_the_norm_and_leaves_zeros_zero() {
        let made = transform(&store(&POINTS, [Split::Base, Split::Novel]), Transform::L2n).unwrap();
        assert_eq!(*made.scale.unwrap(), [0.2, 1e12, 1.0]);
        assert_eq!(*made.squared_norms, [1.0, 0.0, 1.0]);
    }

    #[test]
    fn features_whose_squares_leave_single_precision_are_multiples_of_a_power_of_two() {
        for exponent in [-100, -60, 60, 100] {
            let factor = 2f32.powi(exponent);
            let values = POINTS.map(|x| x * factor);
            let made = transform(&store(&values, [Split::Base, Split::Novel]), Transform::None).unwrap();
            let back = |x: f32| f64::from(x * made.scale.as_ref().unwrap()[0]) * made.unit;
            assert!(values.iter().all(|x| back(*x) == f64::from(*x)), "{exponent}");
            let largest = f64::from(made.squared_norms[0]);
            assert!(
                (0.4..=2.5).contains(&largest)
                    && (largest * made.unit.powi(2) - 25.0 * f64::from(factor).powi(2)).abs()
                        < 1e-6 * largest * made.unit.powi(2)
            );
        }
    }

    #[test]
    fn cl2n_subtracts_the_mean_of_the_base_items() {
        let store = store(&POINTS, [Split::Base, Split::Novel]);
        let made = transform(&store, Transform::Cl2n).unwrap();
        assert_eq!(*made.shift.unwrap(), [2.0, 2.0]);
        let root = |squared: f64| (1.0 / squared.sqrt()) as f32;
        assert_eq!(*made.scale.unwrap(), [root(5.0), root(8.0), root(5.0)]);
        assert!(made.squared_norms.iter().all(|n| (n - 1.0).abs() < 1e-6));
    }

    #[test]
    fn cl2n_needs_base_classes() {
        let error =
            transform(&store(&POINTS, [Split::Validation, Split::Novel]), Transform::Cl2n).unwrap_err();
        assert!(error.is_request());
        let sentence =
            "store `s` has no base classes, transform `cl2n` subtracts the mean of their items\nhint: ";
        assert!(error.to_string().starts_with(sentence));
    }

    #[test]
    fn norms_of_many_numbers_agree_with_the_plain_sum() {
        let store =
            crate::data::embedded("gaussian:base=2,validation=0,novel=1,items=50,dim=37").unwrap().unwrap();
        let made = transform(&store, Transform::Cl2n).unwrap();
        let (shift, scale) = (made.shift.unwrap(), made.scale.unwrap());
        for (row, values) in numbers(&store).chunks_exact(37).enumerate() {
            let moved = values.iter().zip(shift.iter()).map(|(x, m)| f64::from((x - m) * scale[row]));
            let plain: f64 = moved.map(|x| x * x).sum();
            assert!((plain - f64::from(made.squared_norms[row])).abs() < 1e-6 && (plain - 1.0).abs() < 1e-6);
        }
    }
}
