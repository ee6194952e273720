//! Conv4: blocks of 3×3 convolution, batch normalisation, ReLU and 2×2 max pooling (Vinyals et al. 2016).
//!
//! Differs from the paper: the convolutions have no bias, because the normalisation behind takes it away again.

use super::architecture::{Architecture, Described, Named, numbers};
use super::network::{Backbone, Traced, Trainable};
use super::{BackboneError, Weights};
use crate::tensor::conv::{Block, ConvOps, Convolution, Norm, Running, Tensor4, Window};
use crate::tensor::dfdx::shapes::{Axes4, HasShape};
use crate::tensor::dfdx::tensor_ops::{PermuteTo, ReshapeTo};
use crate::tensor::net::{Builder, Conv, Sweep};
use crate::tensor::tape::{Gradients, trace};
use crate::tensor::{Tensor1, Tensor2, TensorError, device_error, to_host};
use crate::vocab::Form;

/// The part by which running moments move towards those of a batch, as in torch.
const MOMENTUM: f32 = 0.1;
/// What is added to variances, as in torch.
const EPSILON: f32 = 1e-5;
/// Side of the filters.
const SIDE: usize = 3;

/// The sizes of a [`Conv4`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv4Config {
    /// Channels, height and width of the images.
    pub image: (usize, usize, usize),
    /// Filters per block.
    pub width: usize,
    /// Blocks, each of which halves height and width.
    pub blocks: usize,
}

impl Conv4Config {
    /// The paper's network for images of this form: 4 blocks of 64 filters.
    ///
    /// # Errors
    /// When the items are no images, or too small for the blocks.
    pub fn new(form: Form, width: usize, blocks: usize) -> Result<Conv4Config, BackboneError> {
        let refused = |key, rule: String, found: String| {
            Err(BackboneError::Configuration { backbone: "conv4", key, rule, found })
        };
        let Form::Image { channels, height, width: across } = form else {
            return refused("form", "`image:CHANNELSxHEIGHTxWIDTH`".to_string(), format!("`{form}`"));
        };
        if width == 0 || width > 4096 {
            return refused("width", "1 to 4096".to_string(), width.to_string());
        }
        let most = height.min(across).checked_ilog2().unwrap_or(0) as usize;
        if blocks == 0 || blocks > most {
            let rule = format!("1 to {most}, because each block halves {height}×{across} pixels");
            return refused("blocks", rule, blocks.to_string());
        }
        Ok(Conv4Config { image: (channels, height, across), width, blocks })
    }
}

impl Architecture for Conv4Config {
    fn name(&self) -> &'static str {
        Conv4Config::NAME
    }

    fn text(&self) -> String {
        let Conv4Config { image: (channels, height, across), width, blocks } = self;
        format!("blocks={blocks},channels={channels},height={height},image_width={across},width={width}")
    }

    fn form(&self) -> Form {
        let (channels, height, width) = self.image;
        Form::Image { channels, height, width }
    }

    fn dim(&self) -> usize {
        (self.image.1 >> self.blocks) * (self.image.2 >> self.blocks) * self.width
    }

    fn count(&self) -> Option<usize> {
        let block = |inside: usize| {
            inside.checked_mul(SIDE * SIDE)?.checked_mul(self.width)?.checked_add(self.width.checked_mul(4)?)
        };
        let (channels, height, across) = self.image;
        // The features, too, must be a number.
        height.checked_mul(across)?.checked_mul(self.width.max(channels))?;
        block(self.width)?.checked_mul(self.blocks - 1)?.checked_add(block(channels)?)
    }

    /// Filters are normal with variance 2 / fan-in (He et al. 2015).
    fn fresh(&self, mut normal: impl FnMut() -> f64) -> Weights {
        let mut all = Weights::default();
        for number in 0..self.blocks {
            let inside = if number == 0 { self.image.0 } else { self.width };
            let deviation = (2.0 / (inside * SIDE * SIDE) as f64).sqrt();
            let count = self.width * inside * SIDE * SIDE;
            let filters = (0..count).map(|_| (deviation * normal()) as f32).collect();
            let name = |part: &str| format!("block{}.{part}", number + 1);
            all.push(name("conv.weight"), &[self.width, inside, SIDE, SIDE], filters, true);
            all.push(name("norm.weight"), &[self.width], vec![1.0; self.width], true);
            all.push(name("norm.bias"), &[self.width], vec![0.0; self.width], true);
            all.push(name("norm.running_mean"), &[self.width], vec![0.0; self.width], false);
            all.push(name("norm.running_var"), &[self.width], vec![1.0; self.width], false);
        }
        all
    }

    fn described(&self) -> Option<Described> {
        let (channels, height, across) = self.image;
        let (mut net, mut x) = Builder::new(channels);
        for block in (1..=self.blocks).map(|number| format!("block{number}")) {
            let conv = Conv::new(self.width, SIDE).norm(format!("{block}.norm"), EPSILON).relu();
            x = net.conv(x, &format!("{block}.conv"), conv);
            x = net.max_pool(x, Sweep::square(2, 2, 0));
            net.cut(block, x);
        }
        let features = net.flatten(x, (height >> self.blocks) * (across >> self.blocks));
        Some(Described { graph: net.finish(features, None), features, image: (height, across) })
    }

    fn on<D: ConvOps>(&self, device: &D, weights: &Weights) -> Result<Box<dyn Trainable<D>>, TensorError> {
        Ok(Box::new(Conv4::new(device, *self, weights)?))
    }
}

