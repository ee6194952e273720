//! Sums over the items of seen classes: all that the closed-form learners need of the features.

use crate::tensor::TensorError;
use crate::tensor::matrix::Matrix;
use crate::view::Seen;

/// Items that are read at a time.
const BLOCK: usize = 1024;

/// Sums over the items of each class.
pub(super) struct ClassSums {
    /// The sum of each class's features: (classes, dim).
    pub(super) sums: Matrix,
    /// Items of each class.
    pub(super) counts: Vec<f64>,
}

impl ClassSums {
    /// Reads every item once.
    pub(super) fn of(seen: &Seen) -> Result<ClassSums, TensorError> {
        let mut sums = Matrix::zeros(seen.classes(), seen.dim());
        let mut counts = vec![0.0; seen.classes()];
        let mut item = vec![0.0; seen.dim()];
        for (place, label) in seen.labels().iter().enumerate() {
            seen.read(place, &mut item)?;
            let sum = sums.row_mut(*label as usize);
            sum.iter_mut().zip(&item).for_each(|(s, x)| *s += f64::from(*x));
            counts[*label as usize] += 1.0;
        }
        Ok(ClassSums { sums, counts })
    }

    /// The mean of each class: (classes, dim).
    pub(super) fn means(self) -> Matrix {
        let shares: Vec<f64> = self.counts.iter().map(|count| 1.0 / count.max(1.0)).collect();
        self.sums.scale_rows(&shares)
    }
}

/// `XᵀX` (dim, dim) over all items.
pub(super) fn scatter(seen: &Seen) -> Result<Matrix, TensorError> {
    let dim = seen.dim();
    let mut total = Matrix::zeros(dim, dim);
    let mut item = vec![0.0; dim];
    for first in (0..seen.count()).step_by(BLOCK) {
        let places = first..seen.count().min(first + BLOCK);
        let mut values = Vec::with_capacity(places.len() * dim);
        for place in places.clone() {
            seen.read(place, &mut item)?;
            values.extend(item.iter().map(|x| f64::from(*x)));
        }
        let block = Matrix::new(places.len(), dim, values)?;
        total = total.plus(1.0, &block.transposed().times(&block)?)?;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_scatter_on_paper() {
        let features = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let seen = Seen::dense(2, features, vec![1, 0, 1], 1, vec![0.0, 1.0]).unwrap();
        let sums = ClassSums::of(&seen).unwrap();
        assert_eq!((sums.sums.values(), &sums.counts[..]), (&[3.0, 4.0, 6.0, 8.0][..], &[1.0, 2.0][..]));
        assert_eq!(sums.means().row(1), [3.0, 4.0]);
        assert_eq!(scatter(&seen).unwrap().values(), [35.0, 44.0, 44.0, 56.0]);
    }
}
