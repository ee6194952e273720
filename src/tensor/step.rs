//! Steps of gradient descent on a device: gradients taken out of a pass, added up, and applied to weights that stay where they
//! are. [`Step::on_host`] is the arithmetic; a device without host loops composes the same of stock operations.

use dfdx::shapes::{HasShape, Shape};
use dfdx::tensor::{CopySlice, Cpu, Tensor};
use dfdx::tensor_ops::{ReshapeTo, SumTo, TryAdd, TryDiv, TryMul, TrySub};

use super::backend::{Backend, device_error};
use super::error::{TensorError, same};
use super::tape::Gradients;
use super::{Tensor1, to_host};

/// Adam's usual factors of the running means.
const BETAS: (f32, f32) = (0.9, 0.999);
/// What Adam adds to the root of the running square.
const EPSILON: f32 = 1e-8;

/// How a gradient becomes a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Stochastic gradient descent; `momentum` is the part of the last step that is kept.
    Sgd {
        /// From 0 to 1.
        momentum: f64,
    },
    /// Adam (Kingma and Ba 2015) with moments 0.9 and 0.999; `decoupled` shrinks the weights themselves (Loshchilov and Hutter
    /// 2019, AdamW), otherwise the decay is added to the gradient.
    Adam {
        /// Whether the decay passes the moments by.
        decoupled: bool,
    },
}

/// One step of one weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The rule.
    pub rule: Rule,
    /// The learning rate of this step.
    pub rate: f64,
    /// The factor of the weight decay.
    pub decay: f64,
    /// The step's number, from 1.
    pub number: u32,
    /// What the gradient is multiplied by first, for clipping.
    pub factor: f32,
}

/// The rate and the root of Adam with the corrections for moments that began at zero.
fn corrected(rate: f64, number: u32) -> (f32, f32) {
    let correction = |beta: f32| 1.0 - f64::from(beta).powi(number.min(1 << 30) as i32);
    ((rate / correction(BETAS.0)) as f32, correction(BETAS.1).sqrt() as f32)
}

impl Step {
    /// Moves `values` by their gradient. `first` is the velocity or the running mean of the gradient, `second` the running
    /// mean of its square; all are of one length.
    pub fn on_host(&self, values: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        let (decay, factor) = (self.decay as f32, self.factor);
        match self.rule {
            Rule::Adam { decoupled } => {
                let (rate, root) = corrected(self.rate, self.number);
                let kept = if decoupled { 1.0 - (self.rate * self.decay) as f32 } else { 1.0 };
                let coupled = if decoupled { 0.0 } else { decay };
                for ((value, g), (m, v)) in values.iter_mut().zip(gradient).zip(first.iter_mut().zip(second))
                {
                    let g = factor * g + coupled * *value;
                    *value *= kept;
                    *m += (1.0 - BETAS.0) * (g - *m);
                    *v = BETAS.1 * *v + (1.0 - BETAS.1) * g * g;
                    *value -= rate * *m / (v.sqrt() / root + EPSILON);
                }
            }
            Rule::Sgd { momentum } => {
                let (rate, momentum) = (self.rate as f32, momentum as f32);
                for ((value, g), velocity) in values.iter_mut().zip(gradient).zip(first) {
                    *velocity = momentum * *velocity + factor * g + decay * *value;
                    *value -= rate * *velocity;
                }
            }
        }
    }
}

/// As many numbers as a weight has, where the device likes to have them: a gradient or a moment.
pub struct Slot<D: Backend>(Held<D>);

enum Held<D: Backend> {
    Host(Vec<f32>),
    Device(Tensor1<D>),
}

/// What an optimiser remembers of a weight; nothing before its first step.
pub struct Moments<D: Backend> {
    first: Option<Slot<D>>,
    second: Option<Slot<D>>,
}

impl<D: Backend> Default for Moments<D> {
    fn default() -> Self {
        Moments { first: None, second: None }
    }
}

impl<D: Backend> Slot<D> {
    /// The sum of the squares.
    ///
    /// # Errors
    /// When the device fails.
    pub fn squared_norm(&self) -> Result<f64, TensorError> {
        match &self.0 {
            Held::Host(values) => Ok(values.iter().map(|v| f64::from(*v) * f64::from(*v)).sum()),
            Held::Device(tensor) => {
                let sum: Tensor<(), f32, D> =
                    tensor.clone().try_square().and_then(|t| t.try_sum()).map_err(device_error::<D>)?;
                Ok(to_host(&sum)?.first().copied().map_or(0.0, f64::from))
            }
        }
    }

