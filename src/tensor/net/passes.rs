//! A network that is only evaluated, on whichever device.

use super::graph::{Graph, Value};
use super::host::Engine;
use super::sizes::Size;
use super::traced::Learner;
use crate::tensor::conv::ConvOps;
use crate::tensor::dfdx::shapes::HasShape;
use crate::tensor::{Cpu, Tensor2, TensorError, device_error, to_host};
use dfdx::tensor_ops::ReshapeTo;

/// A network up to one result, without a tape.
pub trait Passes<D: ConvOps> {
    /// The mean over the pixels or tokens of the result for images that lie behind each other as (channels, height, width):
    /// (images, channels of the result).
    ///
    /// # Errors
    /// When the images are not whole, the network cannot take images of this size, or the device fails.
    fn features(&self, images: &[f32], image: (usize, usize)) -> Result<Tensor2<D>, TensorError>;

    /// The result itself, as images that lie behind each other as (channels, height, width).
    ///
    /// # Errors
    /// As [`Passes::features`].
    fn maps(&self, images: &[f32], image: (usize, usize)) -> Result<Vec<f32>, TensorError>;
}

/// The processor's engine with the device that its results belong to.
pub(in crate::tensor) struct OnHost {
    device: Cpu,
    engine: Engine,
}

impl OnHost {
    pub fn new(
        device: &Cpu,
        graph: &Graph,
        values: &[Vec<f32>],
        result: Value,
    ) -> Result<OnHost, TensorError> {
        Ok(OnHost { device: device.clone(), engine: Engine::new(graph, values, result)? })
    }
}

impl Passes<Cpu> for OnHost {
    fn features(&self, images: &[f32], image: (usize, usize)) -> Result<Tensor2<Cpu>, TensorError> {
        use crate::tensor::Backend;
        let Size { channels, .. } = self.engine.size(image)?;
        let maps = self.engine.run(images, image)?;
        let pixels = self.engine.size(image)?.pixels();
        let features = means(maps, pixels, channels);
        self.device.tensor2((features.len() / channels, channels), features)
    }

    fn maps(&self, images: &[f32], image: (usize, usize)) -> Result<Vec<f32>, TensorError> {
        let Size { channels, .. } = self.engine.size(image)?;
        let maps = self.engine.run(images, image)?;
        Ok(channels_first(&maps, self.engine.size(image)?.pixels(), channels))
    }
}

/// Maps (images, pixels, channels) as (images, channels, pixels).
fn channels_first(maps: &[f32], pixels: usize, channels: usize) -> Vec<f32> {
    let mut out = vec![0.0; maps.len()];
    for (map, out) in maps.chunks_exact(pixels * channels).zip(out.chunks_exact_mut(pixels * channels)) {
        for (channel, out) in out.chunks_exact_mut(pixels).enumerate() {
            out.iter_mut().zip(map[channel..].iter().step_by(channels)).for_each(|(to, from)| *to = *from);
        }
    }
    out
}

/// The mean of each channel of maps (images, pixels, channels).
fn means(maps: Vec<f32>, pixels: usize, channels: usize) -> Vec<f32> {
    if pixels == 1 {
        return maps;
    }
    let mut out = vec![0.0; maps.len() / pixels];
    for (map, out) in maps.chunks_exact(pixels * channels).zip(out.chunks_exact_mut(channels)) {
        for pixel in map.chunks_exact(channels) {
            out.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
        }
        out.iter_mut().for_each(|sum| *sum /= pixels as f32);
    }
    out
}

/// Operations of the device one after the other: what every device can do.
pub(in crate::tensor) struct OnDevice<D: ConvOps> {
    learner: Learner<D>,
    result: Value,
}

impl<D: ConvOps> OnDevice<D> {
    pub fn new(device: &D, graph: &Graph, values: &[Vec<f32>], result: Value) -> Result<Self, TensorError> {
        Ok(OnDevice { learner: Learner::new(device, graph, values)?, result })
    }
}

impl<D: ConvOps> Passes<D> for OnDevice<D> {
    fn features(&self, images: &[f32], image: (usize, usize)) -> Result<Tensor2<D>, TensorError> {
        let map = self.learner.evaluate(images, image, self.result)?;
        let mean = D::global_average_pool(map)?;
        let (batch, _, _, channels) = *mean.shape();
        mean.try_reshape_like(&(batch, channels)).map_err(device_error::<D>)
    }

    fn maps(&self, images: &[f32], image: (usize, usize)) -> Result<Vec<f32>, TensorError> {
        let map = self.learner.evaluate(images, image, self.result)?;
        let (_, height, width, channels) = *map.shape();
        Ok(channels_first(&to_host(&map)?, height * width, channels))
    }
}
