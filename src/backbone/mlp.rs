//! Mlp: one hidden layer with ReLU over the pixels of an image as they lie, then a linear layer.
//!
//! The baseline that knows nothing of where pixels are. Layers are 1×1 convolutions of images of one pixel, whose channels
//! are the numbers.

use super::architecture::{Architecture, Described, Named, numbers};
use super::network::{Backbone, Traced, Trainable};
use super::{BackboneError, Weights};
use crate::tensor::conv::{ConvOps, Convolution, Tensor4};
use crate::tensor::dfdx::shapes::HasShape;
use crate::tensor::dfdx::tensor::Tape;
use crate::tensor::dfdx::tensor_ops::ReshapeTo;
use crate::tensor::net::{Activation, Builder, Dense};
use crate::tensor::tape::{Gradients, trace};
use crate::tensor::{Tensor1, Tensor2, TensorError, device_error, to_host};
use crate::vocab::Form;

/// The sizes of an [`Mlp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MlpConfig {
    /// Channels, height and width of the images.
    pub image: (usize, usize, usize),
    /// Numbers of the hidden layer.
    pub hidden: usize,
    /// Numbers per feature vector.
    pub width: usize,
}

impl MlpConfig {
    /// Inputs of the hidden layer.
    fn pixels(&self) -> usize {
        self.image.0 * self.image.1 * self.image.2
    }

    /// Name, outputs and inputs of each layer.
    fn layers(&self) -> [(&'static str, usize, usize); 2] {
        [("hidden", self.hidden, self.pixels()), ("out", self.width, self.hidden)]
    }
}

impl Architecture for MlpConfig {
    fn name(&self) -> &'static str {
        MlpConfig::NAME
    }

    fn text(&self) -> String {
        let MlpConfig { image: (channels, height, across), hidden, width } = self;
        format!("channels={channels},height={height},hidden={hidden},image_width={across},width={width}")
    }

    fn form(&self) -> Form {
        let (channels, height, width) = self.image;
        Form::Image { channels, height, width }
    }

    fn dim(&self) -> usize {
        self.width
    }

    fn count(&self) -> Option<usize> {
        let (channels, height, across) = self.image;
        let pixels = channels.checked_mul(height)?.checked_mul(across)?;
        let hidden = pixels.checked_add(1)?.checked_mul(self.hidden)?;
        self.hidden.checked_add(1)?.checked_mul(self.width)?.checked_add(hidden)
    }

    /// Weights are normal with variance 2 / fan-in (He et al. 2015), biases zero.
    fn fresh(&self, mut normal: impl FnMut() -> f64) -> Weights {
        let mut all = Weights::default();
        for (name, outputs, inputs) in self.layers() {
            let deviation = (2.0 / inputs as f64).sqrt();
            let weight = (0..outputs * inputs).map(|_| (deviation * normal()) as f32).collect();
            all.push(format!("{name}.weight"), &[outputs, inputs], weight, true);
            all.push(format!("{name}.bias"), &[outputs], vec![0.0; outputs], true);
        }
        all
    }

    fn described(&self) -> Option<Described> {
        let (channels, height, across) = self.image;
        let (mut net, images) = Builder::new(channels);
        let pixels = net.flatten(images, height * across);
        let hidden = net.dense(pixels, "hidden", Dense::new(self.hidden).then(Activation::Relu));
        net.cut("hidden", hidden);
        let features = net.dense(hidden, "out", Dense::new(self.width));
        net.cut("out", features);
        Some(Described { graph: net.finish(features, None), features, image: (height, across) })
    }

    fn on<D: ConvOps>(&self, device: &D, weights: &Weights) -> Result<Box<dyn Trainable<D>>, TensorError> {
        Ok(Box::new(Mlp::new(device, *self, weights)?))
    }
}

