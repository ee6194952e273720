//! Checked operations for learners: sizes that do not fit are errors, never panics.
//!
//! All work per episode. dfdx's own operations are there too, through [`super::dfdx`]; they panic on wrong sizes.

use dfdx::shapes::{Axis, HasShape};
use dfdx::tensor_ops::{BroadcastTo, MaxTo, SumTo, TryAdd, TryDiv, TryMul, TrySub};

use super::error::{TensorError, same};
use super::stock::{self, failure};
use super::{Backend, Labels, Tensor2, Tensor3};

pub use super::stock::{map_rows, matmul, scale, softmax, spd_inverse, transpose};
pub use super::to_host;

fn alike<D: Backend>(operation: &'static str, a: &Tensor3<D>, b: &Tensor3<D>) -> Result<(), TensorError> {
    same(operation, "episodes", a.shape().0, b.shape().0)?;
    same(operation, "rows", a.shape().1, b.shape().1)?;
    same(operation, "columns", a.shape().2, b.shape().2)
}

/// `a + b`, element by element.
pub fn add<D: Backend>(a: &Tensor3<D>, b: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    alike("a sum", a, b)?;
    a.clone().try_add(b.clone()).map_err(failure::<D>)
}

/// `a − b`, element by element.
pub fn subtract<D: Backend>(a: &Tensor3<D>, b: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    alike("a difference", a, b)?;
    a.clone().try_sub(b.clone()).map_err(failure::<D>)
}

/// `a · b`, element by element.
pub fn multiply<D: Backend>(a: &Tensor3<D>, b: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    alike("a product", a, b)?;
    // dfdx panics in backward when both operands are one tensor; off the tape they may be.
    a.clone().try_mul(b.clone()).map_err(failure::<D>)
}

/// Every number plus one value.
pub fn add_scalar<D: Backend>(a: &Tensor3<D>, value: f32) -> Result<Tensor3<D>, TensorError> {
    stock::add_scalar(a.clone(), value)
}

/// `eᵃ`, element by element.
pub fn exp<D: Backend>(a: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    a.clone().try_exp().map_err(failure::<D>)
}

/// The natural logarithm, element by element.
pub fn ln<D: Backend>(a: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    a.clone().try_ln().map_err(failure::<D>)
}

/// The square root, element by element.
pub fn sqrt<D: Backend>(a: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    a.clone().try_sqrt().map_err(failure::<D>)
}

/// `max(0, a)`, element by element.
pub fn relu<D: Backend>(a: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    stock::relu(a.clone())
}

/// The logarithm of the softmax over the last axis.
pub fn log_softmax<D: Backend>(logits: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    logits.clone().try_log_softmax::<Axis<2>>().map_err(failure::<D>)
}

/// Sums over the last axis: (episodes, rows).
pub fn row_sums<D: Backend>(a: &Tensor3<D>) -> Result<Tensor2<D>, TensorError> {
    a.clone().try_sum::<_, Axis<2>>().map_err(failure::<D>)
}

/// Sums over the rows: (episodes, columns).
pub fn column_sums<D: Backend>(a: &Tensor3<D>) -> Result<Tensor2<D>, TensorError> {
    a.clone().try_sum::<_, Axis<1>>().map_err(failure::<D>)
}

/// The largest number of each row: (episodes, rows).
pub fn row_max<D: Backend>(a: &Tensor3<D>) -> Result<Tensor2<D>, TensorError> {
    same("a maximum", "columns of at least", 1, a.shape().2.min(1))?;
    a.clone().try_max::<_, Axis<2>>().map_err(failure::<D>)
}

/// The matrices with those of some episodes (episode, numbers) in their places.
pub fn with_episodes<D: Backend>(
    a: Tensor3<D>,
    some: &[(usize, Vec<f32>)],
) -> Result<Tensor3<D>, TensorError> {
    if some.is_empty() {
        return Ok(a);
    }
    let (shape, mut values) = (*a.shape(), to_host(&a)?);
    let size = shape.1 * shape.2;
    for (episode, numbers) in some {
        same("numbers of an episode", "numbers", size, numbers.len())?;
        same("numbers of an episode", "episodes above", shape.0.max(episode + 1), shape.0)?;
        values[episode * size..(episode + 1) * size].copy_from_slice(numbers);
    }
    a.device().tensor3(shape, values)
}

/// `‖row‖²` of every row: (episodes, rows).
pub fn squared_norms<D: Backend>(a: &Tensor3<D>) -> Result<Tensor2<D>, TensorError> {
    D::row_norms(a)
}

/// The numbers with their signs changed.
pub fn negate<D: Backend>(a: &Tensor2<D>) -> Result<Tensor2<D>, TensorError> {
    a.clone().try_negate().map_err(failure::<D>)
}

