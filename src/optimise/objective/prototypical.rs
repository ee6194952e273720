//! The episodic objective of prototypical networks (Snell et al. 2017, equations 1 and 2).

use super::{Loss, cross_entropy, picked};
use crate::backbone::Traced;
use crate::tensor::conv::ConvOps;
use crate::tensor::dfdx::shapes::Axes2;
use crate::tensor::dfdx::shapes::{Axis, HasShape};
use crate::tensor::dfdx::tensor_ops::{BroadcastTo, PermuteTo, SumTo, TryMatMul, TryMul, TrySub};
use crate::tensor::{TensorError, device_error};

/// Which rows make prototypes, and which are compared with them.
#[derive(Clone, Copy, Debug)]
pub struct Prototypes<'a> {
    /// The label of each of the first rows, which make the prototypes.
    pub support: &'a [usize],
    /// How many labels there are, each of which has support.
    pub way: usize,
    /// The rows that are compared with the prototypes; support may be among them.
    pub queries: &'a [usize],
}

impl Prototypes<'_> {
    /// `2·x·mean − ‖mean‖²` of the queries: −‖x − mean‖² less ‖x‖², which no softmax sees. (queries, way).
    ///
    /// # Errors
    /// When the rows are too few, or the device fails.
    pub fn logits<D: ConvOps>(&self, features: Traced<D>) -> Result<Traced<D>, TensorError> {
        let error = device_error::<D>;
        let (rows, dim) = *features.shape();
        let again = features.retaped();
        let means = self.averaging(features.device(), rows)?.retaped().try_matmul(features).map_err(error)?;
        let (means_again, queries) = (means.retaped(), picked(again, self.queries.to_vec())?);
        let norms: Traced<D> = {
            let norms = means.try_square().map_err(error)?.try_sum::<(usize,), Axis<1>>().map_err(error)?;
            norms.try_broadcast_like::<_, Axis<0>>(&(self.queries.len(), self.way)).map_err(error)?
        };
        let columns: Traced<D> = means_again.try_permute::<(usize, usize), Axes2<1, 0>>().map_err(error)?;
        debug_assert_eq!(*columns.shape(), (dim, self.way));
        let products: Traced<D> = queries.try_matmul(columns).map_err(error)?;
        products.try_mul(2.0).map_err(error)?.try_sub(norms).map_err(error)
    }

    /// What rows are multiplied by for the means of the labels: (way, rows).
    fn averaging<D: ConvOps>(
        &self,
        device: &D,
        rows: usize,
    ) -> Result<crate::tensor::Tensor2<D>, TensorError> {
        let mut counts = vec![0usize; self.way];
        self.support.iter().for_each(|label| counts[*label] += 1);
        let mut shares = vec![0.0; self.way * rows];
        for (row, label) in self.support.iter().enumerate() {
            shares[label * rows + row] = 1.0 / counts[*label] as f32;
        }
        device.tensor2((self.way, rows), shares)
    }
}

/// The mean cross-entropy of an episode's queries under a softmax of −‖x − mean‖².
///
/// `features` (way · (shot + query), dim) holds the supports of all labels, label by label, then the queries likewise.
///
/// # Errors
/// When the rows are too few, or the device fails.
pub fn prototypical<D: ConvOps>(
    features: Traced<D>,
    (way, shot, query): (usize, usize, usize),
) -> Result<Loss<D>, TensorError> {
    let labels = |each: usize| (0..way * each).map(|row| row / each).collect::<Vec<_>>();
    let queries: Vec<usize> = (way * shot..way * (shot + query)).collect();
    let prototypes = Prototypes { support: &labels(shot), way, queries: &queries };
    cross_entropy(prototypes.logits(features)?, &labels(query), 0.0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{agrees, numbers, value};
    use super::*;

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        agrees(&numbers(3 * 4 * 4), (12, 4), |x| prototypical(x, (3, 2, 2)));
    }

    #[test]
    fn two_labels_on_a_line() {
        // Means 0 and 2; the queries at 0 and 2 are at squared distances 0 and 4.
        let (loss, accuracy) = value(vec![0.0, 2.0, 0.0, 2.0], (4, 1), |x| prototypical(x, (2, 1, 1)));
        assert!((loss - (1.0 + (-4f64).exp()).ln()).abs() < 1e-6 && accuracy == 1.0);
    }
}
