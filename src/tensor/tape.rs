//! Tracing gradients: from tensors without a tape to one, and from a result back.
//!
//! An objective is plain number code that gives the gradient of its own value with respect to a result; [`backward`] carries
//! that gradient back to everything that the result was made of.

use dfdx::shapes::Shape;
use dfdx::tensor::{OwnedTape, Tensor, Trace};
use dfdx::tensor_ops::{Backward, SumTo, TryMul};

use super::backend::{Backend, device_error};
use super::error::{TensorError, same};
use super::{Cpu, to_host};

/// What a gradient is traced back through: the operations that made a result.
pub type Tape<D> = OwnedTape<f32, D>;

/// The gradients of everything that a result was made of.
pub struct Gradients<D: Backend>(dfdx::tensor::Gradients<f32, D>);

/// The tensor with an empty tape: what is made of it can be traced back.
pub fn trace<S: Shape, D: Backend>(tensor: Tensor<S, f32, D>) -> Tensor<S, f32, D, Tape<D>> {
    tensor.leaky_traced()
}

/// Carries `gradient`, one number per number of `result`, back along the tape.
///
/// # Errors
/// When the sizes differ or the device fails.
pub fn backward<S: Shape, D: Backend>(
    result: Tensor<S, f32, D, Tape<D>>,
    gradient: Vec<f32>,
) -> Result<Gradients<D>, TensorError> {
    use dfdx::shapes::HasShape;
    let error = device_error::<D>;
    same("a gradient", "numbers", result.shape().num_elements(), gradient.len())?;
    let shape = *result.shape();
    // The gradient of Σ y·g with respect to y is g.
    let gradient = result.device().try_tensor_from_vec(gradient, shape).map_err(error)?;
    let product = result.try_mul(gradient).map_err(error)?;
    let sum: Tensor<(), f32, D, Tape<D>> = product.try_sum().map_err(error)?;
    Ok(Gradients(sum.try_backward().map_err(error)?))
}

/// The gradients of everything that a loss was made of.
///
/// # Errors
/// When the device fails.
pub fn differentiate<D: Backend>(loss: Tensor<(), f32, D, Tape<D>>) -> Result<Gradients<D>, TensorError> {
    Ok(Gradients(loss.try_backward().map_err(device_error::<D>)?))
}

impl<D: Backend> Gradients<D> {
    /// The gradient of a tensor where the device has it; zeros where the result was not made of it.
    pub(super) fn tensor<S: Shape>(
        &mut self,
        tensor: &Tensor<S, f32, D>,
    ) -> Result<Tensor<S, f32, D>, TensorError> {
        self.0.get_or_alloc_mut(tensor).map_err(device_error::<D>)?;
        Ok(self.0.get(tensor))
    }

    /// The gradient of a tensor, in row order; zeros where the result was not made of it.
    ///
    /// # Errors
    /// When the device fails.
    pub fn of<S: Shape>(&mut self, tensor: &Tensor<S, f32, D>) -> Result<Vec<f32>, TensorError> {
        self.0.get_or_alloc_mut(tensor).map_err(device_error::<D>)?;
        to_host(&self.0.get(tensor))
    }
}

impl Gradients<Cpu> {
    /// The gradient of a tensor without a copy; it is gone from here.
    pub(super) fn moved_out<S: Shape>(
        &mut self,
        tensor: &Tensor<S, f32, Cpu>,
    ) -> Result<Vec<f32>, TensorError> {
        let gradient = self.0.get_or_alloc_mut(tensor).map_err(device_error::<Cpu>)?;
        Ok(std::mem::take(&mut **gradient))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::open_cpu;

    #[test]
    fn a_gradient_reaches_what_the_result_was_made_of_and_nothing_else() {
        let device = open_cpu();
        let x = device.tensor1(2, vec![3.0, -1.0]).unwrap();
        let apart = device.tensor1(2, vec![1.0, 1.0]).unwrap();
        let squares = trace(x.clone()).square();
        let mut gradients = backward(squares, vec![1.0, 10.0]).unwrap();
        assert_eq!(gradients.of(&x).unwrap(), [6.0, -20.0]);
        assert_eq!(gradients.of(&apart).unwrap(), [0.0, 0.0]);
        assert!(backward(trace(x), vec![1.0]).is_err());
    }
}