impl Named for Conv4Config {
    const NAME: &'static str = "conv4";
    const ABOUT: &'static str =
        "blocks of 3×3 convolution, batch normalisation, ReLU and 2×2 max pooling (Vinyals et al. 2016)";
    const SIZES: &'static [(&'static str, usize)] = &[("width", 64), ("blocks", 4)];

    fn fit(form: Form, size: impl Fn(&str) -> usize) -> Result<Conv4Config, BackboneError> {
        Conv4Config::new(form, size("width"), size("blocks"))
    }

    fn parse(text: &str) -> Option<Conv4Config> {
        let keys = ["blocks", "channels", "height", "image_width", "width"];
        let [blocks, channels, height, across, width] = numbers(text, keys)?;
        Conv4Config::new(Form::Image { channels, height, width: across }, width, blocks).ok()
    }
}

struct Layer<D: ConvOps> {
    filters: Tensor4<D>,
    scale: Tensor1<D>,
    shift: Tensor1<D>,
    running: Running,
}

impl<D: ConvOps> Layer<D> {
    fn block(&self, through: bool) -> Block<'_, D> {
        Block {
            filters: &self.filters,
            convolution: Convolution::padded(SIDE / 2),
            norm: Norm { scale: &self.scale, shift: &self.shift, epsilon: EPSILON },
            pool: Window::tiles(2),
            through,
        }
    }
}

/// The network on a device. Features are in torch's order: channels, then rows.
pub struct Conv4<D: ConvOps> {
    device: D,
    config: Conv4Config,
    layers: Vec<Layer<D>>,
}

impl<D: ConvOps> Conv4<D> {
    /// The network with these numbers, as [`Conv4Config`] lays them out.
    ///
    /// # Errors
    /// When a tensor has another size, or the device has no room.
    pub fn new(device: &D, config: Conv4Config, weights: &Weights) -> Result<Conv4<D>, TensorError> {
        let mut network = Conv4 { device: device.clone(), config, layers: Vec::new() };
        network.load(weights)?;
        Ok(network)
    }

    /// Images as the operations want them: channels last.
    fn upload(&self, items: &[f32]) -> Result<Tensor4<D>, TensorError> {
        let (channels, height, width) = self.config.image;
        let (pixels, size) = (height * width, channels * height * width);
        let batch = items.len() / size;
        let mut images = vec![0.0; batch * size];
        for (from, to) in items.chunks_exact(size).zip(images.chunks_exact_mut(size)) {
            for (channel, from) in from.chunks_exact(pixels).enumerate() {
                to[channel..].iter_mut().step_by(channels).zip(from).for_each(|(to, from)| *to = *from);
            }
        }
        let whole = batch * size;
        if whole != items.len() {
            let (operation, what) = ("conv4", "numbers of whole images");
            return Err(TensorError::Shape { operation, what, expected: whole, found: items.len() });
        }
        self.device.tensor4((batch, height, width, channels), images)
    }
}

impl<D: ConvOps> Backbone<D> for Conv4<D> {
    fn name(&self) -> &'static str {
        Conv4Config::NAME
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
        let (_, height, width) = self.config.image;
        // The widest is the second block's input, unfolded; four times as much lies around it.
        let unfolded = height * width / 4 * SIDE * SIDE * self.config.width;
        self.device.batch_size(4 * unfolded * size_of::<f32>())
    }

    fn embed(&self, items: &[f32]) -> Result<Tensor2<D>, TensorError> {
        let mut x = self.upload(items)?;
        for layer in &self.layers {
            x = D::fixed_block(x, &layer.block(false), &layer.running)?;
        }
        let batch = x.shape().0;
        let x = x.try_permute::<_, Axes4<0, 3, 1, 2>>().map_err(device_error::<D>)?;
        x.try_reshape_like(&(batch, self.config.dim())).map_err(device_error::<D>)
    }
}

impl<D: ConvOps> Trainable<D> for Conv4<D> {
    fn forward(&mut self, items: &[f32]) -> Result<Traced<D>, TensorError> {
        let mut x = trace(self.upload(items)?);
        for (number, layer) in self.layers.iter_mut().enumerate() {
            let (next, moments) = D::block(x, &layer.block(number > 0))?;
            layer.running.update(&moments, MOMENTUM);
            x = next;
        }
        let batch = x.shape().0;
        let x = x.try_permute::<_, Axes4<0, 3, 1, 2>>().map_err(device_error::<D>)?;
        x.try_reshape_like(&(batch, self.config.dim())).map_err(device_error::<D>)
    }

