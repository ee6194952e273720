//! What a fit in the span of a support gives.

use dfdx::shapes::HasShape;

use crate::tensor::{Backend, Cpu, Origins, Tensor2, Tensor3, TensorError, to_host};

/// Coefficients of heads in the span of their support sets.
pub struct Solution<D: Backend> {
    /// `A` (episodes, support, way); zero for padding.
    pub coefficients: Tensor3<D>,
    /// The bias (episodes, way), for heads that have one.
    pub bias: Option<Tensor2<D>>,
    /// Weights (way × dim) of single episodes, for which those that the coefficients make are not precise enough.
    pub weights: Vec<(usize, Vec<f32>)>,
    /// What the bias takes as subtracted from the items of an episode, where anything is.
    pub origins: Option<Origins>,
    /// Episodes whose fit stopped at its step limit.
    pub unconverged: usize,
}

impl Solution<Cpu> {
    /// The same on a device.
    pub(super) fn on<D: Backend>(self, device: &D) -> Result<Solution<D>, TensorError> {
        let bias = match &self.bias {
            Some(bias) => Some(device.tensor2(*bias.shape(), to_host(bias)?)?),
            None => None,
        };
        let coefficients = device.tensor3(*self.coefficients.shape(), to_host(&self.coefficients)?)?;
        let Solution { weights, origins, unconverged, .. } = self;
        Ok(Solution { coefficients, bias, weights, origins, unconverged })
    }
}

impl<D: Backend> Solution<D> {
    /// Coefficients and bias alone.
    pub(super) fn of(coefficients: Tensor3<D>, bias: Option<Tensor2<D>>, unconverged: usize) -> Solution<D> {
        Solution { coefficients, bias, weights: Vec::new(), origins: None, unconverged }
    }
}