/// Every row divided by its Euclidean norm; a row of zeros stays.
pub fn normalise<D: Backend>(a: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    divide_rows(a, &squared_norms(a)?)
}

/// Every row divided by the square root of its own number (episodes, rows): from inner products to cosines.
pub fn divide_rows<D: Backend>(a: &Tensor3<D>, squared: &Tensor2<D>) -> Result<Tensor3<D>, TensorError> {
    same("a division of rows", "rows", a.shape().1, squared.shape().1)?;
    same("a division of rows", "episodes", a.shape().0, squared.shape().0)?;
    let norms = squared.clone().try_clamp(f32::MIN_POSITIVE, f32::MAX).map_err(failure::<D>)?;
    let norms = norms.try_sqrt().map_err(failure::<D>)?;
    let wide = norms.try_broadcast_like::<_, Axis<2>>(a.shape()).map_err(failure::<D>)?;
    a.clone().try_div(wide).map_err(failure::<D>)
}

/// A number per row (episodes, rows) added to each of its columns.
pub fn add_to_rows<D: Backend>(a: &Tensor3<D>, rows: &Tensor2<D>) -> Result<Tensor3<D>, TensorError> {
    same("a sum with a number per row", "rows", a.shape().1, rows.shape().1)?;
    same("a sum with a number per row", "episodes", a.shape().0, rows.shape().0)?;
    let wide = rows.clone().try_broadcast_like::<_, Axis<2>>(a.shape()).map_err(failure::<D>)?;
    a.clone().try_add(wide).map_err(failure::<D>)
}

/// A number per column (episodes, columns) added to each of its rows.
pub fn add_to_columns<D: Backend>(a: &Tensor3<D>, columns: &Tensor2<D>) -> Result<Tensor3<D>, TensorError> {
    same("a sum with a number per column", "columns", a.shape().2, columns.shape().1)?;
    same("a sum with a number per column", "episodes", a.shape().0, columns.shape().0)?;
    let wide = columns.clone().try_broadcast_like::<_, Axis<1>>(a.shape()).map_err(failure::<D>)?;
    a.clone().try_add(wide).map_err(failure::<D>)
}

/// The mean of the rows (episodes, support, dim) of each label: (episodes, way, dim).
pub fn class_means<D: Backend>(features: &Tensor3<D>, labels: &Labels) -> Result<Tensor3<D>, TensorError> {
    same("class means", "episodes", labels.episodes(), features.shape().0)?;
    same("class means", "rows", labels.slots(), features.shape().1)?;
    D::class_means(features, labels)
}

/// Inner products of all rows with each other: (episodes, rows, rows).
pub fn gram<D: Backend>(features: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    matmul(features, &transpose(features)?)
}

/// `‖a − b‖²` for each row of `a` and of `b`: (episodes, rows of a, rows of b). Both are seen from the mean of the rows of
/// `b` that are not zero, so that what all have in common takes no digits.
pub fn squared_distances<D: Backend>(a: &Tensor3<D>, b: &Tensor3<D>) -> Result<Tensor3<D>, TensorError> {
    // Rounding may push what is nearly zero below it.
    stock::relu(scale(stock::negative_squared_distances(a, b)?, -1.0)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::open_cpu;

    #[test]
    fn distances_means_and_norms_on_paper() {
        let device = open_cpu();
        let a = device.tensor3((1, 2, 2), vec![0.0, 0.0, 3.0, 4.0]).unwrap();
        let b = device.tensor3((1, 1, 2), vec![3.0, 0.0]).unwrap();
        assert_eq!(to_host(&squared_distances(&a, &b).unwrap()).unwrap(), [9.0, 16.0]);
        assert_eq!(to_host(&normalise(&a).unwrap()).unwrap(), [0.0, 0.0, 0.6, 0.8]);
        let labels = Labels::new(1, 2, 1, vec![0, 0]).unwrap();
        assert_eq!(to_host(&class_means(&a, &labels).unwrap()).unwrap(), [1.5, 2.0]);
        assert_eq!(to_host(&gram(&a).unwrap()).unwrap(), [0.0, 0.0, 0.0, 25.0]);
    }

    #[test]
    fn sizes_that_do_not_fit_are_errors() {
        let device = open_cpu();
        let a = device.tensor3((1, 2, 2), vec![0.0; 4]).unwrap();
        let b = device.tensor3((1, 2, 3), vec![0.0; 6]).unwrap();
        let error = add(&a, &b).unwrap_err().to_string();
        assert_eq!(error, "a sum needs columns = 2, found 3");
        assert!(matmul(&a, &transpose(&b).unwrap()).is_err());
        assert!(device.tensor3((1, 2, 3), vec![0.0; 5]).is_err());
    }
}