impl Named for MlpConfig {
    const NAME: &'static str = "mlp";
    const ABOUT: &'static str = "one hidden layer with ReLU over the pixels, blind to where they are";
    const SIZES: &'static [(&'static str, usize)] = &[("hidden", 256), ("width", 64)];

    fn fit(form: Form, size: impl Fn(&str) -> usize) -> Result<MlpConfig, BackboneError> {
        let refused = |key, rule: &str, found| BackboneError::Configuration {
            backbone: "mlp",
            key,
            rule: rule.to_string(),
            found,
        };
        let Form::Image { channels, height, width: across } = form else {
            return Err(refused("form", "`image:CHANNELSxHEIGHTxWIDTH`", format!("`{form}`")));
        };
        for key in ["hidden", "width"] {
            if !(1..=65536).contains(&size(key)) {
                return Err(refused(key, "1 to 65536", size(key).to_string()));
            }
        }
        Ok(MlpConfig { image: (channels, height, across), hidden: size("hidden"), width: size("width") })
    }

    fn parse(text: &str) -> Option<MlpConfig> {
        let keys = ["channels", "height", "hidden", "image_width", "width"];
        let [channels, height, hidden, across, width] = numbers(text, keys)?;
        let form = Form::Image { channels, height, width: across };
        MlpConfig::fit(form, |key| if key == "hidden" { hidden } else { width }).ok()
    }
}

struct Layer<D: ConvOps> {
    weight: Tensor4<D>,
    bias: Tensor1<D>,
}

impl<D: ConvOps> Layer<D> {
    fn apply<T: Tape<f32, D>>(&self, x: Tensor4<D, T>) -> Result<Tensor4<D, T>, TensorError> {
        D::conv2d(x, &self.weight, Some(&self.bias), &Convolution::padded(0))
    }
}

/// The network on a device.
pub struct Mlp<D: ConvOps> {
    device: D,
    config: MlpConfig,
    layers: Vec<Layer<D>>,
}

impl<D: ConvOps> Mlp<D> {
    /// The network with these numbers, as [`MlpConfig`] lays them out.
    ///
    /// # Errors
    /// When a tensor has another size, or the device has no room.
    pub fn new(device: &D, config: MlpConfig, weights: &Weights) -> Result<Mlp<D>, TensorError> {
        let mut network = Mlp { device: device.clone(), config, layers: Vec::new() };
        network.load(weights)?;
        Ok(network)
    }

    /// Items as images of one pixel.
    fn upload(&self, items: &[f32]) -> Result<Tensor4<D>, TensorError> {
        let (pixels, found) = (self.config.pixels(), items.len());
        let batch = found / pixels;
        if batch * pixels != found {
            let (operation, what) = ("mlp", "numbers of whole images");
            return Err(TensorError::Shape { operation, what, expected: batch * pixels, found });
        }
        self.device.tensor4((batch, 1, 1, pixels), items.to_vec())
    }

    fn features<T: Tape<f32, D>>(&self, x: Tensor4<D, T>) -> Result<Tensor4<D, T>, TensorError> {
        let [hidden, out] = self.layers.as_slice() else {
            let found = self.layers.len();
            return Err(TensorError::Shape { operation: "mlp", what: "layers", expected: 2, found });
        };
        out.apply(D::relu(hidden.apply(x)?)?)
    }
}

impl<D: ConvOps> Backbone<D> for Mlp<D> {
    fn name(&self) -> &'static str {
        MlpConfig::NAME
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
        let MlpConfig { hidden, width, .. } = self.config;
        self.device.batch_size((self.config.pixels() + 2 * hidden + width) * size_of::<f32>())
    }

    fn embed(&self, items: &[f32]) -> Result<Tensor2<D>, TensorError> {
        let x = self.features(self.upload(items)?)?;
        let batch = x.shape().0;
        x.try_reshape_like(&(batch, self.config.width)).map_err(device_error::<D>)
    }
}