    /// Adds numbers of the same weight.
    ///
    /// # Errors
    /// When sizes differ or the device fails.
    pub fn add(&mut self, other: Slot<D>) -> Result<(), TensorError> {
        match (&mut self.0, other.0) {
            (Held::Host(to), Held::Host(from)) => {
                same("a sum of gradients", "numbers", to.len(), from.len())?;
                to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
            }
            (Held::Device(to), Held::Device(from)) => {
                *to = to.clone().try_add(from).map_err(device_error::<D>)?;
            }
            _ => return Err(elsewhere::<D>()),
        }
        Ok(())
    }

    /// The numbers.
    ///
    /// # Errors
    /// When the device fails.
    pub fn to_host(&self) -> Result<Vec<f32>, TensorError> {
        match &self.0 {
            Held::Host(values) => Ok(values.clone()),
            Held::Device(tensor) => to_host(tensor),
        }
    }
}

/// Numbers of one weight in two places.
fn elsewhere<D: Backend>() -> TensorError {
    TensorError::Device { device: D::NAME, message: "a gradient and its weight lie apart".to_string() }
}

/// A device on which weights are trained.
pub trait StepOps: Backend {
    /// The gradient of a weight, taken out of those of a pass; zeros where the result was not made of it.
    ///
    /// # Errors
    /// When the device fails.
    fn take_gradient<S: Shape>(
        gradients: &mut Gradients<Self>,
        weight: &Tensor<S, f32, Self>,
    ) -> Result<Slot<Self>, TensorError> {
        let count = weight.shape().num_elements();
        let gradient = gradients.tensor(weight)?;
        Ok(Slot(Held::Device(gradient.try_reshape_like(&(count,)).map_err(device_error::<Self>)?)))
    }

    /// Moves a weight by its gradient.
    ///
    /// # Errors
    /// When the device fails.
    fn descend<S: Shape>(
        weight: &mut Tensor<S, f32, Self>,
        gradient: &Slot<Self>,
        moments: &mut Moments<Self>,
        step: &Step,
    ) -> Result<(), TensorError> {
        stock(weight, gradient, moments, step)
    }
}

/// A step of stock operations.
fn stock<S: Shape, D: Backend>(
    weight: &mut Tensor<S, f32, D>,
    gradient: &Slot<D>,
    moments: &mut Moments<D>,
    step: &Step,
) -> Result<(), TensorError> {
    let error = device_error::<D>;
    let Held::Device(gradient) = &gradient.0 else { return Err(elsewhere::<D>()) };
    let count = weight.shape().num_elements();
    let old: Tensor1<D> = weight.clone().try_reshape_like(&(count,)).map_err(error)?;
    let of = |slot: &Option<Slot<D>>| match slot {
        Some(Slot(Held::Device(tensor))) => Ok(tensor.clone()),
        _ => old.device().tensor1(count, vec![0.0; count]),
    };
    let keep = |tensor: &Tensor1<D>| Some(Slot(Held::Device(tensor.clone())));
    let scaled = |tensor: Tensor1<D>, by: f32| tensor.try_mul(by).map_err(error);
    let sum = |a: Tensor1<D>, b: Tensor1<D>| a.try_add(b).map_err(error);
    let decay = step.decay as f32;
    let decayed = |g: Tensor1<D>| if decay == 0.0 { Ok(g) } else { sum(g, scaled(old.clone(), decay)?) };
    let g = scaled(gradient.clone(), step.factor)?;
    let new = match step.rule {
        Rule::Sgd { momentum } => {
            let velocity = sum(scaled(of(&moments.first)?, momentum as f32)?, decayed(g)?)?;
            moments.first = keep(&velocity);
            old.clone().try_sub(scaled(velocity, step.rate as f32)?).map_err(error)?
        }
        Rule::Adam { decoupled } => {
            let (rate, root) = corrected(step.rate, step.number);
            let g = if decoupled { g } else { decayed(g)? };
            let kept = if decoupled { 1.0 - (step.rate * step.decay) as f32 } else { 1.0 };
            let first = sum(scaled(of(&moments.first)?, BETAS.0)?, scaled(g.clone(), 1.0 - BETAS.0)?)?;
            let square = scaled(g.try_square().map_err(error)?, 1.0 - BETAS.1)?;
            let second = sum(scaled(of(&moments.second)?, BETAS.1)?, square)?;
            (moments.first, moments.second) = (keep(&first), keep(&second));
            let below = second.try_sqrt().and_then(|t| t.try_mul(1.0 / root)).map_err(error)?;
            let below = below.try_add(EPSILON).map_err(error)?;
            let moved = scaled(first, rate)?.try_div(below).map_err(error)?;
            scaled(old.clone(), kept)?.try_sub(moved).map_err(error)?
        }
    };
    let shape = *weight.shape();
    *weight = new.try_reshape_like(&shape).map_err(error)?;
    Ok(())
}

