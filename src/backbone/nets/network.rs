//! A published network on a device.

use std::cell::OnceCell;

use super::config::NetConfig;
use crate::backbone::architecture::Architecture;
use crate::backbone::network::{Backbone, Traced, Trainable};
use crate::backbone::weights::Weights;
use crate::tensor::conv::ConvOps;
use crate::tensor::dfdx::shapes::HasShape;
use crate::tensor::dfdx::tensor_ops::ReshapeTo;
use crate::tensor::net::{Graph, Learner, Passes};
use crate::tensor::tape::Gradients;
use crate::tensor::{Tensor2, TensorError, device_error};
use crate::vocab::Form;

/// Most images that pass together: more of them gain nothing on a processor.
const MOST: usize = 32;

/// A network of [`NetConfig`] with its weights. Features are means over the pixels or tokens of its result.
pub struct Net<D: ConvOps> {
    device: D,
    config: NetConfig,
    graph: Graph,
    weights: Weights,
    /// The network without a tape, made when it is first asked for and dropped when weights change.
    passes: OnceCell<Box<dyn Passes<D>>>,
    /// The weights on the device, from the first step of a training on.
    learner: Option<Learner<D>>,
}

impl<D: ConvOps> Net<D> {
    /// The network with these numbers, as [`NetConfig`] lays them out.
    ///
    /// # Errors
    /// When a tensor has another size, or the device has no room.
    pub fn new(device: &D, config: NetConfig, weights: &Weights) -> Result<Net<D>, TensorError> {
        let net = Net {
            device: device.clone(),
            config,
            graph: config.graph(),
            weights: weights.clone(),
            passes: OnceCell::new(),
            learner: None,
        };
        config.size()?;
        net.passes()?;
        Ok(net)
    }

    fn values(weights: &Weights) -> Vec<Vec<f32>> {
        weights.0.iter().map(|weight| weight.values.clone()).collect()
    }

    fn passes(&self) -> Result<&dyn Passes<D>, TensorError> {
        if self.passes.get().is_none() {
            let values = match &self.learner {
                Some(learner) => learner.values()?,
                None => Net::<D>::values(&self.weights),
            };
            let made = self.device.passes(&self.graph, &values, self.config.result(&self.graph))?;
            let _ = self.passes.set(made);
        }
        match self.passes.get() {
            Some(passes) => Ok(passes.as_ref()),
            None => Err(TensorError::Device { device: D::NAME, message: "no network was made".to_string() }),
        }
    }
}

impl<D: ConvOps> Backbone<D> for Net<D> {
    fn name(&self) -> &'static str {
        self.config.name()
    }

    fn configuration(&self) -> String {
        self.config.text()
    }

    fn form(&self) -> Form {
        self.config.form()
    }

    fn dim(&self) -> usize {
        self.config.dim()
    }

    fn batch_size(&self) -> usize {
        let image = self.config.plan().image;
        let widest = self.graph.sizes(image).map(|sizes| sizes.iter().map(|s| s.count()).max().unwrap_or(1));
        self.device.batch_size(4 * widest.unwrap_or(1) * size_of::<f32>()).clamp(1, MOST)
    }

    fn embed(&self, items: &[f32]) -> Result<Tensor2<D>, TensorError> {
        self.passes()?.features(items, self.config.plan().image)
    }
}

impl<D: ConvOps> Trainable<D> for Net<D> {
    fn forward(&mut self, items: &[f32]) -> Result<Traced<D>, TensorError> {
        let learner = match &mut self.learner {
            Some(learner) => learner,
            None => {
                let values = Net::<D>::values(&self.weights);
                self.learner.insert(Learner::new(&self.device, &self.graph, &values)?)
            }
        };
        self.passes = OnceCell::new();
        let out = learner.forward(items, self.config.plan().image, self.config.result(&self.graph))?;
        let mean = D::global_average_pool(out)?;
        let (batch, _, _, channels) = *mean.shape();
        mean.try_reshape_like(&(batch, channels)).map_err(device_error::<D>)
    }

    fn gradients(&self, gradients: &mut Gradients<D>) -> Result<Vec<Vec<f32>>, TensorError> {
        match &self.learner {
            Some(learner) => learner.gradients(gradients),
            None => Ok(self.weights.learned().map(|weight| vec![0.0; weight.values.len()]).collect()),
        }
    }

    fn weights(&self) -> Result<Weights, TensorError> {
        let mut all = self.weights.clone();
        if let Some(learner) = &self.learner {
            let values = learner.values()?;
            all.0.iter_mut().zip(values).for_each(|(weight, values)| weight.values = values);
        }
        Ok(all)
    }

    fn load(&mut self, weights: &Weights) -> Result<(), TensorError> {
        self.weights = weights.clone();
        self.learner = None;
        self.passes = OnceCell::new();
        Ok(())
    }
}