impl<D: ConvOps> Trainable<D> for Mlp<D> {
    fn forward(&mut self, items: &[f32]) -> Result<Traced<D>, TensorError> {
        let x = self.features(trace(self.upload(items)?))?;
        let batch = x.shape().0;
        x.try_reshape_like(&(batch, self.config.width)).map_err(device_error::<D>)
    }

    fn gradients(&self, gradients: &mut Gradients<D>) -> Result<Vec<Vec<f32>>, TensorError> {
        let mut all = Vec::new();
        for layer in &self.layers {
            all.extend([gradients.of(&layer.weight)?, gradients.of(&layer.bias)?]);
        }
        Ok(all)
    }

    fn weights(&self) -> Result<Weights, TensorError> {
        let mut all = Weights::default();
        for ((name, outputs, inputs), layer) in self.config.layers().into_iter().zip(&self.layers) {
            all.push(format!("{name}.weight"), &[outputs, inputs], to_host(&layer.weight)?, true);
            all.push(format!("{name}.bias"), &[outputs], to_host(&layer.bias)?, true);
        }
        Ok(all)
    }

    fn load(&mut self, weights: &Weights) -> Result<(), TensorError> {
        let mut layers = Vec::new();
        for ((_, outputs, inputs), parts) in self.config.layers().into_iter().zip(weights.0.chunks_exact(2)) {
            layers.push(Layer {
                weight: self.device.tensor4((outputs, inputs, 1, 1), parts[0].values.clone())?,
                bias: self.device.tensor1(outputs, parts[1].values.clone())?,
            });
        }
        self.layers = layers;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::tape::backward;
    use crate::tensor::{Cpu, open_cpu};

    const CONFIG: MlpConfig = MlpConfig { image: (1, 1, 2), hidden: 3, width: 1 };

    fn network() -> Mlp<Cpu> {
        let mut start = CONFIG.fresh(|| 0.0);
        start.0[0].values = vec![1.0, 0.0, 0.0, 1.0, 1.0, 1.0];
        start.0[1].values = vec![0.0, 0.0, -1.0];
        start.0[2].values = vec![1.0, 10.0, 100.0];
        start.0[3].values = vec![0.5];
        Mlp::new(&open_cpu(), CONFIG, &start).unwrap()
    }

    #[test]
    fn features_and_gradients_on_paper() {
        let mut network = network();
        // Hidden: (2, −3, −2) and (1, 1, 1) behind ReLU (2, 0, 0) and (1, 1, 1).
        let items = [2.0, -3.0, 1.0, 1.0];
        assert_eq!(to_host(&network.embed(&items).unwrap()).unwrap(), [2.5, 111.5]);
        assert_eq!(to_host(&network.embed(&items[2..]).unwrap()).unwrap(), [111.5]);
        assert!(network.embed(&items[1..]).is_err());
        let traced = network.forward(&items).unwrap();
        let mut all = backward(traced, vec![1.0, 1.0]).unwrap();
        let gradients = network.gradients(&mut all).unwrap();
        assert_eq!(gradients[0], [2.0 + 1.0, -3.0 + 1.0, 10.0, 10.0, 100.0, 100.0]);
        assert_eq!(gradients[1..], [vec![2.0, 10.0, 100.0], vec![3.0, 1.0, 1.0], vec![2.0]]);
    }

    #[test]
    fn a_configuration_reads_back_and_one_that_cannot_be_is_refused() {
        assert_eq!(MlpConfig::parse(&CONFIG.text()), Some(CONFIG));
        assert_eq!(MlpConfig::parse("hidden=3"), None);
        let error = MlpConfig::fit(CONFIG.form(), |_| 0).unwrap_err().to_string();
        assert_eq!(error, "backbone `mlp`: `hidden` must be 1 to 65536, got 0");
        let network = network();
        let (found, expected) = (network.weights().unwrap(), CONFIG.fresh(|| 0.0));
        assert_eq!((found.shapes(), network.configuration()), (expected.shapes(), CONFIG.text()));
    }
}