    fn gradients(&self, gradients: &mut Gradients<D>) -> Result<Vec<Vec<f32>>, TensorError> {
        let mut all = Vec::new();
        for layer in &self.layers {
            all.extend([
                gradients.of(&layer.filters)?,
                gradients.of(&layer.scale)?,
                gradients.of(&layer.shift)?,
            ]);
        }
        Ok(all)
    }

    fn weights(&self) -> Result<Weights, TensorError> {
        let mut all = self.config.fresh(|| 0.0);
        for (layer, parts) in self.layers.iter().zip(all.0.chunks_exact_mut(5)) {
            let Running { mean, variance } = layer.running.clone();
            let values =
                [to_host(&layer.filters)?, to_host(&layer.scale)?, to_host(&layer.shift)?, mean, variance];
            parts.iter_mut().zip(values).for_each(|(part, values)| part.values = values);
        }
        Ok(all)
    }

    fn load(&mut self, weights: &Weights) -> Result<(), TensorError> {
        let mut layers = Vec::new();
        let width = self.config.width;
        for (number, parts) in weights.0.chunks_exact(5).take(self.config.blocks).enumerate() {
            let inside = if number == 0 { self.config.image.0 } else { width };
            layers.push(Layer {
                filters: self.device.tensor4((width, inside, SIDE, SIDE), parts[0].values.clone())?,
                scale: self.device.tensor1(width, parts[1].values.clone())?,
                shift: self.device.tensor1(width, parts[2].values.clone())?,
                running: Running { mean: parts[3].values.clone(), variance: parts[4].values.clone() },
            });
        }
        if layers.len() != self.config.blocks {
            let (expected, found) = (self.config.blocks, layers.len());
            return Err(TensorError::Shape { operation: "conv4", what: "blocks", expected, found });
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

    fn config(channels: usize, side: usize) -> Conv4Config {
        Conv4Config::new(Form::Image { channels, height: side, width: side }, 8, 2).unwrap()
    }

    fn network(config: Conv4Config) -> Conv4<Cpu> {
        let mut number = 0;
        let normal = || {
            number += 1;
            f64::from(number * 37 % 101) / 50.0 - 1.0
        };
        Conv4::new(&open_cpu(), config, &config.fresh(normal)).unwrap()
    }

    fn items(count: usize) -> Vec<f32> {
        (0..count).map(|i| (i * 29 % 97) as f32 / 97.0).collect()
    }

    #[test]
    fn an_item_has_the_same_features_alone_and_in_company() {
        let network = network(config(3, 8));
        let items = items(5 * 192);
        let together = to_host(&network.embed(&items).unwrap()).unwrap();
        assert_eq!((network.dim(), together.len()), (32, 5 * 32));
        for (item, features) in items.chunks(192).zip(together.chunks(32)) {
            assert_eq!(to_host(&network.embed(item).unwrap()).unwrap(), features);
        }
        assert!(network.embed(&items[1..]).is_err());
    }

    #[test]
    fn what_is_written_down_gives_the_same_features() {
        let network = network(config(3, 8));
        let Described { graph, features, image } = network.config.described().unwrap();
        let weights = network.weights().unwrap();
        let named = |p: &crate::tensor::net::Parameter| (p.name.clone(), p.shape.clone());
        assert_eq!(graph.parameters().iter().map(named).collect::<Vec<_>>(), weights.shapes());
        let values: Vec<Vec<f32>> = weights.0.into_iter().map(|weight| weight.values).collect();
        let engine = crate::tensor::net::Engine::new(&graph, &values, features).unwrap();
        let (items, near) = (items(5 * 192), |(a, b): (&f32, &f32)| (a - b).abs() < 1e-4);
        let (found, expected) =
            (engine.run(&items, image).unwrap(), to_host(&network.embed(&items).unwrap()).unwrap());
        assert!(found.len() == expected.len() && found.iter().zip(&expected).all(near));
    }

    #[test]
    fn training_moves_the_running_moments_and_reaches_every_parameter() {
        let mut network = network(config(1, 8));
        let before = network.weights().unwrap();
        let out = network.forward(&items(6 * 64)).unwrap();
        let mut all = backward(out, (0..6 * 32).map(|i| (i % 7) as f32 - 3.0).collect()).unwrap();
        let gradients = network.gradients(&mut all).unwrap();
        assert_eq!(gradients.len(), before.learned().count());
        assert!(gradients.iter().all(|g| g.iter().any(|v| *v != 0.0)));
        let after = network.weights().unwrap();
        for (a, b) in before.0.iter().zip(&after.0) {
            assert_eq!(a.values == b.values, a.learned, "{}", a.name);
        }
    }

    #[test]
    fn a_configuration_reads_back_and_one_that_cannot_be_is_refused() {
        let config = config(3, 84);
        assert_eq!(Conv4Config::parse(&config.text()), Some(config));
        assert_eq!(Conv4Config::parse("blocks=4"), None);
        let error = Conv4Config::new(config.form(), 64, 9).unwrap_err().to_string();
        let expected =
            "backbone `conv4`: `blocks` must be 1 to 6, because each block halves 84×84 pixels, got 9";
        assert_eq!(error, expected);
    }
}