#[cfg(feature = "cuda")]
impl StepOps for super::Cuda {}

impl StepOps for Cpu {
    fn take_gradient<S: Shape>(
        gradients: &mut Gradients<Cpu>,
        weight: &Tensor<S, f32, Cpu>,
    ) -> Result<Slot<Cpu>, TensorError> {
        Ok(Slot(Held::Host(gradients.moved_out(weight)?)))
    }

    fn descend<S: Shape>(
        weight: &mut Tensor<S, f32, Cpu>,
        gradient: &Slot<Cpu>,
        moments: &mut Moments<Cpu>,
        step: &Step,
    ) -> Result<(), TensorError> {
        let Held::Host(gradient) = &gradient.0 else { return Err(elsewhere::<Cpu>()) };
        let mut values = vec![0.0; weight.shape().num_elements()];
        same("a step", "numbers of a gradient", values.len(), gradient.len())?;
        Cpu::copy_into(weight, &mut values);
        let (mut one, mut none) = (None, [0.0; 0]);
        let remembers = step.rule != Rule::Sgd { momentum: 0.0 };
        let first = host(if remembers { &mut moments.first } else { &mut one }, values.len());
        let second = match step.rule {
            Rule::Adam { .. } => host(&mut moments.second, values.len()),
            Rule::Sgd { .. } => none.as_mut_slice(),
        };
        step.on_host(&mut values, gradient, first, second);
        Cpu::copy_from(weight, &values);
        Ok(())
    }
}

/// The numbers of a slot, zeros before the first step.
fn host(slot: &mut Option<Slot<Cpu>>, count: usize) -> &mut [f32] {
    match &mut slot.get_or_insert_with(|| Slot(Held::Host(vec![0.0; count]))).0 {
        Held::Host(values) => values,
        // The CPU has no other moments than those that are made here.
        Held::Device(_) => &mut [],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::tape::{backward, trace};
    use crate::tensor::{Tensor2, open_cpu};

    /// Three steps on Σ c·w²/2 from the same weights, by the host's loops or by stock operations.
    fn descended(rule: Rule, decay: f64, composed: bool) -> Vec<f32> {
        let device = open_cpu();
        let mut weight: Tensor2<Cpu> = device.tensor2((2, 3), vec![1.0, -2.0, 0.5, 0.0, 3.0, -0.1]).unwrap();
        let mut moments = Moments::default();
        for number in 1..=3 {
            let traced = trace(weight.clone()).square();
            let mut gradients = backward(traced, vec![0.5, 0.1, 3.0, 1.0, 0.01, 2.0]).unwrap();
            let step = Step { rule, rate: 0.1, decay, number, factor: 0.7 };
            if composed {
                let gradient = gradients.tensor(&weight).unwrap().try_reshape_like(&(6,)).unwrap();
                stock(&mut weight, &Slot(Held::Device(gradient)), &mut moments, &step).unwrap();
            } else {
                let gradient = Cpu::take_gradient(&mut gradients, &weight).unwrap();
                Cpu::descend(&mut weight, &gradient, &mut moments, &step).unwrap();
            }
        }
        to_host(&weight).unwrap()
    }

    #[test]
    fn stock_operations_step_as_the_loops_do() {
        let rules = [
            Rule::Sgd { momentum: 0.0 },
            Rule::Sgd { momentum: 0.9 },
            Rule::Adam { decoupled: false },
            Rule::Adam { decoupled: true },
        ];
        for rule in rules {
            for decay in [0.0, 0.1] {
                let (loops, composed) = (descended(rule, decay, false), descended(rule, decay, true));
                let near = |(a, b): (&f32, &f32)| (a - b).abs() < 2e-6;
                assert!(loops.iter().zip(&composed).all(near), "{rule:?} {loops:?} {composed:?}");
                assert_ne!(loops[0], 1.0);
            }
        }
    }

    #[test]
    fn gradients_add_up_and_have_a_norm() {
        let slot = |values: Vec<f32>| Slot::<Cpu>(Held::Host(values));
        let mut sum = slot(vec![1.0, 2.0]);
        sum.add(slot(vec![2.0, 2.0])).unwrap();
        assert_eq!((sum.to_host().unwrap(), sum.squared_norm().unwrap()), (vec![3.0, 4.0], 25.0));
        assert!(sum.add(slot(vec![1.0])).is_err());
    }
}
