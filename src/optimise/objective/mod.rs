//! What training makes small: features or logits on a tape in, a loss on the tape out. dfdx does the rest.

mod cross_entropy;
mod prototypical;
mod rows;
mod sup_con;
mod triplet;

pub use cross_entropy::cross_entropy;
pub use prototypical::{Prototypes, prototypical};
pub use sup_con::sup_con;
pub use triplet::triplet;

pub(super) use rows::{gram, normalised, picked};

use crate::backbone::Traced;
use crate::tensor::conv::ConvOps;
use crate::tensor::dfdx::tensor::{NoneTape, Tensor};
use crate::tensor::tape::Tape;
use crate::tensor::{TensorError, to_host};

/// A number on a tape.
pub type Scalar<D> = Tensor<(), f32, D, Tape<D>>;

/// The value of an objective on a batch.
pub struct Loss<D: ConvOps> {
    /// The mean loss, to be differentiated.
    pub traced: Scalar<D>,
    /// The same as a number.
    pub value: f64,
    /// The share of right answers, 0…1.
    pub accuracy: f64,
}

impl<D: ConvOps> Loss<D> {
    fn of(traced: Scalar<D>, accuracy: f64) -> Result<Loss<D>, TensorError> {
        let value = to_host(&traced.retaped::<NoneTape>())?.first().copied().map_or(f64::NAN, f64::from);
        Ok(Loss { traced, value, accuracy })
    }
}

/// The share of rows whose largest number stands at their label; the lower label wins a tie, as everywhere.
fn accuracy<D: ConvOps>(logits: &Traced<D>, labels: &[usize]) -> Result<f64, TensorError> {
    let values = to_host(&logits.retaped::<NoneTape>())?;
    let classes = values.len() / labels.len().max(1);
    let right = values.chunks_exact(classes.max(1)).zip(labels).filter(|(row, label)| {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.iter().position(|value| *value == largest) == Some(**label)
    });
    Ok(right.count() as f64 / labels.len().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::tape::{differentiate, trace};
    use crate::tensor::{Cpu, open_cpu};

    /// Compares the gradient of a loss of rows (count, dim) with finite differences, at every number.
    pub fn agrees(
        values: &[f32],
        shape: (usize, usize),
        loss: impl Fn(Traced<Cpu>) -> Result<Loss<Cpu>, TensorError>,
    ) {
        let device = open_cpu();
        let rows = |values: &[f32]| device.tensor2(shape, values.to_vec()).unwrap();
        use crate::tensor::Backend;
        let own = rows(values);
        let found = loss(trace(own.clone())).unwrap();
        let gradient = differentiate(found.traced).unwrap().of(&own).unwrap();
        for place in 0..values.len() {
            let moved = |by: f32| {
                let mut values = values.to_vec();
                values[place] += by;
                loss(trace(rows(&values))).unwrap().value
            };
            let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            let own = f64::from(gradient[place]);
            assert!((slope - own).abs() < 3e-3, "{place}: {slope} {own}");
        }
        assert!(gradient.iter().any(|g| g.abs() > 1e-3));
    }

    pub fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 37 + 11) % 29) as f32 / 15.0 - 1.0).collect()
    }

    pub fn value(
        values: Vec<f32>,
        shape: (usize, usize),
        loss: impl Fn(Traced<Cpu>) -> Result<Loss<Cpu>, TensorError>,
    ) -> (f64, f64) {
        use crate::tensor::Backend;
        let found = loss(trace(open_cpu().tensor2(shape, values).unwrap())).unwrap();
        (found.value, found.accuracy)
    }
}
